/* What screens share in script: waiting for their page, buttons, bars, and short notices with a way back. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const TOAST_MS = 10000;
  const BAR_END = 0.8; // where 100 % is on a bar; `.bar-end` and `.bar::before` in 05_common.css say the same
  const NEAR_FULL = 0.8;
  const FULL = 0.95;

  /** Sets a data attribute only where it differs. */
  pingji.setData = (node, name, value) => {
    if (node.dataset[name] !== value) node.dataset[name] = value;
  };

  /** Draws a share into a bar's fill: a transform, so that nothing is laid out. */
  pingji.setScale = (fill, scale) => {
    const transform = `scaleX(${scale.toFixed(4)})`;
    if (fill.style.transform !== transform) fill.style.transform = transform;
  };

  /** Draws how much of a whole is there: 100 % is the bar's end mark, the excess is drawn past it. */
  pingji.setShare = (fill, ratio) => pingji.setScale(fill, Math.min(ratio * BAR_END, 1));

  /** Draws how full a place is, with the colours of the room that is left. */
  pingji.setFill = (fill, ratio) => {
    pingji.setShare(fill, ratio);
    pingji.setData(fill, "room", ratio > 1 ? "over" : ratio >= FULL ? "none" : ratio >= NEAR_FULL ? "low" : "free");
  };

  /** Runs fn(page) once Dash has drawn the page of that name, or any where it is "": it comes after the assets. */
  pingji.onPage = (name, fn) => {
    const find = () => document.querySelector(name ? `#page[data-page="${name}"]` : "#page");
    const page = find();
    if (page) return fn(page);
    const observer = new MutationObserver(() => {
      const found = find();
      if (!found) return;
      observer.disconnect();
      fn(found);
    });
    observer.observe(document.documentElement, { childList: true, subtree: true });
  };

  /** A random UUID; `randomUUID` is missing where the page is not from localhost or https. */
  pingji.uuid = () => {
    if (crypto.randomUUID) return crypto.randomUUID();
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  };

  /** A drawing of ours as an element. Never of data: a name that looks like markup must stay a name. */
  pingji.drawing = (svg) => document.importNode(new DOMParser().parseFromString(svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" '), "image/svg+xml").documentElement, true);

  const PATHS_ONLY = /^<svg(?: [\w-]+="[\w\s().,#:/-]*")*>(?:<path(?: [\w-]+="[\w\s().,#-]*")*\/>)+<\/svg>$/;
  const ours = (text) => PATHS_ONLY.test(text) && !/\son\w+=/i.test(text);

  /** A button with a text or a drawing, its name and what it does; text is a drawing only where it is nothing but paths. */
  pingji.button = (className, content, label, act) => {
    const button = pingji.make("button", className);
    if (content) button.append(typeof content === "string" && ours(content) ? pingji.drawing(content) : content);
    button.type = "button";
    if (label) {
      button.setAttribute("aria-label", label);
      button.title = label;
    }
    button.addEventListener("click", act);
    return button;
  };

  /** A short notice in the page's toast slot, with one action where there is a way back. */
  pingji.toast = (text, action) => {
    const host = document.querySelector('[data-slot="toasts"]');
    if (!host) return;
    const toast = pingji.make("div", "toast", pingji.make("span", "", text));
    const timer = setTimeout(() => toast.remove(), TOAST_MS);
    if (action) {
      const button = pingji.make("button", "touch", action.label);
      button.type = "button";
      button.addEventListener("click", () => {
        clearTimeout(timer);
        toast.remove();
        action.run();
      });
      toast.append(button);
    }
    host.append(toast);
    while (host.childElementCount > 3) host.firstElementChild.remove();
  };

  /* Where the server has no county there is nothing to draw: say how to get one, and begin when it has come. */
  pingji.client.then((client) => {
    if (client.county) return;
    for (const page of ["desk", "grids", "wall", "shelters"]) {
      pingji.onPage(page, () => (document.querySelector("[data-first-run]").hidden = false));
    }
    pingji.live.on("county", (key, county) => county && location.reload());
  });
})();

/* The mode banner, the connection notice, the county's name and the clock: on every screen. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const live = pingji.live;
  let county = { code: "", name: "" };
  let state = { stale: false, since: null };

  /** Writes a text only where it differs, so that nothing is laid out for nothing. */
  pingji.setText = (element, text) => {
    if (element.textContent !== text) element.textContent = text;
  };

  /** A new element of a class, with a text and children. */
  pingji.make = (tag, className, ...children) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.append(...children);
    return element;
  };

  /** The words of the banner in the order in which they matter. */
  function bannerWords(mode) {
    const t = pingji.t;
    const words = [{ part: "mode", text: t(`mode.${mode.mode}`) }];
    if (mode.mode === "emergency" && mode.level) words.push({ part: "level", text: t(`level.${mode.level}`) });
    if (mode.exercise) words.push({ part: "exercise", text: t("banner.exercise") });
    const places = (mode.scopes || []).length;
    if (mode.mode !== "routine" && (mode.scope !== county.code || places > 1)) {
      words.push({ part: "scope", text: places > 1 ? t("banner.scopes", { name: mode.scope_name, n: places }) : mode.scope_name });
    }
    if (mode.since && mode.mode !== "routine") {
      words.push({ part: "elapsed", text: t("banner.elapsed", { time: pingji.duration(live.now() - mode.since) }) });
    }
    return words;
  }

  function paintBanner(element, mode) {
    const words = mode ? bannerWords(mode) : [];
    while (element.children.length > words.length) element.lastElementChild.remove();
    words.forEach((word, i) => {
      const span = element.children[i] || element.appendChild(document.createElement("span"));
      const className = `banner-${word.part}`;
      if (span.className !== className) span.className = className;
      pingji.setText(span, word.text);
    });
    element.hidden = words.length === 0;
  }

  function paintConnection(element) {
    const { live: alive, waiting, stale, never } = element.dataset;
    const known = Object.keys(live.values).length > 0;
    let text = known ? alive : waiting;
    if (state.stale) text = state.since ? stale.replace("{time}", pingji.clock(state.since)) : never;
    pingji.setText(element, text);
    element.hidden = Boolean(live.none);
    element.dataset.state = state.stale ? "stale" : known ? "live" : "waiting";
  }

  function each(selector, paint) {
    for (const element of document.querySelectorAll(selector)) paint(element);
  }

  function paint() {
    each("[data-banner]", (element) => paintBanner(element, live.values.mode));
    each("[data-connection]", paintConnection);
    each("[data-county]", (element) => pingji.setText(element, document.querySelector('#page[data-page="wall"]') ? county.name : pingji.homeName()));
    each("[data-clock]", (element) => pingji.setText(element, pingji.clock(live.now())));
  }

  /** What the caller answers for: the county, the township or community of the own home, or the one place of a desk. */
  pingji.homeName = () => {
    const { caller } = pingji;
    if (!caller || caller.whole) return county.name;
    if (caller.home.code !== county.code) return caller.home.name;
    return caller.scopes.map((code) => live.values[`place/${code}`]?.name).find(Boolean) || county.name;
  };

  pingji.client.then((client) => {
    county = client.county || county; // none on the first run
    paint();
  });
  live.on("mode", paint);
  live.onState((next) => {
    state = next;
    paint();
  });
  live.after(paint);
  setInterval(paint, 500);
})();

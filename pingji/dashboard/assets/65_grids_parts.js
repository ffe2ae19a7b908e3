/* Pieces that the workbench's panels share: dialogs, words for grids and times, outlines drawn small. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const { make, t } = pingji;
  const { grids } = pingji;
  const parts = (grids.parts = {});
  const SVG = "http://www.w3.org/2000/svg";
  const NAMES_SHOWN = 6;
  const day = new Intl.DateTimeFormat("en-CA", { timeZone: "Asia/Shanghai" });

  /* ── Elements ────────────────────────────────────────────────────────── */

  /** A button with its words and what it does; `why` says why it can't be pressed. */
  parts.button = (className, text, act, why = "") => {
    const button = make("button", className, text);
    button.type = "button";
    if (act) button.addEventListener("click", act);
    parts.hold(button, why);
    return button;
  };

  /** Holds a button back, with the reason where a pointer and a screen reader find it; frees it without one. */
  parts.hold = (button, why) => {
    button.setAttribute("aria-disabled", String(Boolean(why)));
    button.title = why;
    button.disabled = Boolean(why);
  };

  parts.heading = (text, count) => {
    const heading = make("h3", "gp-heading", make("span", "", text));
    if (count !== undefined) heading.append(make("b", "gp-count", pingji.number(count)));
    return heading;
  };

  parts.empty = (text) => make("p", "gp-empty", text);

  /** A message that somebody has to notice: `kind` is "held", "conflict", "said" or "wrong". */
  parts.notice = (kind, text, ...more) => {
    const notice = make("div", "gp-notice", make("p", "", text), ...more);
    notice.dataset.kind = kind;
    notice.setAttribute("role", kind === "wrong" ? "alert" : "status");
    return notice;
  };

  /** A field with its name above it. */
  parts.field = (label, input, note) => {
    const field = make("label", "dialog-field", make("span", "", label), input);
    if (note) field.append(make("small", "gp-note", note));
    return field;
  };

  parts.input = (name, value = "", more = {}) => Object.assign(make("input", "gp-input"), { name, value, type: "text", maxLength: 120, autocomplete: "off", ...more });

  parts.select = (name, options, value) => {
    const box = Object.assign(make("select", "gp-input"), { name });
    box.append(...options.map(([code, text]) => Object.assign(make("option", "", text), { value: code, selected: code === value })));
    return box;
  };

  /** An element of an SVG with its attributes. */
  parts.svg = (tag, attributes = {}, ...children) => {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };

  /** A modal dialog with a form; `send(form values)` is awaited, and what it rejects with is shown at the foot. */
  parts.dialog = ({ title, className = "", body, confirm, cancel = t("grids.set.cancel"), send, focus }) => {
    const dialog = make("dialog", `desk-dialog gp-dialog ${className}`);
    const form = make("form", "dialog-form");
    form.method = "dialog";
    dialog.setAttribute("aria-label", title);
    const close = parts.button("dialog-close", "×", () => dialog.close());
    close.setAttribute("aria-label", t("grids.set.close"));
    const hint = make("p", "dialog-hint");
    hint.setAttribute("role", "alert");
    const foot = make("div", "dialog-foot", hint, parts.button("button-quiet", cancel, () => dialog.close()));
    const press = confirm ? make("button", "button-key", confirm) : null;
    if (press) foot.append(Object.assign(press, { type: "submit" }));
    form.append(...body, foot);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (!press || press.disabled) return;
      press.disabled = true;
      try {
        await send(Object.fromEntries(new FormData(form)));
        dialog.close("done");
      } catch (error) {
        hint.className = "dialog-error";
        pingji.setText(hint, parts.refusal(error));
      }
      press.disabled = false;
    });
    dialog.append(make("div", "dialog-head", make("h2", "", title), close), form);
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
    (focus || form.querySelector("input, select, textarea"))?.focus();
    return { dialog, form, foot, hint, press };
  };

  /* ── Words ───────────────────────────────────────────────────────────── */

  /** What the server, or the lack of one, says in the reader's language. */
  parts.refusal = (error) => {
    const code = grids.keyOf(error);
    return code ? `${error.message} ${t("desk.error.code", { code })}` : error.message;
  };

  /** A short word at the foot of the page, with one thing to do. */
  parts.say = (text, label, run) => {
    parts.slot("toasts")?.replaceChildren(); // the newest word is the one to act on
    pingji.toast(text, label ? { label, run } : null);
  };

  parts.label = (code) => grids.codeText(String(code || ""));

  parts.labels = (codes) => {
    const shown = codes.slice(0, NAMES_SHOWN).map(parts.label).join(t("grids.set.separator"));
    return codes.length > NAMES_SHOWN ? t("grids.set.and_more", { names: shown, n: codes.length }) : shown;
  };

  parts.date = (ms) => (ms ? day.format(ms) : "");

  /** Today's things say the time, older ones the day as well. */
  parts.when = (ms) => {
    if (!ms) return "";
    const [then, today] = [day.format(ms), day.format(pingji.live.now())];
    return then === today ? pingji.clock(ms, "minutes") : `${then} ${pingji.clock(ms, "minutes")}`;
  };

  parts.ago = (ms) => (pingji.live.now() - ms < 60000 ? t("grids.set.just_now") : t("grids.set.ago", { time: pingji.duration(pingji.live.now() - ms) }));

  parts.who = (name) => (name && name !== "-" ? name : t("grids.set.nobody"));

  parts.area = (m2) => (Math.abs(m2) < 1e6 ? `${pingji.number(Math.round(m2))} m²` : `${(m2 / 1e6).toFixed(2)} km²`);

  parts.signedArea = (m2) => (Math.round(m2) > 0 ? `+${parts.area(m2)}` : parts.area(m2).replace("-", "−"));

  /** A chip that says where a change set stands. */
  parts.status = (status) => {
    const chip = make("span", "gp-status", t(`grids.status.${status}`));
    chip.dataset.status = status;
    return chip;
  };

  parts.reasons = ["boundary_change", "redigitisation", "split_for_size", "merge_for_size", "correction", "construction", "administrative"];

  /* ── Outlines ────────────────────────────────────────────────────────── */

  const polygonsOf = (geometry) => (!geometry ? [] : geometry.type === "Polygon" ? [geometry.coordinates] : geometry.type === "MultiPolygon" ? geometry.coordinates : (geometry.geometries || []).flatMap(polygonsOf));
  parts.polygonsOf = polygonsOf;

  /** [west, south, east, north] of geometries, or null. */
  parts.boundsOf = (geometries) => {
    const box = [Infinity, Infinity, -Infinity, -Infinity];
    const visit = (c) => {
      if (typeof c[0] !== "number") return c.forEach(visit);
      [box[0], box[1], box[2], box[3]] = [Math.min(box[0], c[0]), Math.min(box[1], c[1]), Math.max(box[2], c[0]), Math.max(box[3], c[1])];
    };
    for (const geometry of geometries) if (geometry) (geometry.geometries ? geometry.geometries.map((one) => one.coordinates) : [geometry.coordinates]).forEach(visit);
    return box[0] === Infinity ? null : box;
  };

  /** Leaflet's bounds of a box. */
  parts.latLngBounds = ([west, south, east, north]) => [[south, west], [north, east]];

  /** From a position to the place in a small picture of `box`, with room for the strokes. */
  function placing([west, south, east, north], width, height) {
    const narrow = Math.cos(((south + north) / 2) * (Math.PI / 180));
    const k = Math.min((width - 12) / Math.max(1e-9, (east - west) * narrow), (height - 12) / Math.max(1e-9, north - south));
    return ([lon, lat]) => `${(width / 2 + (lon - (west + east) / 2) * narrow * k).toFixed(1)} ${(height / 2 - (lat - (south + north) / 2) * k).toFixed(1)}`;
  }

  /** A line in a small picture of `box`. */
  parts.line = (line, box, width, height, className) => parts.svg("path", { d: `M${line.map(placing(box, width, height)).join("L")}`, class: className });

  /** Geometries drawn small in one frame: each is {geometry, className}. */
  parts.outline = (shapes, box, width, height, label) => {
    const place = placing(box, width, height);
    const path = (geometry) => polygonsOf(geometry).map((rings) => rings.map((ring) => `M${ring.map(place).join("L")}Z`).join("")).join("");
    const picture = parts.svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "gp-outline", role: "img", "aria-label": label });
    for (const { geometry, className } of shapes) if (geometry) picture.append(parts.svg("path", { d: path(geometry), class: className, "fill-rule": "evenodd" }));
    return picture;
  };

  /* ── Slots ───────────────────────────────────────────────────────────── */

  parts.slot = (name) => document.querySelector(`#page [data-slot="${name}"]`);

  /** Runs fn(slot) once the workbench has drawn that slot and the texts are there; never on another page. */
  parts.whenDrawn = (name, fn) => pingji.onPage("grids", () => pingji.client.then(() => parts.slot(name) && fn(parts.slot(name))));
})();

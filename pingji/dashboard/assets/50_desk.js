/* The map desk: its page, folding panels, layer panel and legend, map tools. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const kit = (pingji.mapkit = pingji.mapkit || {});
  const desk = (pingji.desk = { button: pingji.button });
  const LEGEND = { accounted: ["fill", "#1FA89A"], moving: ["fill", "#4C8DFF"], not_reached: ["hollow", "#9AA8B5"], refused: ["cross", "#8E6CEF"], lost: ["hollow", "#FF2E88"] };

  /** The slot of a name, once Dash has drawn the desk. */
  desk.slot = (name) => document.querySelector(`#page[data-page="desk"] [data-slot="${name}"]`);

  /** Resolves when the desk's page is there; never on another page. */
  desk.drawn = new Promise((done) => {
    const look = () => (desk.slot("layers") ? done() : document.querySelector("#page") ? 0 : requestAnimationFrame(look));
    look();
  });

  /* ── Panels ──────────────────────────────────────────────────────────── */

  const FOLDED = "pingji.folded";

  function folded() {
    try {
      return new Set(JSON.parse(localStorage.getItem(FOLDED) || "[]"));
    } catch {
      return new Set();
    }
  }

  function fold(button, closed) {
    button.closest(".desk-panel").classList.toggle("is-folded", closed);
    button.setAttribute("aria-expanded", String(!closed));
    document.getElementById("page").classList.toggle(`no-${button.dataset.fold}`, closed);
  }

  function mountFolds() {
    const closed = folded();
    for (const button of document.querySelectorAll("[data-fold]")) {
      fold(button, closed.has(button.dataset.fold));
      button.addEventListener("click", () => {
        const name = button.dataset.fold;
        closed.has(name) ? closed.delete(name) : closed.add(name);
        fold(button, closed.has(name));
        localStorage.setItem(FOLDED, JSON.stringify([...closed]));
      });
    }
  }

  /* ── Layers and legend ───────────────────────────────────────────────── */

  const rows = new Map(); // layer → its elements

  /** The symbol of a layer as the map draws it, on a small canvas. */
  function symbol(view, state, value) {
    const look = state.spec[view.look];
    const element = document.createElement("canvas");
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    [element.width, element.height] = [26 * ratio, 18 * ratio];
    element.className = "legend-symbol";
    const context = element.getContext("2d");
    context.scale(ratio, ratio);
    if (state.spec.geometry === "point") kit.drawSymbol(context, look, 13, look.shape === "triangle" ? 9.5 : 9, Math.min(6.5, Math.max(4.6, look.radius)));
    else if (state.spec.geometry === "line") drawLine(context, look);
    else drawArea(context, look, value, view);
    return element;
  }

  function drawLine(context, look) {
    context.strokeStyle = look.stroke;
    context.lineWidth = Math.max(1.6, look.weight);
    context.lineCap = "round";
    context.beginPath();
    context.moveTo(2, 13);
    context.bezierCurveTo(9, 1, 16, 18, 24, 5);
    context.stroke();
  }

  function drawArea(context, look, value, view) {
    const colour = value && look.colours[value];
    const [x, y, w, h] = [3.5, 3.5, 19, 11];
    if (look.fill_opacity && !look.hatch) paint(colour || look.fill, look.fill_opacity);
    if (look.hatch) {
      paint(colour, 0.15);
      const density = Object.keys(look.colours).indexOf(value);
      paint(context.createPattern(kit.hatchTile(colour, density, 0.7, false), "repeat"), 1);
    }
    context.strokeStyle = look.hatch && view.look === "emergency" ? colour : look.stroke;
    context.lineWidth = Math.max(1, Math.min(2, look.weight));
    context.setLineDash(look.dash ? look.dash.split(" ").map(Number) : []);
    context.strokeRect(x, y, w, h);

    function paint(style, opacity) {
      context.globalAlpha = opacity;
      context.fillStyle = style;
      context.fillRect(x, y, w, h);
      context.globalAlpha = 1;
    }
  }

  /** What a layer's row says at its end: how many, or why none. */
  function stateText(view, state) {
    const t = pingji.t;
    if (!view.isVisible(state)) return "";
    if (state.status === "failed") return t("desk.layers.failed");
    if (view.map.getZoom() < state.spec[view.look].min_zoom) return t("desk.layers.zoom_in");
    if (state.status === "loading") return t("desk.layers.loading");
    if (state.status !== "ready") return "";
    if (!state.features.length && !state.spec.by_box) return t("desk.layers.empty");
    return state.truncated ? t("desk.layers.truncated") : pingji.number(state.features.length);
  }

  /** A layer's choices that have a colour of their own, with their texts. */
  function choicesOf(view, state) {
    const look = state.spec[view.look];
    const field = look.colour_by && state.spec.fields.find((one) => one.column === look.colour_by);
    if (!field || state.spec.geometry !== "polygon") return [];
    return Object.keys(look.colours).filter((value) => field.choices[value]).map((value) => [value, field.choices[value]]);
  }

  function layerRow(view, state) {
    const { make, t } = pingji;
    const box = make("input", "layer-box");
    box.type = "checkbox";
    box.checked = view.isVisible(state);
    box.setAttribute("aria-label", t("desk.layers.toggle", { name: state.spec.title }));
    box.addEventListener("change", () => view.setVisible(state.spec.name, box.checked));
    const count = make("span", "layer-count");
    const choices = choicesOf(view, state);
    const mark = choices.length && state.spec[view.look].hatch ? symbol(view, state, choices[choices.length - 1][0]) : symbol(view, state);
    const item = make("li", "layer-row", make("label", "", box, mark, make("span", "layer-name", state.spec.title), count));
    if (choices.length) {
      const list = make("ul", "layer-choices");
      for (const [value, text] of choices) list.append(make("li", "", symbol(view, state, value), make("span", "", text)));
      item.append(list);
    }
    item.dataset.layer = state.spec.name;
    rows.set(state.spec.name, { box, count, item });
    return item;
  }

  /** What the colours of the counted areas mean, while people are counted. */
  function countLegend() {
    const { make, t } = pingji;
    const list = make("ul", "count-legend");
    for (const [name, [shape, colour]] of Object.entries(LEGEND)) {
      const swatch = make("span", `swatch swatch-${shape}`);
      swatch.style.setProperty("--swatch", colour);
      list.append(make("li", "", swatch, make("span", "", t(`desk.legend.${name}`))));
    }
    return list;
  }

  /** The layers, those of the present mode first. */
  function paintLayers(view) {
    const slot = desk.slot("layers");
    const rank = (state) => state.spec[view.look].label_rank + (state.spec[view.look].shown ? 1000 : 0);
    const list = pingji.make("ul", "layer-list");
    list.append(...[...view.layers].sort((a, b) => rank(b) - rank(a)).map((state) => layerRow(view, state)));
    slot.replaceChildren(list, ...(view.look === "emergency" ? [countLegend()] : []));
    paintStates(view);
  }

  function paintStates(view) {
    for (const state of view.layers) {
      const row = rows.get(state.spec.name);
      if (!row) continue;
      row.box.checked = view.isVisible(state);
      pingji.setText(row.count, stateText(view, state));
      row.item.dataset.status = view.isVisible(state) ? state.status : "hidden";
    }
  }

  /* ── Tools ───────────────────────────────────────────────────────────── */

  const icon = (path) => pingji.drawing(`<svg viewBox="0 0 20 20" width="20" height="20" fill="none" stroke="currentColor" stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${path}</svg>`);
  const ICONS = {
    zoom_in: icon('<path d="M10 4v12M4 10h12"/>'),
    zoom_out: icon('<path d="M4 10h12"/>'),
    county: icon('<path d="M3 8V3h5M12 3h5v5M17 12v5h-5M8 17H3v-5"/>'),
    measure: icon('<path d="M2.5 13.5 13.5 2.5l4 4-11 11zM6 10l2 2M9 7l2 2M12 4l2 2"/>'),
  };

  function mountTools(view) {
    const { t } = pingji;
    const notice = desk.slot("notice");
    const measure = kit.mountMeasure(view, (text) => pingji.setText(notice, text));
    const acts = {
      zoom_in: () => view.map.zoomIn(),
      zoom_out: () => view.map.zoomOut(),
      county: () => view.reset(),
      measure: () => measure(),
    };
    for (const [name, act] of Object.entries(acts)) {
      const button = desk.button("desk-tool", ICONS[name], t(`desk.tools.${name}`), act);
      button.dataset.tool = name;
      desk.slot("tools").append(button);
    }
    view.onChange((what) => {
      if (what === "measure") desk.slot("tools").querySelector('[data-tool="measure"]').setAttribute("aria-pressed", String(view.measuring));
    });
    notice.setAttribute("role", "status");
    kit.mountReadouts(view, { bar: desk.slot("scale"), position: desk.slot("position") });
  }

  /* ── First run ───────────────────────────────────────────────────────── */

  /* ── Start ───────────────────────────────────────────────────────────── */

  desk.drawn.then(mountFolds);

  Promise.all([desk.drawn, pingji.map.ready]).then(([, view]) => {
    if (!view.layers.length) return;
    desk.view = view;
    document.querySelector("[data-demo]").hidden = !view.client.county.demo;
    paintLayers(view);
    mountTools(view);
    view.onChange((what) => (what === "look" || what === "start" ? paintLayers(view) : paintStates(view)));
    view.map.on("zoomend", () => paintStates(view));
  });
})();

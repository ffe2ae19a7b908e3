/* The organisation on the map: grids or communities by one figure, from teal (all there) to a hatch (missing). */
(() => {
  "use strict";

  const pingji = window.pingji;
  const { make, t, number, organisation: org, mapkit: kit } = pingji;
  const { state, parts } = org;
  const FIGURES = ["completeness", "vacancies", "overloaded", "coverage"];
  const NAME_PX = 46; // narrower areas show nothing but their colour
  const FONT = '"PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", system-ui, sans-serif';
  const SPEC = { name: "organisation" };
  const TEAL = "#1FA89A"; // accounted for: nothing is missing
  const INKS = {
    routine: { ink: "#16202B", soft: "#5A6672", halo: "rgba(253,251,246,0.92)", line: "#7C776A", paper: "#FBF9F4" },
    emergency: { ink: "#F3F7FB", soft: "#9AA8B5", halo: "rgba(10,16,23,0.9)", line: "#3D4B59", paper: "#131C26" },
  };
  // What a class looks like, from nothing missing to most missing: teal in three strengths, then two hatches.
  const LOOKS = [{ fill: 0.62 }, { fill: 0.34 }, { fill: 0.14 }, { hatch: 0, opacity: 0.5 }, { hatch: 2, opacity: 0.7 }];

  let view = null;
  let shapes = new Map();
  let hover = null;
  const drawings = []; // fn(frame, pen) of other modules, painted over everything

  /* ── Figures ─────────────────────────────────────────────────────────── */

  const known = new Map(); // figure/level → promise of Map code → shape

  /** The areas of a level with one figure each, as shapes; asked once until the organisation changes. */
  org.areas = (figure, level) => {
    const key = `${figure}/${level}`;
    if (!known.has(key)) {
      const asking = org.ask("GET", "/map", { query: { figure, level } }).then(({ features }) => new Map(features.map((one) => kit.feature({ ...one, id: one.properties.code }, SPEC)).filter(Boolean).map((shape) => [shape.code, shape])));
      known.set(key, asking);
      asking.catch(() => known.delete(key));
    }
    return known.get(key);
  };

  /** The upper bounds of classes 0 to 3: what is over the last is in class 4. By missing number, or by missing share. */
  const STEPS = {
    completeness: { grid: ["n", 0, 1, 2, 3], community: ["share", 0, 0.1, 0.25, 0.5] },
    vacancies: { grid: ["n", 0, 1, 2, 5], community: ["share", 0, 0.02, 0.05, 0.1] },
    overloaded: { grid: ["n", 0, 1, 2, 4], community: ["n", 0, 3, 6, 12] },
    coverage: { grid: ["share", 0, 0.25, 0.5, 0.75], community: ["share", 0, 0.25, 0.5, 0.75] },
  };
  const MISSING = new Set(["vacancies", "overloaded"]); // their value counts what is missing, the others' what is there

  const missingOf = (figure, { value, of }) => (MISSING.has(figure) ? value : of - value);

  /** The class of an area, −1 where there is nothing to count. */
  function classOf(figure, level, properties) {
    if (!properties.of) return -1;
    const [by, ...steps] = STEPS[figure][level];
    const missing = missingOf(figure, properties) / (by === "share" ? properties.of : 1);
    const found = steps.findIndex((step) => missing <= step);
    return found < 0 ? steps.length : found;
  }

  /** What a class is called beside its colour. */
  function className(figure, level, i) {
    const [by, ...steps] = STEPS[figure][level];
    if (figure === "completeness" && by === "n") return i < 4 ? `${6 - i} / 6` : "≤ 2 / 6";
    if (by === "n") {
      const low = i ? steps[i - 1] + 1 : 0;
      return i === 4 ? `≥ ${low}` : low === steps[i] ? String(low) : `${low}–${steps[i]}`;
    }
    const percent = (share) => `${Math.round((MISSING.has(figure) ? share : 1 - share) * 100)}%`;
    if (i === 0) return percent(0);
    if (MISSING.has(figure)) return i === 4 ? `> ${percent(steps[3])}` : `≤ ${percent(steps[i])}`;
    return i === 4 ? `< ${percent(steps[3])}` : `≥ ${percent(steps[i])}`;
  }

  async function load() {
    const { figure, level } = state;
    mountSwitch();
    org.slot("legend").setAttribute("aria-busy", "true");
    try {
      const found = await org.areas(figure, level);
      if (figure !== state.figure || level !== state.level) return;
      shapes = found;
      org.slot("notice").replaceChildren();
    } catch (error) {
      if (figure !== state.figure || level !== state.level) return;
      shapes = new Map();
      org.slot("notice").replaceChildren(parts.failed(error, load));
    }
    org.slot("legend").removeAttribute("aria-busy");
    paintLegend();
    repaint();
  }

  function repaint() {
    if (!view?.canvases) return;
    for (const name of ["organisation", "chosen", "marks"]) kit.repaint(view, name);
  }
  org.repaint = repaint;

  /** Paints over the map: fn(frame, {context, ink, halo, xy}). */
  org.draw = (fn) => drawings.push(fn);

  /* ── Painting ────────────────────────────────────────────────────────── */

  const inks = () => INKS[view.look] || INKS.routine;
  const here = (frame) => [...shapes.values()].filter((shape) => kit.inView(shape, frame.box));

  function path(frame, shape) {
    frame.context.beginPath();
    for (const rings of shape.parts) kit.trace(frame, rings, true);
  }

  function paintAreas(frame) {
    const { context } = frame;
    const { ink, line, paper } = inks();
    for (const shape of here(frame)) {
      const look = LOOKS[classOf(state.figure, state.level, shape.properties)];
      path(frame, shape);
      context.fillStyle = paper; // what kind of community lies beneath must not tint the classes
      context.fill("evenodd");
      if (look) paintClass(frame, look, ink);
      context.setLineDash(look ? [] : [3, 3]);
      Object.assign(context, { strokeStyle: line, lineWidth: 0.8, lineJoin: "round" });
      context.stroke();
      context.setLineDash([]);
    }
  }

  function paintClass(frame, look, ink) {
    const { context } = frame;
    if (look.fill) Object.assign(context, { fillStyle: TEAL, globalAlpha: look.fill });
    else {
      const paint = kit.pattern(context, ink, look.hatch, 1, false);
      paint.setTransform(new DOMMatrix().translate(-(frame.ox % paint.period), -(frame.oy % paint.period)));
      Object.assign(context, { fillStyle: paint, globalAlpha: look.opacity });
    }
    context.fill("evenodd");
    context.globalAlpha = 1;
  }

  /** The chosen unit's ground, the area under the pointer, and what other modules draw. */
  function paintChosen(frame) {
    const { context } = frame;
    const { ink, halo } = inks();
    const outline = (some, colour, width) => {
      Object.assign(context, { strokeStyle: colour, lineWidth: width, lineJoin: "round" });
      for (const shape of some) {
        path(frame, shape);
        context.stroke();
      }
    };
    if (hover) outline([hover], ink, 1.6);
    const chosen = grounds();
    outline(chosen, halo, 6);
    outline(chosen, ink, 2.8);
    const xy = ([lon, lat]) => {
      const { x, y } = view.map.project([lat, lon], 0);
      return [x * frame.k - frame.ox, y * frame.k - frame.oy];
    };
    if (!chosen.length) ringAt(context, xy, ink, halo);
    for (const fn of drawings) fn(frame, { context, ink, halo, xy, teal: TEAL });
  }

  /** The shapes that the chosen unit stands on, as far as the map has them. */
  function grounds() {
    const { unit } = state.unit || {};
    if (!unit) return [];
    const place = unit.place || unit.code;
    if (unit.level === "county" || unit.level === "department") return [];
    if (unit.level === "township") return (view.layer("communities")?.features || []).filter((one) => one.properties.township === place);
    if (unit.level === "branch") return [];
    const layer = { community: "communities", grid: "", building: "buildings", stairwell: "buildings" }[unit.level];
    const code = unit.level === "stairwell" ? unit.parent : place;
    const found = (layer && view.feature(layer, code)) || shapes.get(code) || gridShapes.get(code);
    return found && found.kind === "polygon" ? [found] : [];
  }

  let gridShapes = new Map();

  /** A ground too small to be on the map yet, a building far away: a ring where it lies. */
  function ringAt(context, xy, ink, halo) {
    const bounds = state.unit?.bounds;
    if (!bounds || ["county", "branch", "department"].includes(state.unit.unit.level)) return;
    const [x, y] = xy([(bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2]);
    for (const [colour, width] of [[halo, 6], [ink, 2.8]]) {
      context.beginPath();
      context.arc(x, y, 14, 0, 7);
      Object.assign(context, { strokeStyle: colour, lineWidth: width });
      context.stroke();
    }
  }

  /** Names and figures where there is room: the chosen first, then whoever lacks most. */
  function paintNames(frame, taken) {
    const rank = (shape) => (shape.code === state.code ? 1e6 : 0) + classOf(state.figure, state.level, shape.properties) * 1000 + (shape.box[2] - shape.box[0]) * frame.k;
    for (const shape of here(frame).sort((a, b) => rank(b) - rank(a))) {
      const width = (shape.box[2] - shape.box[0]) * frame.k;
      if (width < NAME_PX || !shape.properties.of) continue;
      writeName(frame, shape, taken, width);
    }
  }

  function writeName(frame, shape, taken, width) {
    const { ink, halo } = inks();
    const { value, of, name } = shape.properties;
    const figure = kit.stamp(`${number(value)}/${number(of)}`, `700 12px ${FONT}`, ink, halo, 3, 12);
    const label = kit.stamp(name || shape.code.slice(-3), `500 11.5px ${FONT}`, ink, halo, 3, 11.5);
    const lines = label.w <= width * 1.1 ? [label, figure] : [figure];
    const [x, y] = [shape.anchor[0] * frame.k - frame.ox, shape.anchor[1] * frame.k - frame.oy];
    const [w, h] = [Math.max(...lines.map((one) => one.w)), lines.length * 16];
    const box = [x - w / 2, y - h / 2, x + w / 2, y + h / 2];
    if (taken.hits(...box)) return;
    taken.reserve(...box);
    lines.forEach((one, i) => frame.context.drawImage(one, x - one.w / 2, y + (i - (lines.length - 1) / 2) * 16 - one.h / 2, one.w, one.h));
  }

  /* ── Switch and legend ───────────────────────────────────────────────── */

  function mountSwitch() {
    const figures = FIGURES.map((name) => [name, t(`org.figure.${name}`)]);
    const levels = ["grid", "community"].map((name) => [name, t(`org.level.${name}`)]);
    const slot = org.slot("figure");
    const key = slot.contains(document.activeElement) ? document.activeElement.dataset.key : "";
    slot.replaceChildren(
      parts.choice(t("org.figure.label"), figures, state.figure, (name) => org.setFigure(name)),
      parts.choice(t("org.figure.level"), levels, state.level, (name) => org.setFigure(state.figure, name)),
    );
    if (key) slot.querySelector(`[data-key="${key}"]`)?.focus();
  }

  function swatch(look) {
    const element = make("canvas", "og-swatch");
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    [element.width, element.height] = [26 * ratio, 16 * ratio];
    const context = element.getContext("2d");
    context.scale(ratio, ratio);
    context.beginPath();
    context.rect(0.5, 0.5, 25, 15);
    const { ink, line } = inks();
    if (look) paintClass({ context, ox: 0, oy: 0 }, look, ink);
    context.setLineDash(look ? [] : [3, 3]);
    context.strokeStyle = line;
    context.stroke();
    return element;
  }

  /** What the colours mean, with how many areas have each: the numbers add up to the whole. */
  function paintLegend() {
    const { figure, level } = state;
    const counts = new Map();
    let [missing, of] = [0, 0];
    for (const { properties } of shapes.values()) {
      const i = classOf(figure, level, properties);
      counts.set(i, (counts.get(i) || 0) + 1);
      [missing, of] = [missing + missingOf(figure, properties), of + properties.of];
    }
    const list = make("ul", "og-legend-rows");
    for (const i of [0, 1, 2, 3, 4, -1]) {
      const n = counts.get(i) || 0;
      if (i < 0 && !n) continue;
      const name = i < 0 ? t(`org.legend.none_${figure}`) : className(figure, level, i);
      const row = make("li", "", swatch(LOOKS[i]), make("span", "", name), make("b", "", number(n)));
      row.dataset.class = String(i);
      list.append(row);
    }
    const foot = make("p", "og-legend-foot", t(`org.legend.of_${level}`, { n: number(shapes.size) }));
    const total = make("p", "og-legend-total", parts.ratio(MISSING.has(figure) ? missing : of - missing, of), make("span", "", t(`org.legend.total_${figure}`)));
    const box = make("details", "og-legend-box", make("summary", "", make("h2", "", t(`org.legend.title_${figure}`)), total), list, foot);
    box.open = org.slot("legend").querySelector("details")?.open ?? innerWidth > 1180;
    org.slot("legend").replaceChildren(box);
  }

  /* ── Hands ───────────────────────────────────────────────────────────── */

  function at(latlng) {
    const { x, y } = view.map.project(latlng, 0);
    for (const shape of shapes.values()) if (kit.contains(shape, x, y)) return shape;
    return null;
  }

  function mountHands({ map }) {
    map.on("click", ({ latlng }) => {
      const shape = at(latlng);
      if (!shape) return;
      org.showTab(["unit", "sponsors"].includes(state.tab) ? state.tab : "unit");
      org.select(shape.code, { from: "map" });
    });
    let waiting = 0;
    const point = (shape) => {
      if (shape === hover) return;
      hover = shape;
      map.getContainer().classList.toggle("is-over", Boolean(shape));
      kit.repaint(view, "chosen");
      org.tell("hover", shape?.properties || null);
    };
    map.on("mousemove", ({ latlng }) => {
      if (waiting) return;
      waiting = requestAnimationFrame(() => {
        waiting = 0;
        point(at(latlng));
      });
    });
    map.on("mouseout", () => point(null));
    org.on("hover", (one) => pingji.setText(document.querySelector('[data-slot="position"]'), one ? `${one.name || one.code}\u2003${t(`org.figure.${state.figure}`)} ${number(one.value)} / ${number(one.of)}` : ""));
  }

  function mountZoom({ map }) {
    const plus = '<svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true"><path d="M4 10h12M10 4v12" fill="none" stroke="currentColor" stroke-width="1.8"/></svg>';
    const whole = '<svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true"><path d="M3 8V3h5M12 3h5v5M17 12v5h-5M8 17H3v-5" fill="none" stroke="currentColor" stroke-width="1.8"/></svg>';
    org.slot("zoom").replaceChildren(
      pingji.button("og-map-button", pingji.drawing(plus), t("grids.map.zoom_in"), () => map.zoomIn()),
      pingji.button("og-map-button", pingji.drawing(plus.replace("M10 4v12", "")), t("grids.map.zoom_out"), () => map.zoomOut()),
      pingji.button("og-map-button", pingji.drawing(whole), t("org.map.whole"), () => view.reset()),
    );
  }

  org.fly = (bounds, maxZoom = 17) => {
    if (view && bounds) view.map.fitBounds([[bounds[1], bounds[0]], [bounds[3], bounds[2]]], { paddingTopLeft: [innerWidth > 1180 ? 110 : 40, 70], paddingBottomRight: [66, 48], maxZoom });
  };

  org.ready.then((found) => {
    view = found.view;
    if (!view.canvases) return;
    if (!FIGURES.includes(state.figure)) state.figure = FIGURES[0];
    view.options.padding = [70, 64, 24, 24]; // what the switch, the buttons and the legend cover
    view.reset();
    view.paintNames = paintNames;
    kit.addCanvas(view, "organisation", 365, paintAreas);
    kit.addCanvas(view, "chosen", 590, paintChosen);
    kit.mountReadouts(view, { bar: document.querySelector('[data-slot="scale"]'), position: make("span") });
    view.onChange((what) => (what === "look" ? (paintLegend(), repaint()) : what === "loaded" && kit.repaint(view, "chosen")));
    mountHands(view);
    mountZoom(view);
    load();
    org.areas("vacancies", "grid").then((some) => (gridShapes = some), () => null);
  });
  org.on("figure", load);
  org.on("unit", ({ fly }) => {
    if (fly) org.fly(state.unit.bounds);
    repaint();
  });
  org.on("changed", () => {
    known.clear();
    if (view) load();
  });
})();

/* The workbench's map: the grids of one community on one canvas, what is drawn over them on another. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const { grids, mapkit: kit } = pingji;
  const { state } = grids;
  const SPEC = { name: "grids" };
  const ORDER = { grids: 380, ink: 590 }; // the one under Leaflet's overlays, the other over them and under its handles
  const FIGURES_PX = 52; // narrower grids show their number alone
  const NAMES_PX = 22;
  const MAX_ZOOM = 20;
  const FONT = '"PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", system-ui, sans-serif';
  const INKS = { ink: "#16202B", soft: "#5A6672", paper: "#F5F2EA", halo: "rgba(253,251,246,0.92)", line: "#3F4A56" };
  const OK = "#1FA89A"; // accounted for: nothing to do here
  const DRAFT = "#4C8DFF"; // on its way: drawn, not yet published
  const ALARM = "#FF2E88"; // somebody has to look here

  let view = null;
  let outline = null;
  let hover = null;
  let marked = null; // {shape, kind, codes}
  const shapes = new Map(); // code → shape in world coordinates
  let around = [];
  const papers = [];

  /* ── Shapes ──────────────────────────────────────────────────────────── */

  function shapeOf(json) {
    const shape = kit.feature(json, SPEC);
    if (shape) shape.json = json;
    return shape;
  }

  function takeAll() {
    shapes.clear();
    for (const [code, json] of state.grids) keep(code, json);
    around = state.around.map(shapeOf).filter(Boolean);
    outline = state.community?.outline ? kit.feature({ id: "", geometry: state.community.outline }, SPEC) : null;
  }

  function keep(code, json) {
    const shape = shapeOf(json);
    shape ? shapes.set(code, shape) : shapes.delete(code);
  }

  function takeIn(_, { changed, removed } = {}) {
    if (!changed) takeAll();
    else {
      removed.forEach((code) => shapes.delete(code));
      changed.forEach((code) => keep(code, state.grids.get(code)));
    }
    repaint();
  }

  grids.shape = (code) => shapes.get(code);
  grids.shapes = () => shapes;

  /** The grid under a place of the map, or null. */
  grids.at = (latlng) => {
    const { x, y } = worldOf(latlng);
    for (const shape of shapes.values()) if (kit.contains(shape, x, y)) return shape;
    return null;
  };

  function worldOf(latlng) {
    const point = view.map.project(latlng, 0);
    return point;
  }
  grids.worldOf = worldOf;

  function repaint() {
    if (!view) return;
    for (const name of ["grids", "ink", "marks"]) kit.repaint(view, name);
  }
  grids.repaintInk = () => view && kit.repaint(view, "ink");

  /* ── Going somewhere ─────────────────────────────────────────────────── */

  const bounded = (box) => [[box[1], box[0]], [box[3], box[2]]];

  grids.zoom = (target) => {
    if (!view || !target) return;
    const bounds = Array.isArray(target) ? bounded(target) : boundsOf(target);
    if (bounds) view.map.fitBounds(bounds, { padding: [48, 48], maxZoom: 18 });
  };

  function boundsOf(geometry) {
    const shape = kit.feature({ id: "", geometry }, SPEC);
    return shape && kit.boundsOf(shape);
  }

  grids.zoomTo = (codes) => {
    const bounds = codes.map((code) => shapes.get(code)).filter(Boolean).map((shape) => kit.boundsOf(shape));
    if (bounds.length) view.map.fitBounds(bounds.flat(), { padding: [64, 64], maxZoom: 18 });
  };

  grids.fit = (animate = true) => {
    const bounds = state.community?.bounds;
    if (bounds) view.map.fitBounds(bounded(bounds), { padding: [28, 28], animate });
    else view?.reset();
  };

  grids.highlight = (geometry, kind = "place", codes = []) => {
    const json = Array.isArray(geometry) ? { type: "Point", coordinates: geometry } : geometry;
    const shape = json ? kit.feature({ id: "", geometry: json }, SPEC) : null;
    marked = shape || codes.length ? { shape, kind, codes } : null;
    grids.repaintInk();
  };

  /* ── The grids ───────────────────────────────────────────────────────── */

  const isOf = (light) => (shape) => shape.properties.light === light;

  function path(frame, shape) {
    frame.context.beginPath();
    for (const rings of shape.parts) kit.trace(frame, rings, true);
  }

  /* Each shape is a path of its own: one path of a thousand polygons takes the rasteriser five times as long. */

  function stroke(frame, some, colour, width, dash = []) {
    const { context } = frame;
    Object.assign(context, { strokeStyle: colour, lineWidth: width, lineJoin: "round", lineCap: "round" });
    context.setLineDash(dash);
    for (const shape of some) {
      path(frame, shape);
      context.stroke();
    }
    context.setLineDash([]);
  }

  function fill(frame, some, paint, opacity) {
    const { context } = frame;
    if (paint.period) paint.setTransform(new DOMMatrix().translate(-(frame.ox % paint.period), -(frame.oy % paint.period)));
    Object.assign(context, { globalAlpha: opacity, fillStyle: paint });
    for (const shape of some) {
      path(frame, shape);
      context.fill("evenodd");
    }
    context.globalAlpha = 1;
  }

  /** What lies outside the community steps back. */
  function veil(frame) {
    if (!outline) return;
    const { context } = frame;
    context.beginPath();
    context.rect(-10, -10, frame.width + 20, frame.height + 20);
    for (const rings of outline.parts) kit.trace(frame, rings, true);
    Object.assign(context, { globalAlpha: 0.66, fillStyle: INKS.paper });
    context.fill("evenodd");
    context.globalAlpha = 1;
  }

  function paintGrids(frame) {
    if (!state.community) return;
    veil(frame);
    const here = [...shapes.values()].filter((shape) => kit.inView(shape, frame.box));
    const inks = INKS;
    fill(frame, here.filter(isOf("ok")), OK, 0.17);
    fill(frame, here.filter(isOf("many")), kit.pattern(frame.context, inks.soft, 1, 1, false), 0.55);
    stroke(frame, around.filter((shape) => kit.inView(shape, frame.box)), inks.soft, 0.6, [3, 4]);
    stroke(frame, here, inks.line, 1);
    const drafted = here.filter((shape) => shape.properties.changed || shape.properties.provisional);
    fill(frame, drafted, DRAFT, 0.07);
    stroke(frame, drafted, DRAFT, 2);
    if (outline) stroke(frame, [outline], inks.ink, 2.2);
    const chosen = here.filter((shape) => state.selected.has(shape.code));
    fill(frame, chosen, inks.ink, 0.1);
    stroke(frame, chosen, inks.ink, 3.2);
  }

  /** Number and households of each grid, where there is room: chosen and changed ones first, then the larger. */
  function paintNames(frame, taken) {
    if (!state.community) return;
    const here = [...shapes.values()].filter((shape) => kit.inView(shape, frame.box));
    const rank = (shape) => (state.selected.has(shape.code) ? 1e9 : 0) + (shape.properties.changed ? 1e6 : 0) + wide(frame, shape);
    const ranked = here.map((shape) => [rank(shape), shape]).sort((a, b) => b[0] - a[0]);
    for (const [, shape] of ranked) {
      const width = wide(frame, shape);
      if (width < NAMES_PX) continue;
      writeName(frame, shape, taken, INKS, width >= FIGURES_PX);
    }
  }

  const wide = (frame, shape) => Math.min(shape.box[2] - shape.box[0], shape.box[3] - shape.box[1]) * frame.k;

  function writeName(frame, shape, taken, inks, figures) {
    const [x, y] = [shape.anchor[0] * frame.k - frame.ox, shape.anchor[1] * frame.k - frame.oy];
    const { households, light } = shape.properties;
    const name = kit.stamp(grids.codeText(shape.code), `700 13px ${FONT}`, inks.ink, inks.halo, 3.2, 13);
    const count = figures ? kit.stamp(pingji.number(households), `500 11.5px ${FONT}`, inks.ink, inks.halo, 3, 11.5) : null;
    const width = Math.max(name.w, count ? count.w + 14 : 0);
    const height = count ? 32 : 18;
    const box = [x - width / 2, y - height / 2, x + width / 2, y + height / 2];
    if (taken.hits(...box)) return;
    taken.reserve(...box);
    const { context } = frame;
    if (!count) return context.drawImage(name, x - name.w / 2, y - name.h / 2, name.w, name.h);
    context.drawImage(name, x - name.w / 2, y - 8 - name.h / 2, name.w, name.h);
    context.drawImage(count, x + 6 - count.w / 2, y + 8 - count.h / 2, count.w, count.h);
    paintLight(context, light, x - count.w / 2 - 2, y + 8, inks);
  }

  /** The size light by shape as well as by colour: full, hollow, a bar over the top, a dash. */
  function paintLight(context, light, x, y, inks) {
    context.beginPath();
    Object.assign(context, { lineWidth: 1.6, strokeStyle: inks.ink, fillStyle: inks.halo });
    if (light === "empty") {
      context.moveTo(x - 4, y);
      context.lineTo(x + 4, y);
    } else if (light === "many") {
      context.moveTo(x, y - 4.6);
      context.lineTo(x + 4.6, y + 3.6);
      context.lineTo(x - 4.6, y + 3.6);
      context.closePath();
      context.fillStyle = inks.ink;
    } else context.arc(x, y, 3.8, 0, 7);
    if (light === "ok") Object.assign(context, { fillStyle: OK, strokeStyle: OK });
    context.fill();
    context.stroke();
  }

  /* ── What is drawn over them ─────────────────────────────────────────── */

  function paintInk(frame) {
    if (!state.community) return;
    const inks = INKS;
    if (hover && !state.selected.has(hover) && shapes.has(hover)) stroke(frame, [shapes.get(hover)], inks.ink, 1.8);
    paintPreview(frame, inks);
    paintMarked(frame);
    for (const fn of papers) fn(frame, pen(frame, inks));
  }

  function paintPreview(frame, inks) {
    const { preview } = state;
    const loose = preview?.refusal && preview.error.problem?.params.lonlat;
    if (Array.isArray(loose)) ring(frame, middle(frame, kit.feature({ id: "", geometry: { type: "Point", coordinates: loose } }, SPEC)), ALARM);
    if (!preview?.changed) return;
    const drawn = grids.altered(preview.changed.features).map(shapeOf).filter(Boolean);
    fill(frame, drawn, DRAFT, 0.12);
    stroke(frame, drawn, inks.halo, 4.5);
    stroke(frame, drawn, DRAFT, 2.2, [7, 4]);
  }

  function paintMarked(frame) {
    if (!marked) return;
    const colour = marked.kind === "problem" ? ALARM : INKS.ink;
    const grown = marked.codes.map((code) => shapes.get(code)).filter(Boolean);
    fill(frame, grown, colour, 0.08);
    stroke(frame, grown, colour, 2, [5, 4]);
    const { shape } = marked;
    if (!shape) return;
    if (shape.kind === "polygon") {
      fill(frame, [shape], colour, 0.3);
      stroke(frame, [shape], colour, 2.6);
    } else if (shape.kind === "line") line(frame, shape, colour);
    if (shape.kind === "point" || small(frame, shape)) ring(frame, middle(frame, shape), colour);
  }

  const small = (frame, shape) => Math.max(shape.box[2] - shape.box[0], shape.box[3] - shape.box[1]) * frame.k < 24;
  const middle = (frame, { box }) => [((box[0] + box[2]) / 2) * frame.k - frame.ox, ((box[1] + box[3]) / 2) * frame.k - frame.oy];

  function line(frame, shape, colour) {
    const { context } = frame;
    context.beginPath();
    for (const rings of shape.parts) kit.trace(frame, rings, false);
    Object.assign(context, { strokeStyle: colour, lineWidth: 3.5, lineJoin: "round", lineCap: "round" });
    context.stroke();
  }

  /** A ring around a place too small to see. */
  function ring({ context }, [x, y], colour) {
    for (const [radius, width] of [[15, 3], [4, 2]]) {
      context.beginPath();
      context.arc(x, y, radius, 0, 7);
      Object.assign(context, { strokeStyle: colour, lineWidth: width });
      context.stroke();
    }
  }

  /** What tools paint with: lines and handles between places of the map, in pixels of this frame. */
  function pen(frame, inks) {
    const { context } = frame;
    const xy = (latlng) => {
      const { x, y } = worldOf(latlng);
      return [x * frame.k - frame.ox, y * frame.k - frame.oy];
    };
    const trace = (points, close) => {
      context.beginPath();
      points.map(xy).forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
      if (close) context.closePath();
    };
    const put = (colour, width, dash) => {
      Object.assign(context, { strokeStyle: colour, lineWidth: width, lineJoin: "round", lineCap: "round" });
      context.setLineDash(dash);
      context.stroke();
      context.setLineDash([]);
    };
    return {
      line(points, { close = false, dash = [] } = {}) {
        trace(points, close);
        if (close) {
          Object.assign(context, { globalAlpha: 0.1, fillStyle: inks.ink });
          context.fill();
          context.globalAlpha = 1;
        }
        put(inks.halo, 5.5, []);
        put(inks.ink, 2.4, dash);
      },
      handle(latlng, radius = 4.5) {
        const [x, y] = xy(latlng);
        context.beginPath();
        context.arc(x, y, radius, 0, 7);
        Object.assign(context, { fillStyle: inks.paper, strokeStyle: inks.ink, lineWidth: 2 });
        context.fill();
        context.stroke();
      },
      shape(feature) {
        stroke(frame, [feature], inks.halo, 6);
        stroke(frame, [feature], inks.ink, 3);
      },
      rectangle([x0, y0, x1, y1]) {
        const corner = view.map.containerPointToLayerPoint([0, 0]).subtract(view.canvases.ink._bounds.min);
        context.beginPath();
        context.rect(x0 + corner.x, y0 + corner.y, x1 - x0, y1 - y0);
        Object.assign(context, { globalAlpha: 0.08, fillStyle: inks.ink });
        context.fill();
        context.globalAlpha = 1;
        put(inks.ink, 1.6, [6, 4]);
      },
    };
  }

  grids.paper = (fn) => papers.push(fn);

  /* ── Mounting ────────────────────────────────────────────────────────── */

  /** Follows the pointer for the grid under it; the figures of that grid are what the foot shows. */
  function mountHover(map) {
    let waiting = 0;
    const set = (code) => {
      if (code === hover) return;
      hover = code;
      map.getContainer().classList.toggle("is-over", Boolean(code));
      grids.repaintInk();
      grids.tell("hover", code);
    };
    map.on("mousemove", ({ latlng }) => {
      if (waiting) return;
      waiting = requestAnimationFrame(() => {
        waiting = 0;
        set(grids.at(latlng)?.code ?? null);
      });
    });
    map.on("mouseout", () => set(null));
  }

  function mountButtons(map) {
    const { t } = pingji;
    const slot = document.querySelector('[data-slot="grids-zoom"]');
    const plus = '<svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true"><path d="M4 10h12M10 4v12" fill="none" stroke="currentColor" stroke-width="1.8"/></svg>';
    const minus = plus.replace("M10 4v12", "");
    const whole = '<svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true"><path d="M3 8V3h5M12 3h5v5M17 12v5h-5M8 17H3v-5" fill="none" stroke="currentColor" stroke-width="1.8"/></svg>';
    slot.replaceChildren(
      grids.button("grids-map-button", pingji.drawing(plus), t("grids.map.zoom_in"), () => map.zoomIn()),
      grids.button("grids-map-button", pingji.drawing(minus), t("grids.map.zoom_out"), () => map.zoomOut()),
      grids.button("grids-map-button", pingji.drawing(whole), t("grids.map.whole"), () => grids.fit()),
    );
  }

  grids.ready.then((mounted) => {
    view = mounted;
    if (!view.canvases) return; // first run: the page says what to do
    const { map } = view;
    map.setMaxZoom(MAX_ZOOM);
    map.boxZoom.disable();
    view.paintNames = paintNames;
    kit.addCanvas(view, "grids", ORDER.grids, paintGrids);
    kit.addCanvas(view, "ink", ORDER.ink, paintInk);
    kit.mountReadouts(view, { bar: document.querySelector('[data-slot="scale"]'), position: document.querySelector('[data-slot="position"]') });
    mountHover(map);
    mountButtons(map);
    takeIn();
    if (state.community) grids.fit(false);
  });
  grids.on("community", (_, { moved }) => {
    if (view?.canvases && moved && state.community) grids.fit(false);
  });
  grids.on("grids", takeIn);
  grids.on("selection", repaint);
  grids.on("preview", grids.repaintInk);
})();

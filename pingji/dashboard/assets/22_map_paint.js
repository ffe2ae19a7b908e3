/* The canvases of a view: ground, areas and marks, repainted only where something changed. */
(() => {
  "use strict";

  const pingji = (window.pingji = window.pingji || {});
  const kit = (pingji.mapkit = pingji.mapkit || {});
  const FADE_MS = 400;
  const PULSE_MS = 1400;
  const MIN_STEP_PX = 1.2; // nearer vertices are skipped
  const SMALL_PX = 26; // a danger zone narrower than this has no room for its hatch: it is filled

  /* ── Canvases ────────────────────────────────────────────────────────── */

  const STACK = { ground: 350, areas: 360, marks: 450 };

  /** The canvases of a view, each in its pane, following Leaflet's own zoom animation. */
  kit.mountCanvases = (view) => {
    view.canvases = {};
    for (const [name, order] of Object.entries(STACK)) {
      // thresholds are for a screen of ordinary size: a 4K wall shows no more names, but larger ones
      kit.addCanvas(view, name, order, (frame) => painters[name](view, { ...frame, zoom: frame.zoom - Math.log2(view.scale) }));
    }
  };

  /** One more canvas in a pane of its own; `paint` gets a frame whenever the map moved or `kit.repaint` asked. */
  kit.addCanvas = (view, name, order, paint) => {
    const pane = view.map.createPane(`pingji-${name}`);
    pane.style.zIndex = order;
    pane.style.pointerEvents = "none";
    const one = new (canvasClass(window.L))({ pane: `pingji-${name}`, padding: view.options.interactive ? 0.15 : 0 });
    view.canvases[name] = Object.assign(one, { paint });
    one.addTo(view.map);
  };

  let canvas = null;
  function canvasClass(L) {
    if (canvas) return canvas;
    const base = L.Renderer.prototype;
    canvas = L.Renderer.extend({
      _initContainer() {
        this._container = L.DomUtil.create("canvas", "pingji-canvas");
        this._context = this._container.getContext("2d");
      },
      _destroyContainer() {
        cancelAnimationFrame(this._frame);
        this._container.remove();
        delete this._container;
      },
      _update() {
        if (this._map._animatingZoom && this._bounds) return;
        base._update.call(this);
        const size = this._bounds.getSize();
        const ratio = this._ratio();
        const [width, height] = [Math.round(size.x * ratio), Math.round(size.y * ratio)];
        if (this._container.width !== width || this._container.height !== height) {
          Object.assign(this._container, { width, height });
          Object.assign(this._container.style, { width: `${size.x}px`, height: `${size.y}px` });
        }
        L.DomUtil.setTransform(this._container, this._bounds.min, 1);
        this.draw();
      },
      _ratio: () => Math.min(2, window.devicePixelRatio || 1),
      /** Paints at the next frame, once however often it is asked. */
      request() {
        if (this._frame) return;
        this._frame = requestAnimationFrame(() => {
          this._frame = 0;
          if (this._container && !this._map._animatingZoom) this.draw();
        });
      },
      draw() {
        const ratio = this._ratio();
        const context = this._context;
        context.setTransform(1, 0, 0, 1, 0, 0);
        context.clearRect(0, 0, this._container.width, this._container.height);
        context.setTransform(ratio, 0, 0, ratio, 0, 0);
        const size = this._bounds.getSize();
        const origin = this._map.getPixelOrigin().add(this._bounds.min);
        const k = 2 ** this._zoom;
        const [view, corner] = [this._map.getSize(), this._map.containerPointToLayerPoint([0, 0]).subtract(this._bounds.min)];
        this.paint({
          context, k, view: [corner.x, corner.y, corner.x + view.x, corner.y + view.y], ox: origin.x, oy: origin.y, zoom: this._zoom, width: size.x, height: size.y,
          box: [origin.x / k, origin.y / k, (origin.x + size.x) / k, (origin.y + size.y) / k],
        });
      },
    });
    return canvas;
  }

  /** Asks for a repaint of one canvas, or of all. */
  kit.repaint = (view, name) => {
    if (!view.canvases) return;
    for (const [key, one] of Object.entries(view.canvases)) if (!name || key === name) one.request();
  };

  /** Asks for a repaint of what shows one layer: its own canvas, and the names. */
  kit.repaintLayer = (view, state) => {
    const zoom = view.map.getZoom() - Math.log2(view.scale);
    for (const name of Object.keys(view.canvases || {})) {
      if (name === "marks" || layersOf(view, name, zoom).includes(state)) kit.repaint(view, name);
    }
  };

  /** The old look stays on top and fades away. */
  kit.crossFade = (view) => {
    if (!view.canvases || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    for (const one of Object.values(view.canvases)) {
      const old = one._container;
      const ghost = old.cloneNode();
      ghost.getContext("2d").drawImage(old, 0, 0);
      ghost.className = "pingji-ghost";
      old.after(ghost);
      requestAnimationFrame(() => requestAnimationFrame(() => (ghost.style.opacity = 0)));
      setTimeout(() => ghost.remove(), FADE_MS + 100);
    }
  };

  /** Rings spread once from a feature that lost somebody. */
  kit.pulse = (view, feature) => {
    (view.pulses = view.pulses || []).push({ feature, start: performance.now() });
    kit.repaint(view, "marks");
  };

  /* ── Painting ────────────────────────────────────────────────────────── */

  const inView = (feature, box) =>
    feature.box[2] >= box[0] && feature.box[0] <= box[2] && feature.box[3] >= box[1] && feature.box[1] <= box[3];
  kit.inView = inView;

  /** The visible layers of a canvas in their order. Live areas repaint often, the ground beneath them hardly ever. */
  function layersOf(view, name, zoom) {
    const look = (state) => state.spec[view.look];
    const lively = view.layers.filter((s) => s.spec.geometry !== "point" && (look(s).live || look(s).hatch)).map((s) => look(s).order);
    const from = Math.min(...lively, 1000);
    const mine = (state) =>
      state.spec.geometry === "point" ? "marks" : look(state).order >= from ? "areas" : "ground";
    return view.layers
      .filter((state) => mine(state) === name && view.isVisible(state) && zoom >= look(state).min_zoom)
      .sort((a, b) => look(a).order - look(b).order);
  }
  kit.layersOf = layersOf;

  /** Whether a feature is drawn at this zoom: small roads wait for a close look. */
  function wide(look, feature, zoom) {
    const first = look.sort_by && look.zooms[feature.properties[look.sort_by] ?? ""];
    return !first || zoom >= first;
  }

  function trace(frame, rings, close) {
    const { context, k, ox, oy } = frame;
    for (const ring of rings) {
      let px = ring[0] * k - ox;
      let py = ring[1] * k - oy;
      context.moveTo(px, py);
      for (let i = 2; i < ring.length; i += 2) {
        const x = ring[i] * k - ox;
        const y = ring[i + 1] * k - oy;
        if (Math.abs(x - px) + Math.abs(y - py) < MIN_STEP_PX && i + 2 < ring.length) continue;
        context.lineTo((px = x), (py = y));
      }
      if (close) context.closePath();
    }
  }

  kit.trace = trace;

  function paintShapes(view, frame, name) {
    for (const state of layersOf(view, name, frame.zoom)) {
      const look = state.spec[view.look];
      if (state.spec.by_box && paintCrowd(view, frame, state)) continue;
      const strokes = new Map(); // style → features: one stroke for all that look alike
      for (const feature of state.features) {
        if (!inView(feature, frame.box) || !wide(look, feature, frame.zoom)) continue;
        if (feature.kind === "point") {
          kit.paintMark(view, frame, state, feature);
          continue;
        }
        const style = kit.styleOf(view, state, feature);
        if (style.hatch && (feature.box[2] - feature.box[0]) * frame.k < SMALL_PX * view.scale) Object.assign(style, { opacity: 0.8, hatch: null });
        if (feature.kind === "polygon") paintFill(view, frame, feature, style);
        const key = `${style.stroke}/${style.weight}/${style.dash}`;
        strokes.has(key) ? strokes.get(key).features.push(feature) : strokes.set(key, { style, features: [feature] });
      }
      for (const { style, features } of strokes.values()) paintStroke(view, frame, style, features);
    }
  }

  /** Thousands of like points are one path: false where they are no points. */
  function paintCrowd(view, frame, state) {
    if (state.features.some((feature) => feature.kind !== "point")) return false;
    const { context, k, ox, oy } = frame;
    const look = state.spec[view.look];
    const r = look.radius * view.scale;
    context.beginPath();
    for (const feature of state.features) {
      if (!inView(feature, frame.box)) continue;
      const [x, y] = [feature.anchor[0] * k - ox, feature.anchor[1] * k - oy];
      feature.drawn = r;
      if (look.shape === "square") context.rect(x - r, y - r, 2 * r, 2 * r);
      else {
        context.moveTo(x + r, y);
        context.arc(x, y, r, 0, 7);
      }
    }
    context.globalAlpha = look.fill_opacity;
    context.fillStyle = look.fill;
    context.fill();
    context.globalAlpha = 1;
    context.strokeStyle = look.stroke;
    context.lineWidth = look.weight;
    context.stroke();
    return true;
  }

  function paintFill(view, frame, feature, style) {
    const { context } = frame;
    const layers = [];
    if (style.opacity > 0 && style.fill) layers.push([style.fill, style.opacity]);
    if (style.hatch) layers.push([kit.pattern(context, style.hatch, style.density, view.scale, false), style.hatchOpacity]);
    if (style.cross) layers.push([kit.pattern(context, style.cross, 0, view.scale, true), 0.9]);
    if (!layers.length) return;
    context.beginPath();
    for (const rings of feature.parts) trace(frame, rings, true);
    for (const [paint, opacity] of layers) {
      if (paint.period) paint.setTransform(new DOMMatrix().translate(-(frame.ox % paint.period), -(frame.oy % paint.period)));
      context.globalAlpha = opacity;
      context.fillStyle = paint;
      context.fill("evenodd");
    }
    context.globalAlpha = 1;
  }

  function paintStroke(view, frame, style, features) {
    const { context } = frame;
    context.beginPath();
    for (const feature of features) for (const rings of feature.parts) trace(frame, rings, feature.kind === "polygon");
    context.strokeStyle = style.stroke;
    // lines grow with the zoom: thin at a county's size, full from 13 on
    context.lineWidth = style.weight * (features[0].kind === "line" ? Math.min(2.2, Math.max(0.7, (frame.zoom - 6) / 6)) : 1);
    context.setLineDash(style.dash ? style.dash.split(" ").map(Number) : []);
    context.lineJoin = context.lineCap = "round";
    context.stroke();
    context.setLineDash([]);
  }

  function paintPulses(view, frame) {
    const now = performance.now();
    view.pulses = (view.pulses || []).filter((one) => now - one.start < PULSE_MS);
    const { context } = frame;
    for (const { feature, start } of view.pulses) {
      const share = (now - start) / PULSE_MS;
      context.beginPath();
      context.arc(feature.anchor[0] * frame.k - frame.ox, feature.anchor[1] * frame.k - frame.oy, 8 + 40 * share * view.scale, 0, 7);
      context.strokeStyle = kit.colours.lost;
      context.globalAlpha = 1 - share;
      context.lineWidth = 3 * view.scale;
      context.stroke();
    }
    context.globalAlpha = 1;
    if (view.pulses.length) requestAnimationFrame(() => kit.repaint(view, "marks"));
  }

  const painters = {
    ground: (view, frame) => paintShapes(view, frame, "ground"),
    areas: (view, frame) => {
      paintShapes(view, frame, "areas");
      if (kit.paintChosen) kit.paintChosen(view, frame, trace);
    },
    marks: (view, frame) => {
      const taken = kit.labelGrid(frame);
      frame.taken = taken;
      paintShapes(view, frame, "marks");
      view.paintNames?.(frame, taken); // a page's own names come first, the others go where they leave room
      kit.paintLabels(view, frame, taken);
      paintPulses(view, frame);
    },
  };
})();

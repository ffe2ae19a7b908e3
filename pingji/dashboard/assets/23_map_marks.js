/* Point symbols, gauges of live places, and names that never lie on each other. */
(() => {
  "use strict";

  const pingji = (window.pingji = window.pingji || {});
  const kit = (pingji.mapkit = pingji.mapkit || {});
  const FONT = '"PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", sans-serif';
  const CELL = 48; // pixels of a cell of the label grid
  const MAX_LABELS = 260;
  const NEARLY_FULL = 0.95;

  /* ── Symbols ─────────────────────────────────────────────────────────── */

  /** The outline of a symbol of radius r around (x, y), as the current path. */
  function shapePath(context, shape, x, y, r) {
    context.beginPath();
    const points = SHAPES[shape];
    if (!points) return context.arc(x, y, r, 0, 2 * Math.PI);
    points.forEach(([px, py], i) => (i ? context.lineTo(x + px * r, y + py * r) : context.moveTo(x + px * r, y + py * r)));
    context.closePath();
  }

  const star = Array.from({ length: 10 }, (_, i) => {
    const turn = (Math.PI * i) / 5 - Math.PI / 2;
    const reach = i % 2 ? 0.5 : 1.15;
    return [Math.cos(turn) * reach, Math.sin(turn) * reach];
  });

  const SHAPES = {
    square: [[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]],
    diamond: [[0, -1.2], [1.2, 0], [0, 1.2], [-1.2, 0]],
    triangle: [[0, -1.15], [1.1, 0.85], [-1.1, 0.85]],
    house: [[0, -1.25], [1.15, -0.2], [0.85, -0.2], [0.85, 1], [-0.85, 1], [-0.85, -0.2], [-1.15, -0.2]],
    flag: [[-0.8, -1.2], [1.1, -0.65], [-0.45, -0.05], [-0.45, 1.2], [-0.8, 1.2]],
    star,
  };

  /** Draws a symbol as the map does: also for the legend. */
  kit.drawSymbol = (context, look, x, y, r, fill = look.fill) => {
    shapePath(context, look.shape, x, y, r);
    context.fillStyle = fill;
    context.globalAlpha = look.fill_opacity;
    context.fill();
    context.globalAlpha = 1;
    context.strokeStyle = look.stroke;
    context.lineWidth = look.weight;
    context.lineJoin = "round";
    context.stroke();
  };

  const circle = Array.from({ length: 32 }, (_, i) => [Math.cos((i * Math.PI) / 16), Math.sin((i * Math.PI) / 16)]);

  /** Fills the lower share of a symbol: its outline cut at a level, which is far cheaper than a canvas clip. */
  function fillFromBelow(context, shape, x, y, r, share, colour) {
    const outline = SHAPES[shape] || circle;
    const heights = outline.map((point) => point[1]);
    const [top, bottom] = [Math.min(...heights), Math.max(...heights)];
    const level = bottom - (bottom - top) * share;
    context.beginPath();
    outline.forEach(([px, py], i) => {
      const [qx, qy] = outline[(i + 1) % outline.length];
      if (py >= level) context.lineTo(x + px * r, y + py * r);
      if (py >= level !== qy >= level) context.lineTo(x + (px + ((level - py) / (qy - py)) * (qx - px)) * r, y + level * r);
    });
    context.closePath();
    context.fillStyle = colour;
    context.fill();
  }

  /** How full a place is: expected people at a transfer point, room at a shelter. */
  function gaugeOf(place) {
    const whole = kit.count(place.kind === "shelter" ? place.capacity : place.expected);
    const present = kit.count(place.present);
    return { present, whole, share: whole ? present / whole : 0 };
  }

  kit.paintMark = (view, frame, state, feature) => {
    const look = state.spec[view.look];
    const x = feature.anchor[0] * frame.k - frame.ox;
    const y = feature.anchor[1] * frame.k - frame.oy;
    const place = look.live === "place" && pingji.live.values[`place/${feature.code}`];
    let r = look.radius * view.scale * (frame.zoom < 11.5 ? 0.8 : 1);
    if (place) r = paintPlace(view, frame, look, place, x, y, r);
    else {
      frame.context.save();
      if (look.live && view.look === "emergency") frame.context.globalAlpha = 0.6;
      kit.drawSymbol(frame.context, look, x, y, look.live ? r * 0.7 : r);
      frame.context.restore();
    }
    feature.drawn = r;
    frame.taken?.reserve(x - r - 1, y - r - 1, x + r + 1, y + r + 1);
  };

  /** A live place: hollow while nobody is there, filled from below by who is; over-full is drawn past the top. */
  function paintPlace(view, frame, look, place, x, y, radius) {
    const { context } = frame;
    const { share, whole } = gaugeOf(place);
    const r = radius * Math.min(1.4, Math.max(0.85, Math.sqrt(whole / 250)));
    const shelter = place.kind === "shelter";
    const colour = shelter && share >= NEARLY_FULL ? kit.colours.lost : kit.colours.accounted;
    shapePath(context, look.shape, x, y, r);
    context.fillStyle = look.fill;
    context.fill();
    if (share > 0) fillFromBelow(context, look.shape, x, y, r, Math.min(1, share), colour);
    shapePath(context, look.shape, x, y, r);
    context.strokeStyle = place.status === "compromised" || place.status === "fault" ? kit.colours.lost : look.stroke;
    context.lineWidth = look.weight * view.scale;
    context.lineJoin = "round";
    context.stroke();
    if (shelter && share > 1) {
      context.fillStyle = colour;
      context.fillRect(x + 1.35 * r, y + r - 2.2 * r * Math.min(1.6, share), 0.4 * r, 2.2 * r * Math.min(1.6, share));
    }
    return r;
  }

  /* ── Label grid ──────────────────────────────────────────────────────── */

  /** Which rectangles of a frame are taken; cells keep the look-up short. */
  kit.labelGrid = (frame) => {
    const columns = Math.ceil(frame.width / CELL) + 1;
    const cells = new Map();
    const each = (x0, y0, x1, y1, fn) => {
      for (let cy = Math.floor(y0 / CELL); cy <= Math.floor(y1 / CELL); cy++) {
        for (let cx = Math.floor(x0 / CELL); cx <= Math.floor(x1 / CELL); cx++) if (fn(cy * columns + cx)) return true;
      }
      return false;
    };
    const reserve = (x0, y0, x1, y1) => {
      each(x0, y0, x1, y1, (key) => {
        cells.has(key) ? cells.get(key).push([x0, y0, x1, y1]) : cells.set(key, [[x0, y0, x1, y1]]);
        return false;
      });
    };
    const hits = (x0, y0, x1, y1) =>
      each(x0, y0, x1, y1, (key) => (cells.get(key) || []).some((b) => b[0] < x1 && b[2] > x0 && b[1] < y1 && b[3] > y0));
    return { reserve, hits };
  };

  /* ── Names ───────────────────────────────────────────────────────────── */

  const widths = new Map();
  function widthOf(context, text) {
    const key = `${context.font}|${text}`;
    if (!widths.has(key)) {
      if (widths.size > 6000) widths.clear();
      widths.set(key, context.measureText(text).width);
    }
    return widths.get(key);
  }

  /** The lines that a feature's label has now; the last of them may be a figure. */
  function linesOf(view, state, feature, zoom) {
    const look = state.spec[view.look];
    const named = zoom >= look.label_zoom + (look.live === "place" ? 1.5 : look.live ? 3 : 0); // first the figures
    const lines = named && feature.name ? [{ text: feature.name }] : [];
    const figure = look.live && figureOf(look, feature);
    if (figure) lines.push(figure);
    return lines;
  }

  /** The live figure of a label: who is still missing in a zone, who is present of how many at a place. */
  function figureOf(look, feature) {
    const value = pingji.live.values[`${look.live}/${feature.code}`];
    if (!value) return null;
    if (look.live === "sheet") {
      if (feature.layer === "grids" || !kit.count(value.expected)) return null;
      if (!kit.count(value.remainder)) return { text: pingji.t("map.cleared"), colour: "#5FD6C8", strong: true };
      return { text: pingji.t("map.remainder", { n: pingji.number(value.remainder) }), strong: true };
    }
    const whole = value.kind === "shelter" ? value.capacity : value.expected;
    if (kit.count(whole) < 1 && kit.count(value.present) < 1) return null;
    const { share } = gaugeOf(value);
    const full = value.kind === "shelter" && share >= NEARLY_FULL;
    return { text: `${pingji.number(value.present)}/${pingji.number(whole)}`, strong: true, colour: full ? "#FF7DB6" : "" };
  }

  /** All labels that want a place, the most important first. */
  function candidates(view, frame) {
    const found = [];
    for (const name of ["ground", "areas", "marks"]) {
      for (const state of kit.layersOf(view, name, frame.zoom)) {
        const look = state.spec[view.look];
        if (frame.zoom < look.label_zoom) continue;
        const seen = new Set(); // a river of many parts is named once
        for (const feature of state.features) {
          if (!kit.inView(feature, frame.box)) continue;
          if (feature.kind === "line") {
            if (!feature.name || seen.has(feature.name)) continue;
            seen.add(feature.name);
          }
          const lines = linesOf(view, state, feature, frame.zoom);
          if (lines.length) found.push({ state, feature, look, lines, weight: look.label_rank * 1e6 + sizeOf(look, feature) });
        }
      }
    }
    return found.sort((a, b) => b.weight - a.weight);
  }

  /** Between equals, the larger remainder, then the larger area goes first. */
  function sizeOf(look, feature) {
    const live = look.live && pingji.live.values[`${look.live}/${feature.code}`];
    if (live) return 1000 + kit.count(live.remainder ?? live.expected ?? live.capacity);
    return Math.min(999, (feature.box[2] - feature.box[0]) * 4000);
  }

  kit.paintLabels = (view, frame, taken) => {
    const { context } = frame;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineJoin = "round";
    let written = 0;
    for (const label of candidates(view, frame)) {
      if (written >= MAX_LABELS) break;
      if (write(view, frame, taken, label)) written += 1;
    }
  };

  const fontSize = (look) => (look.label_rank >= 80 ? 12.5 : look.label_rank >= 40 ? 12 : 11);

  /** Writes one label where it hits no other; a name may give way and leave the figure. */
  function write(view, frame, taken, { state, feature, look, lines }) {
    const { context } = frame;
    const size = fontSize(look) * view.scale;
    const x = feature.anchor[0] * frame.k - frame.ox;
    const y = feature.anchor[1] * frame.k - frame.oy;
    for (const tried of lines.length > 1 ? [lines, lines.slice(-1)] : [lines]) {
      const width = Math.max(...tried.map((line) => ((context.font = fontOf(line, size)), widthOf(context, line.text)))) + 4;
      const height = tried.length * size * 1.25 + 2;
      const span = (feature.box[2] - feature.box[0]) * frame.k;
      if (feature.kind === "polygon" && !look.live && width > span * 1.15) continue;
      if (feature.kind === "line" && width > Math.max(span, 60) * 1.2) continue;
      for (const [cx, cy] of spots(feature, look, frame, x, y, width, height)) {
        const box = [cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2];
        if (cut(box, frame.view) || taken.hits(...box)) continue;
        taken.reserve(...box);
        tried.forEach((line, i) => draw(view, context, state, line, cx, cy + (i - (tried.length - 1) / 2) * size * 1.25, size));
        return true;
      }
    }
    return false;
  }

  /** Whether the edge of the window would cut a label in two. */
  function cut(box, [w, n, e, s]) {
    const inside = box[0] >= w && box[1] >= n && box[2] <= e && box[3] <= s;
    return !inside && box[0] < e && box[2] > w && box[1] < s && box[3] > n;
  }

  const fontOf = (line, size) => `${line.strong ? 700 : 500} ${size}px ${FONT}`;

  /** Where a label may go: on an area or a line, beside a point or a counted area that is too small for it. */
  function spots(feature, look, frame, x, y, width, height) {
    if (feature.kind !== "point" && !look.live) return [[x, y]];
    const [w, n, e, s] = feature.box;
    const small = feature.kind === "point" ? [2 * (feature.drawn || 5), 2 * (feature.drawn || 5)] : [(e - w) * frame.k, (s - n) * frame.k];
    const [rx, ry] = small.map((span) => span / 2 + 2);
    const around = [[x, y + ry + height / 2], [x, y - ry - height / 2], [x + rx + width / 2, y], [x - rx - width / 2, y]];
    return feature.kind === "point" ? around : small[0] > width ? [[x, y], ...around] : [...around, [x, y]];
  }

  const INKS = {
    routine: { ink: "#2B3440", soft: "#6B6A60", water: "#4B7E9C", halo: "rgba(250,248,242,0.92)" },
    emergency: { ink: "#F3F7FB", soft: "#93A3B3", water: "#6FA3C4", halo: "rgba(8,13,19,0.9)" },
  };

  function draw(view, context, state, line, x, y, size) {
    const inks = INKS[view.look];
    const { name } = state.spec;
    const soft = view.look === "emergency" ? ["communities", "grids", "roads"] : ["roads", "buildings"];
    const ink = line.colour || (name === "rivers" ? inks.water : soft.includes(name) ? inks.soft : inks.ink);
    const image = stamp(line.text, fontOf(line, size), ink, inks.halo, 3.2 * view.scale, size);
    context.drawImage(image, x - image.w / 2, y - image.h / 2, image.w, image.h);
  }

  const stamps = new Map();

  /** A text with its halo as a small picture: a halo is dear to draw and the same for seconds. */
  function stamp(text, font, ink, halo, rim, size) {
    const key = `${font}|${ink}|${halo}|${text}`;
    const known = stamps.get(key);
    if (known) return known;
    if (stamps.size > 2500) stamps.clear();
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const image = document.createElement("canvas");
    const pen = image.getContext("2d");
    pen.font = font;
    [image.w, image.h] = [Math.ceil(pen.measureText(text).width + 2 * rim), Math.ceil(size * 1.3 + 2 * rim)];
    [image.width, image.height] = [image.w * ratio, image.h * ratio];
    pen.scale(ratio, ratio);
    Object.assign(pen, { font, textAlign: "center", textBaseline: "middle", lineJoin: "round", lineWidth: rim, strokeStyle: halo, fillStyle: ink });
    pen.strokeText(text, image.w / 2, image.h / 2);
    pen.fillText(text, image.w / 2, image.h / 2);
    stamps.set(key, image);
    return image;
  }
  kit.stamp = stamp;
})();

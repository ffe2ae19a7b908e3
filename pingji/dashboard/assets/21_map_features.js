/* Features of the map in world coordinates, and how each is drawn by look, value and live figure. */
(() => {
  "use strict";

  const pingji = (window.pingji = window.pingji || {});
  const kit = (pingji.mapkit = pingji.mapkit || {});
  const WORLD = 256; // pixels of the whole Mercator world at zoom 0
  const COLOURS = {
    accounted: "#1FA89A", transit: "#4C8DFF", notified: "#9CC1FF", refused: "#8E6CEF", lost: "#FF2E88",
    chalk: "#EEF2F5", dim: "#6F7F8F", night: "#0D131A",
  };
  kit.colours = COLOURS;

  /* ── Features ────────────────────────────────────────────────────────── */

  function project(lon, lat) {
    const sin = Math.sin((Math.max(-85, Math.min(85, lat)) * Math.PI) / 180);
    return [((lon + 180) / 360) * WORLD, (0.5 - Math.log((1 + sin) / (1 - sin)) / (4 * Math.PI)) * WORLD];
  }

  function line(coordinates) {
    const flat = new Float64Array(coordinates.length * 2);
    coordinates.forEach(([lon, lat], i) => flat.set(project(lon, lat), i * 2));
    return flat;
  }

  const PARTS = {
    Point: (c) => ["point", [[line([c])]]],
    MultiPoint: (c) => ["point", [[line(c.slice(0, 1))]]],
    LineString: (c) => ["line", [[line(c)]]],
    MultiLineString: (c) => ["line", c.map((one) => [line(one)])],
    Polygon: (c) => ["polygon", [c.map(line)]],
    MultiPolygon: (c) => ["polygon", c.map((rings) => rings.map(line))],
  };

  /** A GeoJSON feature as parts of rings in world coordinates, with its box and label anchor; null if it has no shape. */
  kit.feature = (json, spec) => {
    const read = json.geometry && PARTS[json.geometry.type];
    if (!read) return null;
    const [kind, parts] = read(json.geometry.coordinates);
    const box = [Infinity, Infinity, -Infinity, -Infinity];
    for (const rings of parts) for (let i = 0; i < rings[0].length; i += 2) grow(box, rings[0][i], rings[0][i + 1]);
    const properties = json.properties || {};
    const code = String(json.id ?? properties.code);
    const feature = { code, name: properties.name || "", properties, kind, parts, box, layer: spec.name };
    feature.anchor = kind === "point" ? [box[0], box[1]] : kind === "line" ? middleOf(parts) : insideOf(parts);
    return Number.isFinite(box[0]) ? feature : null;
  };

  function grow(box, x, y) {
    if (x < box[0]) box[0] = x;
    if (y < box[1]) box[1] = y;
    if (x > box[2]) box[2] = x;
    if (y > box[3]) box[3] = y;
  }

  function middleOf(parts) {
    const longest = parts.reduce((best, rings) => (rings[0].length > best.length ? rings[0] : best), parts[0][0]);
    const i = Math.floor(longest.length / 4) * 2;
    return [longest[i], longest[i + 1]];
  }

  /** A point well inside the largest part: the middle of the widest span on a few scan lines. */
  function insideOf(parts) {
    let best = parts[0];
    let area = -1;
    for (const rings of parts) {
      const a = Math.abs(ringArea(rings[0]));
      if (a > area) [area, best] = [a, rings];
    }
    const box = [Infinity, Infinity, -Infinity, -Infinity];
    for (let i = 0; i < best[0].length; i += 2) grow(box, best[0][i], best[0][i + 1]);
    let anchor = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
    let width = -1;
    for (const share of [0.5, 0.42, 0.58, 0.34, 0.66]) {
      const y = box[1] + (box[3] - box[1]) * share;
      const xs = crossings(best, y);
      for (let i = 0; i + 1 < xs.length; i += 2) {
        if (xs[i + 1] - xs[i] > width * 1.15) [width, anchor] = [xs[i + 1] - xs[i], [(xs[i] + xs[i + 1]) / 2, y]];
      }
    }
    return anchor;
  }

  function ringArea(ring) {
    let sum = 0;
    for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2) sum += (ring[j] - ring[i]) * (ring[j + 1] + ring[i + 1]);
    return sum / 2;
  }

  function crossings(rings, y) {
    const xs = [];
    for (const ring of rings) {
      for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2) {
        if (ring[i + 1] > y === ring[j + 1] > y) continue;
        xs.push(ring[i] + ((y - ring[i + 1]) / (ring[j + 1] - ring[i + 1])) * (ring[j] - ring[i]));
      }
    }
    return xs.sort((a, b) => a - b);
  }

  /** Whether a world point lies in a polygon feature. */
  kit.contains = (feature, x, y) => {
    const [w, n, e, s] = feature.box;
    if (x < w || x > e || y < n || y > s) return false;
    return feature.parts.some((rings) => crossings(rings, y).filter((cross) => cross <= x).length % 2 === 1);
  };

  function unproject([x, y]) {
    const lat = (Math.atan(Math.sinh(Math.PI * (1 - (2 * y) / WORLD))) * 180) / Math.PI;
    return [lat, (x / WORLD) * 360 - 180];
  }
  kit.latLngOf = (feature) => unproject(feature.anchor);
  kit.boundsOf = ({ box }) => [unproject([box[0], box[3]]), unproject([box[2], box[1]])];

  /* ── Styles ──────────────────────────────────────────────────────────── */

  /** A live figure as a number; of a class that a wall is told the least, and never zero: only 0 itself is cleared. */
  kit.count = (value) => (typeof value === "string" ? parseInt(value, 10) || 0.5 : typeof value === "number" ? value : 0);

  /** How an area is drawn while its people are counted. */
  function sheetStyle(style, sheet) {
    const n = kit.count;
    const expected = n(sheet.expected);
    if (!expected) return style;
    const { parts = {} } = sheet;
    const accounted = sheet.accounted === undefined ? Math.max(0, 1 - n(sheet.remainder) / expected) : n(sheet.accounted) / expected;
    const moving = (n(parts.in_transit) + n(parts.notified)) / expected;
    const zone = style.hatch;
    const live = { ...style };
    const lost = n(parts.unlocated) + n(parts.returned) > 0;
    if (n(sheet.remainder) === 0) return Object.assign(live, { fill: COLOURS.accounted, opacity: zone ? 0.6 : 0.4, hatch: null });
    // a zone keeps its grade's colour, thinner the fewer are left in it: a second colour over a hatch would read as a third
    if (zone) return Object.assign(live, { hatchOpacity: style.hatchOpacity - 0.45 * accounted });
    if (accounted >= 0.5) Object.assign(live, { fill: COLOURS.accounted, opacity: 0.06 + 0.2 * accounted });
    else if (moving >= 0.4) Object.assign(live, { fill: COLOURS.transit, opacity: 0.18 });
    else Object.assign(live, { fill: "", opacity: 0 });
    Object.assign(live, lost ? { stroke: COLOURS.lost, weight: 1.5 } : { stroke: "#6C7A88", weight: 0.8 });
    if (n(parts.refused) > expected * 0.05) live.cross = COLOURS.refused;
    return live;
  }

  /** The style of one feature in a view: its look, the choices of its values, its live figure. */
  kit.styleOf = (view, state, feature) => {
    const look = state.spec[view.look];
    const chosen = look.colour_by && look.colours[feature.properties[look.colour_by] ?? ""];
    const weight = (look.sort_by && look.weights[feature.properties[look.sort_by] ?? ""]) || look.weight;
    const style = {
      stroke: look.stroke, weight: weight * view.scale, dash: look.dash, fill: look.fill, opacity: look.fill_opacity,
      hatch: null, radius: look.radius * view.scale,
    };
    if (feature.kind === "line") return chosen ? { ...style, stroke: chosen } : style;
    if (look.hatch) {
      const grades = Object.keys(look.colours);
      Object.assign(style, { hatch: chosen || look.stroke, density: grades.indexOf(feature.properties[look.colour_by]) });
      if (view.look === "emergency") style.stroke = style.hatch;
      Object.assign(style, { fill: style.hatch, opacity: view.look === "emergency" ? 0.12 : 0.05, hatchOpacity: view.look === "emergency" ? 0.9 : 0.5 });
    } else if (chosen) style.fill = chosen;
    if (view.basemap && state.spec.name === "communities") style.opacity *= 0.25;
    const sheet = look.live === "sheet" && pingji.live.values[`sheet/${feature.code}`];
    return sheet ? sheetStyle(style, sheet) : style;
  };

  const SPACING = [14, 9, 6];
  const patterns = new Map();

  /** Diagonal lines, the denser the higher the grade; `cross` draws both ways. */
  function pattern(context, colour, density, scale, cross) {
    const key = `${colour}/${density}/${scale}/${cross}`;
    if (!patterns.has(key)) {
      const tile = hatchTile(colour, density, scale, cross);
      patterns.set(key, Object.assign(context.createPattern(tile, "repeat"), { period: tile.width }));
    }
    return patterns.get(key);
  }
  kit.pattern = pattern;

  function hatchTile(colour, density, scale, cross) {
    const size = Math.max(4, Math.round((SPACING[density] || 12) * scale));
    const tile = document.createElement("canvas");
    tile.width = tile.height = size;
    const pen = tile.getContext("2d");
    pen.strokeStyle = colour;
    pen.lineWidth = 1.3 * scale;
    pen.beginPath();
    for (const shift of [-size, 0, size]) {
      pen.moveTo(shift, size);
      pen.lineTo(shift + size, 0);
      if (!cross) continue;
      pen.moveTo(shift, 0);
      pen.lineTo(shift + size, size);
    }
    pen.stroke();
    return tile;
  }
  kit.hatchTile = hatchTile;
})();

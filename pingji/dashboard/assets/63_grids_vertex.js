/* The vertices of one grid: Geoman gives the handles of the clicked grid, the server moves the border for every grid there. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const { grids } = pingji;
  const { state } = grids;
  const HOME = "/assets/vendor/leaflet-geoman/leaflet-geoman";
  const MANY_HANDLES = 160; // of a longer border only the handles near the pointer are shown
  const NEAR_HANDLES = 70;
  const SNAP_PX = 12;
  const ROOM_PX = 44; // edges shorter than this on the screen show no handle in their middle
  const SNAP_LIMIT = 1500;
  const STYLE = { color: "#4C8DFF", weight: 2.4, fillOpacity: 0.05, interactive: false, pmIgnore: false, snapIgnore: true };

  let loading = null;
  let code = null; // the grid with handles
  let layer = null;
  let bait = null; // the neighbours' vertices, to snap to
  let moving = null; // {kind, at} while a handle is dragged
  let meets = new Map(); // vertex of the grid → how many vertices of others lie there
  let crowded = false; // some handles are left out at this zoom
  let picked = null; // index path of the handle last touched

  /* ── Loading Geoman ──────────────────────────────────────────────────── */

  /** Geoman, once, from our own origin; it looks after no layer that did not ask for it. */
  function loadGeoman() {
    loading = loading || new Promise((done, fail) => {
      const style = Object.assign(document.createElement("link"), { rel: "stylesheet", href: `${HOME}.css` });
      const script = Object.assign(document.createElement("script"), { src: `${HOME}.min.js` });
      script.addEventListener("load", done);
      script.addEventListener("error", fail);
      document.head.append(style, script);
    }).then(() => {
      const { L } = window;
      L.PM.setOptIn(true);
      if (!grids.view.map.pm) grids.view.map.pm = new L.PM.Map(grids.view.map);
    });
    loading.catch(() => (loading = null));
    return loading;
  }

  /* ── Handles ─────────────────────────────────────────────────────────── */

  function clear() {
    moving = picked = null;
    layer?.remove();
    bait?.remove();
    layer = bait = null;
  }

  /** The chosen grid's handles as the server last told its border. */
  async function show() {
    clear();
    if (!state.grids.has(code)) code = null;
    if (!code || !grids.editable()) return;
    await loadGeoman();
    if (state.tool !== "vertices" || layer || !state.grids.has(code)) return;
    const { L } = window;
    const { geometry } = state.grids.get(code);
    const depth = geometry.type === "Polygon" ? 1 : 2;
    layer = L.polygon(L.GeoJSON.coordsToLatLngs(geometry.coordinates, depth, ([lng, lat]) => L.latLng(lat, lng)), STYLE);
    layer.addTo(grids.view.map);
    bait = L.layerGroup(baitOf(L)).addTo(grids.view.map);
    const count = geometry.coordinates.flat(depth).length;
    layer.pm.enable({
      snappable: true, snapDistance: SNAP_PX, snapSegment: false, snapMiddle: false, allowSelfIntersection: true,
      removeLayerBelowMinVertexCount: false, limitMarkersToCount: count > MANY_HANDLES ? NEAR_HANDLES : -1,
    });
    listen();
    thin();
  }

  /** Handles that can't be told apart at this zoom are left out, those where grids meet last; a closer look brings them back. */
  function thin() {
    if (!layer) return;
    const { map } = grids.view;
    const room = matchMedia("(pointer: coarse)").matches ? 24 : 15;
    const shown = [];
    const px = (marker) => map.latLngToContainerPoint(marker.getLatLng());
    const far = (point) => shown.every((other) => other.distanceTo(point) >= room);
    const hide = (marker, on) => marker.getElement()?.classList.toggle("is-crowded", on);
    const corners = layer.pm._markers.flat(3);
    corners.sort((a, b) => meet(b) - meet(a));
    const hidden = new Set();
    for (const marker of corners) {
      const point = px(marker);
      const covered = !far(point);
      hide(marker, covered);
      covered ? hidden.add(marker) : shown.push(point);
    }
    layer.pm._markerGroup.eachLayer((marker) => {
      if (marker.leftM) hide(marker, hidden.has(marker.leftM) || hidden.has(marker.rightM) || px(marker.leftM).distanceTo(px(marker.rightM)) < ROOM_PX);
    });
    if (crowded !== hidden.size > 0) {
      crowded = hidden.size > 0;
      grids.paintHint();
    }
  }

  const meet = (marker) => (marker.meets = marker.meets ?? Math.min(meets.get(keyOf([marker.getLatLng().lng, marker.getLatLng().lat])) ?? 0, 3));

  /** The vertices of the grids around, without those of the grid itself: what a dragged vertex snaps to. */
  function baitOf(L) {
    const own = new Set();
    meets = new Map();
    eachVertex(state.grids.get(code).geometry, (vertex) => own.add(keyOf(vertex)));
    const mine = new Set(own);
    const [w, n, e, s] = grids.shape(code).box;
    const reach = 80 / 2 ** grids.view.map.getZoom();
    const found = [];
    const renderer = L.canvas();
    for (const shape of grids.shapes().values()) {
      const { box } = shape;
      if (shape.code === code || box[0] > e + reach || box[2] < w - reach || box[1] > s + reach || box[3] < n - reach) continue;
      eachVertex(shape.json.geometry, (vertex) => {
        const key = keyOf(vertex);
        if (mine.has(key)) meets.set(key, (meets.get(key) ?? 0) + 1);
        if (own.has(key) || found.length >= SNAP_LIMIT) return;
        own.add(key);
        found.push(L.circleMarker([vertex[1], vertex[0]], { renderer, radius: 0, stroke: false, fill: false, interactive: false, pmIgnore: false, snapIgnore: false }));
      });
    }
    return found;
  }

  const keyOf = ([lng, lat]) => `${lng} ${lat}`;

  function eachVertex({ type, coordinates }, fn) {
    for (const rings of type === "Polygon" ? [coordinates] : coordinates) for (const ring of rings) ring.forEach(fn);
  }

  /** The ring of a handle as the server gave it, and the handle's place in it. */
  function ringOf(indexPath) {
    const { type, coordinates } = state.grids.get(code).geometry;
    const [p, q] = type === "Polygon" ? [0, indexPath[0]] : indexPath;
    return { ring: (type === "Polygon" ? coordinates : coordinates[p])[q], i: indexPath[indexPath.length - 1] };
  }

  function vertexAt(indexPath) {
    const { ring, i } = ringOf(indexPath);
    return ring[i];
  }

  /** The middle of the edge that a new handle stands on. */
  function middleAt(indexPath) {
    const { ring, i } = ringOf(indexPath);
    const [a, b] = [ring[i - 1], ring[i]];
    return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  }

  /* ── What the handles say ────────────────────────────────────────────── */

  const placeOf = (event) => {
    const { lat, lng } = event.markerEvent.target.getLatLng();
    return [lng, lat];
  };

  function listen() {
    layer.on("pm:vertexadded", ({ marker, indexPath }) => {
      const at = middleAt(indexPath);
      if (marker._dragging) moving = { kind: "insert_vertex", at };
      else send({ kind: "insert_vertex", at });
    });
    layer.on("pm:markerdragstart", ({ indexPath }) => {
      if (!moving) moving = { kind: "move_vertex", at: vertexAt(indexPath) };
    });
    layer.on("pm:markerdrag", (event) => moving && grids.preview({ ...moving, to: placeOf(event) }));
    layer.on("pm:markerdragend", (event) => {
      const intent = moving && { ...moving, to: placeOf(event) };
      moving = null;
      if (intent) send(intent);
    });
    layer.on("pm:vertexremoved", ({ indexPath }) => send({ kind: "remove_vertex", at: vertexAt(indexPath) }));
    layer.on("pm:vertexclick", ({ indexPath, markerEvent }) => {
      for (const icon of document.querySelectorAll(".marker-icon.is-chosen")) icon.classList.remove("is-chosen");
      markerEvent.target.getElement()?.classList.add("is-chosen");
      picked = indexPath;
      grids.paintHint();
    });
  }

  /** Refused or not, the handles are drawn anew from what the server holds: a refused vertex springs back. */
  async function send(intent) {
    picked = null;
    const answer = await grids.act(intent);
    if (!answer && state.tool === "vertices") show();
  }

  function removePicked() {
    if (picked && !state.busy) send({ kind: "remove_vertex", at: vertexAt(picked) });
  }

  /* ── The tool ────────────────────────────────────────────────────────── */

  function choose(next) {
    if (next === code) return;
    code = next;
    grids.select(code ? [code] : []);
    show();
    grids.paintHint();
  }

  grids.defineTool("vertices", {
    key: "n", edits: true,
    icon: '<path d="M5 18L8 6l11 3-3 10z"/><circle cx="5" cy="18" r="2" fill="currentColor"/><circle cx="8" cy="6" r="2" fill="currentColor"/><circle cx="19" cy="9" r="2" fill="currentColor"/><circle cx="16" cy="19" r="2" fill="currentColor"/>',
    enter() {
      code = null;
      if (state.selected.size === 1) choose([...state.selected][0]);
      else loadGeoman().catch(() => {});
    },
    leave() {
      clear();
      code = null;
    },
    click(event) {
      if (!moving) choose(grids.at(event.latlng)?.code ?? null);
    },
    cancel() {
      const had = code !== null;
      choose(null);
      return had;
    },
    remove: removePicked,
    hint() {
      if (!code) return pingji.t("grids.hint.vertices");
      const words = pingji.t(picked ? "grids.hint.vertex_picked" : "grids.hint.vertices_ready", { code: grids.codeText(code) });
      return crowded && !picked ? `${words}${pingji.t("grids.hint.vertices_crowded")}` : words;
    },
    controls: () => [
      code && grids.control("remove", pingji.t("grids.do.remove_vertex"), removePicked, { disabled: !picked || state.busy }),
      code && grids.control("cancel", pingji.t("grids.do.other_grid"), () => choose(null)),
    ],
  });

  grids.ready.then((view) => view.map.on("zoomend", thin));
  grids.on("grids", () => {
    if (state.tool === "vertices" && code) show();
  });
})();

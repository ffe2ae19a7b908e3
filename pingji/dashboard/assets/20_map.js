/* The map: hooks every dl.Map, loads its layers, keeps code → feature, and repaints what the live stream changed.

   A page puts `dl.Map(...)` inside an element with data-map='{"audience": "staff|wall", "interactive": true,
   "look": "auto|routine|emergency", "layers": [names], "padding": [left, top, right, bottom] in CSS px}'; every member
   may be left out.

   pingji.map.ready            promise of the first view      pingji.map.views      all views of the page
   pingji.map.attach(map, o)   a view of a Leaflet map
   view.layers                 layer states: spec, features, status      view.setVisible(name, on)
   view.go(layer, code, lonlat, bounds) goes there, opens the popup      view.onChange(fn)
   view.feature(layer, code)   one feature                               view.nameOf(layer, code)               */
(() => {
  "use strict";

  const pingji = (window.pingji = window.pingji || {});
  const kit = (pingji.mapkit = pingji.mapkit || {});
  const FIRST = ["communities", "danger_zones", "grids", "transfer_points", "shelters"];
  const PARALLEL = 3;
  const BOX_DEBOUNCE_MS = 220;
  const BOX_PAD = 0.15;
  const RETRY_MIN_MS = 500;
  const RETRY_MAX_MS = 8000;
  const REQUEST_MS = 20000;

  let tellReady;
  const ready = new Promise((done) => (tellReady = done));
  const views = [];
  pingji.map = { views, ready, attach };

  /* ── Hook every map that Dash makes ──────────────────────────────────── */

  /** Runs fn as soon as Leaflet is there: the component bundle may load after the assets. */
  function withLeaflet(fn) {
    if (window.L) return fn(window.L);
    let held;
    Object.defineProperty(window, "L", {
      configurable: true,
      get: () => held,
      set: (value) => {
        held = value;
        if (value && value.Map) {
          Object.defineProperty(window, "L", { configurable: true, writable: true, value });
          fn(value);
        }
      },
    });
  }

  withLeaflet((L) =>
    L.Map.addInitHook(function hook() {
      const host = this.getContainer().closest("[data-map]");
      if (host) attach(this, readOptions(host));
    }),
  );

  function readOptions(host) {
    try {
      return JSON.parse(host.dataset.map || "{}");
    } catch {
      console.error("data-map is not JSON", host.dataset.map);
      return {};
    }
  }

  /* ── Attach ──────────────────────────────────────────────────────────── */

  /** Draws the county on a Leaflet map; returns its view at once, the layers follow. */
  function attach(map, options = {}) {
    const view = {
      map,
      options: { audience: "staff", interactive: true, look: "auto", padding: [24, 24, 24, 24], ...options },
      layers: [],
      byName: new Map(),
      look: "routine",
      basemap: false,
      listeners: [],
      gone: new AbortController(),
    };
    view.onChange = (fn) => view.listeners.push(fn);
    view.changed = (what) => view.listeners.forEach((fn) => fn(what, view));
    view.layer = (name) => view.byName.get(name);
    view.feature = (name, code) => view.byName.get(name)?.byCode.get(code);
    view.nameOf = (name, code) => nameOf(view, name, code);
    view.isVisible = (state) => state.visible ?? state.spec[view.look].shown;
    view.setVisible = (name, on) => setVisible(view, name, on);
    view.reset = () => fitCounty(view);
    view.go = (name, code, lonlat, bounds) => go(view, name, code, lonlat, bounds);
    views.push(view);
    map.on("unload", () => detach(view));
    if (!view.options.interactive) freeze(map);
    pingji.client.then((client) => start(view, client));
    return view;
  }

  function detach(view) {
    view.gone.abort();
    views.splice(views.indexOf(view), 1);
  }

  /** A wall is looked at, not touched. */
  function freeze(map) {
    for (const handler of ["dragging", "touchZoom", "doubleClickZoom", "scrollWheelZoom", "boxZoom", "keyboard"]) {
      if (map[handler]) map[handler].disable();
    }
  }

  function start(view, client) {
    view.client = client;
    view.townships = new Map();
    const wanted = view.options.layers;
    if (!client.county || !client.county.bounds) return tellReady(view); // first run: the page says what to do
    for (const spec of client.layers) {
      if (wanted && !wanted.includes(spec.name)) continue;
      if (view.options.audience === "wall" && ["households", "party_households", "buildings"].includes(spec.name)) continue;
      const state = { spec, features: [], byCode: new Map(), status: "idle", visible: undefined };
      view.layers.push(state);
      view.byName.set(spec.name, state);
    }
    view.look = wantedLook(view);
    view.scale = view.options.interactive ? 1 : Math.min(2.4, Math.max(1, view.map.getSize().y / 820));
    Object.assign(view.map.options, { zoomSnap: 0.25, wheelPxPerZoomLevel: 90 });
    fitCounty(view, false);
    kit.tiles(view, client.tianditu_key);
    kit.mountCanvases(view);
    if (view.options.interactive) {
      kit.mountPicking(view);
      nameTownships(view);
    }
    new ResizeObserver(() => view.map.invalidateSize({ animate: false, pan: false })).observe(view.map.getContainer());
    follow(view);
    tellReady(view);
    view.changed("start");
    loadAll(view);
    view.map.on("moveend", () => scheduleBoxes(view));
  }

  /** Townships are no layer; popups name them from the list of scopes. */
  async function nameTownships(view) {
    try {
      const scopes = await pingji.scopes();
      for (const scope of scopes) if (scope.level === "township") view.townships.set(scope.code, scope.name);
    } catch {
      // codes are shown until the next page load
    }
  }

  let asked = null;
  /** The county, its townships and communities: what can be named and switched. Asked once, again after a failure. */
  pingji.scopes = () => {
    asked = asked || fetch("/api/v1/scopes").then((response) => {
      if (!response.ok) throw new Error(`scopes: ${response.status}`);
      return response.json();
    });
    asked.catch(() => (asked = null));
    return asked;
  };

  /** The county in the part of the map that no panel covers. */
  function fitCounty(view, animate = true) {
    const [west, south, east, north] = view.client.county.bounds || [73, 18, 135, 54];
    const [left, top, right, bottom] = view.options.padding;
    view.map.fitBounds([[south, west], [north, east]], {
      paddingTopLeft: [left, top], paddingBottomRight: [right, bottom], animate,
    });
    view.map.invalidateSize({ animate: false });
  }

  function nameOf(view, name, code) {
    if (!code) return "";
    if (name === "townships") return view.townships.get(code) || pingji.live.values[`sheet/${code}`]?.name || code;
    return view.feature(name, code)?.name || code;
  }

  function setVisible(view, name, on) {
    const state = view.layer(name);
    if (!state) return;
    state.visible = on;
    if (on) ensure(view, state);
    kit.repaint(view);
    view.changed("visible");
  }

  /* ── Mode and live figures ───────────────────────────────────────────── */

  function wantedLook(view) {
    if (view.options.look !== "auto") return view.options.look;
    return ["emergency", "recovery"].includes(document.body.dataset.mode) ? "emergency" : "routine";
  }

  /** Repaints for what the stream says: the look for a mode, one canvas for a figure. */
  function follow(view) {
    const live = pingji.live;
    live.on("mode", () => {
      const look = wantedLook(view);
      if (look === view.look) return;
      kit.crossFade(view);
      view.look = look;
      view.layers.forEach((state) => (state.visible = undefined));
      view.layers.forEach((state) => ensure(view, state));
      kit.repaint(view);
      view.changed("look");
    });
    const before = new Map();
    live.on("sheet/", (key, value) => {
      kit.repaint(view, "areas");
      kit.repaint(view, "marks");
      noticeLost(view, before, key, value);
    });
    live.on("place/", () => kit.repaint(view, "marks"));
    live.on("events", (key, value) => reloadAfterImport(view, value));
  }

  /** A zone or grid with newly unlocated or returned people pulses once. */
  function noticeLost(view, before, key, value) {
    const lost = value ? kit.count(value.parts?.unlocated) + kit.count(value.parts?.returned) : 0;
    const known = before.get(key);
    before.set(key, lost);
    if (known === undefined || lost <= known) return;
    const code = key.slice("sheet/".length);
    const feature = view.feature("danger_zones", code) || view.feature("grids", code);
    if (feature) kit.pulse(view, feature);
  }

  function reloadAfterImport(view, events) {
    const newest = (events || []).find((one) => one.kind === "import");
    if (!newest || newest.at === view.importSeen) return;
    const first = view.importSeen === undefined;
    view.importSeen = newest.at;
    if (!first) view.layers.forEach((state) => state.status === "ready" && load(view, state));
  }

  /* ── Loading ─────────────────────────────────────────────────────────── */

  async function loadAll(view) {
    const rank = (state) => (FIRST.indexOf(state.spec.name) + 1 || FIRST.length + 1);
    const queue = view.layers.filter((state) => !state.spec.by_box).sort((a, b) => rank(a) - rank(b));
    const worker = async () => {
      for (let state = queue.shift(); state; state = queue.shift()) {
        if (view.isVisible(state) && state.status === "idle") await load(view, state);
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, worker));
    scheduleBoxes(view);
  }

  /** Loads a layer that became visible and is not there yet. */
  function ensure(view, state) {
    if (!view.isVisible(state)) return;
    if (state.spec.by_box) scheduleBoxes(view);
    else if (state.status === "idle") load(view, state);
  }

  /** One whole layer, asked for until it is there: a layer must not stay dead because one request failed. */
  async function load(view, state) {
    state.status = "loading";
    for (let wait = RETRY_MIN_MS; !view.gone.signal.aborted; wait = Math.min(wait * 2, RETRY_MAX_MS)) {
      try {
        fill(state, await ask(view, state, "", view.gone.signal));
        state.status = "ready";
        kit.repaint(view);
        view.changed("loaded");
        return;
      } catch (error) {
        if (view.gone.signal.aborted) return;
        state.status = "failed";
        view.changed("failed");
        if (error.final) return;
        await new Promise((done) => setTimeout(done, wait));
      }
    }
  }

  async function ask(view, state, query, signal) {
    const lang = pingji.language;
    const zoom = view.map.getZoom().toFixed(2);
    const url = `/api/v1/layers/${state.spec.name}?lang=${lang}&zoom=${zoom}&audience=${view.options.audience === "wall" ? "public" : "staff"}${query}`;
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS)]) });
    if (response.ok) return response.json();
    const error = new Error(`${state.spec.name}: ${response.status}`);
    error.final = response.status >= 400 && response.status < 500 && response.status !== 429;
    throw error;
  }

  function fill(state, collection) {
    state.features = collection.features.map((one) => kit.feature(one, state.spec)).filter(Boolean);
    state.byCode = new Map(state.features.map((feature) => [feature.code, feature]));
    state.truncated = Boolean(collection.truncated);
  }

  /* ── Layers by box ───────────────────────────────────────────────────── */

  function scheduleBoxes(view) {
    clearTimeout(view.boxTimer);
    view.boxTimer = setTimeout(() => view.layers.filter((s) => s.spec.by_box).forEach((s) => loadBox(view, s)), BOX_DEBOUNCE_MS);
  }

  /** What of a big layer lies in the window; a request that the next move made useless is dropped. */
  async function loadBox(view, state) {
    if (state.inFlight) state.inFlight.abort();
    const near = view.map.getZoom() >= state.spec[view.look].min_zoom;
    if (!view.isVisible(state) || !near) return dropBox(view, state);
    const bounds = view.map.getBounds().pad(BOX_PAD);
    if (state.box && state.box.contains(view.map.getBounds()) && !state.truncated) return;
    const mine = (state.inFlight = new AbortController());
    state.status = "loading";
    try {
      const box = [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()].map((n) => n.toFixed(6)).join(",");
      const collection = await ask(view, state, `&bbox=${box}`, AbortSignal.any([mine.signal, view.gone.signal]));
      if (mine.signal.aborted) return;
      fill(state, collection);
      Object.assign(state, { box: bounds, status: "ready" });
      kit.repaint(view);
    } catch (error) {
      if (mine.signal.aborted || view.gone.signal.aborted) return;
      state.status = "failed";
      if (!error.final) view.boxTimer = setTimeout(() => loadBox(view, state), 2000);
    }
    view.changed("loaded");
  }

  function dropBox(view, state) {
    const had = state.features.length;
    Object.assign(state, { features: [], byCode: new Map(), box: null, status: "idle", truncated: false });
    if (!had) return;
    kit.repaint(view);
    view.changed("loaded");
  }

  /* ── Going somewhere ─────────────────────────────────────────────────── */

  const CLOSE_ZOOM = 16;

  /** Moves to a feature and opens its popup, loading its layer first where need be. */
  function go(view, name, code, lonlat, bounds) {
    const state = view.layer(name);
    if (state && !view.isVisible(state)) setVisible(view, name, true);
    const feature = view.feature(name, code);
    const { map } = view;
    if (!state && bounds) {
      map.fitBounds([[bounds[1], bounds[0]], [bounds[3], bounds[2]]], { padding: [40, 40] });
      return;
    }
    if (feature && feature.kind === "polygon") map.fitBounds(kit.boundsOf(feature), { maxZoom: CLOSE_ZOOM, padding: [60, 60] });
    else if (lonlat) map.setView([lonlat[1], lonlat[0]], Math.max(map.getZoom(), CLOSE_ZOOM));
    else if (feature) map.setView(kit.latLngOf(feature), Math.max(map.getZoom(), CLOSE_ZOOM));
    if (feature) {
      kit.openPopup(view, [{ state, feature }], kit.latLngOf(feature));
      return;
    }
    const wait = (what) => {
      const found = what === "loaded" && view.feature(name, code);
      if (!found) return;
      view.listeners.splice(view.listeners.indexOf(wait), 1);
      kit.openPopup(view, [{ state, feature: found }], kit.latLngOf(found));
    };
    view.onChange(wait);
    setTimeout(() => view.listeners.includes(wait) && view.listeners.splice(view.listeners.indexOf(wait), 1), 10000);
  }
})();

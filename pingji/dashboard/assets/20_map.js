/* The map: hooks every dl.Map, loads its layers, keeps code → feature, and repaints what the live stream changed.

   A page puts `dl.Map(...)` inside an element with data-map='{"audience": "staff|wall", "interactive": true,
   "look": "auto|routine|emergency", "layers": [names], "pick": true, "padding": [left, top, right, bottom] in CSS px}'; every member
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
  const LIVE_REPAINT_MS = 400;

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
      options: { audience: "staff", interactive: true, pick: true, look: "auto", padding: [24, 24, 24, 24], ...options },
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
    view.scale = view.options.interactive ? 1 : Math.min(2.4, Math.max(1, view.map.getSize().y / 750));
    Object.assign(view.map.options, { zoomSnap: 0.25, wheelPxPerZoomLevel: 90 });
    fitCounty(view, false);
    kit.tiles(view, client.tianditu_key);
    kit.mountCanvases(view);
    if (view.options.interactive) {
      if (view.options.pick) kit.mountPicking(view);
      if (pingji.may("see_figures", "switch")) nameTownships(view);
    }
    new ResizeObserver(() => view.map.invalidateSize({ animate: false, pan: false })).observe(view.map.getContainer());
    follow(view);
    tellReady(view);
    view.changed("start");
    if (view.options.audience !== "wall" && client.caller && !client.caller.whole) goHome(view);
    kit.loadAll(view);
    view.map.on("moveend", () => kit.scheduleBoxes(view));
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

  /** The county, or what the caller answers for, in the part of the map that no panel covers. */
  function fitCounty(view, animate = true) {
    const [west, south, east, north] = view.client.county.bounds || [73, 18, 135, 54];
    const [left, top, right, bottom] = view.options.padding;
    view.map.fitBounds(homeOf(view) || [[south, west], [north, east]], {
      paddingTopLeft: [left, top], paddingBottomRight: [right, bottom], maxZoom: CLOSE_ZOOM, animate,
    });
    view.map.invalidateSize({ animate: false });
  }

  const HOMES = { community: "communities", zone: "danger_zones", grid: "grids" };

  /** The features of what a caller answers for who does not answer for the county, as far as they have been loaded. */
  kit.homesOf = (view) => {
    const { caller, county } = view.client;
    if (!caller || caller.whole || view.options.audience === "wall") return [];
    const { code, level } = caller.home;
    let found = [view.feature(HOMES[level], code)];
    if (level === "township") found = (view.layer("communities")?.features || []).filter((one) => one.properties.township === code);
    if (code === county.code) found = caller.scopes.flatMap((place) => [view.feature("shelters", place), view.feature("transfer_points", place)]);
    return found.filter(Boolean);
  };

  /** Leaflet's bounds of these; null for the whole county. */
  function homeOf(view) {
    const boxes = kit.homesOf(view).flatMap(kit.boundsOf);
    return boxes.length ? boxes : null;
  }

  /** Goes there as soon as it is known where that is, if nobody has moved the map meanwhile. */
  function goHome(view) {
    let moved = false;
    view.map.once("dragstart zoomstart", () => (moved = true));
    const look = (what) => {
      if (what !== "loaded" || !homeOf(view)) return;
      view.listeners.splice(view.listeners.indexOf(look), 1);
      if (!moved) fitCounty(view, false);
    };
    view.onChange(look);
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
    if (on) kit.ensure(view, state);
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
      view.layers.forEach((state) => kit.ensure(view, state));
      kit.repaint(view);
      view.changed("look");
    });
    const before = new Map();
    live.on("sheet/", (key, value) => {
      if (value && !AREAS.has(value.level)) return;
      liveRepaint(view, "areas");
      liveRepaint(view, "marks");
      noticeLost(view, before, key, value);
    });
    live.on("place/", () => liveRepaint(view, "marks"));
    live.on("events", (key, value) => reloadAfterImport(view, value));
    live.on("grids", (key, value) => value && kit.takeIn(view, value));
  }

  const AREAS = new Set(["zone", "grid"]); // the levels of sheets that the map draws

  /** At most one repaint of a canvas in a while: figures in text never wait for the map. */
  function liveRepaint(view, name) {
    view.due = view.due || {};
    if (view.due[name]) return;
    view.due[name] = setTimeout(() => {
      view.due[name] = 0;
      kit.repaint(view, name);
    }, LIVE_REPAINT_MS);
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
    const at = newest ? newest.at : 0;
    if (at === view.importSeen) return;
    const first = view.importSeen === undefined;
    view.importSeen = at;
    if (!first) view.layers.forEach((state) => state.status === "ready" && kit.load(view, state));
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

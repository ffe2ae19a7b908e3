/* Loading layers: whole ones until they are there, big ones by what lies in the window. */
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
  const BOX_LIMIT = 6000; // features of a big layer in one window

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
    const mine = (state.asked = (state.asked || 0) + 1);
    for (let wait = RETRY_MIN_MS; !view.gone.signal.aborted; wait = Math.min(wait * 2, RETRY_MAX_MS)) {
      try {
        const collection = await ask(view, state, "", view.gone.signal);
        if (state.asked !== mine) return; // asked again meanwhile: that answer is newer
        fill(state, collection);
        state.status = "ready";
        kit.repaint(view);
        view.changed("loaded");
        return;
      } catch (error) {
        if (view.gone.signal.aborted || state.asked !== mine) return;
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
    state.truncated = state.spec.by_box && collection.features.length >= BOX_LIMIT;
  }

  /* ── Publications ────────────────────────────────────────────────────── */

  /** Takes in what was published while the map is open: the grids of some communities, or of all where one was missed. */
  async function takeIn(view, published) {
    const before = view.published;
    view.published = published;
    if (!before || before.version === published.version) return;
    const state = view.layer("grids");
    const missed = published.version !== before.version + 1;
    if (state && state.status === "ready" && !missed) await loadCommunities(view, state, published.communities);
    else if (state && state.status !== "idle") load(view, state);
    // The borders first: what lies in them is asked for when they are there.
    for (const other of view.layers) {
      if (!other.spec.fields.some((field) => field.refers === "grids")) continue;
      if (other.spec.by_box) other.box = null;
      else if (other.status === "ready") load(view, other);
    }
    scheduleBoxes(view);
  }

  /** The features of some communities again; where that fails, the whole layer until it is there. */
  async function loadCommunities(view, state, communities) {
    const mine = (state.asked = (state.asked || 0) + 1);
    try {
      const collection = await ask(view, state, `&communities=${communities.join(",")}`, view.gone.signal);
      if (state.asked !== mine) return load(view, state); // overtaken by the next publication
      const changed = new Set(communities);
      const kept = state.features.filter((feature) => !changed.has(feature.properties.community));
      const features = kept.concat(collection.features.map((one) => kit.feature(one, state.spec)).filter(Boolean));
      Object.assign(state, { features, byCode: new Map(features.map((feature) => [feature.code, feature])) });
      kit.repaintLayer(view, state);
      view.changed("loaded");
    } catch {
      if (!view.gone.signal.aborted) load(view, state);
    }
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
      const collection = await ask(view, state, `&bbox=${box}&limit=${BOX_LIMIT}`, AbortSignal.any([mine.signal, view.gone.signal]));
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

  Object.assign(kit, { loadAll, load, takeIn, ensure, scheduleBoxes });
})();

/* The live stream of a page, its texts and its figures: docs/live.md is the contract.

   pingji.client            promise of what the page needs to draw itself
   pingji.live.on           changed keys by prefix      pingji.live.after    once a message, when all keys are in
   pingji.live.onState      live or stale               pingji.live.values   everything known now
   [data-figure="sheet/$county/remainder"]              an element whose text is that figure: `$county` is the caller's
                                                        home, which is the county for whoever answers for all of it  */
(() => {
  "use strict";

  const pingji = (window.pingji = window.pingji || {});
  const SILENCE_MS = 8000; // two heartbeats lost, and a little
  const BACKOFF_MIN_MS = 400;
  const BACKOFF_MAX_MS = 5000;
  const NOTHING = "—";

  pingji.language = new URLSearchParams(location.search).get("lang") === "en" ? "en" : "zh_CN";
  document.documentElement.lang = pingji.language === "en" ? "en" : "zh-CN";

  /* ── Waiting ─────────────────────────────────────────────────────────── */

  /** The next wait after `ms`: doubled, with jitter so that 300 screens don't come back in one instant. */
  function nextBackoff(ms) {
    return Math.min(BACKOFF_MAX_MS, ms * 2);
  }

  function jittered(ms) {
    return ms * (0.5 + Math.random() / 2);
  }

  /* ── Texts and figures ───────────────────────────────────────────────── */

  let texts = {};
  const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
  const hms = new Intl.DateTimeFormat("en-GB", {
    timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
  });

  /** The text of a key with its {placeholders} filled; the key itself where the language lacks it. */
  pingji.t = (key, params = {}) => {
    const text = texts[key];
    if (text === undefined) return Object.keys(texts).length ? key : "";
    return text.replace(/\{(\w+)\}/g, (whole, name) => (name in params ? String(params[name]) : whole));
  };

  pingji.has = (key) => key in texts;

  /** A count grouped by thousands, also in "1,240+" as a wall is told it; a dash for what is not known. */
  pingji.number = (n) => {
    if (n === undefined || n === null || Number.isNaN(n)) return NOTHING;
    if (typeof n === "string") return n.replace(/^\d{4,}/, (digits) => grouped.format(Number(digits)));
    return grouped.format(n).replace("-", "−");
  };

  /** A difference with its sign. */
  pingji.signed = (n) => (typeof n === "number" && n > 0 ? `+${pingji.number(n)}` : pingji.number(n));

  /** A span of time in minutes, hours or days, as the field says it. */
  pingji.duration = (ms) => {
    if (typeof ms !== "number" || !Number.isFinite(ms)) return NOTHING;
    const minutes = Math.max(0, Math.floor(ms / 60000));
    const m = minutes % 60;
    const h = Math.floor(minutes / 60);
    if (h === 0) return pingji.t("duration.minutes", { m });
    if (h < 48) return m ? pingji.t("duration.hours_minutes", { h, m }) : pingji.t("duration.hours", { h });
    return pingji.t("duration.days_hours", { d: Math.floor(h / 24), h: h % 24 });
  };

  /** The time of day in Shanghai, 24 h; `"minutes"` leaves the seconds out. */
  pingji.clock = (ms, precision) => {
    if (typeof ms !== "number" || !Number.isFinite(ms)) return NOTHING;
    const text = hms.format(new Date(ms));
    return precision === "minutes" ? text.slice(0, 5) : text;
  };

  /* ── The client's first question ─────────────────────────────────────── */

  async function askClient() {
    for (let backoff = BACKOFF_MIN_MS; !pingji.session.over; backoff = nextBackoff(backoff)) {
      try {
        const response = await fetch(`/api/v1/client?lang=${pingji.language}`, { signal: AbortSignal.timeout(10000) });
        if (response.ok) return await response.json();
      } catch {
        // refused, silent or cut off: ask again
      }
      await new Promise((done) => setTimeout(done, jittered(backoff)));
    }
    return new Promise(() => {}); // nobody is signed in: there is no client to wait for
  }

  const audience = /\/wall\/?$/.test(location.pathname) ? "wall" : "staff";
  let home = null; // whose sheet is shown for `$county`
  pingji.client = askClient().then((client) => {
    texts = client.texts;
    pingji.caller = client.caller || null;
    home = (audience === "staff" && client.caller?.home.code) || client.county?.code || null; // none on the first run
    document.body.style.setProperty("--watermark", watermark(pingji.t("banner.watermark")));
    paintFigures();
    return client;
  });

  /** A tile that repeats the word of an exercise across a screen, as a CSS image. */
  function watermark(word) {
    const tile =
      '<svg xmlns="http://www.w3.org/2000/svg" width="640" height="420">' +
      '<text x="320" y="220" text-anchor="middle" transform="rotate(-24 320 210)" font-size="84" font-weight="700" ' +
      'font-family="PingFang SC, Microsoft YaHei, Noto Sans CJK SC, sans-serif" fill="#7d8894" fill-opacity="0.17">' +
      `${word}</text></svg>`;
    return `url("data:image/svg+xml,${encodeURIComponent(tile)}")`;
  }

  /* ── Subscribers ─────────────────────────────────────────────────────── */

  const listeners = []; // [prefix, fn]
  const afterListeners = [];
  const stateListeners = [];
  const live = (pingji.live = { values: {} });
  let state = { stale: false, since: null };
  let offset = 0; // server clock − ours
  let lastAt = null;

  /** fn(key, value, all) now for what is known, then for each changed key; `undefined` for one that is gone. */
  live.on = (prefix, fn) => {
    listeners.push([prefix, fn]);
    for (const key of Object.keys(live.values)) if (key.startsWith(prefix)) guarded(fn, key, live.values[key], live.values);
  };

  /** fn(all, keys) once a message, after every key of it was given out. */
  live.after = (fn) => {
    afterListeners.push(fn);
    guarded(fn, live.values, Object.keys(live.values));
  };

  /** fn({stale, since}) now and at each change; `since` is when the last figures were true. */
  live.onState = (fn) => {
    stateListeners.push(fn);
    guarded(fn, state);
  };

  /** Now, by the server's clock. */
  live.now = () => Date.now() + offset;

  /** One listener's defect must not keep the figures from the others. */
  function guarded(fn, ...args) {
    try {
      fn(...args);
    } catch (error) {
      console.error(error);
    }
  }

  function setState(next) {
    document.body.dataset.stale = String(next.stale);
    if (next.stale === state.stale && next.since === state.since) return;
    state = next;
    for (const fn of stateListeners) guarded(fn, state);
  }

  /* ── Applying a message ──────────────────────────────────────────────── */

  /** The keys that a snapshot or a delta changes, after `live.values` has taken it in. */
  function takeIn(message) {
    const values = message.values || {};
    const changed = Object.keys(values);
    const gone = message.kind === "snapshot" ? Object.keys(live.values).filter((key) => !(key in values)) : message.removed || [];
    for (const key of gone) delete live.values[key];
    for (const key of changed) live.values[key] = values[key];
    return changed.concat(gone);
  }

  function apply(message) {
    offset = message.at - Date.now();
    lastAt = message.at;
    setState({ stale: false, since: null });
    if (message.kind === "heartbeat") return;
    const keys = takeIn(message);
    if (keys.includes("mode") || message.kind === "snapshot") markBody(live.values.mode);
    paintFigures();
    for (const key of keys) {
      for (const [prefix, fn] of listeners) if (key.startsWith(prefix)) guarded(fn, key, live.values[key], live.values);
    }
    for (const fn of afterListeners) guarded(fn, live.values, keys);
    window.dispatchEvent(new CustomEvent("pingji:applied", { detail: { at: message.at } }));
  }

  function markBody(mode) {
    document.body.dataset.mode = mode ? mode.mode : "routine";
    document.body.dataset.exercise = String(Boolean(mode && mode.exercise));
  }

  /* ── Fixed figures ───────────────────────────────────────────────────── */

  const TWO_PART = new Set(["sheet", "place"]);
  const formats = {
    number: (value) => pingji.number(value),
    signed: (value) => pingji.signed(value),
    clock: (value) => pingji.clock(value),
    duration: (value) => pingji.duration(value),
    minutes: (value) => pingji.duration(typeof value === "number" ? value * 60000 : undefined),
  };

  /** The value at a path such as `sheet/$county/parts/notified`. */
  function figure(path, values = live.values) {
    if (path.includes("$county") && home === null) return undefined;
    const [head, ...rest] = path.replace("$county", home).split("/");
    const key = TWO_PART.has(head) ? `${head}/${rest.shift()}` : head;
    return rest.reduce((value, name) => (value === undefined || value === null ? undefined : value[name]), values[key]);
  }
  live.figure = figure;

  /** Writes every fixed figure that differs, and reads no layout. */
  function paintFigures(values = live.values) {
    for (const element of document.querySelectorAll("[data-figure]")) {
      const format = formats[element.dataset.format] || formats.number;
      const text = format(figure(element.dataset.figure, values));
      if (element.textContent !== text) element.textContent = text;
    }
  }

  pingji.paintFigures = paintFigures;

  /* Figures that Dash draws after a message must not wait for the next one. */
  let repaint = 0;
  new MutationObserver((changes) => {
    if (repaint || !changes.some((change) => change.addedNodes.length)) return;
    repaint = requestAnimationFrame(() => {
      repaint = 0;
      paintFigures();
    });
  }).observe(document.documentElement, { childList: true, subtree: true });

  /* ── The connection ──────────────────────────────────────────────────── */

  const url = `/api/v1/live?audience=${audience}&lang=${pingji.language}`;
  const FIGURES = ["see_figures", "see_aggregates"];
  let source = null;
  let follows = true; // until it is known that the caller may see no figures
  let backoff = BACKOFF_MIN_MS;
  let retry = 0;
  let heard = moment();

  /** Both clocks: one stands still in sleep on some machines, the other can be set back. */
  function moment() {
    return { wall: Date.now(), steady: performance.now() };
  }

  function silentFor(then) {
    return Math.max(Date.now() - then.wall, performance.now() - then.steady);
  }

  let attempted = moment();

  function connect() {
    clearTimeout(retry);
    retry = 0;
    if (source) source.close();
    attempted = moment();
    const mine = (source = new EventSource(url));
    let whole = false; // nothing counts before this connection's own snapshot
    mine.onmessage = (event) => {
      if (mine !== source) return;
      let message;
      try {
        message = JSON.parse(event.data);
      } catch {
        return lost();
      }
      if (message.kind === "signed_out") return pingji.session.ended();
      whole = whole || message.kind === "snapshot";
      if (!whole) return;
      heard = attempted = moment();
      backoff = BACKOFF_MIN_MS;
      apply(message);
    };
    mine.onerror = () => {
      if (mine !== source) return;
      if (mine.readyState === EventSource.CLOSED) pingji.session.check(); // answered, but with no stream
      lost();
    };
  }

  /** Whatever the failure was, the browser's own retry may have given up for good: build a new one. */
  function lost() {
    if (source) source.close();
    source = null;
    if (retry || !follows) return;
    retry = setTimeout(connect, jittered(backoff));
    backoff = nextBackoff(backoff);
  }

  /** No figures, and no way back to them, for a caller who may not see them or is no longer signed in. */
  function leave() {
    follows = false;
    clearTimeout(retry);
    if (source) source.close();
    source = null;
  }

  function watch() {
    if (!follows) return;
    if (silentFor(heard) > SILENCE_MS) setState({ stale: true, since: lastAt });
    if (source && silentFor(attempted) > SILENCE_MS) lost();
  }

  setInterval(watch, 500);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") watch();
  });
  window.addEventListener("online", () => {
    if (retry) connect();
  });
  window.addEventListener("pagehide", () => {
    if (source) source.close();
    source = null;
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted && follows) connect();
  });
  pingji.session.onEnd(() => {
    leave();
    setState({ stale: true, since: lastAt });
  });
  pingji.client.then(() => {
    if (!pingji.caller || pingji.may(...FIGURES)) return connect();
    leave();
    live.none = true;
    for (const fn of stateListeners) guarded(fn, state);
  });
})();

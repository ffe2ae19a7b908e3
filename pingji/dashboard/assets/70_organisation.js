/* The organisation's screen: what it knows, whom it tells, and its one way to ask. docs/organisation.md is the contract.

   pingji.organisation.state   {code: of the chosen unit, unit: its document | null, scope: {code, name, level} of the lists, "" is all that
                               is mine, figure, level: of the map, tab, operation: of the calls | null, may: Set of permissions, whole: all of the county, home}
   .on(what, fn)               fn(detail); what: unit {from, fly}, choosing, scope, figure, tab, changed (the organisation is another), called (a call was answered or passed on),
                               mode (the key was pressed), failed (detail: the error)
   .ask(method, path, {query, body, file})   below /api/v1/organisation. Rejects with an Error: .message for the person, .problem
   .select(code, {from, fly})  chooses a unit; from: tree, map, search or list: a list keeps its scope and its tab
   .showTab(name)   .setScope(scope)   .setFigure(figure, level)
   .fill(slot, load, paint)    what `load` answers, painted into a slot; errors say what is wrong, with a way to ask again
   .slot(name)   .ready        promise of {client, view, page}                                                                    */
(() => {
  "use strict";

  const pingji = window.pingji;
  const TIMEOUT_MS = 30000;
  const WHOLE = { code: "", name: "", level: "" };
  const state = { code: null, unit: null, scope: WHOLE, figure: "completeness", level: "grid", tab: "unit", operation: null, may: new Set(), whole: false, home: null };
  const org = (pingji.organisation = { state });

  /* ── Whom to tell ────────────────────────────────────────────────────── */

  const listeners = [];
  org.on = (what, fn) => listeners.push([what, fn]);

  /** One listener's defect must not keep the news from the others. */
  org.tell = (what, detail) => {
    for (const [wanted, fn] of listeners) {
      if (wanted !== what) continue;
      try {
        fn(detail);
      } catch (error) {
        console.error(error);
      }
    }
  };

  /* ── Asking ──────────────────────────────────────────────────────────── */

  const queried = (path, query = {}) => {
    const given = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== ""));
    return `/api/v1/organisation${path}${given.size ? `?${given}` : ""}`;
  };
  org.address = queried;

  org.ask = async (method, path, { query, body, file } = {}) => {
    const headers = body !== undefined ? { "Content-Type": "application/json" } : file ? { "Content-Type": "application/octet-stream" } : {};
    let response;
    try {
      response = await fetch(queried(path, query), { method, headers, body: file || (body === undefined ? undefined : JSON.stringify(body)), signal: AbortSignal.timeout(TIMEOUT_MS) });
    } catch {
      throw Object.assign(new Error(pingji.t("org.error.network")), { network: true });
    }
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    const said = (pingji.language === "en" && answer.detail_en) || answer.detail;
    const message = typeof said === "string" && said ? said : pingji.t("org.error.unexpected", { code: response.status });
    throw Object.assign(new Error(message), { problem: { status: response.status, params: {}, ...answer } });
  };

  /** The key of a problem document: the last part of its type. */
  org.keyOf = (error) => (typeof error.problem?.type === "string" ? error.problem.type.split("/").pop() : "");

  /* ── Filling slots ───────────────────────────────────────────────────── */

  const asked = new WeakMap(); // slot → number of its newest question

  org.fill = async (slot, load, paint) => {
    const mine = (asked.get(slot) || 0) + 1;
    asked.set(slot, mine);
    slot.setAttribute("aria-busy", "true");
    let content;
    try {
      const answer = await load();
      if (asked.get(slot) !== mine) return;
      content = paint(answer);
    } catch (error) {
      if (asked.get(slot) !== mine) return;
      if (!error.problem && !error.network) console.error(error);
      content = org.parts.failed(error, () => org.fill(slot, load, paint));
    }
    replaceKeeping(slot, [].concat(content));
    slot.removeAttribute("aria-busy");
  };

  /** New content in a slot, with the focus where it was. */
  function replaceKeeping(slot, content) {
    const key = slot.contains(document.activeElement) ? document.activeElement.dataset.key : "";
    slot.replaceChildren(...content);
    if (key) slot.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
  }

  org.slot = (name) => document.querySelector(`#page[data-page="organisation"] [data-slot="org-${name}"]`);

  /* ── Choosing ────────────────────────────────────────────────────────── */

  let choosing = 0; // the newest choice wins

  org.select = async (code, { from = "tree", fly = from !== "map" } = {}) => {
    const mine = ++choosing;
    state.code = code;
    org.tell("choosing", { code, from });
    try {
      const found = await org.ask("GET", `/units/${encodeURIComponent(code)}`);
      if (mine !== choosing) return;
      state.unit = found;
      if (from !== "list") org.setScope(scopeOf(found));
      keepAddress();
      org.tell("unit", { from, fly });
    } catch (error) {
      if (mine === choosing) org.tell("failed", Object.assign(error, { again: () => org.select(code, { from, fly }) }));
    }
  };

  const SCOPES = ["township", "community", "grid"];

  /** The area whose lists belong to a unit: its own, or the nearest above it. */
  function scopeOf({ unit, path }) {
    const chain = path.some((one) => one.code === unit.code) ? path : [...path, unit];
    const found = chain.filter((one) => SCOPES.includes(one.level)).pop();
    return found ? { code: found.place || found.code, name: found.name, level: found.level } : WHOLE;
  }

  org.setScope = (scope = WHOLE) => {
    if (scope.code === state.scope.code) return;
    state.scope = scope;
    org.tell("scope");
  };

  org.setFigure = (figure, level = state.level) => {
    if (figure === state.figure && level === state.level) return;
    Object.assign(state, { figure, level });
    keepAddress();
    org.tell("figure");
  };

  function keepAddress() {
    const query = new URLSearchParams(location.search);
    const wanted = { unit: state.code, tab: state.tab === "unit" ? "" : state.tab, figure: state.figure === "completeness" ? "" : state.figure };
    for (const [name, value] of Object.entries(wanted)) value ? query.set(name, value) : query.delete(name);
    history.replaceState(history.state, "", `${location.pathname}${query.size ? `?${query}` : ""}`);
  }

  /* ── Tabs ────────────────────────────────────────────────────────────── */

  org.showTab = (name) => {
    if (!org.slot(name)) return;
    for (const tab of document.querySelectorAll("[data-org-tab]")) {
      const on = tab.dataset.orgTab === name;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
      org.slot(tab.dataset.orgTab).hidden = !on;
    }
    state.tab = name;
    keepAddress();
    org.tell("tab", name);
  };

  org.badge = (name, text) => pingji.setText(document.querySelector(`[data-org-tab="${name}"] .og-badge`), text ? String(text) : "");

  function mountTabs(page) {
    const tabs = [...page.querySelectorAll("[data-org-tab]")];
    tabs.forEach((tab, i) => {
      tab.addEventListener("click", () => org.showTab(tab.dataset.orgTab));
      tab.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step) return;
        const next = tabs[(i + step + tabs.length) % tabs.length];
        org.showTab(next.dataset.orgTab);
        next.focus();
      });
    });
  }

  /* ── What changes meanwhile ──────────────────────────────────────────── */

  let modes;
  const modesNow = () => JSON.stringify([pingji.live.values.mode?.mode, pingji.live.values.mode?.scopes]);

  // What the newest events of the stream mean here: by the hook that they stir.
  const NEWS = { called: new Set(["call_answered", "handed_back", "handed_over", "escalated"]), changed: new Set(["post_changed", "organisation_imported", "organisation_rules", "import"]) };

  function hear(events) {
    for (const [hook, kinds] of Object.entries(NEWS)) {
      const newest = (events || []).find((one) => kinds.has(one.kind))?.at || 0;
      const before = heard[hook];
      heard[hook] = Math.max(newest, before ?? 0);
      if (before !== undefined && newest > before) org.tell(hook, {});
    }
  }
  const heard = {};

  function follow() {
    pingji.live.on("events", (key, events) => hear(events));
    modes = modesNow();
    pingji.live.on("mode", () => {
      if (modes === modesNow()) return;
      modes = modesNow();
      org.tell("mode");
    });
  }

  /* ── The beginning ───────────────────────────────────────────────────── */

  org.ready = new Promise((done) => {
    pingji.onPage("organisation", async (page) => {
      const [client, view] = await Promise.all([pingji.client, pingji.map.ready]);
      if (!client.county) return (page.querySelector("[data-first-run]").hidden = false);
      state.may = new Set(client.caller?.permissions || []);
      state.whole = Boolean(client.caller?.whole);
      state.home = client.caller?.home || client.county;
      const query = new URLSearchParams(location.search);
      if (query.get("figure")) state.figure = query.get("figure");
      done({ client, view, page });
    });
  });

  org.ready.then(({ page }) => {
    mountTabs(page);
    const query = new URLSearchParams(location.search);
    const [unit, tab] = [query.get("unit"), query.get("tab")];
    if (tab) org.showTab(tab);
    org.select(unit || state.home.code, { from: "search", fly: Boolean(unit) });
    follow();
  });
})();

/* The grid workbench: what it knows, whom it tells, and its one way to ask the server. docs/grids.md is the contract.
   Previews, what is chosen and which tool is in hand are in 60_grids_preview.js.

   Everything about borders comes from the server: this page sends intents and paints answers, it computes no border.

   pingji.grids.state         {communities: [], community, document, set, at, held, readOnly, grids: Map code → GeoJSON feature,
                              around: [feature], totals, problems: [], selected: Set of codes, tool: name, busy: bool,
                              last: answer of the last edit, lastIntent, altered: codes whose figures it changed, preview: answer | null, unsent: {intent, body} | null}
   pingji.grids.on(what, fn)  fn(state, detail); what: communities, community, grids, set, selection, tool, problems, busy,
                              refused (detail: the error, with .problem, .message and .intent), preview, applied (detail: the answer)
   pingji.grids.ready         promise: the page, its texts, the map's view and the communities are there
   pingji.grids.open(code, {set, date, operation})   loads and shows a community; keeps ?community=&set=&date= in step
   pingji.grids.reload()      the same once more, as it is now
   pingji.grids.ask(method, path, body)   JSON; `path` below /api/v1. Rejects with an Error: .message for the person, .problem
                              the problem document (undefined where nobody answered), .network true then
   pingji.grids.act(intent)   sends an edit, into the open change set or the one that `needSet` gets; applies the answer; resolves
                              to it, or to null where it was refused (the hook `refused` has told) or given up
   pingji.grids.preview(intent)   the live figures of an intent: at most one request on its way, the newest wins; null clears
   pingji.grids.undo(), redo()    one step; resolve to the answer or null
   pingji.grids.apply(answer, intent?)   takes an answer of edits, undo, redo into the state and tells
   pingji.grids.setSet(set)       another change set document (after steps, PATCH, begin); tells `set`
   pingji.grids.needSet       hook, set by the panels: () → promise of a change set to write into, null where the person gave up
   pingji.grids.actor()       the name of the account that works here: the server signs every edit with it
   pingji.grids.mayEdit(), mayReview()   what that account is here for
   pingji.grids.select(codes, {add, zoom})   pingji.grids.zoom(bounds | GeoJSON geometry)
   pingji.grids.highlight(geometry | [lon, lat] | null, kind, codes)   kind "problem" or "place"; drawn until the next, or null
   pingji.grids.paper(fn)     fn(frame, draw) paints on the map's overlay after the grids; draw: geometry → style
   pingji.grids.setTool(name) pingji.grids.editable() → true where edits can be made now; .whyNot() the sentence why not
   pingji.grids.panel(name)   {slot, show(), badge(text)} of a panel: list, problems, sets, proposals, history; review is the
                              slot over the map: show() opens it, hide() closes it
   pingji.grids.button(class, text, label, act)   pingji.grids.uuid()   pingji.grids.codeText(code) "003", or "新1"        */
(() => {
  "use strict";

  const pingji = window.pingji;
  const TIMEOUT_MS = 30000;

  const state = {
    communities: [], community: null, document: null, set: null, at: null, held: null, readOnly: false, grids: new Map(), around: [],
    totals: null, problems: [], selected: new Set(), tool: "select", busy: false, last: null, lastIntent: null, altered: [], preview: null, unsent: null,
  };
  const grids = (pingji.grids = { state, needSet: null, uuid: pingji.uuid, button: pingji.button });

  /* ── Whom to tell ────────────────────────────────────────────────────── */

  const listeners = [];
  grids.on = (what, fn) => listeners.push([what, fn]);

  /** One listener's defect must not keep the news from the others. */
  function tell(what, detail) {
    for (const [wanted, fn] of listeners) {
      if (wanted !== what) continue;
      try {
        fn(state, detail);
      } catch (error) {
        console.error(error);
      }
    }
  }
  grids.tell = tell;

  /* ── Small things that all parts use ─────────────────────────────────── */

  grids.actor = () => pingji.caller?.name || "";
  grids.mayEdit = () => pingji.may("edit_grids");
  grids.mayReview = () => pingji.may("review_grids");

  /** How a grid is called on the map and in the list: its last three digits, or what the server calls a new one. */
  grids.codeText = (code) => {
    const found = /n0*(\d+)$/.exec(code);
    return found ? pingji.t("grids.new_label", { n: found[1] }) : code.slice(-3);
  };

  /* ── Asking ──────────────────────────────────────────────────────────── */

  /** What a problem document says in the reader's language, "" where it says nothing. */
  grids.sentence = (problem) => {
    const detail = (pingji.language === "en" && problem.detail_en) || problem.detail;
    return typeof detail === "string" ? detail : "";
  };

  grids.ask = async (method, path, body) => {
    const headers = body === undefined ? {} : { "Content-Type": "application/json" };
    let response;
    try {
      const payload = body === undefined ? undefined : JSON.stringify(body);
      response = await fetch(`/api/v1${path}`, { method, headers, body: payload, signal: AbortSignal.timeout(TIMEOUT_MS) });
    } catch {
      throw Object.assign(new Error(pingji.t("grids.error.network")), { network: true });
    }
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    const message = grids.sentence(answer) || pingji.t("grids.error.unexpected", { code: response.status });
    const network = response.status === 502 || response.status === 503 || response.status === 504;
    throw Object.assign(new Error(message), { problem: { status: response.status, params: {}, ...answer }, network });
  };

  /** The key of a problem document: the last part of its type. */
  grids.keyOf = (error) => (typeof error.problem?.type === "string" ? error.problem.type.split("/").pop() : "");

  /* ── Opening ─────────────────────────────────────────────────────────── */

  let opening = 0; // the newest request wins

  grids.open = async (code, where = {}) => {
    const mine = ++opening;
    const { set, date, operation } = where;
    const past = date || operation;
    const query = new URLSearchParams();
    if (past) query.set("community", code);
    if (date) query.set("date", date);
    else if (operation) query.set("operation", operation);
    else if (set) query.set("set", set);
    setBusy(true);
    try {
      const path = past ? `/grids/at?${query}` : `/grids/communities/${encodeURIComponent(code)}${set ? `?${query}` : ""}`;
      const document = await grids.ask("GET", path);
      if (mine !== opening) return;
      takeIn(code, document);
      keepAddress(code, past ? {} : { set }, { date, operation });
    } catch (error) {
      if (mine === opening) tell("refused", Object.assign(error, { retry: () => grids.open(code, where) }));
    } finally {
      if (mine === opening) setBusy(false);
    }
  };

  grids.reload = () => {
    const { community, set } = state;
    if (!community) return Promise.resolve();
    const query = new URLSearchParams(location.search);
    return grids.open(community.code, { set: set?.id, date: query.get("date"), operation: query.get("operation") });
  };

  function takeIn(code, document) {
    const moved = state.community?.code !== code;
    Object.assign(state, {
      community: document.community, document, set: document.set, at: document.at, held: document.held, totals: document.totals,
      readOnly: Boolean(document.read_only), grids: new Map(document.grids.features.map((one) => [String(one.id), one])),
      around: document.around ? document.around.features : [], problems: document.problems || [], preview: null, last: null,
    });
    const gone = [...state.selected].filter((one) => !state.grids.has(one));
    gone.forEach((one) => state.selected.delete(one));
    tell("community", { moved });
    for (const what of ["set", "grids", "problems", "selection"]) tell(what, {});
  }

  function keepAddress(code, { set }, { date, operation }) {
    const query = new URLSearchParams(location.search);
    const wanted = { community: code, set, date, operation };
    for (const [name, value] of Object.entries(wanted)) value ? query.set(name, value) : query.delete(name);
    history.replaceState(history.state, "", `${location.pathname}?${query}`);
  }

  function setBusy(busy) {
    if (state.busy === busy) return;
    state.busy = busy;
    tell("busy");
  }

  grids.setSet = (set) => {
    state.set = set;
    tell("set", {});
  };

  /** Why nothing can be edited here now; empty where it can. */
  grids.whyNot = () => {
    if (!state.community) return pingji.t("grids.why.no_community");
    if (!grids.mayEdit()) return pingji.t("grids.why.not_editor");
    if (state.at) return pingji.t("grids.why.past");
    if (state.set && state.set.status !== "draft") return pingji.t(`grids.why.${state.set.status}`);
    return state.readOnly ? pingji.t("grids.why.read_only") : "";
  };
  grids.editable = () => !grids.whyNot();

  /* ── Editing ─────────────────────────────────────────────────────────── */

  grids.apply = (answer, intent = null) => {
    const altered = grids.altered(answer.changed.features).map((one) => String(one.id));
    for (const code of answer.removed) state.grids.delete(code);
    for (const one of answer.changed.features) state.grids.set(String(one.id), one);
    Object.assign(state, { totals: answer.totals, problems: answer.problems, last: answer, lastIntent: intent, altered, preview: null });
    if (answer.set) state.set = answer.set;
    const lost = [...state.selected].filter((code) => !state.grids.has(code));
    lost.forEach((code) => state.selected.delete(code));
    tell("grids", { changed: answer.changed.features.map((one) => String(one.id)), removed: answer.removed });
    for (const what of ["set", "problems", "selection"]) tell(what, {});
    tell("applied", answer);
  };

  let queue = Promise.resolve(); // edits go one after the other: each needs the revision that the last one left

  const next = (work) => (queue = queue.then(work, work));

  grids.act = (intent) => next(async () => {
    const set = await writable();
    if (!set) return null;
    return send("edits", { edit_id: grids.uuid(), intent }, intent);
  });

  /** The change set to write into: the open one, or what the panels get from the person. */
  async function writable() {
    const why = grids.whyNot();
    if (why) {
      tell("refused", Object.assign(new Error(why), { why: true }));
      return null;
    }
    if (state.set) return state.set;
    const set = grids.needSet ? await grids.needSet() : null;
    if (set && state.set?.id !== set.id) {
      grids.setSet(set);
      keepAddress(state.community.code, { set: set.id }, {});
    }
    return set;
  }
  grids.writable = writable;

  async function send(what, body, intent) {
    const { set, community } = state;
    setBusy(true);
    grids.preview(null);
    try {
      const path = `/grids/sets/${encodeURIComponent(set.id)}/${what}`;
      const answer = await grids.ask("POST", path, { revision: set.revision, community: community.code, ...body });
      state.unsent = null;
      grids.apply(answer, intent);
      return answer;
    } catch (error) {
      if (grids.keyOf(error) === "set_moved") await caughtUp(set);
      const again = error.network || grids.keyOf(error) === "set_moved";
      state.unsent = again ? { what, body, intent } : null;
      tell("refused", Object.assign(error, { intent, resend: again ? grids.resend : null }));
      return null;
    } finally {
      setBusy(false);
    }
  }

  /** Somebody else went on with this draft: show it as it is now. */
  async function caughtUp(set) {
    const mine = ++opening;
    try {
      const code = state.community.code;
      const document = await grids.ask("GET", `/grids/communities/${encodeURIComponent(code)}?set=${encodeURIComponent(set.id)}`);
      if (mine === opening) takeIn(code, document);
    } catch {
      // the notice of the refusal stays; sending again will bring it
    }
  }

  /** Sends once more what did not arrive: the same edit id, so that one that did arrive is not done twice. */
  grids.resend = () => next(async () => {
    const { unsent } = state;
    return unsent ? send(unsent.what, unsent.body, unsent.intent) : null;
  });

  grids.undo = () => next(async () => (state.set?.can_undo ? send("undo", {}, null) : null));
  grids.redo = () => next(async () => (state.set?.can_redo ? send("redo", {}, null) : null));

  /* ── Panels ──────────────────────────────────────────────────────────── */

  const slotOf = (name) => document.querySelector(`#page[data-page="grids"] [data-slot="grids-${name}"]`);

  grids.panel = (name) => {
    const slot = slotOf(name);
    const tab = document.querySelector(`[data-tab="${name}"]`);
    return {
      slot,
      show: () => (tab ? grids.showTab(name) : (slot.hidden = false)),
      hide: () => tab || (slot.hidden = true),
      badge: (text) => tab && pingji.setText(tab.querySelector(".grids-badge"), String(text || "")),
    };
  };

  /** Shows one of the tabs on the right, unfolding them. */
  grids.showTab = (name) => {
    const page = document.getElementById("page");
    page.classList.remove("is-folded");
    for (const tab of page.querySelectorAll("[data-tab]")) {
      const on = tab.dataset.tab === name;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
      slotOf(tab.dataset.tab).hidden = !on;
    }
    tell("tab", name);
  };

  /* ── What others do meanwhile ────────────────────────────────────────── */

  let published; // version of the last publication that this page has taken in

  let modes; // as the page has taken them in: the key decides whether publishing is held back
  const modesNow = () => JSON.stringify(pingji.live.values.mode?.scopes);

  /** Shows what others published here, switched, or did in this draft; not under the hand of somebody who is drawing. */
  function catchUp() {
    const { community, set, at, busy, preview } = state;
    if (!community || at || busy || preview) return;
    const news = pingji.live.values.grids;
    const mine = set && (pingji.live.values.drafts || []).find((one) => one.id === set.id);
    const first = published === undefined; // what stood when the page came is on the map already
    const fresh = news && news.version !== published && (news.version > (published ?? 0) + 1 || news.communities.includes(community.code));
    if (news !== undefined) published = news?.version ?? 0; // null: nothing was ever published here
    const switched = modes !== undefined && modes !== modesNow();
    modes = modesNow();
    if ((fresh && !first) || switched || (mine && mine.revision > set.revision)) grids.reload();
  }

  for (const key of ["grids", "drafts", "mode"]) pingji.live.on(key, catchUp);
  for (const what of ["busy", "preview"]) grids.on(what, catchUp);

  /* ── The beginning ───────────────────────────────────────────────────── */

  grids.ready = new Promise((done) => {
    pingji.onPage("grids", async () => {
      const [, view] = await Promise.all([pingji.client, pingji.map.ready]);
      grids.view = view;
      done(view);
    });
  });

  /** The communities that can be chosen, asked for until they are there. */
  async function askCommunities() {
    for (let wait = 500; ; wait = Math.min(wait * 2, 8000)) {
      try {
        state.communities = await grids.ask("GET", "/grids/communities");
        return tell("communities", {});
      } catch (error) {
        if (!error.network && error.problem?.status !== 404) return tell("refused", error);
        await new Promise((done) => setTimeout(done, wait));
      }
    }
  }
  grids.askCommunities = askCommunities;

  pingji.unsent(() => Boolean(state.unsent) || state.busy);

  grids.ready.then(async () => {
    if (!(await pingji.client).county) return;
    const query = new URLSearchParams(location.search);
    const [code, set, date, operation] = ["community", "set", "date", "operation"].map((name) => query.get(name));
    const listed = askCommunities();
    if (code) return grids.open(code, { set, date, operation });
    await listed;
    tell("community", { moved: true });
  });
})();

/* Who has been called, who answered, whose deputy acts, who is silent: of one operation, kept true while it runs. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const { make, t, number, organisation: org } = pingji;
  const { state, parts } = org;
  const STATES = ["escalated", "handed_over", "asked", "answered", "withdrawn"];
  const EVERY_MS = 10000; // hand-overs are done every ten seconds
  const PAGE = 100;
  let only = "";
  let shown = PAGE;
  let open = false; // whether the operation that is shown still runs

  /* ── Asking ──────────────────────────────────────────────────────────── */

  const ask = () => org.ask("GET", "/calls", { query: { operation: state.operation, scope: state.scope.code, state: only, limit: shown } });

  const show = () => org.fill(org.slot("calls"), ask, paint);

  /** The badge: who has not answered, of an operation that runs. */
  async function count() {
    try {
      const found = await org.ask("GET", "/calls", { query: { limit: 1 } });
      const runs = found.operations.some((one) => one.id === found.operation && one.open);
      org.badge("calls", runs ? `${number(found.counts.answered)}/${number(all(found.counts))}` : "");
      open = runs;
    } catch {
      org.badge("calls", "");
    }
  }

  const all = (counts) => STATES.filter((name) => name !== "withdrawn").reduce((sum, name) => sum + (counts[name] || 0), 0);

  /* ── Painting ────────────────────────────────────────────────────────── */

  const operationName = (one) => t(one.exercise ? "org.calls.exercise_of" : "org.calls.operation_of", { scope: one.scope_name, time: parts.when(one.started_at) });

  function chooser(found) {
    const now = found.operations.find((one) => one.id === found.operation);
    const title = make("h2", "og-unit-name", operationName(now));
    const line = make("header", "og-calls-head", title);
    if (now.exercise) line.append(parts.mark("exercise", t("banner.exercise")));
    line.append(parts.mark(now.open ? "solid" : "quiet", t(now.open ? "org.calls.open" : "org.calls.closed")));
    if (found.operations.length < 2) return line;
    const select = Object.assign(make("select", "og-input"), { name: "operation" });
    select.setAttribute("aria-label", t("org.calls.choose"));
    select.dataset.key = "operation";
    select.append(...found.operations.map((one) => Object.assign(make("option", "", operationName(one)), { value: one.id, selected: one.id === found.operation })));
    select.addEventListener("change", () => ((state.operation = select.value), show()));
    line.append(select);
    return line;
  }

  /** The whole as one bar; each part printed below it with its number. */
  function figures(counts, handoverMin) {
    const whole = all(counts);
    const bar = make("div", "og-calls-bar");
    const list = make("ul", "og-calls-parts");
    for (const name of ["answered", "handed_over", "asked", "escalated", ...(counts.withdrawn ? ["withdrawn"] : [])]) {
      const n = counts[name] || 0;
      const piece = make("span", "og-call-part");
      piece.dataset.state = name;
      piece.style.flexGrow = String(n);
      if (n && name !== "withdrawn") bar.append(piece);
      const swatch = make("span", "og-call-part");
      swatch.dataset.state = name;
      list.append(make("li", "", swatch, make("span", "", t(`org.calls.state.${name}`)), make("b", "", number(n))));
    }
    const total = make("p", "og-total", parts.ratio(counts.answered || 0, whole), make("span", "", t("org.calls.answered_of")));
    return make("section", "og-section live", total, bar, list, make("p", "og-note", t("org.calls.rule", { min: number(handoverMin) })));
  }

  function levels(byLevel) {
    const list = make("ul", "og-lines");
    for (const name of ["county", "township", "community", "branch", "grid", "building"]) {
      const counts = byLevel[name];
      if (!counts || !all(counts)) continue;
      const silent = counts.escalated ? parts.mark("hollow", t("org.calls.silent", { n: number(counts.escalated) })) : "";
      list.append(make("li", "og-line", make("span", "og-line-name", t(`org.level.${name}`)), parts.bar(counts.answered, all(counts)), parts.ratio(counts.answered, all(counts)), silent));
    }
    return list.children.length ? make("section", "og-section live", parts.heading(t("org.calls.by_level")), list) : "";
  }

  function superiors(lists) {
    if (!lists.length) return "";
    const rows = lists.map((one) => make("li", "og-line", make("span", "og-line-name", make("b", "", one.unit_name), make("i", "", one.title ? t(`org.post.${one.title}`) : "")), make("span", "", one.holder || t("org.unit.vacant")), make("b", "", t("org.calls.silent", { n: number(one.n) }))));
    return make("section", "og-section", parts.heading(t("org.calls.lists")), make("ul", "og-lines og-superiors", ...rows));
  }

  /* ── One call ────────────────────────────────────────────────────────── */

  function timeOf(call) {
    const at = { answered: call.answered_at, handed_over: call.handed_over_at, escalated: call.escalated_at }[call.state] || call.asked_at;
    const time = parts.when(at);
    const words = t(`org.calls.at.${call.state}`, { time, who: call.answered_by || "" });
    return make("span", "og-call-time", words, call.deadline ? make("b", "og-remaining", "") : "");
  }

  function actions(call) {
    if (!["count", "switch", "edit_organisation"].some((one) => state.may.has(one))) return "";
    if (!open || call.state === "withdrawn") return "";
    const { post } = call;
    const row = make("div", "og-call-actions");
    const add = (name, path, body) => row.append(parts.button("og-small", t(`org.calls.${name}`), (event) => send(event.currentTarget, `/calls/${encodeURIComponent(post.code)}/${path}`, { operation: call.operation, ...body }), `${name}-${post.code}`));
    if (call.state !== "answered" && post.holder) add("answer_holder", "answer", { as: "holder" });
    if (["handed_over", "escalated"].includes(call.state) && post.deputy) add("answer_deputy", "answer", { as: "deputy" });
    if (call.acting === "deputy" && post.holder && !call.handed_back_at) add("hand_back", "hand-back", {});
    return row;
  }

  async function send(button, path, body) {
    button.disabled = true;
    try {
      await org.ask("POST", path, { body });
    } catch (error) {
      pingji.toast(error.message);
    }
    show();
    count();
  }

  function line(call) {
    const { post } = call;
    const goTo = parts.button("og-call-go", "", () => org.select(post.unit, { from: "list" }), `call-${post.code}`);
    const acting = call.acting === "deputy" ? make("span", "og-call-acting", t("org.calls.acting_deputy"), parts.person(post.deputy, post.deputy_phone)) : parts.person(post.holder, post.holder_phone);
    const mark = make("span", "og-call-state", t(`org.calls.state.${call.state}`));
    mark.dataset.state = call.state;
    goTo.append(make("span", "og-call-title", make("b", "", parts.kindOf(post)), make("span", "og-todo-unit", post.unit_name)), mark, acting, timeOf(call));
    const item = make("article", "og-call", goTo, actions(call));
    item.dataset.post = post.code;
    item.dataset.state = call.state;
    if (call.deadline) item.dataset.deadline = String(call.deadline);
    return item;
  }

  function paint(found) {
    const now = found.operations.find((one) => one.id === found.operation);
    if (!now) return [parts.empty(t("org.calls.none")), make("p", "og-note", t("org.calls.none_note"))];
    open = now.open;
    const choice = parts.choice(t("org.calls.filter"), [["", t("org.calls.all")], ...STATES.filter((name) => found.counts[name]).map((name) => [name, t(`org.calls.state.${name}`)])], only, (name) => {
      only = name;
      shown = PAGE;
      show();
    });
    const list = make("div", "og-list live", ...found.calls.map(line));
    if (!found.calls.length) list.append(parts.empty(t("org.calls.none_here")));
    if (found.total > found.calls.length) list.append(parts.button("og-small og-wide", t("org.list.more", { shown: number(found.calls.length), total: number(found.total) }), () => ((shown += PAGE), show()), "more"));
    queueMicrotask(tick);
    return [parts.scopeLine(), chooser(found), figures(found.counts, found.handover_min), levels(found.by_level), superiors(found.lists), choice, list].filter(Boolean);
  }

  /** What is left until somebody else takes over, by the server's clock. */
  function tick() {
    for (const item of document.querySelectorAll(".og-call[data-deadline]")) {
      const left = Math.max(0, Math.ceil((Number(item.dataset.deadline) - pingji.live.now()) / 1000));
      const text = left ? t("org.calls.left", { time: `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}` }) : t("org.calls.due");
      pingji.setText(item.querySelector(".og-remaining"), text);
    }
  }

  /* ── Keeping true ────────────────────────────────────────────────────── */

  function refresh() {
    count();
    if (state.tab === "calls") show();
  }

  org.ready.then(() => {
    refresh();
    setInterval(tick, 1000);
    setInterval(() => open && document.visibilityState === "visible" && refresh(), EVERY_MS);
  });
  org.on("called", refresh);
  org.on("mode", () => {
    state.operation = null; // what has just begun, or ended, is what matters now
    refresh();
  });
  org.on("tab", (name) => name === "calls" && show());
  org.on("scope", () => {
    shown = PAGE;
    if (state.tab === "calls") show();
  });
  org.on("changed", refresh);
})();

/* The audit: whether its chain is whole, the filters, and asking for what fits them. `81_audit_rows.js` draws the entries. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const audit = (pingji.audit = { entries: [], next: null });
  const FIELDS = ["since", "until", "actor", "action", "object", "text", "outcome"];
  const PERIODS = [["today", 1], ["week", 7], ["month", 30], ["half_year", 180], ["all", 0]];
  const DEFAULT_DAYS = 7;
  const DAY_MS = 86400000;
  const day = new Intl.DateTimeFormat("en-CA", { timeZone: "Asia/Shanghai" });

  audit.slot = (name) => document.querySelector(`[data-slot="audit-${name}"]`);
  audit.time = (ms) => `${day.format(ms)} ${pingji.clock(ms)}`;

  const query = (values) => new URLSearchParams(Object.entries(values).filter(([, value]) => value !== "" && value !== null && value !== undefined));

  /** What the API answers; an error carries the sentence that people read. */
  async function ask(path, values = {}) {
    let response;
    try {
      response = await fetch(`/api/v1/audit${path}?${query({ ...values, lang: pingji.language })}`);
    } catch {
      throw new Error(pingji.t("audit.no_network"));
    }
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    throw new Error((pingji.language === "en" && answer.detail_en) || answer.detail || String(response.status));
  }

  /* ── Filters ─────────────────────────────────────────────────────────── */

  let inputs = {};

  const values = () => Object.fromEntries(FIELDS.map((name) => [name, inputs[name].value.trim()]));
  const daysAgo = (n) => day.format(Date.now() - n * DAY_MS);

  function setPeriod(days) {
    inputs.since.value = days ? daysAgo(days - 1) : "";
    inputs.until.value = days ? daysAgo(0) : "";
  }

  function markPeriod() {
    const { since, until } = values();
    for (const chip of audit.slot("filter").querySelectorAll("[data-days]")) {
      const days = Number(chip.dataset.days);
      const chosen = days ? since === daysAgo(days - 1) && until === daysAgo(0) : !since && !until;
      chip.setAttribute("aria-pressed", String(chosen));
    }
  }

  function field(name, input, hint) {
    inputs[name] = Object.assign(input, { name });
    const label = pingji.make("label", `audit-field audit-field-${name}`, pingji.make("span", "", pingji.t(`audit.filter.${name}`)), input);
    if (hint) input.placeholder = hint;
    return label;
  }

  const typed = (type) => Object.assign(pingji.make("input", "audit-input"), { type, maxLength: 200 });

  function choice(pairs) {
    const select = pingji.make("select", "audit-input");
    for (const [value, text] of [["", pingji.t("audit.filter.any")], ...pairs]) select.append(new Option(text, value));
    return select;
  }

  function exportLink(format) {
    const link = pingji.make("a", "audit-export", pingji.t(`audit.export.${format}`));
    link.title = pingji.t("audit.export.note");
    link.download = "";
    link.dataset.format = format;
    link.setAttribute("role", "button");
    return link;
  }

  function drawFilter() {
    const { make, t } = pingji;
    const people = make("datalist", "");
    people.id = "audit-people";
    const who = typed("text");
    who.setAttribute("list", people.id);
    const periods = make("div", "audit-periods", ...PERIODS.map(([name, days]) => {
      const chip = pingji.button("audit-chip", t(`audit.filter.${name}`), "", () => {
        setPeriod(days);
        search();
      });
      chip.dataset.days = days;
      return chip;
    }));
    periods.setAttribute("role", "group");
    periods.setAttribute("aria-label", t("audit.filter.period"));
    const submit = make("button", "audit-search", t("audit.filter.search"));
    const form = make("form", "audit-form",
      make("div", "audit-line", periods, field("since", typed("date")), field("until", typed("date")),
        make("div", "audit-exports", exportLink("csv"), exportLink("xlsx"))),
      make("div", "audit-line", field("actor", who), people, field("action", choice([])),
        field("object", typed("text"), t("audit.filter.object_hint")), field("text", typed("search"), t("audit.filter.text_hint")),
        field("outcome", choice(["done", "refused"].map((one) => [one, t(`audit.outcome.${one}`)]))),
        make("div", "audit-send", submit, pingji.button("audit-clear", t("audit.filter.clear"), "", clear))));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      search();
    });
    form.addEventListener("change", (event) => event.target.matches("select, [type=date]") && search());
    audit.slot("filter").replaceChildren(form);
  }

  function clear() {
    for (const name of FIELDS) inputs[name].value = "";
    setPeriod(DEFAULT_DAYS);
    search();
  }

  /** Another value of one filter, from a click in the list. */
  audit.filterBy = (name, value) => {
    inputs[name].value = value;
    search();
  };

  /** The address says what is shown, so that it can be kept and opened again. */
  function readAddress() {
    const given = new URLSearchParams(location.search);
    if (!FIELDS.some((name) => given.has(name))) return setPeriod(DEFAULT_DAYS);
    for (const name of FIELDS) inputs[name].value = given.get(name) || "";
  }

  function writeAddress(asked) {
    const language = pingji.language === "en" ? { lang: "en" } : {};
    history.replaceState(history.state, "", `${location.pathname}?${query({ ...asked, ...language })}`);
    for (const link of audit.slot("filter").querySelectorAll("[data-format]")) {
      link.href = `/api/v1/audit/export?${query({ ...asked, format: link.dataset.format, lang: pingji.language })}`;
    }
  }

  function fillChoices({ actors, actions }) {
    document.getElementById("audit-people").replaceChildren(...actors.map((name) => new Option(name)));
    const chosen = inputs.action.value || new URLSearchParams(location.search).get("action") || "";
    const known = actions.map(({ action, text }) => [action, text]).sort((a, b) => a[1].localeCompare(b[1], "zh"));
    inputs.action.replaceChildren(new Option(pingji.t("audit.filter.any"), ""), ...known.map(([value, text]) => new Option(text, value)));
    inputs.action.value = chosen;
  }

  /* ── Searching ───────────────────────────────────────────────────────── */

  let turn = 0; // of the search whose answer counts

  async function search() {
    const mine = ++turn;
    const asked = values();
    markPeriod();
    writeAddress(asked);
    audit.rows.waiting();
    try {
      const answer = await ask("", asked);
      if (mine === turn) audit.rows.show(answer.entries, answer.next);
    } catch (error) {
      if (mine === turn) audit.rows.failed(error.message, search);
    }
  }

  /** The entries before those that are shown. */
  audit.more = async () => {
    const mine = turn;
    const answer = await ask("", { ...values(), before: audit.next });
    if (mine === turn) audit.rows.add(answer.entries, answer.next);
  };

  /* ── The chain ───────────────────────────────────────────────────────── */

  function verdictWords(verified) {
    const { t, number } = pingji;
    if (!verified) return ["never", t("audit.chain.never"), t("audit.chain.never_text")];
    const params = { time: audit.time(verified.at), who: verified.by || t("audit.system"), n: number(verified.entries) };
    if (verified.whole) return ["whole", t("audit.chain.whole"), t("audit.chain.when", params)];
    const { kind, seq, until } = verified.breach || {};
    return ["broken", t("audit.chain.broken"), [verified.breach ? t(`audit.breach.${kind}`, { seq, until }) : "", t("audit.chain.what_now"), t("audit.chain.when_broken", params)].filter(Boolean).join(" ")];
  }

  function drawChain(state, problem) {
    const { make, t, number } = pingji;
    const [kind, title, text] = verdictWords(state.verified);
    const section = audit.slot("chain");
    section.dataset.state = kind;
    const facts = [t("audit.chain.total", { n: number(state.entries) }), state.since ? t("audit.chain.since", { time: day.format(state.since) }) : "", t("audit.chain.retention")];
    section.replaceChildren(
      make("b", "audit-verdict", title),
      make("p", "audit-verdict-text", problem ? t("audit.chain.failed", { what: problem }) : text),
      make("p", "audit-facts", facts.filter(Boolean).join(" · ")),
      pingji.button("audit-check", t("audit.chain.now"), "", () => check(state)));
  }

  async function check(state) {
    const section = audit.slot("chain");
    const button = section.querySelector(".audit-check");
    button.disabled = true;
    section.querySelector(".audit-verdict-text").textContent = pingji.t("audit.chain.running", { n: pingji.number(state.entries) });
    let problem = "";
    let fresh = state;
    try {
      const verified = await ask("/verify");
      fresh = { ...(await ask("/state")), verified };
    } catch (error) {
      problem = error.message;
    }
    drawChain(fresh, problem);
    section.querySelector(".audit-check").focus();
  }

  async function begin() {
    drawFilter();
    readAddress();
    try {
      const state = await ask("/state");
      drawChain(state, "");
      fillChoices(state);
    } catch (error) {
      drawChain({ entries: null, verified: null }, error.message);
    }
    search();
  }

  pingji.onPage("audit", () => pingji.client.then(begin));
})();

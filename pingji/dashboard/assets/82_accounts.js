/* Accounts, tokens and devices: three lists, and what is done with a row. `82_accounts_dialogs.js` has the dialogs. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const { make, t } = pingji;
  const VIEWS = ["people", "tokens", "devices"];
  const acc = (pingji.accounts = { view: "people", people: [], tokens: [], devices: [], scopes: [], own: "", wanted: "" });
  const day = new Intl.DateTimeFormat("en-CA", { timeZone: "Asia/Shanghai" });

  acc.slot = (name) => document.querySelector(`[data-slot="accounts-${name}"]`);
  acc.time = (us) => (us ? `${day.format(us / 1000)} ${pingji.clock(us / 1000, "minutes")}` : t("accounts.never"));

  /** What the API answers; an error carries the sentence that people read. */
  acc.ask = async (method, path, body) => {
    let response;
    try {
      const options = body === undefined ? { method } : { method, body: JSON.stringify(body), headers: { "content-type": "application/json" } };
      response = await fetch(`/api/v1/${path}`, options);
    } catch {
      throw new Error(t("accounts.no_network"));
    }
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    throw new Error((pingji.language === "en" && answer.detail_en) || answer.detail || String(response.status));
  };

  /** Rights in words: the role, and where it holds. */
  acc.rights = (grants) => grants.map((one) => `${t(`role.${one.role}`)} · ${acc.place(one.scope, one.scope_name)}`);
  acc.place = (code, name) => (code === "*" ? t("accounts.everywhere") : name || code);

  /** Does something to a row and reads the lists again; what went wrong is said. */
  acc.act = async (work) => {
    try {
      await work();
      await acc.load();
    } catch (error) {
      pingji.toast(error.message);
    }
  };

  acc.load = async () => {
    const [people, tokens, devices] = await Promise.all(["accounts", "accounts/tokens", "accounts/devices"].map((path) => acc.ask("GET", path)));
    const isCode = (one) => one.kind === "once"; // stands among the devices: that is what it will be
    Object.assign(acc, { people: people.accounts, own: people.self, tokens: tokens.tokens.filter((one) => !isCode(one)) });
    acc.devices = [...tokens.tokens.filter(isCode), ...devices.devices];
    draw();
  };

  /* ── Rows ────────────────────────────────────────────────────────────── */

  const cell = (className, ...children) => make("td", className, ...children);
  const rightsCell = (grants) => cell("acc-rights", ...(grants.length ? acc.rights(grants) : [t("accounts.no_rights")]).map((text) => make("span", "acc-right", text)));
  const small = (key, act) => pingji.button("acc-small", t(key), "", act);

  function mark(kind, text) {
    const element = make("span", "acc-mark", text);
    element.dataset.kind = kind;
    return element;
  }

  function stateOf(one) {
    const marks = [];
    if (one.disabled) marks.push(mark("disabled", t("accounts.state.disabled")));
    else if (one.locked_until) marks.push(mark("locked", t("accounts.state.locked", { time: pingji.clock(one.locked_until / 1000, "minutes") })));
    if (one.must_change) marks.push(mark("new", t("accounts.state.must_change")));
    if (one.second_factor) marks.push(mark("second", t("accounts.state.second_factor")));
    if (one.by_provider) marks.push(mark("provider", t("accounts.state.by_provider")));
    return marks;
  }

  function personRow(one) {
    const own = one.id === acc.own;
    const path = `accounts/${encodeURIComponent(one.id)}`;
    const state = (disabled) => () => acc.act(() => acc.ask("PATCH", path, { disabled }));
    const buttons = own
      ? [make("span", "acc-own", t("accounts.own_row"))]
      : [
          small("accounts.change", () => acc.dialogs.change(one)),
          small("accounts.reset", () => acc.dialogs.reset(one)),
          one.disabled || one.locked_until ? small("accounts.enable", state(false)) : small("accounts.disable", () => acc.dialogs.disable(one)),
          one.second_factor && small("accounts.drop_factor", () => acc.dialogs.dropFactor(one)),
        ];
    const row = make("tr", "acc-row",
      cell("acc-name", make("b", "", one.name), make("small", "", one.login)),
      rightsCell(one.grants),
      cell("acc-time", acc.time(one.signed_in_at)),
      cell("acc-state", ...stateOf(one)),
      cell("acc-do", ...buttons.filter(Boolean)));
    row.dataset.login = one.login;
    return row;
  }

  function tokenRow(one) {
    const end = () => acc.dialogs.confirm(t("accounts.revoke_title", { name: one.name }), t("accounts.revoke_text"), t("accounts.revoke"), () => acc.ask("DELETE", `accounts/tokens/${one.id}`));
    return make("tr", "acc-row",
      cell("acc-name", make("b", "", one.name), make("small", "", t(`accounts.kind.${one.kind}`))),
      rightsCell(one.grants),
      cell("acc-time", acc.time(one.created_at)),
      cell("acc-time", acc.time(one.expires_at)),
      cell("acc-do", small("accounts.revoke", end)));
  }

  function deviceRow(one) {
    const end = () => acc.dialogs.confirm(t("accounts.end_title", { name: one.name }), t("accounts.end_text"), t("accounts.end"), () => acc.ask("DELETE", `accounts/devices/${one.id}`));
    return make("tr", "acc-row",
      cell("acc-name", make("b", "", one.name), make("small", "", one.address)),
      rightsCell(one.grants),
      cell("acc-time", acc.time(one.created_at)),
      cell("acc-time", acc.time(one.expires_at)),
      cell("acc-do", small("accounts.end", end)));
  }

  const LISTS = {
    people: [["name", "rights", "signed_in", "state", "actions"], personRow],
    tokens: [["name", "rights", "made", "until", "actions"], tokenRow],
    devices: [["name", "rights", "made", "until", "actions"], (one) => (one.kind ? tokenRow(one) : deviceRow(one))],
  };

  /* ── The screen ──────────────────────────────────────────────────────── */

  const fits = (one) => [one.name, one.login || "", ...acc.rights(one.grants)].join(" ").toLowerCase().includes(acc.wanted.toLowerCase());

  function drawList() {
    const [columns, row] = LISTS[acc.view];
    const shown = acc[acc.view].filter(fits);
    const slot = acc.slot("list");
    if (!shown.length) return slot.replaceChildren(make("p", "acc-empty", t(acc.wanted ? "accounts.none_fit" : `accounts.none.${acc.view}`)));
    const heads = columns.map((name) => make("th", `acc-th-${name}`, t(`accounts.column.${name}`)));
    slot.replaceChildren(make("table", "acc-table", make("thead", "", make("tr", "", ...heads)), make("tbody", "", ...shown.map(row))));
  }

  function draw() {
    const tabs = make("div", "acc-tabs", ...VIEWS.map((name) => {
      const tab = pingji.button("acc-tab", `${t(`accounts.view.${name}`)} ${pingji.number(acc[name].length)}`, "", () => {
        acc.view = name;
        draw();
      });
      tab.setAttribute("aria-pressed", String(name === acc.view));
      return tab;
    }));
    const find = Object.assign(make("input", "acc-find"), { type: "search", value: acc.wanted, placeholder: t("accounts.find"), maxLength: 64 });
    find.setAttribute("aria-label", t("accounts.find"));
    find.addEventListener("input", () => {
      acc.wanted = find.value.trim();
      drawList();
    });
    const adding = { people: [["add", "accounts.add"]], tokens: [["wall", "accounts.add_wall"], ["api", "accounts.add_api"]], devices: [["code", "accounts.add_code"]] }[acc.view];
    const buttons = adding.map(([what, key]) => pingji.button("acc-add", t(key), "", () => acc.dialogs[what]()));
    acc.slot("bar").replaceChildren(tabs, find, make("div", "acc-adding", ...buttons));
    drawList();
  }

  async function begin() {
    try {
      acc.scopes = (await acc.ask("GET", "accounts/scopes")).scopes;
      await acc.load();
    } catch (error) {
      acc.slot("list").replaceChildren(make("p", "acc-empty", error.message));
    }
  }

  pingji.onPage("accounts", () => pingji.client.then(begin));
})();

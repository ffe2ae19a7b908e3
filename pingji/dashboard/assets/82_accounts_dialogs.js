/* Dialogs of the accounts' screen: add, change, reset, tokens, codes; secrets are shown once. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const { make, t, accounts: acc } = pingji;
  const ROLES = ["administrator", "commander", "duty_officer", "gis_editor", "gis_reviewer", "community_staff", "shelter_desk", "field", "leader", "auditor"];
  const PROGRAMS = ROLES.filter((role) => role !== "administrator");
  const dialogs = (acc.dialogs = {});

  /* ── Pieces ──────────────────────────────────────────────────────────── */

  function open(title, ...children) {
    const dialog = make("dialog", "desk-dialog acc-dialog");
    const close = pingji.button("dialog-close", "×", t("accounts.close"), () => dialog.close());
    dialog.append(make("div", "dialog-head", make("h2", "", title), close), ...children);
    dialog.addEventListener("close", () => dialog.remove());
    document.querySelector("#page").append(dialog);
    dialog.showModal();
    return dialog;
  }

  /** A form in a dialog; `work` does it, and what it refuses is said above the buttons. */
  function ask(title, go, fields, work) {
    const error = make("p", "dialog-error");
    error.setAttribute("role", "alert");
    const submit = make("button", "acc-add", go);
    const form = make("form", "dialog-form", ...fields, make("div", "dialog-foot", error, submit));
    const dialog = open(title, form);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      submit.disabled = true;
      try {
        const then = await work();
        await acc.load();
        dialog.close();
        if (typeof then === "function") then();
      } catch (problem) {
        error.textContent = problem.message;
        submit.disabled = false;
      }
    });
  }

  function field(key, input, hint) {
    const label = make("label", "dialog-field acc-field", make("span", "", t(key)), input);
    if (hint) label.append(make("small", "", t(hint)));
    return label;
  }

  const typed = (more) => Object.assign(make("input", "acc-input"), { type: "text", required: true, maxLength: 64, autocomplete: "off" }, more);

  function choose(pairs, value) {
    const select = make("select", "acc-input");
    for (const [code, text] of pairs) select.append(new Option(text, code));
    select.value = value;
    return select;
  }

  const roleChoice = (roles, value) => choose(roles.map((role) => [role, t(`role.${role}`)]), value);

  /** Where a right holds: typed or picked by its name or code. */
  function scopeInput(value) {
    const id = "acc-scopes";
    if (!document.getElementById(id)) {
      const list = make("datalist", "", ...acc.scopes.map((one) => new Option(`${t(`accounts.level.${one.level}`)} ${one.code}`, label(one))));
      list.id = id;
      document.querySelector("#page").append(list);
    }
    const known = acc.scopes.find((one) => one.code === value);
    const input = typed({ value: known ? label(known) : value || "", placeholder: t("accounts.scope_hint") });
    input.setAttribute("list", id);
    return input;
  }

  const label = (one) => (one.code === "*" ? t("accounts.everywhere") : `${one.name} ${one.code}`);
  const codeOf = (text) => acc.scopes.find((one) => label(one) === text.trim())?.code || text.trim().split(/\s+/).pop();

  /** What a new right holds in unless somebody says otherwise: the widest scope that is a place on the map. */
  const ordinary = () => acc.scopes.find((one) => one.code !== "*")?.code || "*";

  /** Rows of a role and a scope each. */
  function grantsEditor(grants) {
    const rows = make("div", "acc-grants");
    const add = (one) => {
      const role = roleChoice(ROLES, one.role);
      const scope = scopeInput(one.scope);
      role.setAttribute("aria-label", t("accounts.role"));
      scope.setAttribute("aria-label", t("accounts.scope"));
      const row = make("div", "acc-grant", role, scope);
      row.append(pingji.button("acc-small", t("accounts.remove"), "", () => row.remove()));
      row.read = () => ({ role: role.value, scope: codeOf(scope.value) });
      rows.append(row);
    };
    grants.forEach(add);
    const more = pingji.button("acc-small", t("accounts.more_rights"), "", () => add({ role: "leader", scope: ordinary() }));
    const box = make("fieldset", "choice", make("legend", "", t("accounts.column.rights")), rows, more);
    return [box, () => [...rows.children].map((row) => row.read())];
  }

  /** Something that is shown now and never again. */
  function once(title, lead, secret, ...more) {
    const value = make("output", "acc-secret", secret);
    open(title, make("div", "dialog-form", make("p", "", lead), value, ...more, make("p", "dialog-hint", t("accounts.once"))));
  }

  const oneTime = (name, password) => once(t("accounts.one_time_title", { name }), t("accounts.one_time_text"), password);

  dialogs.confirm = (title, text, go, work) => ask(title, go, [make("p", "", text)], work);

  /* ── People ──────────────────────────────────────────────────────────── */

  dialogs.add = () => {
    const name = typed({});
    const login = typed({ autocapitalize: "none", spellcheck: false });
    const [editor, grants] = grantsEditor([{ role: "leader", scope: ordinary() }]);
    ask(t("accounts.add"), t("accounts.add"), [field("accounts.column.name", name, "accounts.name_hint"), field("accounts.login", login, "accounts.login_hint"), editor], async () => {
      const made = await acc.ask("POST", "accounts", { name: name.value, login: login.value, grants: grants() });
      return () => oneTime(made.account.name, made.one_time_password);
    });
  };

  dialogs.change = (one) => {
    const [editor, grants] = grantsEditor(one.grants);
    ask(t("accounts.change_title", { name: one.name }), t("accounts.save"), [editor, make("p", "dialog-hint", t("accounts.change_hint"))], () =>
      acc.ask("PATCH", `accounts/${one.id}`, { grants: grants() }).then(() => null));
  };

  dialogs.reset = (one) => ask(t("accounts.reset_title", { name: one.name }), t("accounts.reset"), [make("p", "", t("accounts.reset_text"))], async () => {
    const made = await acc.ask("POST", `accounts/${one.id}/password`);
    return () => oneTime(one.name, made.one_time_password);
  });

  const change = (one, body) => () => acc.ask("PATCH", `accounts/${one.id}`, body).then(() => null);
  dialogs.disable = (one) => dialogs.confirm(t("accounts.disable_title", { name: one.name }), t("accounts.disable_text"), t("accounts.disable"), change(one, { disabled: true }));
  dialogs.dropFactor = (one) => dialogs.confirm(t("accounts.drop_title", { name: one.name }), t("accounts.drop_text"), t("accounts.drop_factor"), change(one, { second_factor: false }));

  /* ── Tokens and codes ────────────────────────────────────────────────── */

  function tokenDialog(kind) {
    const name = typed({});
    const role = kind === "wall" ? null : roleChoice(PROGRAMS, "leader");
    const scope = scopeInput(ordinary());
    const days = typed({ type: "number", min: 1, max: 400, value: kind === "wall" ? 365 : 90 });
    const fields = [field("accounts.column.name", name), role && field("accounts.role", role), field("accounts.scope", scope), field("accounts.days", days)];
    ask(t(`accounts.add_${kind}`), t("accounts.make"), fields.filter(Boolean), async () => {
      const body = { kind, name: name.value, role: role ? role.value : "wall", scope: codeOf(scope.value), days: Number(days.value) };
      const made = await acc.ask("POST", "accounts/tokens", body);
      return () => once(t("accounts.made_title", { name: made.token.name }), t(`accounts.made_${kind}`), made.url || made.secret);
    });
  }

  dialogs.wall = () => tokenDialog("wall");
  dialogs.api = () => tokenDialog("api");

  dialogs.code = () => {
    const name = typed({});
    const role = roleChoice(["field", "shelter_desk"], "field");
    const scope = scopeInput("");
    ask(t("accounts.add_code"), t("accounts.make"), [field("accounts.post", name, "accounts.post_hint"), field("accounts.role", role), field("accounts.scope", scope)], async () => {
      const made = await acc.ask("POST", "accounts/codes", { name: name.value, role: role.value, scope: codeOf(scope.value) });
      const image = Object.assign(make("img", "acc-qr"), { src: made.qr, alt: t("accounts.qr") });
      return () => once(t("accounts.code_title", { name: made.token.name }), t("accounts.code_text", { time: pingji.clock(made.token.expires_at / 1000, "minutes") }), made.code, image, make("p", "acc-url", made.url));
    });
  };
})();

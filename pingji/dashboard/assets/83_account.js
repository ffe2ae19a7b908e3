/* One's own account: rights in words, password, second factor, and where one is signed in. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const { make, t, accounts: acc } = pingji;
  const slot = () => document.querySelector('[data-slot="account-cards"]');
  let known = null;

  const card = (title, ...children) => make("section", "mine-card", make("h2", "", title), ...children);

  function secretInput(autocomplete, more) {
    return Object.assign(make("input", "acc-input"), { type: "password", required: true, maxLength: 200, autocomplete }, more);
  }

  const field = (text, input) => make("label", "dialog-field", make("span", "", text), input);

  /** A form that says what was refused; `work` gets the event's form. */
  function form(go, fields, work) {
    const said = make("p", "mine-said");
    said.setAttribute("role", "status");
    const button = make("button", "acc-add", go);
    const element = make("form", "mine-form", ...fields, said, button);
    element.addEventListener("submit", async (event) => {
      event.preventDefault();
      button.disabled = true;
      try {
        said.textContent = (await work()) || "";
      } catch (error) {
        said.textContent = error.message;
      }
      button.disabled = false;
    });
    return element;
  }

  /* ── Cards ───────────────────────────────────────────────────────────── */

  function rightsCard() {
    const rights = known.grants.length ? acc.rights(known.grants) : [t("accounts.own.no_rights")];
    const who = known.account ? `${known.name} · ${known.account.login}` : known.name;
    return card(t("accounts.own.rights"), make("p", "mine-who", who), make("ul", "mine-list", ...rights.map((text) => make("li", "", text))));
  }

  function passwordCard() {
    const old = secretInput("current-password");
    const fresh = secretInput("new-password", { minLength: 10 });
    const again = secretInput("new-password", { minLength: 10 });
    const change = form(t("accounts.own.change_password"), [field(t("accounts.own.old"), old), field(t("sign_in.new"), fresh), field(t("sign_in.again"), again)], async () => {
      if (fresh.value !== again.value) throw new Error(t("sign_in.problem.differ"));
      await acc.ask("POST", "account/password", { old: old.value, new: fresh.value });
      for (const input of [old, fresh, again]) input.value = "";
      await sessions();
      return t("accounts.own.changed");
    });
    return card(t("accounts.own.password"), change, make("p", "mine-note", t("sign_in.new_hint")));
  }

  function codesShown(codes) {
    const list = make("ul", "mine-codes", ...codes.map((code) => make("li", "", code)));
    const done = pingji.button("acc-add", t("sign_in.recovery_done"), "", load);
    return card(t("sign_in.recovery_title"), make("p", "", t("sign_in.recovery_why")), list, done);
  }

  function show(element) {
    slot().querySelector("[data-card=factor]").replaceWith(Object.assign(element, {}));
    element.dataset.card = "factor";
    element.querySelector("input, button")?.focus();
  }

  function enrolCard(begun) {
    const code = Object.assign(make("input", "acc-input"), { required: true, maxLength: 6, inputMode: "numeric", autocomplete: "one-time-code" });
    const image = Object.assign(make("img", "acc-qr"), { src: begun.qr, alt: t("sign_in.enrol_qr") });
    const confirm = form(t("accounts.own.factor_confirm"), [field(t("sign_in.code"), code)], async () => {
      show(codesShown((await acc.ask("POST", "account/second-factor/code", { code: code.value })).recovery_codes));
    });
    return card(t("accounts.own.factor"), make("p", "", t("sign_in.enrol_scan")), image, make("p", "acc-url", begun.secret), confirm);
  }

  /** Asks for the password, then does it. */
  function withPassword(go, path, then) {
    const password = secretInput("current-password");
    return form(go, [field(t("accounts.own.old"), password)], async () => then(await acc.ask("POST", path, { password: password.value })));
  }

  function factorCard() {
    const on = known.account.second_factor;
    const parts = on
      ? [
          make("p", "", t("accounts.own.factor_on")),
          withPassword(t("accounts.own.recovery"), "account/second-factor/recovery", (made) => show(codesShown(made.recovery_codes))),
          withPassword(t("accounts.own.factor_off"), "account/second-factor/off", load),
        ]
      : [make("p", "", t("accounts.own.factor_why")), withPassword(t("accounts.own.factor_begin"), "account/second-factor", (begun) => show(enrolCard(begun)))];
    const element = card(t("accounts.own.factor"), ...parts);
    element.dataset.card = "factor";
    return element;
  }

  async function sessions() {
    const { sessions: found } = await acc.ask("GET", "account/sessions");
    const rows = found.map((one) => {
      const where = make("li", "", make("b", "", one.this ? t("accounts.own.this") : one.address || "—"), make("small", "", `${acc.time(one.created_at)} · ${one.agent}`));
      return where;
    });
    const end = pingji.button("acc-small", t("accounts.own.end_others"), "", async () => {
      const { ended } = await acc.ask("DELETE", "account/sessions");
      pingji.toast(t("accounts.own.ended", { n: ended }));
      sessions();
    });
    const element = card(t("accounts.own.sessions"), make("ul", "mine-list", ...rows), ...(found.length > 1 ? [end] : []));
    element.dataset.card = "sessions";
    slot().querySelector("[data-card=sessions]")?.remove();
    slot().append(element);
  }

  async function load() {
    try {
      known = await acc.ask("GET", "account");
      const cards = [rightsCard()];
      if (known.account && !known.account.by_provider) cards.push(passwordCard());
      if (known.account && !known.account.by_provider && known.second_factor_offered) cards.push(factorCard());
      slot().replaceChildren(...cards);
      if (known.account) await sessions();
    } catch (error) {
      slot().replaceChildren(make("p", "acc-empty", error.message));
    }
  }

  pingji.onPage("account", () => pingji.client.then(load));
})();

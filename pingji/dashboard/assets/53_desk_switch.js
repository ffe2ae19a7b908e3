/* The one key: its dialog, its recall, and what the server answers. One dialog is one press, however often it is clicked. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const desk = pingji.desk;
  const { live } = pingji;
  const MODES = ["standby", "emergency", "recovery", "routine"];
  const NEXT = { routine: ["standby", "emergency"], standby: ["routine", "emergency"], emergency: ["emergency", "recovery"], recovery: ["emergency", "routine"] };
  const ROMAN = { 4: "\u2163", 3: "\u2162", 2: "\u2161", 1: "\u2160" };
  const TIMEOUT_MS = 15000;

  /* ── Asking the server ───────────────────────────────────────────────── */

  /** Posts JSON; throws an error whose message is for the person: the problem's detail in their language. */
  async function post(path, body) {
    let response;
    try {
      response = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal: AbortSignal.timeout(TIMEOUT_MS) });
    } catch {
      throw new Error(pingji.t("desk.error.network"));
    }
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    const detail = (pingji.language === "en" ? answer.detail_en : answer.detail_zh) || answer.detail;
    const code = typeof answer.type === "string" ? answer.type.split("/").pop() : response.status;
    throw new Error(`${typeof detail === "string" ? detail : pingji.t("desk.error.network")} ${pingji.t("desk.error.code", { code })}`);
  }

  /** The present state of a scope, from the stream: what is not listed there is in routine. */
  function stateOf(scope) {
    const found = (live.values.mode?.scopes || []).find((one) => one.scope === scope);
    return found || { scope, mode: "routine", level: null, exercise: false };
  }

  /* ── Pieces ──────────────────────────────────────────────────────────── */

  function dialogOf(title, className) {
    const { make, t } = pingji;
    const dialog = make("dialog", `desk-dialog ${className}`);
    const close = desk.button("dialog-close", "×", t("desk.switch.close"), () => dialog.close());
    const form = make("form", "dialog-form");
    form.method = "dialog";
    const head = make("div", "dialog-head", make("h2", "", title), close);
    dialog.append(head, form);
    dialog.setAttribute("aria-label", title);
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    return { dialog, form };
  }

  /** A group of radio cards: options are {value, text, note?, disabled?}. */
  function radios(name, legend, options, chosen, change) {
    const { make } = pingji;
    const group = make("fieldset", `choice choice-${name}`, make("legend", "", legend));
    const cards = make("div", "choice-cards");
    for (const option of options) {
      const input = make("input");
      Object.assign(input, { type: "radio", name, value: option.value, checked: option.value === chosen, disabled: Boolean(option.disabled) });
      input.addEventListener("change", () => change(option.value));
      const card = make("label", "choice-card", input, make("span", "choice-text", option.text));
      if (option.note) card.append(make("span", "choice-note", option.note));
      if (option.title) card.title = option.title;
      cards.append(card);
    }
    group.append(cards);
    return group;
  }

  function select(label, options, value, change) {
    const { make } = pingji;
    const box = make("select");
    box.append(...options.map(([code, text]) => Object.assign(make("option", "", text), { value: code, selected: code === value })));
    box.addEventListener("change", () => change(box.value));
    return make("label", "dialog-field", make("span", "", label), box);
  }

  function reasonField(label, value, change) {
    const { make, t } = pingji;
    const text = make("textarea");
    Object.assign(text, { rows: 2, maxLength: 500, value, placeholder: t("desk.switch.reason_placeholder") });
    text.addEventListener("input", () => change(text.value));
    return make("label", "dialog-field", make("span", "", label), text);
  }

  /** A short message at the foot of the page, with one thing to do. */
  desk.toast = (text, action, act) => {
    const { make, t } = pingji;
    document.querySelector(".desk-toast")?.remove();
    const toast = make("div", "desk-toast", make("span", "", text));
    toast.setAttribute("role", "status");
    if (action) toast.append(desk.button("toast-action", action, "", () => (toast.remove(), act())));
    toast.append(desk.button("toast-close", "×", t("desk.switch.close"), () => toast.remove()));
    document.body.append(toast);
    setTimeout(() => toast.remove(), 20000);
  };

  /* ── The key ─────────────────────────────────────────────────────────── */

  desk.openSwitch = async () => {
    const { t } = pingji;
    const client = await pingji.client;
    if (!client.county) return;
    const { dialog, form } = dialogOf(t("desk.switch.title"), "dialog-switch");
    const home = client.caller?.home || client.county;
    const state = { pressId: pingji.uuid(), county: client.county, home, whole: client.caller?.whole !== false, scope: home.code, scopes: [], township: "", to: "", level: 0, exercise: null, reason: "", busy: false, error: "" };
    const repaint = (focus) => paintSwitch(dialog, form, state, repaint, focus);
    follow(state);
    repaint();
    dialog.showModal();
    form.querySelector("select")?.focus();
    try {
      state.scopes = await pingji.scopes();
      repaint("select");
    } catch {
      // the county can still be switched
    }
  };

  /** What is fixed by the scope's present state: its next modes, and the flag of what is running. */
  function follow(state) {
    const now = stateOf(state.scope);
    state.now = now;
    state.allowed = NEXT[now.mode];
    if (!state.allowed.includes(state.to)) state.to = "";
    // a real emergency may overtake an exercise; nothing else changes the kind on the way
    state.fixed = now.mode === "emergency" || now.mode === "recovery" ? (now.exercise ? "exercise" : "real") : "";
    if (state.fixed && state.exercise === null) state.exercise = state.fixed === "exercise";
    if (!state.to && state.allowed.includes("recovery")) state.to = "recovery";
    else if (!state.to) state.to = state.allowed.includes("emergency") ? "emergency" : state.allowed[0];
  }

  function scopeName(state) {
    if (state.scope === state.home.code) return state.home.name;
    return state.scopes.find((one) => one.code === state.scope)?.name || state.scope;
  }

  /** What has still to be chosen, in words; empty where the key may be pressed. */
  function missing(state) {
    const { t } = pingji;
    const lacks = [];
    if (state.to === "emergency" && !state.level) lacks.push(t("desk.switch.level"));
    if (state.exercise === null) lacks.push(t("desk.switch.kind"));
    if (needsReason(state) && !state.reason.trim()) lacks.push(t("desk.switch.reason"));
    return lacks.join(t("map.list_separator"));
  }

  const needsReason = (state) => state.now.mode === "emergency" && state.to === "recovery";

  function scopeFields(state, set) {
    const { make, t } = pingji;
    if (!state.whole) return partField(state, set);
    const towns = state.scopes.filter((one) => one.level === "township");
    const of = state.township || state.scope;
    const communities = state.scopes.filter((one) => one.level === "community" && one.parent === state.township);
    const line = make("div", "dialog-pair");
    line.append(select(t("desk.switch.scope"), [["", t("desk.switch.county_named", { name: state.county.name })], ...towns.map((one) => [one.code, one.name])], state.township, (code) => set({ township: code, scope: code || state.county.code })));
    const choices = [["", t(state.township ? "desk.switch.whole_township" : "desk.switch.whole_county")], ...communities.map((one) => [one.code, one.name])];
    const second = select(t("desk.switch.community"), choices, communities.some((one) => one.code === state.scope) ? state.scope : "", (code) => set({ scope: code || of }));
    second.querySelector("select").disabled = !state.township || !communities.length;
    line.append(second);
    return line;
  }

  /** One list for who answers for a part of the county. */
  function partField(state, set) {
    const known = state.scopes.map((one) => [one.code, one.name]);
    const choices = known.some(([code]) => code === state.home.code) ? known : [[state.home.code, state.home.name], ...known];
    return select(pingji.t("desk.switch.scope"), choices, state.scope, (code) => set({ scope: code }));
  }

  function paintSwitch(dialog, form, state, repaint, focus) {
    const { make, t } = pingji;
    const set = (change) => {
      Object.assign(state, change, { error: "" });
      if ("scope" in change) follow(state);
      repaint(document.activeElement?.name || document.activeElement?.tagName?.toLowerCase());
    };
    const nowText = t(`mode.${state.now.mode}`);
    const targets = MODES.map((mode) => ({
      value: mode, text: t(`mode.${mode}`), disabled: !state.allowed.includes(mode),
      title: state.allowed.includes(mode) ? "" : t("desk.switch.not_allowed", { mode: nowText }),
    }));
    const kinds = ["exercise", "real"].map((kind) => ({
      value: kind, text: t(`desk.switch.${kind}`), note: t(`desk.switch.${kind}_note`),
      disabled: Boolean(state.fixed) && kind !== state.fixed && !(state.fixed === "exercise" && state.to === "emergency"),
    }));
    const kind = state.exercise === null ? "" : state.exercise ? "exercise" : "real";
    const blocks = [scopeFields(state, set), radios("to", t("desk.switch.to_from", { mode: nowText }), targets, state.to, (to) => set({ to }))];
    if (state.to === "emergency") {
      blocks.push(radios("level", t("desk.switch.level"), [4, 3, 2, 1].map((n) => ({ value: String(n), text: ROMAN[n] })), String(state.level), (level) => set({ level: Number(level) })));
    }
    blocks.push(radios("kind", t("desk.switch.kind"), kinds, kind, (one) => set({ exercise: one === "exercise" })));
    blocks.push(reasonField(t(needsReason(state) ? "desk.switch.reason_required" : "desk.switch.reason"), state.reason, (reason) => {
      state.reason = reason;
      paintFoot();
    }));
    blocks.push(make("p", "dialog-effect", t(`desk.switch.effect_${state.to}`)));
    const foot = make("div", "dialog-foot");
    form.replaceChildren(...blocks, foot);
    form.onsubmit = (event) => {
      event.preventDefault();
      if (!missing(state)) press(dialog, state, paintFoot);
    };
    paintFoot();
    if (focus) (form.querySelector(`[name="${focus}"]:checked`) || form.querySelector(focus.match(/^\w+$/) && !["to", "level", "kind"].includes(focus) ? focus : "select"))?.focus();

    function paintFoot() {
      const lacks = missing(state);
      const words = state.busy ? t("desk.switch.working") : state.exercise === null ? t("desk.switch.confirm") : t(state.exercise ? "desk.switch.confirm_exercise" : "desk.switch.confirm_real");
      const confirm = make("button", `button-key ${kind === "real" ? "is-real" : ""}`, words);
      Object.assign(confirm, { type: "submit", disabled: Boolean(lacks) || state.busy });
      const hint = make("p", state.error ? "dialog-error" : "dialog-hint", state.error || (lacks ? t("desk.switch.missing", { what: lacks }) : ""));
      hint.setAttribute("role", state.error ? "alert" : "status");
      foot.replaceChildren(hint, desk.button("button-quiet", t("desk.switch.cancel"), "", () => dialog.close()), confirm);
    }
  }

  async function press(dialog, state, paintFoot) {
    if (state.busy) return;
    Object.assign(state, { busy: true, error: "" });
    paintFoot();
    const body = { press_id: state.pressId, scope: state.scope, to: state.to, exercise: Boolean(state.exercise), reason: state.reason.trim() };
    if (state.to === "emergency") body.level = state.level;
    try {
      await post("/api/v1/modes", body);
      desk.ownPress = { press_id: state.pressId, scope: state.scope, scope_name: scopeName(state), since: live.now() };
      dialog.close();
      desk.toast(pingji.t("desk.switch.done", { scope: scopeName(state), mode: pingji.t(`mode.${state.to}`) }), pingji.t("desk.switch.undo"), () => desk.openRecall(desk.ownPress));
      desk.paintMode();
      desk.reloadJournal();
    } catch (error) {
      Object.assign(state, { busy: false, error: error.message });
      if (dialog.open) paintFoot();
    }
  }

  /* ── Recall ──────────────────────────────────────────────────────────── */

  desk.openRecall = (given) => {
    const { make, t } = pingji;
    const last = given || desk.lastPress();
    if (!last) return desk.toast(t("desk.recall.none"));
    const { dialog, form } = dialogOf(t("desk.recall.title"), "dialog-recall");
    let reason = "";
    const error = make("p", "dialog-hint");
    error.setAttribute("role", "alert");
    const confirm = make("button", "button-key", t("desk.recall.confirm"));
    confirm.type = "submit";
    form.append(
      make("p", "dialog-effect", t("desk.recall.what", { scope: last.scope_name || last.scope })),
      reasonField(t("desk.recall.reason"), "", (text) => (reason = text)),
      make("div", "dialog-foot", error, desk.button("button-quiet", t("desk.switch.cancel"), "", () => dialog.close()), confirm),
    );
    form.onsubmit = async (event) => {
      event.preventDefault();
      confirm.disabled = true;
      try {
        await post("/api/v1/modes/recall", { press_id: last.press_id, reason: reason.trim() });
        desk.ownPress = null;
        dialog.close();
        desk.toast(t("desk.recall.done"));
        desk.paintMode();
        desk.reloadJournal();
      } catch (problem) {
        confirm.disabled = false;
        error.className = "dialog-error";
        pingji.setText(error, problem.message);
      }
    };
    dialog.showModal();
    form.querySelector("textarea").focus();
  };
})();

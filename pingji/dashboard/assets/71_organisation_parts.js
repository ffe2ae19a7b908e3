/* Pieces that the organisation's panels share: people, posts, warnings, bars, dialogs. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const { make, t, number, organisation: org } = pingji;
  const parts = (org.parts = {});
  const day = new Intl.DateTimeFormat("en-CA", { timeZone: "Asia/Shanghai" });

  /* ── Elements ────────────────────────────────────────────────────────── */

  /** A button with its words and what it does; `key` keeps the focus on it when its list is painted again. */
  parts.button = (className, text, act, key) => {
    const button = make("button", className, text);
    button.type = "button";
    button.addEventListener("click", act);
    if (key) button.dataset.key = key;
    return button;
  };

  parts.heading = (text, note) => make("h3", "og-heading", make("span", "", text), make("small", "", note || ""));

  parts.empty = (text) => make("p", "og-none", text);

  /** What went wrong, where, and a way to ask again. */
  parts.failed = (error, again) => {
    const code = org.keyOf(error);
    const said = error.problem || error.network ? error.message : t("org.error.unexpected", { code: "js" });
    const box = make("div", "og-failed", make("p", "", code ? `${said} ${t("desk.error.code", { code })}` : said));
    box.setAttribute("role", "alert");
    if (again) box.append(parts.button("og-small", t("org.error.again"), again, "again"));
    return box;
  };

  parts.mark = (kind, text) => {
    const mark = make("span", "og-mark", text);
    mark.dataset.kind = kind;
    return mark;
  };

  /** Buttons of which one is pressed: options are [value, text]. */
  parts.choice = (label, options, value, choose) => {
    const row = make("div", "og-choice");
    row.setAttribute("role", "group");
    row.setAttribute("aria-label", label);
    for (const [name, text] of options) {
      const button = parts.button("og-option", text, () => choose(name), `choice-${name}`);
      button.dataset.value = name;
      button.setAttribute("aria-pressed", String(name === value));
      row.append(button);
    }
    return row;
  };

  /** A part of a whole as a bar; both are always printed beside it. */
  parts.bar = (value, of, kind = "good") => {
    const fill = make("span", "og-bar-fill");
    fill.dataset.kind = kind;
    pingji.setScale(fill, of ? Math.min(1, value / of) : 0);
    return make("span", "og-bar", fill);
  };

  parts.ratio = (value, of) => make("span", "og-ratio", make("b", "", number(value)), make("i", "", ` / ${number(of)}`));

  parts.percent = (share) => (share === null || share === undefined ? "—" : `${share >= 1 || share === 0 ? share * 100 : (Math.floor(share * 1000) / 10).toFixed(1)}%`);

  /* ── Words ───────────────────────────────────────────────────────────── */

  parts.kindOf = (post) => post.title || t(`org.post.${post.kind}`);

  parts.unitKind = (unit) => (unit.kind && unit.kind !== "place" ? t(`org.kind.${unit.kind}`) : t(`org.level.${unit.level}`));

  parts.when = (ms) => {
    if (!ms) return "";
    const time = pingji.clock(ms, "minutes");
    return day.format(ms) === day.format(pingji.live.now()) ? time : `${day.format(ms)} ${time}`;
  };

  parts.term = (post) => {
    if (!post.term_from && !post.term_to) return "";
    return t("org.unit.term", { from: post.term_from || "…", to: post.term_to || "…" });
  };

  parts.warning = ({ key, params }) => make("li", "og-warning", t(`organisation.warning.${key}`, params));

  parts.warnings = (list) => (list?.length ? make("ul", "og-warnings", ...list.map(parts.warning)) : "");

  /* ── People and posts ────────────────────────────────────────────────── */

  /** A name and its phone, or a hollow mark that says the seat is empty. */
  parts.person = (name, phone, missing = t("org.unit.vacant")) => {
    if (!name) return parts.mark("hollow", missing);
    return make("span", "og-person", make("b", "", name), make("i", "", phone || ""));
  };

  /** Which community and grid a post lies in; its own unit is named beside it. */
  parts.where = (post) => [org.nameOf(post.community), post.level === "grid" ? "" : org.nameOf(post.grid)].filter(Boolean).join(" · ");

  /** Names behind their masks, to who may see them, as the layer keeps them; an empty text for who may not. */
  parts.names = async (layer, code) => {
    const spec = (await pingji.client).layers.find((one) => one.name === layer);
    const fields = Object.fromEntries((spec?.fields || []).map((field) => [field.column, field.label]));
    return (spec && pingji.names?.block(layer, code, fields)) || "";
  };

  /** Why a post stands on the list of vacancies. */
  parts.why = (post) => (post.why || []).map((why) => parts.mark(why === "no_holder" ? "hollow" : "quiet", t(`org.why.${why}`)));

  /** A post as a card: who holds it, who would, and until when. */
  parts.postCard = (post, ...foot) => {
    const head = make("div", "og-post-head", make("b", "", parts.kindOf(post)));
    if (post.chain) head.append(make("i", "", t(`org.chain.${post.chain}`)));
    if (post.role) head.append(make("i", "", t("org.unit.role")));
    if (post.commands) head.append(parts.mark("solid", t("org.unit.commands")));
    const rows = make("dl", "og-post-rows", make("dt", "", t("org.unit.holder")), make("dd", "", parts.person(post.holder, post.holder_phone)));
    rows.append(make("dt", "", t("org.unit.deputy")), make("dd", "", parts.person(post.deputy, post.deputy_phone, t("org.why.no_deputy"))));
    if (post.department) rows.append(make("dt", "", t("org.unit.department")), make("dd", "", post.department_name || post.department));
    if (parts.term(post)) rows.append(make("dt", "", t("org.unit.term_label")), make("dd", "", parts.term(post), ...(post.why || []).filter((why) => why === "term_ended").map((why) => parts.mark("quiet", t(`org.why.${why}`)))));
    const card = make("article", "og-post", head, rows, ...foot.filter(Boolean));
    card.dataset.post = post.code;
    card.dataset.vacant = String(!post.holder);
    return card;
  };

  /** A line of a to-do list: pressing it goes to the place and leaves the list as it is. */
  parts.todo = (key, title, note, marks, go) => {
    const row = parts.button("og-todo", "", go, key);
    row.replaceChildren(make("span", "og-todo-title", title), make("span", "og-todo-note", note), make("span", "og-todo-marks", ...marks));
    return row;
  };

  /** Marks one line of a list as the one that is being looked at. */
  parts.choose = (list, row) => {
    for (const one of list.querySelectorAll(".og-todo.is-chosen")) one.classList.remove("is-chosen");
    row.classList.add("is-chosen");
  };

  /** Which part of the organisation a list tells of, and the way back to all of it. */
  parts.scopeLine = () => {
    const { scope, home } = org.state;
    const line = make("p", "og-scope", make("span", "", t("org.list.scope")), make("b", "", scope.name || home.name));
    if (scope.code && scope.code !== home.code) line.append(parts.button("og-link", t("org.list.whole", { name: home.name }), () => org.setScope(), "whole"));
    return line;
  };

  /* ── Dialogs ─────────────────────────────────────────────────────────── */

  parts.field = (label, input, note) => make("label", "dialog-field", make("span", "", label), input, make("small", "og-note", note || ""));

  parts.input = (name, value = "", more = {}) => Object.assign(make("input", "og-input"), { name, type: "text", value, maxLength: 120, autocomplete: "off", ...more });

  /** A modal dialog with a form; `send(values)` is awaited, and what it rejects with is shown at the foot. */
  parts.dialog = ({ title, className = "", body, confirm, send }) => {
    const dialog = make("dialog", `desk-dialog og-dialog ${className}`.trim());
    const form = make("form", "dialog-form");
    dialog.setAttribute("aria-label", title);
    const close = parts.button("dialog-close", "×", () => dialog.close());
    close.setAttribute("aria-label", t("org.close"));
    const hint = make("p", "dialog-hint");
    hint.setAttribute("role", "alert");
    const press = Object.assign(make("button", "button-key", confirm), { type: "submit" });
    const foot = make("div", "dialog-foot", hint, parts.button("button-quiet", t("org.cancel"), () => dialog.close()), press);
    form.append(...body, foot);
    const refuse = (error) => {
      const code = org.keyOf(error);
      hint.className = error ? "dialog-error" : "dialog-hint";
      pingji.setText(hint, code ? `${error.message} ${t("desk.error.code", { code })}` : error.message || "");
    };
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (press.disabled) return;
      press.disabled = true;
      try {
        await send(Object.fromEntries(new FormData(form)));
        dialog.close("done");
      } catch (error) {
        refuse(error);
        press.disabled = false;
      }
    });
    dialog.append(make("div", "dialog-head", make("h2", "", title), close), form);
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
    form.querySelector("input, select, textarea")?.focus();
    return { dialog, form, press, refuse };
  };
})();

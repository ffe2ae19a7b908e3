/* Change sets: which are open, the one in hand with its edits in words, and what it still lacks before review. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const { make, t } = pingji;
  const { grids } = pingji;
  const { parts } = grids;
  const sets = (grids.sets = {});
  let slot = null;
  let published = null; // {name, codes} of the publication that was just made here

  const community = () => grids.state.community;
  const current = () => grids.state.set;
  const url = (set, rest = "") => `/grids/sets/${encodeURIComponent(set.id)}${rest}`;

  /* ── Beginning, renaming ─────────────────────────────────────────────── */

  const reasonOptions = () => parts.reasons.map((one) => [one, t(`choice.grids.reason.${one}`)]);

  function wordFields(set) {
    return [
      parts.field(t("grids.set.name"), parts.input("name", set.name, { required: true })),
      parts.field(t("grids.set.reason"), parts.select("reason", reasonOptions(), set.reason)),
      parts.field(t("grids.set.note"), Object.assign(make("textarea", "gp-input"), { name: "note", rows: 2, maxLength: 1000, value: set.note || "", placeholder: t("grids.set.note_placeholder") })),
    ];
  }

  /** Asks what the new change set is about; resolves with it once it is open, or with null. */
  sets.begin = () => new Promise((done) => {
    const here = community();
    const id = grids.uuid();
    const name = t("grids.set.name_default", { community: here.name, date: parts.date(pingji.live.now()) });
    let begun = null;
    const { dialog } = parts.dialog({
      title: t("grids.set.begin"),
      className: "gp-begin",
      body: wordFields({ name, reason: "correction", note: "" }),
      confirm: t("grids.set.begin_confirm"),
      send: async (values) => {
        const answer = await grids.ask("POST", "/grids/sets", { id, name: values.name.trim(), reason: values.reason, note: values.note.trim(), communities: [here.code] });
        begun = answer.set || answer;
        await grids.open(here.code, { set: begun.id });
      },
    });
    dialog.addEventListener("close", () => done(begun));
  });

  /** The draft in hand, or a new one. */
  grids.needSet = async () => (current() && current().status === "draft" ? current() : sets.begin());

  function rename(set) {
    parts.dialog({
      title: t("grids.set.rename"),
      body: wordFields(set),
      confirm: t("grids.set.save"),
      send: async (values) => {
        await grids.ask("PATCH", url(set), { revision: set.revision, name: values.name.trim(), reason: values.reason, note: values.note.trim() });
        await grids.reload();
      },
    });
  }

  /* ── Steps ───────────────────────────────────────────────────────────── */

  /** Takes a step of a change set; resolves with the answer once the workbench shows what came of it. */
  sets.step = async (set, step, note = "") => {
    const answer = await grids.ask("POST", url(set, "/steps"), { revision: set.revision, step, note });
    if (step === "publish") published = { name: set.name, codes: answer.codes || {} };
    const ended = step === "publish" || step === "discard";
    if (step !== "submit") grids.review.close();
    if (step === "publish") grids.panel("sets").show(); // where the codes that were given are
    await grids.open(community().code, { set: ended ? null : set.id });
    if (!ended) parts.say(t(`grids.set.done_${step}`, { name: set.name }));
    return answer;
  };

  /** A step that asks for words first, and says under which name it is taken. */
  sets.askStep = (set, step) => parts.dialog({
    title: t(`grids.set.step_${step}`),
    body: [
      make("p", "dialog-effect", t(`grids.set.effect_${step}`, { name: set.name })),
      ...(step === "discard" ? [] : [parts.field(t(step === "return" ? "grids.set.return_note" : "grids.set.review_note"), Object.assign(make("textarea", "gp-input"), { name: "note", rows: 2, maxLength: 1000, required: step === "return" }))]),
      make("p", "gp-note", t("grids.set.signed_as", { name: grids.actor() })),
    ],
    confirm: t(`grids.set.do_${step}`),
    send: (values) => sets.step(set, step, (values.note || "").trim()),
  });

  /** Whether whoever works here drew some of it: then somebody else has to publish. */
  const ownWork = (set) => [set.author, ...(set.editors || [])].includes(grids.actor());

  /** Why this change set can't be published now, in words; empty where it can. */
  sets.whyNot = (set) => {
    const { held } = grids.state;
    if (held) return t(held.exercise ? "grids.set.held_exercise" : "grids.set.held", { scope: held.scope_name });
    if (set.stale && set.stale.length) return t("grids.set.stale_hold", { grids: parts.labels(set.stale) });
    if (set.status !== "review") return t("grids.set.not_in_review");
    return ownWork(set) ? t("grids.set.second_person", { name: grids.actor() }) : "";
  };

  /* ── The edits in words ──────────────────────────────────────────────── */

  sets.editWords = editWords;
  function editWords({ kind, codes = [], intent = {} }) {
    const names = { grids: parts.labels(codes), n: codes.length, code: parts.label(intent.code || codes[0]), into: parts.label(intent.into || intent.to || codes[0]) };
    return t(`grids.set.edit_${kind}`, names);
  }

  function editItem(edit) {
    const item = make("li", "gp-edit", make("span", "gp-edit-what", editWords(edit)), make("span", "gp-edit-who", `${parts.who(edit.actor)} · ${parts.when(edit.at)}`));
    item.dataset.state = edit.set_aside ? "aside" : edit.in_force ? "in_force" : "undone";
    if (edit.set_aside) {
      const why = edit.refusal ? refusalWords(edit.refusal) : "";
      if (why) item.append(make("p", "gp-edit-why", why));
      if (grids.mayEdit()) item.append(parts.button("gp-small", t("grids.set.again"), () => again(edit)));
    } else if (!edit.in_force) item.append(make("span", "gp-edit-mark", t("grids.set.undone")));
    if (edit.codes?.length && !edit.set_aside) {
      item.addEventListener("click", () => grids.select(edit.codes.filter((code) => grids.state.grids.has(code)), { zoom: true }));
      item.classList.add("is-place");
    }
    return item;
  }

  const refusalWords = (refusal) => (pingji.language === "en" ? refusal.text_en || refusal.text : refusal.text) || refusal.key || "";

  async function again(edit) {
    if (await grids.act(edit.intent)) parts.say(t("grids.set.again_done"));
  }

  function editsOf(set) {
    const edits = set.edits || [];
    const aside = edits.filter((one) => one.set_aside);
    const others = edits.filter((one) => !one.set_aside).reverse();
    const list = make("ol", "gp-edits", ...others.map(editItem));
    const nodes = [parts.heading(t("grids.set.edits"), set.position ?? others.filter((one) => one.in_force).length), others.length ? list : parts.empty(t("grids.set.no_edits"))];
    if (aside.length) nodes.push(parts.heading(t("grids.set.aside"), aside.length), parts.empty(t("grids.set.aside_note")), make("ol", "gp-edits", ...aside.map(editItem)));
    return nodes;
  }

  /* ── What it lacks ───────────────────────────────────────────────────── */

  function checks(set) {
    const problems = (grids.state.problems || []).filter((one) => one.new);
    const errors = problems.filter((one) => one.severity === "error").length;
    const warnings = problems.length - errors;
    const aside = (set.edits || []).filter((one) => one.set_aside).length;
    return [
      { ok: set.position > 0, text: t(set.position > 0 ? "grids.set.check_edits" : "grids.set.check_no_edits", { n: set.position }), must: true },
      { ok: errors === 0, text: t(errors ? "grids.set.check_errors" : "grids.set.check_no_errors", { n: errors }), must: true, panel: errors ? "problems" : "" },
      ...(warnings ? [{ ok: false, text: t("grids.set.check_warnings", { n: warnings }), must: false, panel: "problems" }] : []),
      ...(set.stale?.length ? [{ ok: false, text: t("grids.set.check_stale", { n: set.stale.length }), must: true }] : []),
      ...(aside ? [{ ok: false, text: t("grids.set.check_aside", { n: aside }), must: false }] : []),
    ];
  }

  /** What keeps a draft from being submitted, in words; empty where nothing does. */
  sets.lacks = (set) => checks(set).filter((one) => one.must && !one.ok).map((one) => one.text).join(t("grids.set.separator"));

  function checkList(list) {
    const box = make("ul", "gp-checks");
    for (const one of list) {
      const words = one.panel ? parts.button("gp-check-go", one.text, () => grids.panel(one.panel).show()) : make("span", "", one.text);
      const item = make("li", "", make("span", "gp-check-mark", one.ok ? "✓" : one.must ? "✕" : "!"), words);
      item.dataset.state = one.ok ? "ok" : one.must ? "must" : "may";
      box.append(item);
    }
    return box;
  }

  /* ── The panel ───────────────────────────────────────────────────────── */

  function head(set) {
    const line = [t(`choice.grids.reason.${set.reason}`), parts.who(set.author), parts.ago(set.created_at)].filter(Boolean).join(" · ");
    const nodes = [make("div", "gp-set-head", make("h3", "gp-set-name", set.name), parts.status(set.status)), make("p", "gp-set-meta", line)];
    const others = (set.editors || []).filter((one) => one !== set.author);
    if (others.length) nodes.push(make("p", "gp-set-meta", t("grids.set.with", { names: others.map(parts.who).join(t("grids.set.separator")) })));
    if (set.note) nodes.push(make("p", "gp-set-note", set.note));
    if (set.review_note && set.status === "draft") nodes.push(parts.notice("said", t("grids.set.returned", { who: parts.who(set.reviewer), note: set.review_note })));
    return nodes;
  }

  function actionsOf(set) {
    const row = make("div", "gp-actions");
    if (set.status === "draft") {
      if (grids.mayEdit()) row.append(parts.button("button-key", t("grids.set.submit"), () => sets.askStep(set, "submit"), sets.lacks(set)));
      row.append(parts.button("button-quiet", t("grids.set.compare"), () => grids.review.open(set.id)));
    } else if (set.status === "review") {
      row.append(parts.button("button-key", t(grids.mayReview() ? "grids.set.review" : "grids.set.compare"), () => grids.review.open(set.id)));
    }
    const quiet = make("div", "gp-actions gp-actions-quiet");
    if (set.status === "draft" && grids.mayEdit()) quiet.append(parts.button("gp-link", t("grids.set.rename"), () => rename(set)));
    if (set.status !== "published" && set.status !== "discarded" && grids.mayEdit()) quiet.append(parts.button("gp-link", t("grids.set.discard"), () => sets.askStep(set, "discard")));
    quiet.append(parts.button("gp-link", t("grids.set.leave"), () => grids.open(community().code, { set: null })));
    return [row, quiet];
  }

  function currentCard(set) {
    const card = make("section", "gp-current", ...head(set));
    if (set.stale?.length) card.append(parts.notice("conflict", t("grids.set.stale", { grids: parts.labels(set.stale) }), parts.button("gp-small", t("grids.set.show_conflict"), () => grids.conflict.open(set))));
    if (set.status === "draft") card.append(checkList(checks(set)));
    if (set.status === "review") card.append(parts.notice("said", t("grids.set.waiting", { time: parts.when(set.submitted_at) })));
    card.append(...actionsOf(set), ...editsOf(set));
    return card;
  }

  function heldNotice() {
    const { held } = grids.state;
    return held ? [parts.notice("held", t(held.exercise ? "grids.set.held_exercise" : "grids.set.held", { scope: held.scope_name }))] : [];
  }

  /** What the last publication called its new grids. */
  function publishedNotice() {
    if (!published) return [];
    const given = Object.entries(published.codes);
    const list = make("ul", "gp-given", ...given.map(([from, to]) => make("li", "", make("span", "", parts.label(from)), make("span", "", "→"), make("b", "", to))));
    const text = given.length ? t("grids.set.published_codes", { name: published.name }) : t("grids.set.published", { name: published.name });
    const hide = parts.button("gp-small", t("grids.set.understood"), () => ((published = null), paint()));
    return [parts.notice("done", text, ...(given.length ? [list] : []), hide)];
  }

  function openItem(one) {
    const here = (one.communities || []).map((each) => each.code || each);
    const button = parts.button("gp-open", "", () => grids.open(here.includes(community()?.code) ? community().code : here[0], { set: one.id }));
    button.append(
      make("span", "gp-open-name", one.name), parts.status(one.status),
      make("span", "gp-open-meta", [parts.who(one.author), parts.ago(one.updated_at), here.includes(community()?.code) ? "" : t("grids.set.elsewhere")].filter(Boolean).join(" · ")),
    );
    button.setAttribute("aria-current", String(current()?.id === one.id));
    return make("li", "", button);
  }

  function openSets() {
    const code = community()?.code;
    const mine = (one) => ((one.communities || []).some((each) => (each.code || each) === code) ? 0 : 1);
    const all = (pingji.live.values.drafts || []).filter((one) => one.id !== current()?.id).sort((a, b) => mine(a) - mine(b) || b.updated_at - a.updated_at);
    const list = make("ul", "gp-opens", ...all.map(openItem));
    return [parts.heading(t("grids.set.open_sets"), all.length), all.length ? list : parts.empty(t(current() ? "grids.set.no_others" : grids.mayEdit() ? "grids.set.no_sets" : "grids.set.no_sets_yet"))];
  }

  /** How a change set comes to be: begun here, or from a file. */
  function beginnings(set) {
    if (!grids.mayEdit()) return [];
    const begin = parts.button(set ? "button-quiet" : "button-key", t("grids.set.begin"), () => sets.begin(), grids.state.readOnly && !set ? t("grids.history.read_only") : "");
    return [make("div", "gp-actions", begin, parts.button("button-quiet", t("grids.set.import"), () => grids.files.openImport()))];
  }

  function paint() {
    if (!slot || !community()) return;
    const set = current();
    slot.replaceChildren(...publishedNotice(), ...heldNotice(), ...(set ? [currentCard(set)] : []), ...openSets(), ...beginnings(set));
  }
  sets.paint = paint;

  parts.whenDrawn("grids-sets", (found) => {
    slot = found;
    for (const what of ["community", "set", "problems"]) grids.on(what, paint);
    pingji.live.on("drafts", paint);
    paint();
  });
})();

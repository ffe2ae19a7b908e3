/* Conflicts: what two people made of the same grids, side by side, and doing one's own once more on the newest. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const { make, t } = pingji;
  const { grids } = pingji;
  const { parts } = grids;
  const conflict = (grids.conflict = {});
  const [WIDTH, HEIGHT] = [240, 170];

  /* ── One grid, three ways ────────────────────────────────────────────── */

  /** A version of a grid over the faint outline of what both began with. */
  function picture(name, label, geometry, base, box) {
    const shapes = [{ geometry: base, className: "gp-shape-base" }, { geometry, className: `gp-shape-${name}` }];
    const figure = make("figure", "gp-version", parts.outline(shapes, box, WIDTH, HEIGHT, label), make("figcaption", "", label));
    if (!geometry) figure.append(make("span", "gp-version-none", t("grids.conflict.ended")));
    figure.dataset.version = name;
    return figure;
  }

  /** {code, base, theirs, mine, by, actor, at} as a row of three pictures; the words say by whom and when. */
  function gridRow(one) {
    const all = [one.base, one.theirs, one.mine].filter(Boolean);
    const box = parts.boundsOf(all) || [0, 0, 1, 1];
    const head = parts.button("gp-conflict-head", "", () => grids.zoom(box));
    head.append(make("b", "", parts.label(one.code)), make("span", "", words(one)));
    return make(
      "li", "gp-conflict", head,
      make(
        "div", "gp-versions",
        picture("base", t("grids.conflict.base"), one.base, null, box),
        picture("theirs", t("grids.conflict.theirs"), one.theirs, one.base, box),
        picture("mine", t("grids.conflict.mine"), one.mine, one.base, box),
      ),
      ...(one.values ? [described(one.values)] : []),
    );
  }

  /** The register's words in three versions, one line each column that both changed. */
  function described({ base, theirs, mine }) {
    const list = make("dl", "gp-conflict-values");
    for (const column of Object.keys(mine)) {
      const said = [base, theirs, mine].map((version) => version[column] || "—");
      list.append(make("dt", "", t(`field.${column}`)), ...said.map((text) => make("dd", "", text)));
    }
    return list;
  }

  function words(one) {
    const params = { who: parts.who(one.actor), time: parts.when(one.at), name: one.by || "" };
    return t(one.by ? "grids.conflict.published_by" : "grids.conflict.edited_by", params);
  }

  /* ── Overtaken by a publication ──────────────────────────────────────── */

  /** Shows what was published otherwise, and offers to do one's own edits once more on it. */
  conflict.open = async (set) => {
    let answer;
    try {
      answer = await grids.ask("GET", `/grids/sets/${encodeURIComponent(set.id)}/conflict`);
    } catch (error) {
      return parts.say(parts.refusal(error));
    }
    parts.dialog({
      title: t("grids.conflict.title"),
      className: "gp-wide",
      body: [make("p", "dialog-effect", t("grids.conflict.what", { n: answer.grids.length })), make("ul", "gp-conflicts", ...answer.grids.map(gridRow))],
      confirm: grids.mayEdit() ? t("grids.conflict.rebase") : "",
      send: () => rebase(set),
    });
  };

  async function rebase(set) {
    const answer = await grids.ask("POST", `/grids/sets/${encodeURIComponent(set.id)}/rebase`, { revision: set.revision });
    const after = answer.set || answer;
    await grids.open(grids.state.community.code, { set: set.id });
    const edits = grids.state.set?.edits || after.edits || [];
    const aside = edits.filter((one) => one.set_aside).length;
    const kept = (answer.kept || []).map((one) => parts.label(one.code)).join(t("map.list_separator"));
    const done = t(aside ? "grids.conflict.rebased_aside" : "grids.conflict.rebased", { n: edits.length - aside, aside });
    parts.say(kept ? `${done} ${t("grids.conflict.kept", { codes: kept })}` : done);
    grids.panel("sets").show();
  }

  /* ── Somebody else went on with the same draft ───────────────────────── */

  let before = { set: null, grids: new Map() }; // as this browser saw it before the last change
  let now = { set: null, grids: new Map() };

  function remember({ set, grids: known }) {
    if (now.set && set && now.set.id === set.id && now.set.revision === set.revision) return void (now.grids = known);
    before = now;
    now = { set, grids: known };
  }

  /** The edits that others put into the draft since this browser looked. */
  function theirEdits() {
    const seen = new Set((before.set?.edits || []).map((one) => one.seq));
    return (now.set?.edits || []).filter((one) => !seen.has(one.seq) && !one.set_aside);
  }

  const lineOf = (intent) => intent && (intent.line || (intent.at && intent.to ? [intent.at, intent.to] : null));

  /** What I wanted, as far as it can be drawn: the grid as it was, and my line across it. */
  function myPicture(code, intent, box) {
    const base = before.grids.get(code)?.geometry;
    const figure = picture("mine", t("grids.conflict.mine"), base, null, box);
    const line = lineOf(intent);
    if (line) figure.querySelector("svg").append(parts.line(line, box, WIDTH, HEIGHT, "gp-shape-line"));
    return figure;
  }

  function movedRow(edit, intent) {
    const list = make("li", "gp-conflict", make("p", "gp-conflict-words", t("grids.conflict.moved_edit", { who: parts.who(edit.actor), time: parts.when(edit.at), what: grids.sets.editWords(edit) })));
    const touched = (edit.codes || []).slice(0, 2);
    const shapes = touched.flatMap((code) => [before.grids.get(code)?.geometry, now.grids.get(code)?.geometry]).filter(Boolean);
    const box = parts.boundsOf(shapes);
    if (!box) return list;
    const code = touched.find((one) => before.grids.has(one)) || touched[0];
    const base = before.grids.get(code)?.geometry;
    list.append(make(
      "div", "gp-versions",
      picture("base", t("grids.conflict.base"), base, null, box),
      picture("theirs", t("grids.conflict.theirs"), now.grids.get(code)?.geometry, base, box),
      myPicture(code, intent, box),
    ));
    return list;
  }

  /** The later of two editors of one draft: what the other did, and whether to do one's own on top of it. */
  function moved(state, error) {
    if (grids.keyOf(error) !== "set_moved" || !state.unsent) return;
    const edits = theirEdits();
    if (!edits.length) return;
    const { intent } = state.unsent;
    grids.clearRefused(); // the dialog says more than the notice
    parts.dialog({
      title: t("grids.conflict.moved_title"),
      className: "gp-wide",
      body: [make("p", "dialog-effect", t("grids.conflict.moved_what")), make("ul", "gp-conflicts", ...edits.map((one) => movedRow(one, intent)))],
      confirm: t("grids.conflict.resend"),
      cancel: t("grids.conflict.leave"),
      send: () => void grids.resend(),
    });
  }

  parts.whenDrawn("grids-sets", () => {
    remember(grids.state);
    grids.on("set", remember);
    grids.on("grids", remember);
    grids.on("refused", moved);
  });
})();

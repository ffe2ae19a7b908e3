/* The chosen unit: both chains side by side, the six roles, its posts and who held them before. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const { make, t, number, organisation: org } = pingji;
  const { state, parts } = org;
  const AREAS = ["county", "township", "community", "grid"];
  const LAYERS = { community: "communities", grid: "grids", building: "buildings" }; // which keep some of the names
  const SHOWN = 3; // posts of the level below that are listed before "more"

  /* ── Head ────────────────────────────────────────────────────────────── */

  function head({ unit, path }) {
    const way = make("nav", "og-path");
    way.setAttribute("aria-label", t("org.unit.path"));
    for (const one of path.filter((above) => above.code !== unit.code)) way.append(parts.button("og-link", one.name || one.code, () => org.select(one.code, { from: "search" }), `path-${one.code}`));
    const title = make("h2", "og-unit-name", unit.name || unit.code);
    const kind = make("p", "og-unit-kind", make("span", "", parts.unitKind(unit)), make("i", "", unit.code));
    return make("header", "og-unit-head", way, title, kind);
  }

  /* ── Chains ──────────────────────────────────────────────────────────── */

  /** One seat of a chain: who sits there, who would, and whether this one commands now. */
  function seat(post) {
    const cell = make("div", "og-seat", make("span", "og-seat-kind", parts.kindOf(post)), parts.person(post.holder, post.holder_phone));
    if (post.deputy) cell.append(make("span", "og-seat-deputy", t("org.chain.deputy", { name: post.deputy }), make("i", "", post.deputy_phone)));
    else if (post.holder) cell.append(make("span", "og-seat-deputy", t("org.why.no_deputy")));
    cell.dataset.commands = String(Boolean(post.commands));
    cell.dataset.vacant = String(!post.holder);
    cell.title = post.unit_name;
    return cell;
  }

  /** The seats of one chain at one level: a few in full, the others on demand. */
  function seats(level, chain) {
    const posts = level[chain] || [];
    const column = make("div", "og-seats", ...posts.slice(0, SHOWN).map((post) => named(post, seat(post), posts.length > 1)));
    if (posts.length > SHOWN) {
      const more = make("details", "og-more", make("summary", "", t("org.chain.more", { n: number(posts.length - SHOWN) })));
      more.append(...posts.slice(SHOWN).map((post) => named(post, seat(post), true)));
      column.append(more);
    }
    if (!posts.length && !level.counted) column.append(make("span", "og-seat-none", t("org.chain.no_post")));
    column.dataset.chain = chain;
    return column;
  }

  function named(post, cell, several) {
    if (several) cell.prepend(make("span", "og-seat-unit", post.unit_name));
    return cell;
  }

  function levelRow(level) {
    const name = level.level === "household" ? t("org.chain.centres") : t(`org.chain.level.${level.level}`);
    const caption = make("div", "og-level-name", make("b", "", name));
    const row = make("div", "og-level");
    row.dataset.level = level.level;
    row.dataset.above = String(Boolean(level.above));
    if (level.level === "household") {
      row.append(caption, make("div", "og-seats", make("span", "og-seat-none", t("org.chain.centres_n", { n: number(level.centres) }))), make("div", "og-seats"));
      return row;
    }
    if (!level.above && level.posts > 1) caption.append(parts.ratio(level.filled, level.posts), make("small", "", t("org.chain.filled")));
    level.counted = level.posts > 0 && !level.routine?.length && !level.emergency?.length;
    row.append(caption, seats(level, "routine"), seats(level, "emergency"));
    if (level.counted) row.children[1].append(make("span", "og-seat-none", t("org.chain.counted")));
    return row;
  }

  function chains(found) {
    const column = (name) => {
      const cell = make("div", "og-chain-head", make("b", "", t(`org.chain.${name}`)));
      cell.dataset.chain = name;
      cell.dataset.commands = String(found.commands === name);
      if (found.commands === name) cell.append(parts.mark("solid", t("org.chain.in_force")));
      return cell;
    };
    const now = t("org.chain.now", { mode: t(`mode.${found.mode}`), since: found.since && found.mode !== "routine" ? t("org.chain.since", { time: parts.when(found.since) }) : "" });
    const note = make("p", "og-note", found.exercise ? `${now} ${t("org.chain.exercise")}` : now);
    const grid = make("div", "og-chains", make("div", "og-chain-head"), column("routine"), column("emergency"), ...found.levels.map(levelRow));
    grid.dataset.commands = found.commands;
    return make("section", "og-section", parts.heading(t("org.chain.title")), note, grid);
  }

  /* ── The six ─────────────────────────────────────────────────────────── */

  /** One grid: each role with what it has of what it needs. */
  function six(grid, roles) {
    const list = make("ul", "og-six");
    for (const role of roles) {
      const { have, need, ok } = grid.roles[role];
      const item = make("li", "", make("span", "", t(`org.post.${role}`)), need ? parts.ratio(have, need) : make("span", "og-ratio", t("org.six.not_needed")));
      item.dataset.ok = String(ok);
      list.append(item);
    }
    return make("section", "og-section", parts.heading(t("org.six.title"), `${grid.filled} / 6`), list);
  }

  /** Many grids: in how many each role is filled. */
  function sixOfMany({ roles, totals }) {
    const list = make("ul", "og-lines");
    for (const role of roles) {
      const one = totals.roles[role];
      list.append(make("li", "og-line", make("span", "og-line-name", t(`org.post.${role}`)), parts.bar(one.grids, totals.grids), parts.ratio(one.grids, totals.grids)));
    }
    const whole = t("org.six.complete", { n: number(totals.complete), of: number(totals.grids) });
    return make("section", "og-section", parts.heading(t("org.six.title"), whole), list);
  }

  function completeness(found, unit) {
    if (!found.grids.length) return "";
    const one = found.grids.find((grid) => grid.code === (unit.place || unit.code));
    return unit.level === "grid" && one ? six(one, found.roles) : sixOfMany(found);
  }

  /* ── Posts ───────────────────────────────────────────────────────────── */

  function posts({ unit, posts: all, past }) {
    const editable = state.may.has("edit_organisation");
    const edit = (post) => (editable ? parts.button("og-small", t("org.edit.open"), () => org.editPost(post), `edit-${post.code}`) : null);
    const filled = all.filter((post) => post.holder).length;
    const section = make("section", "og-section", parts.heading(t("org.unit.posts"), t("org.unit.filled", { filled: number(filled), of: number(all.length) })));
    section.append(...(all.length ? all.map((post) => parts.postCard(post, edit(post))) : [parts.empty(t("org.unit.no_posts"))]));
    if (unit.level === "community") section.append(parts.button("og-link", t("org.committees.open"), () => org.openCommittees(unit.code)));
    if (past?.length) {
      const list = make("details", "og-more", make("summary", "", t("org.unit.past", { n: number(past.length) })));
      list.append(...past.map((post) => make("p", "og-past", make("span", "", parts.kindOf(post)), make("b", "", post.holder || t("org.unit.vacant")), make("i", "", t("org.unit.until", { day: post.ended || "" })))));
      section.append(list);
    }
    return section;
  }

  /* ── Together ────────────────────────────────────────────────────────── */

  async function load() {
    const found = state.unit;
    const { unit } = found;
    const scope = unit.place || unit.code;
    const area = AREAS.includes(unit.level);
    const [chain, roles, names] = await Promise.all([
      area ? org.ask("GET", "/chains", { query: { scope } }) : null,
      area ? org.ask("GET", "/completeness", { query: { scope } }) : null,
      LAYERS[unit.level] && unit.code === unit.place ? parts.names(LAYERS[unit.level], unit.place) : "",
    ]);
    return { found, chain, roles, names };
  }

  function paint({ found, chain, roles, names }) {
    const { unit } = found;
    const about = [head(found)];
    if (roles) about.push(completeness(roles, unit));
    if (chain) about.push(chains(chain));
    about.push(posts(found));
    if (names) about.push(names);
    return about.filter(Boolean);
  }

  const show = () => state.unit && org.fill(org.slot("unit"), load, paint);

  /** The same once more: the posts as well, for somebody has changed one. */
  async function again() {
    if (!state.code) return;
    await org.select(state.code, { from: "list", fly: false });
  }

  let shownCode = null;
  org.on("unit", () => {
    if (state.code !== shownCode) org.slot("unit").scrollTop = 0;
    shownCode = state.code;
    show();
  });
  org.on("failed", (error) => org.slot("unit").replaceChildren(parts.failed(error, error.again)));
  org.on("mode", show);
  org.on("changed", again);

  /* ── Changing a post ─────────────────────────────────────────────────── */

  /** Name and phone of one of the two, or the word that there is nobody: nothing is emptied by leaving it out. */
  function seatFields(name, post) {
    const masked = (value) => (value.includes("*") ? "" : value);
    const input = (field, more) => parts.input(field, masked(post[field]), { placeholder: post[field], ...more });
    const person = input(name, { required: !masked(post[name]) && Boolean(post[name]) });
    const phone = input(`${name}_phone`, { inputMode: "tel", pattern: "[0-9+ \\-]*", maxLength: 32 });
    const nobody = Object.assign(make("input"), { type: "checkbox", name: `${name}_none` });
    nobody.addEventListener("change", () => {
      for (const one of [person, phone]) one.disabled = nobody.checked;
    });
    const box = make("fieldset", "og-seat-fields", make("legend", "", t(`org.edit.${name}`)), parts.field(t("org.edit.name"), person), parts.field(t("org.edit.phone"), phone));
    box.append(make("label", "og-check", nobody, make("span", "", t(`org.edit.${name}_none`))));
    return box;
  }

  /** Who holds a post from today on: names on record are masked here, so whoever stays is written in full again. */
  org.editPost = (post) => {
    const day = (name) => parts.field(t(`org.edit.${name}`), parts.input(name, post[name] || "", { type: "date" }));
    parts.dialog({
      title: t("org.edit.title", { post: parts.kindOf(post), unit: post.unit_name }),
      body: [seatFields("holder", post), seatFields("deputy", post), make("div", "dialog-pair", day("term_from"), day("term_to")), make("p", "dialog-effect", t("org.edit.masked"))],
      confirm: t("org.edit.save"),
      send: async (values) => {
        const of = (name) => (values[name] || "").trim();
        const people = Object.fromEntries(["holder", "holder_phone", "deputy", "deputy_phone"].map((name) => [name, of(name)]));
        const body = { ...people, term_from: values.term_from || null, term_to: values.term_to || null, department: post.department || null, title: post.title };
        await org.ask("PUT", `/posts/${encodeURIComponent(post.code)}`, { body });
        pingji.toast(t("org.edit.saved", { post: parts.kindOf(post) }));
        org.tell("changed", {});
      },
    });
  };
})();

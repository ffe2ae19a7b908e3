/* Who looks after whom: centre household, its members, their households; and the households that nobody looks after. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const { make, t, number, organisation: org } = pingji;
  const { state, parts } = org;
  let gaps = null; // {features, totals} of the scope
  let tree = null; // the centre that is open, with its members
  let chosen = ""; // code of a grid whose centres are listed

  /* ── Lists ───────────────────────────────────────────────────────────── */

  async function load() {
    const scope = state.scope.code;
    const [found, missing] = await Promise.all([
      org.ask("GET", "/sponsors", { query: { scope, grid: gridOf() } }),
      org.ask("GET", "/gaps", { query: { scope } }),
    ]);
    return { ...found, missing };
  }

  /** The grid whose centres are listed: the one pressed here, or the scope where it is a grid. */
  const gridOf = () => chosen || (state.scope.level === "grid" ? state.scope.code : "");

  function rulesLine(rules) {
    const range = (name) => `${rules[`${name}_low`]}–${rules[`${name}_high`]}`;
    return make("p", "og-note", t("org.sponsors.rules", { centres: range("centres"), members: range("members"), households: range("households") }));
  }

  function gridRow(grid) {
    const open = () => {
      chosen = grid.grid;
      tree = null;
      show();
      org.select(grid.grid, { from: "list" });
    };
    const title = make("span", "", make("b", "", grid.name || grid.grid), make("span", "og-todo-unit", t("org.sponsors.counts", { centres: number(grid.centres), members: number(grid.members) })));
    const note = make("span", "og-cover", parts.bar(grid.covered, grid.households), parts.ratio(grid.covered, grid.households), make("b", "", parts.percent(grid.share)));
    const row = parts.todo(`sponsor-${grid.grid}`, title, note, grid.warnings.map(({ key, params }) => parts.mark("quiet", t(`organisation.warning.${key}`, params))), open);
    row.classList.toggle("is-chosen", grid.grid === gridOf());
    return row;
  }

  function paint({ rules, grids, centres, missing }) {
    gaps = missing; // of the newest question only
    org.repaint();
    const { totals } = missing;
    const covered = make("p", "og-total", parts.ratio(totals.covered, totals.households), make("span", "", t("org.sponsors.covered", { share: parts.percent(totals.share), n: number(totals.uncovered) })));
    const head = [parts.scopeLine(), covered, rulesLine(rules)];
    if (gridOf()) {
      const grid = grids.find((one) => one.grid === gridOf());
      const back = chosen && chosen !== state.scope.code ? parts.button("og-link", t("org.sponsors.back"), () => ((chosen = ""), (tree = null), org.repaint(), show()), "back") : "";
      const own = make("header", "og-grid-head", make("b", "", grid?.name || gridOf()), grid ? parts.warnings(grid.warnings) : "", back);
      return [...head, own, ...(centres.length ? centres.map(centreCard) : [parts.empty(t("org.sponsors.no_centre"))])];
    }
    const open = grids.filter((one) => one.households).sort((a, b) => b.warnings.length - a.warnings.length || a.share - b.share);
    return [...head, make("div", "og-list", ...open.map(gridRow)), ...(open.length ? [] : [parts.empty(t("org.sponsors.none"))])];
  }

  /* ── The tree of a centre ────────────────────────────────────────────── */

  function centreCard(centre) {
    const is = tree?.centre.code === centre.code;
    const open = parts.button("og-centre", "", () => openCentre(is ? null : centre.code), `centre-${centre.code}`);
    open.setAttribute("aria-expanded", String(is));
    open.append(parts.person(centre.name, centre.phone), make("span", "og-todo-unit", t("org.sponsors.centre_counts", { members: number(centre.members), households: number(centre.households) })));
    const card = make("article", "og-centre-card", open, parts.warnings(centre.warnings) || "");
    if (!is) return card;
    card.append(make("ul", "og-members", ...tree.members.map(member)));
    parts.names("party_households", centre.code).then((block) => block && card.append(block));
    return card;
  }

  function member(one) {
    const counts = make("span", "og-ratio", make("b", "", number(one.households)), make("i", "", t("org.sponsors.households")));
    const item = make("details", "og-member", make("summary", "", parts.person(one.name, one.phone), counts), parts.warnings(one.warnings) || "");
    item.append(make("ul", "og-linked", ...one.linked.map((household) => make("li", "", household.name || t("org.sponsors.household"), make("i", "", household.code)))));
    return make("li", "", item);
  }

  async function openCentre(code) {
    tree = null;
    if (code) {
      try {
        tree = await org.ask("GET", `/sponsors/${encodeURIComponent(code)}`);
      } catch (error) {
        pingji.toast(error.message);
      }
    }
    const box = tree && boundsOf([tree.centre.lonlat, ...tree.members.flatMap((one) => one.linked.map((household) => household.lonlat))]);
    if (box) org.fly(box, 16);
    org.repaint();
    show();
  }

  function boundsOf(places) {
    const known = places.filter(Boolean);
    if (!known.length) return null;
    const [lons, lats] = [known.map((one) => one[0]), known.map((one) => one[1])];
    return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
  }

  /* ── On the map ──────────────────────────────────────────────────────── */

  /** Households without anybody are hollow rings; a centre is a square with lines to whom it reaches. */
  function draw(frame, pen) {
    if (gaps && (state.tab === "sponsors" || state.figure === "coverage")) drawGaps(frame, pen);
    if (tree && state.tab === "sponsors") drawTree(pen);
  }

  function drawGaps(frame, { context, ink, halo, xy }) {
    const r = frame.zoom < 17 ? 2.2 : 3.6; // households of a building must not hide its grid's figure
    for (const one of gaps.features || []) {
      const [x, y] = xy(one.geometry.coordinates);
      if (x < -9 || y < -9 || x > frame.width + 9 || y > frame.height + 9) continue;
      context.beginPath();
      context.arc(x, y, r, 0, 7);
      Object.assign(context, { fillStyle: halo, strokeStyle: ink, lineWidth: r > 3 ? 1.4 : 1 });
      context.fill();
      context.stroke();
    }
  }

  function drawTree({ context, ink, halo, xy, teal }) {
    if (!tree.centre.lonlat) return;
    const [cx, cy] = xy(tree.centre.lonlat);
    for (const household of tree.members.flatMap((one) => one.linked)) {
      if (!household.lonlat) continue;
      const [x, y] = xy(household.lonlat);
      context.beginPath();
      context.moveTo(cx, cy);
      context.lineTo(x, y);
      Object.assign(context, { strokeStyle: teal, lineWidth: 1, globalAlpha: 0.7 });
      context.stroke();
      context.globalAlpha = 1;
      context.beginPath();
      context.arc(x, y, 3.2, 0, 7);
      context.fillStyle = teal;
      context.fill();
    }
    context.beginPath();
    context.rect(cx - 6, cy - 6, 12, 12);
    Object.assign(context, { fillStyle: ink, strokeStyle: halo, lineWidth: 2 });
    context.fill();
    context.stroke();
  }

  /* ── Together ────────────────────────────────────────────────────────── */

  const show = () => org.fill(org.slot("sponsors"), load, paint);

  /** The map shows the gaps also where the list is not open. */
  async function onlyGaps() {
    if (state.figure !== "coverage" || state.tab === "sponsors") return org.repaint();
    const { code } = state.scope;
    try {
      const found = await org.ask("GET", "/gaps", { query: { scope: code } });
      if (code === state.scope.code) gaps = found;
    } catch {
      gaps = null; // the colours of the areas still tell where gaps are
    }
    org.repaint();
  }

  function again() {
    chosen = "";
    tree = null;
    gaps = null;
    state.tab === "sponsors" ? show() : onlyGaps();
  }

  org.ready.then(() => {
    org.draw(draw);
    if (state.tab === "sponsors") show();
  });
  org.on("tab", (name) => (name === "sponsors" ? show() : org.repaint()));
  for (const what of ["scope", "changed"]) org.on(what, again);
  org.on("figure", onlyGaps);
})();

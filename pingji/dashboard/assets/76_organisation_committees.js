/* The joint committees as one table over the map: departments down, communities across, and who is first secretary. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const { make, t, number, organisation: org } = pingji;
  const { state, parts } = org;
  let order = "code"; // or "community"
  let wanted = ""; // part of a department's name

  const cell = (tag, className, ...content) => make(tag, className, ...content.filter((one) => one !== undefined && one !== null));

  function dot(kind, label) {
    const mark = make("span", "og-dot");
    mark.dataset.kind = kind;
    mark.setAttribute("role", "img");
    mark.setAttribute("aria-label", label);
    return mark;
  }

  /** The head of a community's column: its name, its first secretary or the lack of one, how many departments. */
  function columnHead(one) {
    const name = parts.button("og-column", one.name, () => (org.closeCommittees(), org.showTab("unit"), org.select(one.code, { from: "search" })), `column-${one.code}`);
    name.title = [one.committee, ...one.warnings.map(({ key, params }) => t(`organisation.warning.${key}`, params))].filter(Boolean).join("\n");
    const head = cell("th", "", name);
    head.scope = "col";
    head.dataset.warned = String(one.warnings.length > 0);
    head.dataset.code = one.code;
    return head;
  }

  function secretaryCell(one) {
    const post = one.first_secretary;
    const warned = one.warnings.some(({ key }) => key === "first_secretary_not_paired");
    const person = post?.holder ? make("span", "og-secretary", post.holder) : parts.mark("hollow", t("org.committees.no_secretary"));
    const found = cell("td", "", person, warned ? parts.mark("quiet", t("org.committees.not_paired")) : null);
    found.title = one.warnings.map(({ key, params }) => t(`organisation.warning.${key}`, params)).join("\n");
    return found;
  }

  function row(department, communities) {
    const head = cell("th", "", make("span", "og-department", department.name), make("i", "", number(department.communities.length)));
    head.scope = "row";
    head.title = [department.name, department.head && `${department.head} ${department.head_phone}`].filter(Boolean).join("\n");
    const paired = new Set(department.communities);
    const cells = communities.map((one) => {
      if (!paired.has(one.code)) return cell("td", "");
      const leads = one.first_secretary?.holder && one.first_secretary.department === department.code;
      return cell("td", "", dot(leads ? "first" : "pair", t(leads ? "org.committees.cell_first" : "org.committees.cell_pair", { department: department.name, community: one.name })));
    });
    const made = make("tr", "", head, ...cells);
    made.dataset.department = department.code;
    return made;
  }

  function table({ departments, communities }) {
    const names = make("tr", "og-names", cell("th", "og-corner", make("span", "", t("org.committees.department"))), ...communities.map(columnHead));
    const counted = (name, fn) => make("tr", "", Object.assign(cell("th", "", make("span", "", t(`org.committees.${name}`))), { scope: "row" }), ...communities.map(fn));
    const head = make("thead", "", names, counted("first_secretary", secretaryCell), counted("departments", (one) => cell("td", "", make("b", "", number(one.departments.length)))));
    const shown = departments.filter((one) => one.name.includes(wanted.trim()) || one.code.includes(wanted.trim()));
    const first = (one) => communities.findIndex(({ code }) => one.communities.includes(code));
    if (order === "community") shown.sort((a, b) => (first(a) - first(b)) || (a.code < b.code ? -1 : 1));
    const body = make("tbody", "", ...shown.map((one) => row(one, communities)));
    return make("table", "og-matrix", head, body);
  }

  function paint(found) {
    const { totals, communities } = found;
    const title = make("h2", "", t("org.committees.title"));
    const note = make("p", "og-committees-note", t("org.committees.totals", { departments: number(totals.departments), communities: number(totals.communities), pairs: number(totals.pairs), grids: number(totals.grids) }));
    const input = Object.assign(make("input", "og-input"), { type: "search", value: wanted, placeholder: t("org.committees.find") });
    input.setAttribute("aria-label", t("org.committees.find"));
    const scroll = make("div", "og-committees-scroll", table(found));
    const redraw = () => scroll.replaceChildren(table(found));
    input.addEventListener("input", () => ((wanted = input.value), redraw()));
    const sort = make("div");
    const paintSort = () => sort.replaceChildren(parts.choice(t("org.committees.order"), ["code", "community"].map((name) => [name, t(`org.committees.order_${name}`)]), order, (name) => {
      order = name;
      paintSort();
      redraw();
    }));
    paintSort();
    const legend = make("p", "og-committees-legend", dot("pair", ""), make("span", "", t("org.committees.legend_pair")), dot("first", ""), make("span", "", t("org.committees.legend_first")));
    const close = parts.button("dialog-close", "×", org.closeCommittees);
    close.setAttribute("aria-label", t("org.close"));
    const warned = communities.flatMap((one) => one.warnings.map((warning) => make("li", "", make("b", "", one.name), parts.warning(warning).textContent)));
    const head = make("header", "og-committees-head", make("div", "", title, note), make("div", "og-committees-tools", input, sort, close));
    const foot = make("footer", "og-committees-foot", legend, warned.length ? make("ul", "", ...warned) : make("p", "", t("org.committees.all_well")));
    scroll.tabIndex = 0;
    return [head, communities.length ? scroll : parts.empty(t("org.committees.none")), foot];
  }

  const show = () => org.fill(org.slot("committees"), () => org.ask("GET", "/committees"), paint);

  org.openCommittees = async (community) => {
    org.slot("committees").hidden = false;
    document.querySelector(".og-open-committees")?.setAttribute("aria-pressed", "true");
    await show();
    if (community) org.slot("committees").querySelector(`th[data-code="${CSS.escape(community)}"]`)?.scrollIntoView({ inline: "center", block: "nearest" });
    org.slot("committees").querySelector("input")?.focus();
  };

  org.closeCommittees = () => {
    org.slot("committees").hidden = true;
    const button = document.querySelector(".og-open-committees");
    button?.setAttribute("aria-pressed", "false");
    button?.focus();
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && org.slot("committees") && !org.slot("committees").hidden && !document.querySelector("dialog[open]")) org.closeCommittees();
  });
  org.on("changed", () => !org.slot("committees").hidden && show());
})();

/* The tree of units: loaded branch by branch, with what is filled of what there is; arrows, Enter, Home and End work. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const { make, t, number, organisation: org } = pingji;
  const { state, parts } = org;
  const DEPARTMENTS = "departments"; // they all hang on the county: one branch of their own keeps the townships in sight

  let root = null;
  const nodes = new Map(); // code → {unit, item, row, group, loaded: promise | null}
  const figures = new Map(); // code of an area → {filled, of}
  const names = new Map(); // code of a community or grid → its name
  let whole = null; // {filled, of} of all that is mine

  /* ── Nodes ───────────────────────────────────────────────────────────── */

  function nodeOf(unit, level) {
    const item = make("li", "og-node");
    const row = make("div", "og-row");
    item.append(row);
    item.setAttribute("role", "treeitem");
    item.setAttribute("aria-level", String(level));
    item.setAttribute("aria-selected", "false");
    item.tabIndex = -1;
    item.dataset.code = unit.code;
    item.dataset.level = unit.level;
    const node = { unit, item, row, level, group: null, loaded: null };
    if (unit.children) item.setAttribute("aria-expanded", "false");
    nodes.set(unit.code, node);
    paintRow(node);
    return node;
  }

  function paintRow({ unit, row, level }) {
    const twisty = make("span", "og-twisty");
    twisty.dataset.leaf = String(!unit.children);
    const kind = unit.level === DEPARTMENTS ? "" : parts.unitKind(unit);
    const name = make("span", "og-row-name", unit.name || unit.code);
    name.title = [unit.name, kind, unit.code].filter(Boolean).join(" · ");
    row.replaceChildren(twisty, name, countOf(unit));
    row.style.paddingLeft = `${(level - 1) * 12 + 2}px`;
  }

  /** What of the posts below a unit is filled; a branch that nobody counted shows its own. */
  function countOf(unit) {
    if (unit.level === DEPARTMENTS) return make("span", "og-count", number(unit.children));
    const below = unit.level === "county" ? whole : figures.get(unit.code);
    const { filled, of } = below || { filled: unit.posts - unit.vacant, of: unit.posts };
    const count = make("span", "og-count");
    if (!of) return count;
    count.append(make("b", "", number(filled)), make("i", "", `/${number(of)}`));
    count.dataset.full = String(filled === of);
    count.title = t("org.tree.count", { filled: number(filled), of: number(of), n: number(of - filled) });
    return count;
  }

  /* ── Branches ────────────────────────────────────────────────────────── */

  async function children(node) {
    const { units } = node.unit.level === DEPARTMENTS ? { units: node.unit.list } : await org.ask("GET", "/units", { query: { parent: node.unit.code } });
    const departments = node.unit.level === DEPARTMENTS ? [] : units.filter((one) => one.level === "department");
    const rest = units.filter((one) => !departments.includes(one));
    if (departments.length) rest.push({ code: DEPARTMENTS, name: t("org.tree.departments"), level: DEPARTMENTS, children: departments.length, posts: 0, vacant: 0, list: departments });
    return rest.map((one) => nodeOf(one, node.level + 1));
  }

  /** Opens a branch, asking for it the first time; resolves when it is there. */
  function expand(node) {
    if (!node.unit.children) return Promise.resolve();
    node.item.setAttribute("aria-expanded", "true");
    if (node.group) node.group.hidden = false;
    if (node.loaded) return node.loaded;
    const group = (node.group = make("ul", "og-branch", make("li", "og-waiting", t("org.loading"))));
    group.setAttribute("role", "group");
    node.item.append(group);
    node.loaded = children(node).then(
      (found) => group.replaceChildren(...found.map((one) => one.item)),
      (error) => {
        node.loaded = null;
        group.replaceChildren(make("li", "og-waiting", parts.failed(error, () => (collapse(node), expand(node)))));
        node.group = null;
      },
    );
    return node.loaded;
  }

  function collapse(node) {
    node.item.setAttribute("aria-expanded", "false");
    if (!node.loaded && node.item.lastElementChild !== node.row) node.item.lastElementChild.remove();
    if (node.group) node.group.hidden = true;
  }

  const isOpen = (node) => node.item.getAttribute("aria-expanded") === "true";
  const toggle = (node) => (isOpen(node) ? collapse(node) : expand(node));

  /** Opens the branches down to the chosen unit and brings it into view. */
  async function reveal({ unit, path }) {
    if (!root) return;
    await root;
    for (const above of path) {
      if (above.code === unit.code) continue;
      const node = nodes.get(above.code);
      if (node) await expand(node);
    }
    if (unit.level === "department" && nodes.has(DEPARTMENTS)) await expand(nodes.get(DEPARTMENTS));
    if (state.code === unit.code) mark(unit.code, true);
  }

  function mark(code, show) {
    for (const one of document.querySelectorAll('.og-node[aria-selected="true"]')) one.setAttribute("aria-selected", "false");
    const node = nodes.get(code);
    if (!node) return;
    node.item.setAttribute("aria-selected", "true");
    tabStop(node.item);
    if (show) node.row.scrollIntoView({ block: "nearest" });
  }

  function tabStop(item) {
    for (const one of document.querySelectorAll('.og-node[tabindex="0"]')) one.tabIndex = -1;
    item.tabIndex = 0;
  }

  /* ── Hands ───────────────────────────────────────────────────────────── */

  const shown = (tree) => [...tree.querySelectorAll(".og-node")].filter((item) => !item.parentElement.closest('.og-node[aria-expanded="false"]'));

  function choose(node) {
    if (node.unit.level === DEPARTMENTS) return toggle(node);
    org.showTab("unit");
    org.select(node.unit.code, { from: "tree" });
  }

  function onKey(event) {
    const item = event.target.closest(".og-node");
    const node = item && nodes.get(item.dataset.code);
    if (!node) return;
    const all = shown(event.currentTarget);
    const at = all.indexOf(item);
    const steps = {
      ArrowDown: () => all[at + 1], ArrowUp: () => all[at - 1], Home: () => all[0], End: () => all[all.length - 1],
      ArrowRight: () => (!node.unit.children ? null : isOpen(node) ? all[at + 1] : expand(node) && null),
      ArrowLeft: () => (node.unit.children && isOpen(node) ? collapse(node) : item.parentElement.closest(".og-node")),
      Enter: () => choose(node) && null, " ": () => choose(node) && null,
    };
    if (!(event.key in steps)) return;
    event.preventDefault();
    const next = steps[event.key]();
    if (!(next instanceof HTMLElement)) return;
    tabStop(next);
    next.focus();
  }

  function onClick(event) {
    const item = event.target.closest(".og-node");
    const node = item && event.target.closest(".og-row") && nodes.get(item.dataset.code);
    if (!node) return;
    tabStop(item);
    if (event.target.closest(".og-twisty") && node.unit.children) return toggle(node);
    choose(node);
    if (!isOpen(node)) expand(node);
  }

  /* ── Figures ─────────────────────────────────────────────────────────── */

  /** What is filled below every area, from the figures of the map: one request for the whole tree. */
  async function count() {
    const [communities, grids] = await Promise.all(["community", "grid"].map((level) => org.areas("vacancies", level)));
    for (const { properties: one } of [...communities.values(), ...grids.values()]) names.set(one.code, one.name);
    figures.clear();
    const add = (code, value, of) => {
      const now = figures.get(code) || { filled: 0, of: 0 };
      figures.set(code, { filled: now.filled + of - value, of: now.of + of });
    };
    for (const { properties: one } of communities.values()) {
      add(one.code, one.value, one.of);
      if (one.township) add(one.township, one.value, one.of);
    }
    for (const { properties: one } of grids.values()) add(one.code, one.value, one.of);
    paintRows();
  }

  org.nameOf = (code) => names.get(code) || "";

  function paintRows() {
    for (const node of nodes.values()) paintRow(node);
  }

  /* ── Search ──────────────────────────────────────────────────────────── */

  const FOUND = new Set(["communities", "grids", "buildings", ""]);

  function mountSearch() {
    const input = Object.assign(make("input", "og-input"), { type: "search", placeholder: t("org.search.placeholder"), autocomplete: "off", spellcheck: false });
    input.setAttribute("aria-label", t("org.search.label"));
    const list = Object.assign(make("ul", "og-found"), { hidden: true });
    let timer = 0;
    const ask = async () => {
      const q = input.value.trim();
      list.hidden = !q;
      if (!q) return;
      await org.fill(list, () => searched(q), (found) => (found.length ? found.map(hit) : make("li", "og-waiting", t("org.search.none", { q }))));
    };
    const hit = (one) => {
      const go = () => {
        list.hidden = true;
        org.showTab("unit");
        org.select(one.code, { from: "search" });
      };
      const button = parts.button("og-hit", "", go);
      button.append(make("b", "", one.name || one.code), make("span", "", one.layer_title || t("org.level.township")), make("i", "", one.code));
      return make("li", "", button);
    };
    input.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(ask, 180);
    });
    input.addEventListener("keydown", (event) => {
      if (event.key === "Escape") list.hidden = true;
      if (event.key === "Enter" || event.key === "ArrowDown") list.querySelector("button")?.[event.key === "Enter" ? "click" : "focus"]();
    });
    org.slot("search").replaceChildren(input, list);
  }

  async function searched(q) {
    const response = await fetch(`/api/v1/search?q=${encodeURIComponent(q)}&lang=${pingji.language}`);
    if (!response.ok) throw Object.assign(new Error(t("org.error.unexpected", { code: response.status })), { network: true });
    return (await response.json()).filter((one) => FOUND.has(one.layer) || !one.layer_title).slice(0, 12);
  }

  /* ── Mounting ────────────────────────────────────────────────────────── */

  async function plant() {
    const slot = org.slot("tree");
    nodes.clear();
    const { units } = await org.ask("GET", "/units");
    const tree = make("ul", "og-roots");
    tree.setAttribute("role", "tree");
    tree.setAttribute("aria-label", t("org.tree.label"));
    const tops = units.map((one) => nodeOf(one, 1));
    tree.append(...tops.map((one) => one.item));
    if (tops.length) tops[0].item.tabIndex = 0;
    tree.addEventListener("keydown", onKey);
    tree.addEventListener("click", onClick);
    slot.replaceChildren(units.length ? tree : parts.empty(t("org.tree.none")));
    if (tops.length === 1) await expand(tops[0]);
  }

  function replant() {
    root = plant();
    root.catch((error) => org.slot("tree").replaceChildren(parts.failed(error, replant)));
    root.then(() => state.unit && reveal(state.unit), () => null);
    count().catch(() => null); // the map says what is wrong; rows keep their own counts
  }

  org.ready.then(() => {
    mountSearch();
    replant();
  });
  org.on("unit", () => reveal(state.unit));
  org.on("choosing", ({ code }) => mark(code, false));
  org.on("changed", replant);
  org.on("counted", ({ posts, no_holder: empty }) => {
    whole = { filled: posts - empty, of: posts };
    paintRows();
  });
})();

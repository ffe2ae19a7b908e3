/* The problem list is the to-do list: errors first, each with its place on the map and, where there is one, its repair. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const { make, t, number } = pingji;
  const { grids } = pingji;
  const { parts } = grids;
  const KINDS = ["overlap", "gap", "outside_parent", "invalid", "duplicate", "missing", "sliver", "building_cut", "household_outside", "too_many", "too_few"];
  const SHOWN = 30; // of one kind, until more is asked for
  let slot = null;
  let chosen = "";
  const whole = new Set(); // kinds whose whole list was asked for

  const errorsFirst = (a, b) => (a.severity === b.severity ? 0 : a.severity === "error" ? -1 : 1);

  /** Problems by kind: errors before warnings, then in the order of `KINDS`. */
  function groups(problems) {
    const found = new Map();
    for (const one of problems) found.has(one.kind) ? found.get(one.kind).push(one) : found.set(one.kind, [one]);
    return [...found].sort(([a, first], [b, second]) => errorsFirst(first[0], second[0]) || KINDS.indexOf(a) - KINDS.indexOf(b));
  }

  /** The distinct repairs of problems: one repair often mends many. */
  function repairsOf(problems) {
    const distinct = new Map(problems.filter((one) => one.repair).map((one) => [JSON.stringify(one.repair), one.repair]));
    return [...distinct.values()];
  }

  async function repair(intents) {
    const before = grids.state.problems.length;
    let done = 0;
    for (const intent of intents) {
      if (!(await grids.act(intent))) break; // the workbench has said why
      done += 1;
    }
    if (!done || done < intents.length) return;
    const left = grids.state.problems.length;
    const undo = async () => {
      for (let i = 0; i < done; i += 1) await grids.undo();
    };
    parts.say(t("grids.problem.repaired", { n: number(Math.max(0, before - left)), left: number(left) }), t("grids.problem.undo"), undo);
  }

  function show(problem) {
    chosen = problem.id;
    if (problem.bounds) grids.zoom(problem.bounds);
    grids.highlight(problem.geometry || problem.lonlat, "problem", problem.codes);
    for (const item of slot.querySelectorAll("[data-problem]")) item.classList.toggle("is-chosen", item.dataset.problem === chosen);
  }

  const words = (one) => t(`grids.problem.${one.kind}`, { ...one.params, grids: parts.labels(one.codes || []), area: parts.area(one.area_m2 || 0) });

  function item(one) {
    const line = parts.button("gp-problem-place", "", () => show(one));
    line.append(make("span", "", words(one)));
    if (one.new) line.append(make("i", "gp-tag", t("grids.problem.new")));
    const row = make("li", "gp-problem", line);
    row.dataset.problem = one.id;
    row.classList.toggle("is-chosen", one.id === chosen);
    if (one.repair && grids.mayEdit()) row.append(parts.button("gp-small", t("grids.problem.repair"), () => repair([one.repair]), grids.whyNot()));
    return row;
  }

  function group([kind, problems]) {
    const list = whole.has(kind) ? problems : problems.slice(0, SHOWN);
    const head = parts.heading(t(`grids.problem.title_${kind}`), problems.length);
    head.dataset.severity = problems[0].severity;
    head.prepend(make("span", "gp-severity", t(`grids.problem.${problems[0].severity}`)));
    const nodes = [head, make("ul", "gp-problems", ...list.map(item))];
    if (list.length < problems.length) nodes.push(parts.button("gp-link", t("grids.problem.more", { n: number(problems.length - list.length) }), () => (whole.add(kind), paint())));
    return make("section", "", ...nodes);
  }

  function summary(problems) {
    const errors = problems.filter((one) => one.severity === "error").length;
    const fresh = problems.filter((one) => one.new).length;
    const row = make("div", "gp-problem-sum");
    for (const [name, n] of [["errors", errors], ["warnings", problems.length - errors], ["fresh", fresh]]) {
      const cell = make("div", "", make("b", "", number(n)), make("span", "", t(`grids.problem.sum_${name}`)));
      cell.dataset.sum = name;
      cell.dataset.none = String(n === 0);
      row.append(cell);
    }
    return row;
  }

  function paint() {
    if (!slot) return;
    const { problems, community } = grids.state;
    grids.panel("problems").badge(problems.length || "");
    if (!community) return slot.replaceChildren(parts.empty(t("grids.problem.no_community")));
    if (!problems.length) return slot.replaceChildren(make("div", "gp-all-well", make("b", "", "✓"), make("p", "", t("grids.problem.none")), make("p", "gp-note", t("grids.problem.none_note"))));
    const intents = repairsOf(problems);
    const mendable = problems.filter((one) => one.repair).length;
    const all = parts.button("button-quiet", t("grids.problem.repair_all", { n: number(mendable) }), () => repair(intents), grids.whyNot());
    slot.replaceChildren(summary(problems), ...(mendable && grids.mayEdit() ? [make("div", "gp-actions", all)] : []), ...groups(problems).map(group));
  }

  parts.whenDrawn("grids-problems", (found) => {
    slot = found;
    for (const what of ["community", "problems", "set"]) grids.on(what, paint);
    grids.on("community", (state, detail) => detail?.moved && whole.clear());
    paint();
  });
})();

/* The lineage of a grid as a small graph: time runs down, every code has its lane, and links say what came from what. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const { make, t } = pingji;
  const { grids } = pingji;
  const { parts } = grids;
  const [TOP, LEFT, LANE, ROW, BAR] = [34, 92, 52, 58, 14];

  /** Distinct moments, oldest first; the open end is `Infinity`. */
  function momentsOf({ versions, links }) {
    const all = [...versions.flatMap((one) => [one.began_at || 0, one.ended_at || Infinity]), ...links.map((one) => one.at)];
    return [...new Set(all)].sort((a, b) => a - b);
  }

  const lanesOf = ({ versions, links }) => [...new Set([...versions.map((one) => one.code), ...links.flatMap((one) => [one.from, one.into])])].sort();

  /** A version of a grid: a bar from its beginning to its end, hollow where it has ended. */
  function versionBar(one, place, chosen, show) {
    const { x, y } = place;
    const [from, to] = [y(one.began_at || 0), y(one.ended_at || Infinity)];
    const state = one.ended_at ? "past" : "now";
    const bar = parts.svg("rect", { x: x(one.code) - BAR / 2, y: from + 3, width: BAR, height: Math.max(8, to - from - 6), rx: 4, class: `gp-version-bar is-${state}${one.code === chosen ? " is-chosen" : ""}` });
    const words = t(one.ended_at ? "grids.history.version_past" : "grids.history.version_now", { code: one.code, name: one.name || "", from: one.valid_from || t("grids.history.first"), to: one.valid_to || "", set: one.set_name || t("grids.history.first") });
    bar.append(parts.svg("title", {}, words));
    const date = one.ended_at ? lastDay(one) : "";
    const link = parts.svg("g", { tabindex: 0, role: "button", "aria-label": words, class: "gp-version-link" }, bar);
    link.addEventListener("click", () => show(date));
    link.addEventListener("keydown", (event) => ["Enter", " "].includes(event.key) && (event.preventDefault(), show(date)));
    return link;
  }

  /** The last whole day on which a past version stood, or its first where it stood for less. */
  const lastDay = (one) => [parts.date(one.ended_at - 86400000), one.valid_from || ""].sort().pop();

  function curve(one, { x, y }) {
    const [x0, x1, at] = [x(one.from), x(one.into), y(one.at)];
    const line = parts.svg("path", { d: `M${x0} ${at - 9}C${x0} ${at + 6} ${x1} ${at - 6} ${x1} ${at + 9}`, class: `gp-lineage-link is-${one.kind}` });
    line.append(parts.svg("title", {}, t(`grids.history.link_${one.kind}`, { from: parts.label(one.from), into: parts.label(one.into) })));
    return line;
  }

  function axis(moments, place, width) {
    const nodes = [];
    for (const at of moments) {
      const y = place.y(at);
      const words = at === 0 ? t("grids.history.first") : at === Infinity ? t("grids.history.now") : parts.date(at);
      nodes.push(parts.svg("line", { x1: LEFT - 12, x2: width, y1: y, y2: y, class: "gp-lineage-tick" }), parts.svg("text", { x: LEFT - 18, y: y + 4, "text-anchor": "end", class: "gp-lineage-date" }, words));
    }
    return nodes;
  }

  /** The graph; `show(date)` is called with the day of the version that was chosen, "" for today. */
  grids.history.graph = (answer, chosen, show) => {
    const [lanes, moments] = [lanesOf(answer), momentsOf(answer)];
    const place = { x: (code) => LEFT + 16 + lanes.indexOf(code) * LANE, y: (at) => TOP + moments.indexOf(at) * ROW };
    const [width, height] = [LEFT + 16 + lanes.length * LANE, TOP + (moments.length - 1) * ROW + 14];
    const graph = parts.svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, class: "gp-lineage", role: "group", "aria-label": t("grids.history.lineage") });
    graph.append(...axis(moments, place, width));
    for (const code of lanes) graph.append(parts.svg("text", { x: place.x(code), y: 16, "text-anchor": "middle", class: `gp-lineage-code${code === chosen ? " is-chosen" : ""}` }, parts.label(code)));
    graph.append(...answer.links.map((one) => curve(one, place)), ...answer.versions.map((one) => versionBar(one, place, chosen, show)));
    const kinds = [...new Set(answer.links.map((one) => one.kind))];
    const words = answer.links.map((one) => make("li", "", `${parts.date(one.at)} ${t(`grids.history.link_${one.kind}`, { from: parts.label(one.from), into: parts.label(one.into) })}`));
    return make("div", "gp-lineage-box", make("div", "gp-lineage-scroll", graph), ...(kinds.length ? [make("ul", "gp-lineage-words", ...words)] : []));
  };
})();

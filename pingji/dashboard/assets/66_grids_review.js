/* Review: before and after side by side on two maps that move as one, who gains and who loses, and the second person's step. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const { make, t, number } = pingji;
  const { grids } = pingji;
  const { parts } = grids;
  const review = (grids.review = {});
  const LABELS = 80; // more changed grids than this are named by the table only
  const GROUND = ["rivers", "roads", "buildings"];
  const LOOKS = ["beside", "swipe", "before", "after"];
  const narrow = matchMedia("(max-width: 1100px), (pointer: coarse)");
  let open = null; // {set, answer, node, maps}

  /* ── Two maps that move as one ───────────────────────────────────────── */

  const styles = {
    same: { weight: 0.8, opacity: 0.75, fill: false },
    changed: { weight: 2.4, fillColor: "url(#gp-hatch-changed)", fillOpacity: 1 },
    new: { weight: 3.2, fillColor: "url(#gp-hatch-new)", fillOpacity: 1 },
    ended: { weight: 2.4, dashArray: "7 5", fillColor: "url(#gp-hatch-ended)", fillOpacity: 1 },
    redescribed: { weight: 2.4, dashArray: "1 5", fillColor: "transparent", fillOpacity: 1 },
    ghost: { weight: 1.6, dashArray: "4 4", opacity: 0.9, fill: false },
  };
  const HATCHES = { changed: "M0 8 8 0", new: "M4 0v8M0 4h8", ended: "M0 8 8 0M0 0l8 8" };

  /** Patterns of change: told apart by their lines, with no colour needed. */
  function hatches() {
    const defs = parts.svg("defs");
    for (const [name, d] of Object.entries(HATCHES)) {
      defs.append(parts.svg("pattern", { id: `gp-hatch-${name}`, width: 8, height: 8, patternUnits: "userSpaceOnUse" }, parts.svg("path", { d, class: "gp-hatch" })));
    }
    return parts.svg("svg", { width: 0, height: 0, class: "gp-defs", "aria-hidden": "true" }, defs);
  }

  function makeMap(box) {
    const L = window.L;
    const map = L.map(box, { attributionControl: false, zoomControl: false, zoomSnap: 0.25, wheelPxPerZoomLevel: 90, zoomAnimation: false, fadeAnimation: false, inertia: false });
    map.canvas = L.canvas({ padding: 0.3 });
    map.vectors = L.svg({ padding: 0.5 });
    map.named = []; // middles of the grids whose names are written
    return map;
  }

  /** Names of streets go where they leave the changed grids' names room. */
  const keepRoom = (map) => (frame, taken) => {
    for (const place of map.named) {
      const { x, y } = map.project(place).subtract([frame.ox, frame.oy]);
      taken.reserve(x - 30, y - 18, x + 30, y + 18);
    }
  };

  /** Roads, water and buildings below, as the workbench's map has loaded them: nothing is asked for twice. */
  function drawGround(map) {
    if (!grids.view?.canvases) return null;
    const ground = Object.assign(Object.create(grids.view), { map, paintNames: keepRoom(map), isVisible: ({ spec }) => GROUND.includes(spec.name) });
    pingji.mapkit.mountCanvases(ground);
    return ground;
  }

  /** Whichever is moved, the other follows. */
  function tie(one, other) {
    let following = false;
    const follow = (from, to) => () => {
      if (following) return;
      following = true;
      to.setView(from.getCenter(), from.getZoom(), { animate: false });
      following = false;
    };
    one.on("move zoom", follow(one, other));
    other.on("move zoom", follow(other, one));
  }

  function draw(map, collection, states, ghosts, count) {
    const L = window.L;
    const ink = getComputedStyle(document.body).getPropertyValue("--ink").trim();
    const shapes = new Map();
    const layer = (feature, state, renderer) => L.geoJSON(feature, { interactive: state !== "same" && state !== "ghost", renderer, style: () => ({ color: ink, ...styles[state] }) });
    for (const feature of ghosts) layer(feature, "ghost", map.vectors).addTo(map);
    for (const feature of collection.features) {
      const state = states.get(feature.id) || "same";
      const shape = layer(feature, state, state === "same" ? map.canvas : map.vectors).addTo(map);
      shapes.set(feature.id, shape);
      if (state === "same") continue;
      shape.on("click", () => choose(feature.id));
      if (count <= LABELS) {
        const words = make("span", "", make("b", "", parts.label(feature.id)), t("grids.review.households", { n: number(feature.properties.households) }));
        map.named.push(...shape.getLayers().map((one) => one.getCenter()));
        shape.bindTooltip(words, { permanent: true, direction: "center", className: "gp-map-label" });
      }
    }
    return shapes;
  }

  /* ── Table and totals ────────────────────────────────────────────────── */

  const MEASURES = [["area_m2", parts.area], ["households", number], ["residents", number], ["party_households", number]];

  /** Before and after of one figure, with the difference where there is one. */
  function pair(before, after, format) {
    const cell = make("td", "gp-pair");
    const [a, b] = [before ?? null, after ?? null];
    if (a !== null && a !== b) cell.append(make("span", "gp-was", format(a)));
    if (a !== null && b !== null && a !== b) cell.append(make("span", "gp-arrow", "→"));
    if (b !== null) cell.append(make("b", "", format(b)));
    cell.dataset.same = String(a === b);
    cell.dataset.ended = String(b === null);
    return cell;
  }

  function relatives(row) {
    const words = [];
    if (row.from?.length) words.push(t("grids.review.from", { grids: parts.labels(row.from) }));
    if (row.into?.length) words.push(t(row.state === "ended" ? "grids.review.into" : "grids.review.gave", { grids: parts.labels(row.into) }));
    return words.join(" · ");
  }

  function tableRow(row) {
    const name = parts.button("gp-row-name", "", () => choose(row.code));
    name.append(make("b", "", parts.label(row.code)), make("span", "", row.name || ""));
    const state = make("span", "gp-state", t(`grids.review.state_${row.state}`));
    state.dataset.state = row.state;
    const light = make("td", "gp-light", row.after ? t(`grids.review.light_${lightOf(row.after.households)}`) : "");
    light.dataset.light = row.after ? lightOf(row.after.households) : "";
    const line = make("tr", "", make("th", "", name), make("td", "", state), ...MEASURES.map(([key, format]) => pair(row.before?.[key], row.after?.[key], format)));
    line.append(light, make("td", "gp-m2", row.gained_m2 ? parts.signedArea(row.gained_m2) : ""), make("td", "gp-m2", row.lost_m2 ? parts.signedArea(-row.lost_m2) : ""), make("td", "gp-relatives", relatives(row)));
    line.firstChild.scope = "row";
    line.dataset.code = row.code;
    return line;
  }

  const lightOf = (households) => (households === 0 ? "empty" : households < 300 ? "few" : households > 500 ? "many" : "ok");

  function table(rows) {
    const names = ["grid", "state", "area", "households", "residents", "party", "light", "gained", "lost", "relatives"];
    const head = make("tr", "", ...names.map((name) => Object.assign(make("th", "", t(`grids.review.column_${name}`)), { scope: "col" })));
    const body = make("tbody", "", ...rows.map(tableRow));
    return make("div", "gp-table-box", make("table", "gp-table", make("thead", "", head), body));
  }

  function total(label, before, after, of) {
    const words = (value, all) => (all === undefined ? number(value) : `${number(value)} / ${number(all)}`);
    const box = make("div", "gp-total", make("span", "gp-total-label", label), make("span", "gp-total-was", words(before, of?.[0])), make("span", "gp-arrow", "→"), make("b", "", words(after, of?.[1])));
    if (after !== before) box.append(make("i", "gp-total-change", pingji.signed(after - before)));
    return box;
  }

  function totals({ before, after }) {
    return make(
      "div", "gp-totals",
      total(t("grids.review.total_grids"), before.grids, after.grids),
      total(t("grids.review.total_in_range"), before.in_range, after.in_range, [before.grids, after.grids]),
      total(t("grids.review.total_households"), before.households, after.households),
      total(t("grids.review.total_residents"), before.residents, after.residents),
      total(t("grids.review.total_party"), before.party_households, after.party_households),
    );
  }

  /* ── The view ────────────────────────────────────────────────────────── */

  function setLook(look) {
    if (!open) return;
    open.look = look;
    open.maps.dataset.look = look;
    for (const button of open.node.querySelectorAll("[data-look-of]")) button.setAttribute("aria-pressed", String(button.dataset.lookOf === look));
    for (const map of [open.before, open.after]) map.invalidateSize({ animate: false, pan: false });
    fit(open.box);
  }

  function fit(box) {
    if (box) open.after.fitBounds(parts.latLngBounds(box), { padding: [28, 28], maxZoom: 18, animate: false });
    open.before.setView(open.after.getCenter(), open.after.getZoom(), { animate: false });
  }

  /** Goes to a grid on both maps and marks it in the table. */
  function choose(code) {
    for (const line of open.node.querySelectorAll("tr[data-code]")) line.classList.toggle("is-chosen", line.dataset.code === code);
    open.node.querySelector(`tr[data-code="${CSS.escape(code)}"]`)?.scrollIntoView({ block: "nearest" });
    const found = [...open.answer.before.features, ...open.answer.after.features].filter((one) => one.id === code);
    fit(parts.boundsOf(found.map((one) => one.geometry)));
  }

  function mapBox(name, label) {
    return make("div", `gp-side gp-side-${name}`, make("div", "gp-side-map"), make("span", "gp-side-name", label));
  }

  function looks() {
    const group = make("div", "gp-looks");
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", t("grids.review.look"));
    for (const look of LOOKS) {
      const button = parts.button("gp-look", t(`grids.review.look_${look}`), () => setLook(look));
      button.dataset.lookOf = look;
      group.append(button);
    }
    return group;
  }

  function swipe() {
    const slider = Object.assign(make("input", "gp-swipe"), { type: "range", min: 0, max: 100, value: 50 });
    slider.setAttribute("aria-label", t("grids.review.look_swipe"));
    slider.addEventListener("input", () => open.maps.style.setProperty("--swipe", `${slider.value}%`));
    return slider;
  }

  function legend() {
    const list = make("ul", "gp-legend");
    for (const state of ["changed", "new", "ended"]) {
      const mark = parts.svg("svg", { width: 26, height: 16, "aria-hidden": "true" }, parts.svg("rect", { x: 1.5, y: 1.5, width: 23, height: 13, fill: `url(#gp-hatch-${state})`, class: `gp-legend-${state}` }));
      list.append(make("li", "", mark, make("span", "", t(`grids.review.state_${state}`))));
    }
    list.append(make("li", "", parts.svg("svg", { width: 26, height: 16, "aria-hidden": "true" }, parts.svg("path", { d: "M1 8h24", class: "gp-legend-ghost" })), make("span", "", t("grids.review.ghost"))));
    return list;
  }

  function head(set) {
    const close = parts.button("gp-close", "×", review.close);
    close.setAttribute("aria-label", t("grids.review.close"));
    const meta = [t(`choice.grids.reason.${set.reason}`), t("grids.review.author", { name: parts.who(set.author) }), set.submitted_at ? t("grids.review.submitted", { time: parts.when(set.submitted_at) }) : ""].filter(Boolean).join(" · ");
    const words = make("div", "gp-review-words", make("div", "gp-set-head", make("h2", "", set.name), parts.status(set.status)), make("p", "gp-set-meta", meta));
    if (set.note) words.append(make("p", "gp-review-note", set.note));
    return make("header", "gp-review-head", words, looks(), close);
  }

  function foot(set) {
    const why = grids.sets.whyNot(set);
    const row = make("footer", "gp-review-foot", legend());
    if (set.status === "review") {
      if (why) row.append(make("p", "gp-hold", why));
      if (grids.mayReview()) row.append(
        parts.button("button-quiet", t("grids.set.do_return"), () => grids.sets.askStep(set, "return")),
        parts.button("button-key", t("grids.set.do_publish"), () => grids.sets.askStep(set, "publish"), why),
      );
    } else if (set.status === "draft" && grids.mayEdit()) {
      const lacks = grids.sets.lacks(set);
      if (lacks) row.append(make("p", "gp-hold", lacks));
      row.append(parts.button("button-key", t("grids.set.submit"), () => grids.sets.askStep(set, "submit"), lacks));
    }
    return row;
  }

  function build(answer) {
    const { set } = answer;
    const maps = make("div", "gp-sides", mapBox("before", t("grids.review.before")), mapBox("after", t("grids.review.after")), swipe());
    const rows = answer.rows.length ? table(answer.rows) : parts.empty(t("grids.review.nothing"));
    const node = make("section", "gp-review", hatches(), head(set), maps, totals(answer.totals), rows, foot(set));
    node.tabIndex = -1;
    node.setAttribute("role", "dialog");
    node.setAttribute("aria-label", t("grids.review.title", { name: set.name }));
    node.addEventListener("keydown", (event) => event.key === "Escape" && review.close());
    return { node, maps };
  }

  function mount(answer) {
    review.close(false);
    const { node, maps } = build(answer);
    const host = parts.slot("grids-review") || document.body;
    host.replaceChildren(node);
    host.hidden = false;
    const [before, after] = [...maps.querySelectorAll(".gp-side-map")].map(makeMap);
    open = { answer, node, maps, before, after, box: null };
    const states = new Map(answer.rows.map((row) => [row.code, row.state]));
    const was = answer.before.features.filter((one) => ["changed", "ended"].includes(states.get(one.id)));
    const now = answer.after.features.filter((one) => ["changed", "new"].includes(states.get(one.id)));
    open.box = parts.boundsOf([...was, ...now].map((one) => one.geometry)) || parts.boundsOf(answer.after.features.map((one) => one.geometry));
    fit(open.box);
    open.grounds = [before, after].map(drawGround).filter(Boolean);
    draw(before, answer.before, states, [], answer.rows.length);
    draw(after, answer.after, states, was, answer.rows.length);
    tie(before, after);
    repaintGround();
    setLook(narrow.matches ? "swipe" : "beside");
    node.focus();
  }

  const repaintGround = () => open?.grounds.forEach((ground) => pingji.mapkit.repaint(ground));

  /** Opens the review of a change set over the workbench. */
  review.open = async (id) => {
    try {
      const answer = await grids.ask("GET", `/grids/sets/${encodeURIComponent(id)}/difference`);
      mount({ ...answer, set: typeof answer.set === "string" ? await grids.ask("GET", `/grids/sets/${encodeURIComponent(id)}`) : answer.set });
    } catch (error) {
      parts.say(parts.refusal(error));
    }
  };

  review.close = (tell = true) => {
    if (!open) return;
    open.before.remove();
    open.after.remove();
    open.node.remove();
    open = null;
    const host = parts.slot("grids-review");
    if (host) host.hidden = true;
    const address = new URL(location.href);
    if (tell && address.searchParams.has("review")) {
      address.searchParams.delete("review");
      history.replaceState(null, "", address);
    }
  };

  /* What is being looked at may take a step, or publishing be held back, meanwhile. */
  function follow() {
    if (!open) return;
    const seen = open.answer.set;
    const now = (pingji.live.values.drafts || []).find((one) => one.id === seen.id);
    if (now && now.revision > seen.revision) review.open(seen.id);
    else if (!now && seen.status !== "published" && seen.status !== "discarded" && pingji.live.values.drafts) review.close();
    else open.node.querySelector(".gp-review-foot")?.replaceWith(foot(seen));
  }

  parts.whenDrawn("grids-review", async () => {
    await grids.ready;
    const wanted = new URLSearchParams(location.search);
    if (wanted.get("review") && wanted.get("set")) review.open(wanted.get("set"));
    pingji.live.on("drafts", follow);
    grids.view.onChange((what) => what === "loaded" && repaintGround());
    grids.on("community", follow);
  });
})();

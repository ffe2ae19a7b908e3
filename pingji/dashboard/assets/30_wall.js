/* The wall's lists: they show as many rows as fit, worst first, and turn their pages by themselves. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const { live, make, setText, setData, t, number } = pingji;
  const { weight, share, sheetRow, placeRow, gaugeRow, workRow, eventRow, transferNotes, shelterNotes } = pingji.wallRows;
  const PAGE_MS = 8000; // the first page, the gravest, stays twice as long
  const ORDER_MS = 3000; // rows keep their places that long: figures change, rows don't hop
  const REMAINDER_PARTS = ["not_reached", "notified", "in_transit", "refused", "unlocated", "returned"];

  const PULSING = new Set(["unlocated", "returned"]); // once, when it grows

  const slot = (name) => document.querySelector(`[data-slot="${name}"]`);

  /* ── Lists that turn their pages ─────────────────────────────────────── */

  /** A list in the slot `name`: `items(values)` gives [{id, rank, value}], `makeRow` a row, gravest rank first. */
  function rotator(name, makeRow, items, { turns = true } = {}) {
    const list = slot(name);
    const pager = document.querySelector(`[data-pager="${name}"]`);
    const rows = [];
    const empty = make("p", "empty");
    let fits = 1;
    let order = [];
    let orderedAt = 0;
    let page = 0;
    let turnAt = 0;

    function sort(current, now) {
      const known = new Map(current.map((item) => [item.id, item]));
      const same = order.length === current.length && order.every((id) => known.has(id));
      if (!same || now - orderedAt > ORDER_MS) {
        order = [...current].sort((a, b) => (a.rank === b.rank ? (a.id < b.id ? -1 : 1) : b.rank - a.rank)).map((item) => item.id);
        orderedAt = now;
      }
      return order.map((id) => known.get(id));
    }

    function turn(pages, now) {
      if (page >= pages) page = 0;
      if (!turns || pages < 2 || now < turnAt) return;
      if (turnAt) {
        page = (page + 1) % pages;
        list.animate([{ opacity: 0.15 }, { opacity: 1 }], { duration: 400, easing: "ease-out" });
      }
      turnAt = now + (page === 0 ? 2 * PAGE_MS : PAGE_MS);
    }

    function show(count) {
      while (rows.length < count) {
        const row = makeRow();
        rows.push(row);
        list.append(row.node);
      }
      while (rows.length > count) rows.pop().node.remove();
    }

    function paint(values, now) {
      const sorted = sort(items(values), now);
      const pages = Math.max(1, Math.ceil(sorted.length / fits));
      turn(pages, now);
      const shown = sorted.slice(page * fits, (page + 1) * fits);
      show(shown.length);
      shown.forEach((item, i) => rows[i].update(item));
      if (pager) setText(pager, turns && pages > 1 ? t("wall.page", { page: page + 1, pages }) : "");
      if (sorted.length === 0) {
        setText(empty, t(`wall.empty.${name}`));
        if (!empty.isConnected) list.append(empty);
      } else empty.remove();
    }

    function measure() {
      const least = parseFloat(getComputedStyle(list).getPropertyValue("--row")) || 30;
      fits = Math.max(1, Math.floor(list.clientHeight / least));
      list.style.gridTemplateRows = `repeat(${fits}, minmax(0, 1fr))`;
    }

    new ResizeObserver(() => {
      measure();
      schedule();
    }).observe(list);
    return paint;
  }

  /* ── What the lists show ─────────────────────────────────────────────── */

  const entries = (values, prefix, keep) =>
    Object.keys(values)
      .filter((key) => key.startsWith(prefix) && keep(values[key]))
      .map((key) => ({ id: key, value: values[key] }));

  /** Where there is anybody to count: the largest remainder first. */
  const sheets = (level) => (values) =>
    entries(values, "sheet/", (sheet) => sheet.level === level && weight(sheet.expected) + weight(sheet.off_plan) > 0).map((item) => ({
      ...item,
      rank: weight(item.value.remainder),
    }));

  /** Those that hold or expect more than a few; all that are open where none does. */
  function inUse(values, kind) {
    const open = entries(values, "place/", (place) => place.kind === kind && (place.status !== "closed" || weight(place.present) >= 1));
    const used = open.filter(({ value }) => weight(value.present) + weight(value.expected) > 1 || value.status === "fault" || value.status === "compromised");
    return used.length ? used : open;
  }

  /** The point with most people still to come first, a lost one before all. */
  const transferPoints = (values) =>
    inUse(values, "transfer_point").map((item) => ({
      ...item,
      rank: item.value.status === "compromised" ? Infinity : weight(item.value.expected) - weight(item.value.present),
    }));

  const shelters = (values) =>
    inUse(values, "shelter").map((item) => ({
      ...item,
      rank: item.value.status === "fault" ? Infinity : share(item.value.present, item.value.capacity),
    }));

  const events = (values) => (values.events || []).map((value, i) => ({ id: `${value.at}/${i}`, value, rank: value.at }));

  /** The shares that should be whole; a figure the server does not know is not shown. */
  function completeness({ routine = {} }) {
    const pairs = [
      ["leaders", routine.leaders, routine.grids],
      ["posts_filled", routine.posts_filled, routine.posts],
      ["zones_complete", routine.zones_complete, routine.zones],
      ["households_linked", routine.households_linked, routine.households],
      ["knocked", routine.knocked, routine.households],
      ["fresh", routine.fresh, routine.households],
    ];
    return pairs
      .filter(([, a, b]) => typeof a === "number" && typeof b === "number" && b > 0)
      .map(([name, a, b]) => ({ id: name, rank: -a / b, value: { label: `routine.${name}`, a, b } }));
  }

  /** What is still to be done, the nearest to a life first. */
  function openWork({ routine = {} }) {
    const gap = (whole, done) => (typeof whole === "number" && typeof done === "number" ? whole - done : 0);
    const gaps = [
      ["shelters_in_hazard", routine.shelters_in_hazard],
      ["zones_incomplete", gap(routine.zones, routine.zones_complete)],
      ["households_without_escort", routine.households_without_escort],
      ["leaders_missing", gap(routine.grids, routine.leaders)],
      ["posts_vacant", gap(routine.posts, routine.posts_filled)],
      ["grids_out", gap(routine.grids, routine.grids_in_range)],
      ["not_knocked", gap(routine.households, routine.knocked)],
      ["stale", gap(routine.households, routine.fresh)],
    ];
    return gaps.map(([name, n], i) => ({ id: name, rank: -i, value: { label: `work.${name}`, n } })).filter((item) => item.value.n > 0);
  }

  /* ── Single panels ───────────────────────────────────────────────────── */

  /** The six parts of the remainder: one bar and a legend with numbers. */
  function partsPanel() {
    const host = slot("parts");
    const strip = make("div", "remainder-bar");
    const legend = make("div", "remainder-legend");
    host.append(strip, legend);
    const cells = REMAINDER_PARTS.map((part) => {
      const [segment, mark, label, n] = [make("i", `rest rest-${part}`), make("i", `mark rest-${part}`), make("span", "label"), make("b")];
      strip.append(segment);
      legend.append(make("div", "remainder-cell", mark, label, n));
      return { part, segment, mark, label, n, shown: undefined };
    });
    return (sheet) => {
      for (const cell of cells) {
        const { part, segment, mark, label, n } = cell;
        const value = sheet && sheet.parts[part];
        if (PULSING.has(part) && weight(value) > cell.shown) mark.animate([{ transform: "scale(1.7)" }, { transform: "none" }], 900);
        cell.shown = sheet ? weight(value) : undefined;
        setText(label, t(`part.${part}`));
        setText(n, number(value));
        const grow = String(weight(value));
        if (segment.style.flexGrow !== grow) segment.style.flexGrow = grow;
        setData(segment, "none", String(weight(value) === 0));
      }
    };
  }

  /** The largest figure: its size follows its length, and only zero is green. */
  function remainderPanel() {
    const host = document.querySelector("[data-remainder]");
    const note = document.querySelector('[data-note="cleared"]');
    return (sheet) => {
      const cleared = Boolean(sheet) && sheet.remainder === 0 && sheet.expected > 0;
      const words = [];
      if (cleared) words.push(t("wall.cleared"));
      if (sheet && weight(sheet.off_plan) > 0) words.push(t("wall.off_plan", { n: number(sheet.off_plan) }));
      setText(note, words.join("  "));
      setData(host, "cleared", String(cleared));
      host.style.setProperty("--chars", String(number(sheet && sheet.remainder).length));
    };
  }

  function readyPanel() {
    const [figure, note] = [slot("ready"), slot("ready_note")];
    return (routine) => {
      const known = routine && routine.grids > 0;
      setText(figure, known ? `${Math.floor((100 * routine.grids_in_range) / routine.grids)}%` : "—");
      setText(note, known ? t("wall.ready_note", { in_range: number(routine.grids_in_range), grids: number(routine.grids) }) : "");
      figure.style.setProperty("--chars", "4");
    };
  }

  const COUNTY_FIGURES = ["residents", "households", "communities", "grids", "party_households", "zones", "shelters", "shelter_capacity"];

  function countyPanel() {
    const host = slot("county_figures");
    const tiles = COUNTY_FIGURES.map((name) => {
      const [n, label] = [make("b"), make("span", "label")];
      host.append(make("div", "tile", n, label));
      return { name, n, label };
    });
    return (routine) => {
      for (const { name, n, label } of tiles) {
        setText(label, t(`routine.${name}`));
        setText(n, number(routine && routine[name]));
      }
    };
  }

  /* ── Start ───────────────────────────────────────────────────────────── */

  let painters = [];
  let frame = 0;

  /** One paint a frame, however many messages came in between. */
  function schedule() {
    if (!frame) frame = requestAnimationFrame(paintAll);
  }

  function paintAll() {
    frame = 0;
    const now = performance.now();
    for (const paint of painters) paint(live.values, now);
  }

  function start(county) {
    const [parts, remainder, ready, figures, chart] = [partsPanel(), remainderPanel(), readyPanel(), countyPanel(), pingji.wallChart(slot("chart"), slot("chart_legend"), () => schedule())];
    painters = [
      rotator("zones", sheetRow, sheets("zone")),
      rotator("townships", sheetRow, sheets("township")),
      rotator("transfer_points", () => placeRow("expected", transferNotes), transferPoints),
      rotator("shelters", () => placeRow("capacity", shelterNotes), shelters),
      rotator("events", eventRow, events, { turns: false }),
      rotator("completeness", gaugeRow, completeness),
      rotator("open_work", workRow, openWork),
      (values) => parts(values[`sheet/${county}`]),
      (values) => remainder(values[`sheet/${county}`]),
      (values) => ready(values.routine),
      (values) => figures(values.routine),
      (values) => chart(values.arrivals),
    ];
    live.after(schedule);
    setInterval(schedule, 1000);
  }

  pingji.onPage("wall", () => pingji.client.then((client) => client.county && start(client.county.code)));
})();

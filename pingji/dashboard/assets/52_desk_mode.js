/* The right panel: the mode, its key, and the figures of that mode. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const desk = pingji.desk;
  const { live } = pingji;
  const REMAINDER = [["not_reached", "--not-reached"], ["notified", "--notified"], ["in_transit", "--in-transit"], ["refused", "--refused"], ["unlocated", "--unlocated"], ["returned", "--unlocated"]];
  const ZONES_SHOWN = 8;

  const count = (value) => pingji.mapkit.count(value);
  const counting = () => ["emergency", "recovery"].includes(document.body.dataset.mode);

  /* ── Mode ────────────────────────────────────────────────────────────── */

  let parts = null; // elements of the mode block, made once: buttons must not lose the focus
  function modeBlock() {
    if (parts) return parts;
    const { make, t } = pingji;
    parts = {
      name: make("div", "mode-name"),
      note: make("div", "mode-note"),
      scopes: make("ul", "mode-scopes"),
      press: desk.button("button-key", t("desk.mode.switch"), "", () => desk.openSwitch()),
      recall: desk.button("button-quiet", t("desk.mode.recall"), "", () => desk.openRecall()),
    };
    desk.slot("mode").replaceChildren(parts.name, parts.note, parts.scopes, parts.press, parts.recall);
    return parts;
  }

  function paintMode() {
    const mode = live.values.mode;
    if (!mode || !desk.slot("mode")) return;
    const { make, t } = pingji;
    const block = modeBlock();
    const chips = [make("b", "", t(`mode.${mode.mode}`))];
    if (mode.mode === "emergency" && mode.level) chips.push(make("span", "mode-level", t(`level.${mode.level}`)));
    if (mode.exercise) chips.push(make("span", "mode-exercise", t("banner.exercise")));
    block.name.replaceChildren(...chips);
    const quiet = mode.mode === "routine";
    pingji.setText(block.note, quiet ? t("desk.mode.whole_county") : noteOf(mode));
    const others = (mode.scopes || []).filter((one) => one.scope !== mode.scope);
    block.scopes.replaceChildren(...others.map(scopeItem));
    block.press.hidden = !pingji.may("switch");
    block.recall.hidden = !pingji.may("switch") || !desk.lastPress();
  }

  function noteOf(mode) {
    const { t } = pingji;
    return `${mode.scope_name} · ${t("desk.mode.elapsed", { time: pingji.duration(live.now() - mode.since) })} · ${t("desk.mode.since", { time: pingji.clock(mode.since, "minutes") })}`;
  }

  function scopeItem(one) {
    const { make, t } = pingji;
    const words = [t(`mode.${one.mode}`), one.mode === "emergency" && one.level ? t(`level.${one.level}`) : "", one.exercise ? t("banner.exercise") : ""];
    return make("li", "", make("span", "", one.scope_name), make("span", "mode-scope-state", words.filter(Boolean).join(" · ")));
  }

  /** The newest press that is still the last word of its scope. */
  desk.lastPress = () => {
    const mode = live.values.mode;
    const scopes = mode ? [...(mode.scopes || []), mode] : [];
    return scopes.filter((one) => one.press_id && one.mode !== "routine").sort((a, b) => b.since - a.since)[0] || desk.ownPress || null;
  };

  /* ── Figures ─────────────────────────────────────────────────────────── */

  function line(label, value, share) {
    const { make } = pingji;
    const row = make("div", "figure-line", make("span", "figure-label", label), make("b", "figure-value", value));
    if (share !== undefined) {
      const bar = make("span", "figure-bar", make("span"));
      bar.firstChild.style.width = `${Math.max(0, Math.min(100, share * 100))}%`;
      row.append(bar);
    }
    return row;
  }

  const heading = (text) => pingji.make("h3", "figure-heading", text);

  /** Why a figure is not there for who answers for a part of the county. */
  function partWords(key) {
    const { caller, t } = pingji;
    const places = key === "not_counted" && caller.home.level === "county"; // only places: no sheet is theirs
    return places ? t("session.scope.of_places") : t(`session.scope.${key}`, { home: pingji.homeName() });
  }

  /** 急: who is not accounted for, of how many, in which state, in which zone. */
  function emergencyFigures(sheet) {
    const { make, t, number } = pingji;
    if (!sheet) return [make("p", "empty", pingji.caller?.whole === false ? partWords("not_counted") : t("desk.figures.sheet_waiting"))];
    const first = make("div", "figure-first", make("span", "", t("desk.figures.remainder")), make("b", "", number(sheet.remainder)));
    first.dataset.clear = String(count(sheet.remainder) === 0);
    const under = make("div", "figure-lines", line(t("desk.figures.accounted"), `${number(sheet.accounted)} / ${number(sheet.expected)}`, count(sheet.accounted) / (count(sheet.expected) || 1)));
    if (sheet.households) under.append(line(t("desk.figures.households"), `${number(sheet.households.accounted)} / ${number(sheet.households.expected)}`));
    if (count(sheet.off_plan)) under.append(line(t("desk.figures.off_plan"), number(sheet.off_plan)));
    return [first, under, heading(t("desk.figures.parts")), partsBar(sheet), partsList(sheet), heading(t("desk.figures.zones")), zones()];
  }

  function partsBar(sheet) {
    const bar = pingji.make("div", "parts-bar");
    bar.setAttribute("aria-hidden", "true");
    for (const [name, colour] of REMAINDER) {
      const share = count(sheet.parts[name]);
      if (!share) continue;
      const part = pingji.make("span", `part part-${name}`);
      part.style.flexGrow = share;
      part.style.background = `var(${colour})`;
      bar.append(part);
    }
    return bar;
  }

  function partsList(sheet) {
    const { make, t, number } = pingji;
    const list = make("ul", "parts-list");
    for (const [name, colour] of REMAINDER) {
      const swatch = make("span", `swatch part-${name}`);
      swatch.style.setProperty("--swatch", `var(${colour})`);
      list.append(make("li", "", swatch, make("span", "", t(`part.${name}`)), make("b", "", number(sheet.parts[name]))));
    }
    return list;
  }

  /** The zones with most people missing; a click goes there. */
  function zones() {
    const { make, t, number } = pingji;
    const open = Object.entries(live.values)
      .filter(([key, value]) => key.startsWith("sheet/") && value.level === "zone" && count(value.remainder) > 0)
      .sort(([, a], [, b]) => count(b.remainder) - count(a.remainder));
    if (!open.length) return make("p", "empty", t("desk.figures.zones_clear"));
    const list = make("ul", "zone-list");
    for (const [key, zone] of open.slice(0, ZONES_SHOWN)) {
      const row = desk.button("zone-row", "", "", () => desk.view && desk.view.go("danger_zones", key.slice(6)));
      row.dataset.key = key;
      row.append(make("span", "zone-name", zone.name), make("b", "", number(zone.remainder)), make("span", "zone-of", `/ ${number(zone.expected)}`));
      list.append(make("li", "", row));
    }
    if (open.length > ZONES_SHOWN) list.append(make("li", "zone-more", t("desk.figures.more", { n: open.length - ZONES_SHOWN })));
    return list;
  }

  /** 平: how complete the records are, then the county in figures. */
  function routineFigures(routine) {
    const { make, t, number } = pingji;
    if (!routine) return [make("p", "empty", pingji.caller?.whole === false ? partWords("no_county_figures") : t("desk.figures.routine_waiting"))];
    const of = (label, part, whole) => line(t(`desk.figures.${label}`), `${number(part)} / ${number(whole)}`, whole ? part / whole : 0);
    const plain = (label, key) => line(t(`desk.figures.${label}`), number(routine[key]));
    return [
      heading(t("desk.figures.routine")),
      make("div", "figure-lines", of("in_range", routine.grids_in_range, routine.grids), of("leaders", routine.leaders, routine.grids), of("posts", routine.posts_filled, routine.posts)),
      heading(t("desk.figures.county")),
      make("div", "figure-lines figure-columns",
        plain("residents", "residents"), plain("households_total", "households"), plain("communities", "communities"), plain("grids", "grids"),
        plain("party_households", "party_households"), plain("zones_total", "zones"), plain("shelters", "shelters"), plain("shelter_capacity", "shelter_capacity")),
    ];
  }

  function paintFigures() {
    const slot = desk.slot("figures");
    if (!slot || !live.values.mode) return;
    const held = document.activeElement?.dataset?.key; // a zone that has the keyboard keeps it
    const blocks = counting() ? emergencyFigures(live.figure("sheet/$county")) : routineFigures(live.values.routine);
    slot.replaceChildren(...blocks);
    if (held) slot.querySelector(`[data-key="${CSS.escape(held)}"]`)?.focus();
  }

  /* ── Start ───────────────────────────────────────────────────────────── */

  let frame = 0;
  function paint() {
    frame = frame || requestAnimationFrame(() => {
      frame = 0;
      paintMode();
      paintFigures();
    });
  }
  desk.paintMode = paint;

  Promise.all([desk.drawn, pingji.client]).then(() => {
    live.after((values, keys) => keys.length && paint());
    setInterval(() => live.values.mode && live.values.mode.mode !== "routine" && parts && pingji.setText(parts.note, noteOf(live.values.mode)), 5000);
    paint();
  });
})();

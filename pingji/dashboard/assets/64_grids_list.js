/* The list of grids: figures and size light of each; only the rows in the window are there, so 1,200 are as quick as ten. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const { grids } = pingji;
  const { state } = grids;
  const ROW_PX = 52;
  const SPARE = 6; // rows drawn beyond the window
  const LIGHTS = ["few", "ok", "many", "empty"];
  const SORTS = {
    code: (a, b) => a.provisional - b.provisional || a.label.localeCompare(b.label, undefined, { numeric: true }),
    most: (a, b) => b.households - a.households,
    least: (a, b) => a.households - b.households,
    largest: (a, b) => b.area_m2 - a.area_m2,
  };

  const t = (key, params) => pingji.t(key, params);
  let parts = null; // elements, made once
  let rows = []; // properties of the grids shown, in order
  let sort = "code";
  let light = "";
  let cursor = null; // the code that a shift-click counts from

  /* ── The frame ───────────────────────────────────────────────────────── */

  function mount() {
    const { make } = pingji;
    const order = make("select", "grids-sort");
    order.setAttribute("aria-label", t("grids.list.sort"));
    for (const name of Object.keys(SORTS)) order.append(Object.assign(make("option", "", t(`grids.list.sort_${name}`)), { value: name }));
    order.addEventListener("change", () => {
      sort = order.value;
      refill();
    });
    const chips = make("div", "grids-chips");
    const body = make("div", "grids-rows");
    const window_ = make("div", "grids-scroll", body);
    window_.addEventListener("scroll", paintRows, { passive: true });
    new ResizeObserver(paintRows).observe(window_);
    body.setAttribute("role", "listbox");
    body.setAttribute("aria-multiselectable", "true");
    body.setAttribute("aria-label", t("grids.tab.list"));
    body.addEventListener("click", clicked);
    body.addEventListener("dblclick", () => grids.zoomTo([...state.selected]));
    body.addEventListener("keydown", walk);
    const card = make("div", "grids-detail");
    parts = { order, chips, body, window: window_, card };
    grids.panel("list").slot.replaceChildren(make("div", "grids-list-head", chips, order), window_, card);
    refill();
  }

  function refill() {
    if (!parts) return;
    const all = [...state.grids].map(([code, json]) => ({ code, ...json.properties }));
    rows = all.filter((one) => !light || one.light === light).sort(SORTS[sort]);
    paintChips(all);
    parts.body.style.height = `${rows.length * ROW_PX}px`;
    paintRows();
  }

  function paintChips(all) {
    const counts = new Map(LIGHTS.map((name) => [name, 0]));
    for (const one of all) counts.set(one.light, (counts.get(one.light) || 0) + 1);
    const chips = LIGHTS.filter((name) => counts.get(name) || name === light).map((name) => {
      const chip = grids.button("grids-chip-light", "", t(`grids.light.${name}`), () => {
        light = light === name ? "" : name;
        refill();
      });
      chip.append(grids.light(name), t(`grids.light.${name}`), pingji.make("b", "", pingji.number(counts.get(name))));
      chip.setAttribute("aria-pressed", String(light === name));
      return chip;
    });
    parts.chips.replaceChildren(...chips);
  }

  /* ── Rows ────────────────────────────────────────────────────────────── */

  function rowOf(one, i) {
    const { make } = pingji;
    const row = make("div", "grids-row");
    row.dataset.code = one.code;
    row.style.transform = `translateY(${i * ROW_PX}px)`;
    row.setAttribute("role", "option");
    row.setAttribute("aria-selected", String(state.selected.has(one.code)));
    row.tabIndex = i === 0 || state.selected.has(one.code) ? 0 : -1;
    const people = [shortName(one.name), one.leader || t("grids.list.no_leader")].filter(Boolean).join(" · ");
    const changed = one.provisional ? "new" : one.changed ? "changed" : "";
    row.append(
      grids.light(one.light),
      make("b", "grids-row-code", grids.codeText(one.code)),
      make("span", "grids-row-name", people),
      make("b", "grids-row-count", pingji.number(one.households)),
      make("span", "grids-row-more", changed ? make("em", "", t(`grids.list.${changed}`)) : "", t("grids.list.row", { residents: pingji.number(one.residents), area: grids.areaText(one.area_m2) })),
    );
    return row;
  }

  /** A name without the community's in front of it: that stands at the head of the page. */
  function shortName(name) {
    const before = state.community?.name;
    return before && name.startsWith(before) && name.length > before.length ? name.slice(before.length).trim() : name;
  }

  function paintRows() {
    if (!parts) return;
    const { scrollTop, clientHeight } = parts.window;
    const from = Math.max(0, Math.floor(scrollTop / ROW_PX) - SPARE);
    const to = Math.min(rows.length, Math.ceil((scrollTop + clientHeight) / ROW_PX) + SPARE);
    const focused = parts.body.contains(document.activeElement) ? document.activeElement.dataset.code : null;
    parts.body.replaceChildren(...rows.slice(from, to).map((one, i) => rowOf(one, from + i)));
    if (!rows.length) parts.body.append(pingji.make("p", "grids-none", t(state.community ? "grids.list.none" : "grids.why.no_community")));
    if (focused) parts.body.querySelector(`[data-code="${focused}"]`)?.focus({ preventScroll: true });
  }

  /* ── Choosing ────────────────────────────────────────────────────────── */

  function clicked(event) {
    const code = event.target.closest("[data-code]")?.dataset.code;
    if (!code) return;
    const from = rows.findIndex((one) => one.code === cursor);
    const to = rows.findIndex((one) => one.code === code);
    if (event.shiftKey && from >= 0) grids.select(rows.slice(Math.min(from, to), Math.max(from, to) + 1).map((one) => one.code), { add: true });
    else if (event.ctrlKey || event.metaKey || state.tool === "merge") grids.toggle(code);
    else grids.select([code], { zoom: !seen(code) });
    cursor = code;
  }

  /** Whether a grid is on the map as it is now. */
  function seen(code) {
    const shape = grids.shape(code);
    const [[s, w], [n, e]] = pingji.mapkit.boundsOf(shape);
    return grids.view.map.getBounds().intersects([[s, w], [n, e]]) && grids.view.map.getZoom() >= 14;
  }

  function walk(event) {
    const code = event.target.dataset?.code;
    const at = rows.findIndex((one) => one.code === code);
    if (event.key === " " || event.key === "Enter") {
      event.preventDefault();
      event.stopPropagation();
      return event.key === " " ? grids.toggle(code) : grids.zoomTo([code]);
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const next = step && rows[at + step];
    if (!next) return;
    event.preventDefault();
    grids.select([next.code], { add: event.shiftKey });
    cursor = next.code;
    reveal(next.code);
    parts.body.querySelector(`[data-code="${next.code}"]`)?.focus({ preventScroll: true });
  }

  function reveal(code) {
    const i = rows.findIndex((one) => one.code === code);
    if (i < 0) return;
    const { scrollTop, clientHeight } = parts.window;
    if (i * ROW_PX < scrollTop) parts.window.scrollTop = i * ROW_PX;
    else if ((i + 1) * ROW_PX > scrollTop + clientHeight) parts.window.scrollTop = (i + 1) * ROW_PX - clientHeight;
    paintRows();
  }

  /* ── The chosen grid ─────────────────────────────────────────────────── */

  const WORDS = ["name", "leader", "deputy"];

  /** Name and people of the one chosen grid; changing them is an edit like any other. */
  function paintCard() {
    if (!parts) return;
    const { make } = pingji;
    const code = state.selected.size === 1 ? [...state.selected][0] : null;
    parts.card.hidden = !code;
    if (!code || parts.card.contains(document.activeElement)) return;
    const { properties } = state.grids.get(code);
    const form = make("form", "grids-words");
    const inputs = WORDS.map((name) => {
      const input = make("input");
      Object.assign(input, { name, value: properties[name] ?? "", maxLength: 64, readOnly: !grids.editable() });
      return make("label", "", make("span", "", t(`grids.words.${name}`)), input);
    });
    const save = make("button", "grids-button", t("grids.words.save"));
    save.type = "submit";
    save.hidden = true;
    form.append(make("p", "grids-detail-code", make("b", "", grids.codeText(code)), make("span", "", properties.provisional ? t("grids.words.no_code") : code)), ...inputs, save);
    form.addEventListener("input", () => (save.hidden = false));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      describe(code, form, properties);
    });
    parts.card.replaceChildren(form);
  }

  async function describe(code, form, properties) {
    const values = {};
    for (const name of WORDS) if (form[name].value.trim() !== (properties[name] ?? "")) values[name] = form[name].value.trim();
    document.activeElement.blur();
    if (Object.keys(values).length) await grids.act({ kind: "describe", code, values });
    paintCard();
  }

  /* ── Mounting ────────────────────────────────────────────────────────── */

  grids.ready.then((view) => view.canvases && mount());
  grids.on("grids", () => {
    refill();
    paintCard();
  });
  grids.on("selection", () => {
    if (!parts) return;
    if (state.selected.size === 1) reveal([...state.selected][0]);
    else paintRows();
    paintCard();
  });
})();

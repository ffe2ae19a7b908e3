/* The workbench's head and its messages: which community, which change set, undo and redo; refusals, and what was done. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const { grids } = pingji;
  const { state } = grids;
  const NARROW = "(max-width: 900px)"; // the panels lie over the map there: they begin folded
  const SHOWN = 400; // communities in the list at once

  const slotOf = (name) => document.querySelector(`#page[data-page="grids"] [data-slot="${name}"]`);
  const t = (key, params) => pingji.t(key, params);
  const UNDO = '<svg viewBox="0 0 24 24" width="20" height="20" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="M8.5 5L4 9.5 8.5 14"/><path d="M4.5 9.5H14a5.5 5.5 0 0 1 0 11h-3"/></svg>';
  const REDO = UNDO.replace("<svg ", '<svg transform="scale(-1 1)" ');

  /* ── Communities ─────────────────────────────────────────────────────── */

  let chooser = null; // its elements, made once

  function mountChooser() {
    const { make } = pingji;
    const button = grids.button("grids-chooser", "", "", () => (box.hidden ? open() : close()));
    button.setAttribute("aria-haspopup", "listbox");
    const input = make("input", "grids-chooser-input");
    Object.assign(input, { type: "search", placeholder: t("grids.community.search"), autocomplete: "off" });
    input.setAttribute("aria-label", t("grids.community.search"));
    const list = make("ul", "grids-chooser-list");
    list.setAttribute("role", "listbox");
    const box = make("div", "grids-chooser-box", input, list);
    box.hidden = true;
    slotOf("grids-community").replaceChildren(button, box);
    input.addEventListener("input", () => paintList());
    box.addEventListener("keydown", walk);
    document.addEventListener("pointerdown", (event) => box.hidden || slotOf("grids-community").contains(event.target) || close());
    chooser = { button, box, input, list };
    paintChosen();
  }

  function open() {
    chooser.box.hidden = false;
    chooser.input.value = "";
    paintList();
    chooser.input.focus();
  }

  function close() {
    chooser.box.hidden = true;
    chooser.button.focus({ preventScroll: true });
  }
  grids.openCommunities = () => chooser && open();

  function walk(event) {
    const rows = [...chooser.list.querySelectorAll("[role=option]")];
    const i = rows.indexOf(document.activeElement);
    if (event.key === "Escape") return close();
    if (event.key === "Enter" && i < 0 && rows.length) {
      event.preventDefault(); // else the button that gets the focus would be pressed by the same key
      return rows[0].click();
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    (rows[i + step] || (step < 0 ? chooser.input : rows[i]))?.focus();
  }

  function paintList() {
    const { make, number } = pingji;
    const words = chooser.input.value.trim().toLowerCase();
    const hit = (one) => !words || `${one.township_name}${one.name} ${one.code}`.toLowerCase().includes(words);
    const found = state.communities.filter(hit).slice(0, SHOWN);
    const rows = [];
    let township = null;
    for (const one of found) {
      if (one.township !== township) rows.push(make("li", "grids-chooser-group", one.township_name));
      township = one.township;
      const row = grids.button("grids-chooser-row", "", "", () => choose(one));
      row.setAttribute("role", "option");
      row.setAttribute("aria-selected", String(one.code === state.community?.code));
      const share = t("grids.community.in_range", { in_range: number(one.in_range), grids: number(one.grids) });
      row.append(make("span", "", one.name), make("span", "grids-chooser-figure", share));
      rows.push(make("li", "", row));
    }
    if (!found.length) rows.push(make("li", "grids-chooser-none", t(state.communities.length ? "grids.community.none" : "grids.community.loading")));
    chooser.list.replaceChildren(...rows);
  }

  async function choose(one) {
    close();
    const { set } = state;
    const keeps = set && set.status === "draft" && (set.communities || []).some(({ code }) => code === one.code);
    await grids.open(one.code, { set: keeps ? set.id : undefined });
  }

  function paintChosen() {
    if (!chooser) return;
    const { community } = state;
    const known = community && state.communities.find((one) => one.code === community.code);
    const { make } = pingji;
    const name = community ? [make("b", "", community.name)] : [make("b", "", t("grids.community.choose"))];
    if (known) name.unshift(make("span", "", known.township_name));
    chooser.button.replaceChildren(...name);
    chooser.button.setAttribute("aria-label", t("grids.community.choose_now", { name: community?.name || "" }));
  }

  /** Nothing chosen yet: the map says what to do. */
  function paintEmpty() {
    const slot = slotOf("grids-empty");
    if (!slot || state.community || !pingji.mapkit) return slot?.replaceChildren();
    const { make } = pingji;
    slot.replaceChildren(
      make("h2", "", t("grids.empty.title")),
      make("p", "", t(grids.mayEdit() ? "grids.empty.what" : "grids.empty.look")),
      grids.button("grids-button is-main", t("grids.community.choose"), "", () => grids.openCommunities()),
    );
  }

  /* ── The change set, undo and redo ───────────────────────────────────── */

  let bar = null;

  function mountSet() {
    const { make } = pingji;
    bar = {
      chip: grids.button("grids-chip", "", "", () => (state.at ? grids.open(state.community.code) : grids.panel("sets").show())),
      undo: grids.button("grids-step", pingji.drawing(UNDO), t("grids.do.undo_key"), () => grids.undo()),
      redo: grids.button("grids-step", pingji.drawing(REDO), t("grids.do.redo_key"), () => grids.redo()),
      held: make("span", "grids-held"),
    };
    slotOf("grids-set").replaceChildren(...(grids.mayEdit() ? [bar.undo, bar.redo] : []), bar.chip, bar.held);
    paintSet();
  }

  function paintSet() {
    if (!bar) return;
    const { make } = pingji;
    const { set, at, held, busy } = state;
    const past = Boolean(at);
    const status = past ? "past" : set ? set.status : "none";
    const name = past ? t("grids.head.past", { date: dateOf(at) }) : set ? set.name : t("grids.head.no_set");
    bar.chip.dataset.status = status;
    bar.chip.replaceChildren(make("b", "", name), make("span", "", past ? t("grids.head.to_today") : set ? t(`grids.status.${status}`) : t("grids.head.today")));
    bar.chip.hidden = !state.community;
    bar.chip.title = name;
    const steps = grids.editable() && set && !past;
    bar.undo.disabled = !steps || !set.can_undo || busy;
    bar.redo.disabled = !steps || !set.can_redo || busy;
    bar.held.hidden = !held;
    pingji.setText(bar.held, held ? t(held.exercise ? "grids.head.held_exercise" : "grids.head.held", { name: held.scope_name }) : "");
  }

  const day = new Intl.DateTimeFormat("en-CA", { timeZone: "Asia/Shanghai", year: "numeric", month: "2-digit", day: "2-digit" });
  const dateOf = (ms) => day.format(new Date(ms));

  /* ── Refusals ────────────────────────────────────────────────────────── */

  /** What was refused: why, where, and what can be done about it. Nothing of it is lost. */
  function paintRefused(_, error) {
    const { make } = pingji;
    const { codes = [], lonlat = null, bounds = null } = error.problem?.params ?? {};
    const place = Array.isArray(lonlat) ? lonlat : null;
    grids.highlight(place, "problem", [].concat(codes).map(String));
    const key = grids.keyOf(error);
    const actions = [];
    if (error.resend) actions.push(grids.button("grids-button is-main", t("grids.do.resend"), "", () => (clearRefused(), error.resend())));
    if (error.retry) actions.push(grids.button("grids-button", t("grids.do.retry"), "", () => (clearRefused(), error.retry())));
    if (place || bounds) actions.push(grids.button("grids-button", t("grids.do.show_place"), "", () => showPlace(place, bounds)));
    const close = grids.button("grids-notice-close", "×", t("grids.do.close"), clearRefused);
    const card = make("div", "grids-notice-card", make("p", "", error.message), ...actions, close);
    card.setAttribute("role", "alert");
    card.dataset.problem = key;
    slotOf("grids-notice").replaceChildren(card);
  }

  function showPlace(place, bounds) {
    if (bounds) return grids.zoom(bounds);
    const { map } = grids.view;
    map.setView([place[1], place[0]], Math.max(map.getZoom(), 17));
  }

  function clearRefused() {
    slotOf("grids-notice")?.replaceChildren();
    grids.highlight(null);
  }
  grids.clearRefused = clearRefused;

  /* ── What was done ───────────────────────────────────────────────────── */

  /** A short message after an edit, with the way back; the one before it has had its time. */
  function toastDone(_, answer) {
    clearRefused();
    slotOf("toasts")?.replaceChildren();
    const { lastIntent } = state;
    if (!lastIntent) return; // undo and redo are seen on the map
    const codes = [...answer.changed.features.map((one) => String(one.id)), ...answer.removed];
    const named = state.altered.length ? [...state.altered, ...answer.removed] : codes;
    const names = named.slice(0, 4).map(grids.codeText).join(t("map.list_separator"));
    const text = codes.length ? t(`grids.done.${lastIntent.kind}`, { codes: names }) : t("grids.done.nothing");
    pingji.toast(text, answer.saved && codes.length ? { label: t("grids.do.undo"), run: () => grids.undo() } : undefined);
  }

  /* ── Mounting ────────────────────────────────────────────────────────── */

  grids.ready.then((view) => {
    const fold = document.querySelector(".grids-fold");
    const page = document.getElementById("page");
    const toggle = () => {
      const folded = page.classList.toggle("is-folded");
      fold.setAttribute("aria-expanded", String(!folded));
    };
    if (matchMedia(NARROW).matches) page.classList.add("is-folded");
    fold.setAttribute("aria-expanded", String(!page.classList.contains("is-folded")));
    fold.addEventListener("click", toggle);
    const tabs = [...document.querySelectorAll("[data-tab]")].filter((tab) => !tab.dataset.needs || pingji.may(tab.dataset.needs));
    tabs.forEach((tab, i) => {
      tab.addEventListener("click", () => grids.showTab(tab.dataset.tab));
      tab.addEventListener("keydown", ({ key }) => {
        const next = tabs[i + ({ ArrowRight: 1, ArrowLeft: -1 }[key] ?? NaN)];
        next?.focus();
        next?.click();
      });
    });
    if (!view.canvases) return;
    mountChooser();
    mountSet();
    paintEmpty();
  });
  grids.on("communities", () => (paintChosen(), chooser && !chooser.box.hidden && paintList()));
  grids.on("community", (_, { moved }) => {
    paintChosen();
    paintEmpty();
    if (moved && grids.view) clearRefused();
  });
  for (const what of ["community", "set", "busy"]) grids.on(what, paintSet);
  grids.on("tool", () => state.unsent || clearRefused());
  grids.on("refused", paintRefused);
  grids.on("applied", toastDone);
})();

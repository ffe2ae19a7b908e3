/* The workbench's tools: their bar, keys and hint line; a tool is told of clicks, moves and keys while it is the chosen one.

   pingji.grids.defineTool(name, {key, icon, edits, enter(), leave(), click(event), move(event), double(event), finish(), back(),
   cancel() → true where there was something to drop, remove(), hint() → text, controls() → elements, paint(draw)})       */
(() => {
  "use strict";

  const pingji = window.pingji;
  const { grids } = pingji;
  const { state } = grids;
  const ORDER = ["select", "box", "cut", "merge", "reshape", "vertices", "give", "simplify", "repair", "measure"];

  const tools = new Map();
  let active = null;
  let activeName = "";

  grids.defineTool = (name, spec) => tools.set(name, spec);

  /** An icon of the bar: strokes on a 24 × 24 field. */
  grids.icon = (strokes) =>
    pingji.drawing(`<svg viewBox="0 0 24 24" width="22" height="22" fill="none" stroke="currentColor" stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${strokes}</svg>`);

  /* ── Choosing a tool ─────────────────────────────────────────────────── */

  let choosing = 0;

  /** Chooses a tool; one that edits needs a change set first, so that its figures can be shown while it draws. */
  grids.choose = async (name) => {
    const tool = tools.get(name);
    if (!tool || name === state.tool) return;
    const mine = ++choosing;
    if (tool.edits && !(await grids.writable())) return;
    if (mine === choosing) grids.setTool(name);
  };

  function switchTool() {
    if (activeName === state.tool) return;
    active?.leave?.();
    [active, activeName] = [tools.get(state.tool), state.tool];
    for (const button of document.querySelectorAll("[data-tool]")) {
      button.setAttribute("aria-pressed", String(button.dataset.tool === activeName));
    }
    grids.view?.map.getContainer().setAttribute("data-using", activeName);
    active?.enter?.();
    grids.paintHint();
    grids.repaintInk();
  }

  /* ── The hint line ───────────────────────────────────────────────────── */

  /** What the tool wants next, and its own buttons. */
  grids.paintHint = () => {
    const slot = document.querySelector('[data-slot="grids-hint"]');
    if (!slot || !active) return;
    const { make, t } = pingji;
    const why = state.community ? "" : t("grids.why.no_community");
    const text = make("p", "grids-hint-text", make("b", "", t(`grids.tool.${activeName}`)), make("span", "", why || active.hint()));
    const controls = state.community ? (active.controls?.() ?? []).filter(Boolean) : [];
    const focused = slot.contains(document.activeElement) ? document.activeElement.dataset.control : null;
    slot.replaceChildren(text, make("div", "grids-controls", ...controls));
    if (focused) slot.querySelector(`[data-control="${focused}"]`)?.focus();
  };

  /** A button of the hint line; `control` names it so that it keeps the focus when the line is painted anew. */
  grids.control = (control, text, act, { main = false, disabled = false, pressed } = {}) => {
    const button = grids.button(main ? "grids-button is-main" : "grids-button", text, "", act);
    button.dataset.control = control;
    button.disabled = disabled;
    if (pressed !== undefined) button.setAttribute("aria-pressed", String(pressed));
    return button;
  };

  /** One of a few values, as buttons side by side. */
  grids.choice = (control, label, options, value, change) => {
    const group = pingji.make("div", "grids-choice", pingji.make("span", "grids-choice-label", label));
    group.setAttribute("role", "group");
    for (const [option, text] of options) {
      group.append(grids.control(`${control}-${option}`, text, () => change(option), { pressed: option === value }));
    }
    return group;
  };

  /** What every drawing tool offers: end it, take back a point, drop it. */
  grids.drawControls = ({ points, least }) => {
    const { t } = pingji;
    return [
      points > 0 && grids.control("back", t("grids.do.back"), () => active.back()),
      points > 0 && grids.control("cancel", t("grids.do.cancel"), () => drop()),
      grids.control("finish", t("grids.do.finish"), () => active.finish(), { main: true, disabled: points < least || state.busy }),
    ];
  };

  function drop() {
    if (!active?.cancel?.()) state.tool === "select" ? grids.select([]) : grids.choose("select");
    grids.preview(null);
    grids.paintHint();
    grids.repaintInk();
  }

  /* ── Select, box, measure ────────────────────────────────────────────── */

  const additive = (event) => event.originalEvent.shiftKey || event.originalEvent.ctrlKey || event.originalEvent.metaKey;

  const chosenText = () => {
    const n = state.selected.size;
    return n ? pingji.t("grids.hint.chosen", { n: pingji.number(n) }) : pingji.t("grids.hint.select");
  };

  function selectAt(event) {
    const code = grids.at(event.latlng)?.code;
    if (!code) return additive(event) ? undefined : grids.select([]);
    additive(event) ? grids.toggle(code) : grids.select([code]);
  }

  grids.defineTool("select", {
    key: "v",
    icon: '<path d="M6 3.5l12 8-5.6 1.2L15 19l-2.6 1-2.5-6.2L6 17.5z"/>',
    click: selectAt,
    hint: chosenText,
    controls: () => (state.selected.size ? [grids.control("clear", pingji.t("grids.do.clear"), () => grids.select([]))] : []),
  });

  /* Dragging a box: the tool itself, or the shift key with any tool that selects. */
  let band = null; // {from, to} in container pixels

  function mountBand(map) {
    const box = map.getContainer();
    const at = (event) => {
      const frame = box.getBoundingClientRect();
      return [event.clientX - frame.left, event.clientY - frame.top];
    };
    const wanted = (event) => state.community && event.button === 0 && (state.tool === "box" || (state.tool === "select" && event.shiftKey));
    box.addEventListener("pointerdown", (event) => {
      if (!wanted(event) || !event.isPrimary) return;
      band = { from: at(event), to: null, id: event.pointerId, add: event.shiftKey || event.ctrlKey };
      map.dragging.disable();
    }, true);
    box.addEventListener("pointermove", (event) => {
      if (!band || event.pointerId !== band.id) return;
      const to = at(event);
      if (!band.to && Math.hypot(to[0] - band.from[0], to[1] - band.from[1]) < 5) return;
      band.to = to;
      grids.repaintInk();
    });
    const end = (event) => {
      if (!band || event.pointerId !== band.id) return;
      const { from, to, add } = band;
      band = null;
      if (state.tool !== "box") map.dragging.enable();
      if (!to) return;
      swallowClick(box);
      grids.select(within(map, from, to), { add });
      grids.repaintInk();
    };
    box.addEventListener("pointerup", end);
    box.addEventListener("pointercancel", end);
    grids.paper((frame, draw) => {
      if (band?.to) draw.rectangle([...band.from, ...band.to]);
    });
  }

  /** The click that ends a drag is no click on a grid. */
  function swallowClick(box) {
    const swallow = (event) => event.stopPropagation();
    box.addEventListener("click", swallow, { capture: true, once: true });
    setTimeout(() => box.removeEventListener("click", swallow, { capture: true }), 60);
  }

  /** The grids whose middle lies in a box of the screen. */
  function within(map, a, b) {
    const corner = (x, y) => grids.worldOf(map.containerPointToLatLng([x, y]));
    const nw = corner(Math.min(a[0], b[0]), Math.min(a[1], b[1]));
    const se = corner(Math.max(a[0], b[0]), Math.max(a[1], b[1]));
    const inside = ({ anchor: [x, y] }) => x >= nw.x && x <= se.x && y >= nw.y && y <= se.y;
    return [...grids.shapes().values()].filter(inside).map((shape) => shape.code);
  }

  grids.defineTool("box", {
    key: "b",
    icon: '<path stroke-dasharray="3 2.6" d="M4 5h16v14H4z"/>',
    enter: () => grids.view.map.dragging.disable(),
    leave: () => grids.view.map.dragging.enable(),
    click: selectAt,
    hint: () => (state.selected.size ? chosenText() : pingji.t("grids.hint.box")),
    controls: () => (state.selected.size ? [grids.control("clear", pingji.t("grids.do.clear"), () => grids.select([]))] : []),
  });

  let measured = "";
  let measure = null;

  grids.defineTool("measure", {
    key: "d",
    icon: '<path d="M3 15.5L15.5 3 21 8.5 8.5 21z"/><path d="M7 11.5l2 2M10 8.5l2.6 2.6M13 5.5l2 2"/>',
    enter() {
      const tell = (text) => {
        measured = text;
        if (state.tool === "measure") grids.paintHint();
      };
      measure = measure || pingji.mapkit.mountMeasure(grids.view, tell);
      measure(true);
    },
    leave: () => measure(false),
    hint: () => measured,
  });

  /* ── The bar ─────────────────────────────────────────────────────────── */

  function mountBar() {
    const { make, t } = pingji;
    const bar = document.querySelector('[data-slot="grids-tools"]');
    for (const [name, tool] of tools) if (tool.edits && !grids.mayEdit()) tools.delete(name); // their keys go with them
    for (const name of ORDER) {
      const tool = tools.get(name);
      if (!tool) continue;
      const label = t("grids.tools.with_key", { name: t(`grids.tool.${name}`), key: tool.key.toUpperCase() });
      const button = grids.button("grids-tool", grids.icon(tool.icon), label, () => grids.choose(name));
      button.append(make("span", "grids-tool-name", t(`grids.tool.${name}`)), make("kbd", "", tool.key.toUpperCase()));
      button.dataset.tool = name;
      button.setAttribute("aria-pressed", String(name === state.tool));
      bar.append(button);
    }
    const help = grids.button("grids-tool grids-help", "?", t("grids.keys.title"), openKeys);
    bar.append(help);
  }

  /* ── Keys ────────────────────────────────────────────────────────────── */

  const OTHER_KEYS = [
    ["Ctrl Z", "undo"], ["Ctrl Shift Z / Ctrl Y", "redo"], ["Enter", "finish"], ["Backspace", "back"], ["Delete", "remove"],
    ["Esc", "cancel"], ["Ctrl A", "all"], ["0", "whole"], ["/", "community"], ["?", "help"],
  ];

  function openKeys() {
    const { make, t } = pingji;
    document.querySelector(".grids-keys")?.close();
    const dialog = make("dialog", "desk-dialog grids-keys");
    const rows = ORDER.filter((name) => tools.has(name)).map((name) => [tools.get(name).key.toUpperCase(), t(`grids.tool.${name}`)]);
    const others = OTHER_KEYS.map(([key, what]) => [key, t(`grids.keys.${what}`)]);
    const list = make("dl", "grids-keys-list");
    for (const [key, what] of [...rows, ...others]) list.append(make("dt", "", make("kbd", "", key)), make("dd", "", what));
    const close = grids.button("dialog-close", "×", t("grids.do.close"), () => dialog.close());
    dialog.append(make("div", "dialog-head", make("h2", "", t("grids.keys.title")), close), list);
    dialog.setAttribute("aria-label", t("grids.keys.title"));
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  }

  const typing = (target) => target.closest?.("input, textarea, select, dialog, [contenteditable]");

  function withControl(event) {
    const key = event.key.toLowerCase();
    if (key === "z") return event.shiftKey ? grids.redo : grids.undo;
    if (key === "y") return grids.redo;
    if (key === "a" && state.community) return () => grids.select([...state.grids.keys()]);
    return null;
  }

  function plain(event) {
    const { key } = event;
    if (key === "Escape") return drop;
    if (key === "Enter" && !event.target.closest("button, a")) return active?.finish && (() => active.finish());
    if (key === "Backspace") return active?.back && (() => active.back());
    if (key === "Delete") return active?.remove && (() => active.remove());
    if (key === "?") return openKeys;
    if (key === "0") return () => grids.fit();
    if (key === "/") return grids.openCommunities;
    const tool = [...tools].find(([, spec]) => spec.key === key.toLowerCase());
    return tool && (() => grids.choose(tool[0]));
  }

  document.addEventListener("keydown", (event) => {
    if (!active || typing(event.target) || document.querySelector("dialog[open]")) return;
    const act = event.ctrlKey || event.metaKey ? withControl(event) : event.altKey ? null : plain(event);
    if (!act) return;
    event.preventDefault();
    act();
  });

  /* ── Mounting ────────────────────────────────────────────────────────── */

  grids.ready.then((view) => {
    if (!view.canvases) return;
    const { map } = view;
    const pass = (name) => (event) => state.community && active?.[name]?.(event);
    map.on("click", pass("click")).on("mousemove", pass("move")).on("dblclick", pass("double"));
    mountBand(map);
    mountBar();
    switchTool();
    grids.paper((frame, draw) => active?.paint?.(draw));
  });
  grids.on("tool", switchTool);
  for (const what of ["community", "selection", "preview", "busy"]) grids.on(what, grids.paintHint);
  grids.on("set", () => {
    if (tools.get(state.tool)?.edits && !grids.editable()) grids.setTool("select");
  });
})();

/* Search on the desk: names, codes and households; arrows, Enter and Escape work. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const desk = pingji.desk;
  const DEBOUNCE_MS = 160;

  let input;
  let list;
  let results = [];
  let active = -1;
  let timer = 0;
  let request = null;

  function mount() {
    const { make, t } = pingji;
    input = make("input", "search-input");
    Object.assign(input, { type: "search", placeholder: t("desk.search.placeholder"), autocomplete: "off", spellcheck: false });
    for (const [name, value] of Object.entries({ role: "combobox", "aria-label": t("desk.search.label"), "aria-expanded": "false", "aria-controls": "search-results", "aria-autocomplete": "list" })) {
      input.setAttribute(name, value);
    }
    list = make("ul", "search-results");
    Object.assign(list, { id: "search-results", hidden: true });
    list.setAttribute("role", "listbox");
    desk.slot("search").append(input, list);
    input.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(search, DEBOUNCE_MS);
    });
    input.addEventListener("keydown", onKey);
    input.addEventListener("focus", () => results.length && open(true));
    input.addEventListener("blur", () => setTimeout(() => open(false), 150));
    document.addEventListener("keydown", (event) => {
      const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
      if (event.key !== "/" || typing || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      input.focus();
      input.select();
    });
  }

  function open(on) {
    list.hidden = !on;
    input.setAttribute("aria-expanded", String(on));
  }

  async function search() {
    const q = input.value.trim();
    if (request) request.abort();
    if (!q) return show([], "");
    const mine = (request = new AbortController());
    try {
      const response = await fetch(`/api/v1/search?q=${encodeURIComponent(q)}&lang=${pingji.language}`, { signal: mine.signal });
      if (!response.ok) throw new Error(String(response.status));
      const found = await response.json();
      show(found, found.length ? "" : pingji.t("desk.search.none", { q }));
    } catch {
      if (!mine.signal.aborted) show([], pingji.t("desk.search.failed"));
    }
  }

  function show(found, message) {
    const { make } = pingji;
    results = found;
    active = found.length ? 0 : -1;
    const titleOf = (name) => desk.view?.layer(name)?.spec.title || "";
    list.replaceChildren(
      ...found.map((one, i) => {
        const item = make("li", "search-result", make("b", "", one.name || one.code), make("span", "search-layer", one.layer_title || titleOf(one.layer) || pingji.t("desk.switch.township")), make("span", "search-detail", [one.detail, one.code].filter(Boolean).join(" · ")));
        item.id = `search-result-${i}`;
        item.setAttribute("role", "option");
        item.addEventListener("mousedown", (event) => {
          event.preventDefault();
          choose(i);
        });
        return item;
      }),
      ...(message ? [make("li", "search-message", message)] : []),
    );
    mark();
    open(found.length > 0 || message !== "");
  }

  function mark() {
    [...list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === active)));
    active >= 0 ? input.setAttribute("aria-activedescendant", `search-result-${active}`) : input.removeAttribute("aria-activedescendant");
    list.children[active]?.scrollIntoView({ block: "nearest" });
  }

  function onKey(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps && results.length) {
      active = (active + steps[event.key] + results.length) % results.length;
      open(true);
      mark();
      event.preventDefault();
    } else if (event.key === "Enter" && active >= 0) choose(active);
    else if (event.key === "Escape") {
      open(false);
      input.value ? (input.value = "") : input.blur();
    }
  }

  function choose(i) {
    const one = results[i];
    open(false);
    if (desk.view) desk.view.go(one.layer, one.code, one.lonlat, one.bounds);
  }

  Promise.all([desk.drawn, pingji.client]).then(mount);
})();

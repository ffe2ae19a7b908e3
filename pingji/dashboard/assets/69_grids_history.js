/* History: the grids of any day, what was published when, past emergencies, and where the chosen grid came from. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const { make, t, number } = pingji;
  const { grids } = pingji;
  const { parts } = grids;
  const past = (grids.history = {});
  let slot = null;
  let known = { community: "", changes: [], operations: [] };
  let failure = "";
  let descent = null; // {code, answer, duty: the grid of the day that is shown, with its people}

  const address = () => new URLSearchParams(location.search);
  const today = () => parts.date(pingji.live.now());

  /* ── Which day is shown ──────────────────────────────────────────────── */

  let working = null; // the change set that was in hand before a past day was looked at

  past.show = (date) => grids.open(grids.state.community.code, date && date < today() ? { date } : { set: working || undefined });
  past.showOperation = (id) => grids.open(grids.state.community.code, { operation: id });

  /** The words of the day that is shown, or "" for today. */
  function shownWords() {
    const { at } = grids.state;
    if (!at) return "";
    const operation = known.operations.find((one) => String(one.id) === address().get("operation"));
    if (operation) return t(operation.exercise ? "grids.history.shown_exercise" : "grids.history.shown_operation", { scope: operation.scope_name, time: parts.when(operation.started_at) });
    return t("grids.history.shown", { date: address().get("date") || parts.date(at) });
  }

  let banner = null;

  /** What is on the map is not today's: said over the map, with the way back. */
  function paintBanner() {
    const host = document.querySelector(".grids-main");
    if (!host) return;
    const words = shownWords();
    document.getElementById("page").classList.toggle("is-past", Boolean(words));
    if (!words) {
      banner?.remove();
      banner = null;
      return;
    }
    banner = banner || host.appendChild(make("div", "gp-past", make("span"), parts.button("gp-small", t("grids.history.today"), () => past.show(null))));
    banner.setAttribute("role", "status");
    pingji.setText(banner.firstChild, words);
  }

  /* ── The list ────────────────────────────────────────────────────────── */

  async function load() {
    const code = grids.state.community?.code;
    if (!code) return;
    try {
      const answer = await grids.ask("GET", `/grids/history?community=${encodeURIComponent(code)}`);
      if (grids.state.community?.code !== code) return;
      known = { community: code, ...answer };
      failure = "";
    } catch (error) {
      failure = error.message;
    }
    paint();
  }

  function chooser() {
    const day = parts.input("date", address().get("date") || today(), { type: "date", max: today() });
    day.addEventListener("change", () => day.value && past.show(day.value));
    const row = make("div", "gp-day", parts.field(t("grids.history.date"), day));
    if (grids.state.at) row.append(parts.button("button-quiet", t("grids.history.today"), () => past.show(null)));
    return row;
  }

  function changeItem(one) {
    const shown = address().get("date") === one.date;
    const button = parts.button("gp-change", "", () => past.show(one.date));
    const who = [t(`choice.grids.reason.${one.reason}`), parts.who(one.author), one.reviewer ? t("grids.history.reviewer", { name: parts.who(one.reviewer) }) : ""].filter(Boolean).join(" · ");
    button.append(make("time", "", one.date), make("b", "", one.name), make("span", "gp-change-n", t("grids.history.grids", { n: number(one.grids) })), make("span", "gp-change-who", who));
    if (one.note) button.append(make("span", "gp-change-note", one.note));
    button.setAttribute("aria-current", String(shown));
    return make("li", "", button);
  }

  function operationItem(one) {
    const button = parts.button("gp-change", "", () => past.showOperation(one.id));
    const span = one.ended_at ? t("grids.history.lasted", { time: pingji.duration(one.ended_at - one.started_at) }) : t("grids.history.going_on");
    button.append(make("time", "", parts.date(one.started_at)), make("b", "", one.scope_name), make("span", "gp-change-n", one.exercise ? t("banner.exercise") : t("mode.emergency")), make("span", "gp-change-who", span));
    button.setAttribute("aria-current", String(address().get("operation") === String(one.id)));
    return make("li", "", button);
  }

  function lists() {
    if (failure && !known.changes.length) return [parts.notice("wrong", failure, parts.button("gp-small", t("grids.set.again"), load))];
    const { changes, operations } = known;
    const nodes = [parts.heading(t("grids.history.changes"), changes.length), changes.length ? make("ul", "gp-changes", ...changes.map(changeItem)) : parts.empty(t("grids.history.no_changes"))];
    if (operations.length) nodes.push(parts.heading(t("grids.history.operations"), operations.length), make("ul", "gp-changes", ...operations.map(operationItem)));
    return nodes;
  }

  /* ── The chosen grid ─────────────────────────────────────────────────── */

  /** Who answered for the chosen grid on the day that is shown, with the masked numbers once they have been asked for. */
  function onDuty(feature) {
    const { leader, deputy } = feature.properties;
    const duty = descent?.code === String(feature.id) ? descent.duty : null;
    const phone = (name) => (duty?.[name] ? make("i", "gp-duty-phone", duty[name]) : "");
    const line = (name, value, number) => make("div", "gp-duty-line", make("span", "", name), make("b", "", value || t("grids.history.nobody")), number);
    return make("div", "gp-duty", line(t("grids.history.leader"), leader, phone("leader_phone")), line(t("grids.history.deputy"), deputy, phone("deputy_phone")));
  }

  /** The grid at the middle of the chosen one, as it was on the day that is shown; null where that is another one. */
  async function dutyOf(code) {
    const shape = grids.shape(code);
    if (!shape) return null;
    const [lat, lon] = pingji.mapkit.latLngOf(shape);
    const query = new URLSearchParams({ lonlat: `${lon},${lat}` });
    for (const name of ["date", "operation"]) if (address().get(name)) query.set(name, address().get(name));
    const { grid } = await grids.ask("GET", `/grids/of?${query}`);
    return grid?.code === code ? grid : null;
  }

  function descentOf() {
    const codes = [...grids.state.selected];
    const heading = parts.heading(t("grids.history.lineage"));
    if (codes.length !== 1) return [heading, parts.empty(t("grids.history.choose_one"))];
    const feature = grids.state.grids.get(codes[0]);
    const nodes = [heading, make("p", "gp-lineage-name", `${codes[0]} ${feature?.properties.name || ""}`)];
    if (feature) nodes.push(onDuty(feature));
    if (descent?.code === codes[0]) nodes.push(descent.answer.versions.length ? past.graph(descent.answer, codes[0], (date) => past.show(date)) : parts.empty(t("grids.history.no_lineage")));
    return nodes;
  }

  let asking = 0;
  async function ask() {
    const [code, ...more] = grids.state.selected;
    if (!code || more.length || descent?.code === code || slot.hidden) return paint();
    const mine = ++asking;
    try {
      const duty = dutyOf(code).catch(() => null); // without the numbers the names are still there
      const answer = await grids.ask("GET", `/grids/lineage?code=${encodeURIComponent(code)}`);
      if (mine === asking) descent = { code, answer, duty: await duty };
    } catch {
      if (mine === asking) descent = { code, answer: { versions: [], links: [] } }; // a grid of a draft has no past yet
    }
    paint();
  }

  function paint() {
    if (!slot) return;
    paintBanner();
    if (!grids.state.community) return slot.replaceChildren(parts.empty(t("grids.problem.no_community")));
    const exports = grids.files.exportMenu(grids.state.at ? address().get("date") || parts.date(grids.state.at) : "");
    const words = shownWords();
    slot.replaceChildren(chooser(), ...(words ? [parts.notice("said", words)] : []), ...descentOf(), ...lists(), exports);
  }

  function communityChanged() {
    if (!grids.state.at) working = grids.state.set?.id || null;
    descent = null;
    if (known.community !== grids.state.community?.code) known = { community: "", changes: [], operations: [] };
    load();
    ask();
  }

  parts.whenDrawn("grids-history", (found) => {
    slot = found;
    grids.on("community", communityChanged);
    grids.on("selection", ask);
    grids.on("tab", ask);
    let version; // a publication adds to the list
    pingji.live.on("grids", (key, value) => {
      if (version !== undefined && value?.version !== version) {
        descent = null;
        load();
        ask();
      }
      version = value?.version;
    });
    communityChanged();
  });
})();

/* The tablet's shelter cards: sorted by what needs a decision, still under the finger, one action each. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const { live, make, setText, setData, setFill, t, number } = pingji;
  const STILL_MS = 4000; // nothing moves that long after a touch
  const NEAR_FULL = 0.8;
  const SOON_MIN = 30;
  const GROUPS = ["near_full", "over", "fault", "room", "diverting", "backup", "done"];
  const CONTROLS = new Set(["emergency", "recovery"]); // there is an operation whose places can be opened

  const count = (n) => (typeof n === "number" ? n : 0);
  const fillOf = (place) => (place.capacity > 0 ? count(place.present) / place.capacity : 0);

  /* ── What needs a decision ───────────────────────────────────────────── */

  /** The group of a shelter: what somebody has to decide about it. */
  function groupOf(place) {
    if (place.status === "fault") return "fault";
    if (place.status === "closed" || place.status === "standby") return count(place.present) > 0 ? "room" : "backup";
    if (place.status === "restored") return "done";
    if (place.status === "transferring_out" || place.status === "diverting") return "diverting";
    const fill = fillOf(place);
    if (fill >= 1) return "over";
    return fill >= NEAR_FULL || (typeof place.full_in_min === "number" && place.full_in_min <= SOON_MIN) ? "near_full" : "room";
  }

  function byNeed(a, b) {
    const group = GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group);
    if (group) return group;
    if (a.group === "backup") return b.place.capacity - a.place.capacity;
    return fillOf(b.place) - fillOf(a.place) || (a.code < b.code ? -1 : 1);
  }

  /** The one action that a shelter in this state offers, or none. */
  function actionOf({ place, group }) {
    if (!pingji.may("set_places") || !CONTROLS.has(document.body.dataset.mode)) return null;
    if (group === "backup") return { to: "accepting", label: "shelters.open", done: "shelters.opened" };
    if (group === "fault" || group === "diverting") return { to: "accepting", label: "shelters.resume", done: "shelters.resumed" };
    if (group === "done") return null;
    return { to: "transferring_out", label: "shelters.divert", done: "shelters.diverted", primary: group !== "room" };
  }

  /* ── The course of one shelter, as this tablet has seen it ───────────── */

  const SAMPLE_MS = 15000;
  const KEPT = 60;
  const courses = new Map();

  function sample(code, n, now) {
    const course = courses.get(code) || courses.set(code, []).get(code);
    const last = course[course.length - 1];
    if (last && now - last.at < SAMPLE_MS) return course;
    course.push({ at: now, n });
    if (course.length > KEPT) course.shift();
    return course;
  }

  /** The points of a small line, 100 × 24, of what was present over time. */
  function trendPoints(course) {
    if (course.length < 2) return "";
    const [first, last] = [course[0].at, course[course.length - 1].at];
    const low = Math.min(...course.map((p) => p.n));
    const range = Math.max(4, Math.max(...course.map((p) => p.n)) - low);
    return course.map((p) => `${((100 * (p.at - first)) / (last - first)).toFixed(1)},${(22 - (20 * (p.n - low)) / range).toFixed(1)}`).join(" ");
  }

  function trendLine() {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
    for (const [name, value] of [["viewBox", "0 0 100 24"], ["preserveAspectRatio", "none"], ["class", "trend"], ["aria-hidden", "true"]]) svg.setAttribute(name, value);
    svg.append(line);
    return { svg, line };
  }

  /* ── A card ──────────────────────────────────────────────────────────── */

  function fact(className) {
    const [value, label] = [make("b"), make("span", "fact-label")];
    return { node: make("div", `fact ${className}`, label, value), value, label };
  }

  /** A card and how it takes in a shelter's figures. */
  function makeCard(code) {
    const name = make("button", "card-name");
    const status = make("span", "chip");
    const [present, capacity, percent] = [make("b"), make("span", "of"), make("span", "percent")];
    const fill = make("i", "bar-fill");
    const { svg, line } = trendLine();
    const [room, rate, full] = [fact("fact-room"), fact("fact-rate"), fact("fact-full")];
    const who = make("span", "who");
    const call = make("a", "touch call");
    const act = make("button", "touch act");
    rate.node.append(svg);
    name.type = act.type = "button";
    const node = make(
      "article", "card",
      make("div", "card-head", name, status),
      make("div", "card-fill", make("div", "bar", fill, make("i", "bar-end")), make("div", "card-count", present, capacity, percent)),
      make("div", "facts", room.node, rate.node, full.node),
      make("div", "card-foot", who, call, act),
    );
    node.dataset.code = code;
    const card = { node, item: null };
    name.addEventListener("click", () => showOnMap(code));
    act.addEventListener("click", () => card.item && press(card.item));

    card.update = (item) => {
      const { place, group } = item;
      card.item = item;
      const ratio = fillOf(place);
      const left = place.capacity - count(place.present);
      setData(node, "group", group);
      setText(name, place.name);
      setText(status, t(`status.${place.status}`));
      setText(present, number(place.present));
      setText(capacity, ` / ${number(place.capacity)}`);
      setText(percent, place.capacity > 0 ? `${Math.round(100 * ratio)}%` : "");
      setFill(fill, ratio);
      setText(room.label, t(left < 0 ? "shelters.over" : "shelters.room"));
      setText(room.value, number(Math.abs(left)));
      setText(rate.label, t("shelters.rate"));
      setText(rate.value, pingji.signed(place.per_10min));
      setText(full.label, t("shelters.full_in"));
      setText(full.value, fullText(place, left));
      const points = trendPoints(sample(code, count(place.present), live.now()));
      if (line.getAttribute("points") !== points) line.setAttribute("points", points);
      paintContact(who, call, place);
      paintAction(act, actionOf(item));
    };
    return card;
  }

  function fullText(place, left) {
    if (left <= 0 && place.capacity > 0) return t("shelters.full_now");
    if (typeof place.full_in_min !== "number") return t("shelters.not_filling");
    if (place.full_in_min > 1440) return t("shelters.not_filling");
    return pingji.duration(Math.max(1, Math.ceil(place.full_in_min)) * 60000);
  }

  /** Who is in charge, and a button that calls where there is a number that can be dialled. */
  function paintContact(who, call, place) {
    const dialled = /^[+\d][\d\s-]{4,}$/.test(place.phone || "");
    setText(who, place.contact || t("shelters.nobody"));
    setText(call, place.phone ? t("shelters.call", { phone: place.phone }) : t("shelters.no_phone"));
    setData(call, "enabled", String(dialled));
    const href = dialled ? `tel:${place.phone.replace(/[\s-]/g, "")}` : "";
    if (href && call.getAttribute("href") !== href) call.setAttribute("href", href);
    if (!href) call.removeAttribute("href");
  }

  function paintAction(button, action) {
    button.hidden = !action;
    if (!action) return;
    setText(button, t(action.label));
    setData(button, "primary", String(Boolean(action.primary)));
  }

  /* ── One action, with the way back ───────────────────────────────────── */

  /** Puts a shelter into a state; the server's own words where it refuses. */
  async function setStatus(code, status, reason) {
    const response = await fetch(`/api/v1/places/${encodeURIComponent(code)}/status`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ status, reason }),
      signal: AbortSignal.timeout(8000),
    });
    if (response.ok) return;
    const problem = await response.json().catch(() => ({}));
    throw new Error((pingji.language === "en" ? problem.detail_en : problem.detail) || String(response.status));
  }

  /** The state to go back to: what was set, not what the counts made of it. */
  const settable = (status) => (["near_full", "saturated", "full", "open"].includes(status) ? "accepting" : status === "standby" ? "closed" : status);

  async function press(item) {
    const action = actionOf(item);
    if (!action) return;
    const [code, name, before] = [item.code, item.place.name, settable(item.place.status)];
    const card = cards.get(code);
    card.node.classList.add("busy");
    try {
      await setStatus(code, action.to, t(action.label));
      pingji.toast(t(action.done, { name }), { label: t("shelters.undo"), run: () => undo(code, name, before) });
    } catch (error) {
      pingji.toast(t("shelters.failed", { name, why: reasonOf(error) }), null);
    } finally {
      card.node.classList.remove("busy");
    }
  }

  async function undo(code, name, before) {
    try {
      await setStatus(code, before, t("shelters.undo"));
      pingji.toast(t("shelters.undone", { name }), null);
    } catch (error) {
      pingji.toast(t("shelters.failed", { name, why: reasonOf(error) }), null);
    }
  }

  const reasonOf = (error) => (error.name === "TypeError" || error.name === "TimeoutError" ? t("shelters.no_answer") : error.message);

  /* ── The list ────────────────────────────────────────────────────────── */

  const cards = new Map();
  const heads = new Map();
  let list, totals, empty;
  let touchedAt = -Infinity;
  let touching = false;
  let frame = 0;

  function schedule() {
    if (!frame) frame = requestAnimationFrame(paint);
  }

  function items() {
    return Object.keys(live.values)
      .filter((key) => key.startsWith("place/") && live.values[key].kind === "shelter")
      .map((key) => ({ code: key.slice(6), place: live.values[key], group: groupOf(live.values[key]) }));
  }

  function paint() {
    frame = 0;
    const now = items();
    for (const item of now) {
      if (!cards.has(item.code)) cards.set(item.code, makeCard(item.code));
      cards.get(item.code).update(item);
    }
    const known = new Set(now.map((item) => item.code));
    for (const [code, card] of cards) {
      if (known.has(code)) continue;
      card.node.remove();
      cards.delete(code);
    }
    const still = touching || performance.now() - touchedAt < STILL_MS;
    if (!still || list.childElementCount === 0) arrange(now);
    paintTotals(now);
    empty.hidden = now.length > 0 || Object.keys(live.values).length === 0;
    setText(empty, t("shelters.empty"));
  }

  /** Heads and cards in the order of need; nothing is moved that stands where it belongs. */
  function arrange(now) {
    const wanted = [];
    const sorted = [...now].sort(byNeed);
    for (const group of GROUPS) {
      const inside = sorted.filter((item) => item.group === group);
      if (inside.length === 0) continue;
      wanted.push(headOf(group, inside.length), ...inside.map((item) => cards.get(item.code).node));
    }
    wanted.forEach((node, i) => {
      if (list.children[i] !== node) list.insertBefore(node, list.children[i] || null);
    });
    while (list.childElementCount > wanted.length) list.lastElementChild.remove();
  }

  function headOf(group, n) {
    if (!heads.has(group)) heads.set(group, make("h2", "group-head", make("span"), make("b")));
    const head = heads.get(group);
    setData(head, "group", group);
    setText(head.firstChild, t(`shelters.group.${group}`));
    setText(head.lastChild, String(n));
    return head;
  }

  /** The leader's question first: how many can still come in, and how many if the backups open. */
  function paintTotals(now) {
    const roomIn = (groups) => now.filter((item) => groups.includes(item.group)).reduce((sum, { place }) => sum + Math.max(0, place.capacity - count(place.present)), 0);
    const present = now.reduce((sum, { place }) => sum + count(place.present), 0);
    const values = [
      ["shelters.total_room", roomIn(["near_full", "room"])],
      ["shelters.total_backup", roomIn(["backup"])],
      ["shelters.total_present", present],
    ];
    values.forEach(([label, n], i) => {
      const cell = totals.children[i] || totals.appendChild(make("div", "total", make("span"), make("b")));
      setText(cell.firstChild, t(label));
      setText(cell.lastChild, number(now.length ? n : undefined));
    });
  }

  /* ── Map, touch, start ───────────────────────────────────────────────── */

  function setMapShown(shown) {
    const page = document.getElementById("page");
    page.dataset.map = String(shown);
    page.querySelector("[data-toggle-map]").setAttribute("aria-pressed", String(shown));
    window.dispatchEvent(new Event("resize"));
  }

  function showOnMap(code) {
    if (matchMedia("(orientation: portrait)").matches) setMapShown(true);
    const view = pingji.map && pingji.map.views[0];
    if (view) requestAnimationFrame(() => view.go("shelters", code));
  }

  function followTouch() {
    const rest = () => {
      touching = false;
      touchedAt = performance.now();
      setTimeout(schedule, STILL_MS + 50);
    };
    list.addEventListener("pointerdown", () => (touching = true), { passive: true });
    for (const name of ["pointerup", "pointercancel"]) window.addEventListener(name, () => touching && rest(), { passive: true });
    list.addEventListener("scroll", rest, { passive: true });
  }

  function start(page) {
    list = page.querySelector('[data-slot="shelter_list"]');
    totals = page.querySelector('[data-slot="shelter_totals"]');
    empty = make("p", "empty");
    list.after(empty);
    page.querySelector("[data-toggle-map]").addEventListener("click", () => setMapShown(page.dataset.map !== "true"));
    followTouch();
    live.after(schedule);
    setInterval(schedule, 5000);
  }

  pingji.onPage("shelters", (page) => pingji.client.then(() => start(page)));
})();

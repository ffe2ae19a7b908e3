/* Two to-do lists: seats that nobody holds or would take over, and people who hold too many. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const { make, t, number, organisation: org } = pingji;
  const { state, parts } = org;
  const WHYS = ["no_holder", "term_ended", "no_deputy"];
  const PAGE = 100;
  let why = "no_holder";
  let shown = PAGE;

  /** Goes to the ground of a post and marks its line; the list stays where it is. */
  function goTo(post, row) {
    parts.choose(row.closest(".og-panel"), row);
    org.select(post.unit, { from: "list" });
  }

  function line(post, marks, person = true) {
    const title = make("span", "", make("b", "", parts.kindOf(post)), make("span", "og-todo-unit", post.unit_name));
    const note = [parts.where(post) || t(`org.level.${post.level}`), person && post.holder && `${post.holder} ${post.holder_phone}`].filter(Boolean).join(" · ");
    const row = parts.todo(`post-${post.code}`, title, note, marks, () => goTo(post, row));
    row.dataset.post = post.code;
    if (post.code === chosen) row.classList.add("is-chosen");
    row.addEventListener("click", () => (chosen = post.code));
    return row;
  }
  let chosen = "";

  /* ── Vacancies ───────────────────────────────────────────────────────── */

  const askVacancies = () => org.ask("GET", "/vacancies", { query: { scope: state.scope.code, why, limit: shown } });

  function paintVacancies({ counts, total, rows }) {
    const filled = make("p", "og-total", parts.ratio(counts.posts - counts.no_holder, counts.posts), make("span", "", t("org.vacancies.filled")));
    const choice = parts.choice(t("org.vacancies.why"), WHYS.map((name) => [name, t(`org.vacancies.${name}`, { n: number(counts[name]) })]), why, (name) => {
      why = name;
      shown = PAGE;
      showVacancies();
    });
    const list = make("div", "og-list", ...rows.map((post) => line(post, parts.why(post))));
    if (!rows.length) list.append(parts.empty(t(`org.vacancies.none_${why}`)));
    if (total > rows.length) list.append(parts.button("og-small og-wide", t("org.list.more", { shown: number(rows.length), total: number(total) }), () => ((shown += PAGE), showVacancies()), "more"));
    return [parts.scopeLine(), filled, choice, list];
  }

  const showVacancies = () => org.fill(org.slot("vacancies"), askVacancies, paintVacancies);

  /* ── Burdens ─────────────────────────────────────────────────────────── */

  function paintPerson({ holder, holder_phone: phone, n, posts }, limit) {
    const head = make("header", "og-person-head", parts.person(holder, phone), make("span", "og-ratio", make("b", "", number(n)), make("i", "", ` / ${number(limit)}`)));
    return make("article", "og-burden", head, ...posts.map((post) => line(post, [], false)));
  }

  function paintBurdens({ limit, people }) {
    const note = make("p", "og-total", make("b", "og-big", number(people.length)), make("span", "", t("org.burdens.people", { limit: number(limit) })));
    if (!people.length) return [parts.scopeLine(), note, parts.empty(t("org.burdens.none"))];
    return [parts.scopeLine(), note, make("div", "og-list", ...people.map((one) => paintPerson(one, limit)))];
  }

  const askBurdens = async () => org.ask("GET", "/overloaded", { query: { scope: state.scope.code } });
  const showBurdens = () => org.fill(org.slot("burdens"), askBurdens, paintBurdens);

  /* ── Badges: how much there is to do, whichever tab is open ──────────── */

  async function badges() {
    try {
      const [vacancies, burdens] = await Promise.all([org.ask("GET", "/vacancies", { query: { limit: 1 } }), org.ask("GET", "/overloaded")]);
      org.badge("vacancies", vacancies.counts.no_holder && number(vacancies.counts.no_holder));
      org.badge("burdens", burdens.people.length && number(burdens.people.length));
      org.tell("counted", vacancies.counts);
    } catch {
      for (const name of ["vacancies", "burdens"]) org.badge(name, "");
    }
  }

  const show = { vacancies: showVacancies, burdens: showBurdens };
  org.ready.then(() => {
    badges();
    show[state.tab]?.();
  });
  org.on("tab", (name) => show[name]?.());
  org.on("scope", () => {
    shown = PAGE;
    show[state.tab]?.();
  });
  org.on("changed", () => {
    badges();
    show[state.tab]?.();
  });
})();

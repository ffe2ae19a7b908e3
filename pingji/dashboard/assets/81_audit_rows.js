/* The entries of the audit as a table: one line each, all of an entry below it when it is opened. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const { audit } = pingji;
  const COLUMNS = ["time", "actor", "what", "object", "purpose", "result", "address"];
  const ALL = ["seq", "scope", "door", "actor_id", "request", "action", "previous", "hash"];
  const rows = (audit.rows = {});

  const door = (entry) => (pingji.has(`audit.door.${entry.door}`) ? pingji.t(`audit.door.${entry.door}`) : entry.door);
  const outcome = (entry) => (pingji.has(`audit.outcome.${entry.outcome}`) ? pingji.t(`audit.outcome.${entry.outcome}`) : entry.outcome);

  /** Who acted; where nobody was signed in, that. */
  function actorName(entry) {
    if (entry.actor) return entry.actor;
    return pingji.t(entry.door === "web" ? "audit.nobody" : "audit.system");
  }

  function plain(value) {
    return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
  }

  /** What a value of the detail is called; its key where it has no name. */
  function detailName(key) {
    const known = [`audit.filter.${key}`, `audit.detail.${key}`].find((text) => pingji.has(text));
    return known ? pingji.t(known) : `${pingji.t("audit.column.detail")} ${key}`;
  }

  function whole(entry) {
    const { make, t } = pingji;
    const list = make("dl", "audit-whole");
    const add = (name, value, filter) => {
      if (value === "" || value === undefined || value === null) return;
      const shown = filter ? pingji.button("audit-link", plain(value), "", () => audit.filterBy(filter, value)) : plain(value);
      list.append(make("dt", "", name), make("dd", "", shown));
    };
    add(t("audit.column.actor"), entry.actor, "actor");
    add(t("audit.column.object"), entry.object, "object");
    add(t("audit.column.purpose"), entry.purpose);
    for (const name of ALL) add(t(`audit.column.${name}`), name === "door" ? door(entry) : entry[name]);
    for (const [name, value] of Object.entries(entry.detail || {})) add(detailName(name), value);
    return list;
  }

  function toggle(row, entry) {
    const open = row.getAttribute("aria-expanded") !== "true";
    row.setAttribute("aria-expanded", String(open));
    if (!open) return row.nextElementSibling?.matches(".audit-more-of") && row.nextElementSibling.remove();
    const cell = pingji.make("td", "", whole(entry));
    cell.colSpan = COLUMNS.length;
    row.after(pingji.make("tr", "audit-more-of", cell));
  }

  function rowOf(entry) {
    const { make } = pingji;
    const time = make("time", "", audit.time(entry.at));
    time.dateTime = new Date(entry.at).toISOString();
    const cells = {
      time,
      actor: actorName(entry),
      what: entry.text,
      object: entry.object || entry.scope,
      purpose: entry.purpose,
      result: make("span", "audit-outcome", outcome(entry)),
      address: [entry.address, entry.door === "system" ? "" : door(entry)].filter(Boolean).join(" · "),
    };
    const row = make("tr", "audit-row", ...COLUMNS.map((name) => make("td", `audit-${name}`, cells[name])));
    for (const name of ["actor", "object", "purpose", "address"]) row.querySelector(`.audit-${name}`).title = row.querySelector(`.audit-${name}`).textContent;
    row.tabIndex = 0;
    row.dataset.outcome = entry.outcome;
    row.dataset.seq = entry.seq;
    row.setAttribute("aria-expanded", "false");
    row.addEventListener("click", () => getSelection().isCollapsed && toggle(row, entry));
    row.addEventListener("keydown", (event) => {
      if (event.target !== row || !["Enter", " "].includes(event.key)) return;
      event.preventDefault();
      toggle(row, entry);
    });
    return row;
  }

  function head() {
    const { make, t } = pingji;
    const cells = COLUMNS.map((name) => {
      const cell = make("th", `audit-${name}`, t(`audit.column.${name}`));
      cell.scope = "col";
      return cell;
    });
    return make("thead", "", make("tr", "", ...cells));
  }

  function foot() {
    const { make, t, number } = pingji;
    const n = make("span", "audit-shown", t("audit.shown", { n: number(audit.entries.length) }));
    if (audit.next === null) return make("div", "audit-foot", n, make("span", "", t("audit.end")));
    const more = pingji.button("audit-more", t("audit.more"), "", async () => {
      more.disabled = true;
      try {
        await audit.more();
      } catch (error) {
        more.disabled = false;
        pingji.toast(t("audit.failed", { what: error.message }));
      }
    });
    return make("div", "audit-foot", n, more);
  }

  function message(text, ...more) {
    audit.slot("entries").replaceChildren(pingji.make("div", "audit-empty", pingji.make("p", "", text), ...more));
  }

  let waiting = 0;

  /** A search is under way; what is there stays until it has been answered, or a moment has passed. */
  rows.waiting = () => {
    audit.slot("entries").setAttribute("aria-busy", "true");
    clearTimeout(waiting);
    waiting = setTimeout(() => message(pingji.t("audit.loading")), audit.entries.length ? 600 : 0);
  };

  function answered() {
    clearTimeout(waiting);
    audit.slot("entries").removeAttribute("aria-busy");
  }

  rows.show = (entries, next) => {
    answered();
    [audit.entries, audit.next] = [entries, next];
    if (!entries.length) return message(pingji.t("audit.empty"));
    const table = pingji.make("table", "audit-table", head(), pingji.make("tbody", "", ...entries.map(rowOf)));
    audit.slot("entries").replaceChildren(table, foot());
    audit.slot("entries").scrollTop = 0;
  };

  rows.add = (entries, next) => {
    audit.entries = audit.entries.concat(entries);
    audit.next = next;
    audit.slot("entries").querySelector("tbody").append(...entries.map(rowOf));
    audit.slot("entries").querySelector(".audit-foot").replaceWith(foot());
  };

  rows.failed = (what, again) => {
    answered();
    audit.entries = [];
    message(pingji.t("audit.failed", { what }), pingji.button("audit-search", pingji.t("audit.retry"), "", again));
  };
})();

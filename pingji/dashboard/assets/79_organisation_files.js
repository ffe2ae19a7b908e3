/* The workbook: export, and import with a preview of what it would change and what is wrong with which row. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const { make, t, number, organisation: org } = pingji;
  const { state, parts } = org;
  const CHANGES = ["added", "changed", "ended"];
  const FIELDS = ["holder", "holder_phone", "deputy", "deputy_phone", "term_from", "term_to", "department", "title"];
  const ROWS = 200; // of the preview that are drawn

  /* ── Buttons of the head ─────────────────────────────────────────────── */

  function exportLink(className) {
    const link = make("a", className, t("org.export"));
    link.href = org.address("/export");
    link.download = "";
    return link;
  }

  const mayImport = () => state.whole && state.may.has("edit_organisation"); // a workbook may name any unit
  const mayExport = () => state.may.has("export") || state.may.has("edit_organisation");

  function mount() {
    const committees = parts.button("og-button og-open-committees", t("org.committees.title"), () => (org.slot("committees").hidden ? org.openCommittees() : org.closeCommittees()));
    committees.setAttribute("aria-pressed", "false");
    const row = [committees];
    if (mayImport()) row.push(parts.button("og-button", t("org.import.open"), openImport));
    if (mayExport()) row.push(exportLink("og-button"));
    org.slot("actions").replaceChildren(...row);
  }

  /* ── Nothing there yet ───────────────────────────────────────────────── */

  /** Where no seat is known at all: say what an organisation is made from, and offer to read it. */
  function offer({ posts }) {
    const slot = org.slot("empty");
    if (posts) return slot.replaceChildren();
    const card = make("div", "og-empty-card", make("h2", "", t("org.empty.title")), make("p", "", t("org.empty.what")));
    if (mayImport()) card.append(parts.button("button-key", t("org.import.open"), openImport));
    if (mayExport()) card.append(make("p", "", t("org.empty.template")), exportLink("og-link"));
    slot.replaceChildren(card);
  }

  /* ── The preview ─────────────────────────────────────────────────────── */

  const column = (name) => make("th", ["row", "where"].includes(name) ? "og-number" : "", t(`org.import.column.${name}`));

  function errorTable(errors, total) {
    const english = pingji.language === "en";
    const rows = errors.map((one) => make("tr", "", make("td", "", one.sheet), make("td", "og-number", number(one.row)), make("td", "", one.column || ""), make("td", "og-value", String(one.value ?? "")), make("td", "", make("b", "", (english && one.text_en) || one.text), make("span", "og-remedy", (english && one.remedy_en) || one.remedy || ""))));
    const head = make("tr", "", ...["sheet", "row", "column", "value", "problem"].map(column));
    const section = make("section", "og-import-part", parts.heading(t("org.import.errors"), number(total)), make("div", "og-import-scroll", make("table", "og-table og-errors", make("thead", "", head), make("tbody", "", ...rows))));
    section.querySelector(".og-import-scroll").tabIndex = 0;
    return section;
  }

  const said = (side, name) => (side && side[name] ? String(side[name]) : "");

  /** One field of a row: what it is, or what it was and will be. */
  function difference({ change, before, after }, names) {
    const cell = make("td", "");
    const join = (side) => names.map((name) => said(side, name)).filter(Boolean).join(names[0] === "term_from" ? " – " : " ");
    const [was, will] = [join(before), join(after)];
    if (change === "changed" && was !== will) cell.append(make("del", "", was || "—"), make("ins", "", will || "—"));
    else cell.append(change === "ended" ? make("del", "", was || "—") : document.createTextNode(will || "—"));
    return cell;
  }

  function changeTable(changes, total) {
    const rows = changes.slice(0, ROWS).map((one) => {
      const what = parts.mark(one.change === "added" ? "solid" : one.change === "ended" ? "hollow" : "quiet", t(`org.import.${one.change}`));
      const row = make("tr", "", make("td", "", what), make("td", "", make("b", "", t(`org.post.${one.kind}`)), make("span", "og-remedy", one.unit_name)), difference(one, FIELDS.slice(0, 2)), difference(one, FIELDS.slice(2, 4)), difference(one, FIELDS.slice(4, 6)), make("td", "og-number", one.row ? `${one.sheet} ${number(one.row)}` : ""));
      row.dataset.change = one.change;
      return row;
    });
    const head = make("tr", "", ...["change", "post", "holder", "deputy", "term", "where"].map(column));
    const section = make("section", "og-import-part", parts.heading(t("org.import.changes"), number(total)), make("div", "og-import-scroll", make("table", "og-table", make("thead", "", head), make("tbody", "", ...rows))));
    section.querySelector(".og-import-scroll").tabIndex = 0;
    if (total > rows.length) section.append(make("p", "og-note", t("org.import.first", { n: number(rows.length), total: number(total) })));
    return section;
  }

  function summary({ counts, sheets }) {
    const list = make("dl", "og-import-counts");
    for (const name of ["rows", ...CHANGES, "unchanged", "errors"]) {
      const pair = make("div", "", make("dt", "", t(`org.import.${name}`)), make("dd", "", number(counts[name])));
      pair.dataset.count = name;
      pair.dataset.some = String(counts[name] > 0);
      list.append(pair);
    }
    const read = sheets.map((one) => t("org.import.sheet", { sheet: one.sheet, rows: number(one.rows), header: number(one.header_row) })).join(t("grids.set.separator"));
    return [list, make("p", "og-note", read)];
  }

  function report(found) {
    const { counts } = found;
    const body = summary(found);
    if (found.errors.length) body.push(errorTable(found.errors, counts.errors));
    const total = CHANGES.reduce((sum, name) => sum + (counts[name] || 0), 0);
    if (total) body.push(changeTable(found.changes, total));
    else if (!found.errors.length) body.push(parts.empty(t("org.import.nothing")));
    if (counts.errors) body.push(make("p", "dialog-effect", t("org.import.repair")));
    else if (total) body.push(make("p", "dialog-effect", t("org.import.effect")));
    return body;
  }

  /* ── The dialog ──────────────────────────────────────────────────────── */

  function openImport() {
    const file = parts.input("file", "", { type: "file", required: true, accept: ".xlsx" });
    const shown = make("div", "og-import-report");
    shown.setAttribute("aria-live", "polite");
    let digest = "";
    const { dialog, press, refuse } = parts.dialog({
      title: t("org.import.title"),
      className: "og-import",
      body: [parts.field(t("org.import.file"), file, t("org.import.file_note")), shown],
      confirm: t("org.import.apply"),
      send: async () => {
        const done = await org.ask("POST", "/import/apply", { query: { filename: file.files[0].name, digest }, file: file.files[0] });
        pingji.toast(t("org.import.done", { added: number(done.added), changed: number(done.changed), ended: number(done.ended) }));
        org.tell("changed", {});
      },
    });
    press.disabled = true;
    file.addEventListener("change", async () => {
      const [chosen] = file.files;
      press.disabled = true;
      refuse("");
      shown.replaceChildren();
      if (!chosen) return;
      shown.replaceChildren(parts.empty(t("org.import.reading")));
      try {
        const found = await org.ask("POST", "/import/preview", { query: { filename: chosen.name }, file: chosen });
        if (file.files[0] !== chosen || !dialog.open) return;
        digest = found.digest;
        shown.replaceChildren(...report(found));
        press.disabled = !found.can_apply;
        dialog.classList.add("is-wide");
      } catch (error) {
        shown.replaceChildren();
        refuse(error);
      }
    });
  }

  org.ready.then(mount);
  org.on("counted", offer);
})();

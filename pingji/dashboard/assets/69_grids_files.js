/* Files of grids: exports of the day that is shown, and importing a whole new set as a change set. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const { make, t, number } = pingji;
  const { grids } = pingji;
  const { parts } = grids;
  const files = (grids.files = {});
  const FORMATS = ["gpkg", "shp", "geojson", "xlsx"];
  const ENCODINGS = ["", "gbk", "utf-8"];
  const SYSTEMS = ["", "EPSG:4490", "EPSG:4326", "EPSG:4547", "EPSG:4548", "EPSG:3857"];

  /** Links that fetch the community's grids as they were on a day, "" for today's. */
  files.exportMenu = (date) => {
    if (!pingji.may("export")) return "";
    const code = grids.state.community.code;
    const list = make("div", "gp-exports");
    for (const format of FORMATS) {
      const query = new URLSearchParams({ format, community: code, ...(date ? { date } : {}) });
      const link = make("a", "gp-export", make("b", "", t(`grids.history.format_${format}`)), make("span", "", t(`grids.history.format_${format}_note`)));
      link.href = `/api/v1/grids/export?${query}`;
      link.download = "";
      list.append(link);
    }
    return make("section", "", parts.heading(date ? t("grids.history.export_of", { date }) : t("grids.history.export")), list);
  };

  /* ── Import ──────────────────────────────────────────────────────────── */

  async function send(file, values, offset) {
    const query = new URLSearchParams({ filename: file.name, name: values.name.trim(), reason: values.reason, note: values.note.trim() });
    for (const name of ["encoding", "crs"]) if (values[name]) query.set(name, values[name]);
    if (offset !== "") query.set("accept_offset", offset);
    const response = await fetch(`/api/v1/grids/import?${query}`, { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: file });
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    const message = (pingji.language === "en" && answer.detail_en) || answer.detail || t("grids.error.unexpected", { code: response.status });
    throw Object.assign(new Error(message), { problem: { status: response.status, params: {}, ...answer } });
  }

  /** What the import found, in words and numbers. */
  function report({ report: found }) {
    const rows = ["read", "kept", "dropped", "unchanged", "matched_by_code", "matched_by_overlap", "new", "ended"];
    const list = make("dl", "gp-report", ...rows.flatMap((name) => [make("dt", "", t(`grids.set.import_${name}`)), make("dd", "", number(found[name]))]));
    const notes = (found.notes || []).map((one) => make("li", "", one));
    if (found.ended_codes?.length) notes.unshift(make("li", "", t("grids.set.import_ended_which", { grids: parts.labels(found.ended_codes) })));
    if (found.recoded?.length) notes.unshift(make("li", "", t("grids.set.import_recoded", { n: number(found.recoded.length), rows: found.recoded.slice(0, 5).map((one) => `${one.given || "—"} → ${parts.label(one.code)}`).join(t("grids.set.separator")) })));
    return [list, ...(notes.length ? [make("ul", "gp-report-notes", ...notes)] : [])];
  }

  function told(answer) {
    const { set } = answer;
    const place = (set.communities || [])[0];
    const code = place ? place.code || place : grids.state.community?.code;
    parts.dialog({
      title: t("grids.set.import_done"),
      body: [make("p", "dialog-effect", t("grids.set.import_effect", { name: set.name })), ...report(answer)],
      confirm: t("grids.set.import_look"),
      cancel: t("grids.set.close"),
      send: () => grids.open(code, { set: set.id }).then(() => grids.review.open(set.id)),
    });
    return grids.open(code, { set: set.id });
  }

  function fields() {
    const file = parts.input("file", "", { type: "file", required: true });
    file.accept = ".zip,.gpkg,.geojson,.json";
    const reasons = parts.reasons.map((one) => [one, t(`choice.grids.reason.${one}`)]);
    const name = parts.input("name", t("grids.set.import_name", { date: parts.date(pingji.live.now()) }), { required: true });
    const pair = make("div", "dialog-pair",
      parts.field(t("grids.set.encoding"), parts.select("encoding", ENCODINGS.map((one) => [one, one ? one.toUpperCase() : t("grids.set.by_itself")]), "")),
      parts.field(t("grids.set.crs"), parts.select("crs", SYSTEMS.map((one) => [one, one || t("grids.set.by_itself")]), "")),
    );
    return { file, body: [
      parts.field(t("grids.set.file"), file, t("grids.set.file_note")), parts.field(t("grids.set.name"), name),
      parts.field(t("grids.set.reason"), parts.select("reason", reasons, "redigitisation")),
      parts.field(t("grids.set.note"), Object.assign(make("textarea", "gp-input"), { name: "note", rows: 2, maxLength: 1000 })),
      pair,
    ] };
  }

  /** A file whose coordinates look shifted is not taken on a guess: the person says which it is, and it is sent again. */
  function offerOffset(found, choose) {
    const system = found.toUpperCase();
    const row = make("div", "gp-offset", make("p", "", t("grids.set.offset_question", { system })));
    row.append(parts.button("button-quiet", t("grids.set.offset_yes", { system }), () => choose(found)), parts.button("button-quiet", t("grids.set.offset_no"), () => choose("none")));
    return row;
  }

  files.openImport = () => {
    const { file, body } = fields();
    let offset = "";
    const shown = parts.dialog({
      title: t("grids.set.import"),
      className: "gp-import",
      body,
      confirm: t("grids.set.import_start"),
      send: async (values) => {
        try {
          const answer = await send(file.files[0], values, offset);
          queueMicrotask(() => told(answer));
        } catch (error) {
          if (grids.keyOf(error) === "nothing_new") return queueMicrotask(() => parts.say(error.message)); // good news: there is nothing to do
          if (grids.keyOf(error) !== "shift_undecided") throw error;
          ask(String(error.problem.params.value || "gcj02"));
          throw new Error(t("grids.set.offset_hint"));
        }
      },
    });
    function ask(found) {
      shown.form.querySelector(".gp-offset")?.remove();
      const offer = offerOffset(found, (choice) => {
        offset = choice;
        shown.form.requestSubmit();
      });
      shown.foot.before(offer);
      offer.querySelector("button").focus(); // which brings it into view
    }
    file.addEventListener("change", () => {
      offset = "";
      shown.form.querySelector(".gp-offset")?.remove();
    });
  };
})();

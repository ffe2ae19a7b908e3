/* Names and phones behind their masks: shown to who may see them, for a purpose, for a minute; each look is in the audit.

   pingji.names.block(layer, code, fields, changed)   an element for a card, null for who may not; `fields`: column → label
   pingji.names.ask({layer, codes, purpose, note})    what the API answers; rejects with an Error for the person      */
(() => {
  "use strict";

  const pingji = window.pingji;
  const { make, t } = pingji;
  const names = (pingji.names = {});
  const PURPOSES = ["search", "contact", "verify", "register", "other"];
  const SHOWN_S = 60;

  names.ask = async (question) => {
    let response;
    try {
      const body = JSON.stringify({ note: "", ...question });
      response = await fetch("/api/v1/names", { method: "POST", headers: { "Content-Type": "application/json" }, body, signal: AbortSignal.timeout(15000) });
    } catch {
      throw new Error(t("names.no_answer"));
    }
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    throw new Error((pingji.language === "en" && answer.detail_en) || answer.detail || String(response.status));
  };

  /** Why somebody wants to see: a purpose, and words where it is none of the usual. */
  function form(send, cancel) {
    const purpose = Object.assign(make("select"), { name: "purpose" });
    purpose.append(...PURPOSES.map((one) => Object.assign(make("option", "", t(`names.purposes.${one}`)), { value: one })));
    purpose.value = "contact";
    const note = Object.assign(make("input"), { name: "note", maxLength: 200, autocomplete: "off" });
    const label = make("span", "", t("names.note"));
    purpose.addEventListener("change", () => {
      note.required = purpose.value === "other";
      pingji.setText(label, t(note.required ? "names.note_required" : "names.note"));
    });
    const confirm = Object.assign(make("button", "names-confirm", t("names.confirm")), { type: "submit" });
    const error = make("p", "names-error");
    error.setAttribute("role", "alert");
    const element = make("form", "names-form", make("label", "", make("span", "", t("names.purpose")), purpose), make("label", "", label, note), make("p", "names-note", t("names.audit_note")), error, make("div", "names-foot", pingji.button("names-cancel", t("names.cancel"), "", cancel), confirm));
    element.addEventListener("submit", async (event) => {
      event.preventDefault();
      confirm.disabled = true;
      pingji.setText(error, "");
      try {
        await send(purpose.value, note.value.trim());
      } catch (problem) {
        pingji.setText(error, t("names.failed", { why: problem.message }));
      }
      confirm.disabled = false;
    });
    return element;
  }

  /** What came: the feature's own words, then its people. */
  function list({ features = [], people = [] }, fields) {
    const rows = make("dl", "names-list");
    for (const { fields: values } of features) {
      for (const [column, value] of Object.entries(values || {})) if (value) rows.append(make("dt", "", fields[column] || column), make("dd", "", String(value)));
    }
    for (const { name, phone } of people) rows.append(make("dt", "", name || ""), make("dd", "", phone || ""));
    return rows.children.length ? rows : make("p", "names-note", t("names.nothing"));
  }

  names.block = (layer, code, fields, changed = () => {}) => {
    if (!pingji.may("see_names")) return null;
    const box = make("div", "names");
    box.addEventListener("click", (event) => event.stopPropagation()); // what is replaced by its own click is no click on the map
    let counting = 0;
    const put = (...nodes) => {
      clearInterval(counting);
      box.replaceChildren(...nodes);
      changed();
    };
    const masked = () => put(pingji.button("names-show", t("names.show"), "", asked));
    const asked = () => {
      put(form(async (purpose, note) => shown(await names.ask({ layer, codes: [code], purpose, note })), masked));
      box.querySelector("select").focus();
    };
    /** For a minute, in the page's memory only. */
    function shown(answer) {
      const until = Date.now() + SHOWN_S * 1000;
      const words = make("span", "names-seen", t("names.seen", { n: SHOWN_S }));
      put(list(answer, fields), make("div", "names-foot", words, pingji.button("names-cancel", t("names.hide"), "", masked)));
      counting = setInterval(() => {
        const left = Math.ceil((until - Date.now()) / 1000);
        if (left <= 0 || !box.isConnected || pingji.session.over) return masked();
        pingji.setText(words, t("names.seen", { n: left }));
      }, 500);
    }
    masked();
    return box;
  };
})();

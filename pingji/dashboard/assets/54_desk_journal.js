/* Who did what: the newest entries of the journal, read again whenever the mode or the data changed. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const desk = pingji.desk;
  const LIMIT = 30;
  const AGAIN_MS = 8000;
  const day = new Intl.DateTimeFormat("en-CA", { timeZone: "Asia/Shanghai" });

  let timer = 0;
  let entries = null;
  let failed = false;

  async function load() {
    clearTimeout(timer);
    try {
      const response = await fetch(`/api/v1/journal?limit=${LIMIT}&lang=${pingji.language}`);
      if (!response.ok) throw new Error(String(response.status));
      const answer = await response.json();
      [entries, failed] = [Array.isArray(answer) ? answer : answer.entries, false];
    } catch {
      failed = true;
      timer = setTimeout(load, AGAIN_MS);
    }
    paint();
  }

  /** A time that may come in microseconds, milliseconds or as text, in milliseconds. */
  function moment(at) {
    const value = typeof at === "number" ? at : Date.parse(at);
    return value > 1e14 ? value / 1000 : value;
  }

  /** Today's entries show the time, older ones the day as well. */
  function timeText(at) {
    const [then, today] = [day.format(at), day.format(pingji.live.now())];
    return then === today ? pingji.clock(at, "minutes") : `${then.slice(5)} ${pingji.clock(at, "minutes")}`;
  }

  function actionText({ action, detail = {} }) {
    const { t } = pingji;
    const key = `desk.action.${action}`;
    const known = t(key) !== key;
    const layer = t(`layer.${detail.layer}.title`);
    const params = {
      action,
      mode: detail.to ? t(`mode.${detail.to}`) : "",
      level: detail.to === "emergency" && detail.level ? ` ${t(`level.${detail.level}`)}` : "",
      layer: layer.startsWith("layer.") ? detail.layer || "" : layer,
      n: pingji.number(detail.rows ?? detail.n ?? detail.count),
      status: detail.status ? t(`status.${detail.status}`) : "",
    };
    return t(known ? key : "desk.action.other", params);
  }

  function entryItem(entry) {
    const { make, t } = pingji;
    const at = moment(entry.at);
    const time = make("time", "journal-time", timeText(at));
    time.dateTime = new Date(at).toISOString();
    const named = entry.detail?.layer ? "" : entry.scope_name; // an import's own sentence names the layer
    const who = entry.actor && entry.actor !== "-" ? entry.actor : "";
    const text = make("div", "journal-text", make("b", "", [named, actionText(entry)].filter(Boolean).join(" ")));
    if (entry.exercise) text.append(make("span", "journal-exercise", t("desk.journal.exercise")));
    const reason = [who, entry.detail?.reason].filter(Boolean).join(" · ");
    if (reason) text.append(make("span", "journal-reason", reason));
    return make("li", "journal-entry", time, text);
  }

  function paint() {
    const slot = desk.slot("journal");
    if (!slot) return;
    const { make, t } = pingji;
    const parts = [make("h3", "figure-heading", t("desk.journal.title"))];
    if (failed && !entries) parts.push(make("p", "empty", t("desk.journal.failed")));
    else if (!entries || !entries.length) parts.push(make("p", "empty", entries ? t("desk.journal.empty") : "…"));
    else parts.push(make("ul", "journal-list", ...entries.map(entryItem)));
    slot.replaceChildren(...parts);
  }

  let wanted = 0;
  desk.reloadJournal = () => {
    if (!pingji.may("see_journal")) return;
    clearTimeout(wanted);
    wanted = setTimeout(load, 150);
  };

  Promise.all([desk.drawn, pingji.client]).then(() => {
    if (!pingji.may("see_journal")) return void (desk.slot("journal").hidden = true);
    load();
    pingji.live.on("mode", desk.reloadJournal);
    pingji.live.on("events", (key, events) => (events || []).some((one) => one.kind !== "arrivals") && desk.reloadJournal());
  });
})();

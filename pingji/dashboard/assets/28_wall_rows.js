/* The rows of the wall's lists: each a node and how it takes in a value.

   Below the county a count is a class: 0, "1–9", "0–9", "120+" for 120 to 129, or "—" where nothing is told. Bars draw
   what is certain solid, and up to what is possible hatched. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const { make, setText, setData, setScale, setShare, setFill, t, number } = pingji;

  const BAR_END = 0.8; // where 100 % is on a place's bar, as in 13_page.js
  const NOT_TOLD = "—";
  const CLASS = 9; // from the least to the most of a class

  /** How much a figure weighs in an order: the least of its class, and more than a zero; nothing known is 0. */
  const weight = (n) => (typeof n === "string" ? parseInt(n, 10) || 0.5 : typeof n === "number" ? n : 0);

  /** The least and the most that a figure may be; null where nothing is told. */
  function span(n) {
    if (typeof n === "number") return [n, n];
    const least = parseInt(n, 10);
    return Number.isNaN(least) ? null : [least, least < 10 ? CLASS : least + CLASS];
  }

  /** a of b as a share; nothing of nothing is nothing. */
  const share = (a, b) => (weight(b) > 0 ? weight(a) / weight(b) : 0);

  /** The least and the most share that a of b may be. */
  function shares(a, b) {
    const [parts, whole] = [span(a), span(b)];
    return parts && whole && whole[1] > 0 ? [parts[0] / whole[1], parts[1] / Math.max(1, whole[0])] : [0, 1];
  }

  function bar() {
    const [fill, maybe] = [make("i", "bar-fill"), make("i", "bar-fill bar-maybe")];
    return { node: make("div", "bar", maybe, fill), fill, maybe };
  }

  /** By its width: a hatch that is scaled is no hatch. */
  function setWidth(fill, ratio) {
    const width = `${(100 * Math.max(0, Math.min(1, ratio))).toFixed(2)}%`;
    if (fill.style.width !== width) fill.style.width = width;
  }

  /** name · how far · remainder of expected: a danger zone or a township. */
  function sheetRow() {
    const { node: gauge, fill, maybe } = bar();
    const [name, left, of] = [make("span", "row-name"), make("b"), make("span", "of")];
    const node = make("div", "row sheet-row", name, gauge, make("span", "row-figures", left, of));
    gauge.classList.add("plain");
    const update = ({ value }) => {
      const cleared = value.remainder === 0 && weight(value.expected) > 0;
      setText(name, value.name);
      setText(left, cleared ? t("wall.cleared_row") : number(value.remainder));
      setText(of, ` / ${number(value.expected)}`);
      const [least, most] = cleared ? [0, 0] : shares(value.remainder, value.expected);
      setScale(fill, Math.max(0, 1 - most));
      setWidth(maybe, 1 - least);
      setData(node, "cleared", String(cleared));
      setData(node, "told", value.remainder === NOT_TOLD ? "no" : typeof value.remainder === "string" && weight(value.remainder) < 10 ? "few" : "yes");
    };
    return { node, update };
  }

  /** A place in two lines: name and people, then its bar and `notes(value)`. */
  function placeRow(of, notes) {
    const { node: gauge, fill, maybe } = bar();
    gauge.append(make("i", "bar-end"));
    const [name, n, whole, status, rest] = [make("span", "row-name"), make("b"), make("span", "of"), make("span", "chip"), make("span", "row-notes")];
    const node = make("div", "row place-row", make("span", "row-title", name, status), make("span", "row-figures", n, whole), gauge, rest);
    const update = ({ value }) => {
      setText(name, value.name);
      setText(n, number(value.present));
      setText(whole, ` / ${number(value[of])}`);
      setText(status, isPlain(value.status) ? "" : t(`status.${value.status}`));
      setData(status, "status", value.status || "");
      setText(rest, notes(value));
      const [least, most] = shares(value.present, value[of]);
      (of === "capacity" ? setFill : setShare)(fill, least);
      setWidth(maybe, most > least ? most * BAR_END : 0);
    };
    return { node, update };
  }

  /** A status that needs no word on the wall. */
  const isPlain = (status) => status === "open" || status === "accepting" || !status;

  function transferNotes(value) {
    const words = [t("wall.roster", { n: number(value.roster) }), t("wall.clicker", { n: number(value.clicker) })];
    if (value.differs) words.push(t("wall.differs"));
    return words.join("  ");
  }

  function shelterNotes(value) {
    const present = span(value.present);
    if (!present || typeof value.capacity !== "number") return "";
    const [least, most] = [value.capacity - present[1], value.capacity - present[0]];
    const plus = most > least ? "+" : ""; // as wide a class as the count itself
    if (most < 0) return t("wall.over", { n: number(-most) + plus });
    const words = [least < 0 ? t("wall.brimful") : t("wall.room", { n: number(least) + plus })];
    if (typeof value.full_in_min === "number" && value.full_in_min < 1440) {
      words.push(t("wall.full_in", { time: pingji.duration(Math.max(1, Math.ceil(value.full_in_min)) * 60000) }));
    }
    return words.join("  ");
  }

  /** label · gauge · a of b: something that should be complete. */
  function gaugeRow() {
    const { node: gauge, fill } = bar();
    gauge.classList.add("plain");
    const [name, a, b] = [make("span", "row-name"), make("b"), make("span", "of")];
    const node = make("div", "row place-row gauge-row", name, make("span", "row-figures", a, b), gauge);
    const update = ({ value }) => {
      setText(name, t(value.label));
      setText(a, number(value.a));
      setText(b, ` / ${number(value.b)}`);
      setScale(fill, Math.min(1, share(value.a, value.b)));
    };
    return { node, update };
  }

  function workRow() {
    const [name, n] = [make("span", "row-name"), make("b")];
    const node = make("div", "row work-row", name, make("span", "row-figures", n));
    const update = ({ value }) => {
      setText(name, t(value.label));
      setText(n, number(value.n));
    };
    return { node, update };
  }

  function eventRow() {
    const [time, text, n] = [make("time", "of"), make("span", "row-name"), make("span", "row-figures")];
    const node = make("div", "row event-row", time, text, n);
    const update = ({ value }) => {
      setText(time, pingji.clock(value.at, "minutes"));
      setText(text, eventText(value));
      // What was an exercise must say so for as long as it is shown, also when quiet has returned.
      const note = value.kind === "arrivals" ? t("wall.new_arrivals", { n: number(value.n) }) : "";
      setText(n, value.exercise ? t("banner.exercise") : note);
    };
    return { node, update };
  }

  /** What happened, in a sentence; a code that has a word is given its word. */
  function eventText({ kind, name, detail }) {
    const word = (code) => [`mode.${code}`, `status.${code}`, `layer.${code}`].filter(pingji.has).map((key) => t(key))[0] || code || "";
    const { to, status, level } = detail || {};
    const words = [word(to || status)];
    if (to === "emergency" && level) words.push(t(`level.${level}`));
    return t(pingji.has(`event.${kind}`) ? `event.${kind}` : "event.other", { name: word((detail && detail.layer && `${detail.layer}.title`) || name), detail: words.join(" ") });
  }

  pingji.wallRows = { weight, share, sheetRow, placeRow, gaugeRow, workRow, eventRow, transferNotes, shelterNotes };
})();

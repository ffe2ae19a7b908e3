/* Somebody is at the screen: told to the server at most once a minute. Before a session ends for want of it, the screen says so. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const { make, t, session } = pingji;
  const EVERY_MS = 60000;
  const WARN_MS = 60000;
  const SHARED = "pingji.active"; // the newest time among all tabs of this browser: they share one session
  let limit = 0;
  let toldAt = -Infinity;
  let telling = 0;
  let notice = null;

  function tell() {
    clearTimeout(telling);
    telling = 0;
    toldAt = Date.now();
    localStorage.setItem(SHARED, String(toldAt));
    fetch("/api/v1/me/active", { method: "POST" }).catch(() => null); // the stream tells when nobody answers
  }

  /** Input: told now, or when the minute is over, so that the last input of a minute counts too. */
  function touched() {
    if (session.over) return;
    hide();
    const wait = toldAt + EVERY_MS - Date.now();
    if (wait <= 0) tell();
    else telling = telling || setTimeout(tell, wait);
  }

  /** The notice goes by a press, not from under a pointer that is on its way to its button. */
  function onInput({ type, target }) {
    if (notice && (type === "pointermove" || notice.box.contains(target))) return;
    touched();
  }

  function hide() {
    notice?.box.remove();
    notice = null;
  }

  function show(left) {
    if (!notice) {
      const words = make("p");
      const title = t("session.idle.title", { n: Math.max(1, Math.round(Math.min(WARN_MS, limit) / 60000)) });
      const box = make("div", "session-idle", make("h2", "", title), words, pingji.button("session-button", t("session.idle.stay"), "", touched));
      box.setAttribute("role", "alert");
      const dialogs = document.querySelectorAll("dialog[open]");
      (dialogs[dialogs.length - 1] || document.body).append(box);
      notice = { box, words };
    }
    pingji.setText(notice.words, t("session.idle.left", { n: Math.max(0, Math.ceil(left / 1000)) }));
  }

  function watch() {
    if (session.over) return hide();
    const left = toldAt + limit - Date.now();
    if (telling || left > Math.min(WARN_MS, limit / 2)) return hide();
    show(left);
    if (left <= 0) session.check();
  }

  pingji.client.then(({ caller }) => {
    if (!caller?.idle_min) return;
    limit = caller.idle_min * 60000;
    tell();
    for (const name of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"]) {
      document.addEventListener(name, onInput, { capture: true, passive: true });
    }
    window.addEventListener("storage", (event) => {
      if (event.key === SHARED) toldAt = Math.max(toldAt, Number(event.newValue));
    });
    setInterval(watch, 1000);
  });
})();

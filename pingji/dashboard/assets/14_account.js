/* The account on a screen: its name, roles and menu; what it may not do is not shown; what a screen says when it is over.

   [data-needs="a b"]   an element that is shown only to who has one of these permissions
   pingji.unsent(fn)    fn() → true while the page holds something that has not reached the server           */
(() => {
  "use strict";

  const pingji = window.pingji;
  const { make, t, session } = pingji;
  const GO_MS = 3000;
  const WALL_RETRY_MS = 30000;

  /* ── What the caller may do ──────────────────────────────────────────── */

  /** Shows what the caller may, hides what not. */
  function sift(page) {
    for (const element of page.querySelectorAll("[data-needs]")) element.hidden = !pingji.may(...element.dataset.needs.split(" "));
  }

  /* ── The menu ────────────────────────────────────────────────────────── */

  function mountMenu(host) {
    const button = host.querySelector(".account-button");
    const menu = host.querySelector(".account-menu");
    const open = (on) => {
      menu.hidden = !on;
      button.setAttribute("aria-expanded", String(on));
    };
    button.addEventListener("click", () => open(menu.hidden));
    document.addEventListener("pointerdown", (event) => host.contains(event.target) || open(false));
    host.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        open(false);
        button.focus();
      }
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      open(true);
      const items = [...menu.querySelectorAll("a, button")].filter((one) => !one.hidden);
      const at = items.indexOf(document.activeElement) + step;
      items[(at + items.length) % items.length].focus();
    });
    menu.querySelector("[data-sign-out]").addEventListener("click", signOut);
  }

  function fillMenu(host) {
    const { caller } = pingji;
    if (!caller) return; // first run
    const roles = caller.roles.map((one) => one.title).join(t("map.list_separator"));
    pingji.setText(host.querySelector(".account-name"), caller.name);
    pingji.setText(host.querySelector(".account-role"), roles);
    host.querySelector(".account-button").title = `${caller.name} · ${roles}`;
    pingji.setText(host.querySelector("[data-account-roles]"), `${caller.name} · ${roles} · ${pingji.homeName()}`);
    host.querySelector("[data-sign-out]").hidden = caller.door === "token";
  }

  async function signOut() {
    session.leaving = true; // what ends now is meant to end
    await fetch("/sign-out", { method: "POST" }).catch(() => null);
    location.assign(pingji.language === "en" ? "/sign-in?lang=en" : "/sign-in");
  }

  /* ── The end of a session ────────────────────────────────────────────── */

  const holders = [() => [...document.querySelectorAll("dialog[open] :is(textarea, input)")].some((one) => one.value !== one.defaultValue)];
  pingji.unsent = (fn) => holders.push(fn);

  function signInAddress() {
    const next = encodeURIComponent(location.pathname + location.search);
    return `/sign-in?next=${next}${pingji.language === "en" ? "&lang=en" : ""}`;
  }

  function notice(className, title, words, ...more) {
    const box = make("div", `session-over ${className}`, make("h2", "", title), ...words.map((text) => make("p", "", text)), ...more);
    box.setAttribute("role", "alertdialog");
    box.setAttribute("aria-label", title);
    const dialogs = document.querySelectorAll("dialog[open]"); // what is behind an open dialog can't be reached
    (dialogs[dialogs.length - 1] || document.body).append(box);
    return box;
  }

  /** Over: says so, and goes to the sign-in, unless something would be lost on the way. */
  function over() {
    if (session.leaving) return;
    const page = document.querySelector("#page")?.dataset.page;
    if (page === "wall" && pingji.caller?.door !== "session") return wallOver();
    const go = () => location.assign(signInAddress());
    if (!t("session.ended.title")) return go(); // before the texts were there
    const typed = holders[0]();
    const unsent = holders.slice(1).some((fn) => fn());
    const words = [t("session.ended.what")];
    if (page === "grids") words.push(t("session.ended.drafts"));
    if (unsent) words.push(t("session.ended.unsent"));
    if (typed) words.push(t("session.ended.typed"));
    notice("", t("session.ended.title"), words, pingji.button("session-button", t("session.ended.go"), "", go)).querySelector("button").focus();
    if (!typed && !unsent) setTimeout(go, GO_MS);
  }

  /** Nobody touches a wall: it goes on asking until its token is good again. */
  function wallOver() {
    if (t("session.wall_ended.title")) notice("is-wall", t("session.wall_ended.title"), [t("session.wall_ended.what")]);
    setInterval(async () => (await session.status()) === 200 && location.reload(), WALL_RETRY_MS);
  }

  session.onEnd(over);

  pingji.onPage("", (page) => {
    const host = page.querySelector("[data-account]");
    if (host) mountMenu(host);
    pingji.client.then(() => {
      sift(page);
      if (!host) return;
      fillMenu(host);
      pingji.live.on("place/", () => fillMenu(host)); // a desk of one place has its name from there
    });
  });
})();

/* The health page: asks every 5 s, and says so itself when nobody answers. */
(() => {
  "use strict";

  const pingji = window.pingji;
  const EVERY_MS = 5000;
  const PATIENCE_MS = 8000; // a database that hangs is down for whoever waits

  const clock = new Intl.DateTimeFormat("en-GB", {
    timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
  });
  const end = pingji.language === "en" ? "_en" : "";

  const make = (tag, className, text) => {
    const node = document.createElement(tag);
    node.className = className;
    if (text) node.textContent = text;
    return node;
  };

  function row(check) {
    const item = make("li", "health-check");
    item.dataset.light = check.light;
    item.dataset.check = check.name;
    const light = make("span", "health-light");
    light.setAttribute("aria-hidden", "true");
    const head = make("div", "health-check-head");
    head.append(make("h3", "", check[`title${end}`]), make("b", "health-word", check[`word${end}`]));
    const said = make("div", "health-said");
    said.append(head, make("p", "health-text", check[`text${end}`]));
    if (check[`do${end}`]) said.append(make("p", "health-do", check[`do${end}`]));
    item.append(light, said);
    return item;
  }

  function overall(box, light, verdict, lead) {
    box.dataset.light = light;
    box.querySelector(".health-verdict").textContent = verdict;
    if (lead !== undefined) box.querySelector(".health-lead").textContent = lead;
  }

  async function ask() {
    const answer = await fetch("/api/v1/health", { signal: AbortSignal.timeout(PATIENCE_MS), cache: "no-store" });
    if (answer.status === 401 || answer.status === 403) return { refused: true };
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  }

  function show(page, box, found) {
    if (found.refused) return overall(box, "grey", box.dataset.refused, "");
    const order = { red: 0, amber: 1, grey: 2, green: 3 };
    const checks = [...found.checks].sort((a, b) => order[a.light] - order[b.light]);
    page.querySelector('[data-slot="health"]').replaceChildren(...checks.map(row));
    const verdict = box.dataset[`overall${found.light[0].toUpperCase()}${found.light.slice(1)}`];
    overall(box, found.light, verdict, box.dataset.lead);
    box.querySelector(".health-at").textContent = box.dataset.checked.replace("{time}", clock.format(found.at));
  }

  pingji.onPage("health", (page) => {
    const box = page.querySelector("[data-health-overall]");
    box.dataset.lead = box.querySelector(".health-lead").textContent;
    async function round() {
      try {
        show(page, box, await ask());
      } catch {
        overall(box, "red", box.dataset.unreachable, box.dataset.unreachableDo);
      }
      setTimeout(round, EVERY_MS);
    }
    round();
  });
})();

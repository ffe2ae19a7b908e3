"""From an accepted movement to changed text in a real Chromium, 100 counters; polling once a second beside it."""

import json
import random
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from playwright.sync_api import Page, sync_playwright
from uuid_utils import uuid7

from bench.figures import Figure, ms, percentile
from bench.polling import COUNTERS
from bench.setting import ROOT, Server, Setting, free_port, wait_for
from tests.browser import waiting

TARGET_S = 0.100
CHROMIUM = "/usr/bin/chromium"
# When each counter took which text, in the seconds since 1970 that `time.time()` counts, too.
OBSERVE = """() => {
  window.seen = [];
  new MutationObserver((changes) => {
    const at = (performance.timeOrigin + performance.now()) / 1000;
    for (const change of changes) {
      const counter = change.target.nodeType === 3 ? change.target.parentElement : change.target;
      if (counter && counter.dataset.code) window.seen.push([counter.dataset.code, counter.textContent, at]);
    }
  }).observe(document.getElementById("counters"), { childList: true, characterData: true, subtree: true });
}"""


def rows(setting: Setting, quick: bool) -> Iterator[Figure]:
    waiting.install()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        with setting.server() as server:
            server.press("emergency")
            late = _product(server, page, 10 if quick else 60)
        polled = _polling(page, 5 if quick else 20)
        browser.close()
    p95 = percentile(late, 0.95)
    yield Figure(
        f"accepted movement → changed text in Chromium, {COUNTERS} counters",
        f"p95 {ms(p95)}, median {ms(percentile(late, 0.5))}, latest {ms(max(late))}",
        f"p95 ≤ {ms(TARGET_S)}",
        f"dcc.Interval 1 s: p95 {ms(percentile(polled, 0.95))}, median {ms(percentile(polled, 0.5))}",
        p95 <= TARGET_S,
        f"{len(late):,} changes of text on /shelters, from the acknowledgement of the batch that caused them",
    )


def _product(server: Server, page: Page, rounds: int) -> list[float]:
    """The shelters' page with its own cards and map, and 100 of its `data-figure` counters."""
    page.set_extra_http_headers(server.bearer())
    places = [p["code"] for p in server.get("/api/v1/places")][:COUNTERS]
    page.goto(f"{server.url}/shelters")
    page.wait_for_selector(".card")
    page.evaluate(
        """(codes) => {
          const box = document.createElement("div");
          box.id = "counters";
          for (const code of codes) {
            const counter = document.createElement("span");
            counter.dataset.code = code;
            counter.dataset.figure = `place/${code}/clicker`;
            box.append(counter);
          }
          document.body.append(box);
        }""",
        places,
    )
    page.wait_for_timeout(1500)

    def say(value: int) -> None:
        now = datetime.now(UTC).isoformat()
        entries = [
            {"id": str(uuid7()), "device": f"tap-{code}", "sequence": value, "occurred_at": now}
            | {"kind": "count", "place": code, "count": 1}
            for code in places
        ]
        answer = server.post("/api/v1/movements", {"movements": entries})
        if len(answer["accepted"]) != len(places):
            raise RuntimeError(str(answer)[:300])

    late = _measure(page, say, places, rounds)
    page.goto("about:blank")
    page.set_extra_http_headers({})
    return late


def _polling(page: Page, rounds: int) -> list[float]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.polling", str(port)], cwd=ROOT)
    try:
        wait_for(f"http://127.0.0.1:{port}/", process)
        page.goto(f"http://127.0.0.1:{port}/")
        page.wait_for_selector("#counters [data-code='99']", state="attached")
        page.wait_for_timeout(1500)

        def say(value: int) -> None:
            body = json.dumps([value] * COUNTERS).encode()
            headers = {"Content-Type": "application/json"}
            urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/add", body, headers)).close()

        late = _measure(page, say, [str(n) for n in range(COUNTERS)], rounds)
        page.goto("about:blank")
        return late
    finally:
        process.terminate()
        process.wait(10)


def _measure(page: Page, say: Callable[[int], None], codes: list[str], rounds: int) -> list[float]:
    """How long after each acknowledgement every counter showed its new value."""
    rng = random.Random(1)
    page.evaluate(OBSERVE)
    late: list[float] = []
    for value in range(1, rounds + 1):
        time.sleep(rng.uniform(0.2, 1.2))
        say(value)
        acknowledged = time.time()
        wanted = f"() => window.seen.filter((one) => one[1] === '{value}').length >= {len(codes)}"
        page.wait_for_function(wanted, timeout=15_000, polling=50)
        seen = page.evaluate("() => window.seen.splice(0)")
        late += [max(0.0, at - acknowledged) for _, text, at in seen if text == str(value)]
    return late

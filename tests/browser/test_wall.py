"""The wall at its real sizes: nothing scrolls or is cut, everything is legible, and it follows the count."""

import json
import re
import uuid
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import COUNTY, OpenPage, Server

SIZES = [(1920, 1080), (3840, 2160)]
ONE_SECOND = 1_000
SOON = 10_000

# Elements whose own text does not fit their box; names may end in an ellipsis, figures never.
CUT = """() => [...document.querySelectorAll('#page *')].filter(e => !e.closest('.leaflet-container')
  && !e.closest('svg') && e.clientWidth > 0 && getComputedStyle(e).visibility === 'visible'
  && [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())
  && getComputedStyle(e).textOverflow !== 'ellipsis'
  && (e.scrollWidth > e.clientWidth + 1 || e.getBoundingClientRect().right > innerWidth + 1
      || e.getBoundingClientRect().bottom > innerHeight + 1)).map(e => e.className + ': ' + e.textContent)"""

# Texts whose contrast with the ground behind them is under `least`.
FAINT = """least => {
  const parse = c => { const v = c.match(/[\\d.]+/g).map(Number);
    return c.startsWith('color(srgb') ? v.map((x, i) => i < 3 ? x * 255 : x) : v; };
  const lum = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  return [...document.querySelectorAll('#page *')].filter(e => !e.closest('.leaflet-container')
    && e.clientWidth > 0 && getComputedStyle(e).visibility === 'visible'
    && [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())).map(e => {
      const [a, b] = [lum(parse(getComputedStyle(e).color)), lum(ground(e))];
      return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), e.className + ': ' + e.textContent];
    }).filter(([ratio]) => ratio < least);
}"""

KEY_LIKE = re.compile(r"\b[a-z_]+\.[a-z_]+(\.[a-z_]+)*\b")


def settled(page: Page, mode: str) -> None:
    expect(page.locator("body")).to_have_attribute("data-mode", mode, timeout=SOON)
    expect(page.locator("[data-connection]")).to_have_attribute("data-state", "live", timeout=SOON)
    page.wait_for_function(
        "() => !document.getAnimations().some(a => a.playState === 'running' && a instanceof CSSTransition)"
    )


@pytest.mark.parametrize("mode", ["emergency", "routine"])
@pytest.mark.parametrize("language", ["zh_CN", "en"])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_nothing_scrolls_is_cut_or_faint(
    open_page: OpenPage, server: Server, width: int, height: int, language: str, mode: str
) -> None:
    server.exercise() if mode == "emergency" else server.routine()
    page = open_page(f"/wall?lang={language}", width, height)
    settled(page, mode)
    assert page.evaluate("() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [
        width,
        height,
    ]
    assert page.evaluate(CUT) == []
    assert page.evaluate(FAINT, 7) == []
    assert KEY_LIKE.findall(page.locator("#page").inner_text()) == []


def test_the_remainder_is_the_largest_figure_and_a_seventh_of_the_height(open_page: OpenPage, server: Server) -> None:
    server.exercise()
    page = open_page("/wall")
    settled(page, "emergency")
    sizes = page.evaluate(
        """() => [...document.querySelectorAll('#page *')].filter(e => getComputedStyle(e).visibility === 'visible')
             .map(e => [parseFloat(getComputedStyle(e).fontSize), e.closest('[data-remainder]') !== null])"""
    )
    largest = max(size for size, _ in sizes)
    assert largest >= 0.12 * 1080
    assert all(is_remainder for size, is_remainder in sizes if size == largest)
    expected = server.get("balance")["persons"]["remainder_total"]
    assert page.locator("[data-remainder]").inner_text() == f"{expected:,}"


def test_the_count_climbs_while_another_client_posts(open_page: OpenPage, server: Server) -> None:
    server.exercise()
    page = open_page("/wall")
    settled(page, "emergency")
    before = server.get("balance")["persons"]
    person, place = someone_to_move(server)
    arrival = {
        "id": str(uuid.UUID(int=(0x7 << 76) | (0x8 << 60) | uuid.uuid4().int >> 68)),
        "device": "test-phone",
        "sequence": 1,
        "occurred_at": datetime.now(UTC).isoformat(),
        "kind": "arrive",
        "place": place,
        "person": person,
    }
    answer = server.post("movements", {"movements": [arrival]})
    assert answer["refused"] == []
    expect(page.locator("[data-remainder]")).to_have_text(f"{before['remainder_total'] - 1:,}", timeout=ONE_SECOND)


def someone_to_move(server: Server) -> tuple[str, str]:
    """A person not yet reached, and an open transfer point."""
    west, south, east, north = server.get("client", lang="en")["county"]["bounds"]
    point = next(p["code"] for p in server.get("places") if p["kind"] == "transfer_point" and p["expected"])
    households = server.get("layers/households", bbox=f"{west},{south},{east},{north}")["features"]
    inside = [f["properties"]["code"] for f in households if f["properties"].get("zone")]
    person = next(p["id"] for p in server.get("people", household=inside[:20]) if p["position"] == "not_reached")
    return person, point


def test_a_press_flips_the_wall_within_a_second(open_page: OpenPage, server: Server) -> None:
    server.routine()
    page = open_page("/wall")
    settled(page, "routine")
    expect(page.locator(".when-routine").first).to_be_visible()
    server.exercise()
    expect(page.locator("body")).to_have_attribute("data-mode", "emergency", timeout=ONE_SECOND)
    expect(page.locator("[data-banner]")).to_contain_text("急时")
    expect(page.locator("[data-banner]")).to_contain_text("演练")
    expect(page.locator(".when-routine").first).to_be_hidden()


def test_the_wall_names_nobody(open_page: OpenPage, server: Server) -> None:
    server.exercise()
    page = open_page("/wall")
    settled(page, "emergency")
    values = page.evaluate("() => pingji.live.values")
    places = [value for key, value in values.items() if key.startswith("place/")]
    assert places
    assert all("phone" not in place and "contact" not in place for place in places)
    assert values[f"sheet/{COUNTY}"]["level"] == "county"


def test_a_wall_opened_before_any_other_page_is_complete(open_page: OpenPage, server: Server) -> None:
    """Dash prepares its assets at the first request of `/`: a screen that asks first must not be left bare."""
    server.kill()
    server.start()
    page = open_page("/wall")
    assert page.evaluate("() => typeof window.pingji") == "object"


PARTS = ("not_reached", "notified", "in_transit", "refused", "unlocated", "returned")


def scripted(page: Page, values: dict[str, object]) -> None:
    """The page hears one snapshot of our own, again and again."""
    message = {"kind": "snapshot", "at": int(datetime.now(UTC).timestamp() * 1000), "values": values, "removed": []}
    body = f"data: {json.dumps(message)}\n\n"
    page.route("**/api/v1/live**", lambda route: route.fulfill(content_type="text/event-stream", body=body))
    page.reload()
    settled(page, "emergency")


def snapshot(remainder: int, present: object, capacity: int) -> dict[str, object]:
    sheet = {"level": "county", "name": "-", "expected": 120, "accounted": 120 - remainder, "remainder": remainder}
    since = int(datetime.now(UTC).timestamp() * 1000)
    mode = {"scope": COUNTY, "scope_name": "-", "mode": "emergency", "level": 1, "exercise": False, "since": since}
    shelter = {"kind": "shelter", "name": "S", "status": "accepting", "capacity": capacity, "present": present}
    return {
        "mode": {**mode, "scopes": [mode]},
        f"sheet/{COUNTY}": {**sheet, "off_plan": 0, "parts": dict.fromkeys(PARTS, 0) | {"not_reached": remainder}},
        "place/S": {**shelter, "full_in_min": None},
    }


def test_green_only_at_zero_and_in_words_too(open_page: OpenPage) -> None:
    page = open_page("/wall")
    scripted(page, snapshot(1, 10, 100))
    expect(page.locator("[data-remainder]")).to_have_attribute("data-cleared", "false")
    expect(page.locator("[data-note]")).to_have_text("")
    page.unroute("**/api/v1/live**")
    scripted(page, snapshot(0, 10, 100))
    expect(page.locator("[data-remainder]")).to_have_attribute("data-cleared", "true")
    expect(page.locator("[data-note]")).to_have_text("已全部核清")


def test_what_is_over_capacity_is_drawn_past_the_end_and_small_cells_stay_small(open_page: OpenPage) -> None:
    page = open_page("/wall")
    scripted(page, snapshot(5, 120, 100))
    row = page.locator('[data-slot="shelters"] .row').first
    expect(row).to_contain_text("超员 20")
    fill, end = row.locator(".bar-fill:not(.bar-maybe)"), row.locator(".bar-end")
    page.wait_for_function("() => document.getAnimations().every(a => !(a instanceof CSSTransition))")
    (filled, mark) = (fill.bounding_box(), end.bounding_box())
    assert filled is not None
    assert mark is not None
    assert filled["x"] + filled["width"] > mark["x"] + mark["width"]
    page.unroute("**/api/v1/live**")
    scripted(page, snapshot(5, "0–9", 100))
    expect(row).to_contain_text("0–9 / 100")
    expect(row).to_contain_text("余 91+")


def told(level: str, name: str, remainder: object, expected: object) -> dict[str, object]:
    return {"level": level, "name": name, "remainder": remainder, "expected": expected}


def test_classes_are_sorted_and_drawn_as_what_they_are(open_page: OpenPage) -> None:
    """The most people first; what is not told is neither a zero nor at the top; only zero itself is cleared."""
    sheets = {
        "sheet/a": told("township", "none", 0, "60+"),
        "sheet/b": told("zone", "few or none", "0–9", "60+"),
        "sheet/c": told("zone", "few", "1–9", "60+"),
        "sheet/d": told("zone", "many", "1240+", "1300+"),
        "sheet/e": told("township", "not told", "—", "—"),
    }
    page = open_page("/wall")
    scripted(page, snapshot(1300, 10, 100) | sheets)
    rows = page.locator('[data-slot="zones"] .row, [data-slot="townships"] .row')
    expect(rows.locator(".row-name")).to_have_text(["many", "few", "few or none", "not told", "none"])
    expect(rows.locator("b")).to_have_text(["1,240+", "1–9", "0–9", "—", "已清"])
    cleared = rows.evaluate_all("all => all.map(row => row.dataset.cleared)")
    assert cleared == ["false", "false", "false", "false", "true"]
    page.wait_for_function("() => document.getAnimations().every(a => !(a instanceof CSSTransition))")
    certain = rows.locator(".bar-fill:not(.bar-maybe)").evaluate_all(
        "all => all.map(e => e.getBoundingClientRect().width / e.parentNode.clientWidth)"
    )
    possible = rows.locator(".bar-maybe").evaluate_all("all => all.map(e => e.clientWidth / e.parentNode.clientWidth)")
    assert certain == pytest.approx([1 - 1249 / 1300, 1 - 9 / 60, 1 - 9 / 60, 0, 1], abs=0.01)
    assert possible == pytest.approx([1 - 1240 / 1309, 1 - 1 / 69, 1, 1, 1], abs=0.01)


def test_two_counts_that_differ_say_so_without_a_figure(open_page: OpenPage) -> None:
    counts = {"roster": "120+", "clicker": "120+", "present": "120+", "expected": "200+"}
    point = {"kind": "transfer_point", "name": "P", "status": "open", "capacity": 300, **counts, "differs": True}
    page = open_page("/wall")
    scripted(page, snapshot(5, 10, 100) | {"place/P": point})
    expect(page.locator('[data-slot="transfer_points"] .row')).to_contain_text("名册 120+  点数 120+  两数不符")


def test_the_wall_hears_no_small_figure_below_the_county(open_page: OpenPage, server: Server) -> None:
    """In the browser's own memory: what is not drawn must not be there either."""
    server.exercise()
    page = open_page("/wall")
    settled(page, "emergency")
    values = page.evaluate("() => pingji.live.values")
    below = {key: value for key, value in values.items() if key.startswith(("sheet/", "place/"))}
    del below[f"sheet/{COUNTY}"]
    assert {value.get("level", "place") for value in below.values()} == {"township", "zone", "place"}
    figures = {key: value for key, value in below.items() for n in value.values() if type(n) is int and 0 < n < 5}
    assert figures == {}
    assert all("parts" not in value and "accounted" not in value for value in below.values())

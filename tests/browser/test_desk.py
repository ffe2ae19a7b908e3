"""The desk: the one key on two browsers at once, search, layers, measuring; whole in both modes and languages."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import COUNTY, OpenPage, Server
from tests.browser.test_wall import FAINT, KEY_LIKE, SOON, settled

SIZES = [(1920, 1080), (1366, 768)]

# Elements that leave the window sideways, or whose text is wider than their box without an ellipsis.
CUT = """() => [...document.querySelectorAll('#page *')].filter(e => !e.closest('.leaflet-container')
  && e.clientWidth > 0 && [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())
  && getComputedStyle(e).textOverflow !== 'ellipsis'
  && (e.scrollWidth > e.clientWidth + 1 || e.getBoundingClientRect().right > innerWidth + 1))
  .map(e => e.className + ': ' + e.textContent)"""

LAYERS_THERE = """() => window.pingji?.map?.views[0]?.layers.length > 0 && pingji.map.views[0].layers
  .every(one => one.spec.by_box || !pingji.map.views[0].isVisible(one) || one.status === 'ready')"""


def desk(
    open_page: OpenPage,
    mode: str,
    language: str = "zh_CN",
    width: int = 1366,
    height: int = 768,
    provoked: tuple[str, ...] = (),
) -> Page:
    page = open_page(f"/?lang={language}", width, height, provoked)
    settled(page, mode)
    page.wait_for_function(LAYERS_THERE)
    return page


@pytest.mark.parametrize("mode", ["emergency", "routine"])
@pytest.mark.parametrize("language", ["zh_CN", "en"])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_nothing_is_cut_faint_or_untranslated(
    open_page: OpenPage, server: Server, width: int, height: int, language: str, mode: str
) -> None:
    server.exercise() if mode == "emergency" else server.routine()
    page = desk(open_page, mode, language, width, height)
    assert page.evaluate(CUT) == []
    assert page.evaluate(FAINT, 4.5) == []
    assert KEY_LIKE.findall(page.inner_text("#page")) == []


def test_the_key_flips_every_browser_and_can_be_recalled(open_page: OpenPage, server: Server) -> None:
    server.routine()

    def presses() -> int:
        return sum(
            entry["action"] == "press" and entry["scope"] == COUNTY for entry in server.get("journal", limit=200)
        )

    before = presses()
    pressing, watching = desk(open_page, "routine"), desk(open_page, "routine", "en")
    pressing.click(".desk-mode .button-key")
    confirm = pressing.locator("dialog button[type=submit]")
    expect(confirm).to_be_disabled()  # neither level nor exercise or real has been chosen
    pressing.check("dialog input[name=level][value='2']")
    pressing.check("dialog input[name=kind][value=exercise]")
    confirm.dblclick()
    for page in (pressing, watching):
        settled(page, "emergency")
        expect(page.locator("body")).to_have_attribute("data-exercise", "true")
        expect(page.locator(".figure-first b")).to_have_text(re.compile(r"[1-9][\d,]*"))
        assert page.evaluate("pingji.map.views[0].look") == "emergency"
    assert presses() == before + 1  # two clicks are one press

    pressing.click(".toast-action")
    pressing.fill("dialog textarea", "drill over")
    pressing.click("dialog button[type=submit]")
    for page in (pressing, watching):
        settled(page, "routine")
    expect(watching.locator(".journal-entry").first).to_contain_text("recalled")


def test_a_refusal_is_said_in_the_dialog(open_page: OpenPage, server: Server) -> None:
    server.routine()
    page = desk(open_page, "routine", provoked=("409",))
    page.route(
        "**/api/v1/modes",
        lambda route: route.fulfill(
            status=409,
            content_type="application/problem+json",
            body='{"type": "/problems/nobody_to_count", "title": "t", "status": 409, "detail": "why not"}',
        ),
    )
    page.click(".desk-mode .button-key")
    page.check("dialog input[name=to][value=standby]")
    page.check("dialog input[name=kind][value=exercise]")
    page.click("dialog button[type=submit]")
    expect(page.locator(".dialog-error")).to_contain_text("why not")
    expect(page.locator(".dialog-error")).to_contain_text("nobody_to_count")
    expect(page.locator("dialog[open]")).to_be_visible()


def test_search_by_keyboard_flies_there_and_opens_a_masked_card(open_page: OpenPage, server: Server) -> None:
    server.routine()
    page = desk(open_page, "routine", "en")
    code = page.evaluate("pingji.map.views[0].layer('grids').features[7].code")
    page.keyboard.press("/")
    page.keyboard.type(code)
    expect(page.locator(".search-result").first).to_contain_text(code)
    page.keyboard.press("Enter")
    card = page.locator(".map-card")
    expect(card).to_contain_text(code, timeout=SOON)
    expect(card.locator(".kind-phone").last).to_have_text(re.compile(r"^\d{3}\*{4}\d{4}$"))
    expect(card.locator("dd.kind-person").first).to_have_text(re.compile(r"\*$"))


def test_layers_are_switched_and_households_wait_for_a_close_zoom(open_page: OpenPage, server: Server) -> None:
    server.routine()
    page = desk(open_page, "routine", "en")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/layers/households" in request.url else None)
    row = page.locator(".layer-row[data-layer=households]")
    row.locator("input").check()
    expect(row.locator(".layer-count")).to_have_text("zoom in")
    assert asked == []
    page.evaluate("""() => { const view = pingji.map.views[0];
        view.map.setView(pingji.mapkit.latLngOf(view.layer('shelters').features[0]), 16.5); }""")
    expect(row.locator(".layer-count")).to_have_text(re.compile(r"^[1-9]|only some"), timeout=SOON)
    assert asked
    assert all("bbox=" in url for url in asked)


def test_measuring_says_distance_and_area(open_page: OpenPage, server: Server) -> None:
    server.routine()
    page = desk(open_page, "routine", "en")
    page.click("[data-tool=measure]")
    for x, y in ((500, 300), (700, 300), (700, 450)):
        page.mouse.click(x, y)
        page.wait_for_timeout(50)
    page.keyboard.press("Enter")
    expect(page.locator("[data-slot=notice]")).to_have_text(re.compile(r"Line [\d.]+ km, area [\d.,]+ km²"))
    page.keyboard.press("Escape")
    expect(page.locator("[data-slot=notice]")).to_be_empty()


def test_a_layer_comes_back_after_failures(open_page: OpenPage, server: Server) -> None:
    server.routine()
    page = open_page("/shelters", provoked=("ERR_FAILED",))
    failures = iter(range(2))

    def flaky(route: object) -> None:
        if next(failures, None) is None:
            route.continue_()  # type: ignore[attr-defined]
        else:
            route.abort()  # type: ignore[attr-defined]

    page.route("**/api/v1/layers/grids*", flaky)
    page.goto(f"{server.url}/")
    page.wait_for_function(LAYERS_THERE)
    assert page.evaluate("pingji.map.views[0].layer('grids').features.length") > 0

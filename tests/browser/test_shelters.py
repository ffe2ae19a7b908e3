"""The leader's tablet: big enough to touch, sorted by need, one action and its way back."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, Server

SIZES = [(1024, 768), (768, 1024)]
SOON = 10_000
FINGER_PX = 44


@pytest.fixture(autouse=True)
def exercise(server: Server) -> None:
    server.exercise()


def tablet(open_page: OpenPage, width: int = 1024, height: int = 768, language: str = "zh_CN") -> Page:
    page = open_page(f"/shelters?lang={language}", width, height, has_touch=True)
    expect(page.locator(".card").first).to_be_visible(timeout=SOON)
    return page


@pytest.mark.parametrize("language", ["zh_CN", "en"])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_everything_fits_and_can_be_touched(open_page: OpenPage, width: int, height: int, language: str) -> None:
    page = tablet(open_page, width, height, language)
    assert page.evaluate("() => document.documentElement.scrollWidth") == width
    small = page.evaluate(
        """least => [...document.querySelectorAll('#page :is(button, a)')]
             .filter(e => e.offsetParent && !e.closest('.leaflet-container') && e.offsetHeight < least)
             .map(e => e.className)""",
        FINGER_PX,
    )
    assert small == []
    cut = page.evaluate(
        """() => [...document.querySelectorAll('.card b, .card .touch, .card .of, .card .percent')]
             .filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0).map(e => e.textContent)"""
    )
    assert cut == []


def test_diverting_can_be_undone(open_page: OpenPage, server: Server) -> None:
    page = tablet(open_page)
    card = page.locator('.card:has(.act:text-is("分流"))').first
    code = card.get_attribute("data-code")
    card.locator(".act").tap()
    expect(page.locator(".toast")).to_contain_text("开始分流", timeout=SOON)
    assert status_of(server, code) == "transferring_out"
    page.locator(".toast button").tap()
    expect(page.locator(".toast").last).to_contain_text("已撤销", timeout=SOON)
    assert status_of(server, code) == "accepting"


def test_what_needs_a_decision_comes_first_and_cards_hold_still_under_a_finger(
    open_page: OpenPage, server: Server
) -> None:
    page = tablet(open_page)
    last = page.locator(".card").last
    code = last.get_attribute("data-code")
    page.locator(".shelter-list").dispatch_event("pointerdown")
    server.post(f"places/{code}/status", {"status": "fault"})
    moved = page.locator(f'.card[data-code="{code}"][data-group="fault"]')
    expect(moved).to_have_count(1, timeout=SOON)
    assert page.locator(".card").first.get_attribute("data-code") != code
    page.evaluate("() => window.dispatchEvent(new PointerEvent('pointerup'))")
    expect(page.locator(".card").first).to_have_attribute("data-code", str(code), timeout=SOON)
    server.post(f"places/{code}/status", {"status": "accepting"})


def test_upright_the_map_comes_on_a_tap(open_page: OpenPage) -> None:
    page = tablet(open_page, 768, 1024)
    expect(page.locator(".shelter-map")).to_be_hidden()
    page.locator(".map-toggle").tap()
    expect(page.locator(".shelter-map")).to_be_visible()
    page.locator(".map-toggle").tap()
    expect(page.locator(".shelter-map")).to_be_hidden()


def test_the_call_button_dials(open_page: OpenPage) -> None:
    page = tablet(open_page)
    assert str(page.locator(".call").first.get_attribute("href")).startswith("tel:")


def test_in_routine_nothing_can_be_opened(open_page: OpenPage, server: Server) -> None:
    server.routine()
    page = tablet(open_page)
    expect(page.locator(".act:visible")).to_have_count(0)


def status_of(server: Server, code: str | None) -> str:
    return next(str(place["status"]) for place in server.get("places") if place["code"] == code)

"""The live stream in a real browser: a stale number never looks live, and every failure ends by itself."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, Server

STALE = re.compile(r"^连接中断，数据停在 \d\d:\d\d:\d\d$")
LIVE_WITHIN_MS = 20_000
STALE_WITHIN_MS = 12_000
PROVOKED = ("status of 404", "MIME type", "ERR_FAILED")
STREAM = "**/api/v1/live**"


@pytest.fixture
def wall(open_page: OpenPage, server: Server) -> Page:
    server.exercise()
    page = open_page("/wall", provoked=PROVOKED)
    expect_live(page)
    return page


def expect_live(page: Page) -> None:
    expect(page.locator("[data-connection]")).to_have_text("实时", timeout=LIVE_WITHIN_MS)
    expect(page.locator("body")).to_have_attribute("data-stale", "false")


def expect_stale(page: Page) -> None:
    expect(page.locator("[data-connection]")).to_have_text(STALE, timeout=STALE_WITHIN_MS)
    expect(page.locator("body")).to_have_attribute("data-stale", "true")


def test_a_killed_server_makes_the_page_stale_and_its_return_makes_it_live(wall: Page, server: Server) -> None:
    before = wall.locator("[data-remainder]").inner_text()
    colour = "() => getComputedStyle(document.querySelector('[data-remainder]')).color"
    live_colour = wall.evaluate(colour)
    server.kill()
    try:
        expect_stale(wall)
        assert wall.locator("[data-remainder]").inner_text() == before
        assert wall.evaluate(colour) != live_colour
    finally:
        server.start()
    expect_live(wall)


@pytest.mark.parametrize("status", [502, 404, 200])
def test_wrong_answers_end_by_themselves(wall: Page, server: Server, status: int) -> None:
    wall.route(STREAM, lambda route: route.fulfill(status=status, body="not a stream"))
    server.kill()
    server.start()
    expect_stale(wall)
    wall.unroute(STREAM)
    expect_live(wall)


def test_silence_is_noticed(wall: Page, server: Server) -> None:
    wall.route(STREAM, lambda route: None)  # neither answered nor refused
    server.kill()
    server.start()
    expect_stale(wall)
    wall.unroute_all(behavior="ignoreErrors")
    expect_live(wall)


def test_a_page_that_never_heard_anything_says_so(open_page: OpenPage, server: Server) -> None:
    page = open_page("/wall", provoked=PROVOKED)
    page.route(STREAM, lambda route: route.abort())
    page.reload()
    expect(page.locator("[data-connection]")).to_have_text("连接中断，尚未收到数据", timeout=STALE_WITHIN_MS)


def test_a_hundred_counters_change_in_a_few_milliseconds(wall: Page) -> None:
    """100 fixed figures of one message; the bound is generous for a loaded machine, a layout a write would break it."""
    took = wall.evaluate(
        """() => {
          for (let i = 0; i < 100; i++) {
            const span = document.createElement('span');
            span.dataset.figure = 'sheet/$county/parts/notified';
            document.getElementById('page').append(span);
          }
          const times = [];
          for (let i = 0; i < 20; i++) {
            const start = performance.now();
            pingji.paintFigures({ 'sheet/220221': { parts: { notified: i } } });
            times.push(performance.now() - start);
          }
          return times.sort((a, b) => a - b)[10];
        }"""
    )
    assert took < 10


def test_figures_are_written_as_the_field_writes_them(wall: Page) -> None:
    say = wall.evaluate(
        """() => [pingji.number(12408), pingji.number(undefined), pingji.number('<5'), pingji.number(-3),
                  pingji.signed(7), pingji.duration(59 * 60000), pingji.duration(125 * 60000),
                  pingji.clock(Date.UTC(2026, 6, 14, 18, 5, 9))]"""
    )
    assert say == ["12,408", "—", "<5", "−3", "+7", "59 分", "2 小时 5 分", "02:05:09"]

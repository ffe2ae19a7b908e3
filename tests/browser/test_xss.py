"""A county in which everything that people name is named `<img onerror>`: every screen shows it, none runs it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Connection, update

from pingji.data import schema
from pingji.data.engine import open_engine, writing
from pingji.data.sealing.column import Sealed
from pingji.data.tables import account, metadata
from tests.app import canary
from tests.browser.conftest import OpenPage, Server
from tests.browser.test_wall import SOON
from tests.world import C1, COUNTY

EVIL = '<img src=x onerror="window.__xss=1">"><script>window.__xss=1</script>'
# What people write; every sealed column is such a one too.
WORDS = {"name", "committee", "door", "address", "route", "note", "shift", "title", "river", "author", "actor"}
KEPT = {"audit", "org_rule", "token", "session"}  # chained, or no words of anybody's
TABS = ("list", "problems", "history", "proposals", "sets", "review")
SEEN = "() => document.body.innerText.includes('onerror') || document.body.textContent.includes('onerror')"
MARKUP = "() => document.querySelectorAll('img[src=\"x\"], [onerror]').length"
HOME, ZONE = canary.HOME, canary.ZONE


def poison(conn: Connection) -> None:
    """Every free text of every table."""
    for table in metadata.sorted_tables:
        names = [c.name for c in table.c if isinstance(c.type, Sealed) or c.name in WORDS]
        if table is account:
            names = []
        if names and table.name not in KEPT:
            conn.execute(update(table).values(dict.fromkeys(names, EVIL)))
    conn.execute(update(account).where(account.c.name.startswith(canary.NAME)).values(name=EVIL + account.c.login))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The small county, poisoned; with a draft, a publication, presses and movements."""
    room = tmp_path_factory.mktemp("xss")
    engine = open_engine(f"sqlite:///{room / 'pingji.db'}")
    schema.upgrade(engine)
    canary.filled(engine)
    with writing(engine) as conn:
        poison(conn)
    engine.dispose()
    running = Server(Path(room / "pingji.db"), room / "log")
    running.start()
    yield running
    running.kill()


@pytest.fixture(params=["routine", "exercise"], scope="module")
def mode(request: pytest.FixtureRequest, server: Server) -> str:
    """Both faces of every screen; what was pressed has a reason like the rest."""
    if request.param == "exercise":
        press: dict[str, Any] = {"press_id": "x1", "scope": COUNTY, "to": "emergency", "level": 2, "exercise": True}
        server.post("modes", {**press, "reason": EVIL}, EVIL)
        server.post("places/T1/status", {"status": "diverting", "reason": EVIL}, EVIL)
    return str(request.param)


def harmless(page: Page, *, named: bool = True) -> None:
    """The words are there as words. What the page's policy refused would be among its complaints (`open_page`)."""
    if named:
        page.wait_for_function(SEEN, timeout=SOON)
    assert page.evaluate("window.__xss") is None
    assert page.evaluate(MARKUP) == 0


def test_the_map_its_search_and_its_cards(open_page: OpenPage, mode: str) -> None:
    page = open_page("/?lang=en", as_=EVIL)
    expect(page.locator("[data-connection]")).to_have_attribute("data-state", "live", timeout=SOON)
    page.wait_for_function("() => pingji.map.views[0].layer('shelters').status === 'ready'", timeout=SOON)
    for layer, code in (("grids", f"{C1}001"), ("danger_zones", ZONE), ("shelters", "S1"), ("institutions", "INS1")):
        page.evaluate("([layer, code]) => pingji.map.views[0].go(layer, code)", [layer, code])
        expect(page.locator(".map-card").last).to_contain_text("onerror", timeout=SOON)
        harmless(page)
    for words in ("onerror", EVIL[:60], C1):
        page.keyboard.press("/")
        page.keyboard.press("Control+A")
        page.keyboard.type(words)
        expect(page.locator(".search-result").first).to_contain_text("onerror", timeout=SOON)
        harmless(page)


@pytest.mark.parametrize("path", ["/wall", "/shelters", "/accounts", "/audit"])
def test_a_screen(open_page: OpenPage, server: Server, mode: str, path: str) -> None:
    page = open_page(f"{path}?lang=en", as_=EVIL)
    harmless(page)


@pytest.mark.parametrize("path", ["/health", "/account"])
def test_a_screen_of_few_names(open_page: OpenPage, mode: str, path: str) -> None:
    page = open_page(f"{path}?lang=en", as_=EVIL)
    page.wait_for_function("() => window.pingji?.caller", timeout=SOON)
    harmless(page, named=False)


def test_the_workbench(open_page: OpenPage, mode: str) -> None:
    page = open_page(f"/grids?lang=en&community={C1}&set=open", as_=EVIL)
    page.wait_for_function("() => window.pingji?.grids?.state.grids.size > 0", timeout=SOON)
    harmless(page)
    for tab in TABS:
        if page.locator(f"[data-tab={tab}]:visible").count():
            page.locator(f"[data-tab={tab}]:visible").first.click()
        page.evaluate("name => pingji.grids.panel(name)?.show?.()", tab)
        page.wait_for_timeout(300)
        harmless(page)


def test_the_organisation(open_page: OpenPage, mode: str) -> None:
    page = open_page("/organisation?lang=en", as_=EVIL)
    expect(page.locator(".og-node").first).to_contain_text("onerror", timeout=SOON)
    for tab in page.eval_on_selector_all("[data-org-tab]", "all => all.map(one => one.dataset.orgTab)"):
        button = page.locator(f"[data-org-tab={tab}]:visible")
        if button.count():
            button.first.click()
            page.wait_for_timeout(300)
            harmless(page)
    for n in range(2):
        page.locator(".og-node").nth(n).click()
        page.wait_for_timeout(300)
        harmless(page)

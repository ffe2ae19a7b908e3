"""The auditor's journey: what was done, by whom, is it whole, and take it home. Text of others stays text."""

import csv
import io
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine, text

from pingji.data import audit
from pingji.data.engine import open_engine, writing
from pingji.data.origin import Origin, acting
from pingji.ops.access import EVERYWHERE, Grant, Role
from tests.browser.conftest import OpenPage, Server

AUDITOR = Grant(Role.AUDITOR, EVERYWHERE)
MARKUP = "<img src=x onerror=\"document.title='broken'\">"
ENTRIES = 150


@pytest.fixture(scope="module")
def store(server: Server) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{server.file}")
    with writing(engine) as conn:
        for n in range(ENTRIES):
            with acting(Origin(f"a{n % 3}", f"Person {n % 3}", "session", "10.1.2.3", f"r{n}")):
                purpose = MARKUP if n == ENTRIES - 1 else "roll call"
                audit.record(conn, action="names_seen", object=f"H{n}", purpose=purpose, detail={"what": MARKUP})
    yield engine
    engine.dispose()


@pytest.fixture
def page(open_page: OpenPage, store: Engine) -> Page:
    opened = open_page("/audit", 1366, 768, as_="Sun", grants=(AUDITOR,))
    expect(opened.locator(".audit-row").first).to_be_visible()
    return opened


def test_an_auditor_finds_an_act_and_reads_all_of_it(page: Page) -> None:
    page.fill("[name=actor]", "Person 2")
    page.fill("[name=object]", f"H{ENTRIES - 1}")
    page.keyboard.press("Enter")
    rows = page.locator(".audit-row")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text(MARKUP)
    rows.first.press("Enter")
    whole = page.locator(".audit-whole")
    expect(whole).to_contain_text(f"r{ENTRIES - 1}")
    expect(whole).to_contain_text(MARKUP)
    assert page.locator(".audit img").count() == 0
    assert page.title() != "broken"
    assert "object=H149" in page.url
    page.reload()
    expect(page.locator("[name=object]")).to_have_value(f"H{ENTRIES - 1}")
    expect(rows).to_have_count(1)


def test_more_is_read_further_back_until_the_end(page: Page) -> None:
    rows = page.locator(".audit-row")
    expect(rows).to_have_count(100)
    page.locator(".audit-more").click()
    page.wait_for_function(f"document.querySelectorAll('.audit-row').length > {ENTRIES}")
    expect(page.locator(".audit-more")).to_have_count(0)
    numbers = [int(row.get_attribute("data-seq") or 0) for row in rows.all()]
    assert numbers == sorted(set(numbers), reverse=True)
    assert numbers[-1] == 1


def test_what_nobody_did_says_so(page: Page) -> None:
    page.fill("[name=text]", "no such words")
    page.locator(".audit-send .audit-search").click()
    expect(page.locator(".audit-empty")).to_be_visible()
    page.locator(".audit-clear").click()
    expect(page.locator(".audit-row").first).to_be_visible()


def test_what_is_shown_is_what_is_exported(page: Page, server: Server) -> None:
    page.fill("[name=actor]", "Person 1")
    page.locator(".audit-send .audit-search").click()
    expect(page.locator(".audit-row")).to_have_count(ENTRIES // 3)
    link = page.locator('[data-format="csv"]')
    assert link.get_attribute("download") == ""
    answer = page.request.get(server.url + str(link.get_attribute("href")))  # a download leaves the test's token behind
    content = answer.body().decode("utf-8-sig")
    assert len(list(csv.reader(io.StringIO(content)))) == ENTRIES // 3 + 1


def test_nobody_else_comes_in(open_page: OpenPage, store: Engine) -> None:
    opened = open_page("/", 1366, 768, as_="Wu", grants=(Grant(Role.COMMANDER, EVERYWHERE),))
    assert opened.request.get(opened.url + "audit", headers={"accept": "text/html"}).status == 403
    expect(opened.locator('a[href="/audit"]')).to_have_count(1)
    expect(opened.locator('a[href="/audit"]')).to_be_hidden()


def test_a_check_says_whole_and_then_what_somebody_did(page: Page, store: Engine) -> None:
    chain = page.locator(".audit-chain")
    page.locator(".audit-check").click()
    expect(chain).to_have_attribute("data-state", "whole")
    expect(chain).to_contain_text("Sun")
    with writing(store) as conn:
        conn.execute(text("DROP TRIGGER audit_no_delete"))
        conn.execute(text("DELETE FROM audit WHERE seq = 10"))
    page.locator(".audit-check").click()
    expect(chain).to_have_attribute("data-state", "broken")
    expect(chain).to_contain_text("10")
    page.reload()
    expect(chain).to_have_attribute("data-state", "broken")

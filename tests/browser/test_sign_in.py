"""Journeys of signing in, with a real browser: first password, second factor, a post's phone, a wall, the screens."""

import re
import time
from collections.abc import Sequence

import pyotp
import pytest
from playwright.sync_api import Page, expect

from pingji.data.access import accounts, lookup, tokens
from pingji.data.access.managing import Manager
from pingji.data.engine import open_engine, writing
from pingji.ops.access import EVERYWHERE, Grant, Role
from tests.browser.conftest import COUNTY, OpenPage, Server

PASSWORD = "mild otter 47 lamps"
REFUSED = ("401", "403", "422", "429")  # what a browser says to its console of answers that are refusals


def now() -> int:
    return time.time_ns() // 1000


def person(server: Server, login: str, *grants: Grant, password: str | None = PASSWORD) -> str:
    """A new account; its one-time password, where it has one."""
    engine = open_engine(f"sqlite:///{server.file}")
    with writing(engine) as conn:
        _, once = accounts.add_account(
            conn, login=login, name=f"Mx {login}", grants=grants, at=now(), password=password
        )
    engine.dispose()
    return once or ""


def code_of(server: Server, kind: str, name: str, role: Role) -> str:
    engine = open_engine(f"sqlite:///{server.file}")
    with writing(engine) as conn:
        manager = Manager(conn, now(), COUNTY)
        grant = Grant(role, COUNTY)
        made = manager.make_token(kind, name, grant, 3) if kind == tokens.WALL else manager.make_code(name, grant, 10)
    engine.dispose()
    return made[1]


def sign_in(page: Page, login: str, password: str) -> None:
    page.fill("#login", login)
    page.fill("#password", password)
    page.press("#password", "Enter")


def test_from_a_one_time_password_to_an_account_for_somebody_else(open_page: OpenPage, server: Server) -> None:
    once = person(server, "chief", Grant(Role.ADMINISTRATOR, EVERYWHERE), password=None)
    page = open_page("/accounts?lang=en", as_=None, provoked=REFUSED)
    assert "/sign-in?next=" in page.url
    sign_in(page, "chief", "wrong")
    expect(page.get_by_role("alert")).to_be_visible()
    sign_in(page, "chief", once)
    page.wait_for_url("**/sign-in/new-password**")
    for field in ("#new", "#again"):
        page.fill(field, PASSWORD)
    page.press("#again", "Enter")
    page.wait_for_url("**/accounts?lang=en")

    expect(page.locator('[data-login="chief"]')).to_be_visible()
    page.get_by_role("button", name="Add account").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name", exact=False).first.fill("Mx Wu <img src=x onerror=alert(1)>")
    dialog.get_by_label("Login", exact=False).fill("wu")
    dialog.get_by_role("button", name="Add account").click()
    secret = page.locator(".acc-secret")
    expect(secret).to_have_text(re.compile(r"^[2-9A-Z]{5}-[2-9A-Z]{5}-[2-9A-Z]{4}$"))
    given = secret.inner_text()
    page.get_by_role("button", name="Close").click()
    expect(page.locator('[data-login="wu"] b')).to_have_text("Mx Wu <img src=x onerror=alert(1)>")

    other = open_page("/?lang=en", as_=None)
    sign_in(other, "wu", given)
    other.wait_for_url("**/sign-in/new-password**")


def test_a_second_factor_is_set_up_and_asked_for(open_page: OpenPage, server: Server) -> None:
    person(server, "li", Grant(Role.COMMANDER, COUNTY))
    page = open_page("/account?lang=en", as_=None)
    sign_in(page, "li", PASSWORD)
    page.wait_for_url("**/account?lang=en")
    factor = page.locator("[data-card=factor]")
    factor.locator("input").fill(PASSWORD)
    factor.get_by_role("button").click()
    key = factor.locator(".acc-url")
    expect(key).to_have_text(re.compile("^[A-Z2-7]{32}$"))
    app = pyotp.TOTP(key.inner_text())
    factor.locator("input").fill(app.at(time.time() - 30))
    factor.get_by_role("button").click()
    expect(page.locator(".mine-codes li")).to_have_count(10)
    recovery = page.locator(".mine-codes li").first.inner_text()

    again = open_page("/?lang=en", as_=None)
    sign_in(again, "li", PASSWORD)
    again.wait_for_url("**/sign-in/second**")
    again.fill("#code", recovery)
    again.press("#code", "Enter")
    again.wait_for_url(re.compile(r"/(\?lang=en)?$"))
    expect(again.locator(".account-name")).to_have_text("Mx li")


@pytest.mark.parametrize("size", [(390, 844), (1280, 800)])
def test_a_post_signs_on_by_its_link(open_page: OpenPage, server: Server, size: Sequence[int]) -> None:
    code = code_of(server, tokens.ONCE, f"Post {size[0]}", Role.SHELTER_DESK)
    page = open_page(f"/sign-in/device?code={code}", *size, as_=None)
    expect(page.locator("#code")).to_have_value(code)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("form button").click()
    page.wait_for_url(server.url + "/")
    late = open_page(f"/sign-in/device?code={code}", as_=None, provoked=REFUSED)
    late.locator("form button").click()
    expect(late.get_by_role("alert")).to_be_visible()


def test_a_wall_needs_its_link_once(open_page: OpenPage, server: Server) -> None:
    secret = code_of(server, tokens.WALL, "Hall", Role.WALL)
    page = open_page(f"/sign-in/wall?token={secret}", as_=None)
    page.wait_for_url("**/wall")
    assert secret not in page.url
    page.reload()
    page.wait_for_selector('#page[data-page="wall"]')


def test_signing_out_ends_it(open_page: OpenPage, server: Server) -> None:
    person(server, "zhao", Grant(Role.LEADER, COUNTY))
    page = open_page("/account", as_=None)
    sign_in(page, "zhao", PASSWORD)
    page.wait_for_url("**/account")
    page.locator(".account-button").click()
    page.locator("[data-sign-out]").click()
    page.wait_for_url("**/sign-in")
    page.goto(server.url + "/account")
    page.wait_for_url("**/sign-in?next=**")
    engine = open_engine(f"sqlite:///{server.file}")
    with writing(engine) as conn:
        known = accounts.find_account(conn, "zhao")
        assert lookup.end_sessions_of(conn, known.id) == 0
    engine.dispose()

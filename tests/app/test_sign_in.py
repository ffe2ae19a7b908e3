"""Signing in: passwords, locks, sessions, one-time codes, and what other sites must not be able to do."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pyotp
import pytest
from sqlalchemy import Engine, select, update
from starlette.testclient import TestClient

from pingji.dashboard.context import now_us
from pingji.data.access import accounts, entering, first, lookup, second_factor, sessions, tokens
from pingji.data.access.entering import Browser
from pingji.data.engine import open_engine, reading, writing
from pingji.data.tables import account, session
from pingji.data.tables.audit import audit
from pingji.ops.access import EVERYWHERE, Grant, Role
from pingji.ops.sign_in import LOCK_US, Locked, WrongSignIn
from tests import world
from tests.app.conftest import Serve

PASSWORD = "mild otter 47 lamps"
OTHER = "green kettle 92 stairs"
SESSION = "pingji_session"


@pytest.fixture
def store(county_url: str) -> Iterator[Engine]:
    """The store behind `site`, with three accounts."""
    engine = open_engine(county_url)
    with writing(engine) as conn:
        add(conn, "li", "Li Hua", Role.COMMANDER)
        add(conn, "wang", "Wang Wei", Role.LEADER)
        add(conn, "root", "Root", Role.ADMINISTRATOR)
    yield engine
    engine.dispose()


@pytest.fixture
def site(serve: Serve, county_url: str, store: Engine) -> TestClient:
    """Nobody yet, before a served county."""
    return anonymous(serve(county_url, rate_limit=0))


def anonymous(client: TestClient) -> TestClient:
    client.cookies.clear()
    client.headers.pop("authorization", None)
    client.headers["origin"] = "http://testserver"  # as a browser says with whatever it posts
    return client


def add(conn: object, login: str, name: str, role: Role, scope: str = EVERYWHERE) -> str:
    at = now_us()
    return accounts.add_account(
        conn,  # type: ignore[arg-type]
        login=login,
        name=name,
        grants=[Grant(role, scope)],
        at=at,
        password=PASSWORD,
    )[0]


def wear(client: TestClient, secret: str) -> None:
    """A session's cookie and no other."""
    client.cookies.delete(SESSION) if SESSION in client.cookies else None
    client.cookies.set(SESSION, secret, domain="testserver.local", path="/")


def form_of(client: TestClient, path: str, **params: str) -> str:
    found = re.search(r'name="form" value="(\w+)"', client.get(path, params=params).text)
    assert found is not None
    return found[1]


def sign_in(client: TestClient, login: str, password: str, **params: str) -> object:
    form = form_of(client, "/sign-in", **params)
    return client.post("/sign-in", params=params, data={"form": form, "login": login, "password": password})


def told(engine: Engine, action: str) -> list[tuple[str, str]]:
    with reading(engine) as conn:
        rows = conn.execute(select(audit.c.actor, audit.c.outcome).where(audit.c.action == action))
        return [tuple(row) for row in rows]


def test_in_and_out(site: TestClient, store: Engine) -> None:
    answer = sign_in(site, "Li", PASSWORD, next="/grids")
    assert (answer.status_code, answer.headers["location"]) == (303, "/grids")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/" in cookie
    assert site.get("/api/v1/balance").status_code == 200
    assert site.get("/sign-in").headers["location"] == "/"
    secret = site.cookies[SESSION]
    out = site.post("/sign-out")
    assert out.headers["location"] == "/sign-in"
    wear(site, secret)
    assert site.get("/api/v1/balance").status_code == 401
    assert told(store, "sign_in") == told(store, "sign_out") == [("Li Hua", "done")]


def test_a_wrong_password_and_an_unknown_login_say_the_same(site: TestClient) -> None:
    wrong, unknown = sign_in(site, "li", "nope"), sign_in(site, "lo", "nope")
    assert wrong.status_code == unknown.status_code == 401
    plain = [re.sub(r'value="\w*"', "", page.text) for page in (wrong, unknown)]
    assert plain[0] == plain[1]
    assert SESSION not in site.cookies


def test_five_wrong_tries_lock_whether_or_not_there_is_such_an_account(site: TestClient, store: Engine) -> None:
    for login in ("li", "nobody-of-that-name"):
        statuses = [sign_in(site, login, "wrong").status_code for _ in range(6)]
        assert statuses == [401] * 5 + [429]
        locked = sign_in(site, login, PASSWORD)
        assert locked.status_code == 429
        assert re.search(r"\d\d:\d\d", locked.text)
        assert SESSION not in site.cookies
    assert sign_in(site, "wang", PASSWORD).status_code == 303
    assert len(told(store, "sign_in_failed")) == 5
    assert told(store, "locked") == [("Li Hua", "done")]


def test_a_right_password_begins_the_count_anew(site: TestClient) -> None:
    for _ in range(2):
        assert [sign_in(site, "li", "wrong").status_code for _ in range(4)] == [401] * 4
        assert sign_in(site, "li", PASSWORD).status_code == 303
        site.cookies.clear()


def test_an_address_that_guesses_at_many_accounts_is_stopped(site: TestClient) -> None:
    statuses = [sign_in(site, f"user{n}", "wrong").status_code for n in range(32)]
    assert statuses == [401] * 30 + [429] * 2
    assert sign_in(site, "li", PASSWORD).status_code == 429


def test_twenty_guesses_at_once_are_five(store: Engine) -> None:
    at, evaluated = now_us(), []

    def guess(n: int) -> str:
        try:
            entering.enter(store, "li", f"guess {n}", at, Browser(), require_second=False)
        except Locked:
            return "locked"
        except WrongSignIn:
            evaluated.append(n)
            return "wrong"
        return "in"

    with ThreadPoolExecutor(20) as pool:
        results = list(pool.map(guess, range(20)))
    assert sorted(results) == ["locked"] * 15 + ["wrong"] * 5
    assert len(evaluated) == 5
    with pytest.raises(Locked):
        entering.enter(store, "li", PASSWORD, at + LOCK_US - 1, Browser(), require_second=False)
    assert entering.enter(store, "li", PASSWORD, at + LOCK_US, Browser(), require_second=False).secret


def test_each_sign_in_has_a_fresh_session_and_ends_the_one_before(site: TestClient, store: Engine) -> None:
    wear(site, "planted-by-somebody-else")
    sign_in(site, "li", PASSWORD)
    mine = site.cookies[SESSION]
    assert mine != "planted-by-somebody-else"
    with reading(store) as conn:
        assert set(conn.scalars(select(session.c.digest))) == {lookup.digest_of(mine)}
    again = entering.enter(
        store, "li", PASSWORD, now_us(), Browser(old_digest=lookup.digest_of(mine)), require_second=False
    )
    with reading(store) as conn:
        assert set(conn.scalars(select(session.c.digest))) == {lookup.digest_of(again.secret)}


@pytest.mark.parametrize(
    "wanted",
    ["//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example", "javascript:alert(1)", "evil"],
)
def test_the_way_back_never_leaves_this_place(site: TestClient, wanted: str) -> None:
    assert sign_in(site, "li", PASSWORD, next=wanted).headers["location"] == "/"


def test_nobody_is_signed_in_by_another_site(site: TestClient) -> None:
    form = form_of(site, "/sign-in")
    good = {"login": "li", "password": PASSWORD}
    for bad in ({}, {"form": "x"}, {"form": form[:-1] + ("0" if form[-1] != "0" else "1")}):
        assert site.post("/sign-in", data={**good, **bad}).status_code == 403
    cross = site.post("/sign-in", data={**good, "form": form}, headers={"sec-fetch-site": "cross-site"})
    assert cross.status_code == 403
    site.cookies.clear()  # the form without its cookie
    assert site.post("/sign-in", data={**good, "form": form}).status_code == 403
    assert SESSION not in site.cookies


def test_a_disabled_account_is_out_at_once(site: TestClient, store: Engine) -> None:
    sign_in(site, "li", PASSWORD)
    with writing(store) as conn:
        li = accounts.find_account(conn, "li").id
        state = lookup.caller_of_session(conn, site.cookies[SESSION], now_us(), LOCK_US)
        assert state is not None
        accounts.disable(conn, li, now_us())
        assert lookup.caller_of_session(conn, site.cookies[SESSION], now_us(), LOCK_US) is None
    site.cookies.clear()
    assert sign_in(site, "li", PASSWORD).status_code == 401


def test_behind_https_cookies_are_secure_and_of_this_host_alone(serve: Serve, county_url: str, store: Engine) -> None:
    site = anonymous(serve(county_url, rate_limit=0, public_url="https://pingji.example"))
    site.base_url = "https://testserver"
    answer = sign_in(site, "li", PASSWORD)
    cookies = [c for c in answer.headers.get_list("set-cookie") if c.startswith("__Host-pingji_session=")]
    assert len(cookies) == 1
    assert "; secure" in cookies[0].lower()
    assert site.get("/api/v1/balance").status_code == 200


def test_a_one_time_password_opens_only_the_page_where_it_is_changed(site: TestClient, store: Engine) -> None:
    with writing(store) as conn:
        _, once = accounts.add_account(
            conn, login="new", name="New", grants=[Grant(Role.LEADER, EVERYWHERE)], at=now_us()
        )
    assert once is not None
    assert sign_in(site, "new", once, next="/grids").headers["location"] == "/sign-in/new-password?next=%2Fgrids"
    assert site.get("/api/v1/balance").status_code == 401
    before = site.cookies[SESSION]

    def choose(new: str, again: str | None = None) -> object:
        form = form_of(site, "/sign-in/new-password")
        return site.post("/sign-in/new-password", data={"form": form, "new": new, "again": again or new})

    assert choose("short").status_code == 422
    assert choose("1234567890").status_code == 422
    assert choose(once).status_code == 422
    assert choose(OTHER, "else").status_code == 422
    assert choose(OTHER).status_code == 303
    assert site.cookies[SESSION] != before
    assert site.get("/api/v1/balance").status_code == 200
    site.cookies.clear()
    assert sign_in(site, "new", once).status_code == 401
    assert sign_in(site, "new", OTHER).status_code == 303


def with_factor(store: Engine, login: str) -> tuple[str, pyotp.TOTP, list[str]]:
    at = now_us() - 120_000_000
    with writing(store) as conn:
        owner = accounts.find_account(conn, login).id
        totp = pyotp.TOTP(second_factor.begin(conn, owner))
        assert second_factor.confirm(conn, owner, totp.at(at // 1_000_000), at)
        return owner, totp, second_factor.new_recovery_codes(conn, owner, at)


def second(site: TestClient, code: str) -> object:
    form = form_of(site, "/sign-in/second")
    return site.post("/sign-in/second", data={"form": form, "code": code})


def test_the_second_factor_stands_between(site: TestClient, store: Engine) -> None:
    _, totp, _ = with_factor(store, "li")
    assert sign_in(site, "li", PASSWORD).headers["location"] == "/sign-in/second"
    half = site.cookies[SESSION]
    assert site.get("/api/v1/balance").status_code == 401
    code = totp.now()
    assert second(site, code).status_code == 303
    assert site.cookies[SESSION] != half
    assert site.get("/api/v1/balance").status_code == 200
    whole = site.cookies[SESSION]
    wear(site, half)
    assert site.get("/api/v1/balance").status_code == 401
    site.cookies.clear()
    sign_in(site, "li", PASSWORD)
    assert second(site, code).status_code == 401  # each code once
    assert whole not in site.cookies.values()


def test_the_password_does_not_wipe_out_wrong_codes(site: TestClient, store: Engine) -> None:
    with_factor(store, "li")
    statuses = []
    for _ in range(5):
        sign_in(site, "li", PASSWORD)
        statuses.append(second(site, "000000").status_code)
        site.cookies.clear()
    assert statuses == [401] * 5
    assert sign_in(site, "li", PASSWORD).status_code == 429


def test_a_recovery_code_works_once_and_for_its_owner_alone(site: TestClient, store: Engine) -> None:
    _, _, codes = with_factor(store, "li")
    with_factor(store, "wang")
    sign_in(site, "wang", PASSWORD)
    assert second(site, codes[0]).status_code == 401
    site.cookies.clear()
    for status in (303, 401):
        sign_in(site, "li", PASSWORD)
        assert second(site, codes[0].lower()).status_code == status
        site.cookies.clear()


def test_one_code_at_once_lets_one_in(store: Engine) -> None:
    owner, totp, codes = with_factor(store, "li")

    def enter(code: str) -> bool:
        with writing(store) as conn:
            return bool(second_factor.use(conn, owner, code, now_us()))

    for code in (totp.now(), codes[0]):
        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(enter, [code] * 8)) == 1


def test_a_required_second_factor_is_set_up_before_anything_else(serve: Serve, county_url: str, store: Engine) -> None:
    site = anonymous(serve(county_url, rate_limit=0, second_factor="required"))
    assert sign_in(site, "wang", PASSWORD).headers["location"] == "/"  # a leader needs none
    site.cookies.clear()
    assert sign_in(site, "li", PASSWORD).headers["location"] == "/sign-in/enrol"
    page = site.get("/sign-in/enrol").text
    assert site.get("/api/v1/balance").status_code == 401
    secret = re.search(r'class="secret">([A-Z2-7 ]+)<', page)
    form = re.search(r'name="form" value="(\w+)"', page)
    assert secret is not None
    assert form is not None
    wrong = site.post("/sign-in/enrol", data={"form": form[1], "code": "000000"})
    assert wrong.status_code == 401
    assert secret[1] in wrong.text
    code = pyotp.TOTP(secret[1].replace(" ", "")).now()
    done = site.post("/sign-in/enrol", data={"form": form[1], "code": code})
    assert done.status_code == 200
    assert len(re.findall(r"<li>[0-9A-Z-]{19}</li>", done.text)) == 10
    assert site.get("/api/v1/balance").status_code == 200


def a_code(store: Engine, minutes: int = 10) -> str:
    with writing(store) as conn:
        code = tokens.new_device_code()
        at = now_us()
        tokens.make_token(
            conn,
            kind=tokens.ONCE,
            name="Post T1",
            grants=[Grant(Role.FIELD, world.C1)],
            created_by="root",
            at=at,
            expires_at=at + minutes * 60_000_000,
            secret=code,
        )
    return code


def device(site: TestClient, code: str) -> object:
    form = form_of(site, "/sign-in/device", code=code)
    return site.post("/sign-in/device", data={"form": form, "code": code})


def test_a_device_signs_on_once_with_a_code(site: TestClient, store: Engine) -> None:
    code = a_code(store)
    assert code in site.get("/sign-in/device", params={"code": code}).text  # a look uses nothing up
    answer = device(site, code.lower())
    assert answer.status_code == 303
    assert "max-age=86400" in answer.headers["set-cookie"].lower()
    with reading(store) as conn:
        found = lookup.caller_of_session(conn, site.cookies[SESSION], now_us() + LOCK_US * 4, LOCK_US)
    assert found is not None
    assert (found[0].door, found[0].name, found[0].roles) == ("device", "Post T1", {Role.FIELD})
    site.cookies.clear()
    assert device(site, code).status_code == 401
    assert device(site, a_code(store, minutes=0)).status_code == 401


def test_a_wall_opens_its_link_once_and_keeps_a_cookie(site: TestClient, store: Engine) -> None:
    at = now_us()
    with writing(store) as conn:
        made = {"created_by": "root", "at": at, "expires_at": at + LOCK_US}
        grants = [Grant(Role.WALL, world.COUNTY)]
        wall, secret = lookup.make_token(conn, kind="wall", name="Hall", grants=grants, **made)  # type: ignore[arg-type]
        _, api = lookup.make_token(conn, kind="api", name="Script", grants=grants, **made)  # type: ignore[arg-type]
    for wrong in (api, "nonsense", ""):
        assert site.get("/sign-in/wall", params={"token": wrong}).status_code == 401
    answer = site.get("/sign-in/wall", params={"token": secret})
    assert (answer.status_code, answer.headers["location"]) == (303, "/wall")
    assert "httponly" in answer.headers["set-cookie"].lower()
    assert site.get("/wall").status_code == 200
    assert site.get("/api/v1/grids/sets").status_code == 403
    with writing(store) as conn:
        tokens.revoke(conn, wall, now_us())
        assert lookup.caller_of_token(conn, secret, now_us()) is None
    site.cookies.clear()
    assert site.get("/sign-in/wall", params={"token": secret}).status_code == 401


def test_a_better_hash_takes_the_place_of_an_older_one(store: Engine) -> None:
    from argon2 import PasswordHasher

    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    with writing(store) as conn:
        conn.execute(update(account).where(account.c.login == "li").values(password=weak))
    entering.enter(store, "li", PASSWORD, now_us(), Browser(), require_second=False)
    with reading(store) as conn:
        kept = accounts.password_of(conn, accounts.find_account(conn, "li").id)
    assert kept.startswith("$argon2id$v=19$m=32768,t=3,p=1$")


def test_a_session_ends_when_nobody_touches_it_and_after_half_a_day(store: Engine) -> None:
    at, minute = now_us(), 60_000_000
    secret = entering.enter(store, "li", PASSWORD, at, Browser(), require_second=False).secret
    with writing(store) as conn:
        assert lookup.caller_of_session(conn, secret, at + 15 * minute - 1, 15 * minute) is not None
        assert lookup.caller_of_session(conn, secret, at + 15 * minute, 15 * minute) is None
        for touch in range(0, 12 * 60, 10):
            lookup.touch_session(conn, lookup.digest_of(secret), at + touch * minute)
        late = at + 12 * 60 * minute
        assert lookup.caller_of_session(conn, secret, late - 1, 15 * minute) is not None
        assert lookup.caller_of_session(conn, secret, late, 15 * minute) is None


def test_the_first_start_makes_one_administrator(engine: Engine) -> None:
    made = first.ensure_administrator(engine)
    assert made is not None
    assert first.ensure_administrator(engine) is None
    done = entering.enter(engine, made.login, made.password, now_us(), Browser(), require_second=False)
    assert done.must_change
    with reading(engine) as conn:
        found = lookup.caller_of_session(conn, done.secret, now_us(), LOCK_US)
        assert found is not None
        assert found[0].grants == (Grant(Role.ADMINISTRATOR, EVERYWHERE),)
        assert [one.kind for one in sessions.sessions_of(conn, found[0].id, now_us())] == ["account"]


@pytest.mark.parametrize("lang", ["zh_CN", "en"])
def test_pages_have_no_script_and_no_style_of_their_own(site: TestClient, lang: str) -> None:
    for path in ("/sign-in", "/sign-in/device", "/sign-in/wall"):
        answer = site.get(path, params={"lang": lang})
        assert answer.headers["cache-control"] == "no-store"
        assert not re.search(r"<script|<style|style=|\son\w+=", answer.text)
    hostile = site.get("/sign-in/device", params={"code": '"><img src=x onerror=1>'}).text
    assert "<img" not in hostile

"""Managing accounts over the API: within one's area, never one's own, never the last administrator."""

from collections.abc import Iterator
from typing import Any

import pyotp
import pytest
from sqlalchemy import Engine, select

from pingji.dashboard.context import now_us
from pingji.data.access import accounts, entering, lookup, sessions
from pingji.data.access.entering import Browser
from pingji.data.engine import open_engine, reading, writing
from pingji.data.tables import account, account_grant
from pingji.data.tables.audit import audit
from pingji.ops.access import EVERYWHERE, Grant, Role
from tests import world
from tests.app.callers import Client
from tests.app.conftest import Serve
from tests.app.phone import assert_problem

PASSWORD = "mild otter 47 lamps"
OTHER = "green kettle 92 stairs"


@pytest.fixture
def store(county_url: str) -> Iterator[Engine]:
    engine = open_engine(county_url)
    yield engine
    engine.dispose()


@pytest.fixture
def site(serve: Serve, county_url: str) -> Client:
    client = serve(county_url, rate_limit=0)
    client.headers.pop("authorization")
    client.headers["origin"] = "http://testserver"
    return client


def person(store: Engine, login: str, *grants: Grant) -> str:
    """A new account; its id."""
    with writing(store) as conn:
        return accounts.add_account(
            conn, login=login, name=f"Mx {login}", grants=grants, at=now_us(), password=PASSWORD
        )[0]


def signed_in(site: Client, store: Engine, login: str) -> str:
    """The browser is that account's from now on; the session's secret."""
    secret = entering.enter(store, login, PASSWORD, now_us(), Browser(), require_second=False).secret
    site.cookies.clear()
    site.cookies.set("pingji_session", secret, domain="testserver.local", path="/")
    return secret


def grant(role: str, scope: str = EVERYWHERE) -> dict[str, str]:
    return {"role": role, "scope": scope}


def new(login: str, *grants: dict[str, str]) -> dict[str, Any]:
    return {"login": login, "name": f"Mx {login}", "grants": list(grants)}


@pytest.fixture
def chief(site: Client, store: Engine) -> str:
    """An administrator of everything, signed in."""
    ident = person(store, "chief", Grant(Role.ADMINISTRATOR, EVERYWHERE))
    signed_in(site, store, "chief")
    return ident


@pytest.fixture
def near(site: Client, store: Engine, chief: str) -> str:
    """An administrator of one township, signed in instead."""
    ident = person(store, "near", Grant(Role.ADMINISTRATOR, world.NEAR))
    signed_in(site, store, "near")
    return ident


def test_the_life_of_an_account(site: Client, store: Engine, chief: str) -> None:
    made = site.post("/api/v1/accounts", json=new("zhao", grant("leader", world.COUNTY)))
    assert made.status_code == 201
    once, known = made.json()["one_time_password"], made.json()["account"]
    assert known["grants"] == [{"role": "leader", "scope": world.COUNTY, "scope_name": "County"}]
    entered = entering.enter(store, "zhao", once, now_us(), Browser(), require_second=False)
    assert entered.must_change

    path = f"/api/v1/accounts/{known['id']}"
    changed = site.patch(path, json={"grants": [grant("field", world.C1)]})
    assert [g["role"] for g in changed.json()["account"]["grants"]] == ["field"]
    reset = site.post(f"{path}/password").json()["one_time_password"]
    assert reset != once
    assert site.patch(path, json={"disabled": True}).json()["account"]["disabled"] is True
    with reading(store) as conn:
        assert lookup.caller_of_session(conn, entered.secret, now_us(), 0) is None
    assert site.patch(path, json={"disabled": False}).json()["account"]["disabled"] is False

    listed = site.get("/api/v1/accounts")
    assert {one["login"] for one in listed.json()["accounts"]} == {"chief", "zhao"}
    with reading(store) as conn:
        kept = list(conn.execute(select(account.c.password, account.c.totp)))
        told = set(conn.scalars(select(audit.c.action).where(audit.c.object == "Mx zhao")))
    for secret in [once, reset, *(value for row in kept for value in row if value)]:
        assert secret not in listed.text
    expected = {"account_added", "account_changed", "password_reset", "account_disabled", "account_enabled"}
    assert expected <= told


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_nobody_else_manages_accounts(site: Client, role: Role) -> None:
    someone = site.bearer("someone", Grant(role, EVERYWHERE))
    asked = [
        site.get("/api/v1/accounts", headers=someone),
        site.post("/api/v1/accounts", headers=someone, json=new("x")),
        site.patch("/api/v1/accounts/x", headers=someone, json={"disabled": True}),
        site.post("/api/v1/accounts/x/password", headers=someone),
        site.get("/api/v1/accounts/tokens", headers=someone),
        site.post("/api/v1/accounts/tokens", headers=someone, json={}),
        site.post("/api/v1/accounts/codes", headers=someone, json={}),
        site.delete("/api/v1/accounts/tokens/x", headers=someone),
        site.get("/api/v1/accounts/devices", headers=someone),
        site.delete("/api/v1/accounts/devices/x", headers=someone),
    ]
    assert {answer.status_code for answer in asked} == {403}


@pytest.mark.parametrize("scope", [EVERYWHERE, world.COUNTY, world.FAR, world.C3, "T4", "22022", "220221", "2202211"])
def test_no_right_is_handed_on_beyond_the_own_area(site: Client, near: str, scope: str) -> None:
    assert_problem(site.post("/api/v1/accounts", json=new("x", grant("leader", scope))), 403, "outside_your_area")
    code = {"name": "Post", "role": "field", "scope": scope}
    assert_problem(site.post("/api/v1/accounts/codes", json=code), 403, "outside_your_area")
    made = {"kind": "wall", "name": "Hall", "role": "wall", "scope": scope}
    assert_problem(site.post("/api/v1/accounts/tokens", json=made), 403, "outside_your_area")


@pytest.mark.parametrize("scope", [world.NEAR, world.C1, "T1", "S1", f"{world.C2}001"])
def test_within_the_own_area_it_is(site: Client, near: str, scope: str) -> None:
    assert site.post("/api/v1/accounts", json=new("x", grant("leader", scope))).status_code == 201
    assert [one["login"] for one in site.get("/api/v1/accounts").json()["accounts"]] == ["near", "x"]


def test_whoever_has_more_than_the_own_area_is_out_of_reach(site: Client, store: Engine, near: str, chief: str) -> None:
    both = person(store, "both", Grant(Role.LEADER, world.C1), Grant(Role.LEADER, world.C3))
    for ident in (chief, both):
        path = f"/api/v1/accounts/{ident}"
        assert_problem(site.post(f"{path}/password"), 403, "outside_your_area")
        for change in ({"disabled": True}, {"grants": []}, {"second_factor": False}):
            assert_problem(site.patch(path, json=change), 403, "outside_your_area")
    assert_problem(site.post("/api/v1/accounts/nobody/password"), 404, "unknown_account")


def test_nobody_changes_the_own_rights(site: Client, store: Engine, chief: str) -> None:
    person(store, "second", Grant(Role.ADMINISTRATOR, EVERYWHERE))
    path = f"/api/v1/accounts/{chief}"
    for change in ({"grants": [grant("commander")]}, {"disabled": True}, {"second_factor": False}):
        assert_problem(site.patch(path, json=change), 409, "own_rights")
    assert_problem(site.post(f"{path}/password"), 409, "own_rights")


def test_the_last_administrator_stays(site: Client, store: Engine, chief: str) -> None:
    last = person(store, "last", Grant(Role.ADMINISTRATOR, EVERYWHERE))
    assert site.patch(f"/api/v1/accounts/{last}", json={"grants": []}).status_code == 200
    signed_in(site, store, "chief")
    program = site.bearer("program", Grant(Role.ADMINISTRATOR, EVERYWHERE))
    site.cookies.clear()
    for change in ({"grants": []}, {"disabled": True}):
        answer = site.patch(f"/api/v1/accounts/{chief}", json=change, headers=program)
        assert_problem(answer, 409, "last_administrator")
    with reading(store) as conn:
        assert conn.scalar(select(account_grant.c.account)) == chief


def test_names_and_logins_are_those_of_one(site: Client, chief: str) -> None:
    assert site.post("/api/v1/accounts", json=new("a1", grant("leader"))).status_code == 201
    assert_problem(site.post("/api/v1/accounts", json={**new("A1"), "name": "other"}), 409, "login_taken")
    assert_problem(site.post("/api/v1/accounts", json={**new("a2"), "name": "MX A1"}), 409, "name_taken")
    wall = {"kind": "wall", "name": "Mx a1", "role": "wall", "scope": EVERYWHERE}
    assert_problem(site.post("/api/v1/accounts/tokens", json=wall), 409, "name_taken")
    code = {"name": "Mx a1", "role": "field", "scope": world.C1}
    assert_problem(site.post("/api/v1/accounts/codes", json=code), 409, "name_taken")
    assert_problem(site.post("/api/v1/accounts", json=new("a b")), 422, "bad_login")
    assert_problem(site.post("/api/v1/accounts", json=new("a3", grant("king"))), 422)
    assert_problem(site.post("/api/v1/accounts", json=new("a3", grant("leader", "nowhere"))), 422)


def test_a_token_works_until_it_is_revoked(site: Client, store: Engine, chief: str) -> None:
    asked = {"kind": "api", "name": "Gauges", "role": "duty_officer", "scope": world.COUNTY, "days": 3}
    made = site.post("/api/v1/accounts/tokens", json=asked).json()
    bearer = {"authorization": f"Bearer {made['secret']}"}
    assert site.get("/api/v1/me", headers=bearer).json()["name"] == "Gauges"
    listed = site.get("/api/v1/accounts/tokens")
    assert made["secret"] not in listed.text
    assert [one["name"] for one in listed.json()["tokens"] if one["name"] == "Gauges"] == ["Gauges"]
    with reading(store) as conn:
        late = now_us() + 3 * 86_400_000_000
        assert lookup.caller_of_token(conn, made["secret"], late - 10_000_000) is not None
        assert lookup.caller_of_token(conn, made["secret"], late) is None
    assert site.delete(f"/api/v1/accounts/tokens/{made['token']['id']}").status_code == 200
    assert site.get("/api/v1/me", headers=bearer).status_code == 401
    assert_problem(site.delete(f"/api/v1/accounts/tokens/{made['token']['id']}"), 404, "unknown_token")


@pytest.mark.parametrize(("kind", "role"), [("wall", "leader"), ("api", "wall"), ("api", "administrator")])
def test_a_token_has_the_role_of_its_kind(site: Client, chief: str, kind: str, role: str) -> None:
    asked = {"kind": kind, "name": "T", "role": role, "scope": EVERYWHERE}
    assert_problem(site.post("/api/v1/accounts/tokens", json=asked), 422, "role_not_for_tokens")


def test_a_code_signs_a_device_on_that_can_be_ended(site: Client, store: Engine, chief: str) -> None:
    made = site.post("/api/v1/accounts/codes", json={"name": "Gate", "role": "shelter_desk", "scope": "S1"}).json()
    assert len(made["code"]) == 8
    assert made["url"].endswith(f"/sign-in/device?code={made['code']}")
    assert made["qr"].startswith("data:image/svg+xml")
    done = entering.enter_device(store, made["code"], now_us(), Browser())
    [device] = site.get("/api/v1/accounts/devices").json()["devices"]
    assert (device["name"], device["grants"][0]["scope_name"]) == ("Gate", "Place S1")
    assert site.delete(f"/api/v1/accounts/devices/{device['id']}").status_code == 200
    with reading(store) as conn:
        assert lookup.caller_of_session(conn, done.secret, now_us(), 0) is None
    assert_problem(site.delete(f"/api/v1/accounts/devices/{device['id']}"), 404, "unknown_device")


def test_ones_own_password_and_sessions(site: Client, store: Engine) -> None:
    person(store, "li", Grant(Role.LEADER, world.C1))
    elsewhere = signed_in(site, store, "li")
    mine = signed_in(site, store, "li")
    known = site.get("/api/v1/account").json()
    assert (known["name"], known["grants"][0]["scope_name"]) == ("Mx li", f"C{world.C1}")
    listed = site.get("/api/v1/account/sessions").json()["sessions"]
    assert sorted(one["this"] for one in listed) == [False, True]
    wrong = site.post("/api/v1/account/password", json={"old": "no", "new": OTHER})
    assert_problem(wrong, 403, "wrong_sign_in")
    weak = site.post("/api/v1/account/password", json={"old": PASSWORD, "new": "mx li mx li"})
    assert_problem(weak, 422, "password_tells_the_name")
    assert site.post("/api/v1/account/password", json={"old": PASSWORD, "new": OTHER}).status_code == 200
    with reading(store) as conn:
        for secret in (elsewhere, mine):
            assert lookup.caller_of_session(conn, secret, now_us(), 0) is None
    assert site.get("/api/v1/me").status_code == 200  # with the fresh one


def test_somebody_elses_session_is_out_of_reach(site: Client, store: Engine) -> None:
    person(store, "li", Grant(Role.LEADER, world.C1))
    other = person(store, "wu", Grant(Role.LEADER, world.C1))
    theirs = signed_in(site, store, "wu")
    signed_in(site, store, "li")
    with reading(store) as conn:
        [one] = sessions.sessions_of(conn, other, now_us())
    assert site.delete(f"/api/v1/account/sessions/{one.id}").json() == {"ended": 0}
    assert site.delete("/api/v1/account/sessions").json() == {"ended": 0}
    with reading(store) as conn:
        assert lookup.caller_of_session(conn, theirs, now_us(), 0) is not None


def test_ones_own_second_factor(site: Client, store: Engine) -> None:
    person(store, "li", Grant(Role.LEADER, world.C1))
    signed_in(site, store, "li")
    path = "/api/v1/account/second-factor"
    assert_problem(site.post(path, json={"password": "no"}), 403, "wrong_sign_in")
    begun = site.post(path, json={"password": PASSWORD}).json()
    assert_problem(site.post(f"{path}/code", json={"code": "12345"}), 403, "wrong_sign_in")
    before = site.cookies["pingji_session"]
    done = site.post(f"{path}/code", json={"code": pyotp.TOTP(begun["secret"]).now()})
    assert len(set(done.json()["recovery_codes"])) == 10
    assert site.cookies["pingji_session"] != before
    assert_problem(site.post(path, json={"password": PASSWORD}), 409, "second_factor_on")
    again = site.post(f"{path}/recovery", json={"password": PASSWORD}).json()["recovery_codes"]
    assert not set(again) & set(done.json()["recovery_codes"])
    assert begun["secret"] not in site.get("/api/v1/account").text
    assert_problem(site.post(f"{path}/off", json={"password": "no"}), 403)
    assert site.post(f"{path}/off", json={"password": PASSWORD}).json() == {"second_factor": False}


def test_guesses_at_the_old_password_count(site: Client, store: Engine) -> None:
    person(store, "li", Grant(Role.LEADER, world.C1))
    signed_in(site, store, "li")
    statuses = [
        site.post("/api/v1/account/password", json={"old": f"no {n}", "new": OTHER}).status_code for n in range(6)
    ]
    assert statuses == [403] * 5 + [429]


def test_programs_and_devices_have_no_account(site: Client) -> None:
    program = site.bearer("program", Grant(Role.LEADER, world.COUNTY))
    assert site.get("/api/v1/account", headers=program).json()["account"] is None
    for path in ("password", "second-factor", "second-factor/off"):
        body = {"old": "a", "new": "b"} if path == "password" else {"password": "a"}
        assert_problem(site.post(f"/api/v1/account/{path}", json=body, headers=program), 403, "no_account")
    assert_problem(site.get("/api/v1/account/sessions", headers=program), 403, "no_account")

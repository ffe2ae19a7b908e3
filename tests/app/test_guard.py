"""The guard: what another site sends is refused, GET changes nothing, and odd headers open nothing."""

from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from pingji.dashboard.context import now_us
from pingji.data.access.accounts import set_password
from pingji.data.access.lookup import add_account, begin_session
from pingji.data.engine import reading, writing
from pingji.data.tables import metadata
from pingji.ops.access import Grant, Role
from tests import world
from tests.app.callers import AT, Client
from tests.app.phone import assert_problem
from tests.app.test_access_matrix import filled, routes

OWN_PAGE = {"sec-fetch-site": "same-origin", "origin": "http://testserver"}


@pytest.fixture
def cookie(client: Client) -> dict[str, str]:
    """The cookie of a commander who has signed in."""
    del client.headers["authorization"]
    with writing(client.engine) as conn:
        account, _ = add_account(conn, login="wang", name="Wang", grants=[Grant(Role.COMMANDER, world.COUNTY)], at=AT)
        set_password(conn, account, "", must_change=False)
        secret = begin_session(conn, account, at=now_us(), lifetime_us=3_600_000_000)
    return {"cookie": f"pingji_session={secret}"}


PRESS: dict[str, Any] = {"press_id": "p", "scope": world.COUNTY, "to": "standby", "reason": "x"}


def test_our_own_pages_may(client: Client, cookie: dict[str, str]) -> None:
    assert client.post("/api/v1/modes", json=PRESS, headers=cookie | OWN_PAGE).status_code == 200
    older = cookie | {"origin": "http://testserver"}  # a browser without Sec-Fetch-Site
    back = {**PRESS, "to": "routine", "press_id": "q"}
    assert client.post("/api/v1/modes", json=back, headers=older).status_code == 200


@pytest.mark.parametrize(
    "sent",
    [
        {"sec-fetch-site": "cross-site", "origin": "http://evil.example"},
        {"sec-fetch-site": "same-site", "origin": "http://other.testserver"},
        {"sec-fetch-site": "cross-site", "origin": "http://testserver"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://testserver.evil.example"},
        {"origin": "http://testserver:8051"},
        {},
    ],
)
def test_another_sites_page_may_not(client: Client, cookie: dict[str, str], sent: dict[str, str]) -> None:
    app = client.app
    assert isinstance(app, FastAPI)
    unsafe = [
        (method, path)
        for _, path, methods in routes(app)
        for method in methods - {"GET", "HEAD", "OPTIONS"}
        if path.startswith("/api/")
    ]
    assert len(unsafe) > 20
    for method, path in [*unsafe, ("POST", "/_dash-update-component")]:
        answer = client.request(method, filled(path), headers=cookie | sent, content=b"{}")
        assert_problem(answer, 403, "cross_site")


def test_the_cookie_of_a_wall_is_a_cookie(client: Client) -> None:
    secret = client.bearer()["authorization"].removeprefix("Bearer ")
    del client.headers["authorization"]
    sent = {"cookie": f"pingji_token={secret}", "sec-fetch-site": "cross-site"}
    assert_problem(client.post("/api/v1/modes", json=PRESS, headers=sent), 403, "cross_site")


def test_a_program_with_a_token_is_no_browser(client: Client) -> None:
    """Nobody's browser adds an Authorization header by itself."""
    answer = client.post("/api/v1/modes", json=PRESS, headers={"origin": "http://evil.example"})
    assert answer.status_code == 200


def test_reading_changes_nothing(client: Client, cookie: dict[str, str]) -> None:
    app = client.app
    assert isinstance(app, FastAPI)

    def rows() -> dict[str, int]:
        # The audit tells who read; a session was seen.
        tables = [t for t in metadata.sorted_tables if t.name not in ("audit", "audit_head")]
        with reading(client.engine) as conn:
            return {t.name: conn.scalars(select(func.count()).select_from(t)).one() for t in tables}

    before = rows()
    asked = 0
    for _, path, methods in routes(app):
        if "GET" in methods and path.startswith("/api/v1/") and path != "/api/v1/live":
            client.get(filled(path), headers=cookie | {"sec-fetch-site": "cross-site"})
            asked += 1
    assert asked > 20
    assert rows() == before


@pytest.mark.parametrize(
    "sent",
    [
        {"authorization": "Bearer"},
        {"authorization": "Bearer "},
        {"authorization": "Basic YWRtaW46YWRtaW4="},
        {"authorization": "bearer x"},
        {"cookie": "pingji_session="},
        {"cookie": "pingji_token=; pingji_session=\xff"},
        {"cookie": "a@b=1; x,y=2; ;"},
        {"x-forwarded-user": "admin", "x-actor": "admin", "remote-user": "admin"},
    ],
)
def test_odd_headers_open_nothing(client: Client, sent: dict[str, str]) -> None:
    del client.headers["authorization"]
    raw = [(name.encode(), value.encode("latin-1")) for name, value in sent.items()]
    assert_problem(client.get("/api/v1/balance", headers=raw), 401, "sign_in_needed")


@pytest.mark.parametrize(
    "path", ["/assets/../api/v1/balance", "/static/..%2fapi/v1/balance", "//api/v1/balance", "/sign-in/../api/v1/me"]
)
def test_no_way_round_by_the_path(client: Client, path: str) -> None:
    del client.headers["authorization"]
    answer = client.get(path)
    assert "expected" not in answer.text
    assert answer.status_code in (401, 404, 303, 307)

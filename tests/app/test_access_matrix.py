"""Every route of the app, asked by nobody, by every role, and by roles of elsewhere. Made from the app's own routes.

A route without a rule fails here, and so does one that nobody has said how to ask.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import Mount, Route

from pingji.dashboard.access import Rule, Ruled
from pingji.dashboard.app import create_app
from pingji.dashboard.guard import OPEN_FOLDERS, OPEN_PATHS, PAGES
from pingji.data import schema
from pingji.data.engine import open_engine
from pingji.ops.access import PERMISSIONS, Grant, Permission, Role
from pingji.settings import Settings
from tests import world
from tests.app.callers import Client

# Routes that are not ours, or carry nothing: the guard lets only callers through to them.
BEHIND_THE_GUARD = {
    "/api/openapi.json",
    "/api/docs",
    "/api/{rest:path}",
    "/_dash-layout",
    "/_dash-dependencies",
    "/_dash-update-component",
    "/_reload-hash",
    "/",
    "{path:path}",
}
FILES = {"/static", "/assets", "/_dash-component-suites/{package_name}/{fingerprinted_path:path}", "/_favicon.ico"}
STREAM = "/api/v1/live"
# What even somebody with rights in another county is told: the map that everybody may see, and that it is an emergency.
TELLS_EVERYBODY = {
    "/api/v1/client",
    "/api/v1/layers/{name}",
    "/api/v1/search",
    "/api/v1/modes",
    "/api/v1/account",
    "/api/v1/me",
}
ELSEWHERE = ("220222", "22022", "2202211", "22", "2202", "220221999", "220221101001999", "", "%", "null")


class Ask(NamedTuple):
    method: str
    path: str
    rule: Rule


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    url = f"sqlite:///{tmp_path_factory.mktemp('matrix') / 'pingji.db'}"
    engine = open_engine(url)
    schema.upgrade(engine)
    world.filled(engine)
    engine.dispose()
    # The matrix asks faster than any person does; that there are limits is tested elsewhere.
    with Client(create_app(Settings(database_url=url, rate_limit=0)), url) as client:
        yield client


def routes(app: FastAPI) -> Iterator[tuple[Any, str, frozenset[str]]]:
    for found in iter_route_contexts(app.routes):
        route = getattr(found, "original_route", found)
        path = str(getattr(found, "path", None) or getattr(route, "path", ""))
        yield route, path, frozenset(getattr(found, "methods", None) or getattr(route, "methods", None) or ())


@pytest.fixture(scope="module")
def ruled(served: Client) -> list[Ask]:
    app = served.app
    assert isinstance(app, FastAPI)
    return [Ask(m, path, r.rule) for r, path, methods in routes(app) if isinstance(r, Ruled) for m in sorted(methods)]


def test_every_route_has_a_rule(served: Client) -> None:
    app = served.app
    assert isinstance(app, FastAPI)
    bare = {
        path
        for route, path, _ in routes(app)
        if isinstance(route, APIRoute | Route | Mount) and not isinstance(route, Ruled)
    }
    assert bare - BEHIND_THE_GUARD - FILES == set()


def test_a_route_without_a_rule_does_not_start() -> None:
    from pingji.dashboard.access import MissingRule, Routes

    routes = Routes()
    with pytest.raises(MissingRule):
        routes.get("/secrets")(lambda: {})


def test_what_is_open_to_everybody_is_what_we_think(ruled: list[Ask]) -> None:
    public = {ask.path for ask in ruled if ask.rule.public}
    assert all(path in OPEN_PATHS or path.startswith(OPEN_FOLDERS) for path in public), public
    assert {path for path in public if not path.startswith("/sign-")} == {"/healthz", "/readyz"}


def filled(path: str) -> str:
    """A path with something in its places."""
    examples = {"name": "households", "code": "T1", "id": "x", "post": "x", "centre": "x"}
    return re.sub(r"\{(\w+)(:path)?\}", lambda m: examples[m[1]], path)


def ask(client: Client, method: str, path: str, headers: dict[str, str] | None) -> Any:
    kwargs: dict[str, Any] = {"headers": headers or {}}
    if method in ("POST", "PUT", "PATCH"):
        kwargs["json"] = {}
    return client.request(method, filled(path), **kwargs)


def test_nobody_gets_past_the_guard(served: Client, ruled: list[Ask]) -> None:
    for method, path, rule in ruled:
        if rule.public:
            continue
        answer = ask(served, method, path, None)
        assert (answer.status_code, answer.json()["type"]) == (401, "/problems/sign_in_needed"), (method, path)
        wrong = ask(served, method, path, {"authorization": "Bearer wrong"})
        assert wrong.status_code == 401, (method, path)


@pytest.mark.parametrize(
    "page", [*PAGES, "/_dash-layout", "/_dash-dependencies", "/api/docs", "/api/openapi.json", "/x"]
)
def test_nobody_sees_a_screen(served: Client, page: str) -> None:
    assert served.get(page).status_code == 401
    browser = served.get(page, headers={"accept": "text/html"})
    assert browser.status_code == 303
    assert browser.headers["location"].startswith("/sign-in?next=%2F")


@pytest.mark.parametrize("role", list(Role))
def test_a_role_reaches_what_it_may_and_nothing_else(served: Client, ruled: list[Ask], role: Role) -> None:
    headers = served.bearer(f"only-{role}", Grant(role, world.COUNTY))
    for method, path, rule in ruled:
        if rule.public:
            continue
        may = not rule.permissions or bool(rule.permissions & PERMISSIONS[role])
        if path == STREAM and may:
            continue  # it never ends; its views are tested by themselves
        answer = ask(served, method, path, headers)
        refused = answer.status_code == 403 and answer.json()["type"] == "/problems/not_permitted"
        assert answer.status_code != 401, (role, method, path)
        assert answer.status_code < 500, (role, method, path, answer.text)
        if not may:
            assert refused, (role, method, path, answer.status_code)
        elif path != "/api/v1/grids/sets/{id}/steps":  # two permissions; which one, the step says
            assert not refused, (role, method, path, answer.text)


@pytest.mark.parametrize("role", list(Role))
def test_a_role_reaches_its_screens(served: Client, role: Role) -> None:
    headers = served.bearer(f"only-{role}", Grant(role, world.COUNTY)) | {"accept": "text/html"}
    for page, permissions in PAGES.items():
        answer = served.get(page, headers=headers)
        may = not permissions or bool(set(permissions) & PERMISSIONS[role])
        assert answer.status_code == (200 if may else 303 if page == "/" else 403), (role, page)


@pytest.mark.parametrize("scope", ELSEWHERE)
def test_rights_elsewhere_are_no_rights_here(served: Client, ruled: list[Ask], scope: str) -> None:
    """Every role at once, in a scope that is not of this county: no name, no code, no count of it comes out."""
    headers = served.bearer(f"from-{scope or 'nowhere'}", *(Grant(role, scope) for role in Role))
    telling = re.compile(
        rf"{world.C1}|{world.C3}|{world.NEAR}|{world.FAR}|Zone Z|Place [TS]|Wang|Li \d|13812345678|1390000"
    )
    asked = [(a.method, filled(a.path)) for a in ruled if a.path not in TELLS_EVERYBODY and a.path != STREAM]
    asked = [(m, p) for m, p in asked if not p.startswith(("/sign-", "/api/v1/audit", "/healthz", "/readyz"))]
    questions = [
        ("GET", f"/api/v1/balance?scope={world.C1}"),
        ("GET", "/api/v1/balance?scope=Z1"),
        ("GET", f"/api/v1/people?household={world.households_in('Z1')[1]}"),
        ("GET", f"/api/v1/grids/communities/{world.C1}"),
        ("GET", f"/api/v1/grids/at?community={world.C1}"),
        ("GET", f"/api/v1/grids/of?household={world.households_in('Z1')[1]}"),
        ("GET", "/api/v1/grids/of?lonlat=126.05,43.05"),
        ("GET", f"/api/v1/grids/lineage?code={world.C1}001"),
        ("GET", f"/api/v1/grids/history?community={world.C1}"),
        ("GET", f"/api/v1/grids/export?format=geojson&community={world.C1}"),
        ("GET", "/api/v1/layers/households/export?format=geojson"),
        ("GET", "/api/v1/layers/households?bbox=125,42,128,44&zoom=18"),
        ("GET", "/api/v1/layers/party_households?bbox=125,42,128,44&zoom=18"),
        ("GET", "/api/v1/search?q=Wang"),
    ]
    for method, path in asked + questions:
        answer = ask(served, method, path, headers)
        assert answer.status_code < 500, (scope, method, path, answer.text)
        sent = path + str(answer.request.url)
        leaks = {hit for hit in telling.findall(answer.text) if hit not in sent}
        assert not leaks, (scope, method, path, leaks)
    status = served.post("/api/v1/places/T1/status", json={"status": "open"}, headers=headers)
    assert (status.status_code, status.json()["type"]) == (403, "/problems/outside_your_area")
    names = {"layer": "households", "codes": world.households_in("Z1")[:1], "purpose": "contact"}
    assert served.post("/api/v1/names", json=names, headers=headers).status_code == 403
    press = {"press_id": f"p-{scope}", "scope": world.COUNTY, "to": "standby", "reason": "x"}
    assert served.post("/api/v1/modes", json=press, headers=headers).status_code == 403


def test_every_permission_is_asked_for_somewhere(ruled: list[Ask]) -> None:
    asked = set().union(*(a.rule.permissions for a in ruled)) | {p for ps in PAGES.values() for p in ps}
    # Asked for inside a route, beside the right to the route itself.
    inside = {Permission.REVIEW_GRIDS, Permission.EXPORT_PERSONAL, Permission.SEE_CONTACTS}
    assert set(Permission) - asked - inside == set()

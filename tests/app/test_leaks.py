"""A seeded person for every personal column: who is shown which, on every route, by every role, here and next door.

What may be seen in full is the short table below; everything else is a leak.
"""

import asyncio
import io
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import openpyxl
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from pingji.dashboard.app import create_app
from pingji.dashboard.context import Context
from pingji.dashboard.live import Hub
from pingji.dashboard.views import view_of
from pingji.data import schema
from pingji.data.engine import open_engine, reading
from pingji.data.tables import audit, journal
from pingji.data.writer import Writer
from pingji.layers.catalog import LAYERS, by_name
from pingji.logs import Lines
from pingji.ops.access import PERMISSIONS, Caller, Grant, Permission, Role
from pingji.settings import Settings
from tests.app import canary
from tests.app.callers import Client
from tests.app.canary import FAR, HOME, HOME_FAR, OWN, Canary, Found
from tests.app.phone import press, say, send
from tests.app.test_access_matrix import filled, routes
from tests.world import C1, C2, COUNTY

API = "/api/v1"
P = Permission
ROLES = (*Role, "all")  # one role alone, and all of them at once
GRID_PEOPLE = r"grids\.(\w+\.)?(leader|deputy)"


class May(NamedTuple):
    """What may be shown in full: on which routes, to whoever has one of the permissions, of which columns."""

    routes: str
    permissions: frozenset[Permission]
    columns: str


def may(routes: str, columns: str, *permissions: Permission) -> May:
    return May(routes, frozenset(permissions), columns)


MAY = (
    # For a purpose, and in the audit.
    may(r"POST /names", r"(households|institutions|person|posts|shelters|grids|\w+)\.(?!.*id_number)\w+", P.SEE_NAMES),
    may(r"GET /layers/\w+/export\?.*personal=true", r"(?!person|account|org_)\w+(\.\w+)+", P.EXPORT_PERSONAL),
    # Whom to call at a place that is filling up: phones of duty, for who may see names.
    may(r"GET /places$|LIVE", r"(transfer_points|shelters)\.(contact|phone)", P.SEE_CONTACTS),
    # Who leads a grid is on a board in the street. Phones never.
    may(r"(GET|POST) /grids/(?!export)", GRID_PEOPLE, P.SEE_GRIDS),
    may(r"GET /grids/export", GRID_PEOPLE, P.SEE_GRIDS),
    may(r"GET /accounts$", r"account\.(login|name)", P.MANAGE_ACCOUNTS),
)


@dataclass
class Seeded:
    """The served county, its markers, and who asks."""

    client: Client
    canary: Canary
    seen: set[tuple[int, str]]  # lines of the table that were used, and by which role

    def bearer(self, role: Role | str, *scopes: str) -> dict[str, str]:
        roles = list(Role) if role == "all" else [Role(role)]
        grants = [Grant(one, scope) for one in roles for scope in scopes]
        return self.client.bearer(f"{role}-{'-'.join(scopes)}", *grants)

    def leaks(self, what: str, answer: Any, role: Role | str, side: str | None) -> set[tuple[str, Found]]:
        """What of an answer the table does not say; `side` is what the caller answers for."""
        content = answer if isinstance(answer, bytes) else answer.content
        own = frozenset(P) if role == "all" else PERMISSIONS[Role(role)]
        headers = "" if isinstance(answer, bytes) else str(answer.headers)
        leaked = set()
        for found in self.canary.found_in(content) | self.canary.found_in(headers):
            lines = [n for n, line in enumerate(MAY) if _covers(line, what, found, own)]
            if not lines or side not in ("all", found.side):
                leaked.add((what, found))
            self.seen.update((n, str(role)) for n in lines)
        return leaked


def _covers(line: May, what: str, found: Found, own: frozenset[Permission]) -> bool:
    fits = re.match(line.routes, what) and re.fullmatch(line.columns, found.column)
    return bool(fits and line.permissions & own)


class Heard(logging.Handler):
    """Every line as it would be written, in both formats."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self._formats = (Lines("json"), Lines("text"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += [one.format(record) for one in self._formats]


@pytest.fixture(scope="module")
def heard() -> Iterator[Heard]:
    handler, root = Heard(), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    root.setLevel(before)


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory, heard: Heard) -> Iterator[Seeded]:
    url = f"sqlite:///{tmp_path_factory.mktemp('canary') / 'pingji.db'}"
    engine = open_engine(url)
    schema.upgrade(engine)
    markers = canary.filled(engine)
    engine.dispose()
    with Client(create_app(Settings(database_url=url, rate_limit=0, slow_query_ms=1)), url) as client:
        tester = client.bearer()
        client.headers.update(tester)
        assert press(client).status_code == 200
        note = markers.marker("movement.note")
        send(client, say("arrive", person=f"{HOME}-1", place="T1", note=note), say("notify", household=HOME_FAR))
        del client.headers["authorization"]
        yield Seeded(client, markers, set())


def questions(app: FastAPI, markers: Canary) -> list[str]:
    """Every GET of the app, filled in, and what else can be asked of some."""
    asked = {
        filled(path)
        for _, path, methods in routes(app)
        if "GET" in methods and not path.startswith(("{", "/_dash-component", "/api/{")) and path != f"{API}/live"
    }
    asked |= {"/", "/grids", "/wall", "/shelters", "/organisation", "/accounts", "/audit", "/health", "/account"}
    box = "bbox=125,42,128,44&zoom=18"
    for layer in LAYERS:
        asked |= {f"{API}/layers/{layer.name}?{box}{more}" for more in ("", "&audience=wall")}
        asked |= {f"{API}/layers/{layer.name}/export?format=geojson{more}" for more in ("", _PERSONAL)}
    for form in ("csv", "xlsx", "gpkg"):
        asked |= {f"{API}/layers/households/export?format={form}{more}" for more in ("", _PERSONAL)}
    for form in ("gpkg", "shp", "geojson", "xlsx"):
        asked |= {f"{API}/grids/export?format={form}{more}" for more in ("", f"&community={C1}")}
    asked |= {f"{API}/search?q={markers.marker(column)}" for column in _SEARCHED}
    asked |= {f"{API}/people?household={home}" for home in (HOME, HOME_FAR, "INS1")}
    asked |= {f"{API}/grids/{one}" for one in _GRIDS}
    asked |= {f"{API}/organisation/{one}" for one in _ORGANISATION}
    return sorted(asked)


_SEARCHED = ("households.name", "party_households.name", "person.name", "grids.leader", "shelters.contact")
_PERSONAL = "&personal=true&purpose=drill"
_GRIDS = (
    f"communities/{C1}",
    f"communities/{C1}?set=open",
    "sets/open",
    "sets/open/difference",
    "sets/open/conflict",
    f"history?community={C1}",
    f"at?community={C1}",
    f"at?community={C1}&date=2023-11-14",
    "of?lonlat=126.05,43.05",
    f"of?household={HOME}",
    f"of?household={HOME_FAR}",
    f"lineage?code={C1}001",
)
_ORGANISATION = (
    *(f"units/{code}" for code in (COUNTY, "220221101", C1, f"{C1}R1", f"{C1}001", f"{C1}001B0001", "220221D001")),
    *(f"{what}?scope={C1}" for what in ("chains", "completeness", "vacancies", "overloaded", "gaps", "calls")),
    *(f"sponsors?scope={C1}&grid={C1}001", "sponsors/P1", "sponsors/P2", f"export?scope={C1}"),
    *(f"map?figure={figure}" for figure in ("completeness", "vacancies", "overloaded", "coverage")),
)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("side", ["all", OWN, None])
def test_who_is_shown_whom(seeded: Seeded, role: Role | str, side: str | None) -> None:
    if side is None and role != "all":
        pytest.skip("who may do everything elsewhere may do more there than any one role")
    scope = {"all": COUNTY, OWN: C1, None: "220222"}[side]
    headers = seeded.bearer(role, scope)
    app = seeded.client.app
    assert isinstance(app, FastAPI)
    leaked = set()
    for path in questions(app, seeded.canary):
        answer = seeded.client.get(path, headers=headers)
        assert answer.status_code < 500, (role, path, answer.text)
        leaked |= seeded.leaks(f"GET {path.removeprefix(API)}", answer, role, side)
    assert leaked == set()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("side", ["all", OWN])
def test_names_are_shown_to_who_may_see_them(seeded: Seeded, role: Role | str, side: str) -> None:
    headers = seeded.bearer(role, COUNTY if side == "all" else C1)
    codes = {"households": (HOME, HOME_FAR), "institutions": ("INS1", "INS2"), "shelters": ("S1", "S3")}
    codes |= {"grids": (f"{C1}002", "220273100201001"), "party_households": ("P1", "P2")}
    codes |= {"posts": ("Q-own", "Q-far"), "danger_zones": ("Z1", "Z3")}
    named = role == "all" or P.SEE_NAMES in PERMISSIONS[Role(role)]
    for layer, both in codes.items():
        assert any(field.kind in ("person", "phone") for field in by_name(layer).fields), layer
        for code, where in zip(both, (OWN, FAR), strict=True):
            asked = {"layer": layer, "codes": [code], "purpose": "verify"}
            answer = seeded.client.post(f"{API}/names", json=asked, headers=headers)
            assert not seeded.leaks("POST /names", answer, role, side)
            shown = bool(seeded.canary.found_in(answer.content))
            assert shown == (answer.status_code == 200) == (named and side in ("all", where)), (role, layer, code)


@pytest.mark.parametrize("role", [Role.GIS_EDITOR, Role.ADMINISTRATOR, Role.COMMUNITY_STAFF, "all"])
def test_answers_to_what_was_changed(seeded: Seeded, role: Role | str) -> None:
    """Also who changes something is shown no more than who looks."""
    headers = seeded.bearer(role, COUNTY)
    set_id = f"of-{role}"
    begun = {"name": "n", "reason": "correction", "communities": [C1], "id": set_id}
    edit = {
        "edit_id": "e",
        "community": C1,
        "intent": {"kind": "describe", "code": f"{C1}002", "values": {"name": "x"}},
    }
    posts = [
        ("POST", "/grids/sets", begun),
        ("POST", f"/grids/sets/{set_id}/preview", {"community": C1, "intent": edit["intent"]}),
        ("POST", f"/grids/sets/{set_id}/edits", {**edit, "revision": 1}),
        ("POST", f"/grids/sets/{set_id}/undo", {"revision": 2, "community": C1}),
        ("POST", "/grids/sets/open/rebase", {"revision": 2}),
        ("PUT", f"/organisation/posts/{C1}001:grid_secretary:1", {"holder": "New", "deputy": ""}),
        ("POST", f"/organisation/calls/{C1}:first_secretary:1/answer", {}),
        ("POST", "/modes", {"press_id": f"x-{role}", "scope": COUNTY, "to": "emergency", "level": 1, "reason": "r"}),
        ("POST", "/modes/recall", {"press_id": f"x-{role}"}),
        ("POST", "/places/T1/status", {"status": "diverting"}),
        ("POST", "/movements", {"movements": [say("arrive", person=f"{HOME}-2", place="T1")]}),
    ]
    answered, leaked = 0, set()
    for method, path, body in posts:
        answer = seeded.client.request(method, f"{API}{path}", json=body, headers=headers)
        assert answer.status_code < 500, (path, answer.text)
        answered += answer.status_code == 200
        leaked |= seeded.leaks(f"{method} {path}", answer, role, "all")
    assert leaked == set()
    assert answered >= 2, role


def test_a_preview_of_a_workbook_names_nobody_who_is_there(seeded: Seeded) -> None:
    headers = seeded.bearer(Role.ADMINISTRATOR, COUNTY)
    exported = seeded.client.get(f"{API}/organisation/export", headers=headers)
    book = openpyxl.load_workbook(io.BytesIO(exported.content))
    sheet = book.worksheets[0]
    changed = 0
    for row in sheet.iter_rows():
        for cell in row:
            if isinstance(cell.value, str) and "*" in cell.value:
                cell.value, changed = "13900000000" if cell.value[0].isdigit() else "Somebody", changed + 1
    assert changed
    out = io.BytesIO()
    book.save(out)
    url = f"{API}/organisation/import/preview?filename=o.xlsx"
    preview = seeded.client.post(url, content=out.getvalue(), headers=headers)
    assert preview.status_code == 200, preview.text
    assert preview.json()["changes"], preview.text
    assert not seeded.canary.found_in(preview.content)


def test_the_stream_shows_no_more_than_the_routes(seeded: Seeded) -> None:
    engine = seeded.client.engine
    leaked: set[tuple[str, Found]] = set()

    async def journey() -> None:
        writer = Writer(engine, on_commit=lambda: None)
        context = Context(Settings(), engine, writer)
        hub = Hub(context)
        writer.start()
        await hub.start()
        try:
            for role in ROLES:
                for side, scope in (("all", COUNTY), (OWN, C1), (None, "220222")):
                    every = tuple(Role) if role == "all" else (Role(role),)
                    caller = Caller("1", "n", tuple(Grant(one, scope) for one in every), "session")
                    for audience in ("staff", "wall"):
                        view = view_of(context, caller, audience)  # type: ignore[arg-type]
                        stream = hub.messages(view)
                        message = await anext(stream)
                        await stream.aclose()  # type: ignore[attr-defined]
                        assert b'"mode"' in message
                        leaked.update(seeded.leaks("LIVE" if audience == "staff" else "WALL", message, role, side))
        finally:
            await hub.stop()
            await asyncio.to_thread(writer.stop)

    asyncio.run(journey())
    assert leaked == set()


def odd(marker: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Requests that carry a marker where none belongs."""
    return [
        *[("GET", f"{API}{path}", {}) for path in (f"/{marker}", f"/layers/{marker}", f"/grids/sets/{marker}")],
        *[("GET", f"{API}/organisation/{one}/{marker}", {}) for one in ("units", "sponsors")],
        ("GET", f"/{marker}", {}),
        ("GET", f"/static/{marker}", {}),
        ("GET", f"/assets/{marker}.js", {}),
        ("GET", f"/_dash-component-suites/{marker}/x.js", {}),
        *[("GET", f"{API}/{one}={marker}", {}) for one in ("balance?scope", "layers/grids?bbox", "people?household")],
        *[("GET", f"{API}/{one}={marker}", {}) for one in ("grids/of?lonlat", "journal?limit", "me?x")],
        ("GET", f"{API}/me", {"headers": {"x-request-id": marker, "user-agent": marker, "referer": marker}}),
        ("GET", f"{API}/me", {"headers": {"x-actor": marker, "x-forwarded-for": marker, "cookie": f"a={marker}"}}),
        ("GET", f"{API}/me", {"headers": {"authorization": f"Bearer {marker}"}}),
        ("GET", f"{API}/balance", {"headers": {"accept-language": marker, "accept": marker, "origin": marker}}),
        ("POST", f"{API}/places/{marker}/status", {"json": {"status": "open"}}),
        ("POST", f"{API}/organisation/calls/{marker}/answer", {"json": {}}),
        ("DELETE", f"{API}/accounts/tokens/{marker}", {}),
        ("PATCH", f"{API}/accounts/{marker}", {"json": {"disabled": True}}),
        ("POST", f"{API}/names", {"json": {"layer": "households", "codes": [marker], "purpose": "other"}}),
        ("POST", f"{API}/modes", {"content": f'{{"press_id": "{marker}'.encode()}),
        ("POST", f"{API}/modes", {"json": {"press_id": "p9", "scope": marker, "to": "standby", "reason": ""}}),
        ("POST", f"{API}/modes", {"json": {"press_id": "p9", "scope": COUNTY, "to": marker, "level": marker}}),
        ("POST", f"{API}/movements", {"json": {"movements": [{"id": marker, "kind": marker, "person": marker}]}}),
        ("POST", f"{API}/movements", {"json": {"movements": [say("arrive", person=f"{marker}-1", place=marker)]}}),
        ("POST", "/_dash-update-component", {"json": {"output": marker, "inputs": [{"id": marker, "value": marker}]}}),
        ("PUT", f"{API}/organisation/posts/x", {"json": {"holder": marker, "holder_phone": f"x{marker}"}}),
        ("POST", f"{API}/grids/import?filename={marker}.gpkg", {"content": marker.encode()}),
        ("POST", f"{API}/organisation/import/preview?filename={marker}.xlsx", {"content": marker.encode()}),
        ("POST", "/sign-in", {"data": {"login": marker, "password": marker}}),
    ]


@pytest.mark.parametrize("column", ["person.name", "person.phone", "person.id_number"])
@pytest.mark.parametrize("role", [Role.COMMUNITY_STAFF, "all"])
def test_what_is_sent_in_odd_places_is_kept_nowhere(seeded: Seeded, heard: Heard, column: str, role: str) -> None:
    marker = seeded.canary.marker(column)
    headers = seeded.bearer(role, COUNTY if role == "all" else C2)
    rows, lines = _kept(seeded, after=-1)[1], len(heard.lines)
    for method, path, more in odd(marker):
        sent = {**more, "headers": {**headers, **more.get("headers", {})}}
        answer = seeded.client.request(method, path, **sent)
        allowed = 500 if path == "/_dash-update-component" else 499  # Dash's own answer to what no page of ours sends
        assert answer.status_code <= allowed, (method, path, answer.text)
        echo = seeded.canary.found_in(answer.content) | seeded.canary.found_in(str(answer.headers))
        if marker in path:  # an address comes back to whoever asked for it, in an error that names it
            assert echo <= {Found(column, OWN)}, (method, path)
        elif "headers" in more:
            assert not echo, (method, path, more)
        else:
            assert echo <= {Found(column, OWN)}, (method, path)
    text, _ = _kept(seeded, after=rows)
    assert not seeded.canary.found_in(text), [one for one in text.split("}, {") if marker in one]
    assert len(heard.lines) > lines
    assert not seeded.canary.found_in("\n".join(heard.lines[lines:])), "in a log line"


def _kept(seeded: Seeded, after: int) -> tuple[str, int]:
    """What audit and journal hold, without whom they name as actors; and the last entry of the audit."""
    with reading(seeded.client.engine) as conn:
        entries = [dict(row) for row in conn.execute(select(audit).where(audit.c.seq > after)).mappings()]
        decided = [dict(row) for row in conn.execute(select(journal)).mappings()]
    return json.dumps([entries, decided], default=str), max((int(one["seq"]) for one in entries), default=after)


def test_what_was_written_down_names_nobody(seeded: Seeded, heard: Heard) -> None:
    """After all of the above; last in this module."""
    with reading(seeded.client.engine) as conn:
        seen = conn.execute(select(audit).where(audit.c.action == "names_seen")).all()
    assert seen
    assert all(set(one.detail) == {"layer", "codes", "people", "note"} for one in seen)
    text, _ = _kept(seeded, after=-1)
    assert not seeded.canary.found_in(text)
    assert len(heard.lines) > 1000
    assert any("slow query" in line for line in heard.lines)
    assert not seeded.canary.found_in("\n".join(heard.lines))


def test_the_table_says_no_more_than_is_needed(seeded: Seeded) -> None:
    """Each line of the table was used: what nobody is shown need not be allowed."""
    assert {n for n, _ in seeded.seen} == set(range(len(MAY)))

"""Whoever answers for a part of the county is answered for that part: no neighbour by list, code, id or stream."""

import asyncio
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, select

from pingji.dashboard import guard, live
from pingji.dashboard.context import Context
from pingji.dashboard.guard import Known
from pingji.dashboard.live import Hub
from pingji.dashboard.views import view_of
from pingji.data import schema
from pingji.data.areas import PLACING, area_of, holds_row, lies_in
from pingji.data.engine import open_engine, reading
from pingji.data.features import table_of
from pingji.data.writer import Writer
from pingji.ops.access import Area, Caller, Grant, Role
from pingji.settings import Settings
from tests import world
from tests.app.callers import Client
from tests.app.phone import assert_problem, press, say, send
from tests.world import C1, C2, C3, C4, COUNTY, FAR, NEAR, households_in, people_in

API = "/api/v1"
OWN, FOREIGN = households_in("Z1")[1], households_in("Z2")[1]


@pytest.fixture
def counting(client: Client) -> Client:
    """An emergency of the whole county is open."""
    assert press(client).status_code == 200
    return client


def staff(client: Client, *scopes: str, role: Role = Role.COMMUNITY_STAFF) -> dict[str, str]:
    return client.bearer(f"{role}-{'-'.join(scopes)}", *(Grant(role, scope) for scope in scopes))


def test_a_township_whose_code_begins_otherwise_is_the_countys(engine: Engine) -> None:
    world.filled(engine)
    with reading(engine) as conn:
        assert area_of(conn, COUNTY, {COUNTY}).whole
        assert area_of(conn, COUNTY, {FAR}) == Area(townships=frozenset({FAR}), communities=frozenset({C3, C4}))
        assert area_of(conn, COUNTY, {C1}) == Area(communities=frozenset({C1}))
        for nothing in ("22022", "2202", "220222", "220221", "220221101001999", ""):
            found = area_of(conn, "220229", {nothing})
            assert found == Area(), nothing
        for prefix in ("22022", "2202211", "22022110100", ""):
            assert area_of(conn, COUNTY, {prefix}).nothing, prefix


def test_rows_of_an_area_are_the_same_by_sql_and_by_hand(engine: Engine) -> None:
    world.filled(engine)
    scopes = ({C1}, {NEAR}, {FAR, C1}, {f"{C1}001"}, {"T1"}, {"S3"}, {"nowhere"})
    with reading(engine) as conn:
        for named in scopes:
            inside = area_of(conn, COUNTY, named)
            for layer in ("communities", "grids", "households", "institutions", "danger_zones", "shelters"):
                table = table_of(layer)
                found = set(conn.scalars(select(table.c.code).where(lies_in(table, inside))))
                columns = [table.c[name] for name in PLACING if name in table.c]
                rows = [dict(row._mapping) for row in conn.execute(select(*columns))]
                by_hand = {row["code"] for row in rows if holds_row(layer, row, inside)}
                assert found == by_hand, (named, layer)
        homes = table_of("households")
        sent_there = conn.scalars(select(homes.c.code).where(lies_in(homes, area_of(conn, COUNTY, {"T1"})))).all()
    assert sorted(sent_there) == sorted(households_in("Z1"))


def test_figures_of_others_are_refused_whether_there_or_not(counting: Client) -> None:
    mine = staff(counting, C1)
    for scope in (C1, "Z1", f"{C1}001"):
        assert counting.get(f"{API}/balance", params={"scope": scope}, headers=mine).status_code == 200
    for scope in (COUNTY, NEAR, C2, C3, "Z2", f"{C2}001", "nothing", "220221101", "%"):
        answer = counting.get(f"{API}/balance", params={"scope": scope}, headers=mine)
        assert_problem(answer, 403, "outside_your_area")
    assert_problem(counting.get(f"{API}/balance", headers=mine), 403, "outside_your_area")
    township = staff(counting, FAR)
    assert counting.get(f"{API}/balance", params={"scope": C4}, headers=township).status_code == 200
    assert_problem(counting.get(f"{API}/balance", params={"scope": NEAR}, headers=township), 403)


def test_lists_hold_the_own_part_only(counting: Client) -> None:
    mine = staff(counting, C1)
    assert {p["code"] for p in counting.get(f"{API}/places", headers=mine).json()} == {"T1", "S1"}
    assert {s["code"] for s in counting.get(f"{API}/scopes", headers=mine).json()} == {C1}
    far = staff(counting, FAR, role=Role.LEADER)
    assert {s["code"] for s in counting.get(f"{API}/scopes", headers=far).json()} == {FAR, C3, C4}
    assert {c["code"] for c in counting.get(f"{API}/grids/communities", headers=far).json()} == {C3, C4}
    desk = staff(counting, "S3", role=Role.SHELTER_DESK)
    assert {p["code"] for p in counting.get(f"{API}/places", headers=desk).json()} == {"S3"}
    caller = counting.get(f"{API}/client", headers=mine).json()["caller"]
    assert (caller["home"]["code"], caller["whole"]) == (C1, False)


def features(client: Client, layer: str, headers: dict[str, str]) -> dict[str, dict[str, Any]]:
    answer = client.get(f"{API}/layers/{layer}", params={"bbox": "125,42,128,44", "zoom": 18}, headers=headers)
    assert answer.status_code == 200, answer.text
    return {f["id"]: f["properties"] for f in answer.json()["features"]}


def test_the_map_outside_is_what_everybody_sees(client: Client) -> None:
    mine = staff(client, C1)
    homes = features(client, "households", mine)
    assert homes
    assert {one["community"] for one in homes.values()} == {C1}
    places = features(client, "transfer_points", mine)
    assert places["T1"]["phone"] == "139****1111"
    assert set(places) == {"T1", "T2", "T3", "T4"}
    assert "phone" not in places["T2"]
    assert "contact" not in places["T2"]
    zones = features(client, "danger_zones", mine)
    assert isinstance(zones["Z1"]["resident_count"], int)
    assert not isinstance(zones["Z2"]["resident_count"], int)  # a class, as a wall has it
    desk = features(client, "households", staff(client, "T2", role=Role.FIELD))
    assert set(desk) == set(households_in("Z2"))


def test_people_and_names_of_others_by_no_id(client: Client) -> None:
    mine = staff(client, C1)
    assert client.get(f"{API}/people", params={"household": OWN}, headers=mine).json()
    for households in ([FOREIGN], [OWN, FOREIGN], ["nobody"], [""]):
        answer = client.get(f"{API}/people", params={"household": households}, headers=mine)
        assert_problem(answer, 403, "outside_your_area")
    asked = {"layer": "households", "purpose": "contact"}
    shown = client.post(f"{API}/names", json={**asked, "codes": [OWN]}, headers=mine)
    assert shown.json()["features"] == [{"code": OWN, "fields": {"name": "Wang 1", "phone": "13812345678"} | _rest()}]
    for codes in ([FOREIGN], [OWN, FOREIGN], ["nobody"]):
        assert_problem(client.post(f"{API}/names", json={**asked, "codes": codes}, headers=mine), 403)


def _rest() -> dict[str, str]:
    return dict.fromkeys(("escort", "escort_phone", "escort_deputy", "escort_deputy_phone"), "")


def test_nobody_counts_elsewhere(counting: Client) -> None:
    mine = staff(counting, C1)
    person, stranger = people_in(OWN)[0], people_in(FOREIGN)[0]
    cases = [
        (say("count", place="T1", count=2), True),
        (say("arrive", place="T1", person=stranger), True),  # whoever comes to my door is counted there
        (say("arrive", place="T1", person="visitor:a"), True),
        (say("notify", household=OWN), True),
        (say("refuse", person=person), True),
        (say("count", place="T2", count=2), False),
        (say("arrive", place="T2", person=person), False),
        (say("notify", household=FOREIGN), False),
        (say("unlocated", person=stranger), False),
        (say("disperse", person="visitor:a"), False),  # at no place: nobody's in particular
        (say("notify", household="nobody"), False),
    ]
    answer = counting.post(f"{API}/movements", json={"movements": [m for m, _ in cases]}, headers=mine).json()
    assert answer["accepted"] == [m["id"] for m, right in cases if right]
    assert {r["id"]: r["reason"] for r in answer["refused"]} == {
        m["id"]: "outside_area" for m, right in cases if not right
    }


def test_nobody_takes_back_what_was_counted_elsewhere(counting: Client) -> None:
    theirs = say("count", place="T2", count=5)
    about = say("notify", household=FOREIGN)
    own = say("count", place="T1", count=5)
    send(counting, theirs, about, own)
    corrections = [say("correct", supersedes=one["id"]) for one in (theirs, about, own)]
    answer = counting.post(f"{API}/movements", json={"movements": corrections}, headers=staff(counting, C1)).json()
    assert answer["accepted"] == [corrections[2]["id"]]
    assert [r["reason"] for r in answer["refused"]] == ["outside_area", "outside_area"]


def test_nobody_decides_elsewhere(counting: Client) -> None:
    mine = staff(counting, C1)
    state = {"status": "diverting"}
    assert counting.post(f"{API}/places/T1/status", json=state, headers=mine).status_code == 200
    for place in ("T2", "S3", "nothing"):
        assert_problem(
            counting.post(f"{API}/places/{place}/status", json=state, headers=mine), 403, "outside_your_area"
        )
    near = staff(counting, NEAR, role=Role.COMMANDER)
    for scope in (COUNTY, FAR, C3, "Z3", "nothing"):
        body = {"press_id": f"n-{scope}", "scope": scope, "to": "standby", "reason": "x"}
        assert_problem(counting.post(f"{API}/modes", json=body, headers=near), 403, "outside_your_area")
    assert_problem(counting.post(f"{API}/modes/recall", json={"press_id": "p"}, headers=near), 403, "outside_your_area")


def test_the_journal_of_others_is_not_ours(counting: Client) -> None:
    for place in ("T1", "T2"):
        counting.post(f"{API}/places/{place}/status", json={"status": "diverting"})
    seen = counting.get(f"{API}/journal", headers=staff(counting, "T1", role=Role.COMMUNITY_STAFF)).json()
    assert {entry["scope"] for entry in seen} == {COUNTY, "T1"}


def test_change_sets_of_others_are_not_there(client: Client) -> None:
    said = {"name": "x", "reason": "correction", "communities": [C2], "id": "theirs"}
    assert client.post(f"{API}/grids/sets", json=said).status_code == 200
    editor = staff(client, C1, role=Role.GIS_EDITOR)
    assert client.get(f"{API}/grids/sets", headers=editor).json() == []
    step = {"revision": 1, "community": C2}
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {"revision": 1, "name": "mine"}),
        ("POST", "/undo", step),
        ("POST", "/redo", step),
        ("POST", "/rebase", {"revision": 1}),
        ("POST", "/steps", {"revision": 1, "step": "discard"}),
        ("GET", "/difference", None),
        ("GET", "/conflict", None),
        ("POST", "/preview", {"community": C2, "intent": {"kind": "repair"}}),
        ("POST", "/edits", {"revision": 1, "edit_id": "e", "community": C2, "intent": {"kind": "repair"}}),
    ):
        answer = client.request(method, f"{API}/grids/sets/theirs{path}", json=body, headers=editor)
        assert_problem(answer, 403, "outside_your_area")
    more = {"name": "y", "reason": "correction", "communities": [C1, C2]}
    assert_problem(client.post(f"{API}/grids/sets", json=more, headers=editor), 403, "outside_your_area")
    own = client.post(f"{API}/grids/sets", json={**more, "communities": [C1], "id": "mine"}, headers=editor)
    assert own.status_code == 200
    wider = client.patch(f"{API}/grids/sets/mine", json={"revision": 1, "communities": [C1, C2]}, headers=editor)
    assert_problem(wider, 403, "outside_your_area")


def test_drawing_and_publishing_are_two_rights(client: Client) -> None:
    said = {"name": "x", "reason": "correction", "communities": [C1], "id": "s"}
    editor, reviewer = staff(client, COUNTY, role=Role.GIS_EDITOR), staff(client, COUNTY, role=Role.GIS_REVIEWER)
    assert client.post(f"{API}/grids/sets", json=said, headers=reviewer).status_code == 403
    assert client.post(f"{API}/grids/sets", json=said, headers=editor).status_code == 200
    for who, step in ((editor, "publish"), (editor, "return"), (reviewer, "submit"), (reviewer, "discard")):
        answer = client.post(f"{API}/grids/sets/s/steps", json={"revision": 1, "step": step}, headers=who)
        assert_problem(answer, 403, "not_permitted")


@pytest.fixture
def store(store_url: str) -> Iterator[Engine]:
    engine = open_engine(store_url)
    schema.upgrade(engine)
    yield world.filled(engine)
    engine.dispose()


def test_the_stream_of_a_part_has_no_other_key(store: Engine) -> None:
    world.press(store, "emergency")

    async def journey() -> None:
        writer = Writer(store, on_commit=lambda: None)
        context = Context(Settings(), store, writer)
        hub = Hub(context)
        writer.start()
        await hub.start()
        try:
            for grants, sheets, places in (
                ((Grant(Role.COMMUNITY_STAFF, C1),), {C1, "Z1", f"{C1}001", f"{C1}002"}, {"T1", "S1"}),
                ((Grant(Role.LEADER, FAR),), {FAR, C3, "Z3", f"{C3}001", f"{C3}002"}, {"T3", "T4", "S3"}),
                ((Grant(Role.SHELTER_DESK, "S3"),), set(), {"S3"}),
                ((Grant(Role.LEADER, "220222"),), set(), set()),
            ):
                view = view_of(context, Caller("1", "n", grants, "session"), "staff")
                stream = hub.messages(view)
                values = orjson.loads((await anext(stream)).split(b"data: ")[1])["values"]
                await stream.aclose()  # type: ignore[attr-defined]
                seen = {key.split("/")[1] for key in values if key.startswith("sheet/")}
                assert seen == sheets, grants
                assert {key.split("/")[1] for key in values if key.startswith("place/")} == places, grants
                assert "arrivals" not in values
                assert "routine" not in values
                assert values["mode"]["mode"] == "emergency"
        finally:
            await hub.stop()
            await asyncio.to_thread(writer.stop)

    asyncio.run(journey())


def test_a_stream_ends_with_the_right_to_look(county_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token is revoked while the screen is open."""
    monkeypatch.setattr(live, "HEARTBEAT_S", 0.05)
    monkeypatch.setattr(guard, "FRESH_S", 0.05)
    engine = open_engine(county_url)

    async def journey() -> list[bytes]:
        writer = Writer(engine, on_commit=lambda: None)
        context = Context(Settings(), engine, writer)
        hub = Hub(context)
        writer.start()
        await hub.start()
        allowed = [True]

        async def still() -> Known:
            caller = Caller("1", "n", (Grant(Role.LEADER, COUNTY),), "session")
            return Known(caller if allowed[0] else None)

        try:
            caller = Caller("1", "n", (Grant(Role.LEADER, COUNTY),), "session")
            stream = hub.messages(view_of(context, caller, "staff"), still)
            received = [await anext(stream), await anext(stream)]
            allowed[0] = False
            async with asyncio.timeout(10):
                received += [message async for message in stream]
            return received
        finally:
            await hub.stop()
            await asyncio.to_thread(writer.stop)

    received = asyncio.run(journey())
    engine.dispose()
    assert b'"kind":"signed_out"' in received[-1]

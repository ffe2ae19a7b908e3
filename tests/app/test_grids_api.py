"""The grid workbench over HTTP: every route, what it refuses, and that nothing a browser sends is a server's error."""

import json
from typing import Any

import pytest
import shapely
from starlette.testclient import TestClient

from pingji.data import features
from pingji.data.engine import open_engine, writing
from tests import grid_county
from tests.app.conftest import Serve
from tests.app.phone import assert_problem
from tests.grid_county import GRIDS, HOME, NEXT, code, halves

Document = dict[str, Any]
GRIDS_API = "/api/v1/grids"
SPLIT: Document = {"kind": "split", "code": code(1), "line": halves(code(1))}
ANN = {"X-Actor": "Ann"}


@pytest.fixture
def workbench(serve: Serve, store_url: str) -> TestClient:
    engine = open_engine(store_url)
    grid_county.filled(engine)
    engine.dispose()
    return serve(store_url)


def begin(client: TestClient, id: str = "s1", **said: object) -> Document:
    body = {"id": id, "name": "A set", "reason": "correction", "communities": [HOME], **said}
    answer = client.post(f"{GRIDS_API}/sets", json=body, headers=ANN)
    assert answer.status_code == 200, answer.text
    found: Document = answer.json()
    return found


def edit(client: TestClient, revision: int, intent: Document, edit_id: str = "e1", **said: object) -> Any:
    body = {"revision": revision, "edit_id": edit_id, "community": HOME, "intent": intent, "actor": "Ann", **said}
    return client.post(f"{GRIDS_API}/sets/s1/edits", json=body)


def test_communities_to_choose_from(workbench: TestClient) -> None:
    home, neighbour = workbench.get(f"{GRIDS_API}/communities").json()
    assert set(home) == {"code", "name", "township", "township_name", "grids", "in_range", "households", "bounds"}
    assert (home["code"], home["grids"], neighbour["code"]) == (HOME, 6, NEXT)
    assert home["bounds"] == pytest.approx([126.5, 43.6, 126.52, 43.63])


def test_a_community_as_the_workbench_shows_it(workbench: TestClient) -> None:
    shown = workbench.get(f"{GRIDS_API}/communities/{HOME}").json()
    assert (shown["at"], shown["read_only"], shown["set"], shown["held"]) == (None, False, None, None)
    assert [f["id"] for f in shown["grids"]["features"]] == list(GRIDS)
    first = shown["grids"]["features"][0]
    assert shapely.equals_identical(shapely.geometry.shape(first["geometry"]), GRIDS[code(1)])
    said = first["properties"]
    assert (said["label"], said["name"], said["leader"], said["light"]) == ("001", "G001", "Wang", "few")
    assert (said["provisional"], said["changed"], said["revision"]) == (False, False, 1)
    assert {f["properties"]["community"] for f in shown["around"]["features"]} == {NEXT}
    grids = [f["properties"] for f in shown["grids"]["features"]]
    for name in ("households", "residents", "party_households"):
        assert shown["totals"][name] == sum(f[name] for f in grids)
    assert shown["totals"]["grids"] == 6
    assert shapely.geometry.shape(shown["community"]["outline"]).area == pytest.approx(6e-4)
    assert {p["kind"] for p in shown["problems"]} == {"too_few"}
    assert {p["severity"] for p in shown["problems"]} == {"warning"}
    assert len({p["id"] for p in shown["problems"]}) == len(shown["problems"])


def test_a_change_set_begins_once_and_its_words_can_change(workbench: TestClient) -> None:
    begun = begin(workbench)
    assert begin(workbench, name="Again") == begun
    assert (begun["author"], begun["status"], begun["revision"], begun["edits"]) == ("Ann", "draft", 1, [])
    assert begun["communities"] == [{"code": HOME, "name": f"C{HOME}"}]
    words = {"revision": 1, "name": "Better", "reason": "construction", "note": "new houses", "communities": [NEXT]}
    changed = workbench.patch(f"{GRIDS_API}/sets/s1", json=words).json()
    assert (changed["name"], changed["reason"], changed["note"], changed["revision"]) == (
        "Better",
        "construction",
        "new houses",
        2,
    )
    assert [c["code"] for c in changed["communities"]] == [HOME, NEXT]
    moved = workbench.patch(f"{GRIDS_API}/sets/s1", json=words)
    assert assert_problem(moved, 409, "set_moved")["params"] == {"revision": 2, "yours": 1}
    listed = workbench.get(f"{GRIDS_API}/sets", params={"status": "draft", "community": NEXT}).json()
    assert [(s["id"], "edits" in s) for s in listed] == [("s1", False)]
    assert workbench.get(f"{GRIDS_API}/sets", params={"status": "published"}).json() == []
    without_id = workbench.post(
        f"{GRIDS_API}/sets", json={"name": "x", "reason": "correction", "communities": [HOME], "actor": "Bob"}
    )
    assert without_id.json()["author"] == "Bob"
    assert len(workbench.get(f"{GRIDS_API}/sets").json()) == 2


def test_an_edit_answers_with_what_changed_and_the_same_edit_twice_is_one(workbench: TestClient) -> None:
    begin(workbench)
    looked = workbench.post(f"{GRIDS_API}/sets/s1/preview", json={"community": HOME, "intent": SPLIT}).json()
    done = edit(workbench, 1, SPLIT).json()
    again = edit(workbench, 1, SPLIT).json()  # the answer to the first one was lost
    assert (looked["saved"], done["saved"], again["saved"]) == (False, True, True)
    for name in ("changed", "removed", "totals", "problems", "gained_m2", "lost_m2"):
        assert looked[name] == done[name] == again[name], name
    assert looked["set"]["revision"] == 1
    assert done["set"] == again["set"]
    assert (done["set"]["revision"], done["set"]["position"], done["set"]["can_undo"]) == (2, 1, True)
    new = f"{HOME}n01"
    ids = {f["id"]: f["properties"] for f in done["changed"]["features"]}
    assert {code(1), new} <= set(ids)
    assert (ids[new]["label"], ids[new]["provisional"], ids[new]["changed"]) == ("新1", True, True)
    assert list(done["gained_m2"]) == [new]
    assert done["lost_m2"][code(1)] == pytest.approx(done["gained_m2"][new])
    (kept,) = done["set"]["edits"]
    assert kept["intent"] == SPLIT
    assert (kept["kind"], kept["actor"], kept["in_force"], kept["refusal"]) == ("split", "Ann", True, None)
    shown = workbench.get(f"{GRIDS_API}/communities/{HOME}", params={"set": "s1"}).json()
    assert shown["totals"] == done["totals"]
    assert new in {f["id"] for f in shown["grids"]["features"]}
    assert shown["set"]["revision"] == 2
    assert new not in {f["id"] for f in workbench.get(f"{GRIDS_API}/communities/{HOME}").json()["grids"]["features"]}


def test_undo_and_redo_go_back_and_forth(workbench: TestClient) -> None:
    begin(workbench)
    before = workbench.get(f"{GRIDS_API}/communities/{HOME}").json()
    after = edit(workbench, 1, SPLIT).json()
    new = f"{HOME}n01"
    undone = workbench.post(f"{GRIDS_API}/sets/s1/undo", json={"revision": 2, "community": HOME}, headers=ANN).json()
    assert undone["removed"] == [new]
    assert undone["totals"] == before["totals"]
    assert (undone["set"]["can_undo"], undone["set"]["can_redo"], undone["set"]["editors"]) == (False, True, [])
    whole = next(f for f in undone["changed"]["features"] if f["id"] == code(1))
    assert whole["geometry"] == before["grids"]["features"][0]["geometry"]
    assert whole["properties"]["changed"] is False
    body = {"revision": 3, "community": HOME, "actor": "Ann"}
    redone = workbench.post(f"{GRIDS_API}/sets/s1/redo", json=body).json()
    assert redone["changed"] == after["changed"]
    assert redone["gained_m2"] == after["gained_m2"] == undone["lost_m2"]
    nothing = workbench.post(f"{GRIDS_API}/sets/s1/redo", json=body | {"revision": 4})
    assert_problem(nothing, 409, "nothing_to_undo")


def test_two_browsers_on_one_draft(workbench: TestClient) -> None:
    begin(workbench)
    assert edit(workbench, 1, SPLIT, "mine").status_code == 200
    late = edit(workbench, 1, {"kind": "merge", "codes": [code(5), code(6)]}, "theirs", actor="Bob")
    assert assert_problem(late, 409, "set_moved")["params"]["revision"] == 2
    now = workbench.get(f"{GRIDS_API}/sets/s1").json()
    assert edit(workbench, now["revision"], {"kind": "merge", "codes": [code(5), code(6)]}, "theirs").status_code == 200


def test_grids_that_were_published_otherwise_stop_the_draft(workbench: TestClient, store_url: str) -> None:
    begin(workbench)
    edit(workbench, 1, SPLIT)
    engine = open_engine(store_url)
    with writing(engine) as conn:
        table = features.table_of("grids")
        conn.execute(table.delete().where(table.c.code == code(1)))
        moved = shapely.segmentize(GRIDS[code(1)], 0.004)
        features.insert(conn, grid_county.COUNTY, "grids", [{"code": code(1), "community": HOME, "geom": moved}])
    engine.dispose()
    refused = edit(workbench, 2, {"kind": "merge", "codes": [code(5), code(6)]}, "e2")
    assert assert_problem(refused, 409, "overtaken")["params"] == {"codes": [code(1)]}
    assert workbench.get(f"{GRIDS_API}/sets/s1").json()["stale"] == [code(1)]
    assert workbench.get(f"{GRIDS_API}/sets").json()[0]["stale"] == [code(1)]
    assert workbench.get(f"{GRIDS_API}/communities/{HOME}", params={"set": "s1"}).status_code == 200


def test_an_exercise_holds_publishing_and_says_so_and_drafts_go_on(workbench: TestClient) -> None:
    pressed = {"press_id": "p", "scope": grid_county.TOWNSHIP, "to": "emergency", "level": 2, "exercise": True}
    begin(workbench)
    assert workbench.post("/api/v1/modes", json=pressed).status_code == 200
    shown = workbench.get(f"{GRIDS_API}/communities/{HOME}").json()
    assert (shown["held"], shown["read_only"]) == ({"scope_name": "Town", "exercise": True}, False)
    assert edit(workbench, 1, SPLIT).status_code == 200


@pytest.mark.parametrize(
    ("intent", "status", "key"),
    [
        (SPLIT | {"code": "nothing"}, 404, "unknown_code"),
        (SPLIT | {"code": code(1, NEXT)}, 422, "outside_change_set"),
        (SPLIT | {"line": [[126.501, 43.605], [126.509, 43.605]]}, 422, "line_does_not_cross"),
        (SPLIT | {"line": [[126.501, 43.605], [126.501, 43.605]]}, 422, "line_does_not_cross"),
        (SPLIT | {"line": [[0, 0], [1, 1]]}, 422, "line_does_not_cross"),
        (SPLIT | {"line": [[126.49, 43.603], [126.52, 43.607], [126.52, 43.603], [126.49, 43.607]]}, 422, None),
        (SPLIT | {"line": [[126.49, 43.605]]}, 422, "invalid"),
        (SPLIT | {"line": []}, 422, "invalid"),
        (SPLIT | {"line": [[126.5, 43.6]] * 10_001}, 422, "invalid"),
        (SPLIT | {"line": [[126.5, 43.6, 1.0], [126.6, 43.6, 1.0]]}, 422, "invalid"),
        (SPLIT | {"line": [[1e308, 43.6], [126.6, 43.6]]}, 422, "invalid"),
        (SPLIT | {"line": [["a", 43.6], [126.6, 43.6]]}, 422, "invalid"),
        (SPLIT | {"code": "x" * 100}, 422, "invalid"),
        (SPLIT | {"code": "a\x00b"}, 422, "invalid"),
        (SPLIT | {"more": 1}, 422, "invalid"),
        ({"kind": "explode"}, 422, "invalid"),
        ({}, 422, "invalid"),
        ({"kind": "merge", "codes": [code(1)]}, 422, "invalid"),
        ({"kind": "merge", "codes": [code(1), code(1)]}, 422, "not_adjacent"),
        ({"kind": "merge", "codes": [code(1), code(6)]}, 422, "not_adjacent"),
        ({"kind": "merge", "codes": [code(1), code(2)], "into": "nothing"}, 409, "code_taken"),
        ({"kind": "reshape", "line": [[10, 10], [11, 11]]}, 422, "line_does_not_cross"),
        ({"kind": "reshape", "line": halves(code(1)), "codes": ["nothing"]}, 404, "unknown_code"),
        ({"kind": "move_vertex", "at": [126.505, 43.605], "to": [126.5, 43.6]}, 422, "no_vertex_there"),
        ({"kind": "move_vertex", "at": [126.51, 43.61], "to": [126.6, 43.61]}, 422, None),
        ({"kind": "insert_vertex", "at": [0, 0]}, 422, "no_vertex_there"),
        ({"kind": "remove_vertex", "at": [126.51, 43.61]}, 422, None),
        ({"kind": "give", "to": code(1)}, 422, "invalid"),
        ({"kind": "give", "to": code(1), "building": "nothing"}, 404, "unknown_building"),
        ({"kind": "give", "to": code(5), "building": "B1"}, 422, "not_adjacent"),
        ({"kind": "give", "to": code(1), "ground": {"type": "Polygon", "coordinates": [[[1, 1]] * 4]}}, 422, None),
        ({"kind": "give", "to": code(1), "ground": {"type": "Point", "coordinates": [1, 1]}}, 422, "invalid"),
        ({"kind": "simplify", "codes": [code(1)], "tolerance_m": 0}, 422, "invalid"),
        ({"kind": "simplify", "codes": [code(1)], "tolerance_m": 5}, 422, "nothing_would_change"),
        ({"kind": "repair"}, 422, "nothing_would_change"),
        ({"kind": "repair", "gap_m": -1}, 422, "invalid"),
        ({"kind": "describe", "code": code(1), "values": {}}, 422, "nothing_would_change"),
        ({"kind": "describe", "code": code(1), "values": {"community": NEXT}}, 422, "invalid"),
        ({"kind": "proposal", "proposal": "nothing", "candidate": 0}, 404, "unknown_proposal"),
        ({"kind": "proposal", "proposal": "nothing", "candidate": 0, "grids": []}, 422, "invalid"),
        ({"kind": "redraw", "grids": []}, 422, "invalid"),
        ({"kind": "redraw", "grids": [{"code": "x", "geometry": {"type": "Polygon", "coordinates": []}}]}, 422, None),
        (
            {"kind": "redraw", "grids": [{"geometry": {"type": "Polygon", "coordinates": [[[1, 1]] * 4]}}]},
            422,
            None,
        ),
    ],
)
def test_what_is_asked_wrongly_is_refused_with_the_reason(
    workbench: TestClient, intent: Document, status: int, key: str | None
) -> None:
    begin(workbench)
    answer = edit(workbench, 1, intent)
    assert answer.status_code == status, answer.text
    body = answer.json()
    if key is not None:
        assert_problem(answer, status, key)
    assert body["detail"]
    assert "{" not in body["detail"] + body["detail_en"]
    looked = workbench.post(f"{GRIDS_API}/sets/s1/preview", json={"community": HOME, "intent": intent})
    seen = looked.json()
    if "refused" in seen:  # understood, and no border comes of it: an answer, so that drawing is not full of errors
        assert (looked.status_code, status) == (200, 422)
        assert {**seen["refused"], "instance": ""} == {**body, "instance": ""}
    else:
        assert (looked.status_code, seen["type"]) == (status, body["type"])
        assert status != 422 or seen["type"] == "/problems/invalid"
    now = workbench.get(f"{GRIDS_API}/sets/s1").json()
    assert (now["revision"], now["length"]) == (1, 0)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_none(workbench: TestClient, number: str) -> None:
    begin(workbench)
    intent = json.dumps(SPLIT).replace("126.49999", number)
    body = f'{{"revision": 1, "edit_id": "e", "community": "{HOME}", "actor": "Ann", "intent": {intent}}}'
    assert number in body
    answer = workbench.post(f"{GRIDS_API}/sets/s1/edits", content=body, headers={"content-type": "application/json"})
    assert_problem(answer, 422, "invalid")


def test_a_refusal_says_what_where_and_names_the_grids_by_their_labels(workbench: TestClient) -> None:
    begin(workbench)
    refused = edit(workbench, 1, {"kind": "merge", "codes": [code(1), code(6)], "into": code(1)})
    body = assert_problem(refused, 422, "not_adjacent")
    assert body["params"]["codes"] == [code(6)]
    lon, lat = body["params"]["lonlat"]
    assert GRIDS[code(6)].contains(shapely.Point(lon, lat))
    assert "006" in body["detail"]
    assert HOME not in body["detail"]
    assert "006" in body["detail_en"]


def test_what_is_not_there(workbench: TestClient) -> None:
    assert_problem(workbench.get(f"{GRIDS_API}/communities/nowhere"), 404, "unknown_community")
    assert_problem(workbench.get(f"{GRIDS_API}/sets/nothing"), 404, "unknown_change_set")
    community = f"{GRIDS_API}/communities/{HOME}"
    assert_problem(workbench.get(community, params={"set": "nothing"}), 404, "unknown_change_set")
    assert_problem(workbench.get(f"{GRIDS_API}/sets", params={"status": "gone"}), 422, "invalid")
    said = {"name": "x", "reason": "correction", "communities": [HOME]}
    wrong: Document
    for wrong in ({"name": "  "}, {"reason": "whim"}, {"communities": []}, {"more": 1}, {"id": ""}):
        answer = workbench.post(f"{GRIDS_API}/sets", json=said | wrong, headers=ANN)
        assert_problem(answer, 422, "invalid")
    elsewhere = workbench.post(f"{GRIDS_API}/sets", json=said | {"communities": ["nowhere"]}, headers=ANN)
    assert_problem(elsewhere, 404, "unknown_community")
    begin(workbench)
    assert_problem(edit(workbench, 1, SPLIT, community=NEXT), 422, "outside_change_set")
    assert_problem(edit(workbench, 7, SPLIT), 409, "set_moved")


def test_every_kind_of_intent_is_carried_out(workbench: TestClient) -> None:
    begin(workbench)
    ring = shapely.geometry.mapping(shapely.box(126.5102, 43.624, 126.5104, 43.6242))
    intents: list[Document] = [
        SPLIT,
        {"kind": "merge", "codes": [code(1), f"{HOME}n01"], "into": code(1)},
        {"kind": "reshape", "line": [[126.51, 43.612], [126.512, 43.615], [126.51, 43.618]]},
        {"kind": "insert_vertex", "at": [126.51, 43.6045], "to": [126.5102, 43.6045]},
        {"kind": "move_vertex", "at": [126.5102, 43.6045], "to": [126.5103, 43.6045]},
        {"kind": "simplify", "codes": [code(1), code(2)], "tolerance_m": 100},
        {"kind": "insert_vertex", "at": [126.51, 43.627], "to": [126.5101, 43.627]},
        {"kind": "remove_vertex", "at": [126.5101, 43.627]},
        {"kind": "give", "to": code(5), "ground": ring},
        {"kind": "give", "to": code(2), "building": "B1"},
        {"kind": "describe", "code": code(3), "values": {"name": "North", "leader_phone": "13800000000"}},
    ]
    for n, intent in enumerate(intents, start=1):
        answer = edit(workbench, n, intent, f"e{n}")
        assert answer.status_code == 200, (intent, answer.text)
        assert [p["kind"] for p in answer.json()["problems"] if p["severity"] == "error"] == [], intent
    shown = workbench.get(f"{GRIDS_API}/communities/{HOME}", params={"set": "s1"}).json()
    names = {f["id"]: f["properties"]["name"] for f in shown["grids"]["features"]}
    assert names[code(3)] == "North"
    assert [e["kind"] for e in shown["set"]["edits"]] == [i["kind"] for i in intents]
    for n in range(len(intents)):
        body = {"revision": len(intents) + 1 + n, "community": HOME, "actor": "Ann"}
        assert workbench.post(f"{GRIDS_API}/sets/s1/undo", json=body).status_code == 200
    back = workbench.get(f"{GRIDS_API}/communities/{HOME}", params={"set": "s1"}).json()
    plain = workbench.get(f"{GRIDS_API}/communities/{HOME}").json()
    assert back["grids"] == plain["grids"]

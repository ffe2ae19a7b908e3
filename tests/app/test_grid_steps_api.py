"""Review, publishing, conflicts and past states of grids over HTTP, and what open screens hear of them."""

import json
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import shapely
from sqlalchemy import Engine, func, select
from starlette.testclient import TestClient

from pingji.dashboard import queries
from pingji.dashboard.commands import grid_steps
from pingji.dashboard.context import Context, now_us
from pingji.dashboard.suppress import public_figures
from pingji.data.engine import open_engine, reading
from pingji.data.grids.history import grids_at, moment_of
from pingji.data.tables import past_grids
from pingji.data.writer import Writer
from pingji.ops.change_set import Step
from pingji.settings import Settings
from tests import world
from tests.app.conftest import Serve
from tests.app.phone import assert_problem, press
from tests.publishing import G1, G2, MERGE, cut, draft, fill, submit
from tests.world import C1, C2, COUNTY

API = "/api/v1/grids"
NEW = f"{C1}003"


@pytest.fixture
def made_url(store_url: str) -> str:
    engine = open_engine(store_url)
    fill(engine)
    engine.dispose()
    return store_url


@pytest.fixture
def client(serve: Serve, made_url: str) -> TestClient:
    return serve(made_url)


def ask(client: TestClient, path: str, **params: Any) -> dict[str, Any]:
    answer = client.get(f"{API}{path}", params=params)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def send(client: TestClient, path: str, **body: Any) -> Any:
    return client.post(f"{API}{path}", json=body)


def begun(client: TestClient, *intents: Mapping[str, Any], id: str = "", community: str = C1) -> dict[str, Any]:
    """A draft of Wang's with these edits."""
    said = {"id": id or uuid.uuid4().hex, "name": "Split the second", "reason": "split_for_size", "note": "too many"}
    found = send(client, "/sets", **said, communities=[community], actor="Wang").json()
    for intent in intents:
        body = {"revision": found["revision"], "edit_id": uuid.uuid4().hex, "community": community, "intent": intent}
        answer = send(client, f"/sets/{found['id']}/edits", **body, actor="Wang")
        assert answer.status_code == 200, answer.text
        found = answer.json()["set"]
    return dict(found)


def step(client: TestClient, found: Mapping[str, Any], name: str, actor: str, **more: Any) -> Any:
    body = {"revision": found["revision"], "step": name, "actor": actor, **more}
    return send(client, f"/sets/{found['id']}/steps", **body)


def published(client: TestClient, *intents: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    waiting = step(client, begun(client, *intents, **more), "submit", "Wang").json()
    answer = step(client, waiting, "publish", "Li", note="fine")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_from_a_draft_to_what_everybody_sees(client: TestClient) -> None:
    found = begun(client, cut(G2, 126.15))
    assert_problem(step(client, found, "publish", "Li"), 409, "step_not_allowed")
    waiting = step(client, found, "submit", "Wang").json()
    assert waiting["status"] == "review"
    returned = step(client, waiting, "return", "Li", note="straighter").json()
    assert (returned["status"], returned["reviewer"], returned["review_note"]) == ("draft", "Li", "straighter")
    waiting = step(client, returned, "submit", "Wang").json()
    body = assert_problem(step(client, waiting, "publish", "Wang"), 409, "second_person_needed")
    assert body["params"] == {"actor": "Wang"}
    assert_problem(step(client, returned, "publish", "Li"), 409, "set_moved")
    done = step(client, waiting, "publish", "Li", note="fine").json()
    assert (done["status"], done["reviewer"], done["codes"]) == ("published", "Li", {f"{C1}n01": NEW})
    again = step(client, waiting, "publish", "Li", note="fine").json()
    assert again == done
    shown = client.get("/api/v1/layers/grids", params={"communities": C1}).json()["features"]
    assert {f["id"] for f in shown} == {G1, G2, NEW}
    assert {f["properties"]["reason"] for f in shown} == {"", "split_for_size"}
    names = {f["id"]: f["properties"]["name"] for f in shown}
    assert "\u7f51\u683c" in names[NEW]
    (entry,) = client.get("/api/v1/journal", params={"limit": 1}).json()
    assert (entry["action"], entry["actor"], entry["scope_name"]) == ("publish", "Li", f"C{C1}")


def test_a_discarded_draft_is_over(client: TestClient) -> None:
    found = begun(client, cut(G2, 126.15))
    assert step(client, found, "discard", "Wang").json()["status"] == "discarded"
    assert_problem(send(client, "/sets/castle/steps", revision=1, step="submit", actor="Li"), 404, "unknown_change_set")
    assert_problem(send(client, f"/sets/{found['id']}/steps", revision=1, step="fly", actor="Li"), 422, "invalid")


@pytest.mark.parametrize("exercise", [False, True])
def test_an_emergency_holds_publishing_and_says_so(client: TestClient, exercise: bool) -> None:
    waiting = step(client, begun(client, cut(G2, 126.15)), "submit", "Wang").json()
    assert press(client, exercise=exercise).status_code == 200
    body = assert_problem(step(client, waiting, "publish", "Li"), 409, "held_by_emergency")
    assert body["params"] == {"scope": "County", "exercise": exercise}
    assert ask(client, f"/communities/{C1}")["held"] == {"scope_name": "County", "exercise": exercise}
    begun(client, cut(G1, 126.05))


def test_what_is_left_is_named_where_it_is(client: TestClient) -> None:
    square = shapely.geometry.mapping(shapely.box(126.0, 43.0, 126.09, 43.1))
    found = begun(client, {"kind": "redraw", "grids": [{"code": G1, "geometry": square}, _today(client, G2)]})
    body = assert_problem(step(client, found, "submit", "Wang"), 409, "problems_left")
    ids = {problem["id"] for problem in ask(client, f"/communities/{C1}", set=found["id"])["problems"]}
    assert set(body["params"]["problems"]) <= ids
    assert body["params"]["n"] == len(body["params"]["problems"]) > 0


def _today(client: TestClient, code: str) -> dict[str, Any]:
    grids = ask(client, f"/communities/{C1}")["grids"]["features"]
    return {"code": code, "geometry": next(f["geometry"] for f in grids if f["id"] == code)}


def test_difference_before_and_after_publishing_is_the_same(client: TestClient) -> None:
    found = begun(client, cut(G2, 126.15))
    draft_ = ask(client, f"/sets/{found['id']}/difference")
    assert {f["id"] for f in draft_["before"]["features"]} == {G1, G2}
    assert {f["id"] for f in draft_["after"]["features"]} == {G1, G2, f"{C1}n01"}
    rows = {row["state"]: row for row in draft_["rows"]}
    assert rows["new"]["from"] == [G2]
    assert rows["changed"]["into"] == [f"{C1}n01"]
    assert rows["new"]["gained_m2"] == rows["changed"]["lost_m2"] > 0
    assert draft_["lineage"] == [{"from": G2, "into": f"{C1}n01", "kind": "split"}]
    waiting = step(client, found, "submit", "Wang").json()
    step(client, waiting, "publish", "Li")
    published(client, MERGE)  # whatever came later
    past = ask(client, f"/sets/{found['id']}/difference")
    assert {f["id"] for f in past["after"]["features"]} == {G1, G2, NEW}
    assert past["totals"] == draft_["totals"]
    for name in ("before", "after"):
        shapes = [sorted(json.dumps(f["geometry"]) for f in one[name]["features"]) for one in (draft_, past)]
        assert shapes[0] == shapes[1]


def test_the_later_of_two_editors_sees_both_versions_and_loses_nothing(client: TestClient) -> None:
    mine = begun(client, cut(G2, 126.15), cut(G1, 126.05))
    assert ask(client, f"/sets/{mine['id']}/conflict") == {"grids": []}
    waiting = step(client, mine, "submit", "Wang").json()
    theirs = published(client, {"kind": "merge", "codes": [G1, G2], "into": G1})
    mine = ask(client, f"/sets/{mine['id']}")
    assert set(mine["stale"]) == {G1, G2}
    by_code = {one["code"]: one for one in ask(client, f"/sets/{mine['id']}/conflict")["grids"]}
    assert by_code[G2]["theirs"] is None
    assert by_code[G2]["base"]["type"] == by_code[G2]["mine"]["type"] == "Polygon"
    assert (by_code[G1]["by"], by_code[G1]["actor"], by_code[G1]["at"]) == (
        theirs["name"],
        "Wang",
        theirs["published_at"],
    )
    body = assert_problem(step(client, waiting, "publish", "Li"), 409, "overtaken")
    assert set(body["params"]["codes"]) == {G1, G2}
    body = {"revision": waiting["revision"], "actor": "Wang"}
    assert_problem(send(client, f"/sets/{mine['id']}/rebase", **body), 409, "not_a_draft")
    returned = step(client, waiting, "return", "Li").json()
    assert_problem(step(client, returned, "submit", "Wang"), 409, "overtaken")
    after = send(client, f"/sets/{mine['id']}/rebase", revision=returned["revision"], actor="Wang").json()
    assert after["stale"] == []
    first, second = after["edits"]
    assert (first["set_aside"], first["in_force"], first["refusal"]["key"]) == (True, False, "unknown_code")
    assert "002" in first["refusal"]["text"]
    assert (second["set_aside"], second["in_force"], second["refusal"]) == (False, True, None)
    assert first["intent"]["line"] == [[126.15, 43.0], [126.15, 43.1]]
    waiting = step(client, after, "submit", "Wang").json()
    assert step(client, waiting, "publish", "Li").status_code == 200


def test_two_names_for_one_leader_are_shown_and_the_later_person_decides(client: TestClient) -> None:
    mine = begun(client, {"kind": "describe", "code": G1, "values": {"leader": "Sun", "deputy": "Qian"}})
    published(client, {"kind": "describe", "code": G1, "values": {"leader": "Zhou", "leader_phone": "13900000000"}})
    assert ask(client, f"/sets/{mine['id']}")["stale"] == [G1]
    (met,) = ask(client, f"/sets/{mine['id']}/conflict")["grids"]
    words = {"base": {"leader": "Zhao"}, "theirs": {"leader": "Zhou"}, "mine": {"leader": "Sun"}}
    assert met["values"] == words
    assert met["base"] == met["theirs"] == met["mine"]
    assert met["mine"] is not None
    after = send(client, f"/sets/{mine['id']}/rebase", revision=mine["revision"], actor="Chen").json()
    assert (after["stale"], after["kept"]) == ([], [{"code": G1, "values": words}])
    waiting = step(client, after, "submit", "Wang").json()
    assert step(client, waiting, "publish", "Li").status_code == 200
    assert ask(client, "/of", lonlat="126.05,43.05")["grid"]["leader"] == "Sun"


def test_whoever_rebased_a_draft_does_not_publish_it(client: TestClient) -> None:
    mine = begun(client, cut(G2, 126.15))
    after = send(client, f"/sets/{mine['id']}/rebase", revision=mine["revision"], actor="Li").json()
    assert (after["editors"], after["kept"]) == (["Wang", "Li"], [])
    assert after["edits"][0]["intent"] == cut(G2, 126.15)
    waiting = step(client, after, "submit", "Wang").json()
    assert_problem(step(client, waiting, "publish", "Li"), 409, "second_person_needed")
    assert step(client, waiting, "publish", "Chen").status_code == 200


def test_past_states_over_http(client: TestClient) -> None:
    today = ask(client, f"/communities/{C1}")
    assert press(client).status_code == 200
    assert press(client, "p2", "recovery").status_code == 200
    assert press(client, "p3", "routine").status_code == 200
    done = published(client, cut(G2, 126.15))
    history = ask(client, "/history", community=C1)
    (change,) = history["changes"]
    assert (change["set"], change["reason"], change["note"], change["grids"]) == (
        done["id"],
        "split_for_size",
        "too many",
        2,
    )
    assert (change["author"], change["reviewer"], change["at"]) == ("Wang", "Li", done["published_at"])
    (flood,) = history["operations"]
    assert (flood["scope_name"], flood["exercise"]) == ("County", False)
    then = ask(client, "/at", community=C1, operation=flood["id"])
    assert then["grids"]["features"] == today["grids"]["features"]
    assert (then["read_only"], then["at"], then["set"]) == (True, flood["started_at"], None)
    assert then["totals"] == today["totals"]
    assert {f["id"] for f in then["around"]["features"]} == {f["id"] for f in today["around"]["features"]}
    end = ask(client, "/at", community=C1, date=change["date"])
    assert {f["id"] for f in end["grids"]["features"]} == {G1, G2, NEW}
    lineage = ask(client, "/lineage", code=NEW)
    assert [(one["from"], one["into"], one["kind"]) for one in lineage["links"]] == [(G2, NEW, "split")]
    assert [(one["code"], one["ended_at"]) for one in lineage["versions"]] == [
        (G2, done["published_at"]),
        (G2, None),
        (NEW, None),
    ]
    assert lineage["versions"][-1]["set_name"] == done["name"]
    place = ask(client, "/of", lonlat="126.16,43.05", operation=flood["id"])["grid"]
    assert (place["code"], place["leader"]) == (G2, "Zhao")
    home = ask(client, "/of", household=f"{C1}002H14", operation=flood["id"])["grid"]
    assert home["code"] == G2
    assert ask(client, "/of", lonlat="100,20")["grid"] is None


def test_what_does_not_exist_is_said(client: TestClient) -> None:
    for path, status, key in (
        ("/at?community=castle", 404, "unknown_community"),
        (f"/at?community={C1}&operation=castle", 404, "unknown_operation"),
        (f"/at?community={C1}&operation=a&date=2026-01-01", 400, "bad_request"),
        (f"/at?community={C1}&date=yesterday", 422, "invalid"),
        (f"/at?community={C1}&date=0001-01-01", 400, "bad_request"),
        (f"/at?community={C1}&date=9999-12-31", 422, "future_day"),
        ("/of", 400, "bad_request"),
        ("/of?lonlat=1", 400, "bad_request"),
        ("/of?lonlat=nan,nan", 400, "bad_request"),
        ("/of?household=castle", 404, "unknown_household"),
        ("/lineage?code=castle", 404, "unknown_grid"),
        ("/history?community=castle", 404, "unknown_community"),
        ("/sets/castle/difference", 404, "unknown_change_set"),
        ("/sets/castle/conflict", 404, "unknown_change_set"),
    ):
        assert_problem(client.get(f"{API}{path}"), status, key)


def test_a_layer_by_communities(client: TestClient) -> None:
    url = "/api/v1/layers/grids"
    two = client.get(url, params={"communities": f"{C1},{C2}"}).json()["features"]
    assert {f["properties"]["community"] for f in two} == {C1, C2}
    assert client.get(url, params={"communities": "castle"}).json()["features"] == []
    assert_problem(client.get("/api/v1/layers/rivers", params={"communities": C1}), 400, "bad_request")


def test_the_stream_tells_staff_of_drafts_and_the_wall_only_of_publications(engine: Engine) -> None:
    fill(engine)
    with reading(engine) as conn:
        county = world.scope(conn)
    id = draft(engine, cut(G2, 126.15), id="secret")
    with reading(engine) as conn:
        figures = queries.situation_figures(conn, county, world.T0, 60)
    assert figures["grids"] == {"version": 0, "at": None, "communities": [], "set": ""}
    (one,) = figures["drafts"]  # type: ignore[misc]
    assert one == {
        "id": "secret",
        "name": "set secret",
        "status": "draft",
        "revision": one["revision"],
        "author": "Wang",
        "communities": [C1],
        "updated_at": world.T0 // 1000,
    }
    assert "drafts" not in public_figures(figures, COUNTY)
    waiting = submit(engine, id)
    heard: list[str] = []
    context = Context(
        Settings(), engine, Writer(engine, on_commit=lambda: None), on_change=lambda: heard.append("change")
    )
    grid_steps.take_step(context, id, waiting.revision, Step.PUBLISH, "", "Li")
    assert heard == ["change"]
    with reading(engine) as conn:
        shown = public_figures(queries.situation_figures(conn, county, world.T0, 60), COUNTY)
    latest = shown["grids"]
    assert isinstance(latest, dict)
    assert (latest["version"], latest["communities"], latest["set"]) == (1, [C1], "secret")
    assert "Wang" not in json.dumps(shown)
    assert "Li" not in json.dumps(shown)


def test_the_same_press_from_two_desks_at_once_publishes_once(engine: Engine) -> None:
    fill(engine)
    waiting = submit(engine, draft(engine, cut(G2, 126.15)))
    context = Context(Settings(), engine, Writer(engine, on_commit=lambda: None))

    def press_it(_: int) -> dict[str, str]:
        return grid_steps.take_step(context, waiting.id, waiting.revision, Step.PUBLISH, "", "Li").codes

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(press_it, range(4)))
    assert answers == [{f"{C1}n01": NEW}] * 4
    with reading(engine) as conn:
        assert [v.code for v in grids_at(conn, COUNTY, moment_of(now_us()), communities=[C1])] == [G1, G2, NEW]
        assert conn.scalars(select(func.count()).select_from(past_grids)).one() == 1


def test_a_redrawing_is_done_again_on_newer_grids_or_set_aside(client: TestClient) -> None:
    """Edits of a file are intents like any other: what still fits goes on, what names an ended grid waits."""
    halves = [shapely.box(126.0, 43.0, 126.05, 43.1), shapely.box(126.05, 43.0, 126.1, 43.1)]
    first, new = ({"geometry": shapely.geometry.mapping(half)} for half in halves)
    redraw = {"kind": "redraw", "grids": [{**first, "code": G1}, {**new, "code": ""}, _today(client, G2)]}
    mine = begun(client, redraw)
    published(client, {"kind": "describe", "code": G1, "values": {"leader": "Sun"}}, cut(G2, 126.15))
    after = send(client, f"/sets/{mine['id']}/rebase", revision=mine["revision"], actor="Wang").json()
    (edit,) = after["edits"]
    assert (edit["set_aside"], after["stale"]) == (False, [])
    published(client, {"kind": "merge", "codes": [G1, G2], "into": G2})
    after = send(client, f"/sets/{mine['id']}/rebase", revision=after["revision"], actor="Wang").json()
    (edit,) = after["edits"]
    assert (edit["set_aside"], edit["refusal"]["key"]) == (True, "unknown_code")
    assert (after["position"], after["length"]) == (0, 0)

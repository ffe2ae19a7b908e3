"""Whatever is sent to the workbench, it answers in form, and what it refuses leaves the store as it was."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from sqlalchemy import select
from starlette.testclient import TestClient

from pingji.data.engine import open_engine, reading
from pingji.data.tables import LAYER_TABLES, change_edit, change_set, grid_lineage, past_grids
from tests import grid_county
from tests.app.conftest import Serve
from tests.grid_county import GRIDS, HOME, NEXT, code

API = "/api/v1/grids"
Document = dict[str, Any]
WORDS = st.one_of(st.text(max_size=120), st.sampled_from(["", "-", "\x00", "a\u202eb", "\ud7ff", "'; --", "x" * 4000]))
NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**70), 2**70), st.sampled_from([1e308, -0.0])
)
ON_GRID = st.sampled_from([126.5, 126.505, 126.51, 126.5100001, 126.515, 126.52, 126.53, 127.0, -180, 180])
UP_GRID = st.sampled_from([43.6, 43.605, 43.61, 43.6100001, 43.615, 43.62, 43.63, 44.0, -90, 90])
NEAR = st.tuples(
    st.one_of(ON_GRID, st.floats(126.49, 126.54, allow_nan=False)),
    st.one_of(UP_GRID, st.floats(43.59, 43.64, allow_nan=False)),
)
POSITION = st.one_of(NEAR, NEAR, NEAR, st.tuples(NUMBERS, NUMBERS))
LINE = st.lists(POSITION, max_size=7)
CODE = st.one_of(st.sampled_from([*GRIDS, code(1, NEXT), f"{HOME}n01", f"{HOME}n02"]), st.just("none"), WORDS)
RING = st.lists(NEAR, min_size=3, max_size=6).map(lambda xy: [*xy, xy[0]])
AREA = st.one_of(
    st.builds(lambda rings: {"type": "Polygon", "coordinates": rings}, st.lists(RING, max_size=2)),
    st.builds(lambda ring: {"type": "MultiPolygon", "coordinates": [[ring], [ring]]}, RING),
    st.just({"type": "Point", "coordinates": [1, 2]}),
)
COLUMNS = st.sampled_from(["name", "leader", "leader_phone", "deputy", "deputy_phone", "revision"])


def said(kind: str, **more: st.SearchStrategy[Any]) -> st.SearchStrategy[Document]:
    return st.fixed_dictionaries({"kind": st.just(kind), **more})


INTENT = st.one_of(
    said("split", code=CODE, line=LINE),
    said("merge", codes=st.lists(CODE, max_size=4), into=st.one_of(st.none(), CODE)),
    said("reshape", line=LINE),
    said("reshape", line=LINE, codes=st.lists(CODE, max_size=3)),
    said("move_vertex", at=POSITION, to=POSITION),
    said("insert_vertex", at=POSITION, to=st.one_of(st.none(), POSITION)),
    said("remove_vertex", at=POSITION),
    said("give", to=CODE, building=st.one_of(st.sampled_from(["B1", "B2", "B3"]), WORDS)),
    said("give", to=CODE, ground=AREA),
    said("simplify", codes=st.lists(CODE, max_size=4), tolerance_m=NUMBERS),
    said("repair", gap_m=NUMBERS, overlap_m=st.floats(0, 100)),
    said("repair"),
    said("describe", code=CODE, values=st.dictionaries(COLUMNS, WORDS, max_size=3)),
    said("proposal", proposal=WORDS, candidate=NUMBERS),
    said("redraw", grids=st.lists(st.fixed_dictionaries({"code": CODE, "geometry": AREA}), max_size=3)),
    said("fly"),
    st.dictionaries(WORDS, NUMBERS, max_size=2),
)
ACTOR = st.sampled_from(["Ann", "Bob"])
PLACE = st.one_of(st.just(HOME), st.just(HOME), st.just(NEXT), CODE)
OFFSET = st.sampled_from([0, 0, 0, 0, -1, 1, 2**40])
POSTS = st.one_of(
    st.tuples(st.just("edits"), st.fixed_dictionaries({"community": PLACE, "intent": INTENT, "actor": ACTOR})),
    st.tuples(st.just("edits"), st.fixed_dictionaries({"community": PLACE, "intent": INTENT, "actor": ACTOR})),
    st.tuples(st.just("preview"), st.fixed_dictionaries({"community": PLACE, "intent": INTENT})),
    st.tuples(st.just("undo"), st.fixed_dictionaries({"community": PLACE, "actor": ACTOR})),
    st.tuples(st.just("redo"), st.fixed_dictionaries({"community": PLACE, "actor": ACTOR})),
    st.tuples(st.just("rebase"), st.fixed_dictionaries({"actor": ACTOR})),
    st.tuples(
        st.just("steps"),
        st.fixed_dictionaries({"step": st.sampled_from(["fly", "return", ""]), "note": WORDS, "actor": ACTOR}),
    ),
)
READS = st.one_of(
    st.tuples(st.sampled_from(["/of"]), st.fixed_dictionaries({"lonlat": WORDS})),
    st.tuples(st.just("/of"), st.fixed_dictionaries({"lonlat": POSITION.map(lambda xy: f"{xy[0]},{xy[1]}")})),
    st.tuples(st.just("/of"), st.fixed_dictionaries({"household": WORDS, "date": WORDS})),
    st.tuples(st.just("/at"), st.fixed_dictionaries({"community": PLACE, "date": WORDS})),
    st.tuples(st.just("/at"), st.fixed_dictionaries({"community": PLACE, "operation": WORDS})),
    st.tuples(st.just("/at"), st.fixed_dictionaries({"community": PLACE, "date": st.dates().map(str)})),
    st.tuples(st.sampled_from(["/lineage"]), st.fixed_dictionaries({"code": CODE})),
    st.tuples(st.sampled_from(["/sets", "/history"]), st.fixed_dictionaries({"community": CODE, "status": WORDS})),
)


@pytest.fixture
def client(serve: Serve, store_url: str) -> TestClient:
    engine = open_engine(store_url)
    grid_county.filled(engine)
    engine.dispose()
    client = serve(store_url)
    begin(client, "s1")
    return client


def begin(client: TestClient, id: str) -> None:
    body = {"id": id, "name": "A set", "reason": "correction", "communities": [HOME], "actor": "Ann"}
    assert client.post(f"{API}/sets", json=body).status_code == 200


def dump(url: str) -> list[list[tuple[Any, ...]]]:
    """Every row that the workbench may write."""
    engine = open_engine(url)
    grids = LAYER_TABLES["grids"]
    with reading(engine) as conn:
        found = [
            conn.execute(select(table).order_by(*table.primary_key)).all()
            for table in (change_set, change_edit, past_grids, grid_lineage, grids)
        ]
    rows = [[tuple(str(getattr(value, "data", value)) for value in row) for row in of_one] for of_one in found]
    engine.dispose()
    return rows


def in_form(answer: Any) -> bool:
    """Whether a request went well; if not, the answer says why in the form of every problem."""
    assert answer.status_code < 500, answer.text
    if answer.status_code < 400:
        assert isinstance(answer.json(), dict | list)
        return True
    body = answer.json()
    assert answer.headers["content-type"].startswith("application/problem+json"), answer.text
    assert {"type", "title", "status", "detail", "params"} <= set(body), body
    assert body["status"] == answer.status_code
    assert "{" not in body["title"] + body["detail"] or answer.status_code == 422
    return False


def test_no_request_is_too_odd(client: TestClient, store_url: str) -> None:
    @settings(
        max_examples=120,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(POSTS, OFFSET, READS)
    def send(post: tuple[str, Document], offset: int, read: tuple[str, Document]) -> None:
        path, body = post
        now = client.get(f"{API}/sets/s1").json()
        body = dict(body)
        if path != "preview":
            body["revision"] = now["revision"] + offset
        if path == "edits":
            body["edit_id"] = str(uuid.uuid4())
        before = dump(store_url)
        answer = client.post(f"{API}/sets/s1/{path}", json=body)
        if not in_form(answer) or path == "preview":
            assert dump(store_url) == before
        in_form(client.get(f"{API}{read[0]}", params=read[1]))
        assert in_form(client.get(f"{API}/communities/{HOME}", params={"set": "s1"}))

    send()
    after = client.get(f"{API}/sets/s1").json()
    assert after["revision"] > 1  # not all of it was refused
    while after["can_undo"]:
        body = {"revision": after["revision"], "community": HOME, "actor": "Ann"}
        after = client.post(f"{API}/sets/s1/undo", json=body).json()["set"]
    for published, drafted in both(client):
        assert drafted == published


def test_ten_thousand_positions(client: TestClient) -> None:
    rng = Random(3)
    comb = [[126.5 + 0.01 * n / 9_999, 43.601 + 0.008 * (n % 2)] for n in range(10_000)]
    tangle = [[126.5 + rng.random() / 50, 43.6 + rng.random() / 50] for _ in range(10_000)]
    for line in (comb, tangle, comb[:1] * 10_000, [*comb, [0, 0]]):
        for intent in ({"kind": "split", "code": code(1), "line": line}, {"kind": "reshape", "line": line}):
            in_form(client.post(f"{API}/sets/s1/preview", json={"community": HOME, "intent": intent}))


@pytest.mark.parametrize("where", ["126.5,NaN", "NaN,NaN", "inf,1", "1,-inf", "1e999,2", "1,2,3", ",", "\uff11,\uff12"])
def test_places_that_are_none(client: TestClient, where: str) -> None:
    in_form(client.get(f"{API}/of", params={"lonlat": where}))


def test_numbers_that_json_does_not_know(client: TestClient) -> None:
    for number in ("NaN", "Infinity", "1e999"):
        body = f'{{"community": "{HOME}", "intent": {{"kind": "remove_vertex", "at": [{number}, 43.6]}}}}'
        answer = client.post(f"{API}/sets/s1/preview", content=body, headers={"Content-Type": "application/json"})
        assert not in_form(answer)


def both(client: TestClient) -> list[tuple[bytes, bytes]]:
    """The published grids and the draft's, as they are answered; the same where all was undone."""
    shown = [client.get(f"{API}/communities/{HOME}", params=p).json()["grids"]["features"] for p in ({}, {"set": "s1"})]
    return list(zip(*([(f["id"], f["geometry"]) for f in grids] for grids in shown), strict=True))


def test_ten_editors_of_one_draft(client: TestClient) -> None:
    def edit(n: int) -> list[str]:
        rng, kept = Random(n), []
        for _ in range(4):
            revision = client.get(f"{API}/sets/s1").json()["revision"]
            grid, share = code(rng.randint(1, 6)), rng.uniform(0.2, 0.8)
            west, south, east, north = GRIDS[grid].bounds
            across = [[west - 1e-5, south + share * (north - south)], [east + 1e-5, south + share * (north - south)]]
            intent = {"kind": "split", "code": grid, "line": across}
            body = {"revision": revision, "edit_id": f"{n}-{rng.random()}", "community": HOME, "intent": intent}
            if in_form(client.post(f"{API}/sets/s1/edits", json={**body, "actor": f"E{n}"})):
                kept.append(body["edit_id"])
        return kept

    with ThreadPoolExecutor(10) as pool:
        kept = [id for ids in pool.map(edit, range(10)) for id in ids]
    found = client.get(f"{API}/sets/s1").json()
    assert found["position"] == len(kept) > 0
    assert found["revision"] == 1 + len(kept)
    assert [one["seq"] for one in found["edits"]] == list(range(1, len(kept) + 1))
    while found["can_undo"]:
        body = {"revision": found["revision"], "community": HOME, "actor": "Ann"}
        found = client.post(f"{API}/sets/s1/undo", json=body).json()["set"]
    for published, drafted in both(client):
        assert drafted == published


def test_two_publish_different_sets_of_the_same_grid_at_once(client: TestClient) -> None:
    """One of them is first; the other is told so, and nothing is published twice."""
    begin(client, "s2")
    ready = []
    for id, share in (("s1", 0.3), ("s2", 0.6)):
        west, south, east, north = GRIDS[code(1)].bounds
        y = south + share * (north - south)
        intent = {"kind": "split", "code": code(1), "line": [[west - 1e-5, y], [east + 1e-5, y]]}
        body = {"revision": 1, "edit_id": id, "community": HOME, "intent": intent, "actor": "Ann"}
        assert client.post(f"{API}/sets/{id}/edits", json=body).status_code == 200
        step = {"revision": 2, "step": "submit", "actor": "Ann"}
        ready.append((id, client.post(f"{API}/sets/{id}/steps", json=step).json()["revision"]))

    def press(one: tuple[str, int]) -> Any:
        step = {"revision": one[1], "step": "publish", "actor": "Li"}
        return client.post(f"{API}/sets/{one[0]}/steps", json=step)

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(press, ready))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    late = next(answer for answer in answers if answer.status_code == 409)
    assert not in_form(late)
    assert late.json()["type"].endswith("overtaken")
    shown = client.get(f"{API}/communities/{HOME}").json()
    assert shown["totals"]["grids"] == 7
    assert not [problem for problem in shown["problems"] if problem["severity"] == "error"]

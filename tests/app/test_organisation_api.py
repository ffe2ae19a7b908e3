"""`/api/v1/organisation` over HTTP: the contract of `docs/organisation.md`."""

from pathlib import Path

import openpyxl
import pytest

from pingji.data.engine import open_engine, writing
from pingji.data.organisation.handover import hand_over_due
from pingji.ops.access import Grant, Role
from pingji.ops.organisation.kinds import PostKind, seat
from tests import organisation_county as people
from tests.app.callers import Client
from tests.app.conftest import Serve
from tests.app.phone import assert_problem
from tests.organisation_county import BLOCK, D1, GRID
from tests.world import C1, C2, C3, COUNTY, FAR, NEAR, movement_id

BASE = "/api/v1/organisation"
FIRST = seat(C1, PostKind.FIRST_SECRETARY)
LEADER = seat(GRID, PostKind.GRID_LEADER)
FAR_FUTURE = 4_000_000_000_000_000


@pytest.fixture
def url(store_url: str) -> str:
    engine = open_engine(store_url)
    people.filled(engine)
    engine.dispose()
    return store_url


@pytest.fixture
def client(serve: Serve, url: str) -> Client:
    return serve(url)


def staff(client: Client, *codes: str, role: Role = Role.COMMUNITY_STAFF) -> dict[str, str]:
    """The header of somebody who answers for a part of the county."""
    return client.bearer("-".join((role, *codes)), *(Grant(role, code) for code in codes))


def emergency(client: Client, scope: str = COUNTY, exercise: bool = False) -> str:
    body = {"press_id": movement_id(), "scope": scope, "to": "emergency", "level": 2, "exercise": exercise}
    pressed = client.post("/api/v1/modes", json=body)
    assert pressed.status_code == 200, pressed.text
    return str(pressed.json()["press_id"] if "press_id" in pressed.json() else body["press_id"])


def test_the_tree_level_by_level(client: Client) -> None:
    (top,) = client.get(f"{BASE}/units").json()["units"]
    assert (top["code"], top["level"], top["children"]) == (COUNTY, "county", 4)
    units = client.get(f"{BASE}/units", params={"parent": GRID}).json()["units"]
    assert [(u["code"], u["level"], u["posts"], u["vacant"]) for u in units] == [(BLOCK, "building", 2, 0)]
    assert_problem(client.get(f"{BASE}/units", params={"parent": "x"}), 404, "unknown_unit")


def test_a_unit_with_its_posts_masked(client: Client) -> None:
    found = client.get(f"{BASE}/units/{GRID}").json()
    assert found["unit"]["name"] == "G1 branch"
    assert [unit["code"] for unit in found["path"]] == [COUNTY, NEAR, C1, f"{C1}R1", GRID]
    assert len(found["bounds"]) == 4
    posts = {post["kind"]: post for post in found["posts"]}
    leader = posts["grid_leader"]
    assert (leader["holder"], leader["holder_phone"], leader["kept_by"]) == ("L*****", "137****0002", "layer")
    assert posts["grid_secretary"]["commands"] is True
    assert posts["compound_leader"]["commands"] is False
    assert posts["compound_leader"]["why"] == ["no_deputy"]


def test_nobody_is_named_in_full_anywhere(client: Client) -> None:
    emergency(client)
    paths = (
        *("units", f"units/{GRID}", f"units/{C1}", "chains", f"chains?scope={C1}", "completeness", "vacancies"),
        *("overloaded", "committees", "sponsors", "gaps", "calls", "rules"),
        *("map?figure=completeness", "map?figure=vacancies&level=community"),
        *("map?figure=overloaded", "map?figure=coverage&level=community"),
    )
    for path in paths:
        answer = client.get(f"{BASE}/{path}")
        assert answer.status_code == 200, path
        for name in ("Golf", "Kilo", "Leader", 'Secretary"', "13900000011", "13700000002", "13812345678"):
            assert name not in answer.text, (path, name)


def test_chains_side_by_side_and_the_switch(client: Client) -> None:
    before = client.get(f"{BASE}/chains", params={"scope": C1}).json()
    assert (before["mode"], before["commands"]) == ("routine", "routine")
    emergency(client, C1, exercise=True)
    after = client.get(f"{BASE}/chains", params={"scope": C1}).json()
    assert (after["mode"], after["exercise"], after["commands"]) == ("emergency", True, "emergency")

    def commanders(chains: dict[str, object]) -> dict[str, list[str]]:
        levels = chains["levels"]
        assert isinstance(levels, list)
        return {
            level["level"]: [p["kind"] for p in (*level["routine"], *level["emergency"]) if p["commands"]]
            for level in levels
        }

    assert commanders(before)["community"] == ["community_secretary"]
    assert commanders(after)["community"] == ["first_secretary"]
    assert commanders(after)["township"] == ["township_secretary"]  # the township is quiet
    assert [level["level"] for level in after["levels"]] == [
        *("county", "township", "community", "branch", "grid", "building", "household")
    ]
    assert [level["above"] for level in after["levels"]] == [True, True, True, False, False, False, False]


def test_figures(client: Client) -> None:
    found = client.get(f"{BASE}/completeness").json()
    assert found["totals"]["grids"] == len(found["grids"]) == 8
    big = next(grid for grid in found["grids"] if grid["code"] == GRID)
    assert (big["filled"], big["roles"]["stairwell_head"]) == (5, {"have": 1, "need": 2, "ok": False})
    people_ = client.get(f"{BASE}/overloaded").json()
    assert [(one["holder"], one["n"], len(one["posts"])) for one in people_["people"]] == [("K***", 4, 4)]
    drawn = client.get(f"{BASE}/map", params={"figure": "completeness"}).json()
    shown = {f["properties"]["code"]: f["properties"] for f in drawn["features"]}
    assert (shown[GRID]["value"], shown[GRID]["of"], shown[GRID]["share"]) == (5, 6, 0.8333)
    vacant = client.get(f"{BASE}/vacancies", params={"why": "no_holder", "kind": "first_secretary"}).json()
    assert [row["code"] for row in vacant["rows"]] == [seat(C2, PostKind.FIRST_SECRETARY)]
    page = client.get(f"{BASE}/vacancies", params={"limit": 2, "offset": 1}).json()
    assert (len(page["rows"]), page["total"]) == (2, client.get(f"{BASE}/vacancies").json()["total"])


def test_the_matrix_of_committees(client: Client) -> None:
    found = client.get(f"{BASE}/committees").json()
    assert found["totals"] == {"departments": 2, "communities": 2, "pairs": 2, "grids": 4}
    one = next(c for c in found["communities"] if c["code"] == C1)
    assert (one["departments"], one["warnings"], one["first_secretary"]["department_name"]) == ([D1], [], "Water")
    other = next(c for c in found["communities"] if c["code"] == C2)
    assert other["warnings"] == [{"key": "no_first_secretary", "params": {}}]


def test_calls_are_answered_and_handed_over(client: Client, url: str) -> None:
    emergency(client, C1)
    calls = client.get(f"{BASE}/calls").json()
    assert calls["counts"] == {"asked": 3, "answered": 0, "handed_over": 0, "escalated": 0, "withdrawn": 0}
    assert calls["operation"] == calls["operations"][0]["id"]
    engine = open_engine(url)
    with writing(engine) as conn:
        hand_over_due(conn, COUNTY, FAR_FUTURE)
    engine.dispose()
    calls = client.get(f"{BASE}/calls").json()
    assert (calls["counts"]["handed_over"], calls["counts"]["escalated"]) == (1, 2)
    assert {row["n"] for row in calls["lists"]} == {1}
    answered = client.post(f"{BASE}/calls/{FIRST}/answer", json={"as": "deputy", "actor": "Duty"})
    assert answered.status_code == 200, answered.text
    assert (answered.json()["state"], answered.json()["acting"]) == ("answered", "deputy")
    assert answered.json()["answered_by"] == "Duty"
    again = client.post(f"{BASE}/calls/{FIRST}/answer", json={"as": "deputy", "actor": "Other"}).json()
    assert again == answered.json()
    back = client.post(f"{BASE}/calls/{FIRST}/hand-back", json={}).json()
    assert (back["acting"], back["handed_back_at"] is not None) == ("holder", True)
    assert_problem(client.post(f"{BASE}/calls/{FIRST}/hand-back", json={}), 409, "nothing_to_hand_back")
    unasked = seat(C1, PostKind.COMMUNITY_SECRETARY)
    assert_problem(client.post(f"{BASE}/calls/{unasked}/answer", json={}), 404, "unknown_call")
    assert [e["action"] for e in client.get("/api/v1/journal").json()][:3] == [
        *("handed_back", "call_answered", "handed_over")
    ]


def test_a_recall_withdraws_the_calls(client: Client) -> None:
    press = emergency(client, C1)
    operation = client.get(f"{BASE}/calls").json()["operation"]
    assert client.post("/api/v1/modes/recall", json={"press_id": press}).status_code == 200
    calls = client.get(f"{BASE}/calls", params={"operation": operation}).json()
    assert calls["counts"]["withdrawn"] == 3
    refused = client.post(f"{BASE}/calls/{FIRST}/answer", json={"operation": operation})
    assert_problem(refused, 409, "call_closed")


def test_who_holds_a_post_from_today_on(client: Client) -> None:
    body = {"holder": "New Man", "holder_phone": "13811112222", "term_to": "2030-01-01", "department": D1}
    done = client.put(f"{BASE}/posts/{LEADER}", json=body)
    assert done.status_code == 200, done.text
    assert (done.json()["holder"], done.json()["kept_by"]) == ("N** M**", "organisation")
    found = client.get(f"{BASE}/units/{GRID}").json()
    assert [(post["holder"], bool(post["ended"])) for post in found["past"]] == [("L*****", True)]
    wrong = seat(C1, PostKind.GRID_LEADER)
    assert_problem(client.put(f"{BASE}/posts/{wrong}", json={"holder": "A"}), 404, "unknown_post")
    body = {"holder": "A", "term_from": "2026-01-02", "term_to": "2026-01-01"}
    assert_problem(client.put(f"{BASE}/posts/{LEADER}", json=body), 422, "term_backwards")
    body = {"holder": "A", "department": "nothing"}
    assert_problem(client.put(f"{BASE}/posts/{LEADER}", json=body), 422, "unknown_department")


def test_rules(client: Client) -> None:
    assert client.get(f"{BASE}/rules").json()["handover_min"] == 5
    assert client.put(f"{BASE}/rules", json={"handover_min": 8}).json()["handover_min"] == 8
    assert client.get(f"{BASE}/rules").json()["handover_min"] == 8
    assert_problem(client.put(f"{BASE}/rules", json={"members_low": 99}), 422, "rule_out_of_range")
    assert client.put(f"{BASE}/rules", json={"nonsense": 1}).status_code == 422


def workbook(path: Path, *rows: list[object]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path.read_bytes()


HEADINGS: list[object] = ["社区", "网格", "岗位", "姓名", "电话"]


def test_a_workbook_is_previewed_and_then_applied(client: Client, tmp_path: Path) -> None:
    body = workbook(tmp_path / "a.xlsx", HEADINGS, [f"C{C1}", "G1", "网格长", "张三", 13812345678])
    previewed = client.post(f"{BASE}/import/preview", params={"filename": "a.xlsx"}, content=body).json()
    assert previewed["can_apply"]
    assert previewed["counts"]["changed"] == 1
    (change,) = previewed["changes"]
    assert (change["change"], change["post"], change["before"]["holder"], change["after"]["holder"]) == (
        *("changed", LEADER),
        *("L*****", "张*"),
    )
    wanted = {"filename": "a.xlsx", "digest": previewed["digest"]}
    applied = client.post(f"{BASE}/import/apply", params=wanted, content=body)
    assert (applied.status_code, applied.json()["changed"]) == (200, 1)
    assert_problem(client.post(f"{BASE}/import/apply", params=wanted, content=body), 409, "preview_outdated")


def test_a_changed_organisation_outdates_a_preview(client: Client, tmp_path: Path) -> None:
    body = workbook(tmp_path / "a.xlsx", HEADINGS, [f"C{C1}", "G1", "网格长", "张三", 13812345678])
    digest = client.post(f"{BASE}/import/preview", params={"filename": "a.xlsx"}, content=body).json()["digest"]
    other = seat(GRID, PostKind.ESCORT_CADRE)
    assert client.put(f"{BASE}/posts/{other}", json={"holder": "B"}).status_code == 200
    wanted = {"filename": "a.xlsx", "digest": digest}
    assert_problem(client.post(f"{BASE}/import/apply", params=wanted, content=body), 409, "preview_outdated")


def test_a_workbook_with_errors_changes_nothing(client: Client, tmp_path: Path) -> None:
    good, bad = [f"C{C1}", "G1", "网格长", "张三", 13812345678], [f"C{C1}", "G9", "网格长", "<b>李四</b>", "电话"]
    body = workbook(tmp_path / "a.xlsx", HEADINGS, good, bad)
    previewed = client.post(f"{BASE}/import/preview", params={"filename": "a.xlsx"}, content=body).json()
    assert not previewed["can_apply"]
    (error,) = previewed["errors"]
    assert (error["sheet"], error["row"], error["column"], error["value"], error["kind"]) == (
        *("Sheet", 3, "网格", "G9", "unknown_unit"),
    )
    assert error["text"]
    assert error["remedy"]
    wanted = {"filename": "a.xlsx", "digest": previewed["digest"]}
    applied = client.post(f"{BASE}/import/apply", params=wanted, content=body)
    assert_problem(applied, 422, "workbook_refused")
    assert applied.json()["params"] == {"n": 1, "sheet": "Sheet", "row": 3}
    assert client.get(f"{BASE}/units/{GRID}").json()["past"] == []


def test_files_that_are_no_workbooks(client: Client) -> None:
    for name, content in (("a.csv", b"x"), ("a.xlsx", b"PK\x03\x04"), ("a.xlsx", b""), ("../../etc/passwd", b"x")):
        refused = client.post(f"{BASE}/import/preview", params={"filename": name}, content=content)
        assert refused.status_code == 422, (name, refused.text)


def test_the_export_is_masked(client: Client, tmp_path: Path) -> None:
    answer = client.get(f"{BASE}/export")
    assert answer.headers["content-type"].startswith("application/vnd.openxml")
    path = tmp_path / "out.xlsx"
    path.write_bytes(answer.content)
    texts = {str(cell) for sheet in openpyxl.load_workbook(path) for row in sheet.values for cell in row if cell}
    assert {"L*****", "137****0002", "G1 branch"} <= texts
    assert not {"Leader", "Kilo", "13700000002"} & texts


def test_a_part_of_the_county_sees_its_own(client: Client) -> None:
    mine = staff(client, C1)
    (top,) = client.get(f"{BASE}/units", headers=mine).json()["units"]
    assert top["code"] == C1
    assert client.get(f"{BASE}/units/{GRID}", headers=mine).status_code == 200
    for code in (C2, FAR, COUNTY, D1, f"{C2}001", "nothing"):
        assert_problem(client.get(f"{BASE}/units/{code}", headers=mine), 403, "outside_your_area")
        assert_problem(client.get(f"{BASE}/units", params={"parent": code}, headers=mine), 403, "outside_your_area")
    for path in ("chains", "completeness", "vacancies", "overloaded", "sponsors", "gaps", "calls", "export"):
        assert_problem(client.get(f"{BASE}/{path}", params={"scope": C3}, headers=mine), 403, "outside_your_area")
    grids = client.get(f"{BASE}/completeness", headers=mine).json()["grids"]
    assert {grid["community"] for grid in grids} == {C1}
    rows = client.get(f"{BASE}/vacancies", headers=mine).json()["rows"]
    assert {row["community"] for row in rows} == {C1}
    drawn = client.get(f"{BASE}/map", params={"figure": "vacancies"}, headers=mine).json()
    assert {f["properties"]["community"] for f in drawn["features"]} == {C1}
    assert [c["code"] for c in client.get(f"{BASE}/committees", headers=mine).json()["communities"]] == [C1]


def test_a_part_of_the_county_changes_its_own(client: Client, tmp_path: Path) -> None:
    mine = staff(client, C2)
    for code in (LEADER, seat(COUNTY, PostKind.COUNTY_SECRETARY), seat(D1, PostKind.DEPARTMENT_HEAD), "x"):
        refused = client.put(f"{BASE}/posts/{code}", json={"holder": "A"}, headers=mine)
        assert_problem(refused, 403, "outside_your_area")
    own = seat(f"{C2}001", PostKind.GRID_LEADER)
    assert client.put(f"{BASE}/posts/{own}", json={"holder": "A"}, headers=mine).status_code == 200
    emergency(client)
    assert_problem(client.post(f"{BASE}/calls/{FIRST}/answer", json={}, headers=mine), 403, "outside_your_area")
    assert_problem(client.post(f"{BASE}/calls/{FIRST}/hand-back", json={}, headers=mine), 403, "outside_your_area")
    empty = seat(C2, PostKind.FIRST_SECRETARY)
    assert client.post(f"{BASE}/calls/{empty}/answer", json={}, headers=mine).status_code == 200
    assert_problem(client.put(f"{BASE}/rules", json={"handover_min": 9}, headers=mine), 403, "outside_your_area")
    body = workbook(tmp_path / "a.xlsx", HEADINGS)
    for step, more in (("preview", {}), ("apply", {"digest": "0" * 64})):
        params = {"filename": "a.xlsx", **more}
        refused = client.post(f"{BASE}/import/{step}", params=params, content=body, headers=mine)
        assert_problem(refused, 403, "outside_your_area")


def test_roles_that_have_no_business_here(client: Client) -> None:
    for role in (Role.WALL, Role.AUDITOR, Role.SHELTER_DESK):
        header = staff(client, COUNTY, role=role)
        assert_problem(client.get(f"{BASE}/units", headers=header), 403, "not_permitted")
    leader = staff(client, COUNTY, role=Role.LEADER)
    assert client.get(f"{BASE}/vacancies", headers=leader).status_code == 200
    assert_problem(client.put(f"{BASE}/posts/{LEADER}", json={"holder": "A"}, headers=leader), 403, "not_permitted")
    assert_problem(client.post(f"{BASE}/calls/{FIRST}/answer", json={}, headers=leader), 403, "not_permitted")

"""Publishing grids: by a second person, whole or not at all, with codes that are never given twice."""

import json
from pathlib import Path
from typing import Any

import pytest
import shapely
from sqlalchemy import Engine, event, func, select

from pingji.data import derive, journal
from pingji.data.engine import reading, writing
from pingji.data.errors import DuplicateCode, GridsHaveHistory
from pingji.data.features import load_features
from pingji.data.files import ImportOptions, plan_import
from pingji.data.grids import conflict, drafts, publish
from pingji.data.grids.difference import difference_of, net_of
from pingji.data.grids.ground import load_ground
from pingji.data.grids.history import descents, grids_at, moment_of
from pingji.data.grids.holding import held_scopes
from pingji.data.grids.news import latest_publication, open_sets
from pingji.data.grids.stored import same, to_hex
from pingji.data.tables import LAYER_TABLES, change_edit, change_set, grid_lineage, past_grids
from pingji.ops.change_set import (
    HeldByEmergency,
    NothingChanged,
    Overtaken,
    ProblemsLeft,
    SecondPersonNeeded,
    SetMoved,
    Status,
    Step,
    StepNotAllowed,
    take,
)
from tests import world
from tests.publishing import AT, AUTHOR, G1, G2, MERGE, REVIEWER, cut, draft, edit, fill, publish_it, published, submit
from tests.world import C1, C2, C3, COUNTY, FAR, NEAR


@pytest.fixture
def county(engine: Engine) -> Engine:
    return fill(engine)


def grids(engine: Engine) -> dict[str, Any]:
    with reading(engine) as conn:
        return {f.code: f for f in load_features(conn, COUNTY, "grids")}


def whole_store(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that publishing may write."""
    tables = [*LAYER_TABLES.values(), past_grids, grid_lineage, change_edit, change_set]
    with reading(engine) as conn:
        found: dict[str, list[tuple[Any, ...]]] = {}
        for table in tables:
            columns = [c for c in table.c if c.name != "geom"]
            rows = [tuple(map(str, row)) for row in conn.execute(select(*columns))]
            found[table.name] = sorted(rows)
        found["shapes"] = sorted((f.code, to_hex(f.geometry)) for f in load_features(conn, COUNTY, "grids"))
        return found


def test_a_cut_grid_is_published_with_a_new_code_and_its_history(county: Engine) -> None:
    before = grids(county)
    codes = published(county, cut(G2, 126.17))
    after = grids(county)
    new = f"{C1}003"
    assert list(codes.values()) == [new]
    assert set(after) == set(before) | {new}
    assert after[new].values["name"] == f"C{C1} 003"
    assert after[G2].values["leader"] == "Zhao"
    for code in (G2, new):
        assert after[code].values["began_at"] == AT
        assert str(after[code].values["valid_from"]) == "2023-11-15"  # 06:13 in Shanghai, the 14th in UTC
        assert after[code].values["valid_to"] is None
        assert after[code].values["reason"] == "split_for_size"
    assert after[G2].values["revision"] == before[G2].values["revision"] + 1
    with reading(county) as conn:
        (past,) = conn.execute(select(past_grids)).mappings().all()
        assert (past["code"], past["ended_at"], str(past["valid_to"])) == (G2, AT, "2023-11-15")
        assert past["household_count"] == before[G2].values["household_count"]
        assert [(d.from_, d.into, d.kind) for d in descents(conn, COUNTY, new)] == [(G2, new, "split")]
        (old,) = grids_at(conn, COUNTY, moment_of(AT - 1), codes=[G2])
        assert same(old.shape, before[G2].geometry)
        edits = drafts.edits(conn, COUNTY, past["ended_by"])
        assert edits[0].edit.added == (new,)  # the stored edit speaks of the grid by the code that it was given
        (entry,) = journal.latest(conn, COUNTY, 1)
        assert (entry.action, entry.actor, entry.detail["n"]) == ("publish", REVIEWER, 2)


def test_people_follow_their_grids_and_nothing_else_is_touched(county: Engine) -> None:
    published(county, cut(G2, 126.13))
    published(county, {"kind": "merge", "codes": [G2, f"{C1}003"], "into": f"{C1}003"})
    with reading(county) as conn:
        homes = load_features(conn, COUNTY, "households")
        now = grids_at(conn, COUNTY, moment_of(AT), communities=[C1])
        for home in homes:
            if home.values["community"] == C1:
                (grid, *_) = (v.code for v in now if shapely.intersects(v.shape, home.geometry))
                assert home.values["grid"] == grid
        assert sum(v.households for v in now) == world.HOUSEHOLDS_A_COMMUNITY
    updates: list[str] = []
    event.listen(
        county,
        "before_cursor_execute",
        lambda _c, _cur, statement, *_: updates.append(statement) if statement.startswith("UPDATE") else None,
    )
    with writing(county) as conn:
        derive.refresh(conn, COUNTY)
    assert updates == []  # the full refresh finds nothing left to do


def test_codes_go_from_west_to_east_and_are_never_given_twice(county: Engine) -> None:
    codes = published(county, cut(G2, 126.12), cut(G1, 126.02), cut(G1, 126.04))
    after = grids(county)
    new = sorted(codes.values())
    assert new == [f"{C1}003", f"{C1}004", f"{C1}005"]
    middles = [after[code].geometry.centroid.x for code in new]
    assert middles == sorted(middles)
    published(county, {"kind": "merge", "codes": [f"{C1}004", f"{C1}005", G1, G2, f"{C1}003"], "into": G1}, at=AT + 1)
    assert set(grids(county)) & {G1, G2, *new} == {G1}
    again = published(county, cut(G1, 126.1), at=AT + 2)
    assert list(again.values()) == [f"{C1}006"]


def test_a_neighbour_that_only_gets_a_vertex_stays_the_version_that_it_was(county: Engine) -> None:
    before = grids(county)[f"{C2}001"]
    corner = [[126.199, 43.1], [126.2, 43.099]]  # ends on the border with the next community
    published(county, {"kind": "split", "code": G2, "line": corner})
    after = grids(county)
    assert not same(after[f"{C2}001"].geometry, before.geometry)  # it has the vertex
    for name in ("began_at", "valid_from", "revision", "change_set"):
        assert after[f"{C2}001"].values[name] == before.values[name]
    with reading(county) as conn:
        assert set(conn.scalars(select(past_grids.c.code))) == {G2}
        for community in (C1, C2):
            ground = load_ground(conn, COUNTY, [community])
            polygons = ground.coverage.shapes(ground.own())
            assert shapely.coverage_is_valid(polygons)


def test_a_name_alone_makes_a_version_but_moves_nobody(county: Engine) -> None:
    before = grids(county)[G1]
    published(county, {"kind": "describe", "code": G1, "values": {"leader": "Sun"}})
    after = grids(county)[G1]
    assert (after.values["leader"], after.values["began_at"]) == ("Sun", AT)
    assert same(after.geometry, before.geometry)
    with reading(county) as conn:
        (old,) = grids_at(conn, COUNTY, moment_of(AT - 1), codes=[G1])
        assert old.leader == "Zhao"


def test_a_second_person_publishes_and_only_what_waits_for_it(county: Engine) -> None:
    id = draft(county, cut(G1, 126.05))
    edit(county, id, cut(G2, 126.15), actor="Chen")
    with reading(county) as conn, pytest.raises(StepNotAllowed):
        publish.check(conn, COUNTY, id, drafts.load(conn, COUNTY, id).revision, REVIEWER)
    waiting = submit(county, id)
    for actor in (AUTHOR, "Chen"):
        with reading(county) as conn, pytest.raises(SecondPersonNeeded):
            publish.check(conn, COUNTY, id, waiting.revision, actor)
    publish_it(county, id)
    with reading(county) as conn, pytest.raises(SetMoved):
        publish.check(conn, COUNTY, id, waiting.revision, REVIEWER)
    with pytest.raises(NothingChanged):
        submit(county, draft(county))


@pytest.mark.parametrize("exercise", [False, True])
@pytest.mark.parametrize(("scope", "held"), [(COUNTY, True), (NEAR, True), (C1, True), (C2, False), (FAR, False)])
def test_publishing_waits_while_people_are_counted_and_drafts_go_on(
    county: Engine, scope: str, held: bool, exercise: bool
) -> None:
    id = draft(county, cut(G1, 126.05))
    submit(county, id)
    world.press(county, "emergency", code=scope, exercise=exercise)
    if held:
        with pytest.raises(HeldByEmergency) as refused:
            publish_it(county, id)
        assert refused.value.params["exercise"] is exercise
        draft(county, cut(G2, 126.15))
    else:
        publish_it(county, id)
    with reading(county) as conn:
        assert {code for _, code, _ in held_scopes(conn, COUNTY)} == {
            COUNTY: {C1, C2, C3, world.C4},
            NEAR: {C1, C2},
            FAR: {C3, world.C4},
        }.get(scope, {scope})


def test_a_key_pressed_after_the_check_holds_the_publication_back(county: Engine) -> None:
    id = draft(county, cut(G1, 126.05))
    waiting = submit(county, id)
    with reading(county) as conn:
        checked = publish.check(conn, COUNTY, id, waiting.revision, REVIEWER)
    world.press(county, "emergency")
    before = whole_store(county)
    with pytest.raises(HeldByEmergency), writing(county) as conn:
        publish.publish(conn, COUNTY, checked, reviewer=REVIEWER, note="", at=AT, named=lambda c, code: code)
    assert whole_store(county) == before


class Crash(Exception):
    pass


@pytest.mark.parametrize("where", ["_link", "_recode_edits", "refresh_grids", "_tell"])
def test_whoever_fails_in_the_middle_leaves_nothing(
    county: Engine, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    id = draft(county, cut(G1, 126.04), MERGE)
    submit(county, id)
    before = whole_store(county)

    def crash(*_: Any) -> None:
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(publish, where, crash)
        with pytest.raises(Crash):
            publish_it(county, id)
    assert whole_store(county) == before
    publish_it(county, id)
    assert whole_store(county) != before


def test_new_errors_keep_a_change_set_from_being_published(county: Engine) -> None:
    square = shapely.box(126.0, 43.0, 126.09, 43.1)  # leaves a gap to the next
    grid = {"code": G1, "geometry": shapely.geometry.mapping(square)}
    id = draft(county, {"kind": "redraw", "grids": [grid, {"code": G2}]})
    submit(county, id)
    with pytest.raises(ProblemsLeft) as refused:
        publish_it(county, id)
    assert refused.value.params["n"] == len(refused.value.params["problems"]) > 0  # type: ignore[arg-type]
    assert refused.value.params["lonlat"] is not None


def test_the_second_of_two_drafts_sees_both_versions_and_goes_on(county: Engine) -> None:
    """One edit of it fits today's grids as well, the other doesn't and is set aside."""
    first = draft(county, {"kind": "reshape", "line": [[126.1, 43.0], [126.11, 43.05], [126.1, 43.1]]}, id="first")
    second = draft(county, cut(G1, 126.03), {"kind": "merge", "codes": [G1, G2], "into": G2}, id="second")
    edit(county, second, cut(G2, 126.15))
    submit(county, first)
    publish_it(county, first)
    submit(county, second)
    with pytest.raises(Overtaken) as refused:
        publish_it(county, second)
    assert set(refused.value.params["codes"]) >= {G1, G2}  # type: ignore[call-overload]
    with writing(county) as conn:
        found = drafts.load(conn, COUNTY, second)
        drafts.save(conn, COUNTY, take(found, Step.RETURN, REVIEWER, "look", AT), found.revision)
    with reading(county) as conn:
        found = drafts.load(conn, COUNTY, second)
        all_edits = drafts.edits(conn, COUNTY, second)
        overlay = drafts.overlay(drafts.in_force(found, all_edits))
        by_code = {c.code: c for c in conflict.conflicts_of(conn, COUNTY, found, overlay)}
        publisher = by_code[G1].by
        assert publisher is not None
        assert publisher.id == first
        assert by_code[G1].base is not None
        assert not same(by_code[G1].base, by_code[G1].theirs)
        assert not same(by_code[G1].mine, by_code[G1].theirs)
        done = conflict.carried_out_again(conn, COUNTY, found, all_edits)
    assert [one.refused for one in done] == [None, None, None]
    with writing(county) as conn:
        after = conflict.save_again(conn, COUNTY, found, done, {}, AUTHOR, AT + 5)
    assert (after.position, after.length, after.revision) == (3, 3, found.revision + 1)
    submit(county, second, AT + 6)
    publish_it(county, second, at=AT + 6)
    with reading(county) as conn:
        ground = load_ground(conn, COUNTY, [C1])
        assert shapely.coverage_is_valid(ground.coverage.shapes(ground.own()))


def test_two_drafts_that_name_different_leaders_are_a_conflict_too(county: Engine) -> None:
    def name(leader: str) -> dict[str, object]:
        return {"kind": "describe", "code": G1, "values": {"leader": leader}}

    mine = draft(county, name("Zhao Min"), id="mine")
    other = draft(county, {"kind": "describe", "code": G1, "values": {"name": "Mill yard"}}, id="other")
    published(county, name("Qian Li"), id="theirs")
    submit(county, mine)
    with pytest.raises(Overtaken) as refused:
        publish_it(county, mine)
    assert refused.value.params == {"codes": (G1,)}
    submit(county, other)
    publish_it(county, other, at=AT + 9)  # another column of the same grid: nothing is overwritten
    with reading(county) as conn:
        row = load_ground(conn, COUNTY, [C1]).rows[G1]
    assert (row["leader"], row["name"]) == ("Qian Li", "Mill yard")


def test_an_edit_that_does_not_go_any_more_is_set_aside_and_not_lost(county: Engine) -> None:
    mine = draft(county, cut(G2, 126.15), cut(G1, 126.03), id="mine")
    published(county, MERGE, id="theirs")  # the second grid ends
    with reading(county) as conn:
        found = drafts.load(conn, COUNTY, mine)
        all_edits = drafts.edits(conn, COUNTY, mine)
        done = conflict.carried_out_again(conn, COUNTY, found, all_edits)
    assert [type(one.refused).__name__ for one in done] == ["UnknownCode", "NoneType"]
    refusal = {"key": "unknown_code", "params": {"codes": [G2]}}
    with writing(county) as conn:
        after = conflict.save_again(conn, COUNTY, found, done, {done[0].stored.seq: refusal}, AUTHOR, AT + 5)
        kept = drafts.edits(conn, COUNTY, mine)
    assert (after.position, after.length) == (1, 1)
    assert [(e.set_aside, dict(e.refusal)) for e in kept] == [(True, refusal), (False, {})]
    assert dict(kept[0].intent) == dict(cut(G2, 126.15))
    submit(county, mine, AT + 6)
    publish_it(county, mine, at=AT + 6)


def test_later_edits_find_the_new_grids_of_earlier_ones_again(county: Engine) -> None:
    mine = draft(county, cut(G2, 126.15), cut(G1, 126.03), id="mine")
    with reading(county) as conn:
        new = [e.edit.added[0] for e in drafts.edits(conn, COUNTY, mine)]
    edit(county, mine, {"kind": "describe", "code": new[1], "values": {"name": "West"}})
    published(county, MERGE, id="theirs")
    with reading(county) as conn:
        found = drafts.load(conn, COUNTY, mine)
        done = conflict.carried_out_again(conn, COUNTY, found, drafts.edits(conn, COUNTY, mine))
    assert [one.refused is None for one in done] == [False, True, True]
    assert done[1].edit.added == (new[1],)
    assert dict(done[2].values) == {new[1]: {"name": "West"}}


def test_difference_tells_who_gains_what(county: Engine) -> None:
    id = draft(county, cut(G2, 126.13), {"kind": "describe", "code": G1, "values": {"leader": "Sun"}})
    with reading(county) as conn:
        found = drafts.load(conn, COUNTY, id)
        overlay = drafts.overlay(drafts.in_force(found, drafts.edits(conn, COUNTY, id)))
        before, after = load_ground(conn, COUNTY, [C1]), load_ground(conn, COUNTY, [C1], overlay)
        whole = difference_of(before, after, net_of(overlay, before.rows, after.coverage), overlay)
    by_state = {row.state: row for row in whole.rows}
    assert set(by_state) == {"new", "changed", "redescribed"}
    new, changed = by_state["new"], by_state["changed"]
    assert new.from_ == (G2,)
    assert changed.into == (new.code,)
    assert new.gained_m2 == pytest.approx(changed.lost_m2)
    assert new.before is None
    assert changed.before is not None
    assert changed.after is not None
    assert new.after is not None
    assert changed.before.households == changed.after.households + new.after.households
    assert by_state["redescribed"].gained_m2 == by_state["redescribed"].lost_m2 == 0
    assert whole.totals_before.households == whole.totals_after.households == world.HOUSEHOLDS_A_COMMUNITY
    assert whole.totals_after.grids == whole.totals_before.grids + 1
    assert whole.totals_after.area_m2 == pytest.approx(whole.totals_before.area_m2)


def test_screens_hear_of_publications_and_staff_of_drafts(county: Engine) -> None:
    with reading(county) as conn:
        assert latest_publication(conn, COUNTY).version == 0
        assert open_sets(conn, COUNTY) == []
    published(county, cut(G1, 126.05), id="one")
    published(county, {"kind": "merge", "codes": [f"{C2}001", f"{C2}002"]}, communities=[C2], id="two", at=AT + 1)
    draft(county, cut(G2, 126.15), id="three")
    with reading(county) as conn:
        latest = latest_publication(conn, COUNTY)
        assert (latest.version, latest.set, latest.communities, latest.at) == (2, "two", (C2,), AT + 1)
        assert [(one["id"], one["status"]) for one in open_sets(conn, COUNTY)] == [("three", "draft")]


def test_the_same_press_twice_publishes_once(county: Engine) -> None:
    id = draft(county, cut(G1, 126.05))
    waiting = submit(county, id)
    codes = publish_it(county, id)
    with reading(county) as conn:
        found = drafts.load(conn, COUNTY, id)
        assert found.status is Status.PUBLISHED
        again = publish.earlier_publication(conn, COUNTY, found, waiting.revision, REVIEWER)
        assert again is not None
        assert dict(again.codes) == codes
        assert publish.earlier_publication(conn, COUNTY, found, waiting.revision, "Zhou") is None
        assert conn.scalars(select(func.count()).select_from(past_grids)).one() == 1


def test_a_layer_with_a_past_is_not_replaced_outright(county: Engine, tmp_path: Path) -> None:
    """That would forget the past; a file of grids is a change set then."""
    file = tmp_path / "grids.geojson"
    square = shapely.geometry.mapping(shapely.box(126.0, 43.0, 126.1, 43.1))
    feature = {"type": "Feature", "geometry": square, "properties": {"code": G1, "community": C1}}
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    whole = ImportOptions(county=COUNTY, replace=True, accept_offset="none")
    with reading(county) as conn:
        assert not plan_import(conn, "grids", [file], whole).report.errors
    draft(county, cut(G1, 126.03), id="under way")  # somebody's work would lose its ground
    with reading(county) as conn, pytest.raises(GridsHaveHistory):
        plan_import(conn, "grids", [file], whole)
    with writing(county) as conn:
        found = drafts.load(conn, COUNTY, "under way")
        drafts.save(conn, COUNTY, take(found, Step.DISCARD, AUTHOR, "", AT), found.revision)
    published(county, MERGE)
    with reading(county) as conn, pytest.raises(GridsHaveHistory):
        plan_import(conn, "grids", [file], whole)
    gone = {**feature, "properties": {"code": G2, "community": C1}}
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [gone]}))
    with reading(county) as conn:  # nor is the code of a grid that ended given to another
        (error,) = plan_import(conn, "grids", [file], ImportOptions(county=COUNTY, accept_offset="none")).report.errors
    assert isinstance(error, DuplicateCode)


def test_grids_are_not_replaced_while_people_are_counted(county: Engine, tmp_path: Path) -> None:
    world.press(county, "emergency", exercise=True)
    file = tmp_path / "grids.geojson"
    file.write_text("{}")
    with reading(county) as conn, pytest.raises(GridsHaveHistory):
        plan_import(conn, "grids", [file], ImportOptions(county=COUNTY, replace=True))

"""Drafts of grids on both stores: what an edit keeps, what undo gives back to the byte, and what a draft is told."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, Engine, insert, select, update

from pingji.data import features
from pingji.data.bulk import insert_rows
from pingji.data.engine import reading, writing
from pingji.data.grids import drafts
from pingji.data.grids.accepting import NotAlone, UnknownProposal
from pingji.data.grids.drafts import StoredEdit
from pingji.data.grids.figures import figures_of, figures_of_shapes, total_of
from pingji.data.grids.ground import Ground, UnknownCommunity, load_ground, stale
from pingji.data.grids.intents import NothingWouldChange, UnknownBuilding, WouldCutBuilding, carry_out, remembered
from pingji.data.grids.problems import problems_of
from pingji.data.grids.stored import plain, same, to_hex
from pingji.data.grids.summary import community_summaries
from pingji.data.tables import LAYER_TABLES, change_edit, grid_proposal
from pingji.geo.coverage.errors import (
    CodeTaken,
    CoverageError,
    LineDoesNotCross,
    NotAdjacent,
    NoVertexThere,
    OutsideCommunity,
    UnknownCode,
    WouldEmpty,
)
from pingji.ops.change_set import (
    ChangeSet,
    NothingToUndo,
    OutsideChangeSet,
    Reason,
    SetMoved,
    Status,
    UnknownChangeSet,
)
from pingji.ops.errors import OpsError
from tests import demo
from tests.grid_county import COUNTY, GRIDS, HOME, NEXT, NEXT_GRIDS, code, filled, halves, line

Intent = dict[str, Any]
NEW = f"{HOME}n01"

SPLIT: Intent = {"kind": "split", "code": code(1), "line": halves(code(1))}
MERGE: Intent = {"kind": "merge", "codes": [code(5), code(6)], "into": code(6)}
BULGE: Intent = {"kind": "reshape", "line": line((126.51, 43.612), (126.512, 43.615), (126.51, 43.618))}
MOVE: Intent = {"kind": "move_vertex", "at": [126.51, 43.61], "to": [126.511, 43.6105]}
GIVE: Intent = {"kind": "give", "to": code(2), "building": "B1"}
DESCRIBE: Intent = {"kind": "describe", "code": code(3), "values": {"name": "North", "leader": ""}}


def begin(conn: Connection, id: str = "s1", communities: Sequence[str] = (HOME,)) -> ChangeSet:
    return drafts.begin(
        conn,
        COUNTY,
        id=id,
        name="A set",
        reason=Reason.CORRECTION,
        note="because",
        origin="drawn",
        author="Ann",
        communities=communities,
        at=1,
    )


def in_force(conn: Connection, id: str = "s1") -> list[StoredEdit]:
    return drafts.in_force(drafts.load(conn, COUNTY, id), drafts.edits(conn, COUNTY, id))


def ground(conn: Connection, id: str | None = "s1", communities: Sequence[str] = (HOME,)) -> Ground:
    return load_ground(conn, COUNTY, communities, drafts.overlay(in_force(conn, id)) if id else None)


def edit(engine: Engine, intent: Intent, *, id: str = "s1", actor: str = "Ann", edit_id: str = "") -> ChangeSet:
    """Carry an intent out and keep it, as the command does."""
    with writing(engine) as conn:
        now = ground(conn, id)
        done, values = carry_out(conn, COUNTY, now, intent)
        kept = remembered(intent, HOME, done)
        return drafts.append(
            conn,
            COUNTY,
            drafts.load(conn, COUNTY, id),
            edit_id=edit_id or str(intent),
            intent=kept,
            edit=done,
            values=values,
            actor=actor,
            at=2,
        )


def refused(engine: Engine, intent: Intent, *, id: str = "s1") -> Any:
    with reading(engine) as conn:
        carry_out(conn, COUNTY, ground(conn, id), intent)


def bytes_of(found: Ground) -> dict[str, str]:
    return {c: to_hex(found.coverage[c]) for c in found.coverage.codes}


@pytest.fixture
def store(engine: Engine) -> Engine:
    filled(engine)
    with writing(engine) as conn:
        begin(conn)
    return engine


def test_what_is_loaded_is_what_is_stored_and_the_ring_around(engine: Engine) -> None:
    filled(engine)
    with reading(engine) as conn:
        found = ground(conn, None)
        assert found.own() == tuple(GRIDS)
        assert found.around() == tuple(NEXT_GRIDS)
        assert all(same(found.coverage[c], shape) for c, shape in {**GRIDS, **NEXT_GRIDS}.items())
        assert {shape.geom_type for shape in found.coverage.polygons} == {"Polygon"}
        assert found.buildings.codes == ("B1", "B2")  # a point has no outline
        assert found.rows[code(1)]["leader"] == "Wang"
        with pytest.raises(UnknownCommunity) as refusal:
            load_ground(conn, COUNTY, [HOME, "nowhere"])
    assert refusal.value.params == {"community": "nowhere"}


def test_a_change_set_begins_once_and_reads_back(store: Engine) -> None:
    with writing(store) as conn:
        again = begin(conn)
        other = drafts.begin(
            conn,
            COUNTY,
            id="s2",
            name="Other",
            reason=Reason.CONSTRUCTION,
            note="",
            origin="import",
            author="Bob",
            communities=[NEXT, NEXT],
            at=9,
        )
    assert (again.name, again.status, again.reason, again.note) == ("A set", Status.DRAFT, Reason.CORRECTION, "because")
    assert (again.revision, again.position, again.length, again.editors) == (1, 0, 0, ())
    assert other.communities == (NEXT,)
    with reading(store) as conn:
        assert [s.id for s in drafts.load_all(conn, COUNTY)] == ["s2", "s1"]
        assert [s.id for s in drafts.load_all(conn, COUNTY, community=HOME)] == ["s1"]
        assert drafts.load_all(conn, COUNTY, status=Status.PUBLISHED) == []
        with pytest.raises(UnknownChangeSet):
            drafts.load(conn, COUNTY, "nothing")
        with pytest.raises(UnknownChangeSet):
            drafts.load(conn, "another county", "s1")


def test_edits_are_read_back_to_the_byte_and_undo_gives_back_every_byte(store: Engine) -> None:
    with reading(store) as conn:
        before = bytes_of(ground(conn))
    states = [before]
    for intent in (SPLIT, MERGE, BULGE, MOVE, GIVE, DESCRIBE):
        with reading(store) as conn:
            now = ground(conn)
            done, values = carry_out(conn, COUNTY, now, intent)
            expected = bytes_of(now.with_edit(done, values))
        edit(store, intent)
        with reading(store) as conn:
            assert bytes_of(ground(conn)) == expected, intent["kind"]
        states.append(expected)
    with reading(store) as conn:
        laid = drafts.overlay(in_force(conn))
        assert ground(conn).rows[code(3)]["name"] == "North"
    assert NEW in laid.added
    assert laid.ended == (code(5),)
    for expected in reversed(states[:-1]):
        with writing(store) as conn:
            drafts.step(conn, COUNTY, drafts.load(conn, COUNTY, "s1"), -1, 3)
        with reading(store) as conn:
            assert bytes_of(ground(conn)) == expected
    with writing(store) as conn:
        empty = drafts.load(conn, COUNTY, "s1")
        nothing = drafts.overlay(in_force(conn))
        assert (empty.position, empty.length, empty.editors) == (0, 6, ())
        assert (nothing.before, nothing.after, nothing.values, nothing.lineage) == ({}, {}, {}, ())
        with pytest.raises(NothingToUndo):
            drafts.step(conn, COUNTY, empty, -1, 3)
    for expected in states[1:]:
        with writing(store) as conn:
            drafts.step(conn, COUNTY, drafts.load(conn, COUNTY, "s1"), 1, 3)
        with reading(store) as conn:
            assert bytes_of(ground(conn)) == expected
    with writing(store) as conn, pytest.raises(NothingToUndo):
        drafts.step(conn, COUNTY, drafts.load(conn, COUNTY, "s1"), 1, 3)


def test_a_draft_changes_nothing_that_is_published(store: Engine) -> None:
    table = LAYER_TABLES["grids"]
    with reading(store) as conn:
        before = conn.execute(select(table.c.code, features.wkb(conn, table)).order_by(table.c.code)).all()
    for intent in (SPLIT, MERGE, MOVE):
        edit(store, intent)
    with reading(store) as conn:
        assert conn.execute(select(table.c.code, features.wkb(conn, table)).order_by(table.c.code)).all() == before
        assert ground(conn).published.codes == (*GRIDS, *NEXT_GRIDS)


def test_a_new_edit_ends_what_was_undone_but_not_what_was_set_aside(store: Engine) -> None:
    edit(store, SPLIT)
    edit(store, MERGE)
    with writing(store) as conn:
        c = change_edit.c
        conn.execute(update(change_edit).where(c.change_set == "s1", c.seq == 1).values(set_aside=True))
        found = drafts.load(conn, COUNTY, "s1")
        assert (found.length, found.position) == (1, 2)  # whoever sets aside lowers the position as well
        conn.execute(update(change_edit).where(c.change_set == "s1", c.seq == 1).values(set_aside=False))
        drafts.step(conn, COUNTY, drafts.load(conn, COUNTY, "s1"), -1, 3)
        conn.execute(update(change_edit).where(c.change_set == "s1", c.seq == 1).values(set_aside=True))
        aside = drafts.load(conn, COUNTY, "s1")
        drafts.save(conn, COUNTY, replaced(aside, position=0, revision=aside.revision + 1), aside.revision)
    after = edit(store, BULGE)
    with reading(store) as conn:
        stored = drafts.edits(conn, COUNTY, "s1")
    assert [(e.kind, e.set_aside) for e in stored] == [("split", True), ("reshape", False)]
    assert (after.position, after.length) == (1, 1)


def replaced(change_set: ChangeSet, **changed: object) -> ChangeSet:
    from dataclasses import replace

    return replace(change_set, **changed)  # type: ignore[arg-type]


def test_of_two_editors_the_later_one_is_refused_and_nothing_of_the_first_is_lost(store: Engine) -> None:
    with reading(store) as conn:
        seen = drafts.load(conn, COUNTY, "s1")
        mine, _ = carry_out(conn, COUNTY, ground(conn), SPLIT)
    edit(store, MERGE, actor="Bob")
    with pytest.raises(SetMoved) as refusal, writing(store) as conn:
        drafts.append(conn, COUNTY, seen, edit_id="x", intent=SPLIT, edit=mine, values={}, actor="Ann", at=2)
    assert refusal.value.params == {"revision": seen.revision + 1, "yours": seen.revision}
    with reading(store) as conn:
        now = drafts.load(conn, COUNTY, "s1")
        assert [e.kind for e in drafts.edits(conn, COUNTY, "s1")] == ["merge"]
    assert (now.editors, now.revision) == (("Bob",), 2)


def test_who_edited_is_who_has_an_edit_in_force(store: Engine) -> None:
    edit(store, SPLIT, actor="Ann")
    assert edit(store, MERGE, actor="Bob").editors == ("Ann", "Bob")
    with writing(store) as conn:
        assert drafts.step(conn, COUNTY, drafts.load(conn, COUNTY, "s1"), -1, 3).editors == ("Ann",)


def test_lineage_passes_over_what_came_and_went(store: Engine) -> None:
    edit(store, SPLIT)
    with reading(store) as conn:
        assert drafts.overlay(in_force(conn)).lineage == ((code(1), NEW, "split"),)
    edit(store, {"kind": "merge", "codes": [NEW, code(2)], "into": code(2)})
    with reading(store) as conn:
        laid = drafts.overlay(in_force(conn))
    assert laid.lineage == ((code(1), code(2), "split"),)
    assert NEW not in laid.after
    assert NEW in laid.used
    edit(store, SPLIT | {"code": code(5), "line": halves(code(5))})
    with reading(store) as conn:
        assert drafts.overlay(in_force(conn)).added == (f"{HOME}n02",)  # n01 came and went, and is not used again


def test_what_is_moved_there_and_back_is_no_change(store: Engine) -> None:
    edit(store, MOVE)
    edit(store, {"kind": "move_vertex", "at": MOVE["to"], "to": MOVE["at"]})
    with reading(store) as conn:
        laid = drafts.overlay(in_force(conn))
        assert ground(conn).changed == ()
    assert (laid.before, laid.after) == ({}, {})


def test_an_intent_done_again_gives_the_same_codes(store: Engine) -> None:
    edit(store, SPLIT)
    edit(store, SPLIT | {"code": code(5), "line": halves(code(5))})
    with reading(store) as conn:
        second = drafts.edits(conn, COUNTY, "s1")[1]
        anew, _ = carry_out(conn, COUNTY, ground(conn, None), second.intent)  # without the first one
    assert anew.added == second.edit.added == (f"{HOME}n02",)


def test_stale_grids_are_those_that_changed_below_the_draft(store: Engine) -> None:
    edit(store, SPLIT)
    edit(store, DESCRIBE)
    table = LAYER_TABLES["grids"]
    with reading(store) as conn:
        laid = drafts.overlay(in_force(conn))
        assert stale(conn, COUNTY, laid) == []
    with writing(store) as conn:
        conn.execute(update(table).where(table.c.code == code(1)).values(name="renamed"))
        assert stale(conn, COUNTY, laid) == []
        conn.execute(table.delete().where(table.c.code.in_([code(1), code(3)])))
        moved = shapely.segmentize(GRIDS[code(1)], 0.004)
        features.insert(conn, COUNTY, "grids", [{"code": code(1), "community": HOME, "geom": moved}])
        assert stale(conn, COUNTY, laid) == [code(1), code(3)]


def brute_force(shapes: Mapping[str, BaseGeometry], conn: Connection) -> dict[str, tuple[int, int, int]]:
    """Households, residents and party households, each point asked of each grid, in the order of codes."""
    counted = {c: [0, 0, 0] for c in shapes}
    for layer, row in (("households", 0), ("party_households", 2)):
        for feature in features.load_features(conn, COUNTY, layer):
            first = next((c for c in sorted(shapes) if shapes[c].intersects(feature.geometry)), None)
            if first is not None:
                counted[first][row] += 1
                counted[first][1] += int(str(feature.values.get("residents", 0)))
    return {c: (a, b, p) for c, (a, b, p) in counted.items()}


def test_figures_are_those_of_an_independent_count(store: Engine) -> None:
    for intent in (None, SPLIT, MERGE, BULGE, MOVE):
        if intent is not None:
            edit(store, intent)
        with reading(store) as conn:
            found = ground(conn)
            figures = figures_of(found)
            expected = brute_force({c: found.coverage[c] for c in found.coverage.codes}, conn)
            stored = {f.code: f.values for f in features.load_features(conn, COUNTY, "grids")}
        assert list(figures) == list(found.own())
        for c, f in figures.items():
            assert (f.households, f.residents, f.party_households) == expected[c], (intent, c)
            if intent is None:
                assert f.households == stored[c]["household_count"]
                assert f.residents == stored[c]["resident_count"]
        total = total_of(figures.values())
        assert total.grids == len(found.own())
        assert total.area_m2 == pytest.approx(sum(f.area_m2 for f in figures.values()))
    assert len({f.households for f in figures.values()}) > 2  # points on borders do change hands


def test_figures_of_shapes_that_are_no_grids(store: Engine) -> None:
    with reading(store) as conn:
        found = ground(conn, None)
    both = plain(shapely.union(GRIDS[code(1)], GRIDS[code(2)]))
    figures = figures_of_shapes(found, {"x": both})["x"]
    split = figures_of(found)
    assert figures.households == split[code(1)].households + split[code(2)].households + 0
    assert figures.area_m2 == pytest.approx(split[code(1)].area_m2 + split[code(2)].area_m2)


def test_communities_to_choose_from(store: Engine) -> None:
    with reading(store) as conn:
        home, neighbour = community_summaries(conn, COUNTY)
        figures = total_of(figures_of(ground(conn, None)).values())
    assert (home.code, home.township_name, home.grids, neighbour.grids) == (HOME, "Town", 6, 2)
    assert (home.households, home.in_range) == (figures.households, figures.in_range)
    assert home.bounds == shapely.union_all(list(GRIDS.values())).bounds


def test_a_sound_community_has_no_errors(store: Engine) -> None:
    with reading(store) as conn:
        found = problems_of(ground(conn))
    assert {p.kind for p in found} == {"too_few"}
    assert not any(p.new for p in found)


def codes_of(refusal: OpsError) -> tuple[object, ...]:
    codes = refusal.params["codes"]
    assert isinstance(codes, tuple)
    return codes


def damage(engine: Engine) -> None:
    """Published borders with a gap of a metre between 001 and 003, and a household in it."""
    table = LAYER_TABLES["grids"]
    west, south, east, north = GRIDS[code(1)].bounds
    with writing(engine) as conn:
        conn.execute(table.delete().where(table.c.code == code(1)))
        low = {"code": code(1), "community": HOME, "geom": shapely.box(west, south, east, north - 1e-5)}
        features.insert(conn, COUNTY, "grids", [low])
        home = shapely.Point((west + east) / 2, north - 5e-6)
        features.insert(conn, COUNTY, "households", [{"code": "lost", "community": HOME, "geom": home}])


def test_old_problems_are_told_from_new_ones_and_come_with_their_repair(store: Engine) -> None:
    damage(store)
    with reading(store) as conn:
        errors = [p for p in problems_of(ground(conn)) if p.severity == "error"]
    assert {p.kind for p in errors} == {"gap", "household_outside"}
    gap = next(p for p in errors if p.kind == "gap")
    assert set(gap.codes) >= {code(1), code(3)}
    assert gap.lonlat is not None
    assert GRIDS[code(1)].contains(shapely.Point(gap.lonlat))
    assert next(p for p in errors if p.kind == "household_outside").params["household"] == "lost"
    edit(store, MERGE)  # elsewhere
    with reading(store) as conn:
        assert not any(p.new for p in problems_of(ground(conn)) if p.severity == "error")
    assert gap.repair is not None
    edit(store, dict(gap.repair))
    with reading(store) as conn:
        found = ground(conn)
        assert [p.kind for p in problems_of(found) if p.severity == "error"] == []
        counted = brute_force({c: found.coverage[c] for c in found.coverage.codes}, conn)
        assert {c: f.households for c, f in figures_of(found).items()} == {c: counted[c][0] for c in found.own()}
        assert sum(households for households, _, _ in counted.values()) == 801


def test_a_building_that_an_edit_cuts_is_a_new_error_and_can_be_given_whole(store: Engine) -> None:
    west, _, east, _ = GRIDS[code(1)].bounds
    through = line((west - 1e-5, 43.60405), (east + 1e-5, 43.60405))  # through B1, lengthwise
    edit(store, {"kind": "split", "code": code(1), "line": through})
    with reading(store) as conn:
        (cut,) = (p for p in problems_of(ground(conn)) if p.kind == "building_cut")
    assert cut.new
    assert cut.severity == "error"
    assert cut.params["building"] == "B1"
    assert set(cut.codes) == {code(1), NEW}
    assert cut.repair == {"kind": "give", "to": cut.params["to"], "building": "B1"}
    edit(store, dict(cut.repair))
    with reading(store) as conn:
        assert not [p for p in problems_of(ground(conn)) if p.kind == "building_cut"]


def test_a_building_is_not_given_at_the_price_of_another_one(store: Engine) -> None:
    with writing(store) as conn:
        wall = shapely.box(126.5, 43.60985, 126.51, 43.60995)  # all along the border, between B2 and 003
        insert_rows(conn, LAYER_TABLES["buildings"], COUNTY, {"code": ["WALL"], "geom": [wall]})
    with pytest.raises(WouldCutBuilding) as refusal:
        refused(store, {"kind": "give", "to": code(3), "building": "B2"})
    assert refusal.value.params["building"] == "WALL"
    assert sorted(str(c) for c in codes_of(refusal.value)) == [code(1), code(3)]
    assert refusal.value.params["lonlat"] is not None


@pytest.mark.parametrize(
    ("intent", "error", "codes"),
    [
        (SPLIT | {"code": "nothing"}, UnknownCode, ("nothing",)),
        (SPLIT | {"line": line((126.501, 43.605), (126.509, 43.605))}, LineDoesNotCross, (code(1),)),
        ({"kind": "merge", "codes": [code(1), code(4)], "into": code(4)}, NotAdjacent, (code(1),)),
        ({"kind": "merge", "codes": [code(1), code(2)], "into": code(5)}, CodeTaken, (code(5),)),
        (MOVE | {"at": [126.505, 43.605]}, NoVertexThere, None),
        (MOVE | {"at": [126.5, 43.61], "to": [126.499, 43.61]}, OutsideCommunity, (code(1), code(3))),
        ({"kind": "give", "to": code(2), "ground": None}, WouldEmpty, (code(1),)),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else None,
)
def test_a_refusal_names_the_grids_and_the_place(
    store: Engine, intent: Intent, error: type[CoverageError], codes: tuple[str, ...] | None
) -> None:
    if "ground" in intent:
        intent = intent | {"ground": shapely.geometry.mapping(GRIDS[code(1)])}
    with pytest.raises(error) as refusal:
        refused(store, intent)
    if codes is not None:
        assert refusal.value.params["codes"] == codes
    if error not in (UnknownCode, CodeTaken):
        where = refusal.value.params["lonlat"]
        assert isinstance(where, tuple)
        assert shapely.box(126.4, 43.5, 126.6, 43.7).contains(shapely.Point(where))


def test_other_communities_are_left_alone(store: Engine) -> None:
    far = code(1, NEXT)
    for intent in (
        SPLIT | {"code": far},
        {"kind": "merge", "codes": [far, code(2, NEXT)]},
        {"kind": "describe", "code": far, "values": {"name": "x"}},
        {"kind": "move_vertex", "at": [126.53, 43.61], "to": [126.53, 43.611]},
    ):
        with pytest.raises((OutsideChangeSet, OutsideCommunity)):
            refused(store, intent)


def test_a_node_on_the_common_border_goes_into_the_neighbours_grid_too(store: Engine) -> None:
    edit(store, SPLIT | {"code": code(2), "line": halves(code(2))})  # its eastern end is on the border of NEXT
    with reading(store) as conn:
        laid = drafts.overlay(in_force(conn))
        found = load_ground(conn, COUNTY, [HOME, NEXT], laid)
    assert code(1, NEXT) in laid.after
    assert shapely.coverage_is_valid(found.coverage.polygons)


def test_what_changes_nothing_is_said_so(store: Engine) -> None:
    for intent in (
        {"kind": "repair", "gap_m": 2.0, "overlap_m": 2.0},
        {"kind": "simplify", "codes": list(GRIDS), "tolerance_m": 1.0},
        {"kind": "describe", "code": code(1), "values": {"leader": "Wang"}},
    ):
        with pytest.raises(NothingWouldChange):
            refused(store, intent)
    with pytest.raises(UnknownBuilding):
        refused(store, GIVE | {"building": "B3"})  # a point


def propose(engine: Engine, shapes: Mapping[str, BaseGeometry]) -> None:
    grids = [{"code": c, "wkb": to_hex(shape), "households": 0} for c, shape in shapes.items()]
    row = {"county": COUNTY, "id": "p1", "community": HOME, "actor": "Ann", "at": 1, "request": {}}
    with writing(engine) as conn:
        conn.execute(insert(grid_proposal), {**row, "candidates": [{"scores": {}, "grids": grids}]})


STRIPS = {  # two columns where there are six squares, and what is left of 005 and 006
    code(1): shapely.box(126.5, 43.6, 126.51, 43.625),
    "": shapely.box(126.51, 43.6, 126.52, 43.625),
    code(5): shapely.box(126.5, 43.625, 126.52, 43.63),
}


def test_a_proposal_is_taken_whole(store: Engine) -> None:
    propose(store, STRIPS)
    edit(store, {"kind": "proposal", "proposal": "p1", "candidate": 0})
    with reading(store) as conn:
        found = ground(conn)
        assert found.own() == (code(1), code(5), NEW)
        assert [p.kind for p in problems_of(found) if p.severity == "error"] == []
        assert {b for _, b, _ in drafts.overlay(in_force(conn)).lineage} <= {code(1), code(5), NEW}


def test_a_part_of_a_proposal_leaves_the_rest_of_todays_grids(store: Engine) -> None:
    propose(store, STRIPS)
    edit(store, {"kind": "proposal", "proposal": "p1", "candidate": 0, "grids": [0]})
    with reading(store) as conn:
        found = ground(conn)
        errors = [p.kind for p in problems_of(found) if p.severity == "error"]
    assert found.own() == (code(1), code(2), code(4), code(5), code(6))
    assert errors == []
    assert found.coverage[code(5)].equals(shapely.box(126.5, 43.625, 126.51, 43.63))


def test_a_part_that_would_leave_crumbs_is_refused(store: Engine) -> None:
    across = shapely.box(126.5, 43.604, 126.51, 43.606)  # cuts 001 in two
    rest = shapely.union_all(list(GRIDS.values())).difference(across)
    propose(store, {"": across, code(1): rest})
    intent = {"kind": "proposal", "proposal": "p1", "candidate": 0}
    with pytest.raises(NotAlone) as refusal:
        refused(store, intent | {"grids": [0]})
    assert refusal.value.params["codes"] == (code(1),)
    for wrong in (intent | {"grids": [2]}, intent | {"candidate": 1}, intent | {"proposal": "p2"}):
        with pytest.raises(UnknownProposal):
            refused(store, wrong)


def test_a_redrawing_keeps_what_is_the_same_and_numbers_what_is_new(store: Engine) -> None:
    grids = [{"code": c, "geometry": shapely.geometry.mapping(s)} for c, s in GRIDS.items() if c != code(1)]
    west, east = shapely.box(126.5, 43.6, 126.505, 43.61), shapely.box(126.505, 43.6, 126.51, 43.61)
    grids += [{"code": "", "geometry": shapely.geometry.mapping(s)} for s in (west, east)]
    edit(store, {"kind": "redraw", "grids": grids})
    with reading(store) as conn:
        laid = drafts.overlay(in_force(conn))
    assert laid.ended == (code(1),)
    assert laid.added == (NEW, f"{HOME}n02")
    assert laid.communities == {NEW: HOME, f"{HOME}n02": HOME}


def test_a_broken_grid_is_reported_and_does_not_break_the_workbench(store: Engine) -> None:
    table = LAYER_TABLES["grids"]
    west, south, east, north = GRIDS[code(1)].bounds
    bow = shapely.Polygon([(west, south), (east, north), (east, south), (west, north)])
    with writing(store) as conn:
        conn.execute(table.delete().where(table.c.code == code(1)))
        features.insert(conn, COUNTY, "grids", [{"code": code(1), "community": HOME, "geom": bow}])
    with reading(store) as conn:
        kinds = {p.kind for p in problems_of(ground(conn))}
    assert "invalid" in kinds
    for intent in (SPLIT, {"kind": "merge", "codes": [code(1), code(2)]}, BULGE | {"line": halves(code(1))}, GIVE):
        with pytest.raises(CoverageError):
            refused(store, intent)


def test_the_demo_county_is_edited_on_its_own_borders(engine: Engine) -> None:
    from pingji.data.demo import save_county

    save_county(engine, demo.county())
    with reading(engine) as conn:
        biggest = max(community_summaries(conn, COUNTY), key=lambda one: one.grids)
        found = load_ground(conn, COUNTY, [biggest.code])
        assert [p.kind for p in problems_of(found) if p.severity == "error"] == []
        figures = figures_of(found)
        stored = {f.code: f.values["household_count"] for f in features.load_features(conn, COUNTY, "grids")}
        assert {c: f.households for c, f in figures.items()} == {c: stored[c] for c in figures}
        for c in found.own():
            shape = found.coverage[c]
            west, _, east, _ = shape.bounds
            y = float(np.asarray(shape.representative_point().xy[1])[0])
            intent = {"kind": "split", "code": c, "line": line((west - 1e-4, y), (east + 1e-4, y))}
            done, values = carry_out(conn, COUNTY, found, intent)
            after = found.with_edit(done, values)
            assert total_of(figures_of(after).values()).households == total_of(figures.values()).households
            assert {p.kind for p in problems_of(after) if p.severity == "error"} <= {"building_cut"}

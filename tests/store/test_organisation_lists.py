"""The organisation read back: tree, vacancies, six roles, burdens, committees, sponsors, each cut to an area."""

from datetime import date

import pytest
import shapely
from sqlalchemy import Engine, insert, update

from pingji.data import features
from pingji.data.areas import area_of
from pingji.data.engine import reading, writing
from pingji.data.organisation import burden, committees, completeness, sponsors, tree, vacancies
from pingji.data.organisation import posts as seats
from pingji.data.organisation.changes import Change, apply, new_post
from pingji.data.organisation.ground import EVERYWHERE, load_ground
from pingji.data.organisation.posts import Which
from pingji.data.organisation.rules import change_rules
from pingji.data.tables import org_post, party_link, party_member
from pingji.ops.access import Area
from pingji.ops.mode import UnknownScope
from pingji.ops.organisation.errors import TermBackwards, UnknownCentre, UnknownPost, UnknownUnit
from pingji.ops.organisation.kinds import Level, PostKind, UnitKind, seat
from pingji.ops.organisation.post import LAYER, Term, Why
from tests import organisation_county as people
from tests.organisation_county import BLOCK, D1, D2, GRID, HOUSE, OTHER_GRID
from tests.world import C1, C2, C3, C4, COUNTY, FAR, NEAR, households_in

DAY = date(2026, 11, 22)
BRANCH = f"{C1}R1"


@pytest.fixture
def county(engine: Engine) -> Engine:
    return people.filled(engine)


def below(engine: Engine, parent: str, area: Area = EVERYWHERE) -> dict[str, tuple[int, int, int]]:
    with reading(engine) as conn:
        ground = load_ground(conn, COUNTY)
        found = tree.below(conn, ground, ground.reach(area), parent)
    return {node.unit.code: (node.children, node.posts, node.vacant) for node in found}


def test_the_tree_goes_down_to_the_stairwell(county: Engine) -> None:
    assert set(below(county, COUNTY)) == {NEAR, FAR, D1, D2}
    assert set(below(county, NEAR)) == {C1, C2}
    assert set(below(county, C1)) == {BRANCH, OTHER_GRID}  # the other grid hangs on the branch
    assert below(county, BRANCH) == {GRID: (1, 6, 0)}
    assert below(county, GRID) == {BLOCK: (2, 2, 0)}  # a house is no unit
    assert below(county, BLOCK) == {f"{BLOCK}-1": (0, 1, 0), f"{BLOCK}-2": (0, 0, 0)}
    assert below(county, f"{BLOCK}-1") == {}


def test_the_numbers_of_children_are_those_that_are_listed(county: Engine) -> None:
    waiting, seen = [COUNTY], 0
    while waiting:
        parent = waiting.pop()
        with reading(county) as conn:
            ground = load_ground(conn, COUNTY)
            for node in tree.below(conn, ground, ground.reach(EVERYWHERE), parent):
                children = tree.below(conn, ground, ground.reach(EVERYWHERE), node.unit.code)
                assert node.children == len(children), node.unit.code
                assert all(child.unit.parent == node.unit.code for child in children)
                waiting.append(node.unit.code)
                seen += 1
    assert seen == 2 + 4 + 1 + 8 + 1 + 2 + 2  # towns, communities, branch, grids, block, stairwells, departments


def test_units_have_the_names_that_were_given_or_those_of_their_places(county: Engine) -> None:
    with reading(county) as conn:
        ground = load_ground(conn, COUNTY)
        assert tree.unit_of(conn, ground, C1).name == "C1 organisation"
        assert tree.unit_of(conn, ground, C1).kind is UnitKind.COMMUNITY_PARTY
        assert (tree.unit_of(conn, ground, C3).name, tree.unit_of(conn, ground, C3).kind) == (f"C{C3}", UnitKind.PLACE)
        path = tree.path_of(conn, ground, tree.unit_of(conn, ground, f"{BLOCK}-2"))
        assert [unit.code for unit in path] == [COUNTY, NEAR, C1, BRANCH, GRID, BLOCK, f"{BLOCK}-2"]
        names = tree.units_named(conn, ground, [C3, D1, BLOCK, f"{BLOCK}-2", "gone"])
        assert names == {C3: f"C{C3}", D1: "Water", BLOCK: "Block", f"{BLOCK}-2": "Block-2", "gone": "gone"}
        for unknown in ("nothing", HOUSE, f"{BLOCK}-3", f"{BLOCK}-0", f"{BLOCK}-x", "'; --"):
            with pytest.raises(UnknownUnit):
                tree.unit_of(conn, ground, unknown)


@pytest.mark.parametrize(
    ("scopes", "tops"), [([COUNTY], {COUNTY}), ([FAR], {FAR}), ([C1, FAR], {C1, FAR}), ([GRID], {GRID}), ([], set())]
)
def test_everybody_s_tree_begins_at_their_own(county: Engine, scopes: list[str], tops: set[str]) -> None:
    with reading(county) as conn:
        ground = load_ground(conn, COUNTY)
        found = tree.tops(conn, ground, ground.reach(area_of(conn, COUNTY, scopes)))
    assert {node.unit.code for node in found} == tops


def test_a_township_whose_code_does_not_begin_with_the_countys(county: Engine) -> None:
    with reading(county) as conn:
        area = area_of(conn, COUNTY, [FAR])
    assert set(below(county, FAR, area)) == {C3, C4}
    assert below(county, NEAR, area) == {}
    assert set(below(county, COUNTY, area)) == {FAR}  # and no department


def test_vacancies_are_counted_as_they_are_listed(county: Engine) -> None:
    with writing(county) as conn:
        old = {"term_to": date(2026, 1, 1)}
        conn.execute(update(org_post).where(org_post.c.code == seat(NEAR, PostKind.TOWNSHIP_SECRETARY)).values(old))
    with reading(county) as conn:
        ground = load_ground(conn, COUNTY)
        reach = ground.reach(EVERYWHERE)
        counts = vacancies.counts_by_level(conn, ground, reach, DAY)
        for why in Why:
            listed = vacancies.listed(conn, ground, reach, DAY, why)
            assert len(listed) == sum(level[why.value] for level in counts.values()), why
            assert all(why in post.why(DAY) for post in listed)
        stand = seats.standing(conn, ground, Which(reach))
        assert sum(level["posts"] for level in counts.values()) == len(stand)
        assert {p.code for p in stand if p.why(DAY)} == {
            p.code for p in vacancies.listed(conn, ground, reach, DAY, None)
        }
        assert [p.code for p in vacancies.listed(conn, ground, reach, DAY, Why.TERM_ENDED)] == [
            seat(NEAR, PostKind.TOWNSHIP_SECRETARY)
        ]
        by_grid = vacancies.by_place(conn, ground, reach, "grid")
        by_community = vacancies.by_place(conn, ground, reach, "community")
    in_grid = [p for p in stand if p.grid == GRID]
    assert by_grid[GRID] == (len(in_grid), sum(p.vacant for p in in_grid)) == (9, 0)
    in_place = [p for p in stand if p.community == C2]
    assert by_community[C2] == (len(in_place), sum(p.vacant for p in in_place)) == (4, 4)


def test_lists_keep_to_an_area(county: Engine) -> None:
    with reading(county) as conn:
        ground = load_ground(conn, COUNTY)
        for scopes in ([NEAR], [C1], [GRID], [C1, FAR]):
            area = area_of(conn, COUNTY, scopes)
            reach = ground.reach(area)
            everything = seats.standing(conn, ground, Which(ground.reach(EVERYWHERE)))
            mine = {p.code for p in everything if area.holds(township=p.township, community=p.community, grid=p.grid)}
            assert {p.code for p in seats.standing(conn, ground, Which(reach))} == mine
            grids = {big.code for big in completeness.big_grids(conn, ground, reach)}
            assert grids == {g for g, (_, c) in ground.grids.items() if area.holds(community=c, grid=g)}
            assert {one.grid for one in sponsors.by_grid(conn, ground, reach)} == grids
            homes = sponsors.gaps(conn, ground, reach)
            assert homes
            assert all(area.holds(community=community, grid=grid) for _, grid, community, _ in homes)
            for one in committees.committees_of(conn, ground, reach):
                assert area.holds(community=one.community)


def test_a_scope_narrows_an_area_and_never_widens_it(county: Engine) -> None:
    with reading(county) as conn:
        ground = load_ground(conn, COUNTY)
        area = area_of(conn, COUNTY, [C1])
        assert ground.reach(area, ground.scope(NEAR)).communities == {C1}
        assert ground.reach(area, ground.scope(C2)).communities == set()
        assert ground.reach(EVERYWHERE, ground.scope(GRID)).grids == {GRID}
        assert ground.reach(EVERYWHERE, ground.scope(GRID)).communities == set()
        assert ground.scope(f"{NEAR}000").code == NEAR
        for unknown in ("22022", "9", "Z1", f"{GRID}9"):
            with pytest.raises(UnknownScope):
                ground.scope(unknown)


def test_six_roles_of_grids(county: Engine) -> None:
    with reading(county) as conn:
        ground = load_ground(conn, COUNTY)
        found = {big.code: big for big in completeness.big_grids(conn, ground, ground.reach(EVERYWHERE))}
    assert len(found) == 8
    full = {kind.value: (role.have, role.need) for kind, role in found[GRID].roles.items()}
    assert full == {
        "committee_member": (1, 1),
        "escort_cadre": (1, 1),
        "community_cadre": (1, 1),
        "grid_leader": (1, 1),
        "building_head": (1, 1),  # the house needs none
        "stairwell_head": (1, 2),
    }
    assert found[GRID].filled == 5
    assert found[OTHER_GRID].filled == 3  # a cadre; no building, so nobody is missing there


def test_too_many_posts_in_one_hand(county: Engine) -> None:
    with reading(county) as conn:
        ground = load_ground(conn, COUNTY)
        (one,) = burden.overloaded(conn, ground, ground.reach(EVERYWHERE))
        assert (one.holder, len(one.posts)) == ("Kilo", 4)
        assert burden.overloaded(conn, ground, ground.reach(area_of(conn, COUNTY, [FAR]))) == []
    with writing(county) as conn:
        change_rules(conn, COUNTY, {"posts_limit": 4})
    with reading(county) as conn:
        assert burden.overloaded(conn, ground, ground.reach(EVERYWHERE)) == []


def test_posts_of_layers_and_our_own_add_up_in_one_hand(county: Engine) -> None:
    with writing(county) as conn:
        ground = load_ground(conn, COUNTY)
        for code in (f"{C3}001", f"{C3}002"):
            after = new_post(conn, ground, seat(code, PostKind.ESCORT_CADRE), Term("Head", "13700000004"))
            apply(conn, ground, [Change(after.code, None, after)], DAY, "test")
        change_rules(conn, COUNTY, {"posts_limit": 2})
        found = burden.overloaded(conn, ground, ground.reach(EVERYWHERE))
    assert {one.holder: len(one.posts) for one in found} == {"Kilo": 4, "Head": 3}


def test_committees_tell_where_their_first_secretary_comes_from(county: Engine) -> None:
    with reading(county) as conn:
        ground = load_ground(conn, COUNTY)
        found = {one.community: one for one in committees.committees_of(conn, ground, ground.reach(EVERYWHERE))}
    assert set(found) == {C1, C2}
    assert (found[C1].name, found[C1].departments, found[C1].warnings) == ("Joint", (D1,), ())
    assert found[C2].warnings == ("no_first_secretary",)
    assert found[C1].first is not None
    assert found[C1].first.term.department == D1


def test_sponsors_and_the_households_they_leave_out(county: Engine) -> None:
    homes = households_in("Z1")[:8]
    with writing(county) as conn:
        centre = {
            "code": f"{GRID}P01",
            "name": "Centre",
            "grid": GRID,
            "community": C1,
            "geom": shapely.Point(126.02, 43.05),
        }
        features.insert(conn, COUNTY, "party_households", [centre])
        member = {"county": COUNTY, "code": "M1", "centre": f"{GRID}P01", "name": "Member", "phone": "13800000000"}
        conn.execute(insert(party_member), [member, {**member, "code": "M2"}])
        links = [{"county": COUNTY, "member": "M1", "household": home} for home in homes[:5]]
        links.append({"county": COUNTY, "member": "M2", "household": homes[0]})  # looked after by two is one household
        conn.execute(insert(party_link), links)
    with reading(county) as conn:
        ground = load_ground(conn, COUNTY)
        reach = ground.reach(EVERYWHERE)
        figures = {one.grid: one for one in sponsors.by_grid(conn, ground, reach)}
        one = figures[GRID]
        assert (one.centres, one.members, one.households, one.covered) == (1, 2, 8, 5)
        assert sponsors.count_centres(conn, ground, reach) == 1
        (found,) = sponsors.centres_of(conn, ground, GRID)
        assert (found.members, found.households) == (2, 5)
        members = {m.code: [linked.code for linked in m.linked] for m in sponsors.members_of(conn, ground, found.code)}
        assert members == {"M1": homes[:5], "M2": homes[:1]}
        left = {code for code, *_ in sponsors.gaps(conn, ground, ground.reach(EVERYWHERE, ground.scope(GRID)))}
        assert left == set(homes[5:])
        assert len(sponsors.gaps(conn, ground, reach)) == 60 - 5
        with pytest.raises(UnknownCentre):
            sponsors.centre_of(conn, ground, "nothing")


def test_a_post_of_ours_stands_before_what_the_layer_says(county: Engine) -> None:
    code = seat(GRID, PostKind.GRID_LEADER)
    with writing(county) as conn:
        ground = load_ground(conn, COUNTY)
        before = seats.find(conn, ground, code)
        assert before is not None
        assert (before.kept_by, before.term.holder) == (LAYER, "Leader")
        after = new_post(conn, ground, code, Term("New", "13800000000"))
        apply(conn, ground, [Change(code, before, after)], DAY, "test")
        found = [p for p in seats.standing(conn, ground, Which(ground.reach(EVERYWHERE))) if p.code == code]
        assert [p.term.holder for p in found] == ["New"]
        apply(conn, ground, [Change(code, found[0], new_post(conn, ground, code, Term()))], DAY, "test")
        assert [p.term.holder for p in seats.past(conn, COUNTY, GRID)] == ["New", "Leader"]
        big = {b.code: b for b in completeness.big_grids(conn, ground, ground.reach(EVERYWHERE))}[GRID]
        assert big.roles[PostKind.GRID_LEADER].have == 0  # empty, although the layer still has a name


def test_a_post_needs_a_unit_of_its_level(county: Engine) -> None:
    backwards = Term("A", term_from=date(2026, 1, 2), term_to=date(2026, 1, 1))
    with reading(county) as conn:
        ground = load_ground(conn, COUNTY)
        with pytest.raises(UnknownPost):
            new_post(conn, ground, seat(C1, PostKind.GRID_LEADER), Term("A"))
        with pytest.raises(UnknownUnit):
            new_post(conn, ground, seat("nothing", PostKind.GRID_LEADER), Term("A"))
        with pytest.raises(UnknownPost):
            new_post(conn, ground, "nothing", Term("A"))
        with pytest.raises(TermBackwards):
            new_post(conn, ground, seat(GRID, PostKind.GRID_LEADER), backwards)
        other = new_post(conn, ground, seat(C1, PostKind.OTHER, 2), Term("A", title="Treasurer"))
    assert (other.level, other.community) == (Level.COMMUNITY, C1)


def test_names_stand_sealed_in_the_store(county: Engine) -> None:
    with reading(county) as conn:
        cursor = conn.connection.cursor()
        cursor.execute("SELECT holder, holder_phone, deputy FROM org_post WHERE holder <> ''")
        stored = [str(cell) for row in cursor.fetchall() for cell in row if cell]
    assert len(stored) > 20
    assert all(cell.startswith("s1.") for cell in stored)

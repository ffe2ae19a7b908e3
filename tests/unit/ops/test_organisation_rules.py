"""Chains, the six roles, burdens, sponsors and committees: the rules that have no I/O."""

from datetime import date

import pytest

from pingji.ops.mode import Mode
from pingji.ops.organisation import committees, sponsors
from pingji.ops.organisation.burden import overloaded
from pingji.ops.organisation.chain import chain_of, commanding, superior_of
from pingji.ops.organisation.completeness import big_grid, totals
from pingji.ops.organisation.errors import RuleOutOfRange
from pingji.ops.organisation.kinds import NATURE, ROLES, Chain, Level, PostKind, seat, seat_parts
from pingji.ops.organisation.post import Post, Term, Why
from pingji.ops.organisation.rules import Rules

DAY = date(2026, 11, 22)
COUNTY, TOWN, PLACE, GRID = "220221", "220221101", "220221101001", "220221101001001"


def post(unit: str, kind: PostKind, **said: str) -> Post:
    nature = NATURE[kind]
    level = nature.level or Level.GRID
    placed = {"township": TOWN, "community": PLACE if level not in (Level.TOWNSHIP, Level.COUNTY) else ""}
    grid = GRID if level in (Level.GRID, Level.BUILDING) else ""
    term = Term(**said)  # type: ignore[arg-type]
    return Post(seat(unit, kind), unit, kind, level, unit, grid=grid, chain=nature.chain, term=term, **placed)


CHAIN = [
    post(COUNTY, PostKind.COUNTY_COMMANDER),
    post(TOWN, PostKind.TOWNSHIP_SECRETARY),
    post(TOWN, PostKind.TEMPORARY_SECRETARY),
    post(PLACE, PostKind.COMMUNITY_SECRETARY),
    post(GRID, PostKind.GRID_SECRETARY),
    post(GRID, PostKind.COMPOUND_LEADER),
    post(f"{GRID}B0001", PostKind.BUILDING_HEAD),
]


@pytest.mark.parametrize("mode", list(Mode))
def test_the_chain_follows_the_mode(mode: Mode) -> None:
    expected = Chain.EMERGENCY if mode in (Mode.EMERGENCY, Mode.RECOVERY) else Chain.ROUTINE
    assert chain_of(mode) is expected


def test_the_switch_changes_who_commands_at_each_level() -> None:
    before, after = commanding(CHAIN, Chain.ROUTINE), commanding(CHAIN, Chain.EMERGENCY)
    assert before[Level.TOWNSHIP, TOWN].kind is PostKind.TOWNSHIP_SECRETARY
    assert after[Level.TOWNSHIP, TOWN].kind is PostKind.TEMPORARY_SECRETARY
    assert before[Level.GRID, GRID].kind is PostKind.GRID_SECRETARY
    assert after[Level.GRID, GRID].kind is PostKind.COMPOUND_LEADER
    # A village without a first secretary stays under its own.
    assert after[Level.COMMUNITY, PLACE].kind is PostKind.COMMUNITY_SECRETARY


def test_the_emergency_chain_is_flat() -> None:
    branch = post(f"{PLACE}R1", PostKind.REGIONAL_SECRETARY)
    assert (Level.BRANCH, f"{PLACE}R1") in commanding([branch], Chain.ROUTINE)
    assert commanding([branch], Chain.EMERGENCY) == {}


def test_superiors_lead_up_to_the_county_and_pass_over_what_is_missing() -> None:
    seats = commanding(CHAIN, Chain.EMERGENCY)
    building, grid, township, county = CHAIN[6], CHAIN[5], CHAIN[2], CHAIN[0]
    assert superior_of(building, seats, COUNTY) == grid.code
    assert superior_of(grid, seats, COUNTY) == seat(PLACE, PostKind.COMMUNITY_SECRETARY)
    assert superior_of(township, seats, COUNTY) == county.code
    assert superior_of(county, seats, COUNTY) == ""
    without = {key: value for key, value in seats.items() if key[0] is not Level.COMMUNITY}
    assert superior_of(grid, without, COUNTY) == township.code


def test_a_seat_is_read_back_from_its_code() -> None:
    code = seat(f"{GRID}B0001-2", PostKind.STAIRWELL_HEAD, 3)
    assert seat_parts(code) == (f"{GRID}B0001-2", PostKind.STAIRWELL_HEAD, 3)
    for wrong in ("", "a:b", "a:grid_leader:0", "a:grid_leader:01", "a:grid_leader:x", ":grid_leader:1", "a:king:1"):
        assert seat_parts(wrong) is None, wrong


def test_what_is_wrong_with_a_post() -> None:
    held = Post("g:grid_leader:1", "g", PostKind.GRID_LEADER, Level.GRID, term=Term("A", "1", "B", "2", None, DAY))
    assert held.why(DAY) == ()  # the last day of a term counts
    assert held.why(date(2026, 11, 23)) == (Why.TERM_ENDED,)
    cadre = Post("g:escort_cadre:1", "g", PostKind.ESCORT_CADRE, Level.GRID, term=Term("A"))
    assert cadre.why(DAY) == ()  # commands nobody, so nobody has to take over


def test_six_roles_of_which_some_are_counted() -> None:
    have = dict.fromkeys(ROLES, 1) | {PostKind.BUILDING_HEAD: 3, PostKind.STAIRWELL_HEAD: 7}
    full = big_grid("a", have, buildings=3, stairwells=7)
    short = big_grid("b", have | {PostKind.STAIRWELL_HEAD: 6, PostKind.ESCORT_CADRE: 0}, buildings=3, stairwells=7)
    assert (full.filled, short.filled) == (6, 4)
    grids, complete, by_role = totals([full, short])
    assert (grids, complete) == (2, 1)
    role, ok = by_role[PostKind.STAIRWELL_HEAD]
    assert (role.have, role.need, ok) == (13, 14, 1)


def test_a_person_is_a_name_with_a_phone() -> None:
    def held(unit: str, name: str, phone: str) -> Post:
        return Post(f"{unit}:other:1", unit, PostKind.OTHER, Level.GRID, term=Term(name, phone))

    same = [held(f"u{n}", "A", "13800000000") for n in range(4)]
    other = [held(f"u{n}", "A", "13800000001") for n in range(3)]
    unknown = [held(f"u{n}", "C", "") for n in range(9)]
    found = overloaded([*same, *other, *unknown], 3)
    assert [(b.holder_phone, len(b.posts)) for b in found] == [("13800000000", 4)]


def test_limits_of_the_sponsor_tree_warn_on_both_sides() -> None:
    rules = Rules()
    assert [w.key for n in (0, 1, 3, 4) for w in sponsors.of_grid(n, rules)] == ["centres_few", "centres_many"]
    assert [w.key for n in (2, 3, 10, 11) for w in sponsors.of_centre(n, rules)] == ["members_few", "members_many"]
    assert [w.key for n in (9, 10, 30, 31) for w in sponsors.of_member(n, rules)] == [
        "households_few",
        "households_many",
    ]


def test_a_first_secretary_comes_from_a_paired_department() -> None:
    first = post(PLACE, PostKind.FIRST_SECRETARY, holder="A", department="D1")
    assert committees.warnings(["D1", "D2"], first) == ()
    assert committees.warnings(["D2"], first) == (committees.NOT_PAIRED,)
    assert committees.warnings(["D2"], post(PLACE, PostKind.FIRST_SECRETARY)) == (committees.NO_FIRST_SECRETARY,)


@pytest.mark.parametrize("values", [{"handover_min": 0}, {"posts_limit": 10_001}, {"members_low": 11}])
def test_rules_stay_in_range(values: dict[str, int]) -> None:
    with pytest.raises(RuleOutOfRange):
        Rules().changed(**values)

"""Positions, households and the balance sheet: sums that are exact."""

from hypothesis import given
from hypothesis import strategies as st

from pingji.ops.balance import sheet
from pingji.ops.position import ACCOUNTED, EVER_BITS, HOUSEHOLD_ORDER, REMAINDER, Position, household_position

positions = st.sampled_from(list(Position))
counts = st.dictionaries(positions, st.integers(0, 10**6))


def test_each_position_is_on_one_side_of_the_sheet() -> None:
    assert len({*ACCOUNTED, *REMAINDER}) == len(ACCOUNTED) + len(REMAINDER) == 12
    assert {*ACCOUNTED, *REMAINDER, Position.HOME} == set(Position) == set(HOUSEHOLD_ORDER)


def test_the_stored_bits_never_change() -> None:
    assert [EVER_BITS[p] for p in Position] == [1 << n for n in range(13)]


@given(counts, st.integers(0, 99), st.booleans())
def test_the_sum_is_exact(counts: dict[Position, int], off_plan: int, recovering: bool) -> None:
    found = sheet(counts, off_plan=off_plan, recovering=recovering)
    assert found.expected == found.accounted_total + found.remainder_total
    assert found.expected + found.returned_home == sum(counts.values())
    assert set(found.accounted) == set(ACCOUNTED)
    assert set(found.remainder) == set(REMAINDER)
    assert found.off_plan == off_plan


@given(st.lists(positions, min_size=1))
def test_a_household_is_accounted_for_when_everybody_is(members: list[Position]) -> None:
    found = household_position(members)
    assert found in members
    assert (found not in REMAINDER) == all(m not in REMAINDER for m in members)
    assert (found is Position.HOME) == all(m is Position.HOME for m in members)

"""Grid codes: west to east, then north to south, and never one that was used before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pingji.ops.grids import CodesExhausted, is_provisional, number, provisional

COMMUNITY = "220221100001"
places = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=20, unique=True)
used = st.sets(st.integers(1, 900), max_size=20).map(lambda ns: {f"{COMMUNITY}{n:03d}" for n in ns})


@given(places, used)
def test_new_codes_are_new_and_in_order(at: list[tuple[int, int]], taken: set[str]) -> None:
    codes = number(COMMUNITY, [(float(x), float(y)) for x, y in at], taken)
    assert len(set(codes)) == len(at)
    assert not taken & set(codes)
    assert all(code > max(taken) for code in codes if taken)
    in_order = [place for _, place in sorted(zip(codes, at, strict=True))]
    assert in_order == sorted(at, key=lambda p: (p[0], -p[1]))


def test_codes_of_other_communities_and_of_drafts_do_not_count() -> None:
    used_codes = ["220221100002007", f"{COMMUNITY}n09"]
    assert number(COMMUNITY, [(0.0, 0.0)], used_codes) == [f"{COMMUNITY}001"]


def test_a_community_has_999_codes() -> None:
    assert number(COMMUNITY, [(0.0, 0.0)], [f"{COMMUNITY}998"]) == [f"{COMMUNITY}999"]
    with pytest.raises(CodesExhausted):
        number(COMMUNITY, [(0.0, 0.0)], [f"{COMMUNITY}999"])


def test_a_code_has_fifteen_digits_where_the_community_has_fewer() -> None:
    assert number("25017352102", [(0.0, 0.0)], ["250173521023012"]) == ["250173521023013"]


@given(st.sets(st.integers(1, 150), max_size=120))
def test_a_provisional_code_is_free_and_known_as_one(taken: set[int]) -> None:
    codes = {f"{COMMUNITY}n{n:02d}" for n in taken}
    code = provisional(COMMUNITY, codes)
    assert code not in codes
    assert is_provisional(code)
    assert not is_provisional(f"{COMMUNITY}014")

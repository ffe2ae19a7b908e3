"""Repair: narrow gaps and overlaps go, wide ones are left to a person, sound neighbours keep every byte."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from pingji.geo.coverage import Coverage, find_problems, repair
from tests import coverages, shapes

METRE = 1.24e-5  # degrees of longitude near the demo county


def county(polygons: "list[shapely.Polygon] | np.ndarray") -> Coverage:  # type: ignore[type-arg]
    return Coverage.of([str(i) for i in range(len(polygons))], polygons)


def shifted(cells: "np.ndarray", which: list[int], metres: float) -> "np.ndarray":  # type: ignore[type-arg]
    moved = cells.copy()
    moved[which] = shapely.transform(moved[which], lambda xy: xy + np.array([metres * METRE, 0.3 * metres * METRE]))
    return moved


def test_a_sound_coverage_is_left_alone() -> None:
    done = repair(county(coverages.tiling(4)))
    assert (done.edit.before, done.fixed, done.left) == ({}, (), ())


def test_who_gained_and_who_lost() -> None:
    cells = coverages.tiling(5)
    outline = shapely.coverage_union_all(cells)
    broken = county(shifted(cells, [12], 1.0))
    done = repair(broken, None, outline)
    assert {problem.kind for problem in done.fixed} == {"overlap", "gap"}
    after = broken.apply(done.edit)
    assert find_problems(after.polygons, outline, 0.001) == []
    assert shapely.coverage_is_valid(after.polygons)
    assert set(done.edit.gained_m2) | set(done.edit.lost_m2) <= {"7", "11", "12", "13", "17", "6", "18", "8", "16"}
    assert sum(done.edit.gained_m2.values()) > 100
    assert all(after.undo(done.edit)[code].wkb == broken[code].wkb for code in broken.codes)


def test_the_outline_is_filled_and_kept() -> None:
    cells = coverages.tiling(4)
    outline = shapely.coverage_union_all(cells)
    broken = county(shifted(cells, [0, 15, 7], 1.0))
    after = broken.apply(repair(broken, None, outline).edit)
    assert find_problems(after.polygons, outline, 0.01) == []


def test_wide_overlaps_and_gaps_are_left_to_a_person() -> None:
    cells = coverages.tiling(5)
    broken = county(shifted(cells, [6], 60.0))
    done = repair(broken, None, None)
    assert not done.edit.before
    assert {problem.kind for problem in done.left} == {"overlap", "gap"}
    hole = np.delete(cells, 12)
    assert [problem.kind for problem in repair(county(hole)).left] == ["gap"]
    twice = county([*cells, cells[3]])
    assert [problem.kind for problem in repair(twice).left] == ["duplicate"]
    assert not repair(twice).edit.before


def test_only_one_community_is_looked_at() -> None:
    cells = shifted(coverages.tiling(6), [7, 28], 1.0)
    done = repair(county(cells), [str(i) for i in range(18)])
    assert "7" in done.edit.before
    assert not {"28", "27", "29", "34"} & set(done.edit.before)


def test_nodes_that_one_neighbour_lacks_and_rings_that_touch_themselves() -> None:
    left = shapely.box(126.0, 43.0, 126.1, 43.1)
    right = [shapely.box(126.1, 43.0, 126.2, 43.04), shapely.box(126.1, 43.04, 126.2, 43.1)]
    after = county([left, *right]).apply(repair(county([left, *right])).edit)
    assert shapely.coverage_is_valid(after.polygons)
    pinched = county([shapes.PINCHED])
    done = repair(pinched)
    assert pinched.apply(done.edit).polygons[0].is_valid
    assert [problem.kind for problem in done.fixed] == ["invalid"]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 40), st.lists(st.integers(0, 24), min_size=1, max_size=4, unique=True), st.floats(0.01, 1.5))
def test_whatever_slipped_a_little_is_mended(seed: int, which: list[int], metres: float) -> None:
    cells = coverages.tiling(5, seed=seed)
    outline = shapely.coverage_union_all(cells)
    broken = county(shifted(cells, which, metres))
    done = repair(broken, None, outline, gap_m=4.0, overlap_m=4.0)
    after = broken.apply(done.edit)
    assert done.left == ()
    assert find_problems(after.polygons, outline, 0.01) == []
    assert all(after.undo(done.edit)[code].wkb == broken[code].wkb for code in broken.codes)


@pytest.mark.parametrize("name", coverages.PRECINCTS)
def test_the_precincts_are_broken_and_can_be_repaired(name: str) -> None:
    broken = county(coverages.real(name))
    assert find_problems(broken.polygons, None, 0.0)
    done = repair(broken, gap_m=50.0, overlap_m=50.0)
    after = broken.apply(done.edit)
    assert not [p for p in find_problems(after.polygons) if p.kind != "gap"]
    assert shapely.coverage_is_valid(after.polygons)
    assert done.edit.gained_m2 or done.edit.lost_m2


def test_real_coverages_need_no_repair() -> None:
    for name in (coverages.BLOCKS, coverages.VILLAGES):
        done = repair(county(coverages.real(name)), gap_m=0.01, overlap_m=0.01)
        assert not done.edit.gained_m2
        assert not [problem for problem in done.fixed if problem.kind == "overlap"]

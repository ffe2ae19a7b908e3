"""Whatever is tried on made, odd and real grids, in any order: they stay a partition, and every byte comes back."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from pingji.geo.coverage import Coverage, Edit, errors, find_problems, give, redraw, repair, reshape, split
from tests import coverages, shapes
from tests.coverages import attempt, check, county

ODD = coverages.odd()
CODES = [f"n{i}" for i in range(40)]


def _tried(work: Callable[[], Edit]) -> Edit | None:
    """The edit; None where it is refused, which says of what or where."""
    try:
        return work()
    except errors.CoverageError as refused:
        if not refused.params.get("codes") and "lonlat" not in refused.params:
            raise
        return None


def _chain(before: Coverage, data: st.DataObject, length: int) -> None:
    """Try edits one after the other, then undo all: what is refused changes nothing, what is undone is as it was."""
    held = {code: before[code].wkb for code in before.codes}
    done: list[Edit] = []
    now = before
    for _ in range(length):
        here = {code: now[code].wkb for code in now.codes}
        edit = _tried(lambda: attempt(data.draw, now))  # noqa: B023
        if edit is None:
            assert {code: now[code].wkb for code in now.codes} == here
            continue
        now = check(now, edit)
        done.append(edit)
    for edit in reversed(done):
        now = now.undo(edit)
    assert {code: now[code].wkb for code in now.codes} == held
    assert all(now.community(code) == before.community(code) for code in before.codes)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.data())
def test_made_grids(data: st.DataObject) -> None:
    _chain(data.draw(coverages.tilings()), data, 4)


@pytest.mark.parametrize("name", list(ODD))
@settings(max_examples=6, deadline=None, derandomize=True)
@given(st.data())
def test_odd_grids(name: str, data: st.DataObject) -> None:
    """A hole, parts, parts that touch in a corner, a pinched ring, T-junctions, a triple point."""
    _chain(ODD[name], data, 4)


@pytest.mark.parametrize("name", [coverages.BLOCKS, coverages.OLD_BLOCKS, coverages.VILLAGES])
@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.data())
def test_real_grids(name: str, data: st.DataObject) -> None:
    found = coverages.real(name)
    code = data.draw(st.integers(0, len(found) - 1))
    hood = shapely.STRtree(found).query(found[code].buffer(0.002), predicate="intersects")
    near = found[np.sort(hood)]
    west = [("A" if shape.centroid.x < found[code].bounds[2] else "B") for shape in near]
    _chain(county(near, west), data, 3)


@pytest.mark.parametrize("name", [coverages.BLOCKS, coverages.OLD_BLOCKS, coverages.VILLAGES])
def test_real_grids_are_a_partition(name: str) -> None:
    found = coverages.real(name)
    assert shapely.coverage_is_valid(found)
    assert [p for p in find_problems(found, shapely.coverage_union_all(found)) if p.kind != "gap"] == []


def test_an_edit_among_all_blocks_changes_its_neighbourhood_alone() -> None:
    before = county(coverages.real(coverages.BLOCKS))
    west, south, east, north = before["600"].bounds
    line = shapely.LineString([((west + east) / 2, south - 1e-4), ((west + east) / 2, north + 1e-4)])
    edit = split(before, "600", line, ["n1", "n2", "n3"])
    assert set(edit.before) <= set(before.near(before["600"]))
    after = before.apply(edit)
    assert all(after[code] is before[code] for code in before.codes if code not in edit.before)
    assert shapely.coverage_is_valid(after.polygons)


@pytest.mark.parametrize("name", coverages.PRECINCTS)
def test_broken_grids_can_be_edited_beside_what_is_broken(name: str) -> None:
    """A repair first, then edits; and edits of the unrepaired refuse or keep the ground, but never fail otherwise."""
    broken = county(coverages.real(name))
    mended = broken.apply(repair(broken, gap_m=50.0, overlap_m=50.0).edit)
    for state in (broken, mended):
        for code in state.codes[:6]:
            west, south, east, north = state[code].bounds
            line = shapely.LineString([((west + east) / 2, south), ((west + east) / 2, north)])
            ground = shapely.union_all(shapely.make_valid(state.polygons)).area
            for work in (partial(split, state, code, line, CODES), partial(reshape, state, line)):
                edit = _tried(work)
                if edit is not None:
                    after = shapely.union_all(shapely.make_valid(state.apply(edit).polygons)).area
                    assert after == pytest.approx(ground, rel=1e-9)


@pytest.mark.parametrize("name", [name for name, shape in shapes.GALLERY.items() if "olygon" in shape.geom_type])
@pytest.mark.parametrize("edit", [give, redraw])
def test_no_shape_breaks_a_coverage(name: str, edit: Callable[..., Edit]) -> None:
    """Every shape of the gallery, drawn over grids: an edit that keeps the promise, or a refusal that says why."""
    cells = [
        shapely.box(126.0 + i / 20, 43.0 + j / 20, 126.05 + i / 20, 43.05 + j / 20) for i in range(9) for j in range(3)
    ]
    before, shape = county(cells), shapes.GALLERY[name]
    done = _tried(lambda: edit(before, shape, "4") if edit is give else edit(before, {"4": shape}, ["4"]))
    if done is not None:
        check(before, done)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.data())
def test_what_is_repaired_can_be_edited(data: st.DataObject) -> None:
    cells = coverages.tiling(4, 3, data.draw(st.integers(0, 50)))
    outline: BaseGeometry = shapely.coverage_union_all(cells)
    which = data.draw(st.integers(0, 15))
    moved = cells.copy()
    moved[which] = shapely.transform(moved[which], lambda xy: xy + data.draw(st.floats(1e-7, 1e-5)))
    broken = county(moved)
    mended = broken.apply(repair(broken, None, outline).edit)
    assert shapely.coverage_is_valid(mended.polygons)
    _chain(mended, data, 2)

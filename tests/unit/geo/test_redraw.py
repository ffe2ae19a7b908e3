"""Redrawn grids: today's stay today's to the byte, the ground is kept, lineage follows it; matching old with new."""

from collections import Counter

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pingji.geo.coverage import Coverage, cut_buildings, ended, errors, find_problems, match, redraw
from tests import coverages, shapes
from tests.coverages import check, county

W, S = 126.5, 43.6


def box(x0: float, y0: float, x1: float, y1: float) -> shapely.Polygon:
    """A box by hundredths of a degree from the south-west corner."""
    return shapely.box(W + x0 / 100, S + y0 / 100, W + x1 / 100, S + y1 / 100)


def row(communities: list[str] | None = None) -> Coverage:
    return county([box(i, 0, i + 1, 1) for i in range(4)], communities)


def rounded(shape: shapely.Polygon, decimals: int = 7) -> shapely.Polygon:
    return shapely.transform(shape, lambda xy: np.round(xy, decimals))


def test_what_differs_by_rounding_is_not_in_the_edit() -> None:
    before = county(coverages.tiling(6, 5))
    edit = redraw(before, {code: rounded(before[code]) for code in before.codes}, before.codes)
    assert not edit.before
    assert not edit.after
    some = before.codes[7:20]
    assert not redraw(before, {code: rounded(before[code], 15) for code in some}, some).after


@pytest.mark.parametrize("name", [coverages.BLOCKS, coverages.OLD_BLOCKS, coverages.VILLAGES])
def test_real_grids_written_with_seven_decimals_are_the_same_grids(name: str) -> None:
    before = county(coverages.real(name))
    assert not redraw(before, {code: rounded(before[code]) for code in before.codes}, before.codes).after


def test_one_grid_in_other_words_is_the_same() -> None:
    before = county([shapes.HOLE, shapely.Polygon(shapes.HOLE.interiors[0])])
    ring = shapes.HOLE.exterior.coords[2:-1] + shapes.HOLE.exterior.coords[:3]
    other = shapely.MultiPolygon([shapely.Polygon(ring[::-1], shapes.HOLE.interiors)])
    solid = shapely.Polygon([(x, y, 5.0) for x, y in shapes.HOLE.interiors[0].coords])
    assert not redraw(before, {"0": other, "1": solid}, ["0", "1"]).after


def test_neighbours_get_the_new_nodes_and_keep_their_ground() -> None:
    before = county([box(0, 0, 1, 1), box(1, 0, 2, 1), box(0, 1, 2, 2)])
    moved = {"0": rounded(box(0, 0, 1.3, 1)), "1": rounded(box(1.3, 0, 2, 1))}
    edit = redraw(before, moved, ["0", "1"])
    after = check(before, edit)
    assert edit.replaced == ("0", "1", "2")
    assert after["2"].equals(before["2"])
    assert set(edit.gained_m2) == {"0"}
    assert set(edit.lost_m2) == {"1"}
    assert not edit.lineage


def test_nodes_outside_are_taken_over() -> None:
    before = county([box(0, 0, 2, 1), box(0, 1, 1.123, 2), box(1.123, 1, 2, 2)])
    before = before.apply(redraw(before, {"0": box(0, 0, 2, 1)}, ["0"]))
    edit = redraw(before, {"0": box(0, 0, 0.5, 1), "n": box(0.5, 0, 2, 1)}, ["0"])
    check(before, edit)
    assert edit.lineage == (("0", "n"),)


def test_a_border_drawn_some_centimetres_beside_is_the_border() -> None:
    before = county([box(0, 0, 1, 1), box(1, 0, 2, 1), box(0, 1, 2, 2)])
    off = 3e-7  # 3 cm
    south = shapely.Polygon(
        [(W, S), (W + 0.02, S), (W + 0.02, S + 0.01 - off), (W + 0.007, S + 0.01 + off), (W, S + 0.01)]
    )
    edit = redraw(before, {"0": south}, ["0", "1"])
    after = check(before, edit)
    assert after["2"].equals_exact(before["2"], 1e-12) or after["2"].symmetric_difference(before["2"]).area < 1e-15
    assert edit.lineage == (("1", "0"),)
    assert set(edit.gained_m2) == {"0"}


def test_lineage_is_by_ground() -> None:
    before = row()
    drawn = {"0": box(0, 0, 0.6, 1), "a": box(0.6, 0, 1.95, 1), "b": box(1.95, 0, 3, 1), "3": box(3, 0, 4, 1)}
    edit = redraw(before, drawn, before.codes, {"a": "", "b": ""})
    check(before, edit)
    assert set(edit.lineage) == {("0", "a"), ("1", "a"), ("2", "b")}
    crumbs = {f"n{i}": box(i / 20, 0, (i + 1) / 20, 1) for i in range(80)}
    edit = redraw(before, crumbs, before.codes)
    check(before, edit)
    assert Counter(from_ for from_, _ in edit.lineage) == {"0": 20, "1": 20, "2": 20, "3": 20}


def test_what_is_refused() -> None:
    before = row()
    with pytest.raises(errors.CodeTaken):
        redraw(before, {"3": box(0, 0, 1, 1)}, ["0"])
    with pytest.raises(errors.CodeTaken):
        redraw(before, {"0": box(0, 0, 1, 1)}, [])
    with pytest.raises(errors.UnknownCode):
        redraw(before, {"0": box(0, 0, 1, 1)}, ["0", "77"])
    with pytest.raises(errors.OutsideCommunity) as caught:
        redraw(before, {"0": box(0, 0, 1.1, 1)}, ["0"])
    assert caught.value.params["codes"] == ("0",)
    assert caught.value.params["lonlat"] == pytest.approx((W + 0.0105, S + 0.005))
    with pytest.raises(errors.StillInvalid):
        redraw(before, {"0": box(0, 0, 0.9, 1)}, ["0"])
    with pytest.raises(errors.StillInvalid):
        redraw(before, {"0": box(0, 0, 1, 1), "n": box(0.4, 0, 1, 1)}, ["0"])
    with pytest.raises(errors.WouldSelfIntersect):
        redraw(before, {"0": shapes.PINCHED}, ["0"])
    with pytest.raises(errors.WouldEmpty):
        redraw(before, {"0": shapes.EMPTY}, ["0"])
    with pytest.raises(errors.WouldEmpty):  # smaller than what counts as one place
        redraw(before, {"0": box(0, 0, 1, 1), "n": box(0, 0, 2e-5, 2e-5)}, ["0"])
    with pytest.raises(errors.StillInvalid):
        redraw(before, {}, ["0"])


def test_each_community_keeps_its_own_ground() -> None:
    before = row(["A", "A", "B", "B"])
    drawn = {"0": box(0, 0, 1.5, 1), "1": box(1.5, 0, 2, 1), "2": box(2, 0, 3.5, 1), "n": box(3.5, 0, 4, 1)}
    edit = redraw(before, drawn, before.codes, {"n": "B"})
    assert edit.communities == {"n": "B"}
    assert check(before, edit).community("n") == "B"
    with pytest.raises(errors.OutsideCommunity):
        redraw(before, drawn, before.codes, {"n": "A"})
    with pytest.raises(errors.OutsideCommunity):
        redraw(before, {**drawn, "1": box(1.5, 0, 2.2, 1), "2": box(2.2, 0, 3.5, 1)}, before.codes, {"n": "B"})


def test_a_file_may_be_wrong_inside_but_takes_from_nobody() -> None:
    before = row()
    drawn = {"0": box(0, 0, 0.9, 1), "1": box(0.8, 0, 1.7, 1)}
    edit = redraw(before, drawn, ["0", "1"], strict=False)
    after = before.apply(edit)
    assert sorted(p.kind for p in find_problems(after.polygons, shapely.union_all(before.polygons))) == [
        "gap",
        "overlap",
    ]
    assert all(after.undo(edit)[code].wkb == before[code].wkb for code in before.codes)
    with pytest.raises(errors.OutsideCommunity) as caught:
        redraw(before, {**drawn, "1": box(0.8, 0, 2.1, 1)}, ["0", "1"], strict=False)
    assert caught.value.params["codes"] == ("1",)
    gone = before.apply(redraw(before, {"0": box(0, 0, 1, 1)}, ["0", "1"], strict=False))
    assert gone.codes == ("0", "2", "3")


def test_broken_grids_can_be_redrawn_soundly() -> None:
    broken = county([box(0, 0, 1.1, 1), box(1, 0, 2, 1), box(2, 0, 3, 1)])
    drawn = {"0": box(0, 0, 1, 1), "1": box(1, 0, 2, 1), "2": box(2, 0, 3, 1)}
    after = broken.apply(redraw(broken, drawn, broken.codes))
    assert find_problems(after.polygons, box(0, 0, 3, 1)) == []
    assert after["2"].wkb == broken["2"].wkb


def test_the_blocks_of_2010_over_those_of_2000() -> None:
    old, new = coverages.real(coverages.OLD_BLOCKS), coverages.real(coverages.BLOCKS)
    before = county(old)
    matches = match({code: before[code] for code in before.codes}, list(new), [""] * len(new))
    assert Counter(one.how for one in matches)["overlap"] > 800
    drawn = {one.code or f"n{one.index}": new[one.index] for one in matches}
    with pytest.raises(errors.OutsideCommunity):  # the census moved the outline, too
        redraw(before, drawn, before.codes)
    edit = redraw(before, drawn, before.codes, strict=False)
    after = before.apply(edit)
    assert len(after) == len(new)
    assert find_problems(after.polygons) == []
    ground = shapely.union_all(old)
    assert {into for _, into in edit.lineage} >= {code for code in edit.added if after[code].within(ground)}
    assert set(ended(before.codes, matches)) == set(edit.removed)
    assert all(after.undo(edit)[code].wkb == before[code].wkb for code in before.codes)


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_any_other_division_of_the_ground_can_be_drawn(data: st.DataObject) -> None:
    side = data.draw(st.integers(3, 5))
    cells = coverages.tiling(side, 3, data.draw(st.integers(0, 50)))
    labels = st.lists(st.integers(0, 6), min_size=side * side, max_size=side * side)
    before = county(coverages.dissolved(cells, np.array(data.draw(labels))))
    other = coverages.dissolved(cells, np.array(data.draw(labels)))
    names = data.draw(st.permutations([*before.codes, *(f"n{i}" for i in range(8))]))
    decimals = data.draw(st.sampled_from([7, 9, 15]))
    drawn = {code: rounded(shape, decimals) for code, shape in zip(names, other, strict=False)}
    edit = redraw(before, drawn, before.codes)
    after = check(before, edit)
    assert set(after.codes) == set(drawn)
    for code, shape in zip(names, other, strict=False):
        assert after[code].symmetric_difference(shape).area < 1e-7 * shape.length
    assert {from_ for from_, _ in edit.lineage} >= set(edit.removed)
    assert {into for _, into in edit.lineage} >= set(edit.added)


def test_match_by_code_then_by_ground_and_households() -> None:
    old = {"001": box(0, 0, 1, 1), "002": box(1, 0, 2, 1), "003": box(2, 0, 3, 1)}
    new = [box(0, 0, 1.4, 1), box(1.4, 0, 2, 1), box(5, 0, 6, 1), box(2, 0, 2.02, 1)]
    found = match(old, new, ["", "", "001", ""])
    assert [(one.code, one.how) for one in found] == [("", "new"), ("002", "overlap"), ("001", "code"), ("", "new")]
    assert found[2].share == 0
    assert ended(old, found) == ["003"]
    assert match({}, new, [""] * 4)[0].how == "new"
    assert match(old, [], []) == []
    pair = [box(0, 0, 0.55, 1), box(0.55, 0, 1, 1)]
    assert [one.code for one in match({"001": old["001"]}, pair, ["", ""])] == ["001", ""]
    people = np.array([shapely.Point(W + 0.009, S + 0.005), shapely.Point(W + 0.001, S + 0.005)], dtype=object)
    most = match({"001": old["001"]}, pair, ["", ""], people, np.array([90.0, 10.0]))
    assert [one.code for one in most] == ["", "001"]


def test_match_takes_a_code_once_and_bears_broken_shapes() -> None:
    old = {"001": box(0, 0, 1, 1)}
    assert [one.how for one in match(old, [box(0, 0, 1, 1)] * 2, ["001", "001"])] == ["code", "new"]
    assert match({"001": shapes.BOW_TIE}, [shapes.BOW_TIE], [""])[0].share == 1


def test_buildings_that_borders_cut() -> None:
    grids = [box(0, 0, 1, 1), box(1, 0, 2, 1), box(0, 1, 2, 2)]
    inside, across = box(0.5, 0.5, 0.51, 0.51), box(0.99, 0.99, 1.02, 1.01)
    beside = box(1 - 5e-5, 0.5, 1.02, 0.51)  # four centimetres over the border
    outside = box(-0.01, 0.5, 0.01, 0.51)
    houses: NDArray[np.object_] = np.array([inside, across, beside, outside, shapely.Point(W + 0.01, S)], dtype=object)
    ((building, parts),) = cut_buildings(grids, houses)
    assert building == 1
    assert [grid for grid, _ in parts] == [2, 1, 0]
    assert sum(m2 for _, m2 in parts) == pytest.approx(24.2 * 22.2, rel=0.02)
    assert [i for i, _ in cut_buildings(grids, houses, 0.01)] == [1, 2]
    assert cut_buildings(grids, []) == []
    assert cut_buildings([], houses) == []

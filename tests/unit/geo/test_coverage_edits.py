"""Edits of a coverage: every one keeps the ground, the borders and the community, and can be undone to the byte."""

import numpy as np
import pytest
import shapely

from pingji.geo.coverage import (
    Coverage,
    cut_buildings,
    errors,
    give,
    insert_vertex,
    merge,
    move_vertex,
    remove_vertex,
    repair,
    reshape,
    simplify,
    split,
)
from tests import coverages
from tests.coverages import check

W, S = 126.5, 43.6


def boxes(columns: int, rows: int, communities: list[str] | None = None) -> Coverage:
    """A chequerboard of 0.01°, codes "00", "01"… column and row, with common corners exactly equal."""
    x, y = [W + i / 100 for i in range(columns + 1)], [S + j / 100 for j in range(rows + 1)]
    cells = [shapely.box(x[i], y[j], x[i + 1], y[j + 1]) for i in range(columns) for j in range(rows)]
    return Coverage.of([f"{i}{j}" for i in range(columns) for j in range(rows)], cells, communities)


def line(*offsets: tuple[float, float]) -> shapely.LineString:
    """A line by hundredths of a degree from the south-west corner."""
    return shapely.LineString([(W + x / 100, S + y / 100) for x, y in offsets])


def test_split_gives_new_codes_west_to_east_and_keeps_the_code_on_the_largest() -> None:
    county = boxes(2, 2)
    edit = split(county, "00", line((0.3, -0.1), (0.3, 0.5), (0.6, 0.5), (0.6, -0.1)), ["90", "91"])
    assert (edit.replaced, edit.added, edit.lineage) == (("00",), ("90",), (("00", "90"),))
    check(county, edit)
    edit = split(county, "00", line((0.3, -0.1), (0.3, 1.1), (0.8, 1.1), (0.8, -0.1)), ["90", "91"])
    after = check(county, edit)
    assert after["90"].centroid.x < after["00"].centroid.x < after["91"].centroid.x
    assert "01" in edit.replaced  # its border got the two nodes
    assert set(edit.lost_m2) == {"00"}


def test_split_by_a_line_whose_ends_were_snapped_short_of_the_border() -> None:
    county = boxes(2, 2)
    check(county, split(county, "00", line((0.4, 0.00001), (0.5, 0.99999)), ["90"]))  # a centimetre inside
    check(county, split(county, "00", line((0.4, 0.0015), (0.5, 0.9985)), ["90"]))  # 1.7 m inside
    corner = line((0, 0), (1, 1))
    after = check(county, split(county, "00", corner, ["90"]))
    assert len(after["90"].exterior.coords) == 4  # corners are used, not doubled
    with pytest.raises(errors.LineDoesNotCross) as caught:
        split(county, "00", line((0.4, 0.01), (0.5, 0.99)), ["90"])
    assert caught.value.params["codes"] == ("00",)
    assert caught.value.params["lonlat"] == pytest.approx((W + 0.004, S + 0.0001))


def test_split_holes_parts_and_islands() -> None:
    cells = coverages.tiling(5)
    label = np.ones(25, dtype=np.int64)
    label[12], label[24] = 2, 3  # a hole with an island, and a corner
    county = Coverage.of(["a", "b", "c"], coverages.dissolved(cells, label))
    west, south, east, north = county["a"].bounds
    middle = (south + north) / 2
    through = shapely.LineString([(west - 0.01, middle), (east + 0.01, middle)])
    after = check(county, split(county, "a", through, ["n1"]))
    assert not after["a"].interiors
    ring = county["b"].buffer(0.0005).exterior
    after = check(county, split(county, "a", shapely.LineString(ring), ["n2"]))
    assert len(after["n2"].interiors) == 1
    halfway = shapely.LineString([(west - 0.01, middle), county["b"].centroid.coords[0]])
    with pytest.raises(errors.LineDoesNotCross):
        split(county, "a", halfway, ["n3"])
    label = np.arange(25) + 10
    label[[0, 2, 24]] = 1
    parts = Coverage.of([str(i) for i in range(23)], coverages.dissolved(cells, label))
    cut = cells[2].bounds
    x = (cut[0] + cut[2]) / 2
    after = check(parts, split(parts, "0", shapely.LineString([(x, cut[1] - 0.001), (x, cut[3] + 0.001)]), ["new"]))
    assert len(after["0"].geoms) == 3


def test_split_refuses() -> None:
    county = boxes(2, 1)
    with pytest.raises(errors.UnknownCode):
        split(county, "77", line((0.5, -1), (0.5, 2)), ["90"])
    with pytest.raises(errors.CodeTaken):
        split(county, "00", line((0.5, -1), (0.5, 2)), ["10"])
    with pytest.raises(errors.CodeTaken):
        split(county, "00", line((0.5, -1), (0.5, 2)), [])
    with pytest.raises(errors.WouldSelfIntersect):
        split(county, "00", line((0.2, -1), (0.2, 0.8), (0.8, 0.5), (0.1, 0.5)), ["90"])
    with pytest.raises(errors.LineDoesNotCross):
        split(county, "00", shapely.LineString([(W, S), (W, S)]), ["90"])


def test_merge_needs_a_common_border() -> None:
    county = boxes(3, 3)
    with pytest.raises(errors.NotAdjacent) as corner:
        merge(county, ["00", "11"])
    assert corner.value.params["distance_m"] == 0
    with pytest.raises(errors.NotAdjacent):
        merge(county, ["00"])
    ring = [code for code in county.codes if code != "11"]
    after = check(county, merge(county, ring, into="22"))
    assert len(after["22"].interiors) == 1
    assert after.codes == ("11", "22")
    with pytest.raises(errors.OutsideCommunity):
        merge(boxes(2, 1, ["A", "B"]), ["00", "10"])


def test_reshape_moves_both_sides() -> None:
    county = boxes(2, 2)
    edit = reshape(county, line((1, 0.2), (1.2, 0.5), (1, 0.8)))
    after = check(county, edit)
    assert list(edit.gained_m2) == ["00"]
    assert after["00"].area > county["00"].area
    both = reshape(county, line((0.95, 0.1), (1.2, 0.3), (0.8, 0.7), (1.05, 0.9)))
    check(county, both)
    assert set(both.gained_m2) == {"00", "10"}


def test_reshape_over_a_triple_point_and_of_the_outline() -> None:
    county = boxes(2, 2).apply(merge(boxes(2, 2), ["00", "01"], into="00"))
    edit = reshape(county, line((0.98, 0.7), (1.2, 0.8), (1.2, 1.2), (0.98, 1.2)))
    after = check(county, edit)
    assert list(edit.gained_m2) == ["00"]
    assert set(edit.lost_m2) == {"10", "11"}
    assert len(after) == 3
    with pytest.raises(errors.OutsideCommunity):
        reshape(county, line((0.3, -0.1), (0.5, 0.3), (0.7, -0.1)))
    with pytest.raises(errors.LineDoesNotCross):
        reshape(county, line((0.5, 0.5), (1.5, 0.5)))
    with pytest.raises(errors.LineDoesNotCross):
        reshape(county, line((50, 50), (51, 51)))


def test_a_piece_at_a_triple_point_is_shared_along_the_border_drawn_on() -> None:
    county = boxes(2, 2).apply(merge(boxes(2, 2), ["00", "01"], into="00"))
    bite = line(
        (1, 0.7), (0.8, 0.8), (0.7, 1.6), (1, 1.7)
    )  # out of the west, past where south-east and north-east meet
    edit = reshape(county, bite)
    after = check(county, edit)
    assert set(edit.gained_m2) == {"10", "11"}
    assert set(edit.lost_m2) == {"00"}
    assert after["10"].bounds[3] == pytest.approx(S + 0.01)  # the border between the two runs straight on
    assert after["11"].bounds[1] == pytest.approx(S + 0.01)
    slip = line((1, 0.3), (0.8, 0.5), (0.8, 0.9), (1, 1.0001))  # a metre past the corner
    edit = reshape(county, slip)
    check(county, edit)
    assert set(edit.gained_m2) == {"10"}


def test_a_piece_at_a_corner_of_four_is_shared_the_shortest_way() -> None:
    county = boxes(2, 2)
    edit = reshape(county, line((0.6, 1), (0.7, 0.8), (1, 0.7)))
    after = check(county, edit)
    assert set(edit.gained_m2) == {"01", "10"}
    assert min(edit.gained_m2.values()) > 10_000
    assert after["01"].intersection(after["10"]).length > 0.001


def test_a_new_end_of_the_border_itself_goes_to_one() -> None:
    county = boxes(2, 2).apply(merge(boxes(2, 2), ["00", "01"], into="00"))
    over = line((1, 0.6), (0.8, 0.8), (0.8, 1.2), (1.2, 1.3), (1.5, 1))  # round the triple point, home to the border
    edit = reshape(county, over)
    check(county, edit)
    assert set(edit.gained_m2) == {"10"}
    assert set(edit.lost_m2) == {"00", "11"}


def test_a_piece_at_three_corners_is_shared_by_all() -> None:
    county = boxes(2, 4)
    tall = county.apply(merge(county, ["00", "01", "02", "03"], into="00"))
    edit = reshape(tall, line((1, 0.5), (0.6, 0.8), (0.5, 3.2), (1, 3.5)))
    check(tall, edit)
    assert set(edit.gained_m2) == {"10", "11", "12", "13"}


def test_reshape_only_what_is_chosen_and_never_another_community() -> None:
    county = boxes(2, 2)
    edit = reshape(county, line((1, 0.2), (1.2, 0.5), (1, 0.8)), ["00", "10"])
    assert set(edit.before) == {"00", "10"}
    apart = boxes(2, 1, ["A", "B"])
    with pytest.raises(errors.OutsideCommunity):
        reshape(apart, line((1, 0.2), (1.2, 0.5), (1, 0.8)))


def test_a_vertex_of_four_grids() -> None:
    county = boxes(2, 2)
    after = check(county, move_vertex(county, (W + 0.01 + 1e-6, S + 0.01), (W + 0.012, S + 0.013)))
    assert all((W + 0.012, S + 0.013) in shape.exterior.coords for shape in after.polygons)
    with pytest.raises(errors.NoVertexThere):
        move_vertex(county, (W + 0.005, S + 0.005), (W, S))
    with pytest.raises(errors.OutsideCommunity):
        move_vertex(county, (W + 0.01, S), (W + 0.012, S))
    with pytest.raises((errors.WouldSelfIntersect, errors.StillInvalid)):
        move_vertex(county, (W + 0.01, S + 0.01), (W + 0.03, S + 0.01))
    with pytest.raises(errors.OutsideCommunity):
        move_vertex(boxes(2, 2, ["A", "A", "B", "B"]), (W + 0.01, S + 0.01), (W + 0.012, S + 0.013))


def test_grids_of_several_parts_are_edited_like_others() -> None:
    county = boxes(3, 2)
    apart = Coverage.of(
        ["a", "10", "11", "21"],
        [
            shapely.union(county["00"], county["20"]),
            county["10"],
            shapely.union(county["01"], county["11"]),
            county["21"],
        ],
    )
    apart = apart.apply(repair(apart).edit)
    assert apart["a"].geom_type == "MultiPolygon"
    moved = check(apart, move_vertex(apart, (W + 0.02, S + 0.01), (W + 0.021, S + 0.011)))
    check(moved, insert_vertex(moved, (W + 0.01, S + 0.004), (W + 0.011, S + 0.004)))
    joined = check(apart, merge(apart, ["a", "10"]))
    assert joined["a"].geom_type == "Polygon"
    bulge = check(apart, reshape(apart, line((2, 0.2), (1.8, 0.5), (2, 0.8))))
    assert bulge["a"].area > apart["a"].area


def test_a_cut_at_the_open_side_of_long_borders() -> None:
    """A straight border of a kilometre, bent by a projection, must not look like a gap once it has a node more."""
    county = Coverage.of(["a"], [shapely.box(W, S, W + 0.03, S + 0.03)])
    check(county, split(county, "a", line((1, -1), (1.1, 4)), ["b"]))


def test_a_new_vertex_is_in_both_neighbours_and_can_go_again() -> None:
    county = boxes(2, 2)
    edit = insert_vertex(county, (W + 0.01 + 1e-6, S + 0.004))
    assert edit.replaced == ("00", "10")
    assert not edit.gained_m2
    flat = check(county, edit)
    bent = check(county, insert_vertex(county, (W + 0.01, S + 0.004), (W + 0.011, S + 0.004)))
    gone = check(bent, remove_vertex(bent, (W + 0.011, S + 0.004)))
    assert gone["00"].equals(county["00"])
    assert flat["00"].equals(county["00"])
    with pytest.raises(errors.NoVertexThere):
        insert_vertex(county, (W + 0.005, S + 0.005))
    with pytest.raises(errors.NoVertexThere):
        insert_vertex(county, (W + 0.01, S + 0.01))
    with pytest.raises(errors.OutsideCommunity):
        insert_vertex(county, (W + 0.005, S), (W + 0.005, S - 0.001))
    with pytest.raises(errors.NoVertexThere):
        remove_vertex(county, (W + 0.01, S + 0.01))


def test_give_a_building_and_a_block() -> None:
    county = boxes(2, 2)
    at_border = shapely.box(W + 0.0098, S + 0.004, W + 0.0103, S + 0.0043)
    after = check(county, give(county, at_border, "00"))
    assert after["00"].contains(at_border.buffer(-1e-7))
    set_back = shapely.box(W + 0.0101, S + 0.004, W + 0.0104, S + 0.0043)
    after = check(county, give(county, set_back, "00"))
    assert after["00"].buffer(1e-9).contains(set_back)
    assert after["00"].geom_type == "Polygon"
    with pytest.raises(errors.NotAdjacent) as far:
        give(county, shapely.box(W + 0.015, S + 0.004, W + 0.0153, S + 0.0043), "00")
    assert far.value.params["distance_m"] == pytest.approx(404, abs=3)
    corner = shapely.box(W + 0.0098, S + 0.0098, W + 0.0103, S + 0.0103)
    assert set(give(county, corner, "00").lost_m2) == {"01", "10", "11"}
    check(county, give(county, corner, "00"))


def test_the_strip_to_a_building_goes_round_other_buildings() -> None:
    county = boxes(2, 2)
    house = shapely.box(W + 0.01015, S + 0.004, W + 0.0104, S + 0.0043)  # 12 m behind the border, 33 m long
    shed = shapely.box(W + 0.01005, S + 0.0041, W + 0.01010, S + 0.00438)
    straight = check(county, give(county, house, "00"))
    assert [i for i, _ in cut_buildings(straight.polygons, [house, shed])] == [1]
    round_about = check(county, give(county, house, "00", obstacles=[house, shed]))
    assert cut_buildings(round_about.polygons, [house, shed]) == []
    assert round_about["00"].buffer(1e-9).contains(house)
    assert round_about["10"].buffer(1e-9).contains(shed)
    wall = shapely.box(W + 0.01005, S + 0.003, W + 0.01010, S + 0.005)  # no way round
    through = check(county, give(county, house, "00", obstacles=[wall]))
    assert [i for i, _ in cut_buildings(through.polygons, [house, wall])] == [1]
    assert give(county, house, "00", obstacles=[shapely.Point(W, S)]).after["00"].equals(straight["00"])


def test_give_refuses() -> None:
    county = boxes(2, 2)
    with pytest.raises(errors.WouldEmpty):
        give(county, county["10"], "00")
    with pytest.raises(errors.WouldFallApart):
        give(county, shapely.box(W + 0.01, S + 0.004, W + 0.02, S + 0.0042), "00")
    with pytest.raises(errors.OutsideCommunity):
        give(county, shapely.box(W + 0.0098, S - 0.001, W + 0.0103, S + 0.001), "00")
    with pytest.raises(errors.OutsideCommunity):
        give(boxes(2, 1, ["A", "B"]), shapely.box(W + 0.0098, S + 0.004, W + 0.0103, S + 0.0043), "00")


def test_stale_edits_are_refused() -> None:
    county = boxes(2, 2)
    first = reshape(county, line((1, 0.2), (1.2, 0.5), (1, 0.8)))
    second = move_vertex(county, (W + 0.01, S + 0.01), (W + 0.012, S + 0.013))
    with pytest.raises(errors.Stale) as caught:
        county.apply(first).apply(second)
    assert set(caught.value.params["codes"]) == {"00", "10"}  # type: ignore[call-overload]


def test_simplify_keeps_common_borders_and_the_outline() -> None:
    cells = coverages.tiling(4, 12)
    county = Coverage.of([str(i) for i in range(16)], cells)
    after = check(county, simplify(county, county.codes, 20.0))
    assert shapely.get_num_coordinates(after.polygons).sum() < 0.8 * shapely.get_num_coordinates(cells).sum()
    known = set(map(tuple, shapely.get_coordinates(cells).tolist()))
    assert known.issuperset(map(tuple, shapely.get_coordinates(after.polygons).tolist()))
    assert not simplify(county, ["0", "1"], 1e-6).before


def test_many_edits_renew_the_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pingji.geo.coverage.model._REINDEX", 3)
    county = boxes(3, 3)
    for n in range(4):
        county = county.apply(split(county, "00", line((0.1 * (n + 1), -1), (0.1 * (n + 1), 2)), [f"n{n}"]))
    assert len(county) == 13
    assert county.near(shapely.Point(W + 0.0005, S + 0.005)) == ("n0",)

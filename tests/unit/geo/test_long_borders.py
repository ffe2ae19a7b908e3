"""Borders of kilometres with a vertex at either end only: what lies on them in degrees is on them to every edit."""

import numpy as np
import pytest
import shapely

from pingji.geo.coverage import Coverage, Edit, insert_vertex, reshape, split


@pytest.mark.parametrize("km", [5, 11, 20, 50])
def test_a_place_on_a_long_border_is_on_it(km: int) -> None:
    size = km / 111
    corners = [(126.3, 43.2), (126.3 + size, 43.2 + size / 9), (126.31 + size, 43.2 + size), (126.28, 43.19 + size)]
    north = [
        (126.28, 43.19 + size),
        (126.31 + size, 43.2 + size),
        (126.3 + size, 43.2 + 2 * size),
        (126.3, 43.2 + 2 * size),
    ]
    coverage = Coverage.of(["1", "2"], [shapely.Polygon(corners), shapely.Polygon(north)])
    west, east = np.array(corners[3]), np.array(corners[2])
    one, middle, other = (west + share * (east - west) for share in (0.2, 0.5, 0.8))
    up = middle + np.array([0.0, size / 20])
    rim = shapely.Polygon(corners).exterior
    edits: list[Edit] = [
        reshape(coverage, shapely.LineString([one, up, other])),
        insert_vertex(coverage, (float(middle[0]), float(middle[1])), (float(up[0]), float(up[1]))),
        split(coverage, "1", shapely.LineString([rim.interpolate(s, normalized=True) for s in (0.13, 0.61)]), ["3"]),
    ]
    for edit in edits:
        after = coverage.apply(edit)
        assert shapely.coverage_is_valid(after.polygons)
        assert sum(edit.gained_m2.values()) == pytest.approx(sum(edit.lost_m2.values()), abs=1.0)

"""Faces that touch, components, and gathering them into regions."""

import numpy as np
import shapely

from pingji.geo.regions import components, gather, shared_borders

_STRIP = np.array([shapely.box(x, 0, x + 1, 1) for x in range(4)])


def test_shared_borders_name_both_faces_and_the_length() -> None:
    found = shared_borders(_STRIP)
    assert list(zip(found.first.tolist(), found.second.tolist(), strict=True)) == [(0, 1), (1, 2), (2, 3)]
    assert found.length_m.tolist() == [1.0, 1.0, 1.0]


def test_corners_that_only_touch_share_no_border() -> None:
    assert not len(shared_borders(np.array([shapely.box(0, 0, 1, 1), shapely.box(1, 1, 2, 2)])).first)


def test_components_of_a_long_chain() -> None:
    chain = np.column_stack([np.arange(99), np.arange(1, 100)])
    assert set(components(100, chain).tolist()) == {0}
    assert components(2, np.empty((0, 2), dtype=np.int64)).tolist() == [0, 1]


def test_gather_keeps_regions_contiguous_and_stops_where_nothing_touches() -> None:
    assert gather([1.0, 1.0, 9.0, 9.0], {(0, 1): 1.0, (1, 2): 1.0, (2, 3): 1.0}, 2) in ([0, 0, 0, 1], [0, 0, 1, 1])
    assert gather([1.0, 1.0], {}, 1) == [0, 1]

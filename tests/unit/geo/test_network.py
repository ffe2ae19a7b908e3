"""Networks between places."""

import numpy as np

from pingji.geo.network import neighbour_edges, shortest_path, spanning_tree


def test_neighbours_of_a_square_with_a_middle() -> None:
    xy = np.array([[0, 0], [2, 0], [2, 2], [0, 2], [1, 1.1]])
    assert {(0, 4), (1, 4), (2, 4), (3, 4)} <= set(neighbour_edges(xy))


def test_tree_reaches_all_with_the_cheapest_edges() -> None:
    assert sorted(spanning_tree(4, [(0, 1), (1, 2), (2, 3), (0, 3)], [1, 5, 1, 2])) == [(0, 1), (0, 3), (2, 3)]


def test_no_way_is_an_empty_path() -> None:
    assert shortest_path([(0, 1)], [1.0], 0, 2) == []
    assert shortest_path([(0, 1)], [1.0], 0, 0) == []

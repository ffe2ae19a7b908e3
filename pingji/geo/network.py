"""Small planar networks between places: triangulated neighbours, spanning tree, shortest path."""

import heapq
from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

Edge = tuple[int, int]


def neighbour_edges(xy: NDArray[np.float64]) -> list[Edge]:
    """Pairs of points that are neighbours in the Delaunay triangulation; their straight links never cross.

    Examples
    --------
    >>> neighbour_edges(np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 3.0]]))
    [(0, 1), (0, 2), (1, 2)]
    """
    index = {(float(x), float(y)): i for i, (x, y) in enumerate(xy)}
    lines = shapely.get_parts(shapely.delaunay_triangles(shapely.multipoints(xy), only_edges=True))
    ends = shapely.get_coordinates(lines).reshape(-1, 2, 2)
    pairs = ((index[float(a[0]), float(a[1])], index[float(b[0]), float(b[1])]) for a, b in ends)
    return sorted((min(p), max(p)) for p in pairs)


def spanning_tree(size: int, edges: Sequence[Edge], costs: Sequence[float]) -> list[Edge]:
    """The cheapest edges that connect all of `size` nodes (or as many as can be), by Kruskal's rule.

    Examples
    --------
    >>> spanning_tree(3, [(0, 1), (0, 2), (1, 2)], [4.0, 3.0, 5.0])
    [(0, 2), (0, 1)]
    """
    root = list(range(size))

    def find(i: int) -> int:
        while root[i] != i:
            root[i] = root[root[i]]
            i = root[i]
        return i

    tree: list[Edge] = []
    for k in np.argsort(np.asarray(costs), kind="stable"):
        a, b = edges[int(k)]
        if find(a) != find(b):
            root[find(a)] = find(b)
            tree.append((a, b))
    return tree


def shortest_path(edges: Sequence[Edge], costs: Sequence[float], start: int, end: int) -> list[Edge]:
    """The edges of the cheapest way from `start` to `end`, empty where there is none.

    Examples
    --------
    >>> shortest_path([(0, 1), (1, 2), (0, 2)], [1.0, 1.0, 3.0], 0, 2)
    [(0, 1), (1, 2)]
    """
    links: dict[int, list[tuple[int, float]]] = {}
    for (a, b), cost in zip(edges, costs, strict=True):
        links.setdefault(a, []).append((b, cost))
        links.setdefault(b, []).append((a, cost))
    best: dict[int, float] = {start: 0.0}
    came: dict[int, int] = {}
    queue = [(0.0, start)]
    while queue:
        cost, node = heapq.heappop(queue)
        if node == end:
            break
        for other, step in links.get(node, ()):
            if cost + step < best.get(other, np.inf):
                best[other] = cost + step
                came[other] = node
                heapq.heappush(queue, (cost + step, other))
    path: list[Edge] = []
    node = end
    while node in came:
        path.append((min(node, came[node]), max(node, came[node])))
        node = came[node]
    return path[::-1]

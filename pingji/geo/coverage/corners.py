"""Pieces that lie against several neighbours: the border between these, drawn on to the new line."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from pingji.geo.coverage.assign import Segment, common_length, segments
from pingji.geo.coverage.planar import Node, faces_of

Sides = Mapping[str, Sequence[Mapping[Segment, float]]]  # the edges of each polygon, part by part

_MISSED_DEG = 2e-5  # with less than about 2 m of a neighbour, a line went past the corner by mistake
_BEYOND_DEG = 5e-7
_ON_LINE_DEG = 1e-8


def extensions(piece: shapely.Polygon, sides: Sides, path: shapely.LineString) -> list[shapely.LineString]:
    """Lines that cut a piece where its neighbours meet, so that each can have the part that lies against it.

    Parameters
    ----------
    piece : Polygon, EPSG:4490 lon/lat degrees
        Cut off by `path`.
    sides : mapping of code to edges
        Of every polygon that the piece may go to.
    path : LineString, EPSG:4490 lon/lat degrees

    Returns
    -------
    list of LineString
        From each place where two neighbours meet, straight on as the border between them runs; if one does not reach
        the path so, from each to the nearest point of the path. None where that does not give each its part.

    Examples
    --------
    >>> south, north = shapely.box(0, 0, 1, 1), shapely.box(0, 1, 1, 2)
    >>> path = shapely.LineString([(1, 0.5), (1.5, 0.5), (1.5, 1.5), (1, 1.5)])
    >>> piece = shapely.Polygon([(1, 0.5), (1.5, 0.5), (1.5, 1.5), (1, 1.5), (1, 1)])
    >>> sides = {code: [segments(box.segmentize(0.5))] for code, box in (("s", south), ("n", north))}
    >>> (cut,) = extensions(piece, sides, path)
    >>> shapely.set_precision(cut, 1e-3).wkt
    'LINESTRING (1 1, 1.5 1)'
    """
    meets = _meets(piece, sides)
    if not meets:
        return []
    ahead = [_ahead(piece, at, before, path) for at, before in meets]
    across = [_across(piece, at, path) for at, _ in meets]
    for lines in (ahead, across):
        found = [line for line in lines if line is not None]
        if len(found) == len(meets) and _serves(piece, found, sides):
            return found
    return []


def shared(edges: Mapping[Segment, float], sides: Iterable[Mapping[Segment, float]]) -> float:
    """Length of the border that a piece has in common with the parts of a polygon, degrees."""
    return sum(common_length(edges, part) for part in sides)


def _meets(piece: shapely.Polygon, sides: Sides) -> list[tuple[Node, Node | None]]:
    """Where two neighbours of a piece meet, and the vertex before on the border between them if they have one."""
    own = segments(piece)
    near = {code: parts for code, parts in sides.items() if shared(own, parts) > _MISSED_DEG}
    ends = list(map(tuple, shapely.get_coordinates(piece.exterior).tolist()))
    edges = [(min(a, b), max(a, b)) for a, b in pairwise(ends)]
    owners = [next((c for c, parts in near.items() if any(e in part for part in parts)), "") for e in edges]
    found: list[tuple[Node, Node | None]] = []
    for i, owner in enumerate(owners):
        before = owners[i - 1]
        if owner and before and owner != before:
            found.append((ends[i], _inward(near[before], near[owner], ends[i])))
    return found


def _inward(one: Sequence[Mapping[Segment, float]], other: Sequence[Mapping[Segment, float]], at: Node) -> Node | None:
    mine = {edge for part in one for edge in part if at in edge}
    both = sorted(mine & {edge for part in other for edge in part if at in edge})
    return next((b if a == at else a for a, b in both), None)


def _ahead(
    piece: shapely.Polygon, at: Node, before: Node | None, path: shapely.LineString
) -> shapely.LineString | None:
    """From `at` away from `before` until the piece ends, if it ends at the path."""
    if before is None:
        return None
    a, way = np.array(at), np.array(at) - np.array(before)
    west, south, east, north = piece.bounds
    way = way / np.hypot(*way)
    ray = shapely.LineString([a, a + way * (east - west + north - south)])
    hits = shapely.get_coordinates(ray.intersection(piece.boundary))
    away = np.hypot(*(hits - a).T)
    away = away[away > _ON_LINE_DEG]
    return _inside(piece, a, a + way * away.min(), path) if len(away) else None


def _across(piece: shapely.Polygon, at: Node, path: shapely.LineString) -> shapely.LineString | None:
    """From `at` to the nearest point of the path."""
    start, end = shapely.get_coordinates(shapely.shortest_line(shapely.Point(at), path))
    return _inside(piece, start, end, path)


def _inside(
    piece: shapely.Polygon, start: NDArray[np.float64], end: NDArray[np.float64], path: shapely.LineString
) -> shapely.LineString | None:
    """The line if it runs inside the piece to the path, and a little beyond, so that it surely crosses."""
    size = float(np.hypot(*(end - start)))
    if size < _BEYOND_DEG or path.distance(shapely.Point(end)) > _ON_LINE_DEG:
        return None
    if not piece.contains(shapely.Point((start + end) / 2)):
        return None
    return shapely.LineString([start, end + (end - start) / size * _BEYOND_DEG])


def _serves(piece: shapely.Polygon, cuts: Sequence[shapely.LineString], sides: Sides) -> bool:
    """Whether cuts make one more part each, and every part lies against somebody."""
    if any(one.crosses(other) for one, other in combinations(cuts, 2)):
        return False
    parts = faces_of(np.array([piece.boundary, *cuts], dtype=object))
    if len(parts) != len(cuts) + 1:
        return False
    edges = [segments(part) for part in parts]
    return all(any(shared(own, found) for found in sides.values()) for own in edges)

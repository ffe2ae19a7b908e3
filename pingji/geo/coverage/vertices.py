"""Move, insert and remove a vertex of a common border: every polygon at that node follows."""

from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from pingji.geo.coverage.errors import NoVertexThere, OutsideCommunity
from pingji.geo.coverage.measure import metres_by_degree
from pingji.geo.coverage.model import Coverage, Edit
from pingji.geo.coverage.planar import Area, Node, rebuilt, rings_of
from pingji.geo.coverage.settle import one_community, settled
from pingji.geo.crs import to_metric

REACH_M = 0.5  # how far beside a vertex or an edge a pointer may be; a browser that snaps is far nearer
_REACH_DEG = 1e-5


def move_vertex(coverage: Coverage, at: Node, to: Node) -> Edit:
    """Move a node; onto the next node of a border, it is taken out.

    Parameters
    ----------
    coverage : Coverage
    at, to : (lon, lat), EPSG:4490 degrees
        A vertex, within half a metre, and its new place.

    Returns
    -------
    Edit

    Raises
    ------
    NoVertexThere
    OutsideCommunity
        If the vertex is on the border of its community.
    WouldSelfIntersect, WouldEmpty, StillInvalid
        If a border would cross itself or another one.

    Examples
    --------
    >>> boxes = [shapely.box(126.5 + i / 100, 43.6 + j / 100, 126.51 + i / 100, 43.61 + j / 100)
    ...          for i in range(2) for j in range(2)]
    >>> coverage = Coverage.of(["001", "002", "003", "004"], boxes)
    >>> edit = move_vertex(coverage, (126.51, 43.61), (126.512, 43.611))
    >>> edit.replaced
    ('001', '002', '003', '004')
    """
    node, codes = _node(coverage, at)
    _inside(coverage, node, codes)
    return settled(coverage, "move_vertex", {code: _replaced(coverage[code], node, to) for code in codes})


def remove_vertex(coverage: Coverage, at: Node) -> Edit:
    """Take out a vertex of a border between two polygons; parameters and refusals as for `move_vertex`.

    Where three borders meet none can be taken out: that is refused as StillInvalid or NoVertexThere.
    """
    node, codes = _node(coverage, at)
    _inside(coverage, node, codes)
    if len(codes) != 2:
        raise NoVertexThere(lonlat=node, distance_m=0.0)
    return settled(coverage, "remove_vertex", {code: _replaced(coverage[code], node, None) for code in codes})


def insert_vertex(coverage: Coverage, at: Node, to: Node | None = None) -> Edit:
    """Add a vertex to the nearest border, for both sides, and move it where `to` says.

    Parameters
    ----------
    coverage : Coverage
    at : (lon, lat), EPSG:4490 degrees
        On a border, within half a metre.
    to : (lon, lat), optional
        Where the new vertex should be; on the border where left out.

    Raises
    ------
    NoVertexThere
        If there is no border, or there is a vertex already.
    OutsideCommunity
        If it would move the border of a community.
    WouldSelfIntersect, StillInvalid
    """
    point = shapely.Point(at)
    (metres,) = metres_by_degree(np.array([at[1]]))  # not projected: the middle of a long edge lies on it
    stretched_at = shapely.Point(np.array(at) * metres)
    best: tuple[float, NDArray[np.float64]] | None = None
    for code in coverage.near(point, _REACH_DEG):
        for ring in rings_of(shapely.transform(coverage[code], lambda xy: xy * metres)):
            away = float(ring.distance(stretched_at))
            if away < REACH_M and (best is None or away < best[0]):
                best = (away, shapely.get_coordinates(ring.interpolate(ring.project(stretched_at)))[0])
    if best is None:
        raise NoVertexThere(lonlat=at, distance_m=None)
    foot = shapely.Point(best[1] / metres)
    edge = _edge(coverage, foot)
    if edge is None:
        raise NoVertexThere(lonlat=at, distance_m=best[0])
    a, b, codes = edge
    along = _along(a, b, np.array([foot.x, foot.y]))
    new = (float(a[0] + along * (b[0] - a[0])), float(a[1] + along * (b[1] - a[1])))
    if to is not None:
        one_community(coverage, codes)
        if len(codes) < 2:
            raise OutsideCommunity(codes=tuple(codes), lonlat=new, area_m2=0.0)
    place = to if to is not None else new
    return settled(coverage, "insert_vertex", {code: _broken(coverage[code], a, b, place) for code in codes})


def _node(coverage: Coverage, at: Node) -> tuple[Node, list[str]]:
    """The vertex nearest to a place, and the polygons that have it."""
    point = shapely.Point(at)
    codes = coverage.near(point, _REACH_DEG)
    metric_at = shapely.get_coordinates(to_metric(point, coverage.crs))[0]
    found: tuple[float, Node] | None = None
    for code in codes:
        xy = shapely.get_coordinates(coverage[code])
        close = xy[np.abs(xy - at).max(axis=1) < _REACH_DEG]
        if len(close):
            metric = shapely.get_coordinates(to_metric(shapely.MultiPoint(close), coverage.crs))
            away = np.hypot(*(metric - metric_at).T)
            i = int(np.argmin(away))
            if found is None or away[i] < found[0]:
                found = (float(away[i]), (float(close[i, 0]), float(close[i, 1])))
    if found is None or found[0] > REACH_M:
        raise NoVertexThere(lonlat=at, distance_m=None if found is None else found[0])
    node = found[1]
    have = [c for c in codes if (shapely.get_coordinates(coverage[c]) == node).all(axis=1).any()]
    return node, have


def _inside(coverage: Coverage, node: Node, codes: list[str]) -> None:
    """Refuse a vertex of the community's own border: an edge there belongs to one polygon alone."""
    one_community(coverage, codes)
    count: dict[tuple[Node, Node], int] = {}
    for code in codes:
        for ring in rings_of(coverage[code]):
            ends = list(map(tuple, shapely.get_coordinates(ring).tolist()))
            for a, b in pairwise(ends):
                if node in (a, b):
                    key = (min(a, b), max(a, b))
                    count[key] = count.get(key, 0) + 1
    if any(n != 2 for n in count.values()):
        raise OutsideCommunity(codes=tuple(codes), lonlat=node, area_m2=0.0)


def _replaced(shape: Area, node: Node, to: Node | None) -> Area:
    """A shape with one vertex elsewhere, or without it; vertices that follow each other in one place become one."""

    def change(ring: NDArray[np.float64]) -> NDArray[np.float64]:
        hit = (ring == node).all(axis=1)
        if not hit.any():
            return ring
        moved = ring[:-1][~hit[:-1]] if to is None else np.where(hit[:, None], np.array(to), ring)[:-1]
        again = (moved == np.roll(moved, 1, axis=0)).all(axis=1)
        moved = moved[~again]
        return np.concatenate([moved, moved[:1]])

    return rebuilt(shape, change)


def _broken(shape: Area, a: NDArray[np.float64], b: NDArray[np.float64], node: Node) -> Area:
    """A shape whose edge between `a` and `b` runs through `node`."""

    def change(ring: NDArray[np.float64]) -> NDArray[np.float64]:
        start, end = ring[:-1], ring[1:]
        there = (start == a).all(axis=1) & (end == b).all(axis=1)
        back = (start == b).all(axis=1) & (end == a).all(axis=1)
        at = np.flatnonzero(there | back)
        return np.insert(ring, at + 1, np.array(node), axis=0) if len(at) else ring

    return rebuilt(shape, change)


def _along(a: NDArray[np.float64], b: NDArray[np.float64], xy: NDArray[np.float64]) -> float:
    return float(np.dot(xy - a, b - a) / np.dot(b - a, b - a))


def _edge(coverage: Coverage, foot: shapely.Point) -> tuple[NDArray[np.float64], NDArray[np.float64], list[str]] | None:
    """The edge that a point lies on, and the polygons that have it; None at a vertex."""
    xy = np.array([foot.x, foot.y])
    codes = coverage.near(foot, _REACH_DEG)
    best: tuple[float, NDArray[np.float64], NDArray[np.float64]] | None = None
    for code in codes:
        for ring in rings_of(coverage[code]):
            ends = shapely.get_coordinates(ring)
            a, b = ends[:-1], ends[1:]
            along = ((xy - a) * (b - a)).sum(axis=1) / ((b - a) ** 2).sum(axis=1)
            away = np.hypot(*(a + np.clip(along, 0, 1)[:, None] * (b - a) - xy).T)
            i = int(np.argmin(away))
            if best is None or away[i] < best[0]:
                best = (float(away[i]), a[i], b[i])
    if best is None or min(np.abs(best[1] - xy).max(), np.abs(best[2] - xy).max()) < 1e-9:
        return None
    _, a, b = best
    key = {tuple(a.tolist()), tuple(b.tolist())}
    have = []
    for code in codes:
        for ring in rings_of(coverage[code]):
            run = list(map(tuple, shapely.get_coordinates(ring).tolist()))
            if code not in have and any({p, q} == key for p, q in pairwise(run)):
                have.append(code)
    return a, b, have

"""Lines and faces of the plane: noding, polygonizing, and nodes that a neighbour has to have too."""

from collections.abc import Callable, Iterable

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

Area = shapely.Polygon | shapely.MultiPolygon
Node = tuple[float, float]
ON_EDGE = 1e-9  # degrees, 0.1 mm: a computed node lies on its edge but for rounding


def polygons_of(shape: BaseGeometry) -> list[shapely.Polygon]:
    """The polygons among the parts of a shape."""
    return [part for part in shapely.get_parts(shape).tolist() if isinstance(part, shapely.Polygon)]


def rings_of(shape: BaseGeometry | NDArray[np.object_]) -> list[shapely.LinearRing]:
    """Every ring of every part; `shapely.get_rings` gives none for a multipart.

    Examples
    --------
    >>> len(rings_of(shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(5, 0, 6, 1)])))
    2
    """
    found: list[shapely.LinearRing] = shapely.get_rings(shapely.get_parts(shape)).tolist()
    return found


def polygonal(shape: BaseGeometry) -> Area:
    """What of a shape has an area.

    Examples
    --------
    >>> polygonal(shapely.GeometryCollection([shapely.box(0, 0, 1, 1), shapely.Point(5, 5)])).wkt
    'POLYGON ((1 0, 1 1, 0 1, 0 0, 1 0))'
    """
    found = [part for part in polygons_of(shape) if not part.is_empty]
    return found[0] if len(found) == 1 else shapely.MultiPolygon(found)


def made_valid(shape: BaseGeometry) -> Area:
    """A shape made valid; rings that cross themselves become several."""
    return polygonal(shape if shape.is_valid else shapely.make_valid(shape, method="structure"))


def faces_of(lines: NDArray[np.object_]) -> NDArray[np.object_]:
    """The faces that lines enclose once they are cut where they cross; loose ends enclose nothing.

    Examples
    --------
    >>> cross = shapely.LineString([(1, -1), (1, 2)])
    >>> [face.area for face in faces_of(np.array([shapely.box(0, 0, 2, 1).boundary, cross]))]
    [1.0, 1.0]
    """
    noded = shapely.get_parts(shapely.union_all(lines))
    return np.asarray(shapely.get_parts(shapely.polygonize(noded)), dtype=object)


def joined(faces: Iterable[BaseGeometry]) -> Area:
    """Faces whose common edges match, as one shape.

    Examples
    --------
    >>> joined([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)]).area
    2.0
    """
    shapes = np.array(list(faces), dtype=object)
    if len(shapes) > 1:
        whole = shapely.coverage_union_all(shapes)
        if not whole.is_valid:  # some edges did not match after all
            whole = shapely.union_all(shapes)
    else:
        whole = shapes[0]
    found = polygons_of(whole)
    return found[0] if len(found) == 1 else shapely.MultiPolygon(found)


def nodes_of(shapes: Iterable[BaseGeometry]) -> set[Node]:
    """Every vertex."""
    return set(map(tuple, shapely.get_coordinates(list(shapes)).tolist()))


def rebuilt(shape: Area, change: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Area:
    """A shape with every ring changed, rings and parts in their order; a ring of no area goes."""
    parts = []
    for part in polygons_of(shape):
        rings = [change(shapely.get_coordinates(ring)) for ring in (part.exterior, *part.interiors)]
        if len(rings[0]) >= 4:
            parts.append(shapely.Polygon(rings[0], [ring for ring in rings[1:] if len(ring) >= 4]))
    return parts[0] if len(parts) == 1 and isinstance(shape, shapely.Polygon) else shapely.MultiPolygon(parts)


def with_nodes(
    shape: Area, nodes: NDArray[np.float64], reach: float = ON_EDGE, rigid: shapely.STRtree | None = None
) -> Area:
    """A shape with those nodes added that lie on its edges; the same object where none does.

    Parameters
    ----------
    shape : Polygon or MultiPolygon
    nodes : float64, shape (n, 2)
    reach : float
        How far beside its edge a node may be, in degrees; the edge then runs through the node.
    rigid : STRtree of LineString, optional
        Segments that do not bend: where an edge runs along one, a node must lie on it but for rounding.

    Examples
    --------
    >>> with_nodes(shapely.box(0, 0, 2, 1), np.array([[1.0, 1.0], [5.0, 5.0]])).wkt
    'POLYGON ((2 0, 2 1, 1 1, 0 1, 0 0, 2 0))'
    """
    west, south, east, north = shape.bounds
    close = (nodes[:, 0] >= west - reach) & (nodes[:, 0] <= east + reach)
    nodes = nodes[close & (nodes[:, 1] >= south - reach) & (nodes[:, 1] <= north + reach)]
    if not len(nodes):
        return shape
    added = 0

    def change(ring: NDArray[np.float64]) -> NDArray[np.float64]:
        nonlocal added
        a, b = ring[:-1], ring[1:]
        known = set(map(tuple, ring.tolist()))
        limit = np.full(len(a), reach) if rigid is None else np.where(_along(a, b, rigid), ON_EDGE, reach)
        places: list[tuple[int, float]] = []
        fresh: list[NDArray[np.float64]] = []
        for node in nodes:
            if tuple(node.tolist()) in known:
                continue
            span = b - a
            along = ((node - a) * span).sum(axis=1) / np.maximum((span**2).sum(axis=1), 1e-300)
            away = np.abs(a + np.clip(along, 0, 1)[:, None] * span - node).max(axis=1)
            hit = np.flatnonzero((away < limit) & (along > 0) & (along < 1))
            if len(hit) > 1 and away[hit].max() > ON_EDGE:  # beside a corner: the nearest edge bends
                hit = hit[[int(np.argmin(away[hit]))]]
            # A pinched ring runs through the place twice: every edge there gets the node.
            for i in hit.tolist():
                places.append((i, float(along[i])))
                fresh.append(node)
        if not places:
            return ring
        added += len(places)
        order = sorted(range(len(places)), key=places.__getitem__)
        at = [places[i][0] + 1 for i in order]
        return np.insert(ring, at, np.array([fresh[i] for i in order]), axis=0)

    grown = rebuilt(shape, change)
    return grown if added else shape


def _along(start: NDArray[np.float64], end: NDArray[np.float64], segments: shapely.STRtree) -> NDArray[np.bool_]:
    """Whether each edge runs along one of the segments but for rounding."""
    ends = (np.asarray(shapely.points(xy), dtype=object) for xy in (start, end))
    one, other = (segments.query(points, predicate="dwithin", distance=ON_EDGE) for points in ends)
    size = max(1, len(segments.geometries))
    both = np.intersect1d(one[0] * size + one[1], other[0] * size + other[1])
    out = np.zeros(len(start), dtype=bool)
    out[both // size] = True
    return out

"""A line as a hand draws it, made to fit: ends reach the border, and what is near a vertex runs through it."""

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from pingji.geo.coverage.errors import LineDoesNotCross, WouldSelfIntersect
from pingji.geo.coverage.measure import metres_by_degree, width_m
from pingji.geo.coverage.planar import Area, faces_of, polygons_of

OVERSHOOT_M = 2.0  # an end this near to a border was meant to lie on it
SNAP_M = 0.05  # nearer than this, two places are one
_BEYOND_M = 0.1


def fitted(line: shapely.LineString, shapes: NDArray[np.object_]) -> shapely.LineString:
    """A drawn line that really crosses the borders it was meant to.

    Parameters
    ----------
    line : LineString, EPSG:4490 lon/lat degrees
    shapes : array of Polygon or MultiPolygon, EPSG:4490 lon/lat degrees
        What it is drawn over.

    Returns
    -------
    LineString, EPSG:4490 lon/lat degrees
        Runs through every vertex within 5 cm, and a little beyond each border that an end was within 2 m of: an end
        that a map snapped onto a border lies beside it by rounding, and would not cross.

    Raises
    ------
    WouldSelfIntersect, LineDoesNotCross

    Examples
    --------
    >>> line = shapely.LineString([(126.505, 43.6), (126.505, 43.61)])
    >>> longer = fitted(line, np.array([shapely.box(126.5, 43.6, 126.51, 43.61)]))
    >>> longer.bounds[1] < 43.6 and longer.bounds[3] > 43.61
    True
    """
    require_simple(line)
    line = shapely.remove_repeated_points(line)
    lonlat = shapely.get_coordinates(line)
    # Stretched to metres, not projected: an end that lies on a border of kilometres would lie metres beside it.
    (metres,) = metres_by_degree(lonlat[:, 1].mean(keepdims=True))
    xy = lonlat * metres
    metric = shapely.LineString(xy)
    nodes = shapely.get_coordinates(shapes)
    nodes_xy = nodes * metres
    borders = shapely.union_all(shapely.boundary(shapely.set_coordinates(shapes.copy(), nodes_xy)))
    points = np.asarray(shapely.points(nodes_xy), dtype=object)
    shapely.prepare(metric)
    hit = np.flatnonzero(shapely.dwithin(points, metric, SNAP_M))
    on = np.unique(nodes[hit], axis=0, return_index=True)[1]
    hit = hit[on]
    way = [(float(metric.line_locate_point(points[i])), (float(nodes[i, 0]), float(nodes[i, 1]))) for i in hit.tolist()]
    length = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    last = len(xy) - 1
    for i in range(len(xy)):
        if len(hit) and np.hypot(*(nodes_xy[hit] - xy[i]).T).min() < SNAP_M:
            continue
        beyond = None
        if i in (0, last) and not line.is_closed:
            beyond = _beyond(xy[i], xy[1] if i == 0 else xy[-2], borders)
        near = borders.distance(shapely.Point(xy[i])) < SNAP_M if beyond is not None else False
        if not near:
            way.append((float(length[i]), (float(lonlat[i, 0]), float(lonlat[i, 1]))))
        if beyond is not None:
            end = beyond / metres
            way.append((-1.0 if i == 0 else float(length[-1]) + 1.0, (float(end[0]), float(end[1]))))
    way.sort()
    if len(way) < 2:
        raise LineDoesNotCross(codes=(), lonlat=_first(line))
    path = shapely.LineString([place for _, place in way])
    if not path.is_simple:
        raise WouldSelfIntersect(codes=(), lonlat=_first(line))
    return path


def require_simple(line: shapely.LineString) -> None:
    """Refuse a line that can't be a border, before it is computed with: a tangle takes minutes.

    Raises
    ------
    WouldSelfIntersect, LineDoesNotCross
    """
    if line.is_empty or not line.length or not np.isfinite(shapely.get_coordinates(line)).all():
        raise LineDoesNotCross(codes=(), lonlat=None)
    if not line.is_simple:
        raise WouldSelfIntersect(codes=(), lonlat=_first(line))


def carved(
    shapes: NDArray[np.object_], lines: list[BaseGeometry], crs: CRS
) -> dict[tuple[int, int], list[shapely.Polygon]]:
    """The faces into which lines cut shapes, by (shape, part of it), the largest first.

    Faces narrower than `SNAP_M` stay with the largest of their part: a cut along a border should not leave slivers.
    """
    parts = [(i, j, part) for i, shape in enumerate(shapes) for j, part in enumerate(polygons_of(shape))]
    faces = faces_of(np.array([*(part.boundary for *_, part in parts), *lines], dtype=object))
    tree = shapely.STRtree([part for *_, part in parts])
    found: dict[tuple[int, int], list[shapely.Polygon]] = {(i, j): [] for i, j, _ in parts}
    taken: set[int] = set()
    for face, k in zip(*tree.query(shapely.point_on_surface(faces), predicate="within").tolist(), strict=True):
        if face not in taken:  # where shapes overlap, the first has it
            taken.add(face)
            found[parts[k][:2]].append(faces[face])
    for key, members in found.items():
        members.sort(key=lambda face: -face.area)
        wide = width_m(np.array(members, dtype=object)) > SNAP_M
        thin = [face for face, ok in zip(members, wide, strict=True) if not ok]
        if thin and wide.any():
            kept = [face for face, ok in zip(members, wide, strict=True) if ok]
            kept[0] = _swollen(kept[0], thin)
            found[key] = kept
    return found


def _swollen(face: shapely.Polygon, thin: list[shapely.Polygon]) -> shapely.Polygon:
    whole = shapely.union_all([face, *thin])
    return whole if isinstance(whole, shapely.Polygon) else face


def _beyond(end: NDArray[np.float64], before: NDArray[np.float64], borders: BaseGeometry) -> NDArray[np.float64] | None:
    """A point just past the border that an end is near to, None where it is near to none."""
    way = (end - before) / np.hypot(*(end - before))
    crossing = borders.intersection(shapely.LineString([end, end + way * OVERSHOOT_M]))
    if not crossing.is_empty:
        return np.asarray(end + way * (crossing.distance(shapely.Point(end)) + _BEYOND_M))
    return np.asarray(end + way * _BEYOND_M) if borders.distance(shapely.Point(end)) < SNAP_M else None


def _first(line: shapely.LineString) -> tuple[float, float] | None:
    if line.is_empty:
        return None
    x, y = shapely.get_coordinates(line)[0].tolist()
    return x, y


def loose_end(line: shapely.LineString, shapes: list[Area]) -> tuple[float, float]:
    """The end of a line that stays inside, or its start."""
    first, last = (shapely.Point(c) for c in (line.coords[0], line.coords[-1]))
    inside = [p for p in (first, last) if any(shape.contains(p) for shape in shapes)]
    chosen = inside[0] if inside else first
    return float(chosen.x), float(chosen.y)

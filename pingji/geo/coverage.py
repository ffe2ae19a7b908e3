"""Coverages: polygons that should tile their parent without a gap or an overlap, and where they do not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from pingji.geo.crs import metric_crs, to_metric

Kind = Literal["missing", "invalid", "duplicate", "overlap", "gap", "outside_parent"]


@dataclass(frozen=True, slots=True)
class CoverageProblem:
    """One place where polygons fail to be a coverage.

    `members` are positions in the array that was given: both polygons of an overlap, the neighbours of a gap.
    `geometry` is in lon/lat degrees, as the polygons were.
    """

    kind: Kind
    members: tuple[int, ...]
    geometry: BaseGeometry
    area_m2: float


def find_problems(
    polygons: Sequence[BaseGeometry | None] | NDArray[np.object_],
    parent: BaseGeometry | None = None,
    tolerance_m: float = 0.05,
) -> list[CoverageProblem]:
    """Where polygons overlap, leave gaps, leave their parent, or are not usable at all.

    Parameters
    ----------
    polygons : array of Polygon or MultiPolygon, EPSG:4490 lon/lat degrees
        What should tile the parent. None and empty are reported as missing.
    parent : Polygon or MultiPolygon, EPSG:4490 lon/lat degrees, optional
        The outline they must fill. Without it only holes between the polygons are gaps.
    tolerance_m : float
        Slivers narrower than this are what rounding leaves, not problems.

    Returns
    -------
    list of CoverageProblem
        In the order missing, invalid, duplicate, overlap, gap, outside_parent.

    Notes
    -----
    Overlaps are looked for only among polygons whose edges GEOS finds unmatched: `coverage_invalid_edges` ignores
    gaps and missing cells, so these are found from the union. Computed in lon/lat, as stored: projecting first would
    bend long edges and open slivers at nodes that only one neighbour has. Sizes are measured in the place's metric CRS.

    Examples
    --------
    >>> a, b = shapely.box(126.50, 43.6, 126.51, 43.61), shapely.box(126.51, 43.6, 126.52, 43.61)
    >>> find_problems([a, b], parent=shapely.box(126.50, 43.6, 126.52, 43.61))
    []
    >>> c = shapely.box(126.509, 43.6, 126.52, 43.61)
    >>> [(p.kind, p.members, round(p.area_m2, -2)) for p in find_problems([a, c])]
    [('overlap', (0, 1), 89700.0)]
    >>> [(p.kind, p.members) for p in find_problems([a], parent=shapely.union(a, b))]
    [('gap', (0,))]
    >>> [p.kind for p in find_problems([a, a, None])]
    ['missing', 'duplicate']
    """
    given = np.asarray(polygons, dtype=object)
    empty = shapely.is_missing(given) | shapely.is_empty(given)
    problems = [CoverageProblem("missing", (int(i),), shapely.Polygon(), 0.0) for i in np.flatnonzero(empty)]
    if empty.all():
        return problems
    crs = _metric(given[~empty])
    broken = ~empty & ~shapely.is_valid(given)
    problems += [
        CoverageProblem("invalid", (int(i),), given[i], _area_m2(given[i], crs)) for i in np.flatnonzero(broken)
    ]
    alone, duplicates = _without_duplicates(given, np.flatnonzero(~empty & ~broken), crs)
    problems += duplicates
    if not len(alone):
        return problems
    problems += _overlaps(given, alone, crs, tolerance_m)
    whole = shapely.union_all(given[alone])
    problems += _gaps(given, alone, whole, parent, crs, tolerance_m)
    if parent is not None:
        problems += _outside(given, alone, parent, crs, tolerance_m)
    return problems


def _without_duplicates(
    given: NDArray[np.object_], usable: NDArray[np.intp], crs: CRS
) -> tuple[NDArray[np.intp], list[CoverageProblem]]:
    first: dict[bytes, int] = {}
    alone: list[int] = []
    problems: list[CoverageProblem] = []
    for i, key in zip(usable.tolist(), shapely.to_wkb(shapely.normalize(given[usable])), strict=True):
        if key in first:
            problems.append(CoverageProblem("duplicate", (first[key], i), given[i], _area_m2(given[i], crs)))
        else:
            first[key] = i
            alone.append(i)
    return np.asarray(alone, dtype=np.intp), problems


def _overlaps(
    given: NDArray[np.object_], alone: NDArray[np.intp], crs: CRS, tolerance_m: float
) -> list[CoverageProblem]:
    if shapely.coverage_is_valid(given[alone]):
        return []
    suspects = alone[~shapely.is_empty(shapely.coverage_invalid_edges(given[alone]))]
    shapes = given[suspects]
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    once = left < right
    left, right = left[once], right[once]
    problems = []
    for a, b, common in zip(left, right, shapely.intersection(shapes[left], shapes[right]), strict=True):
        part = _wide(common, crs, tolerance_m)
        if part is not None:
            members = (int(suspects[a]), int(suspects[b]))
            problems.append(CoverageProblem("overlap", members, part, _area_m2(part, crs)))
    return problems


def _gaps(
    given: NDArray[np.object_],
    alone: NDArray[np.intp],
    whole: BaseGeometry,
    parent: BaseGeometry | None,
    crs: CRS,
    tolerance_m: float,
) -> list[CoverageProblem]:
    if parent is None:
        rings = [ring for part in _polygons(whole) for ring in part.interiors]
        holes: list[BaseGeometry] = [shapely.Polygon(ring) for ring in rings]
    else:
        holes = list(_polygons(shapely.difference(parent, whole)))
    problems = []
    for hole in holes:
        part = _wide(hole, crs, tolerance_m)
        if part is not None:
            near = shapely.STRtree(given[alone]).query(part, predicate="intersects")
            members = tuple(sorted(int(i) for i in alone[near]))
            problems.append(CoverageProblem("gap", members, part, _area_m2(part, crs)))
    return problems


def _outside(
    given: NDArray[np.object_], alone: NDArray[np.intp], parent: BaseGeometry, crs: CRS, tolerance_m: float
) -> list[CoverageProblem]:
    shapely.prepare(parent)
    leaving = alone[~shapely.covers(parent, given[alone])]
    problems = []
    for i, rest in zip(leaving.tolist(), shapely.difference(given[leaving], parent), strict=True):
        part = _wide(rest, crs, tolerance_m)
        if part is not None:
            problems.append(CoverageProblem("outside_parent", (i,), part, _area_m2(part, crs)))
    return problems


def _polygons(geometry: BaseGeometry) -> list[shapely.Polygon]:
    return [part for part in shapely.get_parts(geometry).tolist() if isinstance(part, shapely.Polygon)]


def _wide(geometry: BaseGeometry, crs: CRS, tolerance_m: float) -> BaseGeometry | None:
    """The parts that are wider than rounding explains; a sliver's width is about twice its area by its perimeter."""
    parts = [part for part in _polygons(geometry) if not part.is_empty]
    metres = [to_metric(part, crs) for part in parts]
    kept = [part for part, m in zip(parts, metres, strict=True) if m.length and 2 * m.area / m.length > tolerance_m]
    return None if not kept else kept[0] if len(kept) == 1 else shapely.MultiPolygon(kept)


def _area_m2(geometry: BaseGeometry, crs: CRS) -> float:
    return float(to_metric(geometry, crs).area)


def _metric(polygons: NDArray[np.object_]) -> CRS:
    west, south, east, north = shapely.total_bounds(polygons)
    return metric_crs(float((west + east) / 2), float((south + north) / 2))

"""Where polygons that should tile their parent overlap, leave gaps, leave the parent, or are not usable at all."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from pingji.geo.coverage.chain import Edges, loose_edges, winding
from pingji.geo.coverage.measure import area_m2, central_crs, width_m
from pingji.geo.coverage.planar import faces_of, polygons_of
from pingji.geo.crs import to_metric

Kind = Literal["missing", "invalid", "sliver", "duplicate", "overlap", "gap", "outside_parent"]


_Found = tuple[Kind, tuple[int, ...], list[BaseGeometry]]


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
    sliver_m: float = 0.0,
) -> list[CoverageProblem]:
    """Where polygons overlap, leave gaps, leave their parent, or are not usable at all.

    Parameters
    ----------
    polygons : array of Polygon or MultiPolygon, EPSG:4490 lon/lat degrees
        What should tile the parent. None and empty are reported as missing.
    parent : Polygon or MultiPolygon, EPSG:4490 lon/lat degrees, optional
        The outline they must fill. Without it only holes between the polygons are gaps.
    tolerance_m : float
        Gaps and overlaps narrower than this are what rounding leaves, not problems.
    sliver_m : float
        Polygons narrower than this are slivers; none are looked for at zero.

    Returns
    -------
    list of CoverageProblem
        In the order missing, invalid, sliver, duplicate, overlap, gap, outside_parent.

    Notes
    -----
    Polygons are not compared with each other: their borders are added up (`chain.loose_edges`), and only where these
    leave a remainder something is looked at. Computed in lon/lat, as stored: projecting first would bend long edges and
    open slivers at nodes that only one neighbour has. Sizes are measured in the place's metric CRS.

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
    crs = central_crs(given[~empty])
    broken = ~empty & ~shapely.is_valid(given)
    problems += [CoverageProblem("invalid", (int(i),), given[i], area_m2(given[i], crs)) for i in _where(broken)]
    usable = np.flatnonzero(~empty & ~broken)
    if not len(usable):
        return problems
    if sliver_m > 0:
        thin = usable[width_m(given[usable]) < sliver_m]
        problems += [CoverageProblem("sliver", (int(i),), given[i], area_m2(given[i], crs)) for i in thin.tolist()]
    edges, times = loose_edges(given[usable], None if parent is None else np.array([parent], dtype=object))
    if not len(edges):
        return problems
    faces = faces_of(np.asarray(shapely.linestrings(edges), dtype=object))
    faces = faces[width_m(faces) > tolerance_m]
    if not len(faces):
        return problems
    tree = shapely.STRtree(given[usable])
    surplus = _surplus(faces, tree, parent, edges, times)
    scene = _Scene(given, usable, tree, crs, tolerance_m)
    problems += _too_many(scene, faces[surplus > 0], parent)
    problems += _gaps(scene, faces[surplus < 0])
    order = ("missing", "invalid", "sliver", "duplicate", "overlap", "gap", "outside_parent")
    return sorted(problems, key=lambda problem: order.index(problem.kind))


@dataclass(frozen=True, slots=True)
class _Scene:
    given: NDArray[np.object_]
    usable: NDArray[np.intp]
    tree: shapely.STRtree
    crs: CRS
    tolerance_m: float


def _surplus(
    faces: NDArray[np.object_],
    tree: shapely.STRtree,
    parent: BaseGeometry | None,
    edges: Edges,
    times: NDArray[np.float64],
) -> NDArray[np.float64]:
    """By how many polygons each face is covered too often; without a parent every face should be covered once."""
    points = shapely.point_on_surface(faces)
    inside = np.bincount(tree.query(points, predicate="within")[0], minlength=len(faces))
    touched = np.bincount(tree.query(points, predicate="intersects")[0], minlength=len(faces))
    unclear = inside != touched
    if parent is None:
        surplus = inside.astype(np.float64) - 1.0
    else:
        shapely.prepare(parent)
        within = shapely.contains(parent, points)
        surplus = inside.astype(np.float64) - within
        unclear |= within != shapely.intersects(parent, points)
    for i in _where(unclear):  # the point lies on a border: ask the edges themselves, which takes longer
        around = winding(edges, times, shapely.get_coordinates(points[i])[0])
        surplus[i] = around if parent is not None else around - 1.0
    return surplus


def _too_many(scene: _Scene, faces: NDArray[np.object_], parent: BaseGeometry | None) -> list[CoverageProblem]:
    """Overlaps, duplicates and what leaves the parent, out of the faces that are covered too often."""
    if not len(faces):
        return []
    face, member = scene.tree.query(faces, predicate="intersects")
    pieces = shapely.intersection(faces[face], scene.given[scene.usable[member]])
    some = shapely.area(pieces) > 0
    face, member, pieces = face[some], scene.usable[member[some]], pieces[some]
    by_face: dict[int, list[tuple[int, BaseGeometry]]] = defaultdict(list)
    for f, m, piece in zip(face.tolist(), member.tolist(), pieces, strict=True):
        by_face[f].append((m, piece))
    common: dict[tuple[int, int], list[BaseGeometry]] = defaultdict(list)
    for found in by_face.values():
        for (a, one), (b, other) in combinations(sorted(found, key=lambda pair: pair[0]), 2):
            common[a, b].append(one.intersection(other))
    beyond: dict[int, list[BaseGeometry]] = defaultdict(list)
    if parent is not None:
        shapely.prepare(parent)
        leaving = ~shapely.covers(parent, pieces)  # a county's outline is long: take it from few pieces only
        for m, rest in zip(member[leaving].tolist(), shapely.difference(pieces[leaving], parent), strict=True):
            beyond[m].append(rest)
    duplicates = {(a, b) for a, b in common if _same(scene.given[a], scene.given[b])}
    again = {b for _, b in duplicates}
    problems = [
        CoverageProblem("duplicate", (a, b), scene.given[b], area_m2(scene.given[b], scene.crs))
        for a, b in sorted(duplicates)
        if a not in again
    ]
    wrong: list[_Found] = [
        ("overlap", pair, common[pair]) for pair in sorted(common.keys() - duplicates) if not again.intersection(pair)
    ]
    wrong += [("outside_parent", (a,), beyond[a]) for a in sorted(beyond.keys() - again)]
    return problems + _wide(scene, wrong)


def _gaps(scene: _Scene, holes: NDArray[np.object_]) -> list[CoverageProblem]:
    if not len(holes):
        return []
    near: dict[int, list[int]] = defaultdict(list)
    for hole, member in zip(*scene.tree.query(holes, predicate="intersects").tolist(), strict=True):
        near[hole].append(int(scene.usable[member]))
    return _wide(scene, [("gap", tuple(sorted(near[i])), [hole]) for i, hole in enumerate(holes)])


def _wide(scene: _Scene, found: list[_Found]) -> list[CoverageProblem]:
    """The problems whose parts are wider than rounding explains, measured all together."""
    parts = [
        (i, p)
        for i, (_, _, pieces) in enumerate(found)
        for piece in pieces
        for p in polygons_of(piece)
        if not p.is_empty
    ]
    if not parts:
        return []
    shapes = np.array([shape for _, shape in parts], dtype=object)
    keep = np.flatnonzero(width_m(shapes) > scene.tolerance_m).tolist()
    area = np.asarray(shapely.area(to_metric(shapes, scene.crs))).tolist()
    kept: dict[int, list[int]] = defaultdict(list)
    for k in keep:
        kept[parts[k][0]].append(k)
    problems = []
    for i, members in kept.items():
        whole = shapes[members[0]] if len(members) == 1 else shapely.MultiPolygon(shapes[members].tolist())
        problems.append(CoverageProblem(found[i][0], found[i][1], whole, sum(area[k] for k in members)))
    return problems


def _same(one: BaseGeometry, other: BaseGeometry) -> bool:
    return bool(one.bounds == other.bounds and one.normalize() == other.normalize())


def _where(mask: NDArray[np.bool_]) -> list[int]:
    return [int(i) for i in np.flatnonzero(mask)]

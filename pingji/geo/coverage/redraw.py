"""Replace polygons by others drawn elsewhere: a file of new grids, or a proposal, over the ground of today's."""

from collections.abc import Mapping, Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from pingji.geo.coverage.drawing import SNAP_M
from pingji.geo.coverage.errors import CodeTaken, OutsideCommunity
from pingji.geo.coverage.match import common
from pingji.geo.coverage.measure import area_m2, width_m
from pingji.geo.coverage.model import Coverage, Edit
from pingji.geo.coverage.planar import Area, made_valid, polygonal, polygons_of, rebuilt, rings_of, with_nodes
from pingji.geo.coverage.settle import matching, noded, place, same_ground, usable, written

SNAP_DEG = 4.5e-7  # 5 cm of latitude: more than seven decimals lose, less than a survey means
LINEAGE_SHARE = 0.1  # what two polygons must have in common, of the smaller one, for one to come from the other


def redraw(
    coverage: Coverage,
    polygons: Mapping[str, Area],
    replaced: Sequence[str],
    communities: Mapping[str, str] | None = None,
    strict: bool = True,
) -> Edit:
    """Put polygons in the place of others, over the same ground.

    Parameters
    ----------
    coverage : Coverage
    polygons : mapping of code to Polygon or MultiPolygon, EPSG:4490 lon/lat degrees
        All polygons that the ground has afterwards, also those that stay as they are.
    replaced : sequence of str
        Whose ground it is. Codes among them that are not in `polygons` end.
    communities : mapping of code to str, optional
        The community of each new code; that of the first replaced one where left out.
    strict : bool
        False lets gaps and overlaps inside the ground stand, for files that a person is going to mend.

    Returns
    -------
    Edit
        Empty where nothing differs: a polygon that is today's but for rounding is today's, to the byte. Lineage is
        by ground: see Notes.

    Raises
    ------
    CodeTaken
        If a code belongs to a polygon that is not replaced.
    OutsideCommunity
        If a polygon leaves the ground of its community; with `strict=False`, if it takes from one not replaced.
    StillInvalid
        If some of the ground would be covered twice or not at all; only when strict.
    WouldEmpty, WouldSelfIntersect

    Notes
    -----
    Vertices within 5 cm of one of today's are that vertex; within 5 cm of one of today's edges they lie on it; edges
    that pass a vertex of a neighbour within 5 cm run through it. A removed or an added polygon descends into, or from,
    every polygon with which it has a tenth of the smaller one in common, and always that with which it has most.

    Examples
    --------
    >>> boxes = [shapely.box(126.5 + i / 100, 43.6, 126.51 + i / 100, 43.61) for i in range(3)]
    >>> coverage = Coverage.of(["001", "002", "003"], boxes)
    >>> west, east = shapely.box(126.5, 43.6, 126.512, 43.61), shapely.box(126.512, 43.6, 126.52, 43.61)
    >>> edit = redraw(coverage, {"001": west, "004": east}, ["001", "002"])
    >>> edit.replaced, edit.removed, edit.added, edit.lineage
    (('001',), ('002',), ('004',), (('002', '001'), ('002', '004')))
    """
    old = {code: coverage[code] for code in dict.fromkeys(replaced)}
    taken = tuple(code for code in polygons if code not in old and code in coverage)
    if taken or not old:
        raise CodeTaken(codes=taken)
    fresh = {code: polygonal(shapely.force_2d(shape)) for code, shape in polygons.items()}
    for code, shape in fresh.items():
        usable(code, shape, old.get(code))
    reach = shapely.GeometryCollection([*old.values(), *fresh.values()])
    around = [code for code in coverage.near(reach) if code not in old]
    after = _fitted(fresh, old, coverage.shapes(around))
    first = coverage.community(next(iter(old)))
    homes = {code: (communities or {}).get(code, first) for code in after if code not in old}
    before = {code: shape for code, shape in old.items() if code in after or code not in polygons}
    if not before and not after:
        return Edit("redraw", {}, {})
    for code, shape in after.items():
        usable(code, shape, old.get(code))
    full = noded(coverage, before, after)
    if strict:
        _at_home(coverage, after, old, homes)
        _same_ground(coverage, old, before, full[1])
        matching(coverage, *full)
    else:
        _beside(coverage, after, around)
    lineage = _lineage(old, {**{code: old[code] for code in polygons if code in old}, **after})
    return written(coverage, "redraw", after, full, lineage, homes)


def _fitted(fresh: Mapping[str, Area], old: Mapping[str, Area], around: NDArray[np.object_]) -> dict[str, Area]:
    """The new polygons fitted to what is there; those that are today's but for rounding are left out."""
    codes = list(fresh)
    today = np.array([*old.values(), *around], dtype=object)
    shapes = np.empty(len(codes), dtype=object)
    shapes[:] = list(fresh.values())
    shapes = _on_vertices(shapes, today)
    same = np.array([code in old and _same(shape, old[code]) for code, shape in zip(codes, shapes, strict=True)], bool)
    start, end = _edges(today)
    lines = shapely.STRtree(np.asarray(shapely.linestrings(np.stack([start, end], axis=1)), dtype=object))
    drawn = _on_edges(shapes[~same], start, end, lines)
    names = [code for code, held in zip(codes, same.tolist(), strict=True) if not held]
    rest = np.array([*drawn, *(old[code] for code in codes if code not in names), *around], dtype=object)
    fitted = _through_nodes(drawn, rest, lines)
    return {
        code: shape for code, shape in zip(names, fitted, strict=True) if code not in old or not _same(shape, old[code])
    }


def _on_vertices(shapes: NDArray[np.object_], today: NDArray[np.object_]) -> NDArray[np.object_]:
    """Shapes whose vertices are the nearest of today's where one is near."""
    nodes = np.unique(shapely.get_coordinates(today), axis=0)
    tree = shapely.STRtree(np.asarray(shapely.points(nodes), dtype=object))

    def snap(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        mine, its = tree.query_nearest(shapely.points(xy), max_distance=SNAP_DEG, all_matches=False)
        out = xy.copy()
        out[mine] = nodes[its]
        return out

    out = np.empty(len(shapes), dtype=object)
    out[:] = [rebuilt(shape, _unrepeated) for shape in shapely.transform(shapes, snap)]
    return out


def _unrepeated(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    """A ring without vertices that follow each other in one place; of a ring that has no area left, too few."""
    fresh = np.concatenate([[True], (ring[1:] != ring[:-1]).any(axis=1)])
    return np.asarray(ring[fresh])


def _on_edges(
    shapes: NDArray[np.object_], start: NDArray[np.float64], end: NDArray[np.float64], lines: shapely.STRtree
) -> NDArray[np.object_]:
    """Shapes whose vertices lie on the nearest of today's edges where one is near."""
    known = set(map(tuple, np.concatenate([start, end]).tolist()))

    def snap(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        free = np.flatnonzero([tuple(node) not in known for node in xy.tolist()])
        out = xy.copy()
        if len(free):
            mine, its = lines.query_nearest(shapely.points(xy[free]), max_distance=SNAP_DEG, all_matches=False)
            a, span = start[its], end[its] - start[its]
            along = ((xy[free[mine]] - a) * span).sum(axis=1) / np.maximum((span**2).sum(axis=1), 1e-300)
            out[free[mine]] = a + np.clip(along, 0, 1)[:, None] * span
        return out

    return np.asarray(shapely.transform(shapes, snap), dtype=object)


def _through_nodes(shapes: NDArray[np.object_], others: NDArray[np.object_], lines: shapely.STRtree) -> list[Area]:
    """Shapes whose edges run through every vertex of the others that they pass closely; today's lines do not bend."""
    nodes = np.unique(shapely.get_coordinates(others), axis=0)
    tree = shapely.STRtree(np.asarray(shapely.points(nodes), dtype=object))
    hits = tree.query(shapely.boundary(shapes), predicate="dwithin", distance=SNAP_DEG)
    first = np.searchsorted(hits[0], np.arange(len(shapes) + 1))
    return [
        with_nodes(shape, nodes[hits[1][low:high]], SNAP_DEG, lines)
        for shape, low, high in zip(shapes, first[:-1].tolist(), first[1:].tolist(), strict=True)
    ]


def _edges(shapes: NDArray[np.object_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Start and end of every edge of some length."""
    xy, ring = shapely.get_coordinates(rings_of(shapes), return_index=True)
    real = (ring[:-1] == ring[1:]) & (xy[:-1] != xy[1:]).any(axis=1)
    return xy[:-1][real], xy[1:][real]


def _same(one: Area, other: Area) -> bool:
    """Whether two shapes have the same rings, wherever these begin and however they run."""
    mine, its = (shapely.MultiPolygon(polygons_of(rebuilt(shape, _unrepeated))) for shape in (one, other))
    return bool(mine.bounds == its.bounds and shapely.equals_identical(mine.normalize(), its.normalize()))


def _at_home(coverage: Coverage, after: Mapping[str, Area], old: Mapping[str, Area], homes: Mapping[str, str]) -> None:
    """Refuse a polygon that leaves the ground that its community has among the replaced ones."""
    names = {code: homes[code] if code in homes else coverage.community(code) for code in after}
    for home in dict.fromkeys(names.values()):
        ground = shapely.union_all([made_valid(shape) for c, shape in old.items() if coverage.community(c) == home])
        shapely.prepare(ground)
        mine = [code for code, name in names.items() if name == home]
        shapes = np.array([after[code] for code in mine], dtype=object)
        leaving = np.flatnonzero(~shapely.covers(ground, shapes))
        _refuse_wide(coverage, [mine[i] for i in leaving], shapely.difference(shapes[leaving], ground))


def _beside(coverage: Coverage, after: Mapping[str, Area], around: Sequence[str]) -> None:
    """Refuse a polygon that takes ground from one that is not replaced."""
    shapes, others = np.array(list(after.values()), dtype=object), coverage.shapes(around)
    sound = np.array([made_valid(shape) for shape in others], dtype=object)
    pairs, _ = common(shapes, sound)
    codes = list(after)
    _refuse_wide(
        coverage, [codes[i] for i in pairs[:, 0]], shapely.intersection(shapes[pairs[:, 0]], sound[pairs[:, 1]])
    )


def _refuse_wide(coverage: Coverage, codes: Sequence[str], pieces: NDArray[np.object_]) -> None:
    parts = [(code, part) for code, piece in zip(codes, pieces, strict=True) for part in polygons_of(piece)]
    found = np.array([part for _, part in parts], dtype=object)
    wide = np.flatnonzero(width_m(found) > SNAP_M)
    if len(wide):
        worst = int(wide[np.argmax(shapely.area(found[wide]))])
        names = tuple(dict.fromkeys(parts[i][0] for i in wide))
        size = area_m2(found[worst], coverage.crs)
        raise OutsideCommunity(codes=names, lonlat=place(found[worst]), area_m2=size)


def _same_ground(
    coverage: Coverage, old: Mapping[str, Area], before: Mapping[str, Area], full: Mapping[str, Area]
) -> None:
    """Prove that the ground of the replaced polygons is covered once, whether or not they did that themselves."""
    kept = [shape for code, shape in old.items() if code not in before and code not in full]
    now = [shape for code, shape in full.items() if code in old or code not in coverage]
    ground = polygonal(shapely.union_all([made_valid(shape) for shape in old.values()]))
    same_ground(coverage, [*now, *kept], [ground], tuple(before))


def _lineage(old: Mapping[str, Area], new: Mapping[str, Area]) -> list[tuple[str, str]]:
    """From what every added polygon comes, and into what every removed one goes."""
    sources, targets = list(old), list(new)
    was = np.array([made_valid(shape) for shape in old.values()], dtype=object)
    will = np.array(list(new.values()), dtype=object)
    pairs, area = common(was, will)
    from_, into = pairs.T
    ends = np.array([code not in new for code in sources], dtype=bool)[from_]
    begins = np.array([code not in old for code in targets], dtype=bool)[into]
    enough = area >= LINEAGE_SHARE * np.minimum(shapely.area(was)[from_], shapely.area(will)[into])
    # What is broken into crumbs still went somewhere: the largest one counts.
    enough |= (ends & _largest(from_, area)) | (begins & _largest(into, area))
    links = pairs[enough & (ends | begins)]
    return [(sources[i], targets[j]) for i, j in sorted(map(tuple, links.tolist()))]


def _largest(group: NDArray[np.intp], size: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether each entry is the largest of its group."""
    order = np.lexsort((-size, group))
    first = np.concatenate([[True], group[order][1:] != group[order][:-1]])[: len(order)]
    out = np.zeros(len(order), dtype=bool)
    out[order[first]] = True
    return out

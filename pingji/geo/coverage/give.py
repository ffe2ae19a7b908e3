"""Give ground to another polygon: a building that was on the wrong side of a border, or a whole block."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from pingji.geo.coverage.assign import common_length, reassembled, segments
from pingji.geo.coverage.drawing import SNAP_M, carved
from pingji.geo.coverage.errors import NotAdjacent, OutsideCommunity, WouldEmpty, WouldFallApart, WouldSelfIntersect
from pingji.geo.coverage.measure import area_m2, width_m
from pingji.geo.coverage.model import Coverage, Edit
from pingji.geo.coverage.planar import Area, polygonal, polygons_of
from pingji.geo.coverage.settle import place, settled
from pingji.geo.crs import to_lonlat, to_metric

_ROOM_M = 1.0  # a strip narrower than this is no way to a house
_AROUND_DEG = 1e-4


def give(
    coverage: Coverage, ground: Area, to: str, reach_m: float = 30.0, obstacles: Sequence[BaseGeometry] = ()
) -> Edit:
    """Assign an area to a polygon of the same community; whoever has it now gives it.

    Parameters
    ----------
    coverage : Coverage
    ground : Polygon or MultiPolygon, EPSG:4490 lon/lat degrees
        A building's outline, or a block.
    to : str
    reach_m : float
        A building stands back from the border: within this distance the strip between goes along.
    obstacles : sequence of geometry, EPSG:4490 lon/lat degrees, optional
        Other buildings, which should stay whole where they are: the strip goes round them where it keeps a metre of
        width. Where it can't it runs through them; `cut_buildings` tells which.

    Returns
    -------
    Edit

    Raises
    ------
    NotAdjacent
        If `to` is further away than `reach_m`.
    OutsideCommunity
        If some of the ground is in another community, or in none.
    WouldEmpty
        If a polygon would give all it has: merge instead.
    WouldFallApart
        If a polygon would be cut in two. Scraps that the ground cuts off go along, if they are smaller than itself.

    Examples
    --------
    >>> boxes = [shapely.box(126.5 + i / 100, 43.6, 126.51 + i / 100, 43.61) for i in range(2)]
    >>> coverage = Coverage.of(["001", "002"], boxes)
    >>> edit = give(coverage, shapely.box(126.5101, 43.604, 126.5104, 43.6042), "001")
    >>> list(edit.gained_m2), list(edit.lost_m2), round(edit.gained_m2["001"])
    (['001'], ['002'], 718)
    """
    target = coverage[to]
    if ground.is_empty or not ground.is_valid:
        raise WouldSelfIntersect(codes=(to,), lonlat=None if ground.is_empty else place(ground))
    wanted = _reaching(coverage, ground, to, target, reach_m)
    if len(obstacles) and wanted is not ground:
        wanted = _round_about(coverage, wanted, ground, target, obstacles)
    home = coverage.community(to)
    touched = [code for code in coverage.near(wanted) if coverage.community(code) == home]
    if to not in touched:
        touched.append(to)
    shapes = coverage.shapes(touched)
    _within(coverage, wanted, shapes, to)
    kept, given = _divided(coverage, touched, wanted, to)
    if not given:
        raise NotAdjacent(codes=(to,), lonlat=place(ground), distance_m=0.0)
    givers = {code for code, _ in given}
    for code in givers:
        if not kept[code]:
            raise WouldEmpty(codes=(code,), lonlat=place(ground), area_m2=area_m2(coverage[code], coverage.crs))
    gift = [face for _, face in given]
    for code in givers:
        gift += _scraps(coverage, code, kept[code], wanted)
    after = reassembled(coverage, {to: [*kept[to], *gift], **{code: kept[code] for code in sorted(givers)}})
    return settled(coverage, "give", after)


def _divided(
    coverage: Coverage, touched: list[str], wanted: Area, to: str
) -> tuple[dict[str, list[Area]], list[tuple[str, Area]]]:
    """What polygons keep, part by part, and what they give with who gives it."""
    shapely.prepare(wanted)
    kept: dict[str, list[Area]] = defaultdict(list)
    given: list[tuple[str, Area]] = []
    for (i, _), faces in carved(coverage.shapes(touched), [wanted.boundary], coverage.crs).items():
        mine = [face for face in faces if touched[i] != to and wanted.contains(face.representative_point())]
        given += [(touched[i], face) for face in mine]
        kept[touched[i]] += [face for face in faces if face not in mine]
    return kept, given


def _reaching(coverage: Coverage, ground: Area, to: str, target: Area, reach_m: float) -> Area:
    """The ground, with the strip between it and the target where they are apart but near."""
    metric, goal = to_metric(ground, coverage.crs), to_metric(target, coverage.crs)
    distance = float(metric.distance(goal))
    own = segments(target)
    if distance == 0 and (ground.intersection(target).area > 0 or common_length(own, segments(ground))):
        return ground
    touching = ground.boundary.intersection(target.boundary).length if distance < SNAP_M else 0.0
    if touching:
        return ground
    if distance > reach_m:
        raise NotAdjacent(codes=(to,), lonlat=place(ground), distance_m=round(distance, 1))
    corners = shapely.get_coordinates(metric.convex_hull)
    feet = [shapely.shortest_line(shapely.Point(c), goal) for c in corners]
    near = [line for line in feet if line.length <= distance + np.sqrt(metric.area) * 1.5]
    ends = [shapely.Point(shapely.get_coordinates(line)[1]) for line in near]
    # A little into the target: a strip that ends on its border by rounding would leave a crack.
    inner = [_into(goal, line) for line in near]
    hull = shapely.union_all([metric, *ends, *inner]).convex_hull
    bridge = to_lonlat(hull, coverage.crs).difference(target)
    parts = [part for part in polygons_of(bridge) if part.intersects(ground)]
    whole = shapely.union_all([ground, *parts])
    return whole if isinstance(whole, shapely.Polygon | shapely.MultiPolygon) else ground


def _round_about(
    coverage: Coverage, wanted: Area, ground: Area, target: Area, obstacles: Sequence[BaseGeometry]
) -> Area:
    """Ground and strip without the obstacles, if the strip stays wide enough; else as they are."""
    others = np.asarray(obstacles, dtype=object)
    others = others[shapely.intersects(others, wanted)]
    # The building itself is often among them.
    others = others[shapely.area(shapely.intersection(others, ground)) * 2 < shapely.area(others)]
    if not len(others):
        return wanted
    free = polygonal(wanted.difference(shapely.union_all(others)).union(ground))
    free = polygonal(shapely.union_all([part for part in polygons_of(free) if part.intersects(ground)]))
    goal = target.intersection(shapely.box(*wanted.buffer(_AROUND_DEG).bounds))
    room = to_metric(free.union(goal), coverage.crs).buffer(-_ROOM_M / 2)
    house, there = to_metric(ground, coverage.crs), to_metric(goal, coverage.crs)
    return free if any(part.intersects(house) and part.intersects(there) for part in polygons_of(room)) else wanted


def _into(goal: Area, line: shapely.LineString) -> shapely.Point:
    (x, y), (u, v) = shapely.get_coordinates(line).tolist()
    far = max(line.length, 1e-9)
    return shapely.Point(u + (u - x) / far, v + (v - y) / far)


def _within(coverage: Coverage, wanted: Area, shapes: NDArray[np.object_], to: str) -> None:
    """Refuse ground that is not all in the community."""
    beyond = [p for p in polygons_of(wanted.difference(shapely.union_all(shapes))) if not p.is_empty]
    if beyond:
        array = np.array(beyond, dtype=object)
        wide = array[width_m(array) > SNAP_M]
        if len(wide):
            size = sum(area_m2(part, coverage.crs) for part in wide)
            raise OutsideCommunity(codes=(to,), lonlat=place(wide[0]), area_m2=size)


def _scraps(coverage: Coverage, code: str, kept: list[Area], wanted: BaseGeometry) -> list[Area]:
    """What the ground cuts off from a giver goes along, taken out of `kept`, if it is less than the ground itself."""
    spare = len(kept) - len(polygons_of(coverage[code]))
    if spare <= 0:
        return []
    kept.sort(key=lambda face: -face.area)
    scraps = kept[-spare:]
    if any(scrap.area > wanted.area for scrap in scraps):
        raise WouldFallApart(codes=(code,), lonlat=place(scraps[0]), parts=len(kept))
    del kept[-spare:]
    return scraps

"""Danger zones of the demo county: stretches of river bank with the houses that stand too close."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.ops import substring

from pingji.data.demo.hamlets import segments
from pingji.data.demo.homes import Homes
from pingji.geo.arrays import points

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ZONES, _PEOPLE, _TOWN_ZONES = 78, 12_600, 8


@dataclass(frozen=True)
class Zone:
    """A danger zone in metres, the river it lies on, and the grid that most of it concerns."""

    shape: shapely.Polygon
    grade: str
    river: int
    grid: int


def find_zones(
    rng: np.random.Generator,
    area: shapely.Polygon,
    homes: Homes,
    residents: Ints,
    rivers: list[shapely.LineString],
    widths_m: list[float],
    hamlet_count: int,
) -> tuple[list[Zone], Ints]:
    """Zones along rivers, none overlapping another, until about 12,600 residents are in one.

    Returns
    -------
    zones : list of Zone
    zone_of : int64, shape (n_households,)
        Index of each household's zone, -1 outside.
    """
    houses = points(homes.xy)
    pieces, of = segments(rivers)
    (home, piece), distance = shapely.STRtree(pieces).query_nearest(
        houses, max_distance=230.0, return_distance=True, all_matches=False
    )
    river = of[piece]
    clusters = np.unique(homes.cluster[home])
    clusters = clusters[rng.permutation(len(clusters))]
    town = clusters >= hamlet_count
    clusters = np.concatenate([clusters[town][: 4 * _TOWN_ZONES], clusters[~town]])
    everyone = shapely.STRtree(houses)
    zone_of = np.full(len(houses), -1)
    zones: list[Zone] = []
    taken: list[shapely.Polygon] = []
    inside = in_town = 0
    for cluster in clusters.tolist():
        urban = cluster >= hamlet_count
        if len(zones) == _ZONES or inside > _PEOPLE or (urban and in_town == _TOWN_ZONES):
            if not urban:
                break
            continue
        mine = np.flatnonzero(homes.cluster[home] == cluster)
        mine = mine[np.argsort(distance[mine], kind="stable")][
            : int(rng.integers(90, 170) if urban else rng.integers(28, 80))
        ]
        if len(mine) < 14:
            continue
        r = int(np.bincount(river[mine]).argmax())
        shape: Any = _outline(rivers[r], widths_m[r], houses[home[mine[river[mine] == r]]])
        for other in taken:
            if other.distance(shape) < 12.0:
                shape = shape.difference(other.buffer(12.0))
        shape = max(shapely.get_parts(shape.intersection(area)), key=lambda s: float(s.area), default=shape)
        who = everyone.query(shape, predicate="contains")
        if len(who) < 12 or shape.geom_type != "Polygon":
            continue
        grade = ("extreme", "high", "high", "danger", "danger", "danger", "danger", "high")[len(zones) % 8]
        zone_of[who] = len(zones)
        taken.append(shape)
        zones.append(Zone(shape, grade, r, int(np.bincount(homes.grid[who]).argmax())))
        inside += int(residents[who].sum())
        in_town += urban
    return zones, zone_of


def _outline(river: shapely.LineString, width_m: float, houses: NDArray[np.object_]) -> shapely.Polygon:
    """The bank of the stretch that the houses stand on, and the houses."""
    along = shapely.line_locate_point(river, houses)
    middle = float(np.median(along))
    stretch = substring(river, max(along.min() - 110.0, middle - 700.0, 0.0), min(along.max() + 110.0, middle + 700.0))
    bank = stretch.buffer(width_m / 2 + 30.0)
    hull = shapely.concave_hull(
        shapely.union_all([*houses, shapely.MultiPoint(shapely.get_coordinates(stretch))]), 0.5
    ).buffer(17.0)
    rounded = shapely.union(bank, hull).buffer(12.0).buffer(-12.0).simplify(3.0)
    outer: shapely.Polygon = max(shapely.get_parts(rounded), key=lambda s: float(s.area))
    return shapely.Polygon(outer.exterior)

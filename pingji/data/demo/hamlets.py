"""Hamlets of the demo county's villages: where they lie, and rows of houses along their street."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from pingji.data.demo.sites import scatter

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_PLOT_M, _ROW_M = 19.0, 36.0
_HOUSEHOLDS_A_BUILDING = 3


@dataclass(frozen=True)
class Hamlet:
    """A hamlet (屯) of a grid; `houses` in the order of its rows, metres."""

    grid: int
    centre: Floats
    heading: Floats
    houses: Floats


class Ground:
    """What a house keeps clear of: water by its width, and road beds."""

    def __init__(
        self, rivers: Sequence[shapely.Geometry], widths_m: list[float], roads: Sequence[shapely.Geometry]
    ) -> None:
        beds = shapely.buffer(np.array(rivers), np.array(widths_m) / 2 + 18.0, quad_segs=2)
        self.water = shapely.union_all(beds)
        self.blocked = shapely.union_all([self.water, *shapely.buffer(np.array(roads), 11.0, quad_segs=1)])
        shapely.prepare(self.water)
        shapely.prepare(self.blocked)
        self.rivers, self.roads = (shapely.STRtree(segments(lines)[0]) for lines in (rivers, roads))

    def nearest(self, tree: shapely.STRtree, xy: Floats) -> tuple[Ints, Floats]:
        """Index of the nearest segment to each point, and its distance in metres."""
        pairs, distance = tree.query_nearest(shapely.points(xy), return_distance=True, all_matches=False)
        return pairs[1], distance


def segments(lines: Sequence[shapely.Geometry]) -> tuple[NDArray[np.object_], Ints]:
    """The single segments of lines, which a spatial index finds far faster, and the line that each is of."""
    parts = [shapely.get_coordinates(line) for line in lines]
    pairs = np.concatenate([np.stack([xy[:-1], xy[1:]], axis=1) for xy in parts])
    of = np.repeat(np.arange(len(parts)), [len(xy) - 1 for xy in parts])
    return np.asarray(shapely.linestrings(pairs)), of


def settle(
    rng: np.random.Generator, grids: dict[int, shapely.Polygon], counts: dict[int, int], ground: Ground
) -> list[Hamlet]:
    """Hamlets for every rural grid.

    Parameters
    ----------
    grids : dict
        Polygon of each rural grid by its index, metres.
    counts : dict
        Households that each must hold.
    ground : Ground

    Returns
    -------
    list of Hamlet
        Their houses add up to the counts exactly.
    """
    chosen: list[Floats] = []
    hamlets: list[Hamlet] = []
    for grid, shape in grids.items():
        inner = max((shape.buffer(-b) for b in (20.0, 90.0, 160.0)), key=lambda s: (s.area > 4e5, -s.area))
        xy = scatter(rng, inner, 140)
        xy = xy[~shapely.contains_xy(ground.blocked, xy[:, 0], xy[:, 1])]
        road, to_road = ground.nearest(ground.roads, xy)
        _, to_river = ground.nearest(ground.rivers, xy)
        appeal = np.exp(-to_road / 350.0) + 0.8 * np.exp(-to_river / 300.0) + rng.uniform(0, 0.5, len(xy))
        wanted = int(np.clip(round(counts[grid] / rng.uniform(75, 140)), 2, 6))
        sites: list[int] = []
        for gap in (650.0, 420.0, 250.0):
            for k in np.argsort(-appeal):
                if len(sites) == wanted:
                    break
                if not chosen or np.hypot(*(np.array(chosen) - xy[k]).T).min() > gap:
                    sites.append(int(k))
                    chosen.append(xy[k])
        hamlets += _build(rng, grid, shape, counts[grid], xy[sites], road[sites], ground)
    return hamlets


def _build(
    rng: np.random.Generator, grid: int, shape: shapely.Polygon, count: int, sites: Floats, road: Ints, ground: Ground
) -> list[Hamlet]:
    share = rng.dirichlet(np.full(len(sites), 4.0))
    share = np.sort(share)[::-1]
    inner = shape.buffer(-14.0)
    shapely.prepare(inner)
    hamlets = []
    left = count
    for n, (site, segment) in enumerate(zip(sites, road, strict=True)):
        ends = shapely.get_coordinates(ground.roads.geometries[segment])
        heading = (ends[1] - ends[0]) / max(float(np.hypot(*(ends[1] - ends[0]))), 1e-9)
        wanted = left if n == len(sites) - 1 else min(left, max(8, round(count * float(share[n]))))
        houses = _rows(rng, site, heading, wanted, inner, ground)
        left -= len(houses)
        if len(houses):
            hamlets.append(Hamlet(grid, site, heading, houses))
    if left:
        raise ValueError(f"no room for {left} of {count} households in grid {grid}")
    return hamlets


def _rows(
    rng: np.random.Generator, site: Floats, heading: Floats, count: int, inner: shapely.Geometry, ground: Ground
) -> Floats:
    """The `count` plots closest to the middle of the street, fewer where there is no room; row by row."""
    a, b = np.meshgrid(np.arange(-32, 33) * _PLOT_M, (np.arange(-9, 9) + 0.5) * _ROW_M)
    along, across = a.ravel(), b.ravel()
    row = np.round(across / _ROW_M - 0.5)
    side = np.array([-heading[1], heading[0]])
    spread = along + rng.normal(0, 2.0, len(along)), across + rng.normal(0, 1.6, len(along))
    xy = site + spread[0][:, None] * heading + spread[1][:, None] * side
    free = shapely.contains_xy(inner, xy[:, 0], xy[:, 1]) & ~shapely.contains_xy(ground.blocked, xy[:, 0], xy[:, 1])
    free &= rng.random(len(xy)) > 0.06
    reach = np.hypot(along / 2.3, across) + rng.normal(0, 14.0, len(xy))
    pick = np.flatnonzero(free)
    pick = pick[np.argsort(reach[pick], kind="stable")][:count]
    pick = pick[np.lexsort((along[pick], row[pick]))]
    return np.asarray(xy[pick])


def buildings_of(hamlet: Hamlet) -> Ints:
    """A building number within the hamlet for each of its houses: neighbours of a row share one."""
    return np.arange(len(hamlet.houses)) // _HOUSEHOLDS_A_BUILDING

"""Where things are in the plan, before it is bent: town seats (real, rough), village seats (synthetic), the bending."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from pingji.data.demo.extracts import Frame, Place
from pingji.geo.noise import displacement
from pingji.geo.regions import components

Floats = NDArray[np.float64]

# Rough seats of the towns, lon/lat degrees.
SEATS = {
    "220221100": (126.5060, 43.6690),
    "220221101": (126.1796, 43.4739),
    "220221102": (126.3203, 43.5971),
    "220221103": (126.4875, 43.4701),
    "220221104": (126.1186, 43.7867),
    "220221171": (125.8990, 43.7407),
    "220221172": (126.3250, 43.6950),
    "220221200": (126.0100, 43.5950),
    "220221201": (125.9981, 43.4755),
    "220273100": (126.0000, 43.6950),
}
# Blocks along and across, and the turn of the street net in degrees. Only towns with a 社区 have one.
TOWN_BLOCKS = {
    "220221100": (23, 15, 22.0),
    "220221101": (7, 4, 60.0),
    "220221102": (5, 4, 40.0),
    "220221103": (6, 4, -70.0),
    "220221104": (7, 4, 15.0),
    "220221171": (8, 5, 5.0),
    "220273100": (9, 6, -20.0),
}
CAPITAL = "220221100"
_MOUNTAINS = {"220221101": 1.35, "220221102": 1.2, "220221103": 1.5, "220221172": 0.6}


@dataclass(frozen=True)
class Sites:
    """Seats of towns by code, and of villages in the order of their list; plan metres."""

    seats: dict[str, Floats]
    villages: list[Place]
    village_xy: Floats


def reach(township: str) -> float:
    """Metres around a town's seat that its street net takes."""
    blocks = TOWN_BLOCKS.get(township)
    return 0.0 if blocks is None else max(blocks[0] * 165.0, blocks[1] * 145.0) / 2


def bend(xy: Floats) -> Floats:
    """The plan's wander: every border, road and river goes through this one map, so what touches stays touching.

    Small bends fade near towns, whose streets are laid out straight.
    """
    calm = np.ones(len(xy))
    for code in TOWN_BLOCKS:
        seat = Frame.metres(np.array([SEATS[code]]))[0]
        away = np.hypot(*(xy - seat).T)
        calm = np.minimum(calm, np.clip((away - reach(code)) / (reach(code) + 600.0), 0.06, 1.0))
    moved = xy + displacement(xy, 11, 7000.0, 260.0)
    moved = moved + calm[:, None] * displacement(xy, 12, 1900.0, 95.0)
    return moved + calm[:, None] * (displacement(xy, 13, 620.0, 26.0) + displacement(xy, 14, 240.0, 6.0))


def scatter(rng: np.random.Generator, area: shapely.Polygon, count: int) -> Floats:
    """Random points inside an area."""
    west, south, east, north = area.bounds
    xy = np.column_stack([rng.uniform(west, east, count * 2), rng.uniform(south, north, count * 2)])
    return xy[shapely.contains_xy(area, xy[:, 0], xy[:, 1])][:count]


def _territories(points: Floats, seats: Floats, share: Floats) -> NDArray[np.int64]:
    """The town of each point: nearest seat, with head starts tuned until the shares of points come out."""
    distance = np.hypot(points[:, None, 0] - seats[None, :, 0], points[:, None, 1] - seats[None, :, 1])
    start = np.zeros(len(seats))
    for _ in range(150):
        owner = np.argmin(distance - start, axis=1)
        got = np.bincount(owner, minlength=len(seats)) / len(points)
        start += 2500.0 * (share - got) / np.maximum(share, 0.02) * 0.25
    return np.asarray(np.argmin(distance - start, axis=1))


def _spread(rng: np.random.Generator, points: Floats, count: int) -> Floats:
    """Centres spread evenly over points (Lloyd's iteration)."""
    centres = points[rng.choice(len(points), count, replace=False)]
    for _ in range(30):
        owner = np.argmin(np.hypot(*(points[:, None] - centres[None]).transpose(2, 0, 1)), axis=1)
        for i in range(count):
            if (owner == i).any():
                centres[i] = points[owner == i].mean(axis=0)
    return centres


def lay_out(rng: np.random.Generator, area: shapely.Polygon, villages: list[Place], rivers: shapely.Geometry) -> Sites:
    """Places for all villages: spread over their town's land, drawn towards rivers, kept clear of the streets."""
    codes = list(SEATS)
    seat_xy = Frame.metres(np.array([SEATS[c] for c in codes]))
    rural = {c: [v for v in villages if v.township == c and not v.urban] for c in codes}
    share = np.array([len(rural[c]) * _MOUNTAINS.get(c, 1.0) for c in codes])
    points = scatter(rng, area, 16000)
    owner = _territories(points, seat_xy, share / share.sum())
    placed: list[Place] = []
    where: list[Floats] = []
    for i, code in enumerate(codes):
        xy = _spread(rng, points[owner == i], len(rural[code]))
        line = shapely.shortest_line(shapely.points(xy), rivers)
        ends = shapely.get_coordinates(line).reshape(-1, 2, 2)
        pull = np.clip(np.hypot(*(ends[:, 1] - ends[:, 0]).T) - 350.0, 0, 900.0) * 0.6
        gap = np.maximum(np.hypot(*(ends[:, 1] - ends[:, 0]).T), 1.0)
        xy = xy + (ends[:, 1] - ends[:, 0]) * (pull / gap)[:, None]
        if code in TOWN_BLOCKS:
            out = xy - seat_xy[i]
            away = np.maximum(np.hypot(*out.T), 1.0)
            xy = seat_xy[i] + out * (np.maximum(away, reach(code) + 750.0) / away)[:, None]
        base = next(v.name[:-1] for v in [*rural[code], rural[code][0]])
        stem = {"220221100": "口前", "220221101": "双河", "220221102": "西阳", "220221103": "五里河"}.get(code, base)
        away = np.hypot(*(xy - seat_xy[i]).T)
        turn = np.arctan2(*(xy - seat_xy[i]).T[::-1])
        order = [int(np.argmin(away))]
        order += [int(k) for k in np.argsort(turn) if k != order[0]]
        names = sorted(rural[code], key=lambda v: (not v.name.startswith(stem), v.code))
        placed += names
        where += [xy[k] for k in order]
    xy = _hold_together(area, np.array(where), np.array([v.township for v in placed]))
    return Sites(dict(zip(codes, seat_xy, strict=True)), placed, xy)


def _hold_together(area: shapely.Polygon, xy: Floats, township: NDArray[np.str_]) -> Floats:
    """Move villages that other towns' land cuts off from their own town into its largest village."""
    for _ in range(6):
        cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(xy), extend_to=area, ordered=True))
        cells = np.asarray(shapely.intersection(cells, area), dtype=object)
        a, b = shapely.STRtree(cells).query(cells, predicate="intersects")
        common = shapely.length(shapely.intersection(cells[a], cells[b]))
        linked = (township[a] == township[b]) & ((common > 900.0) | (a == b))
        group = components(len(xy), np.column_stack([a, b])[linked])
        moved = False
        for town in np.unique(township):
            mine = np.flatnonzero(township == town)
            main = np.bincount(group[mine]).argmax()
            for lost in mine[group[mine] != main]:
                host = max(mine[group[mine] == main], key=lambda k: float(shapely.area(cells)[k]))
                rim = shapely.get_coordinates(cells[host])
                xy[lost] = xy[host] + 0.55 * (rim[np.argmax(np.hypot(*(rim - xy[host]).T))] - xy[host])
                moved = True
                break
        if not moved:
            break
    return xy

"""Village roads of the demo county: each hamlet's own street, and its way to the road network."""

from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from pingji.data.demo.hamlets import Hamlet
from pingji.data.demo.roads import Road
from pingji.geo.arrays import points

Floats = NDArray[np.float64]


def _winding(start: Floats, end: Floats, turn: float) -> Floats:
    """A slightly winding way between two points."""
    steps = max(int(np.hypot(*(end - start)) / 60.0), 1)
    t = np.linspace(0, 1, steps + 1)[:, None]
    side = np.array([[start[1] - end[1], end[0] - start[0]]])
    return np.asarray(
        start + (end - start) * t + side * (0.07 * turn * np.sin(np.pi * t) + 0.02 * np.sin(5 * np.pi * t))
    )


def reach_hamlets(rng: np.random.Generator, hamlets: list[Hamlet], roads: list[Road]) -> list[Road]:
    """Cut the roads where village roads join them, and add these: every hamlet is then on the network."""
    vertices = np.concatenate([r.line for r in roads])
    road_of = np.concatenate([np.full(len(r.line), n) for n, r in enumerate(roads)])
    position = np.concatenate([np.arange(len(r.line)) for r in roads])
    centres = np.array([h.centre for h in hamlets])
    pairs, distance = shapely.STRtree(points(vertices)).query_nearest(
        points(centres), return_distance=True, all_matches=False
    )
    junctions: dict[int, set[int]] = {}
    lanes: list[Road] = []
    linked: list[int] = []
    for h in np.argsort(distance, kind="stable").tolist():
        node = f"H{h:04d}"
        near = np.hypot(*(centres[linked] - centres[h]).T) if linked else np.array([np.inf])
        if near.min() < 0.8 * distance[h]:
            other = linked[int(np.argmin(near))]
            end, end_node = centres[other], f"H{other:04d}"
        else:
            v = int(pairs[1][h])
            road, at = int(road_of[v]), int(position[v])
            end, end_node = vertices[v], _node(roads[road], at, road)
            junctions.setdefault(road, set()).add(at)
        lanes.append(Road("village", "示范村道", node, end_node, _winding(centres[h], end, float(rng.normal()))))
        linked.append(h)
        hamlet = hamlets[h]
        along = (hamlet.houses - hamlet.centre) @ hamlet.heading
        for name, length in (("W", float(along.min())), ("E", float(along.max()))):
            if abs(length) > 40.0:
                line = np.array([hamlet.centre, hamlet.centre + hamlet.heading * length])
                lanes.append(Road("village", "示范屯内路", node, node + name, line))
    return _cut(roads, junctions) + lanes


def _node(road: Road, at: int, number: int) -> str:
    if at == 0:
        return road.start
    return road.end if at == len(road.line) - 1 else f"J{number:03d}-{at:03d}"


def _cut(roads: list[Road], junctions: dict[int, set[int]]) -> list[Road]:
    pieces = []
    for n, road in enumerate(roads):
        last = len(road.line) - 1
        stops = sorted({0, last} | junctions.get(n, set()))
        for a, b in pairwise(stops):
            pieces.append(Road(road.kind, road.name, _node(road, a, n), _node(road, b, n), road.line[a : b + 1]))
    return pieces

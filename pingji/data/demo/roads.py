"""The demo county's roads between villages and towns, as a connected planar network in the plan."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from pingji.data.demo.sites import Sites, bend
from pingji.data.demo.towns import Town
from pingji.geo import arrays, network
from pingji.geo.arrays import distances

Floats = NDArray[np.float64]

_NATIONAL = [
    ("220221171", "220273100"),
    ("220273100", "220221104"),
    ("220221104", "220221172"),
    ("220221172", "220221100"),
    ("220221100", "220221102"),
    ("220221102", "220221101"),
]
_COUNTY = [
    ("220221100", "220221103"),
    ("220273100", "220221200"),
    ("220221200", "220221201"),
    ("220221200", "220221102"),
    ("220221101", "220221201"),
    ("220221103", "220221102"),
    ("220221104", "220221102"),
    ("220221171", "220221200"),
]


@dataclass(frozen=True)
class Road:
    """A road between two named nodes; `line` in real metres, bent like everything else."""

    kind: str
    name: str
    start: str
    end: str
    line: Floats


def connect(sites: Sites, towns: dict[str, Town], area: shapely.Polygon, mains: shapely.Geometry) -> list[Road]:
    """Roads that reach every village and town.

    National and county roads follow the shortest ways between towns over links of neighbouring places, township roads
    complete a tree that reaches everyone, and the shortest remaining links close loops, so that one cut doesn't
    isolate a village.
    """
    town_codes = sorted(sites.seats)
    netted = [c for c in town_codes if c in towns]
    xy = np.vstack([sites.village_xy, [sites.seats[c] for c in netted]])
    size = len(sites.villages)
    names = [v.code for v in sites.villages] + netted
    node_of = {c: size + netted.index(c) for c in netted}
    for c in town_codes:
        if c not in node_of:
            node_of[c] = int(np.argmin(np.hypot(*(sites.village_xy - sites.seats[c]).T)))
    inner = area.buffer(-250.0)
    shapes = {node_of[c]: towns[c].shape for c in netted}
    edges: list[network.Edge] = []
    for a, b in network.neighbour_edges(xy):
        link = shapely.LineString([xy[a], xy[b]])
        if inner.contains(link) and not any(n not in (a, b) and s.intersects(link) for n, s in shapes.items()):
            edges.append((a, b))
    links = shapely.linestrings(np.array([[xy[a], xy[b]] for a, b in edges]))
    length = shapely.length(links)
    crossings = shapely.get_num_geometries(shapely.intersection(links, mains))
    costs: list[float] = np.asarray(length * (1.0 + 0.25 * crossings)).tolist()

    kinds: dict[network.Edge, tuple[str, str]] = {}
    for kind, title, pairs in (("national", "示范国道", _NATIONAL), ("county", "示范县道", _COUNTY)):
        for n, (here, there) in enumerate(pairs, 1):
            number = 1 + (n > 4) if kind == "national" else n
            for edge in network.shortest_path(edges, costs, node_of[here], node_of[there]):
                kinds.setdefault(edge, (kind, f"{title}{number:02d}线"))
    for edge in network.spanning_tree(len(xy), edges, costs):
        kinds.setdefault(edge, ("township", "示范乡道"))
    spare = sorted((cost, e) for cost, e in zip(costs, edges, strict=True) if e not in kinds)
    for _, edge in spare[: len(spare) // 4]:
        kinds[edge] = ("township", "示范乡道")

    roads = []
    for a, b in sorted(kinds):
        kind, name = kinds[a, b]
        line = shapely.get_coordinates(shapely.segmentize(shapely.LineString([xy[a], xy[b]]), 110.0))
        ends = [names[a], names[b]]
        for end, node in ((0, a), (1, b)):
            if node in shapes:
                line, ends[end] = _enter(line, end, towns[names[node]], shapes[node])
        if len(line) > 1:
            roads.append(Road(kind, name, ends[0], ends[1], bend(line)))
    return roads


def street_node(township: str, node: tuple[int, int]) -> str:
    """The name of a crossing of a town's street net."""
    return f"{township}-{node[0]}-{node[1]}"


def _enter(line: Floats, end: int, town: Town, shape: shapely.Polygon) -> tuple[Floats, str]:
    """A road that ends at a town's seat, ended instead at the nearest crossing on the town's edge."""
    line = line[~shapely.contains_xy(shape.buffer(60.0), line[:, 0], line[:, 1])]
    used = sorted({n for s in town.streets if s.road for n in s.nodes})
    points = np.array([town.nodes[n] for n in used])
    edge = distances(arrays.points(points), shape.exterior) < 1.0
    candidates = [n for n, on in zip(used, edge, strict=True) if on]
    near = line[-1] if end else line[0]
    node = candidates[int(np.argmin(np.hypot(*(points[edge] - near).T)))]
    point = town.nodes[node][None]
    return (np.vstack([line, point]) if end else np.vstack([point, line])), street_node(town.township, node)

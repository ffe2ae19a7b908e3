"""Made communities for proposals of grids: streets, a river with bridges, buildings, and households in them."""

from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import Connection

from pingji.data import features
from pingji.geo.crs import metric_crs, to_lonlat
from pingji.geo.partitioning import Scene

CRS = metric_crs(126.4, 43.6)
WEST, SOUTH = 540_000.0, 4_830_000.0  # metres


def neighbourhood(
    households: int = 6_000, blocks: int = 10, bridges: int = 2, seed: int = 1, *, river: bool = True
) -> Scene:
    """A square of `blocks` × `blocks` blocks of 110 to 200 m with a winding river through its middle.

    Streets end at the river unless they are one of the `bridges`; buildings keep clear of streets and of the river.
    Today's grids are strips from north to south, as somebody with a ruler would draw them, cut along the river.
    """
    rng = np.random.default_rng(seed)
    across = WEST + np.concatenate([[0], np.cumsum(rng.uniform(110, 200, blocks))])
    up = SOUTH + np.concatenate([[0], np.cumsum(rng.uniform(110, 200, blocks))])
    water = _river(across, up, rng)
    streets = _streets(across, up, water if river else None, bridges)
    free = shapely.union_all([shapely.buffer(s, 6.0) for s in streets] + ([water.buffer(14.0)] if river else []))
    houses = _houses(across, up, free, rng)
    share = rng.integers(4, 14, len(houses)).astype(np.float64)
    counts = rng.multinomial(households, share / share.sum()).astype(np.int64)
    rivers = [water] if river else []
    grids = _strips(across, up, max(1, households // 400), water if river else None)
    shapes = _moved(grids)
    return Scene(
        outline=shapely.coverage_union_all(shapes),  # today's grids tile it to the last bit
        homes=shapely.get_coordinates(to_lonlat(shapely.centroid(houses), CRS)),
        households=counts,
        roads=_moved(streets),
        rivers=_moved(rivers),
        buildings=to_lonlat(houses, CRS),
        grids={f"{i + 1:03d}": shape for i, shape in enumerate(shapes)},
    )


def _river(across: NDArray[np.float64], up: NDArray[np.float64], rng: np.random.Generator) -> shapely.LineString:
    x = np.linspace(across[0] - 50, across[-1] + 50, 40)
    middle, swing = (up[0] + up[-1]) / 2, (up[-1] - up[0]) / 12
    return shapely.LineString(np.column_stack([x, middle + swing * np.sin(x / 260 + rng.uniform(0, 6))]))


def _streets(
    across: NDArray[np.float64], up: NDArray[np.float64], water: shapely.LineString | None, bridges: int
) -> list[shapely.Geometry]:
    norths = [shapely.LineString([(x, up[0] - 20), (x, up[-1] + 20)]) for x in across[1:-1]]
    easts = [shapely.LineString([(across[0] - 20, y), (across[-1] + 20, y)]) for y in up[1:-1]]
    if water is None:
        return [*norths, *easts]
    bank = water.buffer(12.0)
    carried = set(np.linspace(0, len(norths) - 1, bridges + 2).round().astype(int)[1:-1].tolist())
    cut = [line if i in carried else line.difference(bank) for i, line in enumerate(norths)]
    return [*cut, *(line.difference(bank) for line in easts)]


def _houses(
    across: NDArray[np.float64], up: NDArray[np.float64], free: shapely.Geometry, rng: np.random.Generator
) -> NDArray[np.object_]:
    """Slabs in rows in every block, some blocks denser than others."""
    found = []
    shapely.prepare(free)
    for west, east in pairwise(across):
        for south, north in pairwise(up):
            depth = rng.uniform(22, 45)
            for y in np.arange(south + 10, north - 20, depth):
                for x in np.arange(west + 10, east - 40, rng.uniform(45, 70)):
                    slab = shapely.box(x, y, x + rng.uniform(20, 38), y + 11)
                    if not shapely.intersects(free, slab):
                        found.append(slab)
    return np.array(found, dtype=object)


def _strips(
    across: NDArray[np.float64], up: NDArray[np.float64], count: int, water: shapely.LineString | None
) -> list[shapely.Geometry]:
    edges = np.linspace(across[0], across[-1], max(1, count // 2) + 1)
    lines = [shapely.LineString([(x, up[0] - 20), (x, up[-1] + 20)]) for x in edges[1:-1]]
    outline = shapely.box(across[0], up[0], across[-1], up[-1])
    cut = shapely.union_all([outline.boundary, *lines, *([water] if water is not None else [])])
    faces = shapely.get_parts(shapely.polygonize([cut]))
    return [face for face in faces.tolist() if outline.contains(face.representative_point())]


def _moved(shapes: list[shapely.Geometry]) -> NDArray[np.object_]:
    out = np.empty(len(shapes), dtype=object)
    out[:] = [to_lonlat(shape, CRS) for shape in shapes]
    return out


def settle(conn: Connection, county: str, community: str, scene: Scene) -> None:
    """Put a scene into a store as a community: a row for each household, brooks and rivers beside each other."""
    place = {"community": community}
    features.insert(conn, county, "communities", [{"code": community, "name": "Made", "geom": scene.outline}])
    grids = [{**place, "code": community + code, "name": code, "geom": shape} for code, shape in scene.grids.items()]
    features.insert(conn, county, "grids", grids)
    at = np.repeat(scene.homes, scene.households, axis=0)
    homes = [
        {**place, "code": f"{community}H{i:05d}", "name": f"H{i}", "residents": 2, "geom": shapely.Point(xy)}
        for i, xy in enumerate(at)
    ]
    features.insert(conn, county, "households", homes)
    lines = {"roads": ("street", scene.roads), "rivers": ("river", scene.rivers)}
    for layer, (kind, shapes) in lines.items():
        rows = [{"code": f"{layer}{i}", "name": "", "kind": kind, "geom": shape} for i, shape in enumerate(shapes)]
        features.insert(conn, county, layer, rows)
    brooks = [{"code": f"brook{i}", "name": "", "kind": "stream", "width_m": 4.0} for i in range(len(scene.streams))]
    features.insert(conn, county, "rivers", [{**b, "geom": g} for b, g in zip(brooks, scene.streams, strict=True)])
    blocks = [{**place, "code": f"B{i}", "name": "", "geom": shape} for i, shape in enumerate(scene.buildings)]
    features.insert(conn, county, "buildings", blocks)

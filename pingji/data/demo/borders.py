"""Borders of communities and grids: one noded drawing of all lines, its faces gathered upwards."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from pingji.data.demo.extracts import Place
from pingji.data.demo.rivers import River
from pingji.data.demo.roads import Road
from pingji.data.demo.sites import Sites, bend
from pingji.data.demo.towns import Town
from pingji.geo.arrays import near, points
from pingji.geo.regions import Borders, components, gather, shared_borders

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_TWO_GRID_VILLAGES = 36


@dataclass(frozen=True)
class Division:
    """Communities and their grids, as coverages of the county in metres.

    Attributes
    ----------
    communities : list of Place
    community_shape, grid_shape, block_shape : object arrays of Polygon
    grid_community, block_grid : int64
        Which community a grid, and which grid a town block, is part of.
    """

    communities: list[Place]
    community_shape: NDArray[np.object_]
    grid_shape: NDArray[np.object_]
    grid_community: Ints
    block_shape: NDArray[np.object_]
    block_grid: Ints


def divide(area: shapely.Polygon, sites: Sites, towns: list[Town], rivers: list[River], roads: list[Road]) -> Division:
    """Partition the county.

    All borders, main rivers, roads and streets are noded together once, so that whatever is gathered from the faces
    meets its neighbours exactly. Village borders start half way between villages; strips that a main river cuts off
    go to the village on their bank. Villages of two grids are cut along their roads and rivers.
    """
    town_area = shapely.union_all([t.shape for t in towns])
    outside = shapely.buffer(town_area, -1.0)
    seeds = shapely.multipoints(sites.village_xy)
    frame = shapely.box(*area.buffer(9000.0).bounds)
    halfway = shapely.get_parts(shapely.voronoi_polygons(seeds, extend_to=frame, only_edges=True))
    cells = shapely.get_parts(shapely.voronoi_polygons(seeds, extend_to=frame, ordered=True))
    mains = [bend_line(shapely.difference(shapely.LineString(r.line), outside)) for r in rivers if r.main]
    lines = [
        shapely.boundary(area),
        *mains,
        *[shapely.LineString(r.line) for r in roads if r.kind != "street"],
        *[bend_line(shapely.difference(shapely.segmentize(h, 90.0), outside)) for h in halfway],
        *[bend_line(shapely.segmentize(s.line, 45.0)) for t in towns for s in t.streets],
    ]
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(shapely.unary_union(np.array(lines, dtype=object)))))
    inside = shapely.point_on_surface(faces)
    within = shapely.contains(area, inside)
    faces, inside = faces[within], inside[within]

    owner = np.full(len(faces), -1)
    bent = shapely.make_valid(bend_polygons(shapely.segmentize(cells, 90.0)))
    at, cell = shapely.STRtree(bent).query(inside, predicate="intersects")
    owner[at] = cell
    missing = np.flatnonzero(owner < 0)
    owner[missing] = shapely.STRtree(bent).nearest(inside[missing])
    town_grid, block = np.full(len(faces), -1), np.zeros(len(faces), dtype=bool)
    communities = list(sites.villages)
    for town in towns:
        blocks = bend_polygons(shapely.segmentize(town.blocks, 45.0))
        at, cell = shapely.STRtree(blocks).query(inside, predicate="intersects")
        owner[at] = len(communities) + town.community[cell]
        town_grid[at] = town.grid[cell]
        block[at] = ~town.bank[cell]
        communities += town.communities

    borders = shared_borders(faces)
    river = shapely.union_all(mains)
    wet = near(points(borders.middle), river, 0.5)
    size = shapely.area(faces)
    rural = np.array([not c.urban for c in communities])
    township = np.array([c.township for c in communities])
    for across in (wet, np.zeros(len(wet), dtype=bool), wet, np.zeros(len(wet), dtype=bool)):
        _adopt(owner, size, borders, across, rural, township)
    return _gather(communities, faces, owner, town_grid, block, borders, size)


def bend_line(line: Any) -> shapely.LineString:
    """A plan line as it really runs."""
    bent: shapely.LineString = shapely.transform(line, bend)
    return bent


def bend_polygons(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Plan polygons as they really lie."""
    return np.asarray(shapely.transform(shapes, bend))


def _adopt(
    owner: Ints,
    size: Floats,
    borders: Borders,
    across: NDArray[np.bool_],
    rural: NDArray[np.bool_],
    township: NDArray[np.str_],
) -> None:
    """Give pieces cut off from their community's largest piece to the neighbour they share most border with."""
    same = (owner[borders.first] == owner[borders.second]) & ~across
    piece = components(len(owner), np.column_stack([borders.first, borders.second])[same])
    weight = np.bincount(piece, weights=size, minlength=len(owner))
    whole = np.bincount(owner, weights=size)
    largest = np.zeros(len(whole), dtype=np.int64)
    for p in np.unique(piece):
        if weight[p] > weight[largest[owner[p]]] or owner[largest[owner[p]]] != owner[p]:
            largest[owner[p]] = p
    change: dict[int, int] = {}
    for p in np.unique(piece):
        home = owner[p]
        stays = across.any() and weight[p] > 0.38 * whole[home]
        if p == largest[home] or stays or not rural[home]:
            continue
        reach: dict[int, float] = {}
        for mine, other in ((borders.first, borders.second), (borders.second, borders.first)):
            touching = (piece[mine] == p) & (owner[other] != home) & ~across
            for o, length in zip(owner[other[touching]], borders.length_m[touching], strict=True):
                if rural[o] and (township[o] == township[home] or not across.any()):
                    reach[int(o)] = reach.get(int(o), 0.0) + float(length) * (
                        5.0 if township[o] == township[home] else 1.0
                    )
        if reach:
            change[int(p)] = max(reach, key=lambda o: reach[o])
    # Across a river only within the town: else banks of one town would be strung along another.
    for p, new in change.items():
        owner[piece == p] = new


def _gather(
    communities: list[Place],
    faces: NDArray[np.object_],
    owner: Ints,
    town_grid: Ints,
    block: NDArray[np.bool_],
    borders: Borders,
    size: Floats,
) -> Division:
    halves: dict[int, list[int]] = {}
    balance: dict[int, float] = {}
    same = owner[borders.first] == owner[borders.second]
    members = [np.flatnonzero(owner == c) for c in range(len(communities))]
    for c, mine in enumerate(members):
        if communities[c].urban or len(mine) < 2:
            continue
        local = {int(f): n for n, f in enumerate(mine)}
        shared: dict[tuple[int, int], float] = {}
        for k in np.flatnonzero(same & (owner[borders.first] == c)):
            a, b = local[int(borders.first[k])], local[int(borders.second[k])]
            key = (min(a, b), max(a, b))
            shared[key] = shared.get(key, 0.0) + float(borders.length_m[k])
        halves[c] = gather(size[mine].tolist(), shared, 2)
        part = np.bincount(halves[c], weights=size[mine])
        if len(part) == 2:
            balance[c] = float(part.min() / part.sum())
    apart = sorted(balance, key=lambda c: -balance[c])[:_TWO_GRID_VILLAGES]

    shapes: list[shapely.Geometry] = []
    home: list[int] = []
    block_grid = np.full(len(faces), -1)
    for c, mine in enumerate(members):
        number = np.array(halves[c]) if c in apart else np.maximum(town_grid[mine], 0)
        for n in np.unique(number):
            block_grid[mine[number == n]] = len(shapes)
            shapes.append(shapely.coverage_union_all(faces[mine[number == n]]))
            home.append(c)
    community_shape = np.array([shapely.coverage_union_all(faces[mine]) for mine in members])
    return Division(communities, community_shape, np.array(shapes), np.array(home), faces[block], block_grid[block])

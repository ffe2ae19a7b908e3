"""Atoms: the smallest pieces of ground that a proposal moves, between roads, water, today's borders and cuts."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from pingji.geo.arrays import points
from pingji.geo.coverage.measure import central_crs, width_m
from pingji.geo.crs import to_metric
from pingji.geo.partitioning.banks import Water, wet
from pingji.geo.partitioning.borders import Borders, borders_of
from pingji.geo.partitioning.cuts import Flat, cut_lines
from pingji.geo.partitioning.model import Progress, Scene, as_array
from pingji.geo.partitioning.pixels import faces_on_pixels
from pingji.geo.partitioning.unions import Unions

SLIVER_M = 8.0  # faces narrower than this go with a neighbour: what lies between a road and a border drawn beside it
THIN_M = 0.3  # and these over a river too: an outline or a border was drawn along it, with other vertices
NEAR_DEG = 5e-6  # half a metre: what is this near to a bridge's end is at it, thin faces between or not
NOWHERE = -1


@dataclass(frozen=True, slots=True, eq=False)
class Atoms:
    """Faces that tile the outline, and which of them move as one.

    Attributes
    ----------
    crs : CRS
        What lengths and areas are measured in.
    faces : array of Polygon, EPSG:4490 lon/lat degrees
    area_m2 : float64, shape (n_faces,)
    atom : int64, shape (n_faces,)
        The atom of each face.
    households : int64, shape (n_atoms,)
    home : int64, shape (n_homes,)
        The atom of each home of the scene; `NOWHERE` outside the outline.
    borders : Borders
        Of the faces.
    bridged : set of (atom, atom), the lower first
        Atoms on two banks with a bridge from one to the other.
    """

    crs: CRS
    faces: NDArray[np.object_]
    area_m2: NDArray[np.float64]
    atom: NDArray[np.int64]
    households: NDArray[np.int64]
    home: NDArray[np.int64]
    borders: Borders
    bridged: frozenset[tuple[int, int]]


def atoms_of(scene: Scene, most: int, progress: Progress) -> Atoms:
    """Cut the scene's outline into atoms.

    Parameters
    ----------
    scene : Scene
    most : int
        Households that an atom should have at most. One place is never divided, nor a building.
    progress : Progress
    """
    crs = central_crs(as_array([scene.outline]))
    water = Water.of(scene)
    old = shapely.boundary(as_array(list(scene.grids.values()))).tolist()
    decks = water.decks(crs)
    lines = [
        scene.outline.boundary,
        *water.lines,
        *shapely.boundary(decks),
        *_around(scene, [*scene.roads, *scene.streams]),
        *old,
    ]
    buildings = _areas(scene.buildings)
    progress(0.05, "blocks")
    faces = _inside(faces_on_pixels(lines), scene)
    cuts = _cuts(scene, faces, buildings, most, progress)
    lines = [*lines, *cuts]
    cut = _crossed(buildings, as_array(lines))
    faces = _inside(faces_on_pixels([*lines, *shapely.boundary(cut)]), scene)
    progress(0.3, "graph")
    width, groups = width_m(faces), Unions(len(faces))
    borders = borders_of(faces, scene, water, _walls(cut, decks, water), crs)
    bank = _bank(borders, width < THIN_M)
    borders = replace(borders, barrier=borders.barrier | bank[borders.sides].any(axis=1))
    _whole_buildings(groups, faces, borders, cut)
    _absorb(groups, faces, borders, bank[:-1], across=True)
    _absorb(groups, faces, borders, width < SLIVER_M, across=False)
    bridged = _bridged(groups, faces, borders, water, decks)
    _absorb(groups, faces, borders, wet(faces, water), across=True)
    atom = groups.labels()
    home = _homes(scene, faces, atom)
    counted = np.bincount(home[home >= 0], scene.households[home >= 0], minlength=atom.max() + 1)
    pairs = frozenset((min(a, b), max(a, b)) for a, b in ((int(atom[i]), int(atom[j])) for i, j in bridged) if a != b)
    area = np.asarray(shapely.area(to_metric(faces, crs)))
    return Atoms(crs, faces, area, atom, counted.astype(np.int64), home, borders, pairs)


def _bank(borders: Borders, thin: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Thin faces along a river: part of its bank, whichever side they go with, and no way around it."""
    found = np.zeros(len(thin) + 1, dtype=bool)  # the last one stands for what lies outside
    found[np.unique(borders.sides[borders.barrier])] = True
    return np.asarray(found & np.append(thin, False))


def _areas(buildings: NDArray[np.object_]) -> NDArray[np.object_]:
    parts = shapely.get_parts(shapely.make_valid(buildings))
    return np.asarray(parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON], dtype=object)


def _around(scene: Scene, lines: Sequence[BaseGeometry]) -> list[BaseGeometry]:
    """Lines that reach the outline; areas by their border."""
    near = [line for line in lines if line.intersects(scene.outline)]
    return [line.boundary if shapely.get_dimensions(line) == 2 else line for line in near]


def _inside(faces: NDArray[np.object_], scene: Scene) -> NDArray[np.object_]:
    shapely.prepare(scene.outline)
    return faces[shapely.contains(scene.outline, shapely.point_on_surface(faces))]


def _cuts(
    scene: Scene, faces: NDArray[np.object_], buildings: NDArray[np.object_], most: int, progress: Progress
) -> list[shapely.Geometry]:
    """Cuts through the faces in which too many live."""
    homes = points(scene.homes)
    tree = shapely.STRtree(faces)
    home, face = tree.query(homes, predicate="intersects")
    counted = np.bincount(face, scene.households[home], minlength=len(faces))
    crowded = np.flatnonzero(counted > most).tolist()
    flat = Flat.at(scene.outline.centroid.y)
    xy = scene.homes * flat.scale
    metric, walls = flat.metres(faces), flat.metres(buildings)
    near = shapely.STRtree(walls)
    found: list[shapely.Geometry] = []
    for n, i in enumerate(crowded):
        progress(0.05 + 0.2 * n / len(crowded), "blocks")
        here = home[face == i]
        at, which = np.unique(xy[here].round(2), axis=0, return_inverse=True)
        weights = np.bincount(which.reshape(-1), scene.households[here]).astype(np.int64)
        around = walls[near.query(metric[i], predicate="intersects")]
        found += flat.degrees(cut_lines(metric[i], at, weights, around, most)).tolist()
    return found


def _crossed(buildings: NDArray[np.object_], lines: NDArray[np.object_]) -> NDArray[np.object_]:
    """Buildings that a line runs through."""
    if not len(buildings):
        return buildings
    line, building = shapely.STRtree(buildings).query(lines, predicate="intersects")
    through = ~shapely.touches(lines[line], buildings[building])
    return np.asarray(buildings[np.unique(building[through])], dtype=object)


def _whole_buildings(
    groups: Unions, faces: NDArray[np.object_], borders: Borders, buildings: NDArray[np.object_]
) -> None:
    """All faces in a building become one, and go with the face around that has the longest border with them."""
    if not len(buildings):
        return
    face, building = shapely.STRtree(buildings).query(shapely.point_on_surface(faces), predicate="within")
    for one in np.unique(building).tolist():
        groups.join_all(face[building == one].tolist())
    mask = np.zeros(len(faces), dtype=bool)
    mask[face] = True
    _absorb(groups, faces, borders, mask, across=True)


def _absorb(
    groups: Unions, faces: NDArray[np.object_], borders: Borders, small: NDArray[np.bool_], *, across: bool
) -> None:
    """Sets of nothing but small faces go with the neighbour of the longest border; over a river only if `across`."""
    usable = borders.inner if across else borders.inner & ~borders.barrier
    sides, length = borders.sides[usable], borders.length_m[usable]
    for _ in range(8):  # each round at least halves the sets that are left
        label = groups.labels()
        left = np.ones(label.max() + 1, dtype=bool)
        left[label[~small]] = False
        if not left.any():
            return
        common: dict[int, dict[int, float]] = defaultdict(lambda: defaultdict(float))
        for (a, b), metres in zip(label[sides].tolist(), length.tolist(), strict=True):
            if a != b:
                common[a][b] += metres
                common[b][a] += metres
        first = np.unique(label, return_index=True)[1]
        changed = False
        for one in np.flatnonzero(left).tolist():
            if common[one]:
                # Large neighbours first: two small ones would otherwise join each other round by round.
                best = max(common[one].items(), key=lambda item: (not left[item[0]], item[1], -item[0]))[0]
                groups.join(int(first[one]), int(first[best]))
                changed = True
        if not changed:
            return


def _bridged(
    groups: Unions, faces: NDArray[np.object_], borders: Borders, water: Water, decks: NDArray[np.object_]
) -> list[tuple[int, int]]:
    """Faces that a bridge joins; what meets at its end on one bank becomes one, so that the bridge lies inside it.

    The deck of a bridge over an area goes with one of the banks.
    """
    if not len(water.bridges):
        return []
    tree, afloat = shapely.STRtree(faces), wet(faces, water)
    inner = shapely.STRtree(shapely.point_on_surface(faces))
    dry = _touching(borders, ~borders.barrier & borders.inner)
    found: list[tuple[int, int]] = []
    for bridge, deck in zip(water.bridges.tolist(), decks.tolist(), strict=True):
        ends = points(np.unique(shapely.get_coordinates(bridge)[[0, -1]], axis=0))
        touched = [tree.query(end, predicate="dwithin", distance=NEAR_DEG).tolist() for end in ends]
        heads = [sorted(i for i in at if not afloat[i]) for at in touched]
        for at in heads:
            for a, b in ((a, b) for a in at for b in at if (a, b) in dry):
                groups.join(a, b)
        if len(heads) == 2 and all(heads):
            planks = inner.query(deck, predicate="contains")
            groups.join_all([heads[0][0], *planks[afloat[planks]].tolist()])
        banks = sorted({groups.find(i) for at in heads for i in at})
        if len(banks) == 2:
            found.append((banks[0], banks[1]))
    return found


def _walls(buildings: NDArray[np.object_], decks: NDArray[np.object_], water: Water) -> NDArray[np.object_]:
    """What is a bank beside the rivers' own: the walls of buildings over a river, and the sides of bridges."""
    if not len(water.lines):
        return as_array([])
    over = buildings[shapely.intersects(buildings, shapely.union_all(water.lines))]
    sides = shapely.intersection(shapely.boundary(decks), shapely.union_all(water.areas))
    found = as_array([*shapely.boundary(over).tolist(), *sides.tolist()])
    return np.asarray(found[~shapely.is_empty(found)], dtype=object)


def _touching(borders: Borders, which: NDArray[np.bool_]) -> set[tuple[int, int]]:
    return {(a, b) for a, b in np.unique(borders.sides[which], axis=0).tolist()}


def _homes(scene: Scene, faces: NDArray[np.object_], atom: NDArray[np.int64]) -> NDArray[np.int64]:
    """The atom of each home: the first of those it touches."""
    found = np.full(len(scene.homes), NOWHERE, dtype=np.int64)
    home, face = shapely.STRtree(faces).query(points(scene.homes), predicate="intersects")
    order = np.lexsort((-face, home))
    found[home[order]] = atom[face[order]]
    return found

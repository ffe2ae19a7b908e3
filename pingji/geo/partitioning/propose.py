"""Several ways to cut a community into grids of a given size, the best first."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import shapely
from numpy.typing import NDArray

from pingji.geo.arrays import points
from pingji.geo.coverage.planar import Area
from pingji.geo.partitioning.assemble import polygons_of
from pingji.geo.partitioning.atoms import NOWHERE, Atoms, atoms_of
from pingji.geo.partitioning.banks import crossings
from pingji.geo.partitioning.divide import Part, divisions, parts_of
from pingji.geo.partitioning.graph import TASTES, graph_of
from pingji.geo.partitioning.measure import best_first, common, match, scores_of
from pingji.geo.partitioning.model import Candidate, Grid, ImpossibleRange, Note, Progress, Scene, Scores, as_array
from pingji.geo.partitioning.pixels import stored_nodes

SEEDS = 8  # tries of METIS for each number of grids, taste and slack
FINENESS = 8  # atoms in a grid of medium size, at least
MOST_CANDIDATES = 5
WORSE = 0.05  # of the grids out of range, more than the best has


def _silent(share: float, step: str) -> None:
    """Nobody asked how far it is."""


def propose(
    scene: Scene, low: int = 300, high: int = 500, *, seed: int = 1, progress: Progress = _silent
) -> tuple[Candidate, ...]:
    """Propose partitions of a community into grids of `low` to `high` households.

    Parameters
    ----------
    scene : Scene
    low, high : int
        Households of a grid.
    seed : int
        The same scene with the same seed gives the same candidates, to the byte.
    progress : callable of (share, step)
        Told the share done, from 0 to 1, and the step: blocks, graph, partition, scores. It may raise to cancel.

    Returns
    -------
    tuple of Candidate
        At least one and at most five, in the order of `Scores.rank`. Each is an exact coverage of the outline, cuts no
        building, and lies over a river only where a bridge inside the grid joins its banks.

    Raises
    ------
    ImpossibleRange
        If `low` is not between 1 and `high`.

    Notes
    -----
    Roads, water, today's borders and short cuts between buildings make atoms; METIS divides their graph, in which a
    border on a road costs little; three tastes (roads, compact shapes, today's borders) make the candidates differ.
    Where nothing fits (few households, a bank without a bridge) the nearest is proposed, with a note that says why.

    Examples
    --------
    >>> x, y = np.meshgrid(126.5005 + np.arange(10) / 1000, 43.6005 + np.arange(8) / 1000)
    >>> homes = np.column_stack([x.ravel(), y.ravel()])
    >>> scene = Scene(shapely.box(126.5, 43.6, 126.51, 43.608), homes, np.full(80, 10))
    >>> best = propose(scene)[0]
    >>> sum(grid.households for grid in best.grids), best.scores.in_range, best.scores.crossings
    (800, 1.0, 0)
    """
    if not 1 <= low <= high:
        raise ImpossibleRange(low=low, high=high)
    progress(0.0, "blocks")
    atoms = atoms_of(scene, max(1, (low + high) // 2 // FINENESS), progress)
    old = _today(scene)
    tried, notes = _divided(scene, atoms, old, low, high, seed, progress)
    return _finished(scene, atoms, old, tried, notes, progress)


Tried = tuple[NDArray[np.int64], Scores, str]


def _today(scene: Scene) -> NDArray[np.int64]:
    """The place of today's grid of each home: the first of those it touches."""
    found = np.full(len(scene.homes), NOWHERE, dtype=np.int64)
    if scene.grids:
        tree = shapely.STRtree(as_array(list(scene.grids.values())))
        home, grid = tree.query(points(scene.homes), predicate="intersects")
        order = np.lexsort((-grid, home))
        found[home[order]] = grid[order]
    return found


def _divided(
    scene: Scene, atoms: Atoms, old: NDArray[np.int64], low: int, high: int, seed: int, progress: Progress
) -> tuple[list[Tried], list[Note]]:
    """Divisions of the whole community, the best of each part put together, for every taste."""
    tastes = TASTES if scene.grids else TASTES[:2]
    seeds = range(seed, seed + SEEDS)
    tried: list[Tried] = []
    notes: list[Note] = []
    for n, taste in enumerate(tastes):
        graph = graph_of(atoms, taste)
        parts, empty, notes = parts_of(graph, low, high)
        found: list[list[NDArray[np.int64]]] = []
        for m, part in enumerate(parts):
            progress(0.4 + 0.5 * (n + m / len(parts)) / len(tastes), "partition")
            found.append(list(divisions(graph, part, seeds, low, high)))
        for label in _together(atoms, parts, empty, found):
            scores = scores_of(atoms, label, scene.households, old, low, high)
            tried.append((label, scores, taste.name))
    return tried, notes


def _together(
    atoms: Atoms, parts: Sequence[Part], empty: Sequence[Sequence[int]], found: Sequence[Sequence[NDArray[np.int64]]]
) -> list[NDArray[np.int64]]:
    """Divisions of the parts side by side: the nth of each, as often as the part with most has one."""
    whole = []
    for n in range(max(len(ways) for ways in found)):
        label = np.full(len(atoms.households), NOWHERE, dtype=np.int64)
        grids = 0
        for part, ways in zip(parts, found, strict=True):
            way = ways[n % len(ways)]
            label[list(part.atoms)] = way + grids
            grids += int(way.max()) + 1
        _give_empty(atoms, label, empty)
        whole.append(label)
    return whole


def _give_empty(atoms: Atoms, label: NDArray[np.int64], empty: Sequence[Sequence[int]]) -> None:
    """Ground where nobody lives, behind a river or apart, goes with the grid it has the longest border with."""
    left = [list(part) for part in empty]
    sides = atoms.atom[atoms.borders.sides[atoms.borders.inner]]
    length = atoms.borders.length_m[atoms.borders.inner]
    while left:
        longest: tuple[float, int, int] | None = None
        for i, part in enumerate(left):
            for one, other in (sides.T, sides.T[::-1]):
                at = np.isin(one, part) & (label[other] != NOWHERE)
                if at.any():
                    metres = np.bincount(label[other[at]], length[at])
                    choice = (float(metres.max()), -i, -int(metres.argmax()))
                    longest = choice if longest is None else max(longest, choice)
        if longest is None:  # an island of the outline: any grid, so that it is not lost
            longest = (0.0, 0, -_nearest(atoms, label, left[0]))
        label[left.pop(-longest[1])] = -longest[2]


def _nearest(atoms: Atoms, label: NDArray[np.int64], part: Sequence[int]) -> int:
    known = np.flatnonzero(label[atoms.atom] != NOWHERE)
    lost = shapely.union_all(atoms.faces[np.isin(atoms.atom, part)])
    face = known[int(np.argmin(shapely.distance(atoms.faces[known], lost)))]
    return int(label[atoms.atom[face]])


def _finished(
    scene: Scene, atoms: Atoms, old: NDArray[np.int64], tried: list[Tried], notes: list[Note], progress: Progress
) -> tuple[Candidate, ...]:
    chosen = _chosen(tried)
    stored = stored_nodes([scene.outline, *scene.grids.values(), *scene.rivers, *scene.streams, *scene.roads])
    candidates = []
    for n, i in enumerate(chosen):
        progress(0.9 + 0.1 * n / len(chosen), "scores")
        label, scores, _ = tried[i]
        polygons = polygons_of(atoms, label, scene.outline, stored)
        grids = _grids(scene, atoms, label, old, polygons)
        over = crossings(scene, polygons.tolist())
        candidates.append(Candidate(grids, replace(scores, crossings=over), tuple(notes)))
    order = best_first([candidate.scores for candidate in candidates])
    progress(1.0, "scores")
    return tuple(candidates[i] for i in order)


def _chosen(tried: list[Tried]) -> list[int]:
    """The best of every taste, then the best of every number of grids, each division once.

    Whatever has clearly fewer grids in range than the best is no choice to offer.
    """
    order = best_first([scores for _, scores, _ in tried])
    enough = tried[order[0]][1].in_range - WORSE
    seen: dict[bytes, int] = {}
    for i in (i for i in order if tried[i][1].in_range >= enough):
        seen.setdefault(tried[i][0].tobytes(), i)
    distinct = list(seen.values())
    chosen: dict[int, None] = {}
    for key in (lambda i: tried[i][2], lambda i: tried[i][1].grids):
        known: set[object] = set()
        for i in distinct:
            if key(i) not in known:
                known.add(key(i))
                chosen.setdefault(i)
    return list(chosen)[:MOST_CANDIDATES]


def _grids(
    scene: Scene, atoms: Atoms, label: NDArray[np.int64], old: NDArray[np.int64], polygons: NDArray[np.object_]
) -> tuple[Grid, ...]:
    sizes = np.bincount(label, atoms.households, minlength=len(polygons)).astype(int).tolist()
    codes = list(scene.grids)
    table = common(atoms, label, scene.households, old)
    matched = {new: codes[before] for new, before in match(table).items()}
    shapes: list[Area] = polygons.tolist()
    return tuple(Grid(matched.get(i, ""), shape, sizes[i]) for i, shape in enumerate(shapes))

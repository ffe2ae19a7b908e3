"""The atoms as a graph: what each weighs, which are neighbours, and what a border between them would cost."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pingji.geo.partitioning.atoms import Atoms

Neighbours = list[dict[int, int]]


@dataclass(frozen=True, slots=True)
class Taste:
    """What a metre of border costs on a road or water, on one of today's borders, and elsewhere."""

    name: str
    on_roads: int
    on_today: int
    elsewhere: int


TASTES = (Taste("roads", 1, 8, 12), Taste("compact", 3, 4, 4), Taste("today", 6, 1, 12))


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Neighbours and costs of every atom; a river without a bridge makes nobody neighbours."""

    households: NDArray[np.int64]
    neighbours: Neighbours


def graph_of(atoms: Atoms, taste: Taste) -> Graph:
    """The graph of atoms as one taste sees it."""
    borders = atoms.borders
    metres = np.where(
        borders.on_today,
        np.where(borders.on_roads, min(taste.on_roads, taste.on_today), taste.on_today),
        np.where(borders.on_roads, taste.on_roads, taste.elsewhere),
    )
    inner = np.flatnonzero(borders.inner)
    sides = np.sort(atoms.atom[borders.sides[inner]], axis=1)
    cost: dict[tuple[int, int], float] = defaultdict(float)
    dry: set[tuple[int, int]] = set()
    rows = zip(
        map(tuple, sides.tolist()), (metres * borders.length_m)[inner].tolist(), borders.barrier[inner], strict=True
    )
    for pair, price, barrier in rows:
        if pair[0] != pair[1]:
            cost[pair] += price
            if not barrier:
                dry.add(pair)
    neighbours: Neighbours = [{} for _ in atoms.households]
    for (a, b), price in sorted(cost.items()):
        if (a, b) in dry or (a, b) in atoms.bridged:
            neighbours[a][b] = neighbours[b][a] = max(1, round(price))
    return Graph(atoms.households, neighbours)


def components(neighbours: Neighbours, among: list[int]) -> list[list[int]]:
    """The connected parts of some atoms, each in the order of its numbers, the one with the lowest number first.

    Examples
    --------
    >>> components([{1: 1}, {0: 1}, {}], [0, 1, 2])
    [[0, 1], [2]]
    """
    left, found = set(among), []
    for start in among:
        if start not in left:
            continue
        left.remove(start)
        part, new = [start], [start]
        while new:
            for other in neighbours[new.pop()]:
                if other in left:
                    left.remove(other)
                    part.append(other)
                    new.append(other)
        found.append(sorted(part))
    return found

"""Atoms divided among grids: METIS finds the cut, and atoms on borders move until every grid has the right size."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pymetis
from numpy.typing import NDArray

from pingji.geo.partitioning.graph import Graph, Neighbours, components
from pingji.geo.partitioning.model import Note

SLACK = (
    0.7,
    0.3,
)  # of the way from the mean to `high` that METIS may use: much for good borders, little for even grids
_ROUNDS = 400  # moves of atoms before a division is given up as it is


@dataclass(frozen=True, slots=True)
class Part:
    """Atoms that hang together without a river between, and the numbers of grids they may be divided into."""

    atoms: tuple[int, ...]
    households: int
    counts: tuple[int, ...]


def parts_of(graph: Graph, low: int, high: int) -> tuple[list[Part], list[list[int]], list[Note]]:
    """What can be divided, what has no people and goes with a neighbour, and what cannot be as asked.

    Examples
    --------
    >>> graph = Graph(np.array([400, 400, 0, 100]), [{1: 1}, {0: 1}, {}, {}])
    >>> parts, empty, notes = parts_of(graph, 300, 500)
    >>> [(part.households, part.counts) for part in parts], empty, [note.key for note in notes]
    ([(800, (2,)), (100, (1,))], [[2]], ['cut_off'])
    """
    everything = components(graph.neighbours, list(range(len(graph.households))))
    total = int(graph.households.sum())
    found: list[Part] = []
    empty: list[list[int]] = []
    notes: list[Note] = []
    if total == 0:
        return [Part(tuple(range(len(graph.households))), 0, (1,))], [], [Note("nobody", {})]
    for atoms in everything:
        n = int(graph.households[atoms].sum())
        if n == 0:
            empty.append(atoms)
            continue
        counts = tuple(range(max(1, -(-n // high)), n // low + 1))
        if not counts:
            key = "no_number" if n > low else "too_few" if n == total else "cut_off"
            notes.append(Note(key, {"households": n, "low": low, "high": high}))
            few, many = max(1, n // low), -(-n // high)
            counts = (few,) if n <= low else (min((few, many), key=lambda k: max(n / k - high, low - n / k)),)
        found.append(Part(tuple(atoms), n, _middle(counts, n, (low + high) / 2)))
    crowded = graph.households[graph.households > high].tolist()
    notes += [Note("one_place", {"households": n, "high": high}) for n in crowded]
    return found, empty, notes


def _middle(counts: Sequence[int], households: int, wanted: float) -> tuple[int, ...]:
    """The three counts that bring grids nearest to the size in the middle, the nearest first."""
    return tuple(sorted(counts, key=lambda k: abs(households / k - wanted))[:3])


def divisions(graph: Graph, part: Part, seeds: Sequence[int], low: int, high: int) -> Iterator[NDArray[np.int64]]:
    """Ways to divide a part: the grid of each of its atoms, counted from 0 in the order of the atoms."""
    seen: set[bytes] = set()
    for count in part.counts:
        for slack in SLACK:
            for seed in seeds:
                label = divide(graph, part.atoms, count, seed, slack, low, high)
                if label.tobytes() not in seen:
                    seen.add(label.tobytes())
                    yield label
                if count == 1:
                    return


def divide(
    graph: Graph, atoms: Sequence[int], count: int, seed: int, slack: float, low: int, high: int
) -> NDArray[np.int64]:
    """Divide atoms that hang together among `count` grids.

    Parameters
    ----------
    graph : Graph
    atoms : sequence of int
    count : int
    seed : int
        The same seed divides alike.
    slack : float
        How far the largest grid may lie from the mean towards `high`, 0 to 1. METIS minds it, the repair after it not.
    low, high : int
        Households.

    Returns
    -------
    int64, shape (n_atoms,)
        Contiguous grids, counted from 0 in the order of their first atoms; fewer than `count` where atoms are few.

    Notes
    -----
    Source: G. Karypis and V. Kumar, "A fast and high quality multilevel scheme for partitioning irregular graphs",
    SIAM Journal on Scientific Computing 20 (1998), 359–392.
    """
    at = {atom: i for i, atom in enumerate(atoms)}
    near = [{at[b]: cost for b, cost in graph.neighbours[a].items() if b in at} for a in atoms]
    weights = graph.households[list(atoms)]
    count = min(count, len(atoms))
    label = np.zeros(len(atoms), dtype=np.int64)
    if count > 1:
        mean = max(weights.sum() / count, 1.0)
        loose = max(1, round(1000 * slack * max(high / mean - 1, 0.01)))
        label = _metis(near, weights, count, seed, loose)
        label = _contiguous(label, near, weights)
        label = _into_range(label, near, weights, low, high)
    order = np.unique(label, return_index=True)[1]
    ranks = np.argsort(np.argsort(order))
    return np.asarray(ranks[np.unique(label, return_inverse=True)[1].reshape(-1)], dtype=np.int64)


def _metis(near: Neighbours, weights: NDArray[np.int64], count: int, seed: int, loose: int) -> NDArray[np.int64]:
    starts = np.cumsum([0, *(len(n) for n in near)]).tolist()
    adjacency = pymetis.CSRAdjacency(starts, [b for n in near for b in n])
    options = pymetis.Options(seed=seed, ufactor=loose, contig=1, ncuts=2)
    _, label = pymetis.part_graph(
        count,
        adjacency,
        eweights=[cost for n in near for cost in n.values()],
        vweights=weights.tolist(),
        recursive=False,
        options=options,
    )
    return np.asarray(label, dtype=np.int64)


def _contiguous(label: NDArray[np.int64], near: Neighbours, weights: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pieces of a grid that lie apart go to the neighbour with the dearest common border; METIS leaves few."""
    label = label.copy()
    for grid in np.unique(label).tolist():
        pieces = components(near, np.flatnonzero(label == grid).tolist())
        pieces.sort(key=lambda piece: (-int(weights[piece].sum()), piece))
        for piece in pieces[1:]:
            costs: dict[int, int] = {}
            for a in piece:
                for b, cost in near[a].items():
                    if label[b] != grid:
                        costs[int(label[b])] = costs.get(int(label[b]), 0) + cost
            if costs:
                label[piece] = max(sorted(costs), key=lambda g: costs[g])
    return label


def _into_range(
    label: NDArray[np.int64], near: Neighbours, weights: NDArray[np.int64], low: int, high: int
) -> NDArray[np.int64]:
    """Move atoms over borders while that brings the sizes nearer to the range.

    Each move must lessen the households outside the range, or, at the same number, the sum of squares of the sizes: so
    a grid with too few is also filled by way of others. Of several the one whose border is cheapest is taken.
    """
    label = label.copy()
    sizes = np.bincount(label, weights).astype(np.int64)

    def outside(size: int) -> int:
        return max(low - size, 0) + max(size - high, 0)

    for _ in range(_ROUNDS):
        if not any(outside(int(size)) for size in sizes):
            break
        moves = []
        for a in range(len(label)):
            here, n = int(label[a]), int(weights[a])
            if n == 0:
                continue
            costs: dict[int, int] = {}
            for b, cost in near[a].items():
                costs[int(label[b])] = costs.get(int(label[b]), 0) + cost
            for there in costs:
                if there == here:
                    continue
                p, q = int(sizes[here]), int(sizes[there])
                better = outside(p - n) + outside(q + n) - outside(p) - outside(q)
                evener = 2 * n * (n + q - p)
                if (better, evener) < (0, 0):
                    moves.append((better, costs.get(here, 0) - costs[there], evener, a, there))
        for _, _, _, a, there in sorted(moves):
            rest = np.flatnonzero(label == label[a]).tolist()
            rest.remove(a)
            if rest and len(components(near, rest)) == 1:
                sizes[label[a]] -= weights[a]
                sizes[there] += weights[a]
                label[a] = there
                break
        else:
            break
    return label

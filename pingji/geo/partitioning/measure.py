"""Scores of a division, from the atoms: nothing has to be put together to know how good it is."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pingji.geo.partitioning.atoms import NOWHERE, Atoms
from pingji.geo.partitioning.model import Scores


def scores_of(
    atoms: Atoms, label: NDArray[np.int64], households: NDArray[np.int64], old: NDArray[np.int64], low: int, high: int
) -> Scores:
    """The scores of a division; crossings are counted on the finished polygons, and are 0 here.

    Parameters
    ----------
    atoms : Atoms
    label : int64, shape (n_atoms,)
        The grid of each atom.
    households : int64, shape (n_homes,)
        At each home of the scene.
    old : int64, shape (n_homes,)
        The place of today's grid of each home; `NOWHERE` where there is none.
    low, high : int
    """
    grids = int(label.max()) + 1
    sizes = np.bincount(label, atoms.households, minlength=grids)
    mean = max(float(sizes.mean()), 1.0)
    face = label[atoms.atom]
    sides, length = atoms.borders.sides, atoms.borders.length_m
    inner = atoms.borders.inner
    one, other = face[sides[:, 0]], face[sides[:, 1]]
    border = inner & (one != other)
    outer = border | ~inner
    perimeter = np.bincount(one[border], length[border], minlength=grids) + np.bincount(
        other[outer], length[outer], minlength=grids
    )
    area = np.bincount(face, atoms.area_m2, minlength=grids)
    total = float(length[border].sum())
    return Scores(
        in_range=float(((sizes >= low) & (sizes <= high)).mean()),
        grids=grids,
        balance=max(0.0, 1 - float(np.abs(sizes - sizes.mean()).max() / mean)),
        compactness=float(np.mean(4 * np.pi * area / perimeter**2)),
        on_roads=float(length[border & atoms.borders.on_roads].sum() / total) if total else 1.0,
        change=_change(atoms, label, households, old),
        crossings=0,
    )


def _change(atoms: Atoms, label: NDArray[np.int64], households: NDArray[np.int64], old: NDArray[np.int64]) -> float:
    inside = (atoms.home != NOWHERE) & (old != NOWHERE)
    everyone = int(households[inside].sum())
    if not everyone:
        return 0.0
    matched = match(common(atoms, label, households, old))
    new = label[atoms.home[inside]]
    stay = np.array([matched.get(int(g), NOWHERE) for g in range(int(label.max()) + 1)])[new] == old[inside]
    return float(1 - households[inside][stay].sum() / everyone)


def common(
    atoms: Atoms, label: NDArray[np.int64], households: NDArray[np.int64], old: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Households that each new grid has in common with each of today's, shape (n_new, n_old)."""
    inside = (atoms.home != NOWHERE) & (old != NOWHERE)
    table = np.zeros((int(label.max()) + 1, int(old.max(initial=-1)) + 1), dtype=np.int64)
    np.add.at(table, (label[atoms.home[inside]], old[inside]), households[inside])
    return table


def match(table: NDArray[np.int64]) -> dict[int, int]:
    """Which new grid continues which old one: the pair with most households in common first, then the next.

    Examples
    --------
    >>> match(np.array([[5, 0], [9, 4], [0, 0]]))
    {1: 0}
    """
    rows, columns = np.nonzero(table)
    order = sorted(zip((-table[rows, columns]).tolist(), rows.tolist(), columns.tolist(), strict=True))
    found: dict[int, int] = {}
    for _, new, before in order:
        if new not in found and before not in found.values():
            found[new] = before
    return found


def best_first(scores: Sequence[Scores]) -> list[int]:
    """The order of candidates by `Scores.rank`; equal ones as they come."""
    return sorted(range(len(scores)), key=lambda i: (scores[i].rank, i))

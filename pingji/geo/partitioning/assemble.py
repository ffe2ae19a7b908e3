"""Faces of one grid put together into its polygon, with the outline's vertices as they were."""

import numpy as np
import shapely
from numpy.typing import NDArray

from pingji.geo.arrays import points
from pingji.geo.coverage.planar import Area, Node, joined, nodes_of, rebuilt
from pingji.geo.partitioning.atoms import Atoms
from pingji.geo.partitioning.borders import OUTSIDE
from pingji.geo.partitioning.model import as_array
from pingji.geo.partitioning.pixels import Stored, as_stored, put_back

NEAR_DEG = 1e-8  # 1 mm


def polygons_of(atoms: Atoms, label: NDArray[np.int64], outline: Area, stored: Stored) -> NDArray[np.object_]:
    """The polygon of each grid of a division.

    Parameters
    ----------
    atoms : Atoms
    label : int64, shape (n_atoms,)
    outline : Polygon or MultiPolygon, EPSG:4490 lon/lat degrees
    stored : mapping of pixel to vertex
        Vertices of the outline, of today's grids, roads and rivers, put back to the byte.

    Returns
    -------
    array of Polygon or MultiPolygon, EPSG:4490 lon/lat degrees
        An exact coverage of the outline. The outline gets a new vertex only where a border of grids meets it: one that
        a road made would have to be made in the community on the other side as well.
    """
    face = label[atoms.atom]
    shapes = [as_stored(joined(atoms.faces[face == grid]), stored) for grid in range(int(label.max()) + 1)]
    spare = _spare(atoms, shapes, outline, stored)
    return as_array(_apart([_without(shape, spare) for shape in shapes], set(stored.values())))


def _apart(shapes: list[Area], kept: set[Node]) -> list[Area]:
    """Vertices that cuts left within a millimetre of another become that one: a coverage takes both for one place."""
    nodes = sorted(nodes_of(shapes))
    near = points(np.array(nodes, dtype=np.float64))
    one, other = shapely.STRtree(near).query(near, predicate="dwithin", distance=NEAR_DEG)
    into: dict[Node, Node] = {}
    for i, j in zip(one.tolist(), other.tolist(), strict=True):
        a, b = nodes[i], nodes[j]
        if i != j and a not in kept and a not in into.values() and b not in into:
            into.setdefault(a, b)
    if not into:
        return shapes

    def change(ring: NDArray[np.float64]) -> NDArray[np.float64]:
        moved = np.array([into.get(node, node) for node in map(tuple, ring.tolist())])
        again = np.append((moved[1:] == moved[:-1]).all(axis=1), False)
        return np.asarray(moved[~again])

    return [rebuilt(shape, change) if nodes_of([shape]) & into.keys() else shape for shape in shapes]


def _spare(atoms: Atoms, shapes: list[Area], outline: Area, stored: Stored) -> set[tuple[float, float]]:
    """Nodes on the outline that it did not have, and that only one grid has."""
    rim = atoms.borders.ends[atoms.borders.sides[:, 0] == OUTSIDE].reshape(-1, 2)
    new = set(map(tuple, put_back(rim, stored).tolist())) - nodes_of([outline])
    seen: set[tuple[float, float]] = set()
    twice: set[tuple[float, float]] = set()
    for shape in shapes:
        own = nodes_of([shape]) & new
        twice |= own & seen
        seen |= own
    return new - twice


def _without(shape: Area, spare: set[tuple[float, float]]) -> Area:
    if not spare & nodes_of([shape]):
        return shape

    def change(ring: NDArray[np.float64]) -> NDArray[np.float64]:
        kept = ring[[tuple(node) not in spare for node in ring[:-1].tolist()] + [False]]
        return np.concatenate([kept, kept[:1]]) if len(kept) else kept

    return rebuilt(shape, change)

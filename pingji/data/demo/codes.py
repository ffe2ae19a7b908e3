"""Codes of the demo county: grids numbered in their community, households in their grid, by one rule for all."""

import numpy as np
import shapely
from numpy.typing import NDArray

from pingji.data.demo.extracts import Place

Ints = NDArray[np.int64]


def grid_codes(shapes: NDArray[np.object_], community: Ints, places: list[Place]) -> list[str]:
    """Community code + 3 digits, from west to east and then from north to south.

    Examples
    --------
    >>> boxes = np.array([shapely.box(5, 0, 6, 1), shapely.box(0, 0, 1, 1)])
    >>> grid_codes(boxes, np.array([0, 0]), [Place("220221100001", "", "")])
    ['220221100001002', '220221100001001']
    """
    middle = shapely.get_coordinates(shapely.centroid(shapes))
    order = np.lexsort((-middle[:, 1], middle[:, 0], community))
    codes = [""] * len(shapes)
    number: dict[int, int] = {}
    for g in order.tolist():
        c = int(community[g])
        number[c] = number.get(c, 0) + 1
        codes[g] = f"{places[c].code}{number[c]:03d}"
    return codes


def within(parents: list[str], of: Ints, digits: int, prefix: str = "") -> list[str]:
    """Running codes within each parent, in the order given.

    Examples
    --------
    >>> within(["a", "b"], np.array([0, 1, 0]), 4)
    ['a0001', 'b0001', 'a0002']
    """
    counter = [0] * len(parents)
    codes = []
    for p in of.tolist():
        counter[p] += 1
        codes.append(f"{parents[p]}{prefix}{counter[p]:0{digits}d}")
    return codes

"""Town housing of the demo county: slabs in the blocks of a street net, and the households in them."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Slab:
    """A building of stairwell units with two homes a floor; `homes` are points in it, metres."""

    grid: int
    shape: shapely.Polygon
    units: int
    floors: int
    homes: Floats
    doors: list[str]


def _slots(rng: np.random.Generator, block: shapely.Polygon) -> list[tuple[Floats, Floats, Floats, float, float]]:
    """Room for slabs in a block: corner, directions along and across, length and depth."""
    corner = shapely.get_coordinates(shapely.oriented_envelope(block))[:4]
    p, q, r = corner[0], corner[1], corner[3]
    if abs(q[0] - p[0]) < abs(r[0] - p[0]):  # homes face south: slabs run the way that is more east-west
        q, r = r, q
    long, wide = float(np.hypot(*(q - p))), float(np.hypot(*(r - p)))
    along, across = (q - p) / long, (r - p) / wide
    inner = block.buffer(-9.0)
    slots = []
    y = 13.0
    while y + 13.0 < wide - 8.0:
        x = 13.0 + rng.uniform(0, 6)
        while x + 34.0 < long - 10.0:
            length = min(float(rng.uniform(38, 62)), long - 12.0 - x)
            start = p + along * x + across * y
            box = shapely.Polygon(
                [start, start + along * length, start + along * length + across * 12.0, start + across * 12.0]
            )
            if length > 24.0 and inner.contains(box):
                slots.append((start, along, across, length, 12.0))
            x += length + rng.uniform(9, 18)
        y += 12.0 + rng.uniform(20, 27)
    return slots


def house(
    rng: np.random.Generator, grid: int, blocks: NDArray[np.object_], count: int, height: tuple[int, int]
) -> list[Slab]:
    """Slabs for exactly `count` households in the blocks of a grid.

    Parameters
    ----------
    rng : Generator
    grid : int
        Index that the slabs carry.
    blocks : object, shape (n,)
        Block polygons, metres.
    count : int
    height : (int, int)
        Fewest and most floors; more where the blocks can't hold everybody otherwise.
    """
    slots = [s for b in blocks for s in _slots(rng, b)]
    order = rng.permutation(len(slots))
    units = np.array([2 if slots[k][3] < 48 else 3 for k in order])
    floors = rng.integers(height[0], height[1] + 1, len(order))
    while (units * floors * 2).sum() < count:
        floors = floors + 1
    slabs = []
    left = count
    for k, n_units, n_floors in zip(order, units.tolist(), floors.tolist(), strict=True):
        start, along, across, length, depth = slots[k]
        here = min(left, n_units * n_floors * 2)
        if here == 0 and rng.random() > 0.35:  # shops, offices: buildings without households
            continue
        home = np.arange(here)
        unit, floor, side = home % n_units, home // (n_units * 2), (home // n_units) % 2
        x = (unit + 0.27 + 0.46 * side) / n_units * length
        y = depth * (0.2 + 0.6 * (floor + 0.5) / max(n_floors, 1))
        box = np.array([start, start + along * length, start + along * length + across * depth, start + across * depth])
        doors = [
            f"{u + 1}单元{f + 1}0{s + 1}" for u, f, s in zip(unit.tolist(), floor.tolist(), side.tolist(), strict=True)
        ]
        homes = start + x[:, None] * along + y[:, None] * across
        slabs.append(Slab(grid, shapely.Polygon(box), n_units, n_floors, homes, doors))
        left -= here
    return slabs

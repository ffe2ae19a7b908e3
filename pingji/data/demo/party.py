"""The sponsor tree of the demo county: centre households of a grid, their Party members, and whom these look after."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Sponsors:
    """Indices of households: centres, members (with their centre), and links (member → household)."""

    centre: Ints
    member: Ints
    member_centre: Ints
    link_member: Ints
    link_household: Ints


def sponsor(rng: np.random.Generator, grid: Ints) -> Sponsors:
    """1–3 centres a grid, 3–10 members a centre, 10–30 neighbouring households a member.

    Some households are left without a member, as on the ground: gaps in the tree are a thing to be seen.
    """
    centres: list[int] = []
    members: list[int] = []
    of: list[int] = []
    link_member: list[int] = []
    link_household: list[int] = []
    for g in np.unique(grid):
        homes = np.flatnonzero(grid == g)
        most = len(homes) // 13
        for _ in range(min(int(rng.integers(1, 4)), max(most // 3, 1))):
            number = len(centres)
            count = min(int(rng.integers(3, 8)), max(most // 3, 3))
            centres.append(int(homes[rng.integers(0, len(homes))]))
            for _ in range(count):
                size = int(rng.integers(10, 25))
                start = int(rng.integers(0, max(len(homes) - size, 1)))
                link_member += [len(members)] * min(size, len(homes))
                link_household += homes[start : start + size].tolist()
                members.append(int(homes[min(start + size // 2, len(homes) - 1)]))
                of.append(number)
    centre = np.array(centres)
    # One household is a centre once; the next free one takes a second turn.
    seen: set[int] = set()
    for k, h in enumerate(centre.tolist()):
        while h in seen:
            h = h + 1 if h + 1 < len(grid) and grid[h + 1] == grid[h] else h - 3
        seen.add(h)
        centre[k] = h
    return Sponsors(centre, np.array(members), np.array(of), np.array(link_member), np.array(link_household))

"""Street nets of the towns: blocks, the communities and grids they are gathered into, and the streets between them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from pingji.data.demo.extracts import Frame, Place
from pingji.data.demo.sites import CAPITAL, SEATS, TOWN_BLOCKS

Floats = NDArray[np.float64]
Node = tuple[int, int]

# The embanked straight of the 温德河 through 口前镇, along which its streets are laid.
_EMBANKED = ((126.4870, 43.6590), (126.5275, 43.6712))
_BANK_M = 48.0
GRIDS = {"岔路河社区": 4, "万昌镇社区": 3, "双河镇社区": 2, "一拉溪社区": 2, "北大湖社区": 2}
_CAPITAL_GRIDS = 8


@dataclass(frozen=True)
class Street:
    """One side of a block, between two crossings of the net; plan metres."""

    nodes: tuple[Node, Node]
    line: shapely.LineString
    road: bool
    number: str


@dataclass(frozen=True)
class Town:
    """A town's street net in plan metres.

    Attributes
    ----------
    blocks : object, shape (n,)
        Polygons.
    bank : bool, shape (n,)
        Strips along the river, not built on.
    community, grid : int64, shape (n,)
        Index into `communities`, and grid number within it, of each block.
    """

    township: str
    communities: list[Place]
    blocks: NDArray[np.object_]
    bank: NDArray[np.bool_]
    community: NDArray[np.int64]
    grid: NDArray[np.int64]
    streets: list[Street]
    nodes: dict[Node, Floats]

    @property
    def shape(self) -> shapely.Polygon:
        """The town's footprint."""
        whole: Any = shapely.coverage_union_all(self.blocks)
        return shapely.Polygon(whole.exterior)


def _split(
    index: NDArray[np.int64], uv: Floats, line: NDArray[np.int64], weight: Floats, parts: int
) -> list[NDArray[np.int64]]:
    """Blocks cut again and again along a street into `parts` groups of about equal weight."""
    if parts == 1 or len(index) < 2:
        return [index]
    first = parts // 2
    best: tuple[float, NDArray[np.bool_]] | None = None
    spread = np.ptp(uv[index], axis=0)
    for axis in (0, 1):
        for cut in np.unique(line[index, axis])[1:]:
            low = line[index, axis] < cut
            share = weight[index][low].sum() / weight[index].sum()
            cost = abs(share - first / parts) + 0.22 * float(spread[axis] < spread[1 - axis])
            if low.sum() >= first and (~low).sum() >= parts - first and (best is None or cost < best[0]):
                best = (cost, low)
    assert best is not None, "fewer blocks than grids"
    low = best[1]
    return _split(index[low], uv, line, weight, first) + _split(index[~low], uv, line, weight, parts - first)


def lay_streets(rng: np.random.Generator, township: str, communities: list[Place]) -> Town:
    """The street net of one town around its seat."""
    across, deep, degrees = TOWN_BLOCKS[township]
    seat = Frame.metres(np.array([SEATS[township]]))[0]
    turn = np.radians(degrees)
    us = np.concatenate([[0.0], np.cumsum(rng.uniform(125, 200, across))])
    vs = np.concatenate([[0.0], np.cumsum(rng.uniform(105, 180, deep))])
    us, vs = us - us[-1] / 2, vs - vs[-1] / 2
    river_row = -1
    if township == CAPITAL:
        ends = Frame.metres(np.array(_EMBANKED))
        turn = float(np.arctan2(*(ends[1] - ends[0])[::-1]))
        normal = np.array([-np.sin(turn), np.cos(turn)])
        river = float((ends[0] - seat) @ normal)
        vs = np.sort(np.concatenate([vs[np.abs(vs - river) > _BANK_M + 70.0], river + np.array([-1, 0, 1]) * _BANK_M]))
        river_row = int(np.argmin(np.abs(vs - river)))
    axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    net = {(i, j): seat + np.array([u, v]) @ axes for i, u in enumerate(us) for j, v in enumerate(vs)}

    cells = np.array([(i, j) for i in range(len(us) - 1) for j in range(len(vs) - 1)])
    uv = np.column_stack([(us[cells[:, 0]] + us[cells[:, 0] + 1]) / 2, (vs[cells[:, 1]] + vs[cells[:, 1] + 1]) / 2])
    bearing = np.arctan2(uv[:, 1] / vs[-1], uv[:, 0] / us[-1])
    ragged = 1.0 + 0.10 * np.sin(3 * bearing + rng.uniform(0, 6)) + 0.07 * np.sin(7 * bearing + rng.uniform(0, 6))
    keep = (np.abs(uv / [us[-1], -vs[0]]) ** 2.6).sum(axis=1) < ragged
    cells, uv = cells[keep], uv[keep]
    blocks = np.array([shapely.Polygon([net[i, j], net[i + 1, j], net[i + 1, j + 1], net[i, j + 1]]) for i, j in cells])
    bank = np.isin(cells[:, 1], (river_row - 1, river_row)) if river_row >= 0 else np.zeros(len(cells), dtype=bool)

    weight = np.where(bank, 0.05, 1.0)
    everything = np.arange(len(cells))
    if river_row >= 0:
        south = cells[:, 1] < river_row
        parts = int(np.clip(round(len(communities) * weight[south].sum() / weight.sum()), 1, len(communities) - 1))
        groups = _split(everything[south], uv, cells, weight, parts)
        groups += _split(everything[~south], uv, cells, weight, len(communities) - parts)
    else:
        groups = _split(everything, uv, cells, weight, len(communities))
    community, grid = np.zeros(len(cells), dtype=np.int64), np.zeros(len(cells), dtype=np.int64)
    for c, group in enumerate(groups):
        community[group] = c
        wanted = _CAPITAL_GRIDS if township == CAPITAL else GRIDS.get(communities[c].name, 1)
        for g, part in enumerate(_split(group, uv, cells, weight, wanted)):
            grid[part] = g
    return Town(township, communities, blocks, bank, community, grid, _streets(cells, net, river_row), net)


def _streets(cells: NDArray[np.int64], net: dict[Node, Floats], river_row: int) -> list[Street]:
    """The sides of all blocks; the river itself and most places where a street would cross it are no roads."""
    sides: dict[tuple[Node, Node], bool] = {}
    for i, j in cells.tolist():
        strip = river_row >= 0 and j in (river_row - 1, river_row)
        for side, along in (
            (((i, j), (i + 1, j)), True),
            (((i, j + 1), (i + 1, j + 1)), True),
            (((i, j), (i, j + 1)), False),
            (((i + 1, j), (i + 1, j + 1)), False),
        ):
            wet = side[0][1] == river_row if along else strip and side[0][0] % 4 != 2
            sides[side] = not wet
    return [
        Street(
            side,
            shapely.LineString([net[side[0]], net[side[1]]]),
            road,
            f"横{side[0][1] + 1}" if side[0][1] == side[1][1] else f"纵{side[0][0] + 1}",
        )
        for side, road in sorted(sides.items())
    ]

"""Which grid each point lies in, as `data.derive` has it: on a border, the grid whose code comes first."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from pingji.geo.coverage import Coverage

Shapes = NDArray[np.object_]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """Points by grid: `at` holds positions in `codes`, -1 for a point that lies in none."""

    codes: tuple[str, ...]
    at: Ints


def first_of(shapes: Shapes, points: Shapes) -> Ints:
    """Position of the polygon that each point lies in or on, the first of several, -1 for none.

    Examples
    --------
    >>> boxes = np.array([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)])
    >>> first_of(boxes, shapely.points([(1, 0.5), (1.5, 0.5), (5, 5)])).tolist()
    [0, 1, -1]
    """
    found = np.full(len(points), -1, dtype=np.int64)
    if len(points) and len(shapes):
        polygon, point = shapely.STRtree(points).query(shapes, predicate="intersects")
        order = np.argsort(-polygon, kind="stable")
        found[point[order]] = polygon[order]  # a later one overwrites: the lowest position stays
    return found


def placed(coverage: Coverage, points: Shapes) -> Placement:
    """The grid of each point."""
    codes = tuple(sorted(coverage.codes))
    return Placement(codes, first_of(coverage.shapes(codes), points))


def placed_again(before: Placement, coverage: Coverage, changed: Sequence[str], points: Shapes) -> Placement:
    """The grid of each point after some grids changed, began or ended; looks only at the points that these concern."""
    codes = tuple(sorted(coverage.codes))
    position = {code: i for i, code in enumerate(codes)}
    moved = np.array([position.get(code, -1) for code in before.codes] + [-1], dtype=np.int64)
    at = moved[before.at]
    gone = {code for code in changed if code in before.codes}
    concerned = np.isin(before.at, [i for i, code in enumerate(before.codes) if code in gone])
    now = coverage.shapes(code for code in changed if code in coverage)
    if len(now) and len(points):
        concerned[shapely.STRtree(points).query(now, predicate="intersects")[1]] = True
    some = np.flatnonzero(concerned)
    if len(some):
        near = sorted(coverage.near(shapely.MultiPoint(points[some].tolist())))
        again = np.array([*(position[code] for code in near), -1], dtype=np.int64)
        at[some] = again[first_of(coverage.shapes(near), points[some])]
    return Placement(codes, at)

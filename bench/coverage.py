"""The kernel of the grid workbench: what a check, a repair and one edit cost, beside GEOS alone and beside overlay."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from bench.figures import Figure, ms, percentile
from bench.setting import Setting
from pingji.geo.coverage import Coverage, Edit, find_problems, merge, move_vertex, repair, reshape, split
from tests.coverages import tiling

SIDES, QUICK = (100, 316), (40,)
SHIFT_DEG = np.array([1.5e-5, 1.0e-5])  # about 1.6 m
FEW, MANY, EDIT_S = 18, 316, 0.050


def rows(setting: Setting, quick: bool) -> Iterator[Figure]:
    for side in QUICK if quick else SIDES:
        yield from _validate(side)
    for side in QUICK if quick else SIDES:
        yield _repair(side)
    yield from _edits(FEW, QUICK[0] if quick else MANY)


def _validate(side: int) -> Iterator[Figure]:
    cells = tiling(side, 10)
    outline = shapely.coverage_union_all(cells)
    for name, shapes in (("sound", cells), ("1 % shifted", _shifted(cells))):
        rounds = [
            (_took(lambda: shapely.coverage_is_valid(shapes)), _took(lambda: find_problems(shapes, outline)))  # noqa: B023
            for _ in range(3)
        ]
        alone, ours = (min(taken) for taken in zip(*rounds, strict=True))
        overlay = _took(lambda: _overlay(shapes)) if side <= 100 else None  # noqa: B023
        yield Figure(
            f"validate {len(cells):,} polygons, gaps, overlaps and outline, {name}",
            f"{ms(ours)}, {ours / alone:.2f} × GEOS" + (f", overlay {overlay / ours:.0f} × slower" if overlay else ""),
            "≤ 1.3 × GEOS's validity test alone, overlay ≥ 12 × slower" if name == "sound" else "",
            f"coverage_is_valid alone {ms(alone)}" + (f", overlay of all pairs {ms(overlay)}" if overlay else ""),
            (ours <= 1.3 * alone and (overlay is None or overlay >= 12 * ours)) if name == "sound" else None,
        )


def _repair(side: int) -> Figure:
    cells = tiling(side, 10)
    shapes, outline = _shifted(cells), shapely.coverage_union_all(cells)
    clean: Any = shapely.coverage_clean
    alone = _took(lambda: clean(shapes, gap_width=5e-5))
    county = Coverage.of([str(i) for i in range(len(shapes))], shapes)
    began = time.perf_counter()
    done = repair(county, None, outline)
    ours = time.perf_counter() - began
    sound = not find_problems(county.apply(done.edit).polygons, outline)
    moved = sum(done.edit.gained_m2.values())
    return Figure(
        f"repair {len(cells):,} polygons, 1 % shifted, with who gained what",
        f"{ms(ours)}, {ours / alone:.2f} × clean",
        "≤ 1.2 × coverage_clean alone, nothing left wrong",
        f"coverage_clean alone {ms(alone)}",
        ours <= 1.2 * alone and sound and not done.left,
        f"{len(done.edit.gained_m2):,} polygons gained {moved:,.0f} m²",
    )


def _edits(few: int, many: int) -> Iterator[Figure]:
    work = [_each(Coverage.of([str(i) for i in range(side**2)], tiling(side, 10)), side) for side in (few, many)]
    for kind in work[0]:
        rounds = [[_took(one[kind]) for one in work] for _ in range(31)]  # by turns: the machine's mood hits both
        small, large = (percentile(taken, 0.5) for taken in zip(*rounds, strict=True))
        yield Figure(
            f"{kind}, applied and proved, among {few**2:,} and {many**2:,} grids",
            f"{ms(small)} and {ms(large)}, ratio {large / small:.2f}",
            f"≤ {ms(EDIT_S)}, ratio ≤ 1.3 (or 0.5 ms)",
            met=large <= EDIT_S and large <= max(1.3 * small, small + 0.0005),
        )


def _each(county: Coverage, side: int) -> dict[str, Callable[[], Coverage]]:
    """Every kind of edit of a grid in the middle, done once so that the index is there."""
    code = side // 2 * side + side // 2
    ring = shapely.get_coordinates(county[str(code)])
    _, south, _, north = county[str(code)].bounds
    inner = county[str(code)].centroid
    x = inner.x
    across = shapely.LineString([(x, south - 1e-3), (x, north + 1e-3)])
    bulge = shapely.LineString([ring[12], ((ring[15][0] + inner.x) / 2, ring[15][1]), ring[18]])
    at = (float(ring[0][0]), float(ring[0][1]))
    edits: dict[str, Callable[[], Edit]] = {
        "split": lambda: split(county, str(code), across, ["new"]),
        "merge": lambda: merge(county, [str(code), str(code + 1)]),
        "reshape": lambda: reshape(county, bulge),
        "move a vertex of four grids": lambda: move_vertex(county, at, (at[0] + 1e-4, at[1] + 1e-4)),
    }
    work = {kind: partial(_applied, county, edit) for kind, edit in edits.items()}
    for one in work.values():
        one()
    return work


def _applied(county: Coverage, edit: Callable[[], Edit]) -> Coverage:
    return county.apply(edit())


def _overlay(shapes: NDArray[np.object_]) -> int:
    """The peer: every pair that touches is intersected, and all are united to find the holes."""
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    once = left < right
    common = shapely.intersection(shapes[left[once]], shapes[right[once]])
    holes = shapely.get_num_interior_rings(shapely.get_parts(shapely.union_all(shapes)))
    return int((shapely.area(common) > 0).sum() + holes.sum())


def _shifted(cells: NDArray[np.object_]) -> NDArray[np.object_]:
    """One polygon in a hundred lies beside its place."""
    shapes = cells.copy()
    which = np.random.default_rng(3).choice(len(cells), max(1, len(cells) // 100), replace=False)
    shapes[which] = shapely.transform(shapes[which], lambda xy: xy + SHIFT_DEG)
    return shapes


def _took(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began

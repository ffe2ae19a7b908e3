"""What is wrong with the grids of some communities, and which of it a draft has brought."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from pingji.data.grids.figures import Figures, figures_of, homes_in
from pingji.data.grids.ground import Ground
from pingji.data.grids.stored import array_of
from pingji.geo.coverage import Coverage, CoverageProblem, find_problems
from pingji.geo.coverage.measure import width_m
from pingji.geo.coverage.settle import place
from pingji.geo.crs import to_metric
from pingji.ops.grids import FEWEST, MOST, light

SLIVER_M = 1.0  # no grid is narrower
CUT_M = 0.2  # mean width from which a border cuts a building: below, a wall was drawn twice
REPAIR_M = 2.0
_SHOWN = 200  # households that one problem lists

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """One thing that is wrong.

    Attributes
    ----------
    kind : str
        Of `CoverageProblem`, or building_cut, household_outside, too_few, too_many.
    codes : tuple of str
        Grids that it concerns.
    params : mapping
        What its text needs.
    geometry : geometry or None, EPSG:4490 lon/lat degrees
    repair : mapping or None
        The intent that mends it.
    new : bool
        It was not there before the draft.
    """

    kind: str
    severity: Severity
    codes: tuple[str, ...]
    lonlat: tuple[float, float] | None
    geometry: BaseGeometry | None
    area_m2: float = 0.0
    params: Mapping[str, Any] = field(default_factory=dict)
    repair: Mapping[str, Any] | None = None
    new: bool = False

    @property
    def id(self) -> str:
        """The same for the same problem at the same place."""
        where = "" if self.lonlat is None else f"{self.lonlat[0]:.7f},{self.lonlat[1]:.7f}"
        return f"{self.kind}:{'+'.join(self.codes)}:{self.params.get('building', '')}:{where}"


def problems_of(ground: Ground, figures: Mapping[str, Figures] | None = None) -> list[Problem]:
    """Everything that is wrong in the draft: first what must not be, then what should not be.

    Parameters
    ----------
    ground : Ground
    figures : mapping of code to Figures, optional
        Those of the draft, where they are known already.
    """
    known = figures if figures is not None else figures_of(ground)
    found: list[Problem] = []
    for community in ground.communities:
        found += _coverage_problems(ground, community)
    found += _buildings_cut(ground)
    found += _households_outside(ground)
    found += _sizes(ground, known)
    return sorted(found, key=lambda problem: problem.severity)


def cut_buildings(ground: Ground, codes: Sequence[str], coverage: Coverage) -> dict[str, dict[str, float]]:
    """Buildings of which several grids have a part worth the name: building → grid → m²; only near `codes`."""
    shapes = coverage.shapes(codes)
    buildings = ground.buildings
    if not len(shapes) or not len(buildings.codes):
        return {}
    grid, building = shapely.STRtree(buildings.shapes).query(shapes, predicate="intersects")
    inside = np.zeros(len(grid), dtype=bool)
    several = np.bincount(building, minlength=len(buildings.codes))[building] > 1
    look = several & ~inside
    grid, building = grid[look], building[look]
    if not len(grid):
        return {}
    pieces = shapely.intersection(shapes[grid], buildings.shapes[building])
    metric = to_metric(np.asarray(pieces, dtype=object), coverage.crs)
    wide = width_m(np.asarray(pieces, dtype=object), coverage.crs) > CUT_M
    parts: dict[str, dict[str, float]] = {}
    for g, b, area in zip(grid[wide].tolist(), building[wide].tolist(), shapely.area(metric[wide]), strict=True):
        parts.setdefault(buildings.codes[b], {})[codes[g]] = float(area)
    return {code: shares for code, shares in parts.items() if len(shares) > 1}


def _coverage_problems(ground: Ground, community: str) -> list[Problem]:
    now = _raw(ground, community, ground.coverage)
    if not now:
        return []
    before = [] if ground.coverage is ground.published else _raw(ground, community, ground.published)
    published = ground.coverage is ground.published
    return [
        replace(problem, new=not published and not any(_same_place(problem, old) for old in before)) for problem in now
    ]


def _raw(ground: Ground, community: str, coverage: Coverage) -> list[Problem]:
    codes = [code for code in ground.own(coverage) if coverage.community(code) == community]
    found = find_problems(coverage.shapes(codes), ground.outlines[community], sliver_m=SLIVER_M)
    return [_problem(problem, codes, coverage) for problem in found]


def _problem(found: CoverageProblem, codes: Sequence[str], coverage: Coverage) -> Problem:
    repair = None
    if found.kind in ("gap", "overlap", "sliver", "outside_parent", "invalid"):
        repair = {"kind": "repair", "gap_m": REPAIR_M, "overlap_m": REPAIR_M}
    width = 0.0 if found.geometry.is_empty else float(width_m(array_of([found.geometry]), coverage.crs)[0])
    where = None if found.geometry.is_empty else place(found.geometry)
    named = tuple(codes[i] for i in found.members)
    shape = None if found.geometry.is_empty else found.geometry
    params = {"area_m2": round(found.area_m2, 1), "width_m": round(width, 2)}
    return Problem(found.kind, "error", named, where, shape, found.area_m2, params, repair)


def _same_place(one: Problem, other: Problem) -> bool:
    if one.kind != other.kind:
        return False
    if one.geometry is None or other.geometry is None:
        return one.codes == other.codes
    return bool(shapely.intersects(one.geometry, other.geometry))


def _buildings_cut(ground: Ground) -> list[Problem]:
    own = ground.own()
    cut = cut_buildings(ground, own, ground.coverage)
    if not cut:
        return []
    old_codes = ground.own(ground.published)
    old = cut if ground.coverage is ground.published else cut_buildings(ground, old_codes, ground.published)
    shape_of = dict(zip(ground.buildings.codes, ground.buildings.shapes, strict=True))
    found = []
    for building, shares in sorted(cut.items()):
        one_home = len({ground.coverage.community(code) for code in shares}) == 1
        most = max(sorted(shares), key=lambda code: shares[code])
        repair = {"kind": "give", "to": most, "building": building} if one_home else None
        area = sum(shares.values()) - shares[most]
        shape = shape_of[building]
        params = {"building": building, "to": most, "area_m2": round(area, 1)}
        codes = tuple(sorted(shares))
        found.append(
            Problem("building_cut", "error", codes, place(shape), shape, area, params, repair, building not in old)
        )
    return found


def _households_outside(ground: Ground) -> list[Problem]:
    found = []
    now = _homeless(ground, ground.coverage)
    before = now if ground.coverage is ground.published else _homeless(ground, ground.published)
    for community, at in now.items():
        points = ground.people.points[at[:_SHOWN]]
        where = (round(float(points[0].x), 7), round(float(points[0].y), 7))
        params = {"n": len(at), "household": ground.people.codes[at[0]], "community": ground.names[community]}
        new = len(at) > len(before.get(community, ()))
        shape = shapely.MultiPoint(points.tolist())
        found.append(Problem("household_outside", "error", (), where, shape, 0.0, params, None, new))
    return found


def _homeless(ground: Ground, coverage: Coverage) -> dict[str, list[int]]:
    """Households that belong to a community, by name or by place, and lie in no grid; positions by community."""
    people = ground.people
    lost = np.flatnonzero(homes_in(people, coverage.polygons) < 0)
    found: dict[str, list[int]] = {}
    for i in lost.tolist():
        for community, outline in ground.outlines.items():
            if people.communities[i] == community or outline.covers(people.points[i]):
                found.setdefault(community, []).append(i)
                break
    return found


def _sizes(ground: Ground, figures: Mapping[str, Figures]) -> list[Problem]:
    changed = ground.coverage is not ground.published
    before = figures_of(ground, ground.published) if changed else figures
    found = []
    for code, figure in figures.items():
        size = light(figure.households)
        if size not in ("few", "many"):
            continue
        kind = f"too_{size}"
        new = changed and (code not in before or light(before[code].households) != size)
        params = {"households": figure.households, "fewest": FEWEST, "most": MOST}
        shape = ground.coverage[code]
        where = place(shape) if shape.is_valid else None
        found.append(Problem(kind, "warning", (code,), where, None, figure.area_m2, params, None, new))
    return found

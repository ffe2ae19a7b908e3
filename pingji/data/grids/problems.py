"""What is wrong with the grids of some communities, and which of it a draft has brought."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from pingji.data.grids.figures import Figures, figures_of
from pingji.data.grids.ground import Ground
from pingji.data.grids.placing import Shapes
from pingji.data.grids.stored import array_of
from pingji.geo.coverage import Coverage, CoverageProblem, cut_buildings, find_problems
from pingji.geo.coverage.measure import width_m
from pingji.geo.coverage.settle import place
from pingji.ops.grids import FEWEST, MOST, light

SLIVER_M = 1.0  # no grid is narrower
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


def cut_near(ground: Ground, coverage: Coverage, codes: Sequence[str]) -> dict[str, dict[str, float]]:
    """Buildings that lie in several of some grids, one after the other what each grid has: building → grid → m²."""
    buildings = ground.buildings
    if not len(codes) or not len(buildings.codes):
        return {}
    shapes = coverage.shapes(codes)
    sound = np.flatnonzero(shapely.is_valid(shapes))
    codes, shapes = [codes[i] for i in sound.tolist()], shapes[sound]
    shapely.prepare(shapes)  # most buildings lie inside one grid: asked this way round, that is soon known
    hit = shapely.STRtree(buildings.shapes).query(shapes, predicate="intersects")[1]
    several = np.flatnonzero(np.bincount(hit, minlength=len(buildings.codes)) > 1)
    return {
        buildings.codes[several[i]]: {codes[at]: m2 for at, m2 in parts}
        for i, parts in cut_buildings(shapes, buildings.shapes[several])
    }


def _coverage_problems(ground: Ground, community: str) -> list[Problem]:
    now = _raw(ground, community, ground.coverage)
    if not now or not ground.changed:
        return now
    before = _raw(ground, community, ground.published)
    return [replace(problem, new=not any(_same_place(problem, old) for old in before)) for problem in now]


def _raw(ground: Ground, community: str, coverage: Coverage) -> list[Problem]:
    codes = [code for code in ground.own(coverage) if coverage.community(code) == community]
    found = find_problems(coverage.shapes(codes), ground.outlines[community], sliver_m=SLIVER_M)
    return [_problem(problem, codes, coverage) for problem in found]


def _problem(found: CoverageProblem, codes: Sequence[str], coverage: Coverage) -> Problem:
    repair = None
    if found.kind in ("gap", "overlap", "sliver", "outside_parent", "invalid"):
        repair = {"kind": "repair", "gap_m": REPAIR_M, "overlap_m": REPAIR_M}
    width = 0.0 if found.geometry.is_empty else float(width_m(array_of([found.geometry]))[0])
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
    found = []
    for community in ground.communities:
        own = [code for code in ground.own() if ground.coverage.community(code) == community]
        cut = cut_near(ground, ground.coverage, own)
        before = _cut_before(ground, community, cut)
        for building, shares in sorted(cut.items()):
            shape = ground.buildings.shapes[ground.buildings.position[building]]
            most, *others = shares
            rest = sum(shares[code] for code in others)
            params = {"building": building, "to": most, "area_m2": round(rest, 1)}
            repair = {"kind": "give", "to": most, "building": building}
            codes, new = tuple(sorted(shares)), building not in before
            found.append(Problem("building_cut", "error", codes, place(shape), shape, rest, params, repair, new))
    return found


def _cut_before(ground: Ground, community: str, cut: Mapping[str, Mapping[str, float]]) -> set[str]:
    """Those of the buildings that the published borders cut as well."""
    changed = set(ground.changed)
    touched = [building for building, shares in cut.items() if changed & shares.keys()]
    before = set(cut) - set(touched)  # the same grids have them
    if touched:
        shapes = ground.buildings.shapes[[ground.buildings.position[building] for building in touched]]
        near = ground.published.near(shapely.union_all(shapely.envelope(shapes)))
        own = [code for code in near if ground.published.community(code) == community]
        before |= cut_near(ground, ground.published, own).keys() & set(touched)
    return before


def _households_outside(ground: Ground) -> list[Problem]:
    found = []
    people = ground.people
    before = _homeless(ground, ground.published) if ground.changed else {}
    for community, at in _homeless(ground, ground.coverage).items():
        new = bool(ground.changed) and not set(at) <= set(before.get(community, ()))
        points = people.points[at[:_SHOWN]]
        where = (round(float(points[0].x), 7), round(float(points[0].y), 7))
        params = {"n": len(at), "household": people.codes[at[0]], "community": ground.names[community]}
        shape = shapely.MultiPoint(points.tolist())
        found.append(Problem("household_outside", "error", (), where, shape, 0.0, params, None, new))
    return found


def _homeless(ground: Ground, coverage: Coverage) -> dict[str, list[int]]:
    """Households that belong to a community, by name or by place, and lie in no grid; positions by community."""
    people, (homes, _) = ground.people, ground.placed(coverage)
    lost = np.flatnonzero(homes.at < 0)
    found: dict[str, list[int]] = {}
    taken: set[int] = set()
    for community, outline in ground.outlines.items():
        shapely.prepare(outline)
        inside = shapely.covers(outline, people.points[lost])
        named = [people.communities[i] == community for i in lost.tolist()]
        mine = [i for i in lost[inside | np.array(named, dtype=bool)].tolist() if i not in taken]
        taken.update(mine)
        if mine:
            found[community] = mine
    return found


def _sizes(ground: Ground, figures: Mapping[str, Figures]) -> list[Problem]:
    changed = bool(ground.changed)
    before = figures_of(ground, ground.published) if changed else figures
    sizes = {code: light(figure.households) for code, figure in figures.items()}
    odd = [code for code, size in sizes.items() if size in ("few", "many")]
    found = []
    for code, where in zip(odd, _middles(ground.coverage.shapes(odd)), strict=True):
        figure = figures[code]
        new = changed and (code not in before or light(before[code].households) != sizes[code])
        params = {"households": figure.households, "fewest": FEWEST, "most": MOST}
        found.append(Problem(f"too_{sizes[code]}", "warning", (code,), where, None, figure.area_m2, params, None, new))
    return found


def _middles(shapes: Shapes) -> list[tuple[float, float]]:
    """A point inside each shape: the centre where it is inside, which is known far sooner than any other."""
    if not len(shapes):
        return []
    middle = shapely.get_coordinates(shapely.centroid(shapes))
    outside = np.flatnonzero(~shapely.contains_xy(shapes, middle))
    middle[outside] = shapely.get_coordinates(shapely.point_on_surface(shapes[outside]))
    return [(x, y) for x, y in middle.round(7).tolist()]

"""Figures of grids: ground, households, residents and party households, by points in polygons."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import shapely

from pingji.data.grids.ground import Ground, Ints, People, Shapes
from pingji.data.grids.stored import array_of
from pingji.geo.coverage import Coverage
from pingji.geo.coverage.measure import ground_m2
from pingji.geo.coverage.planar import Area
from pingji.ops.grids import light


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one grid, or of several together; `in_range` of `grids` have the households that one should have."""

    area_m2: float = 0.0
    households: int = 0
    residents: int = 0
    party_households: int = 0
    grids: int = 0
    in_range: int = 0


def figures_of(ground: Ground, coverage: Coverage | None = None) -> dict[str, Figures]:
    """Figures of every grid of the communities, in the draft unless another state of the same ground is given.

    Notes
    -----
    A point on a border goes to the grid whose code comes first, as `data.derive` has it; the grids around are asked
    as well, since the border may be a community's.
    """
    found = coverage if coverage is not None else ground.coverage
    codes = sorted(found.codes)
    own = [code for code in codes if found.community(code) in ground.names]
    return _figures(ground, codes, found.shapes(codes), own)


def figures_of_shapes(ground: Ground, shapes: Mapping[str, Area]) -> dict[str, Figures]:
    """Figures of polygons that are no grids yet, by whatever they are called."""
    codes = sorted(shapes)
    return _figures(ground, codes, array_of(shapes[code] for code in codes), codes)


def total_of(figures: Iterable[Figures]) -> Figures:
    """Several grids together.

    >>> one = Figures(10.0, 300, 900, 3, 1, 1)
    >>> total_of([one, one]).households
    600
    """
    found = list(figures)
    return Figures(
        sum(f.area_m2 for f in found),
        sum(f.households for f in found),
        sum(f.residents for f in found),
        sum(f.party_households for f in found),
        sum(f.grids for f in found),
        sum(f.in_range for f in found),
    )


def homes_in(people: People, shapes: Shapes) -> Ints:
    """Position of the polygon that each household lies in, the first of several, -1 for none."""
    return first_of(shapes, people.points)


def first_of(shapes: Shapes, points: Shapes) -> Ints:
    """Position of the polygon that each point lies in or on, the first of several, -1 for none."""
    found = np.full(len(points), -1, dtype=np.int64)
    if len(points) and len(shapes):
        point, polygon = shapely.STRtree(shapes).query(points, predicate="intersects")
        order = np.argsort(-polygon, kind="stable")
        found[point[order]] = polygon[order]  # a later one overwrites: the lowest position stays
    return found


def _figures(ground: Ground, codes: list[str], shapes: Shapes, wanted: list[str]) -> dict[str, Figures]:
    people, n = ground.people, len(codes)
    home, party = homes_in(people, shapes), first_of(shapes, people.party)
    inside = home >= 0
    households = np.bincount(home[inside], minlength=n).tolist()
    residents = np.bincount(home[inside], weights=people.residents[inside], minlength=n).astype(np.int64).tolist()
    members = np.bincount(party[party >= 0], minlength=n).tolist()
    position = {code: i for i, code in enumerate(codes)}
    at = [position[code] for code in wanted]
    areas = ground_m2(shapes[at], ground.coverage.crs).tolist() if at else []
    return {
        code: Figures(area, households[i], residents[i], members[i], 1, int(light(households[i]) == "ok"))
        for code, i, area in zip(wanted, at, areas, strict=True)
    }

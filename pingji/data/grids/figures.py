"""Figures of grids: ground, households, residents and party households, by points in polygons."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from pyproj import CRS

from pingji.data.grids.ground import Ground
from pingji.data.grids.placing import Ints, Shapes, first_of
from pingji.data.grids.stored import array_of
from pingji.geo.coverage import Coverage
from pingji.geo.coverage.planar import Area
from pingji.geo.crs import to_metric
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
    homes, party = ground.placed(found)
    every = _figures(
        homes.codes, found.shapes(homes.codes), homes.at, party.at, ground.people.residents, ground.coverage.crs
    )
    return {code: figures for code, figures in every.items() if found.community(code) in ground.names}


def figures_of_shapes(ground: Ground, shapes: Mapping[str, Area]) -> dict[str, Figures]:
    """Figures of polygons that are no grids yet, by whatever they are called."""
    codes = sorted(shapes)
    given, people = array_of(shapes[code] for code in codes), ground.people
    homes, party = first_of(given, people.points), first_of(given, people.party)
    return _figures(codes, given, homes, party, people.residents, ground.coverage.crs)


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


def _figures(
    codes: Sequence[str], shapes: Shapes, homes: Ints, party: Ints, residents: Ints, crs: CRS
) -> dict[str, Figures]:
    """Figures of polygons of which the points are known; `homes` and `party` hold positions in `codes`."""
    n, inside = len(codes), homes >= 0
    households = np.bincount(homes[inside], minlength=n).tolist()
    people = np.bincount(homes[inside], weights=residents[inside], minlength=n).astype(np.int64).tolist()
    members = np.bincount(party[party >= 0], minlength=n).tolist()
    areas = shapely.area(to_metric(shapes, crs)).tolist() if n else []
    return {
        code: Figures(areas[i], households[i], people[i], members[i], 1, int(light(households[i]) == "ok"))
        for i, code in enumerate(codes)
    }

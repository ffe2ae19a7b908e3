"""The land of the demo county before anybody lives there: rivers, roads, towns, borders."""

from dataclasses import dataclass

import numpy as np
import shapely

from pingji.data.demo import borders, extracts, rivers, roads, sites, towns
from pingji.data.demo.extracts import Frame, Place


@dataclass(frozen=True)
class Land:
    """Everything in metres and as it really runs.

    Attributes
    ----------
    area : Polygon
        The county.
    townships : list of Place
    rivers : list of River
    courses : list of LineString
        The rivers' lines, inside the county.
    roads : list of Road
    towns : list of Town
    division : Division
    """

    area: shapely.Polygon
    townships: list[Place]
    rivers: list[rivers.River]
    courses: list[shapely.Geometry]
    roads: list[roads.Road]
    towns: list[towns.Town]
    division: borders.Division


def shape_land(rng: np.random.Generator) -> Land:
    """Draw the plan, then bend it."""
    area: shapely.Polygon = shapely.transform(extracts.outline(), Frame.metres)
    townships, villages = extracts.places()
    calm = [(Frame.metres(np.array([sites.SEATS[c]]))[0], sites.reach(c)) for c in sites.TOWN_BLOCKS]
    names = [f"{v.name[:-1]}沟（示范）" for v in villages if not v.urban and len(v.name) <= 4]
    flowing = rivers.draw(rng, area, calm, [names[k] for k in rng.permutation(len(names))])
    plan_lines = shapely.union_all([shapely.linestrings(r.line) for r in flowing])
    mains = shapely.union_all([shapely.linestrings(r.line) for r in flowing if r.main])
    placed = sites.lay_out(rng, area, villages, plan_lines)
    netted = {
        c: towns.lay_streets(rng, c, [v for v in villages if v.township == c and v.urban]) for c in sites.TOWN_BLOCKS
    }
    between = roads.connect(placed, netted, area, mains)
    division = borders.divide(area, placed, list(netted.values()), flowing, between)
    courses = [_longest(borders.bend_line(shapely.linestrings(r.line)).intersection(area)) for r in flowing]
    return Land(area, townships, flowing, courses, between, list(netted.values()), division)


def _longest(line: shapely.Geometry) -> shapely.Geometry:
    longest: shapely.Geometry = max(shapely.get_parts(line), key=lambda part: float(part.length))
    return longest

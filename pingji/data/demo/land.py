"""The land of the demo county before anybody lives there: rivers, roads, towns, borders."""

from dataclasses import dataclass, replace

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
    courses: list[shapely.LineString]
    roads: list[roads.Road]
    towns: list[towns.Town]
    division: borders.Division


def shape_land(rng: np.random.Generator) -> Land:
    """Draw the plan, then bend it."""
    area: shapely.Polygon = shapely.transform(extracts.outline(), Frame.metres)
    townships, villages = extracts.places()
    calm = [(Frame.metres(np.array([sites.SEATS[c]]))[0], sites.reach(c)) for c in sites.TOWN_BLOCKS]
    flowing = rivers.draw(rng, area, calm)
    plan_lines = shapely.union_all([shapely.LineString(r.line) for r in flowing])
    mains = shapely.union_all([shapely.LineString(r.line) for r in flowing if r.main])
    placed = sites.lay_out(rng, area, villages, plan_lines)
    flowing = _name_streams(flowing, placed)
    netted = {
        c: towns.lay_streets(rng, c, [v for v in villages if v.township == c and v.urban]) for c in sites.TOWN_BLOCKS
    }
    between = roads.connect(placed, netted, area, mains)
    division = borders.divide(area, placed, list(netted.values()), flowing, between)
    courses = [_longest(borders.bend_line(shapely.LineString(r.line)).intersection(area)) for r in flowing]
    return Land(area, townships, flowing, courses, between, list(netted.values()), division)


def _name_streams(flowing: list[rivers.River], placed: sites.Sites) -> list[rivers.River]:
    """Streams called after the village nearest to their middle that has none yet."""
    free = {k: v.name[:-1].rstrip("沟河") for k, v in enumerate(placed.villages) if len(v.name) <= 4}
    named = []
    for river in flowing:
        if not river.main:
            middle = river.line[len(river.line) // 2]
            nearest = min(free, key=lambda k: float(np.hypot(*(placed.village_xy[k] - middle))))
            stem = free[nearest]
            free = {k: name for k, name in free.items() if name != stem}
            river = replace(river, name=f"{stem}沟（示范）")
        named.append(river)
    return named


def _longest(line: shapely.Geometry) -> shapely.LineString:
    longest: shapely.LineString = max(shapely.get_parts(line), key=lambda part: float(part.length))
    return longest

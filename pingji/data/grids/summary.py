"""Communities to choose from: how many grids and households each has, by the columns that are derived already."""

from dataclasses import dataclass

import shapely
from sqlalchemy import Connection, and_, case, func, select

from pingji.data.features import wkb
from pingji.data.tables import LAYER_TABLES, area
from pingji.ops.grids import FEWEST, MOST


@dataclass(frozen=True, slots=True)
class CommunitySummary:
    """A community in a list; `bounds` in EPSG:4490 lon/lat degrees."""

    code: str
    name: str
    township: str
    township_name: str
    grids: int
    in_range: int
    households: int
    bounds: tuple[float, float, float, float]


def community_summaries(conn: Connection, county: str) -> list[CommunitySummary]:
    """All communities of a county in the order of their codes."""
    communities, grids = LAYER_TABLES["communities"], LAYER_TABLES["grids"]
    c, g = communities.c, grids.c
    fits = case((and_(g.household_count >= FEWEST, g.household_count <= MOST), 1), else_=0)
    sums = select(g.community, func.count(), func.sum(fits), func.sum(g.household_count))
    counted = {row[0]: row[1:] for row in conn.execute(sums.where(g.county == county).group_by(g.community))}
    names = select(area.c.code, area.c.name).where(area.c.county == county)
    townships = {row.code: row.name for row in conn.execute(names)}
    query = select(c.code, c.name, c.township, wkb(conn, communities)).where(c.county == county).order_by(c.code)
    found = []
    for code, name, township, blob in conn.execute(query):
        n, in_range, households = counted.get(code, (0, 0, 0))
        west, south, east, north = shapely.from_wkb(bytes(blob)).bounds
        called = townships.get(township, "")
        box = (west, south, east, north)
        found.append(CommunitySummary(code, name, township, called, n, int(in_range), int(households), box))
    return found

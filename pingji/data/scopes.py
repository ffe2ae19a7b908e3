"""Scopes: the county, townships, communities, danger zones and grids that figures are asked for."""

from dataclasses import dataclass

from sqlalchemy import Connection, literal, select, union_all

from pingji.data.tables import LAYER_TABLES, area

COUNTY, TOWNSHIP, COMMUNITY, ZONE, GRID = "county", "township", "community", "zone", "grid"
SWITCHABLE = (COUNTY, TOWNSHIP, COMMUNITY)


@dataclass(frozen=True, slots=True)
class Scope:
    """A named area. `county` is filled for all; `township` and `community` where the area lies in one."""

    county: str
    code: str
    level: str
    name: str
    township: str = ""
    community: str = ""

    def contains(self, other: "Scope") -> bool:
        """Whether the other scope lies inside this one (or is it)."""
        if self.level == COUNTY:
            return True
        if self.level == TOWNSHIP:
            return self.code == other.township
        return self.code in (other.code, other.community)


def scopes_of(conn: Connection, county: str, code: str | None = None) -> list[Scope]:
    """All scopes of a county, widest first; only the one with the code where it is given."""
    communities, zones, grids = (LAYER_TABLES[n] for n in ("communities", "danger_zones", "grids"))
    a, c, z, g = area.c, communities.c, zones.c, grids.c
    parent = select(c.township).where(c.county == g.county, c.code == g.community).scalar_subquery()
    parts = [
        select(a.code, a.level, a.name, literal(""), literal("")).where(a.county == county),
        select(c.code, literal(COMMUNITY), c.name, c.township, c.code).where(c.county == county),
        select(z.code, literal(ZONE), z.name, z.township, z.community).where(z.county == county),
        select(g.code, literal(GRID), g.name, parent, g.community).where(g.county == county),
    ]
    if code is not None:
        parts = [part.where(table.code == code) for part, table in zip(parts, (a, c, z, g), strict=True)]
    scopes = []
    for scope_code, level, name, township, community in conn.execute(union_all(*parts)):
        inside = scope_code if level == TOWNSHIP else township or ""
        scopes.append(Scope(county, scope_code, level, name, inside, community or ""))
    order = (COUNTY, TOWNSHIP, COMMUNITY, ZONE, GRID)
    return sorted(scopes, key=lambda s: (order.index(s.level), s.code))


def find_scope(conn: Connection, county: str, code: str) -> Scope | None:
    """The scope of a code, or None; a twelve-digit township code may end in its zeros."""
    found = scopes_of(conn, county, code) or (scopes_of(conn, county, code[:9]) if code.endswith("000") else [])
    return found[0] if found else None

"""The places that the organisation stands on, and which of them a list is about."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from sqlalchemy import ColumnElement, Connection, Table, and_, false, or_, select, true

from pingji.data.scopes import COUNTY, GRID, TOWNSHIP, Scope
from pingji.data.sql import among
from pingji.data.tables import LAYER_TABLES, area
from pingji.ops.access import Area
from pingji.ops.mode import UnknownScope
from pingji.ops.organisation.kinds import Level

EVERYWHERE = Area(whole=True)


@dataclass(frozen=True)
class Reach:
    """The places that a list is about: those of an area that lie in a scope."""

    whole: bool
    townships: frozenset[str] = frozenset()
    communities: frozenset[str] = frozenset()
    grids: frozenset[str] = frozenset()

    @property
    def nothing(self) -> bool:
        """Whether no place is meant at all."""
        return self == Reach(False)

    def holds(self, township: str, community: str, grid: str) -> bool:
        """Whether something that carries these codes is meant; the narrowest that it has decides."""
        if self.whole:
            return True
        if grid:
            return grid in self.grids
        return community in self.communities if community else township in self.townships

    def where(self, conn: Connection, table: Table) -> ColumnElement[bool]:
        """The same as SQL, for a table whose columns say where its rows are."""
        if self.whole:
            return true()
        c = table.c
        township = c["township"].in_(sorted(self.townships)) if "township" in c else false()
        own = {"communities": "community", "grids": "grid"}.get(table.name)
        community = c["code"] if own == "community" else c["community"]
        inside = or_(and_(community == "", township), and_(community != "", among(conn, community, self.communities)))
        if own == "community":
            return inside
        grid = c["code"] if own == "grid" else c["grid"]
        return or_(among(conn, grid, self.grids), and_(grid == "", inside))


@dataclass(frozen=True)
class Ground:
    """Names of a county's places by code, and what lies in what."""

    county: str
    county_name: str
    townships: dict[str, str] = field(default_factory=dict)
    communities: dict[str, tuple[str, str]] = field(default_factory=dict)  # code: (name, township)
    grids: dict[str, tuple[str, str]] = field(default_factory=dict)  # code: (name, community)

    def township_of(self, community: str) -> str:
        """The township of a community, empty where nobody knows."""
        return self.communities.get(community, ("", ""))[1]

    def level_of(self, code: str) -> Level | None:
        """What kind of place a code names, down to the grid."""
        if code == self.county:
            return Level.COUNTY
        known = ((Level.TOWNSHIP, self.townships), (Level.COMMUNITY, self.communities), (Level.GRID, self.grids))
        return next((level for level, codes in known if code in codes), None)

    def name_of(self, code: str) -> str:
        """The name of a place, empty where there is none of this code."""
        if code == self.county:
            return self.county_name
        if code in self.townships:
            return self.townships[code]
        return (self.communities.get(code) or self.grids.get(code) or ("", ""))[0]

    def placing(self, code: str) -> tuple[str, str, str]:
        """Township, community and grid of a place."""
        if code in self.townships:
            return code, "", ""
        if code in self.communities:
            return self.communities[code][1], code, ""
        if code in self.grids:
            community = self.grids[code][1]
            return self.township_of(community), community, code
        return "", "", ""

    def scope(self, code: str | None) -> Scope:
        """The county, or the township, community or grid of a code; a town's code may end in its zeros.

        Raises
        ------
        UnknownScope
        """
        if not code:
            return Scope(self.county, self.county, COUNTY, self.county_name)
        for known in (code, code[:9] if code.endswith("000") else code):
            level = self.level_of(known)
            if level is not None:
                township, community, _ = self.placing(known)
                return Scope(self.county, known, level.value, self.name_of(known), township, community)
        raise UnknownScope(scope=code)

    def reach(self, inside: Area, scope: Scope | None = None) -> Reach:
        """What of an area lies in a scope."""
        level, code = (scope.level, scope.code) if scope else (COUNTY, self.county)
        if inside.whole and level == COUNTY:
            return Reach(True)
        return Reach(
            False,
            frozenset(t for t in self.townships if (level == COUNTY or code == t) and inside.holds(township=t)),
            frozenset(
                c
                for c, (_, t) in self.communities.items()
                if (level == COUNTY or code in ((t, c) if level != GRID else ()))
                and inside.holds(township=t, community=c)
            ),
            frozenset(
                g
                for g, (_, c) in self.grids.items()
                if (level == COUNTY or code in (self.township_of(c), c, g))
                and inside.holds(township=self.township_of(c), community=c, grid=g)
            ),
        )

    @cached_property
    def communities_of(self) -> dict[str, list[str]]:
        """Codes of communities by township."""
        return _grouped((t, c) for c, (_, t) in self.communities.items())

    @cached_property
    def grids_of(self) -> dict[str, list[str]]:
        """Codes of grids by community."""
        return _grouped((c, g) for g, (_, c) in self.grids.items())


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, value in sorted(pairs):
        found.setdefault(key, []).append(value)
    return found


def load_ground(conn: Connection, county: str) -> Ground:
    """The places of a county."""
    a, c, g = area.c, LAYER_TABLES["communities"].c, LAYER_TABLES["grids"].c
    areas = conn.execute(select(a.code, a.name, a.level).where(a.county == county).order_by(a.code)).all()
    communities = conn.execute(select(c.code, c.name, c.township).where(c.county == county).order_by(c.code))
    grids = conn.execute(select(g.code, g.name, g.community).where(g.county == county).order_by(g.code))
    return Ground(
        county,
        next((row.name for row in areas if row.code == county), ""),
        {row.code: row.name for row in areas if row.level == TOWNSHIP},
        {code: (name, township) for code, name, township in communities},
        {code: (name, community) for code, name, community in grids},
    )

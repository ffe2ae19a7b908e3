"""Areas in the store: which codes a grant covers, and which rows lie in an area."""

from collections.abc import Collection, Mapping

from sqlalchemy import ColumnElement, Connection, Table, and_, false, or_, select, true

from pingji.data.places import places_named
from pingji.data.rows import VISITOR
from pingji.data.scopes import GRID, Scope
from pingji.data.sql import among
from pingji.data.tables import LAYER_TABLES, area
from pingji.data.tables import movement as log
from pingji.ops.access import EVERYWHERE, Area
from pingji.ops.movement import Movement

_PLACES = ("transfer_points", "shelters")
_SENT_TO = ("transfer_point", "shelter")  # columns that say where somebody is to go
PLACING = ("code", "township", "community", "grid", *_SENT_TO)  # columns of a row that say where it belongs


def area_of(conn: Connection, county: str, scopes: Collection[str]) -> Area:
    """The area that some scopes cover in a county; codes of other counties, and codes of nothing, cover nothing."""
    if not {EVERYWHERE, county}.isdisjoint(scopes):
        return Area(whole=True)
    named = sorted(scopes)
    communities, grids = LAYER_TABLES["communities"], LAYER_TABLES["grids"]
    a, c = area.c, communities.c
    of_level = select(a.code).where(a.county == county, a.level == "township", a.code.in_(named))
    townships = frozenset(conn.scalars(of_level))
    inside = or_(c.code.in_(named), c.township.in_(sorted(townships)))
    return Area(
        townships=townships,
        communities=frozenset(conn.scalars(select(c.code).where(c.county == county, inside))),
        grids=_known(conn, grids, county, named),
        places=frozenset().union(*(_known(conn, LAYER_TABLES[name], county, named) for name in _PLACES)),
    )


def _known(conn: Connection, table: Table, county: str, codes: list[str]) -> frozenset[str]:
    return frozenset(conn.scalars(select(table.c.code).where(table.c.county == county, table.c.code.in_(codes))))


def holds(inside: Area, scope: Scope) -> bool:
    """Whether a whole scope lies in an area."""
    own = {"community": scope.community, "grid": scope.code if scope.level == GRID else ""}
    return inside.holds(township=scope.township, **own)


def bound(table: Table) -> bool:
    """Whether rows of a layer belong to somebody's area at all: rivers and roads belong to everybody's."""
    return table.name in ("communities", "area") or not {"township", "community", "grid"}.isdisjoint(table.c.keys())


def lies_in(table: Table, inside: Area) -> ColumnElement[bool]:
    """The rows of a layer that lie in an area: `Area.holds` as SQL, and the same as `holds_row`."""
    if inside.whole or not bound(table):
        return true()
    c = table.c
    by_township: ColumnElement[bool] = false()
    if "township" in c:
        by_township = c.township.in_(sorted(inside.townships))
    by_community: ColumnElement[bool] = false()
    if table.name == "communities":
        by_community = c.code.in_(sorted(inside.communities))
    elif "community" in c:
        by_community = c.community.in_(sorted(inside.communities))
        by_township = and_(c.community == "", by_township)
    parts = [by_community, by_township]
    if table.name == "grids":
        parts.append(c.code.in_(sorted(inside.grids)))
    elif "grid" in c:
        parts.append(c.grid.in_(sorted(inside.grids)))
    if table.name in _PLACES:
        parts.append(c.code.in_(sorted(inside.places)))
    parts += [c[name].in_(sorted(inside.places)) for name in _SENT_TO if name in c]
    return or_(*parts)


def holds_row(layer: str, row: Mapping[str, object], inside: Area) -> bool:
    """Whether a row of a layer lies in an area, by its columns of `PLACING`."""
    if inside.whole:
        return True
    code = str(row.get("code", ""))
    places = [str(row[name]) for name in _SENT_TO if row.get(name)]
    return inside.holds(
        township=str(row.get("township") or ""),
        community=code if layer == "communities" else str(row.get("community") or ""),
        grid=code if layer == "grids" else str(row.get("grid") or ""),
        places=[*places, code] if layer in _PLACES else places,
    )


def households_outside(conn: Connection, county: str, codes: Collection[str], inside: Area) -> list[str]:
    """Those of these households and institutions that do not lie in an area; codes of nothing are outside too."""
    if inside.whole:
        return []
    known: set[str] = set()
    for table in (LAYER_TABLES["households"], LAYER_TABLES["institutions"]):
        query = select(table.c.code).where(table.c.county == county, among(conn, table.c.code, codes))
        known.update(conn.scalars(query.where(lies_in(table, inside))))
    return sorted(set(codes) - known)


def movements_outside(conn: Connection, county: str, movements: Collection[Movement], inside: Area) -> set[str]:
    """The ids of those movements that are not for this area to make.

    A statement at a place is the place's business, whoever arrives there; any other is that of the household's area.
    A correction is whose the corrected statement was, too.
    """
    if inside.whole:
        return set()
    corrected = {m.supersedes for m in movements if m.supersedes}
    c = log.c
    query = select(c.id, c.place, c.person, c.household).where(c.county == county, among(conn, c.id, corrected))
    earlier = {row.id: row for row in conn.execute(query)} if corrected else {}
    said = [(m.place, _household(m.person, m.household)) for m in movements]
    said += [(row.place, _household(row.person, row.household)) for row in earlier.values()]
    homes = {household for _, household in said if household}
    strange = set(households_outside(conn, county, sorted(homes), inside))
    places = places_named(conn, county, {place for place, _ in said if place})
    own = {
        code
        for code, place in places.items()
        if inside.holds(township=place.township, community=place.community, places=[code])
    }

    def outside(place: str, person: str, household: str) -> bool:
        if place:
            return place not in own
        home = _household(person, household)
        return not home or home in strange

    found = set()
    for m in movements:
        before = earlier.get(m.supersedes)
        bare = m.supersedes and not (m.place or m.person or m.household)  # takes back, and says nothing else
        if (not bare and outside(m.place, m.person, m.household)) or (
            before is not None and outside(before.place, before.person, before.household)
        ):
            found.add(m.id)
    return found


def _household(person: str, household: str) -> str:
    """The household that a statement is about; a visitor has none."""
    return household or ("" if person.startswith(f"{VISITOR}:") else person.rpartition("-")[0])

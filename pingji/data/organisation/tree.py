"""The tree of units, a level at a time: places, and what hangs on them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, func, select

from pingji.data.organisation.ground import Ground, Reach
from pingji.data.organisation.posts import Which, standing
from pingji.data.sql import among
from pingji.data.tables import LAYER_TABLES, org_unit
from pingji.ops.organisation.errors import UnknownUnit
from pingji.ops.organisation.kinds import Level, UnitKind
from pingji.ops.organisation.post import Unit

_COLUMNS = ("code", "name", "kind", "level", "place", "parent", "township", "community", "grid")
_PLACE_KIND = {Level.STAIRWELL: UnitKind.STAIRWELL}


@dataclass(frozen=True, slots=True)
class Node:
    """A unit with how much hangs on it."""

    unit: Unit
    children: int
    posts: int
    vacant: int


def tops(conn: Connection, ground: Ground, reach: Reach) -> list[Node]:
    """Where a caller's tree begins: the county, or the widest places that the caller may see."""
    if reach.whole:
        return nodes(conn, ground, [_place(ground, ground.county)], reach)
    communities = [c for c in reach.communities if ground.township_of(c) not in reach.townships]
    grids = [g for g in reach.grids if ground.grids[g][1] not in reach.communities]
    codes = [*sorted(reach.townships), *sorted(communities), *sorted(grids)]
    return nodes(conn, ground, [_place(ground, code) for code in codes], reach)


def below(conn: Connection, ground: Ground, reach: Reach, parent: str) -> list[Node]:
    """The units that hang on one.

    Raises
    ------
    UnknownUnit
    """
    unit = unit_of(conn, ground, parent)
    stored = _stored(conn, ground, org_unit.c.parent == parent)
    places = [place for place in _places_below(conn, ground, unit) if place.code not in {s.code for s in stored}]
    return nodes(conn, ground, [u for u in (*stored, *places) if _holds(reach, u)], reach)


def unit_of(conn: Connection, ground: Ground, code: str) -> Unit:
    """A unit by its code: one of a place, or one of its own.

    Raises
    ------
    UnknownUnit
    """
    stored = _stored(conn, ground, org_unit.c.code == code)
    if stored:
        return stored[0]
    if ground.level_of(code) is not None:
        return _place(ground, code)
    building, _, n = code.rpartition("-")
    if building and n.isascii() and n.isdigit():
        home = _buildings(conn, ground, LAYER_TABLES["buildings"].c.code == building)
        if home and 1 <= int(n) <= home[0][1]:
            return _stairwell(home[0][0], int(n))
    found = _buildings(conn, ground, LAYER_TABLES["buildings"].c.code == code)
    if not found:
        raise UnknownUnit(unit=code)
    return found[0][0]


def find_unit(conn: Connection, ground: Ground, code: str) -> Unit | None:
    """A unit by its code, or None."""
    try:
        return unit_of(conn, ground, code)
    except UnknownUnit:
        return None


def units_named(conn: Connection, ground: Ground, codes: Iterable[str]) -> dict[str, str]:
    """Names of units by code, for lists of posts."""
    wanted = set(codes)
    names = {code: ground.name_of(code) for code in wanted}
    c = org_unit.c
    query = select(c.code, c.name).where(c.county == ground.county, among(conn, c.code, wanted), c.name != "")
    names.update({row[0]: row[1] for row in conn.execute(query)})
    left = {code for code, name in names.items() if not name}
    homes = {code.rpartition("-")[0] or code: code for code in left}
    b = LAYER_TABLES["buildings"].c
    buildings = {*left, *homes}
    known: dict[str, str] = {}
    if buildings:
        query = select(b.code, b.name).where(b.county == ground.county, among(conn, b.code, buildings))
        known = {row[0]: row[1] for row in conn.execute(query)}
    for code in left:
        home, _, n = code.rpartition("-")
        names[code] = known.get(code) or (f"{known.get(home, home)}-{n}" if home in known else code)
    return names


def path_of(conn: Connection, ground: Ground, unit: Unit) -> list[Unit]:
    """A unit and all those above it, from the top."""
    path = [unit]
    while path[0].parent and len(path) < len(Level):
        path.insert(0, unit_of(conn, ground, path[0].parent))
    return path


def departments(conn: Connection, ground: Ground) -> list[Unit]:
    """The departments of a county, by code."""
    return _stored(conn, ground, org_unit.c.level == Level.DEPARTMENT.value)


def _holds(reach: Reach, unit: Unit) -> bool:
    return reach.holds(unit.township, unit.community, unit.grid)


def _stored(conn: Connection, ground: Ground, where: ColumnElement[bool]) -> list[Unit]:
    c = org_unit.c
    query = select(*(c[name] for name in _COLUMNS)).where(c.county == ground.county, where).order_by(c.code)
    found = []
    for code, name, kind, level, place, parent, township, community, grid in conn.execute(query):
        shown = name or ground.name_of(code) or code
        found.append(Unit(code, shown, UnitKind(kind), Level(level), place, parent, township, community, grid))
    return sorted(found, key=lambda u: (u.level is not Level.COMMUNITY, u.code))


def _place(ground: Ground, code: str) -> Unit:
    level = ground.level_of(code)
    assert level is not None, code
    township, community, grid = ground.placing(code)
    above = {Level.TOWNSHIP: ground.county, Level.COMMUNITY: township or ground.county, Level.GRID: community}
    name = ground.name_of(code) or code
    return Unit(code, name, UnitKind.PLACE, level, code, above.get(level, ""), township, community, grid)


def _places_below(conn: Connection, ground: Ground, unit: Unit) -> list[Unit]:
    """The places that lie directly in the place of a unit, and hang on nothing else."""
    if unit.level is Level.COUNTY:
        return [_place(ground, code) for code in ground.townships]
    if unit.level is Level.TOWNSHIP:
        return [_place(ground, code) for code in ground.communities_of.get(unit.code, ())]
    if unit.level is Level.COMMUNITY and unit.kind is not UnitKind.JOINT_COMMITTEE:
        own = ground.grids_of.get(unit.code, [])
        moved = {u.code for u in _stored(conn, ground, among(conn, org_unit.c.code, own)) if u.parent != unit.code}
        return [_place(ground, code) for code in own if code not in moved]
    if unit.level is Level.GRID:
        b = LAYER_TABLES["buildings"].c
        return [home for home, _ in _buildings(conn, ground, b.grid == unit.code)]
    if unit.level is Level.BUILDING:
        b = LAYER_TABLES["buildings"].c
        for home, stairwells in _buildings(conn, ground, b.code == unit.code):
            return [_stairwell(home, n) for n in range(1, stairwells + 1)] if stairwells > 1 else []
    return []


def _buildings(conn: Connection, ground: Ground, where: ColumnElement[bool]) -> list[tuple[Unit, int]]:
    """Buildings that are no houses, each with its stairwells."""
    b = LAYER_TABLES["buildings"].c
    query = select(b.code, b.name, b.community, b.grid, b.units).where(b.county == ground.county, b.units != 1, where)
    found = []
    for code, name, community, grid, stairwells in conn.execute(query.order_by(b.code)):
        township = ground.township_of(community)
        unit = Unit(code, name or code, UnitKind.PLACE, Level.BUILDING, code, grid, township, community, grid)
        found.append((unit, int(stairwells)))
    return found


def _stairwell(home: Unit, n: int) -> Unit:
    code = f"{home.code}-{n}"
    placed = (home.township, home.community, home.grid)
    return Unit(code, f"{home.name}-{n}", UnitKind.STAIRWELL, Level.STAIRWELL, code, home.code, *placed)


def nodes(conn: Connection, ground: Ground, units: list[Unit], reach: Reach) -> list[Node]:
    """Units with their counts."""
    posts = standing(conn, ground, Which(Reach(True), units=[unit.code for unit in units]))
    held = Counter(post.unit for post in posts)
    vacant = Counter(post.unit for post in posts if post.vacant)
    children = _children(conn, ground, units, reach)
    return [Node(unit, children.get(unit.code, 0), held[unit.code], vacant[unit.code]) for unit in units]


def _children(conn: Connection, ground: Ground, units: list[Unit], reach: Reach) -> dict[str, int]:
    codes = [unit.code for unit in units]
    c, b = org_unit.c, LAYER_TABLES["buildings"].c
    stored = _stored(conn, ground, among(conn, c.parent, codes))
    found = Counter(unit.parent for unit in stored if _holds(reach, unit))
    own = {unit.code for unit in stored}
    homes = [unit.code for unit in units if unit.level in (Level.GRID, Level.BUILDING)]
    inside: dict[str, int] = {}
    if homes:
        by_grid = select(b.grid, func.count()).where(
            b.county == ground.county, b.units != 1, among(conn, b.grid, homes)
        )
        inside = {row[0]: row[1] for row in conn.execute(by_grid.group_by(b.grid))}
        wells = select(b.code, b.units).where(b.county == ground.county, b.units > 1, among(conn, b.code, homes))
        inside |= {code: int(n) for code, n in conn.execute(wells)}
    for unit in units:
        if unit.level in (Level.GRID, Level.BUILDING):
            # Units of their own among the buildings are the same buildings, named.
            found[unit.code] = max(found[unit.code], inside.get(unit.code, 0))
        elif unit.level in (Level.COUNTY, Level.TOWNSHIP, Level.COMMUNITY):
            places = _places_below(conn, ground, unit)
            found[unit.code] += sum(_holds(reach, place) for place in places if place.code not in own)
    return dict(found)

"""Which communities are held: people are being counted on their grids, in an emergency or in an exercise."""

from sqlalchemy import Connection, select

from pingji.data.operations import operations_of
from pingji.data.scopes import COMMUNITY, COUNTY, TOWNSHIP, Scope
from pingji.data.tables import LAYER_TABLES, area, change_set, past_grids
from pingji.ops.change_set import Status


def held_scopes(conn: Connection, county: str) -> list[tuple[str, str, bool]]:
    """What `ops.change_set.require_quiet` asks for.

    Returns
    -------
    list of (name, community, exercise)
        The scope of each open operation, once for each community that it covers.
    """
    open_now = [o for o in operations_of(conn, county) if o.is_open]
    if not open_now:
        return []
    scopes = scopes_of_operations(conn, county)
    covered = {o.scope: covered_by(conn, scopes[o.scope]) for o in open_now}
    return [(scopes[o.scope].name, code, o.exercise) for o in open_now for code in covered[o.scope]]


def has_history(conn: Connection, county: str) -> bool:
    """Whether replacing all grids outright would forget something.

    Versions, changes that somebody is working on, or the grids of a roll call under way.
    """
    g, p, s = LAYER_TABLES["grids"].c, past_grids.c, change_set.c
    published = select(g.id).where(g.county == county, g.change_set != "").limit(1)
    ended = select(p.id).where(p.county == county).limit(1)
    under_way = select(s.id).where(s.county == county, s.status.in_([Status.DRAFT.value, Status.REVIEW.value])).limit(1)
    if any(conn.scalars(query).first() is not None for query in (published, ended, under_way)):
        return True
    return any(o.is_open for o in operations_of(conn, county))


def ended_codes(conn: Connection, county: str) -> set[str]:
    """Codes of grids that ended, and of earlier versions: none of them is given to another grid."""
    p = past_grids.c
    return set(conn.scalars(select(p.code).where(p.county == county).distinct()))


def scopes_of_operations(conn: Connection, county: str) -> dict[str, Scope]:
    """Every scope that operations have had or may have, by code; one that is gone is a community without a name."""
    a, c = area.c, LAYER_TABLES["communities"].c
    found = {o.scope: Scope(county, o.scope, COMMUNITY, o.scope) for o in operations_of(conn, county)}
    for code, level, name in conn.execute(select(a.code, a.level, a.name).where(a.county == county)):
        found[code] = Scope(county, code, level, name)
    for code, name in conn.execute(select(c.code, c.name).where(c.county == county)):
        found[code] = Scope(county, code, COMMUNITY, name)
    return found


def covered_by(conn: Connection, scope: Scope) -> list[str]:
    """The communities that a scope covers."""
    c = LAYER_TABLES["communities"].c
    query = select(c.code).where(c.county == scope.county).order_by(c.code)
    if scope.level == TOWNSHIP:
        query = query.where(c.township == scope.code)
    elif scope.level != COUNTY:
        query = query.where(c.code == scope.code)
    return list(conn.scalars(query))

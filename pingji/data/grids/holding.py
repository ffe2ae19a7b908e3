"""Which communities are held: people are being counted on their grids, in an emergency or in an exercise."""

from sqlalchemy import Connection, select

from pingji.data.operations import operations_of
from pingji.data.scopes import COUNTY, TOWNSHIP, Scope
from pingji.data.tables import LAYER_TABLES, area


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
    c, a = LAYER_TABLES["communities"].c, area.c
    names = {row.code: row for row in conn.execute(select(a.code, a.name, a.level).where(a.county == county))}
    communities = conn.execute(select(c.code, c.name, c.township).where(c.county == county)).all()
    held = []
    for o in open_now:
        wide = names.get(o.scope)
        name = wide.name if wide else next((one.name for one in communities if one.code == o.scope), o.scope)
        scope = Scope(county, o.scope, wide.level if wide else "", name)
        held += [(name, one.code, o.exercise) for one in communities if _covers(scope, one.code, one.township)]
    return held


def _covers(scope: Scope, community: str, township: str) -> bool:
    if scope.level == COUNTY:
        return True
    return scope.code == (township if scope.level == TOWNSHIP else community)

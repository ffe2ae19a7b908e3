"""The six roles of every grid, counted in the store."""

from collections import defaultdict

from sqlalchemy import Connection, case, func, select

from pingji.data.organisation.ground import Ground, Reach
from pingji.data.organisation.posts import KEPT, Which, kept_where, own_where
from pingji.data.tables import LAYER_TABLES, org_post
from pingji.ops.organisation.completeness import BigGrid, big_grid
from pingji.ops.organisation.kinds import ROLES, PostKind


def big_grids(conn: Connection, ground: Ground, reach: Reach) -> list[BigGrid]:
    """Every grid with how many of each role it has and needs, in the order of codes.

    People are counted, not posts: a second post of a building for the same stairwell is not one more stairwell.
    """
    have: dict[str, dict[PostKind, int]] = defaultdict(dict)
    c = org_post.c
    own = own_where(conn, ground.county, Which(reach, kinds=ROLES, held=True))
    query = select(c.grid, c.kind, func.count(func.distinct(c.unit))).where(own).group_by(c.grid, c.kind)
    for grid, kind, n in conn.execute(query):
        have[grid][PostKind(kind)] = n
    for kept in KEPT:
        if kept.kind not in ROLES:
            continue
        k = kept.table.c
        grid_column = k.grid if kept.layer == "buildings" else k.code
        where = kept_where(conn, ground.county, Which(reach, held=True), kept)
        assert where is not None
        for grid, n in conn.execute(select(grid_column, func.count()).where(where).group_by(grid_column)):
            have[grid][kept.kind] = have[grid].get(kept.kind, 0) + n
    need = _needed(conn, ground, reach)
    wanted = ground.grids if reach.whole else sorted(reach.grids)
    return [big_grid(code, have.get(code, {}), *need.get(code, (0, 0))) for code in wanted]


def _needed(conn: Connection, ground: Ground, reach: Reach) -> dict[str, tuple[int, int]]:
    """Buildings that are no houses, and stairwells of those that have several, by grid."""
    table = LAYER_TABLES["buildings"]
    b = table.c
    wells = func.sum(case((b.units > 1, b.units), else_=0))
    query = select(b.grid, func.count(), wells).where(b.county == ground.county, b.units != 1)
    rows = conn.execute(query.where(reach.where(conn, table)).group_by(b.grid))
    return {grid: (int(buildings), int(stairwells)) for grid, buildings, stairwells in rows}

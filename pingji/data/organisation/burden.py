"""People who hold too many posts, out of the store."""

from sqlalchemy import Connection

from pingji.data.organisation.ground import Ground, Reach
from pingji.data.organisation.posts import Which, hands, standing
from pingji.data.organisation.rules import load_rules
from pingji.ops.organisation import burden
from pingji.ops.organisation.burden import Burden


def overloaded(conn: Connection, ground: Ground, reach: Reach) -> list[Burden]:
    """Whoever holds too many posts anywhere in the county and at least one within reach, the most burdened first.

    Posts out of reach count, but are left out of the list: who looks after one community learns that the person is
    overloaded, and not where else.
    """
    limit = load_rules(conn, ground.county).posts_limit
    units: dict[tuple[str, str], list[str]] = {}
    for unit, name, phone in hands(conn, ground):
        units.setdefault((name, phone), []).append(unit)
    busy = sorted({unit for held in units.values() if len(held) > limit for unit in held})
    found = burden.overloaded(standing(conn, ground, Which(Reach(True), units=busy, held=True)), limit)
    if reach.whole:
        return found
    return [one for one in found if any(reach.holds(p.township, p.community, p.grid) for p in one.posts)]

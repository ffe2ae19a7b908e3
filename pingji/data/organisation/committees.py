"""Joint committees as stored: departments paired with communities, and their secretaries."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from pingji.data.bulk import insert_rows
from pingji.data.organisation.ground import Ground, Reach
from pingji.data.organisation.posts import Which, standing
from pingji.data.tables import LAYER_TABLES, org_pair
from pingji.ops.organisation import committees
from pingji.ops.organisation.kinds import PostKind
from pingji.ops.organisation.post import Post


@dataclass(frozen=True, slots=True)
class Committee:
    """A community with the departments that are paired with it."""

    community: str
    name: str  # of the joint committee
    departments: tuple[str, ...]
    first: Post | None
    secretary: Post | None
    warnings: tuple[str, ...]


def committees_of(conn: Connection, ground: Ground, reach: Reach) -> list[Committee]:
    """The communities that have a joint committee or are paired with a department, by code."""
    pairs = load_pairs(conn, ground.county)
    table = LAYER_TABLES["communities"]
    c = table.c
    query = select(c.code, c.committee).where(c.county == ground.county, reach.where(conn, table))
    names = {code: name for code, name in conn.execute(query.order_by(c.code)) if name or code in pairs}
    kinds = (PostKind.FIRST_SECRETARY, PostKind.COMMUNITY_SECRETARY)
    posts = standing(conn, ground, Which(Reach(True), kinds=kinds, units=list(names)))
    by_place = {(post.unit, post.kind): post for post in reversed(posts)}
    found = []
    for code, name in names.items():
        first = by_place.get((code, PostKind.FIRST_SECRETARY))
        departments = tuple(pairs.get(code, ()))
        secretary = by_place.get((code, PostKind.COMMUNITY_SECRETARY))
        found.append(Committee(code, name, departments, first, secretary, committees.warnings(departments, first)))
    return found


def load_pairs(conn: Connection, county: str) -> dict[str, list[str]]:
    """Departments by community."""
    c = org_pair.c
    found: dict[str, list[str]] = {}
    query = select(c.community, c.department).where(c.county == county).order_by(c.community, c.department)
    for community, department in conn.execute(query):
        found.setdefault(community, []).append(department)
    return found


def save_pairs(conn: Connection, county: str, pairs: Collection[tuple[str, str]]) -> None:
    """Pair departments with communities, in place of whatever these departments were paired with."""
    c = org_pair.c
    named = sorted({department for department, _ in pairs})
    conn.execute(delete(org_pair).where(c.county == county, c.department.in_(named)))
    ordered = sorted(set(pairs))
    columns = {"department": [d for d, _ in ordered], "community": [place for _, place in ordered]}
    insert_rows(conn, org_pair, county, columns)

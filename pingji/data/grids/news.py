"""What screens hear of grids while they are open: the latest publication, and the change sets under way."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from pingji.data.tables import change_set
from pingji.ops.change_set import Status


@dataclass(frozen=True, slots=True)
class Publication:
    """The latest one. `version` counts all of them; `at` in microseconds since 1970 UTC, None before the first."""

    version: int
    at: int | None
    communities: tuple[str, ...]
    set: str


def latest_publication(conn: Connection, county: str) -> Publication:
    """The latest publication, and how many there have been: whoever missed one can tell."""
    c = change_set.c
    query = (
        select(c.published_at, c.communities, c.id, func.count().over())
        .where(c.county == county, c.status == Status.PUBLISHED.value)
        .order_by(c.published_at.desc(), c.id.desc())
        .limit(1)
    )
    row = conn.execute(query).one_or_none()
    if row is None:
        return Publication(0, None, (), "")
    at, communities, id_, version = row
    return Publication(int(version), at, tuple(str(code) for code in communities), id_)


def open_sets(conn: Connection, county: str) -> list[Mapping[str, object]]:
    """The change sets that are drafts or wait for a review, the one that was touched last first."""
    c = change_set.c
    columns = (c.id, c.name, c.status, c.revision, c.author, c.communities, c.updated_at)
    under_way = c.status.in_([Status.DRAFT.value, Status.REVIEW.value])
    query = select(*columns).where(c.county == county, under_way).order_by(c.updated_at.desc(), c.id)
    # Plain text as keys: what the driver names columns by is no JSON.
    return [{str(name): value for name, value in row.items()} for row in conn.execute(query).mappings()]

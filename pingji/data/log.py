"""The log of movements: append-only, the truth that every count is made from."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Row, Select, and_, bindparam, or_, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.dml import ReturningInsert

from pingji.data.sql import as_document, rows_sent, upsert
from pingji.data.tables import movement as table
from pingji.ops.movement import Kind, Movement

_FIELDS = ("id", "device", "sequence", "kind", "occurred_at", "clock", "place", "person", "household", "count")
_COLUMNS = [table.c[name] for name in ("operation", *_FIELDS, "supersedes", "note")]


@dataclass(frozen=True, slots=True)
class Entry:
    """A movement and the operation that it belongs to."""

    operation: str
    movement: Movement


# Statements that every batch needs are built once: a small batch is mostly the building of its statements.
_SUPERSEDERS = select(table.c.supersedes, table.c.id).where(
    table.c.county == bindparam("county"),
    table.c.supersedes != "",
    table.c.supersedes.in_(bindparam("ids", expanding=True)),
)


@lru_cache(maxsize=8)
def _insert_new(dialect: Dialect) -> ReturningInsert[Any]:
    return upsert(dialect, table).on_conflict_do_nothing().returning(table.c.id)


@lru_cache(maxsize=1)
def _insert_sent() -> ReturningInsert[Any]:
    """The same for PostgreSQL, from one document."""
    new = rows_sent(table.c)
    statement = postgresql.insert(table).from_select([c.name for c in table.c], select(new))
    return statement.on_conflict_do_nothing().returning(table.c.id)


def _insert(conn: Connection, rows: Sequence[dict[str, object]]) -> set[str]:
    """The ids that were new."""
    if not rows:
        return set()
    if conn.dialect.name == "postgresql":
        return set(conn.scalars(_insert_sent(), as_document(rows, conn, table.c)))
    return set(conn.scalars(_insert_new(conn.dialect), rows))


def append(conn: Connection, county: str, entries: Sequence[Entry], received_at: int) -> list[Entry]:
    """Write entries; returns those whose id and (device, sequence) were both new.

    Sorted by key, so that two writers lock in one order.
    """
    entries = sorted(entries, key=lambda e: (e.movement.device, e.movement.sequence))
    rows = [_row(county, entry, received_at) for entry in entries]
    new = _insert(conn, rows)
    return [entry for entry in entries if entry.movement.id in new]


def known_ids(conn: Connection, county: str, ids: Collection[str]) -> set[str]:
    """Those of the ids that the log has."""
    return set(conn.scalars(select(table.c.id).where(table.c.county == county, table.c.id.in_(sorted(ids)))))


def entries_by_id(conn: Connection, county: str, ids: Collection[str]) -> list[Entry]:
    """The entries of these ids."""
    return _entries(conn, select(*_COLUMNS).where(table.c.county == county, table.c.id.in_(sorted(ids))))


def superseders(conn: Connection, county: str, ids: Collection[str]) -> set[tuple[str, str]]:
    """(superseded id, superseding id) of those of the ids that something in the log supersedes."""
    return {(old, new) for old, new in conn.execute(_SUPERSEDERS, {"county": county, "ids": list(ids)})}


def statements_about(
    conn: Connection, county: str, operations: Collection[str], person: str, household: str
) -> list[Movement]:
    """All statements in force about one person, the household's included."""
    c = table.c
    newer = table.alias("newer")
    superseded = select(newer.c.id).where(
        newer.c.county == county, newer.c.supersedes == c.id, newer.c.supersedes != ""
    )
    about = or_(
        and_(c.person == person, c.person != ""),
        and_(c.household == household, c.household != "", c.person == ""),
    )
    query = select(*_COLUMNS).where(c.county == county, c.operation.in_(operations), about, ~superseded.exists())
    return [entry.movement for entry in _entries(conn, query)]


def pages(conn: Connection, county: str, operations: Collection[str], size: int = 5_000) -> Iterator[list[Entry]]:
    """All entries of some operations, in pages."""
    after = ("", -1)
    while True:
        c = table.c
        later = or_(c.device > after[0], and_(c.device == after[0], c.sequence > after[1]))
        query = select(*_COLUMNS).where(c.county == county, c.operation.in_(operations), later)
        page = _entries(conn, query.order_by(c.device, c.sequence).limit(size))
        if not page:
            return
        yield page
        after = (page[-1].movement.device, page[-1].movement.sequence)


def _entries(conn: Connection, query: Select[Any]) -> list[Entry]:
    return [_entry(row) for row in conn.execute(query)]


def _entry(row: Row[Any]) -> Entry:
    operation, id_, device, sequence, kind, occurred_at, clock, place, person, household, count, supersedes, note = (
        tuple(row)
    )
    return Entry(
        operation,
        Movement(
            id_, device, sequence, Kind(kind), occurred_at, clock, place, person, household, count, supersedes, note
        ),
    )


def _row(county: str, entry: Entry, received_at: int) -> dict[str, object]:
    m = entry.movement
    return {
        "county": county,
        "device": m.device,
        "sequence": m.sequence,
        "id": m.id,
        "operation": entry.operation,
        "kind": m.kind.value,
        "place": m.place,
        "person": m.person,
        "household": m.household,
        "count": m.count,
        "supersedes": m.supersedes,
        "note": m.note,
        "occurred_at": m.occurred_at,
        "clock": m.clock,
        "received_at": received_at,
    }

"""Retention: some time after an operation ended, nobody can be recognised in it any more; its counts stay.

Persons, households and devices get random names that nothing leads back from, notes and what people need are emptied.
What is counted (tallies, places, curves) isn't touched, and the log still gives the same counts when it is replayed.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Column, Connection, Engine, String, Table, bindparam, func, select, union, update

from pingji.data import journal
from pingji.data.engine import reading, writing
from pingji.data.modes import go_alone
from pingji.data.operations import Operation, lineage, operations_of
from pingji.data.sealing.reseal import checkpoint, wipe_as_it_goes
from pingji.data.sql import as_document, rows_sent
from pingji.data.tables import headcount, movement, operation, whereabouts
from pingji.ops.movement import VISITOR_PREFIX

DAYS = 180
DAY_US = 86_400_000_000
ACTION = "anonymised"  # in journal and audit
_NOBODY = "anon:"
_PAIR = (Column("old", String), Column("new", String))


@dataclass(frozen=True, slots=True)
class Due:
    """An operation whose people are to become unknown: since when, and how many rows tell of them."""

    operation: Operation
    at: int
    persons: int
    movements: int


def due_at(one: Operation, days: int) -> int:
    """The moment from which an ended operation's people are to be unknown, microseconds since 1970 UTC."""
    assert one.ended_at is not None
    return one.ended_at + days * DAY_US


def schedule(conn: Connection, county: str, days: int = DAYS) -> list[Due]:
    """Every ended operation in which somebody can still be recognised, the one that is due first at the front.

    One that a wider operation absorbed goes with that one: its people are counted there.
    """
    done = _anonymised(conn, county)
    open_still = [
        one
        for one in operations_of(conn, county)
        if one.ended_at is not None and not one.absorbed_into and one.id not in done
    ]
    found = []
    for one in open_still:
        ids = lineage(conn, county, one.id)
        found.append(Due(one, due_at(one, days), *(_count(conn, county, ids, t) for t in (whereabouts, movement))))
    return sorted(found, key=lambda due: (due.at, due.operation.id))


def anonymise_due(conn: Connection, county: str, now: int, days: int = DAYS, at_most: int | None = None) -> int:
    """Anonymise the operations that are due, in the caller's transaction; how many they were.

    Parameters
    ----------
    conn : Connection
        In a transaction; nothing is committed here.
    county : str
    now : int
        Microseconds since 1970 UTC.
    days : int
        After an operation's end.
    at_most : int, optional
        Operations; with 1, each has a transaction of its own (`run`).
    """
    found = [due for due in schedule(conn, county, days) if due.at <= now][:at_most]
    for due in found:
        _anonymise(conn, county, due, now)
    return len(found)


def run(engine: Engine, county: str, now: int, days: int = DAYS) -> int:
    """Anonymise the operations that are due, each in a transaction of its own; how many they were."""
    total = 0
    with reading(engine) as conn:
        waiting = any(due.at <= now for due in schedule(conn, county, days))
    while waiting:
        with writing(engine) as conn:
            done = anonymise_due(conn, county, now, days, at_most=1)
        total += done
        waiting = bool(done)
    if total:
        checkpoint(engine)
    return total


def _anonymise(conn: Connection, county: str, due: Due, now: int) -> None:
    go_alone(conn, county)
    wipe_as_it_goes(conn)
    ids = lineage(conn, county, due.operation.id)
    people = _people(conn, county, ids)
    devices = _devices(conn, county, ids)
    for id in ids:
        for table in (movement, whereabouts):
            _rename(conn, table, county, id, "person", people)
            _rename(conn, table, county, id, "household", people)
        for table in (movement, whereabouts, headcount):
            _rename(conn, table, county, id, "device", devices)
        for table, emptied in ((movement, "note"), (whereabouts, "vulnerability")):
            c = table.c
            mine = (c.county == county, c.operation == id, c[emptied] != "")
            conn.execute(update(table).where(*mine).values({emptied: ""}))
    c = operation.c
    conn.execute(update(operation).where(c.county == county, c.id.in_(ids)).values(anonymised_at=now))
    one, detail = due.operation, {"n": due.persons, "movements": due.movements}
    journal.write(
        conn,
        county,
        at=now,
        actor="",
        action=ACTION,
        scope=one.scope,
        operation=one.id,
        exercise=one.exercise,
        detail=dict(detail),
    )


def _people(conn: Connection, county: str, ids: Sequence[str]) -> dict[str, str]:
    """A random name for every person and household; whoever was off the plan stays so."""
    columns = [table.c[name] for table in (movement, whereabouts) for name in ("person", "household")]
    found = _distinct(conn, county, ids, columns)
    return {old: _unknown(VISITOR_PREFIX if old.startswith(VISITOR_PREFIX) else _NOBODY) for old in found}


def _devices(conn: Connection, county: str, ids: Sequence[str]) -> dict[str, str]:
    """A random name for every device, in the order of the old ones: of two statements of one moment the last counts."""
    found = sorted(_distinct(conn, county, ids, [t.c.device for t in (movement, whereabouts, headcount)]))
    begin, digits = _unknown(_NOBODY), len(str(len(found)))
    return {old: f"{begin}-{n:0{digits}}" for n, old in enumerate(found)}


def _unknown(prefix: str) -> str:
    return prefix + secrets.token_hex(8)


def _distinct(conn: Connection, county: str, ids: Sequence[str], columns: Iterable[Column[str]]) -> list[str]:
    parts = [
        select(column).where(column.table.c.county == county, column.table.c.operation.in_(ids), column != "")
        for column in columns
    ]
    return [name for (name,) in conn.execute(union(*parts))]


def _rename(conn: Connection, table: Table, county: str, id: str, name: str, names: Mapping[str, str]) -> None:
    """Put new names in place of the old ones in one column of one operation's rows."""
    if not names:
        return
    column = table.c[name]
    mine = (table.c.county == county, table.c.operation == id, column != "")
    pairs = [{"old": old, "new": new} for old, new in names.items()]
    if conn.dialect.name == "postgresql":
        sent = rows_sent(_PAIR)
        conn.execute(update(table).where(*mine, column == sent.c.old).values({name: sent.c.new}), as_document(pairs))
    else:
        statement = update(table).where(*mine, column == bindparam("old")).values({name: bindparam("new")})
        conn.execute(statement, pairs)


def _anonymised(conn: Connection, county: str) -> set[str]:
    c = operation.c
    return set(conn.scalars(select(c.id).where(c.county == county, c.anonymised_at.is_not(None))))


def _count(conn: Connection, county: str, ids: Sequence[str], table: Table) -> int:
    query = select(func.count()).select_from(table).where(table.c.county == county, table.c.operation.in_(ids))
    return conn.scalars(query).one()

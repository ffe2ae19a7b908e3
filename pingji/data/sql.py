"""Statements that both engines know but SQLAlchemy spells once for each."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Engine,
    String,
    Table,
    TableValuedAlias,
    Text,
    any_,
    bindparam,
    cast,
    column,
    func,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite

from pingji.data.sealing import Sealed, keys_of

_TURNS = 0x50494E47  # "PING": keeps our locks apart from anybody else's


def take_turn(conn: Connection, county: str, *, alone: bool) -> None:
    """Wait for what must not happen at once in a county; held until the transaction ends.

    Counting goes on beside counting, unless something is taken back: a correction and what it corrects, written by
    two processes that don't see each other yet, would both stand. A switch of the mode goes alone, or two would open
    two roll calls of the same people. On SQLite there is one writer anyway.
    """
    if conn.dialect.name == "postgresql":
        lock = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
        conn.execute(text(f"SELECT {lock}(:turns, hashtext(:county))"), {"turns": _TURNS, "county": county})


def learn_sizes(conn: Connection, table: Table) -> None:
    """Let PostgreSQL look at a table that has just grown by thousands of rows.

    Until it does by itself, a minute later, it thinks the table small and reads all of it for every batch. SQLite
    plans by the keys alone.
    """
    if conn.dialect.name == "postgresql":
        conn.execute(text(f"ANALYZE {table.name}"))


def among(conn: Connection, column: ColumnElement[str], names: Collection[str]) -> ColumnElement[bool]:
    """Whether a column is one of many names.

    One array for PostgreSQL: psycopg spends longer on thousands of placeholders than the server on the query.
    """
    if conn.dialect.name == "postgresql":
        return column == any_(bindparam(None, sorted(names), postgresql.ARRAY(String), unique=True))
    return column.in_(sorted(names))


def upsert(bind: Connection | Engine | Dialect, table: Table) -> postgresql.Insert:
    """An INSERT that offers `on_conflict_do_nothing`, `on_conflict_do_update` and `excluded`, for this engine.

    SQLite's form has the same methods and arguments, so it is typed as PostgreSQL's.
    """
    dialect = bind if isinstance(bind, Dialect) else bind.dialect
    if dialect.name == "sqlite":
        return sqlite.insert(table)  # type: ignore[return-value]
    return postgresql.insert(table)


def rows_sent(columns: Iterable[Column[Any]]) -> TableValuedAlias:
    """Rows that come to PostgreSQL as one JSON parameter, `rows`: a list of objects with these columns.

    One document is dumped in C; psycopg dumps arrays element by element, and a row of parameters for each would be
    planned for each.
    """
    document = cast(bindparam("rows", type_=Text), postgresql.JSON)
    named = (column(c.name, c.type) for c in columns)
    return func.json_to_recordset(document).table_valued(*named).render_derived("new", with_types=True)


def as_document(
    rows: Sequence[Mapping[str, object]], conn: Connection | None = None, columns: Iterable[Column[Any]] = ()
) -> dict[str, str]:
    """The parameter that `rows_sent` reads; values of sealed ones among the columns are sealed in it."""
    for column_ in columns:
        if conn is not None and isinstance(column_.type, Sealed):
            ring, label, name = keys_of(conn), column_.type.label, column_.name
            rows = [{**row, name: ring.seal(label, str(row[name]))} if row[name] else row for row in rows]
    return {"rows": orjson.dumps(rows).decode()}

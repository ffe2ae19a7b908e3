"""One database engine for a URL, and the two ways to use it: `reading` a snapshot, `writing` in a transaction."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import psycopg
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.exc import ArgumentError

from pingji.data import sqlite_spatial
from pingji.data.errors import DatabaseUnreachable, UnsupportedDatabase
from pingji.data.sealing.keyring import Keyring, attach
from pingji.data.sealing.settling import settle
from pingji.data.spatial import Ewkb, HexDumper
from pingji.data.tables.base import SRID

_BUSY_S = 10
_READ_ONLY = "pingji_read_only"


def open_engine(url: str, keys: Keyring | None = None) -> Engine:
    """Open a store.

    Parameters
    ----------
    url : str
        `sqlite:///path/of/file.db`, or `postgresql://user@host/database` (psycopg 3 is meant).
    keys : Keyring, optional
        What personal columns are sealed with; when left out, the environment's keys or those of the file beside the
        store. They are looked for when the first transaction begins.

    Returns
    -------
    Engine
        Usable from any thread. Nothing is connected yet, except that SQLite's parent directory is made.

    Raises
    ------
    UnsupportedDatabase
        Another database, a SQLite without a file, or a URL that isn't one.
    DatabaseUnreachable
        The folder of a SQLite file can't be made.

    Notes
    -----
    Work through `reading` and `writing`: on SQLite a bare `engine.connect()` counts as a writer and takes the lock.
    A server that can't be reached shows as `DatabaseUnreachable` wherever a connection is first needed or lost.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as e:
        raise UnsupportedDatabase(url=url.partition("://")[0]) from e  # the rest may hold a password
    backend = parsed.get_backend_name()
    if backend == "sqlite" and parsed.database not in (None, "", ":memory:"):
        engine = _sqlite(parsed)
    elif backend == "postgresql":
        engine = _postgresql(parsed)
    else:
        raise UnsupportedDatabase(url=parsed.render_as_string(hide_password=True))
    event.listen(engine, "handle_error", _tell_unreachable)
    attach(engine, keys or Keyring.for_store(url))
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that may write: committed at the end of the block, rolled back when it raises.

    On SQLite it takes the write lock at once: read first, write later fails under load, because the snapshot that was
    read is stale by then.
    """
    with engine.begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One unchanging snapshot of the store; statements that write are refused."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            options: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        else:
            options = {_READ_ONLY: True}
        with connection.execution_options(**options).begin():
            yield connection


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _sqlite(url: URL) -> Engine:
    folder = Path(str(url.database)).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise DatabaseUnreachable(url=url.render_as_string(hide_password=True), reason=e.strerror) from e
    engine = create_engine(
        url.set(drivername="sqlite+pysqlite"),
        connect_args={"timeout": _BUSY_S, "check_same_thread": False},
        pool_size=10,
        max_overflow=90,
        json_serializer=_json,
        json_deserializer=orjson.loads,
        hide_parameters=True,  # an error tells which statement failed, never whose row it was
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(con: sqlite3.Connection, _record: object) -> None:
    con.isolation_level = None  # we say BEGIN ourselves
    con.execute("PRAGMA journal_mode = WAL")
    con.execute("PRAGMA synchronous = FULL")
    con.execute("PRAGMA foreign_keys = ON")
    # Without it, REPLACE deletes a row without the trigger that keeps the R-tree.
    con.execute("PRAGMA recursive_triggers = ON")
    con.execute(f"PRAGMA busy_timeout = {_BUSY_S * 1000}")
    con.execute("PRAGMA cache_size = -32000")
    # Statement journals of the triggers otherwise go through a file: a third of a bulk load's time.
    con.execute("PRAGMA temp_store = MEMORY")
    sqlite_spatial.install(con, SRID)


def _begin_sqlite(connection: Connection) -> None:
    read_only = connection.get_execution_options().get(_READ_ONLY, False)
    cursor = connection.connection.cursor()
    cursor.execute(f"PRAGMA query_only = {int(read_only)}")
    cursor.execute("BEGIN" if read_only else "BEGIN IMMEDIATE")
    cursor.close()
    settle(connection, writing=not read_only)


def _postgresql(url: URL) -> Engine:
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args={"connect_timeout": 5, "application_name": "pingji"},
        pool_pre_ping=True,
        pool_size=10,
        max_overflow=20,
        json_serializer=_json,
        json_deserializer=orjson.loads,
        hide_parameters=True,  # an error tells which statement failed, never whose row it was
    )
    event.listen(engine, "connect", _prepare_postgresql)
    event.listen(engine, "begin", _begin_postgresql)
    return engine


def _prepare_postgresql(con: "psycopg.Connection[Any]", _record: object) -> None:
    con.adapters.register_dumper(Ewkb, HexDumper)


def _begin_postgresql(connection: Connection) -> None:
    settle(connection, writing=not connection.get_execution_options().get("postgresql_readonly", False))


def _tell_unreachable(context: ExceptionContext) -> None:
    if context.connection is None or context.is_disconnect:
        url = context.engine.url.render_as_string(hide_password=True) if context.engine else ""
        reason = str(context.original_exception).strip()
        raise DatabaseUnreachable(url=url, reason=reason) from context.original_exception

"""A store and its keys belong together: found out at the first transaction, and again when the key file changes.

The store remembers the ids of the keys that its values are sealed with, and which of them is in use. So nobody works
on it with another key by mistake, and a missing key is noticed before anything is read or written.
"""

import time
from typing import Any

from sqlalchemy import Connection, Engine

from pingji.data.sealing.keyring import Keyring, keys_of

_TABLE = {
    "sqlite": "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'sealing_key'",
    "postgresql": "SELECT 1 WHERE to_regclass('sealing_key') IS NOT NULL",
}
_HELD = "SELECT id, in_use FROM sealing_key"
_REMEMBER = "INSERT INTO sealing_key (id, in_use, made_at) VALUES ('{id}', {yes}, {at}) ON CONFLICT DO NOTHING"


def settle(connection: Connection, *, writing: bool) -> None:
    """Make sure, as a transaction begins, that the engine's keys are those of the store.

    A store that holds no key yet gets one with the first transaction that may write.

    Raises
    ------
    KeyMissing, BadKey, KeyNotMade
        The transaction doesn't begin.

    Notes
    -----
    By the driver's cursor: SQLAlchemy would begin another transaction for a statement inside of its own event.
    """
    ring = keys_of(connection)
    if ring.fresh:
        return
    ring.load()
    cursor: Any = connection.connection.cursor()
    try:
        if cursor.execute(_TABLE[connection.dialect.name]).fetchone() is None:
            return
        held = _held(cursor)
        if not held and writing:
            held = _remember(cursor, ring, connection.dialect.name)
            ring.require(held)  # settled only when it is found again: this transaction may be rolled back
            return
        if held:
            ring.require(held)
            ring.settle(next(id for id, in_use in held.items() if in_use))
    finally:
        cursor.close()


def ensure_key(engine: Engine) -> bool:
    """Give a store without a key one, in a transaction of its own; whether its file was made just now."""
    ring = keys_of(engine)
    with engine.begin():
        pass
    made, ring.made = ring.made, False
    return made


def _held(cursor: Any) -> dict[str, bool]:
    return {id: bool(in_use) for id, in_use in cursor.execute(_HELD).fetchall()}


def _remember(cursor: Any, ring: Keyring, dialect: str) -> dict[str, bool]:
    if ring.writing is None:
        ring.make()
    assert ring.writing is not None
    yes = "1" if dialect == "sqlite" else "true"
    cursor.execute(_REMEMBER.format(id=ring.writing.id, yes=yes, at=time.time_ns() // 1000))
    return _held(cursor)  # another process may have been faster, with another key

"""A change of keys: everything is sealed again with a new one, while the store is in use.

1. The new key is put in front of the others in the file, and the store told that it is in use.
2. Every process reads the file again with its next transaction, and seals with the new key from then on.
3. All rows are sealed again, page by page.
4. When nothing is under the old key any more, the store forgets it, and the file does.

After a kill at any point, the next rotation carries on where this one stopped.
"""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, delete, insert, select, text, update

from pingji.data import audit
from pingji.data.engine import reading, writing
from pingji.data.errors import DataError
from pingji.data.sealing.keyring import Keyring, keys_of
from pingji.data.sealing.keys import Key, new_key, read_file, replace_file
from pingji.data.sealing.reseal import Tell, covered, reseal, silent, tally
from pingji.data.sql import take_turn
from pingji.data.tables.sealing import sealing_key

_PATIENCE_S = 600
_GLANCE_S = 0.05
_OLDEST = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND xact_start < :since"
)
_NOW = text("SELECT clock_timestamp()")


class NoNewKey(DataError):
    """Keys come from the environment, which holds no newer one than the store's. `source`."""


class NotRotated(DataError):
    """Something is still sealed with an old key. `n` values; the old key stays."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation did: the key that is in use now, those that went, and the rows that were sealed again."""

    key: str
    removed: tuple[str, ...]
    rows: int


@dataclass(frozen=True, slots=True)
class HeldKey:
    """A key that the store knows. `at_hand`: whether we have it, too; `values`: how many are sealed with it."""

    id: str
    in_use: bool
    made_at: int
    at_hand: bool
    values: int


def rotate(engine: Engine, tell: Tell = silent) -> Rotated:
    """Seal everything with a new key, or finish a rotation that was begun.

    Raises
    ------
    NoNewKey
    KeyNotMade
        The key file can't be written; nothing has changed.
    NotRotated
        A transaction from before lasted too long; run it again.
    """
    ring = keys_of(engine)
    key = _take_into_use(engine, ring)
    if ring.file is not None:
        os.utime(ring.file)  # whoever read the file before the store was told reads it again
    rows = reseal(engine, tell)
    _outlast(engine)
    rows += reseal(engine, tell)
    return Rotated(key.id, _let_go(engine, ring, key, rows), rows)


def held_keys(engine: Engine) -> tuple[list[HeldKey], int]:
    """The keys that the store knows, and how many of its values are not sealed at all."""
    ring, c = keys_of(engine), sealing_key.c
    with reading(engine) as conn:
        rows = conn.execute(select(c.id, c.in_use, c.made_at).order_by(c.made_at)).all()
        values = tally(conn)
    held = [HeldKey(id, in_use, at, id in ring.keys, values.get(id, 0)) for id, in_use, at in rows]
    return held, values.get("", 0)


def _take_into_use(engine: Engine, ring: Keyring) -> Key:
    """The key to seal with: a new one, or the newest that the store does not use yet."""
    with writing(engine) as conn:
        take_turn(conn, "keys", alone=True)  # two rotations at once would write the file over each other
        held = _held(conn)
        keys = _keys(ring)
        if keys[0].id not in held:
            key = keys[0]
        elif len(held) > 1 or len(keys) > 1:
            return ring.keys[next(id for id, in_use in held.items() if in_use)]
        elif ring.file is None:
            raise NoNewKey(source=ring.where)
        else:
            key = new_key()
            replace_file(ring.file, [key, *keys])
        conn.execute(update(sealing_key).values(in_use=False))
        row = {"id": key.id, "in_use": True, "made_at": time.time_ns() // 1000, "covers": ""}
        conn.execute(insert(sealing_key), row)
    ring.forget()
    return key


def _outlast(engine: Engine) -> None:
    """Wait until every transaction that runs now has ended: it may have sealed with the old key.

    SQLite has one writer at a time, and ours came after all of them.
    """
    if engine.dialect.name != "postgresql":
        return
    with reading(engine) as conn:
        since = conn.execute(_NOW).scalar_one()
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        with reading(engine) as conn:
            if not conn.execute(_OLDEST, {"since": since}).scalar_one():
                return
        time.sleep(_GLANCE_S)


def _let_go(engine: Engine, ring: Keyring, key: Key, rows: int) -> tuple[str, ...]:
    """Forget every other key, in the store and then in the file, and write it into the audit."""
    with writing(engine) as conn:
        take_turn(conn, "keys", alone=True)
        left = sum(n for id, n in tally(conn).items() if id != key.id)
        if left:
            raise NotRotated(n=left)
        old = tuple(id for id in _held(conn) if id != key.id)
        conn.execute(delete(sealing_key).where(sealing_key.c.id != key.id))
        conn.execute(update(sealing_key).values(covers=covered()))
        audit.record(conn, action="key_rotated", object=key.id, detail={"old": list(old), "rows": rows})
    if ring.file is not None:
        replace_file(ring.file, [key])
    ring.forget()
    return old


def _held(conn: Connection) -> Mapping[str, bool]:
    return dict(conn.execute(select(sealing_key.c.id, sealing_key.c.in_use)).all())


def _keys(ring: Keyring) -> tuple[Key, ...]:
    """The keys as they are by now, the newest first."""
    return tuple(ring.keys.values()) if ring.file is None else read_file(ring.file)

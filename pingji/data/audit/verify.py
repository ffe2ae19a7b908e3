"""Check the whole chain: the first entry that is not as it was written, and how."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import Connection, Row, Select, Text, select, type_coerce
from sqlalchemy.exc import OperationalError

from pingji.data.audit.append import HEAD_LOST
from pingji.data.audit.entry import COLUMNS, NO_HASH, hash_of
from pingji.data.errors import DataError
from pingji.data.tables.audit import audit, audit_head

BATCH = 5_000  # entries that are in memory at once


class NotAnAnchor(DataError):
    """A text that is not SEQ:HASH. `value`."""


class Tampering(StrEnum):
    """How an entry is not as it was written."""

    CHANGED = "changed"  # its content and its hash don't belong together
    EXCHANGED = "exchanged"  # another entry with a hash of its own stands in its place
    MISSING = "missing"  # entries between two others are gone
    CUT = "cut"  # the newest entries are gone
    INSERTED = "inserted"  # an entry that was never counted
    HEAD = "head"  # the head is gone, or has another hash
    ANCHOR = "anchor"  # the entry that was noted outside is another one, or gone


@dataclass(frozen=True, slots=True)
class Breach:
    """The first entry that is wrong; up to `until` where several in a row are missing."""

    seq: int
    kind: Tampering
    until: int = 0


@dataclass(frozen=True, slots=True)
class Anchor:
    """A sequence number with its hash, kept where who can write the database can't."""

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found: how many entries were read, where the chain ends, and what is wrong, if anything."""

    entries: int
    head: Anchor
    breach: Breach | None = None

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return self.breach is None


def anchor_of(text: str) -> Anchor:
    """An anchor from the text that `pingji audit anchor` printed.

    >>> anchor_of("7:" + "a" * 64).seq
    7

    Raises
    ------
    NotAnAnchor
    """
    seq, _, found = text.strip().partition(":")
    found = found.strip().lower()
    if not (seq.isascii() and seq.isdigit() and len(found) == 64 and set(found) <= set("0123456789abcdef")):
        raise NotAnAnchor(value=text[:100])
    return Anchor(int(seq), found)


def head_of(conn: Connection) -> Anchor | None:
    """Where the chain ends; None where the head is gone."""
    row = conn.execute(select(audit_head.c.seq, audit_head.c.hash)).one_or_none()
    return None if row is None else Anchor(row.seq, row.hash)


def verify(conn: Connection, anchor: Anchor | None = None, *, batch: int = BATCH) -> Verdict:
    """Read all entries in their order, in constant memory.

    Parameters
    ----------
    conn : Connection
        Of `reading`: entries and head must be of one moment.
    anchor : Anchor, optional
        Kept outside; the chain must still go through it.
    """
    head = head_of(conn)
    end = head.seq if head else None
    last = Anchor(0, NO_HASH)
    n = 0
    for row in _entries(conn, batch):
        n += 1
        breach = Breach(last.seq + 1, Tampering.CHANGED) if row is None else _wrong(row, last, end, anchor)
        if row is None or breach is not None:
            return Verdict(n, head or last, breach)
        last = Anchor(row.seq, row.hash)
    return Verdict(n, head or last, _wrong_end(last, head, anchor))


def _entries(conn: Connection, batch: int) -> Iterator[Row[Any] | None]:
    """All entries; None in place of one that can't even be read."""
    columns = list(audit.c)
    if conn.dialect.name == "sqlite":  # which keeps any text as JSON: reading it as such could fail
        columns[COLUMNS.index("detail")] = type_coerce(audit.c.detail, Text).label("detail")  # type: ignore[call-overload]
    query = select(*columns).order_by(audit.c.seq)
    rows = _read(conn, query.limit(batch))
    while rows:
        yield from rows
        after = rows[-1]
        rows = [] if after is None else _read(conn, query.where(audit.c.seq > after.seq).limit(batch))


def _read(conn: Connection, query: Select[Any]) -> list[Row[Any] | None]:
    try:
        return list(conn.execute(query))
    except OperationalError:
        if conn.dialect.name != "sqlite":
            raise
    found: list[Row[Any] | None] = []  # bytes that are no text: one by one up to there
    try:
        found.extend(conn.execute(query))  # which keeps those before the one that fails
    except OperationalError:
        found.append(None)
    return found


def _wrong(row: Row[Any], last: Anchor, end: int | None, anchor: Anchor | None) -> Breach | None:
    """What is wrong with an entry that should follow `last`."""
    seq = row.seq
    if seq < 1 or (end is not None and seq > end):
        return Breach(seq, Tampering.INSERTED)
    if seq > last.seq + 1:
        return Breach(last.seq + 1, Tampering.MISSING, seq - 1)
    if not _own_hash(row):
        return Breach(seq, Tampering.CHANGED)
    if row.previous != last.hash:
        # Both hashes are right in themselves: the entry before, or this one, was written anew.
        return Breach(max(last.seq, 1), Tampering.EXCHANGED)
    if row.action == HEAD_LOST:
        return Breach(seq, Tampering.HEAD)
    if anchor is not None and anchor.seq == seq and anchor.hash != row.hash:
        return Breach(seq, Tampering.ANCHOR)
    return None


def _own_hash(row: Row[Any]) -> bool:
    """Whether an entry's content is that of its hash."""
    values = dict(zip(COLUMNS, row, strict=True))
    kept = values.pop("hash")
    try:
        if isinstance(values["detail"], str):
            values["detail"] = orjson.loads(values["detail"])
        return bool(hash_of(values) == kept)
    except (orjson.JSONDecodeError, TypeError):  # not JSON, or not even text
        return False


def _wrong_end(last: Anchor, head: Anchor | None, anchor: Anchor | None) -> Breach | None:
    """What is wrong with the end of a chain whose entries are right."""
    if head is not None and head.seq > last.seq:
        return Breach(last.seq + 1, Tampering.CUT, head.seq)
    if head != last:
        return Breach(last.seq, Tampering.HEAD)
    if anchor is not None and (anchor.seq > last.seq or (anchor.seq == 0 and anchor.hash != NO_HASH)):
        return Breach(anchor.seq, Tampering.ANCHOR)
    return None

"""Find entries of the audit, newest first and page by page, and say what there is to choose from."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Text, and_, cast, func, or_, select

from pingji.data.audit.entry import Entry
from pingji.data.tables.audit import audit, audit_head
from pingji.ops.day import local

READ, VERIFIED = "audit_read", "audit_verified"
_CHOICES = 500  # names and actions that are offered
_BATCH = 2_000
_NAMES = ("since", "until", "actor", "action", "object", "text", "outcome")
_SEARCHED = ("actor", "object", "scope", "purpose", "address", "request")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is searched for; what is empty does not matter.

    `since` and `until` in microseconds since 1970 UTC, both included; `actor`, `action`, `object`, `outcome` whole;
    `text` anywhere in a text or in the detail, in any case.
    """

    since: int | None = None
    until: int | None = None
    actor: str = ""
    action: str = ""
    object: str = ""
    text: str = ""
    outcome: str = ""

    @property
    def told(self) -> dict[str, Any]:
        """What is not empty, as an entry of the audit tells it."""
        values = {name: getattr(self, name) for name in _NAMES}
        values |= {name: local(values[name]).isoformat() for name in ("since", "until") if values[name] is not None}
        return {name: value for name, value in values.items() if value not in ("", None)}


def search(conn: Connection, wanted: Wanted, *, before_seq: int | None = None, limit: int = 100) -> list[Entry]:
    """The newest entries that fit, those before `before_seq` where more of a search is asked for."""
    query = _fitting(wanted).order_by(audit.c.seq.desc()).limit(limit)
    if before_seq is not None:
        query = query.where(audit.c.seq < before_seq)
    return [Entry(*row) for row in conn.execute(query)]


def entries(conn: Connection, wanted: Wanted) -> Iterator[Entry]:
    """All entries that fit, oldest first, a few in memory at once."""
    last = 0
    while True:
        query = _fitting(wanted).where(audit.c.seq > last).order_by(audit.c.seq).limit(_BATCH)
        found = conn.execute(query).all()
        yield from (Entry(*row) for row in found)
        if len(found) < _BATCH:
            return
        last = found[-1].seq


def count(conn: Connection, wanted: Wanted, limit: int) -> int:
    """How many entries fit; not counted past `limit`."""
    found = _fitting(wanted).with_only_columns(audit.c.seq).limit(limit).subquery()
    return conn.scalar(select(func.count()).select_from(found)) or 0


def total(conn: Connection) -> int:
    """How many entries there are, by the head of the chain."""
    return conn.scalar(select(audit_head.c.seq)) or 0


def first_at(conn: Connection) -> int | None:
    """When the oldest entry was made."""
    return conn.scalar(select(audit.c.at).order_by(audit.c.seq).limit(1))


def actors(conn: Connection) -> list[str]:
    """Everybody who ever acted, in the order of their names."""
    return _distinct(conn, audit.c.actor)


def actions(conn: Connection) -> list[str]:
    """Everything that was ever done."""
    return _distinct(conn, audit.c.action)


def latest_of(conn: Connection, action: str, *, actor: str | None = None, limit: int = 1) -> list[Entry]:
    """The newest entries of one action, of one actor where one is named."""
    query = select(audit).where(audit.c.action == action)
    if actor is not None:
        query = query.where(audit.c.actor == actor)
    return [Entry(*row) for row in conn.execute(query.order_by(audit.c.seq.desc()).limit(limit))]


def _fitting(wanted: Wanted) -> Select[Any]:
    conditions: list[ColumnElement[bool]] = [
        audit.c[name] == getattr(wanted, name)
        for name in ("actor", "action", "object", "outcome")
        if getattr(wanted, name)
    ]
    if wanted.since is not None:
        conditions.append(audit.c.at >= wanted.since)
    if wanted.until is not None:
        conditions.append(audit.c.at <= wanted.until)
    if wanted.text:
        found = [audit.c[name].icontains(wanted.text, autoescape=True) for name in _SEARCHED]
        detail = cast(audit.c.detail, Text).icontains(wanted.text, autoescape=True)
        # Else whoever searches for a word would mostly find those who searched for it.
        found.append(detail if wanted.action == READ else and_(detail, audit.c.action != READ))
        conditions.append(or_(*found))
    return select(audit).where(*conditions)


def _distinct(conn: Connection, column: ColumnElement[str]) -> list[str]:
    """The values of an indexed column, each found by one step in its index rather than by reading every entry."""
    first = select(func.min(column).label("value")).cte("step", recursive=True)
    beyond = select(func.min(column)).where(column > first.c.value).scalar_subquery()
    steps = first.union_all(select(beyond).where(first.c.value.is_not(None)))
    query = select(steps.c.value).where(steps.c.value.is_not(None), steps.c.value != "").limit(_CHOICES)
    return list(conn.scalars(query))

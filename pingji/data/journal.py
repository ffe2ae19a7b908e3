"""The journal: who decided what, when, on which scope."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select

from pingji.data import audit
from pingji.data.origin import origin
from pingji.data.tables import journal

_TOLD_ELSEWHERE = ("reason", "scope_name")  # of a detail: what the audit has as its purpose and its scope


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One decision. `at` in microseconds since 1970 UTC; `detail` holds what its text needs."""

    id: int
    at: int
    actor: str
    action: str
    scope: str
    operation: str
    exercise: bool
    detail: dict[str, Any]


def write(
    conn: Connection,
    county: str,
    *,
    at: int,
    actor: str,
    action: str,
    scope: str = "",
    operation: str = "",
    exercise: bool = False,
    detail: dict[str, object] | None = None,
) -> None:
    """One entry, in the transaction of what it tells of, and one in the audit: so call it last (`audit.record`)."""
    row = {"county": county, "at": at, "actor": actor, "action": action, "scope": scope, "operation": operation}
    conn.execute(insert(journal), {**row, "exercise": exercise, "detail": detail or {}})
    told = {name: value for name, value in (detail or {}).items() if name not in _TOLD_ELSEWHERE}
    if operation:
        told |= {"operation": operation}
    if exercise:
        told |= {"exercise": True}
    if origin().name not in ("", actor):
        told |= {"named": actor}  # somebody else than who is signed in: a name that the command line was given
    reason = str((detail or {}).get("reason") or "")
    audit.record(conn, action=action, scope=scope or county, purpose=reason, detail=told, at=at, actor=actor)


def latest(conn: Connection, county: str, limit: int) -> list[JournalEntry]:
    """The newest entries first."""
    c = journal.c
    columns = (c.id, c.at, c.actor, c.action, c.scope, c.operation, c.exercise, c.detail)
    query = select(*columns).where(c.county == county).order_by(c.id.desc()).limit(limit)
    return [JournalEntry(*row) for row in conn.execute(query)]

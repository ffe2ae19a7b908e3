"""Add an entry to the audit, in the transaction of what it tells of."""

import time
from collections.abc import Mapping

from sqlalchemy import Connection, insert, select, update

from pingji.data.audit.clean import LONG, clean, clean_detail
from pingji.data.audit.entry import DONE, NO_HASH, hash_of
from pingji.data.origin import origin
from pingji.data.tables.audit import audit, audit_head

HEAD_LOST = "audit_head_lost"


def record(
    conn: Connection,
    *,
    action: str,
    object: str = "",
    scope: str = "",
    purpose: str = "",
    outcome: str = DONE,
    detail: Mapping[str, object] | None = None,
    at: int | None = None,
    actor: str = "",
) -> int:
    """Add one entry; its sequence number.

    Who acts and where from is what `data.origin.origin` says.

    Parameters
    ----------
    action : str
        What was done; each has a text `audit.action.<action>`.
    object, scope : str, optional
        On what, and where: codes and ids, never the name of a resident.
    purpose : str, optional
        Why.
    outcome : str, optional
        `done`, or `refused`.
    at : int, optional
        Microseconds since 1970 UTC; now when left out.
    actor : str, optional
        Who acts, where the origin names nobody.

    Notes
    -----
    Call it last in a transaction: from here until the end of it nobody else can add an entry. Whoever waited for a
    row after that could wait for one that waits for the audit.
    """
    came = origin()
    head = _head(conn)
    entry = {
        "at": time.time_ns() // 1000 if at is None else at,
        "actor": clean(came.name or actor),
        "actor_id": clean(came.id),
        "door": came.door,
        "address": clean(came.address),
        "request": clean(came.request),
        "action": action,
        "object": clean(object),
        "scope": clean(scope),
        "purpose": clean(purpose, LONG),
        "outcome": outcome,
        "detail": clean_detail(detail),
    }
    if head is None:
        head = _found_again(conn, entry)
    return _append(conn, head, entry)[0]


def _head(conn: Connection) -> tuple[int, str] | None:
    """Where the chain ends. Whoever else wants to append waits until this transaction has ended."""
    found = conn.execute(select(audit_head.c.seq, audit_head.c.hash).with_for_update()).one_or_none()
    return None if found is None else (found.seq, found.hash)


def _append(conn: Connection, head: tuple[int, str], values: dict[str, object]) -> tuple[int, str]:
    """Add an entry at the end; the new head."""
    seq = head[0] + 1
    entry = {"seq": seq, **values, "previous": head[1]}
    found = hash_of(entry)
    conn.execute(insert(audit), {**entry, "hash": found})
    conn.execute(update(audit_head).values(seq=seq, hash=found))
    return seq, found


def _found_again(conn: Connection, values: dict[str, object]) -> tuple[int, str]:
    """The head, made anew from the last entry, because somebody took it away.

    A county in an emergency must be able to act even then; an entry tells of it, and `verify` stops there.
    """
    last = conn.execute(select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)).one_or_none()
    seq, found = (0, NO_HASH) if last is None else (last.seq, last.hash)
    conn.execute(insert(audit_head), {"id": 1, "seq": seq, "hash": found})
    nothing = dict.fromkeys(("object", "scope", "purpose"), "")
    return _append(conn, (seq, found), {**values, **nothing, "action": HEAD_LOST, "detail": {}})

"""Sessions: browsers of people who signed in, and devices that a one-time code let in.

`kind` says how far a sign-in has come: `account` is complete, `second` still owes the code of the second factor,
`enrol` a second factor itself; `device` has no account.
"""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import uuid4

from sqlalchemy import Connection, delete, insert, select, update

from pingji.data.access.secret import digest_of, new_secret
from pingji.data.access.tokens import grants_in
from pingji.data.tables import session
from pingji.ops.access import Grant

ACCOUNT, SECOND, ENROL, DEVICE = "account", "second", "enrol", "device"


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session as its owner sees it in a list."""

    id: str
    kind: str
    account: str
    name: str
    created_at: int
    seen_at: int
    expires_at: int
    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class Device:
    """A device that is signed on."""

    id: str
    name: str
    grants: tuple[Grant, ...]
    created_at: int
    seen_at: int
    expires_at: int
    address: str


def begin_session(
    conn: Connection,
    account_id: str | None,
    *,
    at: int,
    lifetime_us: int,
    kind: str = ACCOUNT,
    name: str = "",
    grants: Collection[Grant] = (),
    address: str = "",
    agent: str = "",
) -> str:
    """A new session; its secret is for the cookie and is kept nowhere."""
    secret = new_secret()
    row = {
        "digest": digest_of(secret),
        "id": str(uuid4()),
        "kind": kind,
        "account": account_id or "",
        "name": name,
        "grants": [[grant.role.value, grant.scope] for grant in grants],
        "created_at": at,
        "seen_at": at,
        "expires_at": at + lifetime_us,
        "address": address[:64],
        "agent": agent[:200],
    }
    conn.execute(insert(session), row)
    return secret


def touch_session(conn: Connection, digest: str, at: int) -> None:
    """A person was there."""
    conn.execute(update(session).where(session.c.digest == digest, session.c.seen_at < at).values(seen_at=at))


def end_session(conn: Connection, digest: str) -> bool:
    """End one session; whether it was still there."""
    return bool(conn.execute(delete(session).where(session.c.digest == digest)).rowcount)


def end_session_named(conn: Connection, session_id: str) -> bool:
    """End the session of an id; whether it was still there."""
    return bool(conn.execute(delete(session).where(session.c.id == session_id)).rowcount)


def end_own_session(conn: Connection, account_id: str, session_id: str) -> bool:
    """End a session of an account, named by its id; whether there was one."""
    own = (session.c.id == session_id, session.c.account == account_id, session.c.account != "")
    return bool(conn.execute(delete(session).where(*own)).rowcount)


def id_of(conn: Connection, digest: str) -> str:
    """What a session is called in lists."""
    return conn.scalar(select(session.c.id).where(session.c.digest == digest)) or ""


def end_sessions_of(conn: Connection, account_id: str, *, but: str = "") -> int:
    """End all sessions of an account, except the one with the digest `but`; how many."""
    gone = delete(session).where(session.c.account == account_id, session.c.account != "", session.c.digest != but)
    return conn.execute(gone).rowcount


def sessions_of(conn: Connection, account_id: str, at: int) -> list[OpenSession]:
    """The sessions of an account that have not expired, newest first."""
    return _listed(conn, at, session.c.account == account_id, session.c.kind == ACCOUNT)


def devices(conn: Connection, at: int) -> list[Device]:
    """The devices that are signed on, newest first."""
    s = session.c
    columns = (s.id, s.name, s.grants, s.created_at, s.seen_at, s.expires_at, s.address)
    query = select(*columns).where(s.expires_at > at, s.kind == DEVICE).order_by(s.created_at.desc(), s.id)
    return [Device(row.id, row.name, grants_in(row.grants), *tuple(row)[3:]) for row in conn.execute(query)]


def clear_expired(conn: Connection, at: int) -> int:
    """Forget sessions that have ended by themselves; how many."""
    return conn.execute(delete(session).where(session.c.expires_at <= at)).rowcount


def _listed(conn: Connection, at: int, *where: object) -> list[OpenSession]:
    s = session.c
    columns = (s.id, s.kind, s.account, s.name, s.created_at, s.seen_at, s.expires_at, s.address, s.agent)
    query = select(*columns).where(s.expires_at > at, *where).order_by(s.created_at.desc(), s.id)  # type: ignore[arg-type]
    return [OpenSession(*row) for row in conn.execute(query)]

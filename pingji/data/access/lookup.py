"""Who a secret belongs to: the caller of a session's cookie or of a token."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from pingji.data.access.accounts import add_account, grants_of
from pingji.data.access.secret import digest_of, new_secret
from pingji.data.access.sessions import (
    DEVICE,
    ENROL,
    SECOND,
    begin_session,
    end_session,
    end_sessions_of,
    touch_session,
)
from pingji.data.access.tokens import API, WALL, grants_in, make_token
from pingji.data.tables import account, session, token
from pingji.ops.access import Caller
from pingji.ops.sign_in import has_idled

__all__ = [
    "SessionState",
    "add_account",
    "begin_session",
    "caller_of_session",
    "caller_of_token",
    "digest_of",
    "end_session",
    "end_sessions_of",
    "make_token",
    "new_secret",
    "touch_session",
]


@dataclass(frozen=True, slots=True)
class SessionState:
    """What a session is besides its caller. Nothing may be done in one that must still change or prove something."""

    id: str
    digest: str
    account: str
    seen_at: int
    expires_at: int
    must_change: bool
    second_factor_pending: bool
    kind: str = "account"


def caller_of_session(conn: Connection, secret: str, at: int, idle_us: int) -> tuple[Caller, SessionState] | None:
    """The caller and the state of a session; None where it is unknown, over, idle too long, or its account disabled.

    Grants are those of now, not of the sign-in: what is taken from somebody is gone with the next request. A session
    whose second factor is pending has none. A device does not idle: it lies in a pocket between two doors.
    """
    s, a = session.c, account.c
    columns = (s.digest, s.id, s.kind, s.account, s.name, s.grants, s.seen_at, s.expires_at)
    owner = (a.name.label("owner"), a.must_change, a.disabled_at)
    joined = session.outerjoin(account, (a.id == s.account) & (s.account != ""))
    query = select(*columns, *owner).select_from(joined).where(s.digest == digest_of(secret))
    row = conn.execute(query).one_or_none()
    if row is None or at >= row.expires_at:
        return None
    if row.kind == DEVICE:
        state = SessionState(row.id, row.digest, "", row.seen_at, row.expires_at, False, False, DEVICE)
        return Caller(row.id, row.name, grants_in(row.grants), "device"), state
    if row.owner is None or row.disabled_at is not None or has_idled(row.seen_at, at, idle_us):
        return None
    pending = row.kind in (SECOND, ENROL)
    must_change = bool(row.must_change)
    state = SessionState(row.id, row.digest, row.account, row.seen_at, row.expires_at, must_change, pending, row.kind)
    return Caller(row.account, row.owner, () if pending else grants_of(conn, row.account), "session"), state


def caller_of_token(conn: Connection, secret: str, at: int) -> Caller | None:
    """The caller of a program's or a wall's token; None where it is unknown, over or revoked."""
    t = token.c
    query = select(t.id, t.name, t.grants).where(
        t.digest == digest_of(secret), t.kind.in_((API, WALL)), t.expires_at > at, t.revoked_at.is_(None)
    )
    row = conn.execute(query).one_or_none()
    return Caller(row.id, row.name, grants_in(row.grants), "token") if row else None

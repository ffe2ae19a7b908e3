"""Tokens: of programs (`api`), of walls (`wall`), and what works once (`once`, `recovery`, `flow`).

Only a digest is kept, so that a secret is shown when it is made and never again.
"""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import uuid4

from sqlalchemy import Connection, delete, insert, select, update

from pingji.data.access.secret import digest_of, new_code, new_secret
from pingji.data.errors import DataError
from pingji.data.tables import token
from pingji.ops.access import Grant, Role

API, WALL, ONCE, RECOVERY = "api", "wall", "once", "recovery"
CODE_LENGTH = 8
FLOW = "flow"  # a sign-in that is under way at a provider


class UnknownToken(DataError):
    """No token has that id, or it is revoked. `token`."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its secret."""

    id: str
    kind: str
    name: str
    grants: tuple[Grant, ...]
    created_by: str
    created_at: int
    expires_at: int
    used_at: int
    revoked_at: int | None


def make_token(
    conn: Connection,
    *,
    kind: str,
    name: str,
    grants: Collection[Grant],
    created_by: str,
    at: int,
    expires_at: int,
    secret: str = "",
) -> tuple[str, str]:
    """A new token: its id and its secret, which is drawn unless given."""
    secret = secret or new_secret()
    row = {
        "id": str(uuid4()),
        "digest": digest_of(secret),
        "kind": kind,
        "name": name,
        "grants": [[grant.role.value, grant.scope] for grant in grants],
        "created_by": created_by,
        "created_at": at,
        "expires_at": expires_at,
    }
    conn.execute(insert(token), row)
    return str(row["id"]), secret


def new_device_code() -> str:
    """What a field post types: eight capitals and digits, 39 bits for ten minutes."""
    return new_code(CODE_LENGTH)


def use_code(conn: Connection, kind: str, code: str, at: int, *, owner: str | None = None) -> Token | None:
    """The code's token, used up by this very call; None where it was used, has expired or never was.

    One statement decides, so that two who send the same code at once can't both have it.
    """
    t = token.c
    here = [t.digest == digest_of(code), t.kind == kind, t.used_at == 0, t.revoked_at.is_(None), t.expires_at > at]
    if owner is not None:
        here.append(t.created_by == owner)
    if not conn.execute(update(token).where(*here).values(used_at=at)).rowcount:
        return None
    return token_of_digest(conn, digest_of(code))


def token_of_digest(conn: Connection, digest: str) -> Token | None:
    """The token of a digest, whatever its state."""
    row = conn.execute(_SELECT.where(token.c.digest == digest)).one_or_none()
    return _token(row) if row else None


def find_token(conn: Connection, token_id: str) -> Token:
    """The token of an id that is not revoked.

    Raises
    ------
    UnknownToken
    """
    row = conn.execute(_SELECT.where(token.c.id == token_id, token.c.revoked_at.is_(None))).one_or_none()
    if row is None:
        raise UnknownToken(token=token_id)
    return _token(row)


def tokens_of(conn: Connection, kinds: Collection[str] = (API, WALL, ONCE)) -> list[Token]:
    """Tokens that are not revoked, newest first; of codes only those that nobody has used."""
    t = token.c
    query = _SELECT.where(t.kind.in_(kinds), t.revoked_at.is_(None), (t.kind != ONCE) | (t.used_at == 0))
    return [_token(row) for row in conn.execute(query.order_by(t.created_at.desc(), t.id))]


def revoke(conn: Connection, token_id: str, at: int) -> None:
    """End a token from now on."""
    conn.execute(update(token).where(token.c.id == token_id).values(revoked_at=at))


def clear_expired(conn: Connection, at: int) -> None:
    """Forget codes and flows that nobody can use any more; programs' and walls' tokens stay for whoever looks back."""
    t = token.c
    over = (t.expires_at <= at) | (t.used_at > 0) & (t.kind != RECOVERY)
    conn.execute(delete(token).where(t.kind.in_((ONCE, FLOW)), over))


def revoke_recovery(conn: Connection, account_id: str, at: int) -> None:
    """End the recovery codes of an account."""
    t = token.c
    own = (t.kind == RECOVERY, t.created_by == account_id, t.revoked_at.is_(None))
    conn.execute(update(token).where(*own).values(revoked_at=at))


def touch_token(conn: Connection, token_id: str, at: int) -> None:
    """A program or a wall was here."""
    conn.execute(update(token).where(token.c.id == token_id, token.c.used_at < at).values(used_at=at))


def grants_in(kept: object) -> tuple[Grant, ...]:
    """Grants as a row of a token or a session has them; a role that is not known grants nothing."""
    known = {role.value for role in Role}
    pairs = kept if isinstance(kept, list) else []
    return tuple(Grant(Role(role), scope) for role, scope in pairs if role in known)


_SELECT = select(
    token.c.id,
    token.c.kind,
    token.c.name,
    token.c.grants,
    token.c.created_by,
    token.c.created_at,
    token.c.expires_at,
    token.c.used_at,
    token.c.revoked_at,
)


def _token(row: object) -> Token:
    ident, kind, name, grants, *rest = tuple(row)  # type: ignore[arg-type, var-annotated]
    return Token(ident, kind, name, grants_in(grants), *rest)

"""Accounts and their grants."""

import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from pingji.data.access.passwords import hash_password, one_time_password
from pingji.data.access.second_factor import is_on
from pingji.data.errors import DataError
from pingji.data.tables import account, account_grant, session, token
from pingji.ops.access import Grant, Role
from pingji.ops.sign_in import Standing, login_of, name_of


class UnknownAccount(DataError):
    """No account has that id or login. `login`."""


class LoginTaken(DataError):
    """Another account has the login. `login`."""


class NameTaken(DataError):
    """Another account, device or token has the name, and a name in the journal must mean one of them. `name`."""


class LastAdministrator(DataError):
    """Without this account nobody could make accounts any more."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account, without its secrets."""

    id: str
    login: str
    name: str
    grants: tuple[Grant, ...]
    has_password: bool
    must_change: bool
    second_factor: bool
    subject: str
    standing: Standing
    created_at: int
    signed_in_at: int
    disabled_at: int | None


_COLUMNS = (
    account.c.id,
    account.c.login,
    account.c.name,
    account.c.password,
    account.c.must_change,
    account.c.totp,
    account.c.subject,
    account.c.failed,
    account.c.locked_until,
    account.c.created_at,
    account.c.signed_in_at,
    account.c.disabled_at,
)


def accounts_of(conn: Connection) -> list[Account]:
    """All accounts, by login."""
    return _load(conn)


def find_account(conn: Connection, id_or_login: str) -> Account:
    """The account of an id or a login.

    Raises
    ------
    UnknownAccount
    """
    wanted = unicodedata.normalize("NFKC", id_or_login).strip()
    found = _load(conn, (account.c.id == wanted) | (account.c.login == wanted.casefold()))
    if not found:
        raise UnknownAccount(login=id_or_login)
    return found[0]


def account_of_subject(conn: Connection, subject: str) -> Account | None:
    """The account that an OIDC provider's subject belongs to."""
    found = _load(conn, account.c.subject == subject) if subject else []
    return found[0] if found else None


def grants_of(conn: Connection, account_id: str) -> tuple[Grant, ...]:
    """The grants of one account, in a fixed order."""
    g = account_grant.c
    rows = conn.execute(select(g.role, g.scope).where(g.account == account_id))
    return _as_grants((role, scope) for role, scope in rows)


def add_account(
    conn: Connection,
    *,
    login: str,
    name: str,
    grants: Collection[Grant],
    at: int,
    password: str | None = None,
    subject: str = "",
) -> tuple[str, str | None]:
    """A new account: its id, and its one-time password where neither a password nor a subject was given.

    Raises
    ------
    LoginTaken
    NameTaken
    SignInError
        Where login or name can't be one.
    """
    login, name = login_of(login), name_of(name)
    if conn.scalar(select(account.c.id).where(account.c.login == login)) is not None:
        raise LoginTaken(login=login)
    require_free(conn, name, at)
    once = one_time_password() if password is None and not subject else None
    chosen = password or once
    row = {
        "id": str(uuid4()),
        "login": login,
        "name": name,
        "password": hash_password(chosen) if chosen else "",
        "must_change": once is not None,
        "subject": subject,
        "created_at": at,
    }
    conn.execute(insert(account), row)
    set_grants(conn, str(row["id"]), grants)
    return str(row["id"]), once


def require_free(conn: Connection, name: str, at: int) -> None:
    """That nobody else acts under a name: no account, no token, no device that is signed on or has its code.

    A device's name is free again when its session is over: a post keeps its name from shift to shift.

    Raises
    ------
    NameTaken
    """
    device = (session.c.kind == "device", session.c.expires_at > at)
    open_token = (token.c.kind.in_(("api", "wall", "once")), token.c.revoked_at.is_(None), token.c.expires_at > at)
    for table, also in ((account, ()), (session, device), (token, open_token)):
        same = func.lower(table.c.name) == func.lower(name)
        if conn.scalar(select(table.c.name).where(same, *also).limit(1)) is not None:
            raise NameTaken(name=name)


def set_grants(conn: Connection, account_id: str, grants: Collection[Grant]) -> None:
    """Replace what an account was granted."""
    conn.execute(delete(account_grant).where(account_grant.c.account == account_id))
    rows = [{"account": account_id, "role": g.role.value, "scope": g.scope} for g in sorted(set(grants))]
    if rows:
        conn.execute(insert(account_grant), rows)


def disable(conn: Connection, account_id: str, at: int | None) -> None:
    """Close an account from now on, or open it again (None), with its counter of wrong tries at nought."""
    values = {"disabled_at": at, **({"failed": 0, "locked_until": 0} if at is None else {})}
    conn.execute(update(account).where(account.c.id == account_id).values(**values))


def set_password(conn: Connection, account_id: str, hashed: str, *, must_change: bool) -> None:
    """A new hash; what was locked by wrong tries at the old password is open again."""
    values = {"password": hashed, "must_change": must_change, "failed": 0, "locked_until": 0}
    conn.execute(update(account).where(account.c.id == account_id).values(**values))


def password_of(conn: Connection, account_id: str) -> str:
    """The hash of an account's password."""
    return conn.scalar(select(account.c.password).where(account.c.id == account_id)) or ""


def require_administrator_left(conn: Connection, without: str) -> None:
    """That somebody else could still make accounts. Locks the grants of administrators, so that two can't go at once.

    Raises
    ------
    LastAdministrator
    """
    g = account_grant.c
    held = select(g.account).where(g.role == Role.ADMINISTRATOR.value).with_for_update()
    holders = set(conn.scalars(held)) - {without}
    open_ones = select(account.c.id).where(account.c.id.in_(holders), account.c.disabled_at.is_(None))
    if conn.scalar(open_ones.limit(1)) is None:
        raise LastAdministrator()


def any_account(conn: Connection) -> bool:
    """Whether there is an account at all."""
    return conn.scalar(select(account.c.id).limit(1)) is not None


def _as_grants(rows: Iterable[tuple[str, str]]) -> tuple[Grant, ...]:
    """Grants from rows; a role of a later version of this program grants nothing."""
    known = {role.value for role in Role}
    return tuple(sorted(Grant(Role(role), scope) for role, scope in rows if role in known))


def _load(conn: Connection, where: "ColumnElement[bool] | None" = None) -> list[Account]:
    query = select(*_COLUMNS).order_by(account.c.login)
    rows = conn.execute(query if where is None else query.where(where)).all()
    g = account_grant.c
    held: dict[str, list[tuple[str, str]]] = {row.id: [] for row in rows}
    granted = select(g.account, g.role, g.scope)
    if where is not None:
        granted = granted.where(g.account.in_(list(held)))
    for owner, role, scope in conn.execute(granted):
        held.setdefault(owner, []).append((role, scope))
    return [
        Account(
            row.id,
            row.login,
            row.name,
            _as_grants(held[row.id]),
            bool(row.password),
            row.must_change,
            is_on(row.totp),
            row.subject,
            Standing(row.failed, row.locked_until),
            row.created_at,
            row.signed_in_at,
            row.disabled_at,
        )
        for row in rows
    ]

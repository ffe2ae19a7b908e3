"""Coming in: by password, by the second factor, by a one-time code; and changing the password.

A try is counted before it is judged and forgiven when it was right, in two transactions with the slow hash between
them: a hundred guesses at once are five, and nobody waits for a hash with the store locked.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, select, update

from pingji.data import audit
from pingji.data.access import passwords, second_factor, sessions, tokens
from pingji.data.access.accounts import Account, find_account, set_password
from pingji.data.access.secret import typed_code
from pingji.data.access.telling import tell_as
from pingji.data.engine import reading, writing
from pingji.data.tables import account
from pingji.ops import sign_in as rules
from pingji.ops.access import Grant, Role
from pingji.ops.sign_in import PasswordUnchanged, Standing, WrongSignIn, plain

# Whoever can change much, or see everybody, should have a second factor.
NEED_SECOND_FACTOR = frozenset({Role.ADMINISTRATOR, Role.COMMANDER, Role.DUTY_OFFICER, Role.AUDITOR})


@dataclass(frozen=True, slots=True)
class Browser:
    """Where a sign-in comes from, and what is done about its session of before."""

    address: str = ""
    agent: str = ""
    old_digest: str = ""  # the session that it had: a new one takes its place


@dataclass(frozen=True, slots=True)
class Entered:
    """A session that was begun. `kind` is that of `sessions`: what is still owed."""

    secret: str
    kind: str
    must_change: bool = False


class UnknownLogin(WrongSignIn):
    """Nobody has the login, or not by a password: said to nobody, counted elsewhere."""


def enter(engine: Engine, login: str, password: str, at: int, browser: Browser, *, require_second: bool) -> Entered:
    """Sign in by a password.

    Raises
    ------
    Locked
        Too many wrong tries in a row.
    WrongSignIn
        `UnknownLogin` where there is no such account; both cost the same time.
    """
    wanted = plain(login).casefold()
    with writing(engine) as conn:
        row = _open_account(conn, account.c.login == wanted)
        tried = _count(conn, row, at) if row and row.password else Standing()
    kept = row.password if row else ""
    if not passwords.matches(kept, password):
        if not kept or row is None:
            raise UnknownLogin()
        _tell_wrong(engine, row.id, row.name, "password", tried)
        raise WrongSignIn()
    assert row is not None
    better = passwords.hash_password(password) if passwords.is_outdated(kept) else ""
    with writing(engine) as conn:
        now = _open_account(conn, account.c.id == row.id)
        if now is None or now.password != kept:
            raise WrongSignIn()  # disabled or reset while the hash was made
        if better:
            conn.execute(update(account).where(account.c.id == row.id).values(password=better))
        return _let_in(conn, now, at, browser, require_second=require_second)


def enter_second(engine: Engine, account_id: str, code: str, at: int, browser: Browser) -> Entered:
    """The second step of a sign-in: a code of the app, or a recovery code.

    Raises
    ------
    Locked
    WrongSignIn
    """
    row, tried = _try_counted(engine, account_id, at)
    with writing(engine) as conn:
        factor = second_factor.use(conn, account_id, code, at)
        if factor:
            return _complete(conn, row, at, browser, by=factor)
    _tell_wrong(engine, account_id, row.name, "second_factor", tried)
    raise WrongSignIn()


def enter_enrolled(engine: Engine, account_id: str, code: str, at: int, browser: Browser) -> tuple[Entered, list[str]]:
    """The first code of a factor that had to be set up before anything else; with it come the recovery codes.

    Raises
    ------
    Locked
    WrongSignIn
    """
    row, tried = _try_counted(engine, account_id, at)
    with writing(engine) as conn:
        if second_factor.confirm(conn, account_id, code, at):
            codes = second_factor.new_recovery_codes(conn, account_id, at)
            entered = _complete(conn, row, at, browser, by="app")
            tell_as(conn, account_id, row.name, "second_factor_on")
            return entered, codes
    _tell_wrong(engine, account_id, row.name, "second_factor", tried)
    raise WrongSignIn()


def enter_known(conn: Connection, known: Account, at: int, browser: Browser, by: str) -> Entered:
    """Sign in somebody whom a provider has vouched for: the second factor is the provider's business.

    Raises
    ------
    WrongSignIn
        Where the account is disabled.
    """
    row = _open_account(conn, account.c.id == known.id)
    if row is None:
        raise WrongSignIn()
    return _complete(conn, row, at, browser, by=by)


def enter_device(engine: Engine, code: str, at: int, browser: Browser) -> Entered:
    """Sign a device on by its one-time code, which is used up by this.

    Raises
    ------
    WrongSignIn
    """
    with writing(engine) as conn:
        found = tokens.use_code(conn, tokens.ONCE, typed_code(code), at)
        if found is None:
            raise WrongSignIn()
        sessions.clear_expired(conn, at)
        secret = sessions.begin_session(
            conn,
            None,
            at=at,
            lifetime_us=rules.DEVICE_US,
            kind=sessions.DEVICE,
            name=found.name,
            grants=found.grants,
            address=browser.address,
            agent=browser.agent,
        )
        sessions.end_session(conn, browser.old_digest)
        tell_as(conn, found.id, found.name, "sign_in", detail={"by": "code"})
        return Entered(secret, sessions.DEVICE)


def leave(engine: Engine, digest: str) -> None:
    """Sign out; the audit takes who it is from the request."""
    with writing(engine) as conn:
        if sessions.end_session(conn, digest):
            audit.record(conn, action="sign_out")


def change_password(
    engine: Engine, account_id: str, old: str | None, new: str, at: int, browser: Browser, *, require_second: bool
) -> Entered:
    """Choose a new password: all sessions end, and a fresh one begins.

    `old` is None where the password of now is a one-time one, that was typed a moment ago.

    Raises
    ------
    Locked
        Wrong tries at the old password count as those of a sign-in do.
    WrongSignIn
        The old password is wrong.
    PasswordRefused
    """
    known, kept = _account_and_password(engine, account_id)
    if old is not None or not known.must_change:
        require_password(engine, account_id, old or "", at)
    rules.require_good(new, known.login, known.name)
    if passwords.matches(kept, new):
        raise PasswordUnchanged()
    hashed = passwords.hash_password(new)
    with writing(engine) as conn:
        row = _open_account(conn, account.c.id == account_id)
        if row is None or row.password != kept:
            raise WrongSignIn()
        set_password(conn, account_id, hashed, must_change=False)
        sessions.end_sessions_of(conn, account_id)
        owes = sessions.ENROL if _owes_factor(row, known.grants, require_second) else sessions.ACCOUNT
        secret = _begin(conn, row, at, browser, owes)
        tell_as(conn, account_id, row.name, "password_changed")
        return Entered(secret, owes)


def require_password(engine: Engine, account_id: str, password: str, at: int) -> None:
    """That whoever sits there knows the password: asked again before a lock is taken off.

    Raises
    ------
    Locked
    WrongSignIn
    """
    with writing(engine) as conn:
        row = _open_account(conn, account.c.id == account_id)
        if row is None:
            raise WrongSignIn()
        tried = _count(conn, row, at)
    if not passwords.matches(row.password, password):
        _tell_wrong(engine, account_id, row.name, "password", tried)
        raise WrongSignIn()
    with writing(engine) as conn:
        _take_back(conn, account_id)


def _account_and_password(engine: Engine, account_id: str) -> tuple[Account, str]:
    with reading(engine) as conn:
        known = find_account(conn, account_id)
        return known, conn.scalar(select(account.c.password).where(account.c.id == account_id)) or ""


def _open_account(conn: Connection, where: object) -> Any:
    """The row of an account that is not disabled, locked for this transaction."""
    a = account.c
    columns = (a.id, a.login, a.name, a.password, a.must_change, a.totp, a.failed, a.locked_until)
    query = select(*columns).where(where, a.disabled_at.is_(None)).with_for_update()  # type: ignore[arg-type]
    return conn.execute(query).one_or_none()


def _try_counted(engine: Engine, account_id: str, at: int) -> tuple[Any, Standing]:
    """An account whose try has been counted and committed: only then is the code looked at."""
    with writing(engine) as conn:
        row = _open_account(conn, account.c.id == account_id)
        if row is None:
            raise WrongSignIn()
        return row, _count(conn, row, at)


def _count(conn: Connection, row: Any, at: int) -> Standing:
    """Count a try before it is judged.

    Raises
    ------
    Locked
    """
    tried = rules.begin_try(Standing(row.failed, row.locked_until), at)
    _keep(conn, row.id, tried)
    return tried


def _take_back(conn: Connection, account_id: str) -> None:
    a = account.c
    row = conn.execute(select(a.failed, a.locked_until).where(a.id == account_id).with_for_update()).one()
    _keep(conn, account_id, rules.take_back(Standing(row.failed, row.locked_until)))


def _keep(conn: Connection, account_id: str, standing: Standing) -> None:
    values = {"failed": standing.failed, "locked_until": standing.locked_until}
    conn.execute(update(account).where(account.c.id == account_id).values(**values))


def _tell_wrong(engine: Engine, account_id: str, name: str, what: str, tried: Standing) -> None:
    with writing(engine) as conn:
        tell_as(
            conn, account_id, name, "sign_in_failed", outcome=audit.REFUSED, detail={"what": what, "n": tried.failed}
        )
        if tried.locked_until:
            tell_as(conn, account_id, name, "locked", detail={"until": tried.locked_until})


def _let_in(conn: Connection, row: Any, at: int, browser: Browser, *, require_second: bool) -> Entered:
    """The password was right: in, or on to the second factor with a session that opens nothing."""
    grants = find_account(conn, str(row.id)).grants
    on = second_factor.is_on(str(row.totp))
    # A one-time password is changed first: the factor that is set up then belongs to whoever chose the new one.
    owes_factor = _owes_factor(row, grants, require_second) and not row.must_change
    if not on and not owes_factor:
        return _complete(conn, row, at, browser, by="password")
    _take_back(conn, str(row.id))
    kind = sessions.SECOND if on else sessions.ENROL
    return Entered(_begin(conn, row, at, browser, kind), kind)


def _owes_factor(row: Any, grants: Collection[Grant], required: bool) -> bool:
    needed = any(grant.role in NEED_SECOND_FACTOR for grant in grants)
    return required and needed and not second_factor.is_on(str(row.totp))


def _complete(conn: Connection, row: Any, at: int, browser: Browser, by: str) -> Entered:
    """The whole of a sign-in: what went wrong before is forgotten."""
    values = {"failed": 0, "locked_until": 0, "signed_in_at": at}
    conn.execute(update(account).where(account.c.id == row.id).values(**values))
    sessions.clear_expired(conn, at)
    secret = _begin(conn, row, at, browser, sessions.ACCOUNT)
    tell_as(conn, str(row.id), str(row.name), "sign_in", detail={"by": by})
    return Entered(secret, sessions.ACCOUNT, bool(row.must_change))


def _begin(conn: Connection, row: Any, at: int, browser: Browser, kind: str) -> str:
    sessions.end_session(conn, browser.old_digest)
    whole = kind == sessions.ACCOUNT
    return sessions.begin_session(
        conn,
        str(row.id),
        at=at,
        lifetime_us=rules.SESSION_US if whole else rules.HALF_US,
        kind=kind,
        address=browser.address,
        agent=browser.agent,
    )

"""What an administrator does with accounts, tokens and codes: each within reach, each told to the audit."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection

from pingji.data import audit
from pingji.data.access import accounts, passwords, second_factor, sessions, tokens
from pingji.data.access.accounts import Account
from pingji.data.access.granting import OwnRights, Reach
from pingji.data.errors import DataError
from pingji.ops.access import Caller, Grant, OutsideYourArea, Role
from pingji.ops.sign_in import MINUTE_US, name_of

CODE_US = 10 * MINUTE_US
DEVICE_ROLES = frozenset({Role.FIELD, Role.SHELTER_DESK})
TOKEN_DAYS_MAX = 400


class RoleNotForTokens(DataError):
    """A program may not make accounts, a wall shows aggregates only, a device counts. `role`, `kind`."""


class UnknownDevice(DataError):
    """No device is signed on under that id. `device`."""


@dataclass(frozen=True)
class Manager:
    """Somebody who manages accounts, in one transaction. `caller` is None at the machine itself, which may all."""

    conn: Connection
    at: int
    county: str = ""
    caller: Caller | None = None

    @property
    def reach(self) -> Reach | None:
        """Where the caller may; None: everywhere."""
        return Reach(self.conn, self.county, self.caller) if self.caller else None

    def all_accounts(self) -> list[Account]:
        """The accounts within reach."""
        reach = self.reach
        return [one for one in accounts.accounts_of(self.conn) if reach is None or reach.manages(one)]

    def account(self, id_or_login: str) -> Account:
        """One account within reach."""
        known = accounts.find_account(self.conn, id_or_login)
        self._require_reach(known.grants)
        return known

    def add(self, login: str, name: str, grants: Collection[Grant]) -> tuple[Account, str]:
        """A new account and its one-time password."""
        self._require(grants)
        made, once = accounts.add_account(self.conn, login=login, name=name, grants=grants, at=self.at)
        found = accounts.find_account(self.conn, made)
        self._tell("account_added", found.name, grants=_words(grants))
        return found, once or ""

    def grant(self, id_or_login: str, grants: Collection[Grant]) -> Account:
        """Replace the rights of an account: they hold from its next request on."""
        known = self._other(id_or_login)
        self._require(set(grants) - set(known.grants))  # a place that was closed since may stay
        if not any(grant.role is Role.ADMINISTRATOR for grant in grants) and known.disabled_at is None:
            self._require_another_administrator(known)
        accounts.set_grants(self.conn, known.id, grants)
        self._tell("account_changed", known.name, before=_words(known.grants), after=_words(grants))
        return accounts.find_account(self.conn, known.id)

    def disable(self, id_or_login: str) -> Account:
        """Close an account; its sessions end."""
        known = self._other(id_or_login)
        self._require_another_administrator(known)
        accounts.disable(self.conn, known.id, self.at)
        sessions.end_sessions_of(self.conn, known.id)
        self._tell("account_disabled", known.name)
        return accounts.find_account(self.conn, known.id)

    def enable(self, id_or_login: str) -> Account:
        """Open an account again, or one that wrong tries have locked."""
        known = self._other(id_or_login)
        accounts.disable(self.conn, known.id, None)
        self._tell("account_enabled", known.name)
        return accounts.find_account(self.conn, known.id)

    def reset(self, id_or_login: str) -> tuple[Account, str]:
        """A one-time password in place of a forgotten one; sessions end, the lock is off."""
        known = self._other(id_or_login)
        once = passwords.one_time_password()
        accounts.set_password(self.conn, known.id, passwords.hash_password(once), must_change=True)
        sessions.end_sessions_of(self.conn, known.id)
        self._tell("password_reset", known.name)
        return known, once

    def drop_second_factor(self, id_or_login: str) -> Account:
        """For somebody who lost the phone and the recovery codes."""
        known = self._other(id_or_login)
        second_factor.turn_off(self.conn, known.id, self.at)
        sessions.end_sessions_of(self.conn, known.id)
        self._tell("second_factor_off", known.name)
        return accounts.find_account(self.conn, known.id)

    def make_token(self, kind: str, name: str, grant: Grant, days: int) -> tuple[tokens.Token, str]:
        """A token of a program or a wall, and its secret."""
        if (grant.role is Role.WALL) != (kind == tokens.WALL) or grant.role is Role.ADMINISTRATOR:
            raise RoleNotForTokens(role=grant.role.value, kind=kind)
        expires_at = self.at + min(days, TOKEN_DAYS_MAX) * 24 * 60 * MINUTE_US
        return self._make(kind, name, grant, expires_at, "")

    def make_code(self, name: str, grant: Grant, minutes: int) -> tuple[tokens.Token, str]:
        """A one-time code for a device at a field post."""
        if grant.role not in DEVICE_ROLES:
            raise RoleNotForTokens(role=grant.role.value, kind=tokens.ONCE)
        tokens.clear_expired(self.conn, self.at)
        return self._make(tokens.ONCE, name, grant, self.at + minutes * MINUTE_US, tokens.new_device_code())

    def all_tokens(self) -> list[tokens.Token]:
        """Tokens and open codes within reach."""
        reach = self.reach
        return [
            one
            for one in tokens.tokens_of(self.conn)
            if reach is None or all(reach.covers(grant.scope) for grant in one.grants)
        ]

    def revoke(self, token_id: str) -> tokens.Token:
        """End a token or a code."""
        found = tokens.find_token(self.conn, token_id)
        self._require_reach(found.grants)
        tokens.revoke(self.conn, token_id, self.at)
        self._tell("token_revoked", found.name, kind=found.kind)
        return found

    def all_devices(self) -> list[sessions.Device]:
        """Devices that are signed on, within reach."""
        reach = self.reach
        return [
            one
            for one in sessions.devices(self.conn, self.at)
            if reach is None or all(reach.covers(grant.scope) for grant in one.grants)
        ]

    def end_device(self, session_id: str) -> None:
        """Sign a device off: it was lost, or its shift is over.

        Raises
        ------
        UnknownDevice
        """
        found = next((one for one in self.all_devices() if one.id == session_id), None)
        if found is None:
            raise UnknownDevice(device=session_id)
        sessions.end_session_named(self.conn, session_id)
        self._tell("device_ended", found.name)

    def _make(self, kind: str, name: str, grant: Grant, until: int, secret: str) -> tuple[tokens.Token, str]:
        called = name_of(name)
        self._require([grant])
        accounts.require_free(self.conn, called, self.at)
        ident, secret = tokens.make_token(
            self.conn,
            kind=kind,
            name=called,
            grants=[grant],
            created_by=self.caller.id if self.caller else "",
            at=self.at,
            expires_at=until,
            secret=secret,
        )
        action = "code_made" if kind == tokens.ONCE else "token_made"
        self._tell(action, called, kind=kind, grants=_words([grant]))
        return tokens.find_token(self.conn, ident), secret

    def _other(self, id_or_login: str) -> Account:
        """The account, which is within reach and not the caller's own."""
        known = self.account(id_or_login)
        if self.caller is not None and known.id == self.caller.id:
            raise OwnRights()
        return known

    def _require(self, grants: Collection[Grant]) -> None:
        if (reach := self.reach) is not None:
            reach.require(grants)

    def _require_reach(self, grants: Collection[Grant]) -> None:
        reach = self.reach
        beyond = [] if reach is None else [grant.scope for grant in grants if not reach.covers(grant.scope)]
        if beyond:
            raise OutsideYourArea(scope=beyond[0])

    def _require_another_administrator(self, known: Account) -> None:
        if any(grant.role is Role.ADMINISTRATOR for grant in known.grants):
            accounts.require_administrator_left(self.conn, known.id)

    def _tell(self, action: str, object: str, **detail: object) -> None:
        audit.record(self.conn, action=action, object=object, detail=detail)


def _words(grants: Collection[Grant]) -> list[str]:
    return [f"{grant.role.value}:{grant.scope}" for grant in sorted(grants)]

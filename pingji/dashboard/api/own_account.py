"""`/api/v1/account`: one's own account: rights, password, second factor, sessions."""

from typing import Annotated

import anyio
from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, StringConstraints

from pingji.dashboard.access import Routes, Who, needs
from pingji.dashboard.account_words import account_words, grant_words, scope_names
from pingji.dashboard.api.accounts import Id
from pingji.dashboard.context import Context, now_us
from pingji.dashboard.sign_in.rendering import qr_code
from pingji.dashboard.sign_in.routes import ISSUER
from pingji.dashboard.sign_in.visit import Visit
from pingji.data import audit
from pingji.data.access import entering, second_factor, sessions
from pingji.data.access.accounts import find_account
from pingji.data.engine import reading, writing
from pingji.ops.access import Caller
from pingji.ops.sign_in import NoAccount, SecondFactorOn, WrongSignIn

Secret = Annotated[str, StringConstraints(max_length=200)]
Code = Annotated[str, StringConstraints(max_length=32)]


class PasswordIn(BaseModel):
    """The password of now, and a new one."""

    model_config = ConfigDict(extra="forbid")

    old: Secret
    new: Secret


class ConfirmIn(BaseModel):
    """The password, because a lock is taken off."""

    model_config = ConfigDict(extra="forbid")

    password: Secret


class CodeIn(BaseModel):
    """A code of the authenticator app."""

    model_config = ConfigDict(extra="forbid")

    code: Code


def router(context: Context) -> Routes:
    """The routes of one's own account. Slow hashes run in FastAPI's threads."""
    routes = Routes(tags=["account"])
    _looks(routes, context)
    _password(routes, context)
    _factor(routes, context)
    _sessions(routes, context)
    return routes


def own(caller: Caller) -> str:
    """The id of the caller's account.

    Raises
    ------
    NoAccount
        A device, a program and a wall have none.
    """
    if caller.door != "session":
        raise NoAccount()
    return caller.id


def _looks(routes: Routes, context: Context) -> None:
    @routes.get("/account")
    @needs()
    def account(who: Who) -> dict[str, object]:
        """Who the caller is and what it may do, in words; with the account, where there is one."""
        county = context.county_or_none()
        code = county.code if county else ""
        with reading(context.engine) as conn:
            names = scope_names(conn, code, who.grants)
            known = find_account(conn, who.id) if who.door == "session" else None
        return {
            "name": who.name,
            "door": who.door,
            "grants": grant_words(who.grants, names),
            "permissions": sorted(permission.value for permission in who.permissions),
            "account": account_words(known, now_us(), names) if known else None,
            "second_factor_offered": context.settings.second_factor != "off",
        }


def _password(routes: Routes, context: Context) -> None:
    lanes = anyio.CapacityLimiter(2)

    @routes.post("/account/password")
    @needs()
    async def password(body: PasswordIn, request: Request, response: Response, who: Who) -> dict[str, object]:
        """Choose a new password: every other session ends, and this one gets a fresh secret."""
        visit = Visit(request, context.settings)
        account = own(who)

        def change() -> entering.Entered:
            required = context.settings.second_factor == "required"
            at = now_us()
            return entering.change_password(
                context.engine, account, body.old, body.new, at, visit.browser, require_second=required
            )

        done = await anyio.to_thread.run_sync(change, limiter=lanes)
        context.on_access()
        visit.keep_session(response, done)
        return {"changed": True}


def _factor(routes: Routes, context: Context) -> None:
    @routes.post("/account/second-factor")
    @needs()
    def begin(body: ConfirmIn, who: Who) -> dict[str, object]:
        """A secret for an authenticator app, told this once; it counts after its first code."""
        account = own(who)
        entering.require_password(context.engine, account, body.password, now_us())
        with writing(context.engine) as conn:
            known = find_account(conn, account)
            if known.second_factor:
                raise SecondFactorOn()
            secret = second_factor.begin(conn, account)
        uri = second_factor.uri_of(secret, known.login, ISSUER)
        return {"secret": secret, "uri": uri, "qr": qr_code(uri)}

    @routes.post("/account/second-factor/code")
    @needs()
    def confirm(body: CodeIn, request: Request, response: Response, who: Who) -> dict[str, object]:
        """The first code turns the factor on. The recovery codes are told this once."""
        visit = Visit(request, context.settings)
        done, codes = entering.enter_enrolled(context.engine, own(who), body.code, now_us(), visit.browser)
        context.on_access()
        visit.keep_session(response, done)
        return {"recovery_codes": codes}

    @routes.post("/account/second-factor/recovery")
    @needs()
    def recovery(body: ConfirmIn, who: Who) -> dict[str, object]:
        """New recovery codes in place of those of before, told this once."""
        account = own(who)
        entering.require_password(context.engine, account, body.password, now_us())
        with writing(context.engine) as conn:
            if not find_account(conn, account).second_factor:
                raise WrongSignIn()
            codes = second_factor.new_recovery_codes(conn, account, now_us())
            audit.record(conn, action="recovery_codes_made", object=who.name)
        return {"recovery_codes": codes}

    @routes.post("/account/second-factor/off")
    @needs()
    def off(body: ConfirmIn, who: Who) -> dict[str, object]:
        """No second factor any more."""
        account = own(who)
        entering.require_password(context.engine, account, body.password, now_us())
        with writing(context.engine) as conn:
            second_factor.turn_off(conn, account, now_us())
            audit.record(conn, action="second_factor_off", object=who.name)
        return {"second_factor": False}


def _sessions(routes: Routes, context: Context) -> None:
    @routes.get("/account/sessions")
    @needs()
    def listed(request: Request, who: Who) -> dict[str, object]:
        """Where the caller is signed in."""
        digest = Visit(request, context.settings).known.digest
        with reading(context.engine) as conn:
            found = sessions.sessions_of(conn, own(who), now_us())
            this = sessions.id_of(conn, digest)
        keys = ("id", "created_at", "seen_at", "expires_at", "address", "agent")
        return {"sessions": [{**{k: getattr(s, k) for k in keys}, "this": s.id == this} for s in found]}

    @routes.delete("/account/sessions")
    @needs()
    def end_others(request: Request, who: Who) -> dict[str, object]:
        """Sign out everywhere else."""
        digest = Visit(request, context.settings).known.digest
        with writing(context.engine) as conn:
            ended = sessions.end_sessions_of(conn, own(who), but=digest)
            audit.record(conn, action="sessions_ended", object=who.name, detail={"n": ended})
        context.on_access()
        return {"ended": ended}

    @routes.delete("/account/sessions/{id}")
    @needs()
    def end_one(id: Id, who: Who) -> dict[str, object]:
        """Sign out in one other place; somebody else's session can't be named here."""
        with writing(context.engine) as conn:
            ended = sessions.end_own_session(conn, own(who), id)
            if ended:
                audit.record(conn, action="sessions_ended", object=who.name, detail={"n": 1})
        context.on_access()
        return {"ended": int(ended)}

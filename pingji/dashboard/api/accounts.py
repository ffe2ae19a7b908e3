"""`/api/v1/accounts`: accounts, tokens, codes and devices, for whoever manages them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Literal

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import Connection

from pingji.dashboard.access import Routes, Who, needs
from pingji.dashboard.account_words import account_words, device_words, grantable, scope_names, token_words
from pingji.dashboard.api.common import NO_CONTROLS
from pingji.dashboard.context import Context, now_us
from pingji.dashboard.sign_in.rendering import qr_code
from pingji.data.access.accounts import Account
from pingji.data.access.managing import TOKEN_DAYS_MAX, Manager
from pingji.data.engine import reading, writing
from pingji.ops.access import Caller, Grant, Permission, Role

Id = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=NO_CONTROLS)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=NO_CONTROLS)]
Scope = Annotated[str, StringConstraints(min_length=1, max_length=32, pattern=NO_CONTROLS)]
CODE_MINUTES_MAX = 60
MANAGE = Permission.MANAGE_ACCOUNTS


class GrantIn(BaseModel):
    """A role within a scope: a code, or `*` for everywhere."""

    model_config = ConfigDict(extra="forbid")

    role: Role
    scope: Scope

    @property
    def grant(self) -> Grant:
        """As the rules know it."""
        return Grant(self.role, self.scope)


Grants = Annotated[list[GrantIn], Field(max_length=50)]


class AccountIn(BaseModel):
    """A new account."""

    model_config = ConfigDict(extra="forbid")

    login: Name
    name: Name
    grants: Grants


class ChangeIn(BaseModel):
    """What changes of an account; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    grants: Grants | None = None
    disabled: bool | None = None
    second_factor: Literal[False] | None = None


class TokenIn(BaseModel):
    """A token of a program or a wall."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["api", "wall"]
    name: Name
    role: Role
    scope: Scope
    days: Annotated[int, Field(ge=1, le=TOKEN_DAYS_MAX)] = 90


class CodeIn(BaseModel):
    """A one-time code for a field post."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    role: Literal["field", "shelter_desk"]
    scope: Scope
    minutes: Annotated[int, Field(ge=1, le=CODE_MINUTES_MAX)] = 10


def router(context: Context) -> Routes:
    """The routes of accounts, tokens, codes and devices."""
    routes = Routes(tags=["accounts"])
    _accounts(routes, context)
    _tokens(routes, context)
    _devices(routes, context)
    return routes


@contextmanager
def managing(context: Context, caller: Caller) -> Iterator[Manager]:
    """One transaction of somebody who manages accounts; afterwards what the guard remembers is looked up anew."""
    county = context.county_or_none()
    with writing(context.engine) as conn:
        yield Manager(conn, now_us(), county.code if county else "", caller)
    context.on_access()


@contextmanager
def looking(context: Context, caller: Caller) -> Iterator[Manager]:
    """A look at what somebody manages."""
    county = context.county_or_none()
    with reading(context.engine) as conn:
        yield Manager(conn, now_us(), county.code if county else "", caller)


def named(conn: Connection, manager: Manager, known: Account) -> dict[str, object]:
    """One account as the API shows it."""
    return account_words(known, manager.at, scope_names(conn, manager.county, known.grants))


def _accounts(routes: Routes, context: Context) -> None:
    @routes.get("/accounts")
    @needs(MANAGE)
    def accounts(who: Who) -> dict[str, object]:
        """The accounts that the caller manages."""
        with looking(context, who) as manager:
            found = manager.all_accounts()
            names = scope_names(manager.conn, manager.county, [g for one in found for g in one.grants])
            return {"accounts": [account_words(one, manager.at, names) for one in found], "self": who.id}

    @routes.get("/accounts/scopes")
    @needs(MANAGE)
    def scopes(who: Who) -> dict[str, object]:
        """Where the caller may grant something: everywhere, county, townships, communities, places; grids by code."""
        with looking(context, who) as manager:
            return {"scopes": grantable(manager)}

    @routes.post("/accounts", status_code=201)
    @needs(MANAGE)
    def add(body: AccountIn, who: Who) -> dict[str, object]:
        """A new account. The one-time password is told this once."""
        with managing(context, who) as manager:
            made, once = manager.add(body.login, body.name, [one.grant for one in body.grants])
            return {"account": named(manager.conn, manager, made), "one_time_password": once}

    @routes.patch("/accounts/{id}")
    @needs(MANAGE)
    def change(id: Id, body: ChangeIn, who: Who) -> dict[str, object]:
        """Other rights, closed or open, no second factor any more."""
        with managing(context, who) as manager:
            if body.grants is not None:
                manager.grant(id, [one.grant for one in body.grants])
            if body.disabled is not None:
                manager.disable(id) if body.disabled else manager.enable(id)
            if body.second_factor is False:
                manager.drop_second_factor(id)
            return {"account": named(manager.conn, manager, manager.account(id))}

    @routes.post("/accounts/{id}/password")
    @needs(MANAGE)
    def reset(id: Id, who: Who) -> dict[str, object]:
        """A one-time password in place of a forgotten one; told this once."""
        with managing(context, who) as manager:
            known, once = manager.reset(id)
            return {"id": known.id, "one_time_password": once}


def _tokens(routes: Routes, context: Context) -> None:
    @routes.get("/accounts/tokens")
    @needs(MANAGE)
    def tokens(who: Who) -> dict[str, object]:
        """Tokens and open codes that the caller manages, without their secrets."""
        with looking(context, who) as manager:
            found = manager.all_tokens()
            names = scope_names(manager.conn, manager.county, [g for one in found for g in one.grants])
            return {"tokens": [token_words(one, names) for one in found]}

    @routes.post("/accounts/tokens", status_code=201)
    @needs(MANAGE)
    def make(body: TokenIn, request: Request, who: Who) -> dict[str, object]:
        """A token; its secret is told this once. A wall's comes with the link to open in its browser."""
        with managing(context, who) as manager:
            made, secret = manager.make_token(body.kind, body.name, Grant(body.role, body.scope), body.days)
            names = scope_names(manager.conn, manager.county, made.grants)
        link = f"{_base(context, request)}/sign-in/wall?token={secret}" if body.kind == "wall" else None
        return {"token": token_words(made, names), "secret": secret, "url": link}

    @routes.delete("/accounts/tokens/{id}")
    @needs(MANAGE)
    def revoke(id: Id, who: Who) -> dict[str, object]:
        """End a token or a code."""
        with managing(context, who) as manager:
            return {"id": manager.revoke(id).id}


def _devices(routes: Routes, context: Context) -> None:
    @routes.post("/accounts/codes", status_code=201)
    @needs(MANAGE)
    def code(body: CodeIn, request: Request, who: Who) -> dict[str, object]:
        """A code that signs one device on; told this once, with a link and its QR code as an SVG."""
        with managing(context, who) as manager:
            made, secret = manager.make_code(body.name, Grant(Role(body.role), body.scope), body.minutes)
            names = scope_names(manager.conn, manager.county, made.grants)
        link = f"{_base(context, request)}/sign-in/device?code={secret}"
        return {"token": token_words(made, names), "code": secret, "url": link, "qr": qr_code(link)}

    @routes.get("/accounts/devices")
    @needs(MANAGE)
    def devices(who: Who) -> dict[str, object]:
        """Devices that are signed on."""
        with looking(context, who) as manager:
            found = manager.all_devices()
            names = scope_names(manager.conn, manager.county, [g for one in found for g in one.grants])
            return {"devices": [device_words(one, names) for one in found]}

    @routes.delete("/accounts/devices/{id}")
    @needs(MANAGE)
    def end(id: Id, who: Who) -> dict[str, object]:
        """Sign a device off."""
        with managing(context, who) as manager:
            manager.end_device(id)
            return {"id": id}


def _base(context: Context, request: Request) -> str:
    """The address that people type."""
    return (context.settings.public_url or str(request.base_url)).rstrip("/")

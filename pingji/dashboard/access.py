"""Who may call what: the rule of every route, checked in one place, and the area that a caller's answer is cut to.

A route of ours states its rule beside its path; one without a rule does not even start. The guard in front of
everything (`dashboard.guard`) finds out who calls; here it is decided whether that is enough.
"""

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple, TypeVar

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute
from sqlalchemy import Connection
from starlette.types import Receive, Scope, Send

from pingji.dashboard.context import Context
from pingji.data import areas
from pingji.data.engine import reading
from pingji.data.scopes import Scope as Named
from pingji.data.scopes import find_scope
from pingji.ops.access import Area, Caller, OutsideYourArea, Permission, require
from pingji.ops.mode import UnknownScope

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


class Rule(NamedTuple):
    """What a caller needs: one of the permissions, or only to be signed in; or not even that."""

    permissions: frozenset[Permission] = frozenset()
    public: bool = False


class MissingRule(TypeError):
    """A route that nobody said who may call."""


def needs(*permissions: Permission) -> Callable[[Endpoint], Endpoint]:
    """The rule of a route: any one of these permissions; none of them: whoever is signed in."""

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.rule = Rule(frozenset(permissions))  # type: ignore[attr-defined]
        return endpoint

    return mark


def public(endpoint: Endpoint) -> Endpoint:
    """The rule of a route that answers everybody: it tells nothing about anybody."""
    endpoint.rule = Rule(public=True)  # type: ignore[attr-defined]
    return endpoint


class Ruled(APIRoute):
    """A route that is only reached by whoever its rule lets in."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **rest: Any) -> None:
        rule = getattr(endpoint, "rule", None)
        if not isinstance(rule, Rule):
            raise MissingRule(f"{path}: say who may call it, with @needs(...) or @public")
        self.rule = rule
        super().__init__(path, endpoint, **rest)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if not self.rule.public:
            require(scope["state"].get("caller"), self.rule.permissions)
        await super().handle(scope, receive, send)


class Routes(APIRouter):
    """A router of ruled routes."""

    def __init__(self, **rest: Any) -> None:
        super().__init__(route_class=Ruled, **rest)


async def caller_of(request: Request) -> Caller:
    """The caller of a request whose rule has been checked."""
    return require(request.scope["state"].get("caller"), ())


Who = Annotated[Caller, Depends(caller_of)]


def area_in(conn: Connection, county: str, caller: Caller, *permissions: Permission) -> Area:
    """Where the caller may do one of these."""
    return areas.area_of(conn, county, caller.scopes(permissions))


def area_of(context: Context, caller: Caller, *permissions: Permission) -> Area:
    """Where the caller may do one of these; asks the store only for areas smaller than the county."""
    with reading(context.engine) as conn:
        return area_in(conn, context.county_code, caller, *permissions)


def require_scope(conn: Connection, county: Named, caller: Caller, code: str, *permissions: Permission) -> Named:
    """The scope of a code, which lies where the caller may do one of these.

    Raises
    ------
    UnknownScope
        Where no scope has the code.
    OutsideYourArea
    """
    found = county if code == county.code else find_scope(conn, county.code, code)
    area = area_in(conn, county.code, caller, *permissions)
    if not area.whole and (found is None or not areas.holds(area, found)):
        raise OutsideYourArea(scope=code)  # also for codes of nothing: whoever may not look there learns nothing
    if found is None:
        raise UnknownScope(scope=code)
    return found


def require_communities(
    conn: Connection, county: str, caller: Caller, codes: list[str] | tuple[str, ...], *permissions: Permission
) -> None:
    """All of these communities lie where the caller may do one of these.

    Raises
    ------
    OutsideYourArea
    """
    area = area_in(conn, county, caller, *permissions)
    for code in codes:
        if not area.holds(community=code):
            raise OutsideYourArea(scope=code)

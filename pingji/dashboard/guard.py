"""The guard in front of everything: finds out who calls, and lets nobody in whom it does not know.

What a caller may do is the routes' business (`dashboard.access`). Here: sessions and tokens, pages that send to the
sign-in, and requests that another site made a browser send.
"""

import asyncio
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote, urlsplit

from sqlalchemy import Engine
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from pingji.dashboard import errors
from pingji.data.access import lookup
from pingji.data.engine import reading, writing
from pingji.data.origin import Origin, acting, origin
from pingji.ops.access import EVERYWHERE, AccessError, Caller, CrossSite, Grant, Permission, Role, SignInNeeded, require

SESSION = "pingji_session"
SECURE_SESSION = "__Host-pingji_session"  # where the address is https: no other host can set it
TOKEN = "pingji_token"  # of a wall without a keyboard
SIGN_IN = "/sign-in"
NEW_PASSWORD = "/sign-in/new-password"

# What anybody may ask: whether we are there, how to sign in, and files that are the same for everybody.
OPEN_PATHS = frozenset({"/healthz", "/readyz", SIGN_IN, "/sign-out", "/favicon.ico", "/assets/favicon.svg"})
OPEN_FOLDERS = ("/sign-in/", "/static/", "/assets/", "/_dash-component-suites/", "/_favicon.ico")
_P = Permission
# The screens, which are Dash's routes and not ours; none of them carries data.
PAGES: Mapping[str, tuple[Permission, ...]] = {
    "/": (_P.SEE_MAP,),
    "/grids": (_P.SEE_GRIDS,),
    "/wall": (_P.SEE_AGGREGATES, _P.SEE_FIGURES),
    "/shelters": (_P.SEE_FIGURES,),
    "/organisation": (_P.SEE_ORGANISATION,),
    "/accounts": (_P.MANAGE_ACCOUNTS,),
    "/audit": (_P.SEE_AUDIT,),
    "/health": (_P.SEE_HEALTH,),
    "/account": (),
}
# Where somebody lands who asks for `/` and has no map of their own there.
HOMES: Mapping[Role, str] = {Role.WALL: "/wall", Role.AUDITOR: "/audit"}
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FRESH_S = 2.0  # for how long a caller that was looked up is believed: so late is a lock-out noticed at most
KNOWN = 10_000  # callers that are remembered


@dataclass(frozen=True, slots=True)
class Known:
    """A caller, and what its session still waits for."""

    caller: Caller | None
    digest: str = ""
    must_change: bool = False
    pending: bool = False  # the password was right, the second factor has not been given
    until: float = 0.0


_NOBODY = Known(None)
_OURSELVES = Known(Caller("system", "system", (Grant(Role.LEADER, EVERYWHERE),), "system"))


class Callers:
    """Looks callers up, and remembers them for a moment."""

    def __init__(self, engine: Engine, idle_min: int) -> None:
        self._engine = engine
        self._idle_us = idle_min * 60_000_000
        self._known: dict[tuple[str, str], Known] = {}
        self.own_secret = lookup.new_secret()  # for what the process asks of itself

    async def find(self, door: str, secret: str) -> Known:
        """The caller of a secret that came in by a door; nobody where there is none."""
        if hmac.compare_digest(secret.encode(), self.own_secret.encode()):
            return _OURSELVES
        key = (door, lookup.digest_of(secret))  # a table of secrets would be worth stealing
        found = self._known.get(key)
        if found is None or found.until < time.monotonic():
            found = replace(await asyncio.to_thread(self._look_up, door, secret), until=time.monotonic() + FRESH_S)
            if len(self._known) >= KNOWN:
                self._known.clear()
            self._known[key] = found
        return found

    def forget(self) -> None:
        """What this process changed holds at once."""
        self._known.clear()

    async def touch(self, digest: str) -> None:
        """Somebody is there: the session does not count as idle."""
        await asyncio.to_thread(self._touch, digest)

    def _touch(self, digest: str) -> None:
        with writing(self._engine) as conn:
            lookup.touch_session(conn, digest, _now_us())

    def _look_up(self, door: str, secret: str) -> Known:
        with reading(self._engine) as conn:
            if door == "token":
                return Known(lookup.caller_of_token(conn, secret, _now_us()))
            found = lookup.caller_of_session(conn, secret, _now_us(), self._idle_us)
        if found is None:
            return _NOBODY
        caller, state = found
        return Known(caller, state.digest, state.must_change, state.second_factor_pending)


def _now_us() -> int:
    return time.time_ns() // 1000


class Guard:
    """Pure ASGI, so that streams pass untouched. Puts `caller`, `known` and `still` into the request's state."""

    def __init__(self, app: ASGIApp, callers: Callers, public_url: str = "") -> None:
        self._app = app
        self._callers = callers
        self._own = urlsplit(public_url).netloc

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 4401})  # nothing of ours speaks it
        headers = Headers(scope=scope)
        path = scope["path"]
        open_to_all = path in OPEN_PATHS or path.startswith(OPEN_FOLDERS)
        door, secret = _secret(headers)
        known = _NOBODY
        if secret and not path.startswith(("/assets/", "/_dash-component-suites/", "/static/")):
            known = await self._callers.find(door, secret)
        usable = known.caller is not None and not known.pending and not known.must_change
        caller = known.caller if usable else None
        state = scope.setdefault("state", {})
        state["caller"], state["known"] = caller, known
        state["still"] = lambda: self._callers.find(door, secret)
        try:
            if secret and not _is_bearer(headers):
                self._require_own_site(scope["method"], headers)
            if not open_to_all:
                caller = require(caller, PAGES.get(path.rstrip("/") or "/", ()))
        except AccessError as error:
            return await self._refuse(error, scope, headers, known)(scope, receive, send)
        address = scope["client"][0] if scope.get("client") else ""
        came = Origin("", "", "web", address, origin().request)
        with acting(came if caller is None else replace(came, id=caller.id, name=caller.name, door=caller.door)):
            await self._app(scope, receive, send)

    def _require_own_site(self, method: str, headers: Headers) -> None:
        """Cookies go along with whatever a browser sends; only what our own pages send may change anything.

        Browsers say where a request comes from (`Sec-Fetch-Site`, `Origin`); one that says neither is none of a
        page of today, and is refused.
        """
        if method in SAFE:
            return
        site = headers.get("sec-fetch-site")
        if site in ("same-origin", "none"):
            return
        came_from = urlsplit(headers.get("origin", "")).netloc
        if site is not None or not came_from or came_from not in (headers.get("host", ""), self._own):
            raise CrossSite()

    def _refuse(self, error: AccessError, scope: Scope, headers: Headers, known: Known) -> ASGIApp:
        wants_page = scope["method"] == "GET" and "text/html" in headers.get("accept", "")
        if wants_page and isinstance(error, SignInNeeded):
            if known.must_change and not known.pending:
                return RedirectResponse(NEW_PASSWORD, 303)
            back = scope["path"] + ("?" + scope["query_string"].decode("latin-1") if scope["query_string"] else "")
            return RedirectResponse(f"{SIGN_IN}?next={quote(back, safe='')}", 303)
        if wants_page and scope["path"] == "/" and known.caller is not None:
            home = next((HOMES[role] for role in sorted(known.caller.roles) if role in HOMES), "/account")
            return RedirectResponse(home, 303)
        status, key = errors.key_of(error)
        return errors.problem(status, key, errors.params_of(error), scope["path"])


def _is_bearer(headers: Headers) -> bool:
    """Whether a program shows a token itself; a cookie goes along with whatever a browser sends."""
    return headers.get("authorization", "").startswith("Bearer ")


def _secret(headers: Headers) -> tuple[str, str]:
    """By which door, and with what. A header outranks a cookie: programs mean what they say."""
    if _is_bearer(headers):
        return "token", headers["authorization"].removeprefix("Bearer ").strip()
    # Not http.cookies: it throws at names that other services of the same host may have set.
    cookies = cookie_parser(headers.get("cookie", ""))
    if own := cookies.get(SECURE_SESSION) or cookies.get(SESSION):
        return "session", own
    return ("token", cookies[TOKEN]) if cookies.get(TOKEN) else ("", "")

"""The guard in front of everything: a token for every request, where one is configured."""

import hmac
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from pingji.dashboard.errors import problem

COOKIE = "pingji_token"
OPEN_PATHS = ("/healthz", "/readyz")


class Guard:
    """Lets in who shows the token: as `Authorization: Bearer`, or once as `?token=` in a browser, kept as a cookie."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] not in ("http", "websocket") or scope["path"] in OPEN_PATHS or self._holds(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 4401})
        elif self._same(parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]):
            response = RedirectResponse(scope["path"], 303)
            response.set_cookie(COOKIE, self._token, httponly=True, samesite="strict")
            await response(scope, receive, send)
        else:
            await problem(401, "token_required", {}, scope["path"])(scope, receive, send)

    def _holds(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        # Not http.cookies: it throws at names that other services of the same host may have set.
        cookie = cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
        return self._same(bearer) or self._same(cookie)

    def _same(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token.encode())

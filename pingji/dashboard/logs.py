"""One log line and one measurement a request: its id, route, status and time, who asked, and nothing of what."""

import logging
import re
import time
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pingji.dashboard import errors
from pingji.dashboard.metrics import UNROUTED, Metrics
from pingji.data.origin import Origin, acting
from pingji.logs import note

log = logging.getLogger(__name__)
API = "/api/v1"
HEADER = b"x-request-id"
# Ids are taken over from a proxy, which makes UUIDs or 32 hex digits; a phone number for an id would end up in a log.
_UUID = re.compile(rb"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
QUIET = ("/assets/", "/static/", "/_dash-component-suites/", "/healthz", "/readyz", "/metrics")


class Requests:
    """Around everything: gives each request its id, answers where nobody else could, and tells of it afterwards."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        request = request_id(scope)
        status = 0
        told = False

        async def with_id(message: Message) -> None:
            nonlocal status, told
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (HEADER, request.encode())]
                if _streams(message):  # it ends when somebody closes a screen: hours later
                    told = True
                    self._tell(scope, status, began)
            await send(message)

        address = scope["client"][0] if scope.get("client") else ""
        with acting(Origin("", "", "web", address, request)):
            try:
                await self._app(scope, receive, with_id)
            except Exception as error:
                if status:  # too late for another answer
                    raise
                await failed(error, scope["path"])(scope, receive, with_id)
            finally:
                if not told:
                    self._tell(scope, status, began)

    def _tell(self, scope: Scope, status: int, began: float) -> None:
        seconds = time.perf_counter() - began
        route = template(scope)
        method = scope["method"]
        self._metrics.request(route, method, status, seconds)
        if scope["path"].startswith(QUIET) and status < 400:
            return
        caller = scope.get("state", {}).get("caller")
        note(
            log,
            logging.ERROR if status >= 500 else logging.INFO,
            "request",
            route=route,
            method=method,
            status=status,
            ms=round(seconds * 1000, 2),
            caller=caller.id if caller else "",
            door=caller.door if caller else "",
        )


def failed(error: Exception, instance: str) -> ASGIApp:
    """The answer to what went wrong outside of any route, as when the guard can't reach the store."""
    known = next((base for base in type(error).__mro__ if base in errors.STATUS), None)
    if known is None:
        log.error("unexpected error", exc_info=error)
        return errors.problem(500, "unexpected", {}, instance)
    return errors.problem(*errors.STATUS[known], errors.params_of(error), instance)


def request_id(scope: Scope) -> str:
    """The id that a proxy gave a request, where it is one, else a new one."""
    for name, value in scope["headers"]:
        if name == HEADER and _UUID.fullmatch(value.lower()):
            return str(value.decode())
    return uuid4().hex


def template(scope: Scope) -> str:
    """The route as it was declared: `/api/v1/places/{code}/status`, never the code itself."""
    path = getattr(scope.get("route"), "path", None)
    if not path:  # refused before it was routed, or a file
        return next((start for start in QUIET if scope["path"].startswith(start)), UNROUTED)
    # A route knows its path within its router only.
    return f"{API}{path}" if scope["path"].startswith(API) and not path.startswith("/api/") else f"/{path.lstrip('/')}"


def _streams(message: Message) -> bool:
    return any(name == b"content-type" and value.startswith(b"text/event-stream") for name, value in message["headers"])

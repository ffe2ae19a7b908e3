"""How much one caller may ask: token buckets by kind of request, and how many bytes a request may carry.

Limits are kept by each process for itself, in memory that is bounded: they stop a script that runs away and somebody
who copies the county name by name, not a flood, which is the proxy's business.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pingji.dashboard.errors import problem
from pingji.settings import Settings

MEGABYTE = 1 << 20
BODY_MB = 1
KNOWN = 20_000  # callers that are remembered; whoever was forgotten begins with a full bucket


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many at once, and so many a second after that."""

    name: str
    burst: float
    per_second: float


COUNTING = Allowance("counting", 4_000, 400)  # a township's phones may come through one gateway
SIGNING_IN = Allowance("signing_in", 30, 0.5)  # an office behind one address; accounts lock by themselves
NAMES = Allowance("names", 60, 1)  # a person reads no faster
FILES = Allowance("files", 20, 0.2)
REST = Allowance("rest", 1_000, 100)  # a map asks for all of its layers at once, and a hall opens many
REFUSED = Allowance("refused", 300, 10)  # of an address that nobody is signed in from

_FREE = ("/assets/", "/static/", "/_dash-component-suites/", "/healthz", "/readyz")
_FILES = ("/export", "/import", "/download")
_NAMES = ("/people", "/names", "/search", "/persons")


def allowance(method: str, path: str) -> Allowance | None:
    """Which bucket a request draws from; None where it costs next to nothing.

    >>> allowance("POST", "/api/v1/movements").name, allowance("GET", "/api/v1/people").name
    ('counting', 'names')
    """
    if path.startswith(_FREE):
        return None
    if path.startswith("/sign-in") and method == "POST":
        return SIGNING_IN
    if path == "/api/v1/movements":
        return COUNTING
    if path.endswith(_FILES) or "/export/" in path or path.endswith((".csv", ".xlsx")):
        return FILES
    return NAMES if path.endswith(_NAMES) else REST


class Buckets:
    """One bucket for each key: `wait` takes a token, or says for how many seconds there is none."""

    def __init__(self, known: int = KNOWN, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known = known
        self._levels: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._levels)

    def wait(self, who: str, what: Allowance, *, factor: float = 1.0, take: float = 1.0) -> float:
        """Seconds until the next token: 0 where one was taken. With `take=0` it only looks."""
        key, now = (what.name, who), self._clock()
        burst, rate = what.burst * factor, what.per_second * factor
        level, since = self._levels.get(key, (burst, now))
        level = min(burst, level + (now - since) * rate)
        if level < 1:
            self._levels[key] = (level, now)
            return (1 - level) / rate
        self._levels[key] = (level - take, now)
        self._levels.move_to_end(key)
        if len(self._levels) > self._known:
            self._levels.popitem(last=False)
        return 0.0


class CallerLimits:
    """Inside the guard: what somebody who is known may ask, or the address of somebody who is not."""

    def __init__(self, app: ASGIApp, settings: Settings, on_limit: Callable[[], None] = lambda: None) -> None:
        self._app = app
        self._factor = settings.rate_limit
        self._buckets = Buckets()
        self._on_limit = on_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http" and self._factor:
            what = allowance(scope["method"], scope["path"])
            if what is not None and (wait := self._buckets.wait(_who(scope), what, factor=self._factor)):
                self._on_limit()
                await _too_many(wait, scope)(scope, receive, send)
                return
        await self._app(scope, receive, send)


class AddressLimits:
    """Outside the guard: an address that is refused again and again is not looked up any more for a while."""

    def __init__(self, app: ASGIApp, settings: Settings, on_limit: Callable[[], None] = lambda: None) -> None:
        self._app = app
        self._factor = settings.rate_limit
        self._buckets = Buckets()
        self._on_limit = on_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or not self._factor or scope["path"].startswith(_FREE):
            await self._app(scope, receive, send)
            return
        address = _address(scope)
        if wait := self._buckets.wait(address, REFUSED, factor=self._factor, take=0):
            self._on_limit()
            await _too_many(wait, scope)(scope, receive, send)
            return

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 401:
                self._buckets.wait(address, REFUSED, factor=self._factor)
            await send(message)

        await self._app(scope, receive, watched)


class BodyLimits:
    """Refuses a body that is larger than its route takes, before or while it comes in."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._import_mb = settings.import_limit_mb

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return
        limit_mb = self.limit_mb(scope["path"])
        if _declared(scope) > limit_mb * MEGABYTE:
            await _too_large(limit_mb, scope)(scope, receive, send)
            return
        size, over, began = 0, False, False

        async def counted() -> Message:
            nonlocal size, over
            message = await receive()
            size += len(message.get("body", b""))
            over = over or size > limit_mb * MEGABYTE
            return {"type": "http.disconnect"} if over else message

        async def unless_over(message: Message) -> None:
            nonlocal began
            if not over or began:
                began = True
                await send(message)

        try:
            await self._app(scope, counted, unless_over)
        except Exception:
            if not over or began:
                raise
        if over and not began:
            await _too_large(limit_mb, scope)(scope, receive, send)

    def limit_mb(self, path: str) -> int:
        """What a route takes: files are counted again by their routes, as they are written down."""
        if path.endswith("/import") or "/import/" in path:
            return self._import_mb + 1
        return 5 if path == "/api/v1/movements" else BODY_MB  # whose route refuses 4 MB in its own words


def _declared(scope: Scope) -> int:
    value = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(value) if value.isdigit() else 0


def _who(scope: Scope) -> str:
    caller = scope.get("state", {}).get("caller")
    return caller.id if caller else _address(scope)


def _address(scope: Scope) -> str:
    return scope["client"][0] if scope.get("client") else "-"


def _too_large(limit_mb: int, scope: Scope) -> ASGIApp:
    return problem(413, "body_too_large", {"limit": limit_mb}, scope["path"])


def _too_many(wait: float, scope: Scope) -> ASGIApp:
    seconds = max(1, ceil(wait))
    answer = problem(429, "too_many_requests", {"seconds": seconds}, scope["path"])
    answer.headers["retry-after"] = str(seconds)
    return answer

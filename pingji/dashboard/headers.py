"""Security headers of every answer: what a browser may run, load and show here, and what it may keep."""

from collections.abc import Callable, Iterable, Sequence
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pingji.settings import Settings

_Pairs = list[tuple[bytes, bytes]]
TIANDITU = "https://*.tianditu.gov.cn"
HSTS = "max-age=31536000; includeSubDomains"
# Whatever a page of ours never asks a device for is refused to whoever manages to run in it. Position is the field
# app's; the clipboard is written by a click.
PERMISSIONS = "camera=(), display-capture=(), geolocation=(self), microphone=(), payment=(), usb=(), serial=()"


def policy(hashes: Iterable[str], *, tianditu: bool = False, secure: bool = False) -> str:
    """The Content-Security-Policy.

    Parameters
    ----------
    hashes : iterable of str
        `'sha256-…'` of the few scripts that Dash writes into its page. They are the same at every request, so
        hashes do what nonces would, and pages stay equal byte for byte.
    tianditu : bool
        Whether tiles of 天地图 are shown.
    secure : bool
        Whether people come by https: then nothing of a page is ever fetched by http.

    Examples
    --------
    >>> "unsafe" in policy(["'sha256-x'"])
    False
    """
    images = f"'self' data: blob:{f' {TIANDITU}' if tianditu else ''}"
    rules = {
        "default-src": "'none'",
        "script-src": " ".join(("'self'", *hashes)),
        "style-src": "'self'",
        "img-src": images,
        "font-src": "'self'",
        "connect-src": "'self'",
        "manifest-src": "'self'",
        "worker-src": "'self'",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    text = "; ".join(f"{name} {value}" for name, value in rules.items())
    return f"{text}; upgrade-insecure-requests" if secure else text


def by_https(settings: Settings) -> bool:
    """Whether people reach this service by https, as its public address says."""
    return urlsplit(str(getattr(settings, "public_url", "") or "")).scheme == "https"


class SecurityHeaders:
    """Adds the headers to every answer, one that an error or another middleware made included.

    Parameters
    ----------
    app : ASGIApp
    settings : Settings
    hashes : callable
        Asked once, at the first request: Dash knows its scripts only when its pages are complete.
    """

    def __init__(self, app: ASGIApp, settings: Settings, hashes: Callable[[], Sequence[str]]) -> None:
        self._app = app
        self._settings = settings
        self._hashes = hashes
        self._fixed: _Pairs = []
        self._data: _Pairs = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        fixed = self._fixed or self._prepare()
        if scope["path"].startswith(("/api/", "/_dash-update")):
            fixed = self._data

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name for name, _ in message.get("headers", ())}
                # What a route says of itself goes first: the stream's own Cache-Control, a download's policy.
                message["headers"] = [*message.get("headers", ()), *(pair for pair in fixed if pair[0] not in own)]
            await send(message)

        await self._app(scope, receive, with_headers)

    def _prepare(self) -> _Pairs:
        secure = by_https(self._settings)
        rules = policy(self._hashes(), tianditu=bool(self._settings.tianditu_key), secure=secure)
        values = {
            "content-security-policy": rules,
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",  # for browsers that know no frame-ancestors
            "referrer-policy": "same-origin",
            "permissions-policy": PERMISSIONS,
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
        }
        if secure:
            values["strict-transport-security"] = HSTS
        self._fixed = [(name.encode(), value.encode("latin-1")) for name, value in values.items()]
        self._data = [*self._fixed, (b"cache-control", b"no-store")]  # no proxy or disk keeps what a person may see
        return self._fixed

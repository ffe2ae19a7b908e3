"""Security headers of every answer: what a browser may run, load and show here, and what it may keep."""

import secrets
from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from urllib.parse import urlsplit

from dash import Dash
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pingji.settings import Settings

_Pairs = list[tuple[bytes, bytes]]
TIANDITU = "https://*.tianditu.gov.cn"
HSTS = "max-age=31536000; includeSubDomains"
# Whatever a page of ours never asks a device for is refused to whoever manages to run in it. Position is the field
# app's; the clipboard is written by a click.
PERMISSIONS = "camera=(), display-capture=(), geolocation=(self), microphone=(), payment=(), usb=(), serial=()"


CSP = b"content-security-policy"
# Holds the nonce of the page that this request is answered with, once there is one.
_nonce: ContextVar[list[str] | None] = ContextVar("nonce", default=None)


def policy(hashes: Iterable[str], *, nonce: str = "", tianditu: bool = False, secure: bool = False) -> str:
    """The Content-Security-Policy.

    Parameters
    ----------
    hashes : iterable of str
        `'sha256-…'` of the few scripts that Dash writes into its page: they are the same at every request.
    nonce : str
        Marks the style sheets that Leaflet and Dash make in the browser; `static/nonce.js` hands it to them.
    tianditu : bool
        Whether tiles of 天地图 are shown.
    secure : bool
        Whether people come by https: then nothing of a page is ever fetched by http.

    Examples
    --------
    >>> "unsafe" in policy(["'sha256-x'"], nonce="y")
    False
    """
    rules = {
        "default-src": "'none'",
        "script-src": " ".join(("'self'", *hashes)),
        "style-src": f"'self' 'nonce-{nonce}'" if nonce else "'self'",
        "img-src": f"'self' data: blob: {TIANDITU}" if tianditu else "'self' data: blob:",
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


def mark_styles(app: Dash) -> None:
    """Have each page begin with the script that hands its nonce to the style sheets which libraries make."""
    plain = app.interpolate_index

    def marked(**parts: str) -> str:
        nonce = secrets.token_urlsafe(16)
        if (holder := _nonce.get()) is not None:
            holder.append(nonce)
        script = f'<script src="/static/nonce.js" nonce="{nonce}"></script>'
        return str(plain(**{**parts, "css": f"{script}\n{parts['css']}"}))

    app.interpolate_index = marked


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
        Asked once, at the first answer: Dash knows its scripts when it has made its first page.
    """

    def __init__(self, app: ASGIApp, settings: Settings, hashes: Callable[[], Sequence[str]]) -> None:
        self._app = app
        self._settings = settings
        self._hashes = hashes
        self._fixed: _Pairs = []
        self._data: _Pairs = []
        self._page = b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        data = scope["path"].startswith(("/api/", "/_dash-update"))
        nonces: list[str] = []
        if not data:
            _nonce.set(nonces)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                ours = self._headers(data, nonces)
                given = message.get("headers", ())
                own = {name for name, _ in given}
                # What a route says of itself goes first: the stream's own Cache-Control, a download's policy.
                message["headers"] = [*given, *(pair for pair in ours if pair[0] not in own)]
            await send(message)

        await self._app(scope, receive, with_headers)

    def _headers(self, data: bool, nonces: Sequence[str]) -> _Pairs:
        if not self._fixed:
            self._prepare()
        if data:
            return self._data
        if nonces:
            return [*self._fixed[1:], (CSP, self._page.replace(b"{nonce}", nonces[-1].encode()))]
        return self._fixed

    def _prepare(self) -> None:
        secure = by_https(self._settings)
        tianditu = bool(self._settings.tianditu_key)
        hashes = self._hashes()
        values = {
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",  # for browsers that know no frame-ancestors
            "referrer-policy": "same-origin",
            "permissions-policy": PERMISSIONS,
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
        }
        if secure:
            values["strict-transport-security"] = HSTS
        pairs = [(name.encode(), value.encode("latin-1")) for name, value in values.items()]
        self._page = policy(hashes, nonce="{nonce}", tianditu=tianditu, secure=secure).encode()
        self._fixed = [(CSP, policy(hashes, tianditu=tianditu, secure=secure).encode()), *pairs]
        self._data = [*self._fixed, (b"cache-control", b"no-store")]  # no proxy or disk keeps what a person may see

"""One request to the sign-in: who comes from where, in which language, and where to afterwards."""

import hmac
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import Request
from starlette.responses import Response

from pingji.dashboard.guard import SECURE_SESSION, SESSION, TOKEN, Known
from pingji.dashboard.texts import LANGUAGES
from pingji.data.access.entering import Browser, Entered
from pingji.data.access.secret import digest_of, new_secret
from pingji.data.access.sessions import DEVICE, ENROL, SECOND
from pingji.ops import sign_in as rules
from pingji.settings import Settings

FORM, SECURE_FORM = "pingji_form", "__Host-pingji_form"
MOST_FIELDS = 20
HOME = "/"


def local_path(wanted: str) -> str:
    """Where to after the sign-in: a path of our own, else the first page.

    >>> local_path("/grids?lang=en"), local_path("//evil.example"), local_path("/\\\\evil.example")
    ('/grids?lang=en', '/', '/')
    >>> [local_path(p) for p in ("https://evil.example", "/\\t/evil.example", "/sign-in?next=/", "javascript:x")]
    ['/', '/', '/', '/']
    """
    plain = wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted
    if not plain or not wanted.isprintable() or " " in wanted or wanted.startswith(("/sign-in", "/sign-out")):
        return HOME
    parts = urlsplit(wanted)
    return wanted if not parts.scheme and not parts.netloc else HOME


@dataclass
class Visit:
    """What the pages need to know of a request."""

    request: Request
    settings: Settings

    @cached_property
    def language(self) -> str:
        """The language that was asked for, else that of the settings."""
        asked = self.request.query_params.get("lang", "")
        return asked if asked in LANGUAGES else self.settings.language

    @cached_property
    def next(self) -> str:
        """Where to afterwards."""
        return local_path(self.request.query_params.get("next", HOME))

    @cached_property
    def secure(self) -> bool:
        """Whether the browser speaks https, to us or to the proxy before us."""
        public = self.settings.public_url or ""
        return self.request.url.scheme == "https" or public.startswith("https://")

    @property
    def address(self) -> str:
        """Where the request comes from."""
        return self.request.client.host if self.request.client else ""

    @property
    def known(self) -> Known:
        """What the guard found out."""
        found: Known = self.request.scope["state"]["known"]
        return found

    @property
    def account(self) -> str:
        """The id of the account that is coming in, or in."""
        caller = self.known.caller
        return caller.id if caller is not None and caller.door == "session" else ""

    @property
    def browser(self) -> Browser:
        """What is kept of the browser with its session."""
        return Browser(self.address, self.request.headers.get("user-agent", ""), self.known.digest)

    def link(self, path: str, **more: str) -> str:
        """A page of the sign-in that keeps language and destination."""
        kept = {"lang": self.language} if self.language != self.settings.language else {}
        if self.next != HOME:
            kept["next"] = self.next
        query = urlencode({**kept, **more})
        return f"{path}?{query}" if query else path

    def in_language(self, language: str) -> str:
        """This page in another language."""
        kept = {"next": self.next} if self.next != HOME else {}
        return f"{self.request.url.path}?{urlencode({**kept, 'lang': language})}"

    async def form(self) -> dict[str, str]:
        """The fields of a posted form; empty where it isn't a form of ours.

        A form carries the digest of a cookie that only our own page could set and no script can read: another site
        can't sign somebody in under a name that isn't theirs.
        """
        body = (await self.request.body()).decode("utf-8", "replace")
        try:
            fields = dict(parse_qsl(body, keep_blank_values=True, max_num_fields=MOST_FIELDS))
        except ValueError:
            return {}
        cookie = self._form_cookie
        given = fields.pop("form", "").encode()
        cross = self.request.headers.get("sec-fetch-site") in ("cross-site", "same-site")
        ours = bool(cookie) and not cross and hmac.compare_digest(given, _form_token(cookie).encode())
        return {**fields, "form": "ours"} if ours else {}

    @cached_property
    def _form_cookie(self) -> str:
        return self.request.cookies.get(SECURE_FORM if self.secure else FORM, "")

    @cached_property
    def _form_secret(self) -> str:
        return self._form_cookie or new_secret()

    @property
    def form_token(self) -> str:
        """What a form of this page carries."""
        return _form_token(self._form_secret)

    def mark_form(self, response: Response) -> None:
        """Give the browser the cookie that belongs to the form."""
        if not self._form_cookie:
            name = SECURE_FORM if self.secure else FORM
            response.set_cookie(name, self._form_secret, httponly=True, samesite="strict", secure=self.secure)

    def keep_session(self, response: Response, entered: Entered) -> None:
        """Give the browser its new session, and take the one of before away."""
        # A browser that is closed signs out; a phone at a field post closes its browser when it likes.
        lasts = rules.DEVICE_US // 1_000_000 if entered.kind == DEVICE else None
        name = SECURE_SESSION if self.secure else SESSION
        response.set_cookie(
            name, entered.secret, max_age=lasts, httponly=True, samesite="lax", secure=self.secure, path="/"
        )
        if self.secure:
            response.delete_cookie(SESSION, path="/")

    def drop_session(self, response: Response) -> None:
        """Take session and token away."""
        for name in (SESSION, SECURE_SESSION, TOKEN):
            response.delete_cookie(name, path="/", secure=name == SECURE_SESSION, httponly=True, samesite="lax")

    def onward(self, entered: Entered) -> str:
        """The page that comes after a step of the sign-in."""
        if entered.kind == SECOND:
            return self.link("/sign-in/second")
        if entered.kind == ENROL:
            return self.link("/sign-in/enrol")
        return self.link("/sign-in/new-password") if entered.must_change else self.next


def _form_token(cookie: str) -> str:
    return digest_of("form " + cookie)

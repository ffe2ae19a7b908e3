"""The pages of the sign-in, filled and sent."""

from functools import cache
from pathlib import Path
from typing import Any

import segno
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse

from pingji.dashboard.clock import clock
from pingji.dashboard.sign_in.visit import Visit
from pingji.dashboard.texts import LANGUAGES, t
from pingji.ops import sign_in as rules
from pingji.ops.errors import OpsError

_TEMPLATES = Path(__file__).parent / "templates"
# What went wrong → (status, text).
_SAID: dict[type[Exception], tuple[int, str]] = {
    rules.Locked: (429, "locked"),
    rules.TooManyTries: (429, "too_many"),
    rules.WrongSignIn: (401, "wrong"),
    rules.PasswordTooShort: (422, "too_short"),
    rules.PasswordTooLong: (422, "too_long"),
    rules.PasswordTellsTheName: (422, "tells_the_name"),
    rules.PasswordTooCommon: (422, "too_common"),
    rules.PasswordUnchanged: (422, "unchanged"),
    rules.PasswordsDiffer: (422, "differ"),
    rules.WrongLink: (401, "link"),
    rules.ProviderFailed: (401, "provider"),
}


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )


def page(visit: Visit, name: str, *, status: int = 200, problem: str = "", **values: Any) -> HTMLResponse:
    """One page; `problem` is a sentence above its form."""
    other = next(language for language in LANGUAGES if language != visit.language)

    def text(key: str, **params: object) -> str:
        return t(f"sign_in.{key}", visit.language, **params)

    html = (
        _environment()
        .get_template(f"{name}.html")
        .render(
            text=text,
            lang="en" if visit.language == "en" else "zh-CN",
            other_lang="en" if other == "en" else "zh-CN",
            other_language=t("sign_in.language", other),
            other_link=visit.in_language(other),
            link=visit.link,
            form=visit.form_token,
            title=t("app.title", visit.language),
            problem=problem,
            **values,
        )
    )
    response = HTMLResponse(html, status)
    response.headers["Cache-Control"] = "no-store"
    # An address may hold a code. Not `no-referrer`: browsers would post the form with `Origin: null` then.
    response.headers["Referrer-Policy"] = "same-origin"
    visit.mark_form(response)
    return response


def refused(visit: Visit, name: str, error: OpsError, **values: Any) -> HTMLResponse:
    """The page again, with what was wrong."""
    status, key = next(_SAID[base] for base in type(error).__mro__ if base in _SAID)
    params = dict(error.params)
    if "until" in params:
        params["until"] = clock(int(str(params["until"])))
    response = page(visit, name, status=status, problem=t(f"sign_in.problem.{key}", visit.language, **params), **values)
    if "until" in params:
        response.headers["Retry-After"] = str(rules.LOCK_US // 1_000_000)
    return response


def form_expired(visit: Visit, name: str, **values: Any) -> HTMLResponse:
    """The page again, because the form was not ours or its cookie is gone."""
    text = t("sign_in.problem.form", visit.language)
    return page(visit, name, status=403, problem=text, **values)


def onward(to: str) -> RedirectResponse:
    """To the next page."""
    response = RedirectResponse(to, 303)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def qr_code(text: str) -> str:
    """A QR code as an SVG in a data URI: it needs no request, and nothing of it is markup."""
    return str(segno.make(text, error="m").svg_data_uri(scale=5, border=2, dark="#16202b", light="#ffffff"))

"""Every error that a caller may see: one table from exception to HTTP status, and RFC 9457 problem documents."""

import logging
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError as SqlDataError
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from pingji.dashboard import commands, context
from pingji.dashboard.texts import UnknownText, t
from pingji.data import errors as data_errors
from pingji.layers.catalog import UnknownLayer
from pingji.ops import mode
from pingji.ops.errors import OpsError

log = logging.getLogger(__name__)


class BadRequest(OpsError):
    """The request itself is wrong; `params` say where."""


class BatchTooLarge(OpsError):
    """More movements, or more bytes, than one request may carry."""


class TokenRequired(OpsError):
    """The token is missing or wrong."""


# Exception → (HTTP status, text key below `problem.`).
STATUS: dict[type[Exception], tuple[int, str]] = {
    BadRequest: (400, "bad_request"),
    BatchTooLarge: (413, "batch_too_large"),
    TokenRequired: (401, "token_required"),
    context.NoCounty: (409, "no_county"),
    commands.UnknownPlace: (404, "unknown_place"),
    commands.StatusNotAllowed: (422, "status_not_allowed"),
    commands.NothingOpen: (409, "nothing_open"),
    mode.UnknownScope: (404, "unknown_scope"),
    mode.TransitionNotAllowed: (409, "transition_not_allowed"),
    mode.NothingToChange: (409, "nothing_to_change"),
    mode.CoveredByWiderScope: (409, "covered_by_wider_scope"),
    mode.RealEmergencyOpen: (409, "real_emergency_open"),
    mode.ExerciseNotEnded: (409, "exercise_not_ended"),
    mode.LevelRequired: (422, "level_required"),
    mode.ReasonRequired: (422, "reason_required"),
    mode.NobodyToCount: (409, "nobody_to_count"),
    mode.PressIdReused: (409, "press_id_reused"),
    mode.NoSuchPress: (404, "no_such_press"),
    mode.NotTheLatestPress: (409, "not_the_latest_press"),
    mode.AlreadyCounting: (409, "already_counting"),
    data_errors.UnknownLayer: (404, "unknown_layer"),
    UnknownLayer: (404, "unknown_layer"),
    data_errors.DatabaseUnreachable: (503, "database_unreachable"),
    data_errors.DatabaseNotMigrated: (503, "database_not_migrated"),
    OperationalError: (503, "database_unreachable"),
    SqlDataError: (422, "unstorable"),
}
_HTTP = {404: "not_found", 405: "method_not_allowed"}
MAX_COMPLAINTS = 10


def printable(text: str, limit: int = 500) -> str:
    """Text from outside that is safe to send back: no lone surrogates, no control characters, not endless.

    >>> printable("a\\ud800b\\x00")
    'a?b?'
    """
    known = text[:limit].encode("utf-8", "replace").decode()
    return "".join(c if c.isprintable() else "?" for c in known)


def problem(status: int, key: str, params: Mapping[str, object], instance: str) -> JSONResponse:
    """A problem document whose detail says what, where and what to do, in Chinese and in English."""
    chinese, english = (_detail(key, language, params) for language in ("zh_CN", "en"))
    body = {
        "type": f"/problems/{key}",
        "title": t(f"problem.{key}.title", "zh_CN"),
        "title_en": t(f"problem.{key}.title", "en"),
        "status": status,
        "detail": chinese,
        "detail_en": english,
        "instance": instance,
    }
    return JSONResponse(body, status, media_type="application/problem+json")


def _detail(key: str, language: str, params: Mapping[str, object]) -> str:
    shown = {name: _choice(name, str(value), language) for name, value in params.items()}
    return t(f"problem.{key}.detail", language, **shown)


def _choice(name: str, value: str, language: str) -> str:
    """A mode is named in the reader's language."""
    if name in ("mode", "to"):
        try:
            return t(f"mode.{value}", language)
        except UnknownText:
            return value
    return value


def register(app: FastAPI) -> None:
    """Turn every known error into its problem document."""

    async def known(request: Request, error: Exception) -> JSONResponse:
        kind = next(base for base in type(error).__mro__ if base in STATUS)
        status, key = STATUS[kind]
        # The driver's errors have `params` too: those of the statement, which are nobody's business.
        params = error.params if isinstance(error, (OpsError, data_errors.DataError)) else {}
        return problem(status, key, params, request.url.path)

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        where = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:MAX_COMPLAINTS])
        return problem(422, "invalid", {"where": printable(where)}, request.url.path)

    async def http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        key = _HTTP.get(error.status_code, "unexpected" if error.status_code >= 500 else "invalid")
        return problem(error.status_code, key, {"where": printable(str(error.detail))}, request.url.path)

    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        log.exception("unexpected error on %s", request.url.path, exc_info=error)
        return problem(500, "unexpected", {}, request.url.path)

    for kind in STATUS:
        app.add_exception_handler(kind, known)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, unexpected)

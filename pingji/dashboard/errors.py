"""Every error that a caller may see: one table from exception to HTTP status, and RFC 9457 problem documents."""

import logging
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError as SqlDataError
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from pingji.dashboard import commands, context
from pingji.dashboard.clock import clock
from pingji.dashboard.file_texts import as_parameters, error_key, error_text
from pingji.dashboard.texts import LANGUAGES, UnknownText, grid_label, t
from pingji.data import errors as data_errors
from pingji.data import sealing
from pingji.data.access import accounts, entering, granting, managing, tokens
from pingji.data.audit.export import TooManyEntries
from pingji.data.audit.verify import NotAnAnchor
from pingji.data.grids import accepting, ground, history, incoming, intents, outgoing
from pingji.geo.coverage import errors as coverage
from pingji.geo.errors import GeoError
from pingji.geo.partitioning import ImpossibleRange
from pingji.layers.catalog import UnknownLayer
from pingji.ops import access, change_set, grids, mode, sign_in
from pingji.ops.errors import OpsError
from pingji.ops.organisation import errors as organisation

log = logging.getLogger(__name__)


class BadRequest(OpsError):
    """The request itself is wrong; `params` say where."""


class BatchTooLarge(OpsError):
    """More movements, or more bytes, than one request may carry."""


class UploadTooLarge(OpsError):
    """A file larger than is accepted by HTTP. `limit` in MB."""


class FutureDay(OpsError):
    """A day that has not come: nobody knows its grids. `date`."""


# Exception → (HTTP status, text key below `problem.`).
STATUS: dict[type[Exception], tuple[int, str]] = {
    BadRequest: (400, "bad_request"),
    BatchTooLarge: (413, "batch_too_large"),
    UploadTooLarge: (413, "upload_too_large"),
    FutureDay: (422, "future_day"),
    access.SignInNeeded: (401, "sign_in_needed"),
    access.NotPermitted: (403, "not_permitted"),
    access.OutsideYourArea: (403, "outside_your_area"),
    access.CrossSite: (403, "cross_site"),
    sign_in.WrongSignIn: (403, "wrong_sign_in"),
    entering.UnknownLogin: (403, "wrong_sign_in"),
    sign_in.Locked: (429, "locked"),
    sign_in.TooManyTries: (429, "too_many_tries"),
    sign_in.WrongLink: (403, "wrong_link"),
    sign_in.ProviderFailed: (403, "provider_failed"),
    sign_in.PasswordTooShort: (422, "password_too_short"),
    sign_in.PasswordTooLong: (422, "password_too_long"),
    sign_in.PasswordTellsTheName: (422, "password_tells_the_name"),
    sign_in.PasswordTooCommon: (422, "password_too_common"),
    sign_in.PasswordUnchanged: (422, "password_unchanged"),
    sign_in.PasswordsDiffer: (422, "passwords_differ"),
    sign_in.BadLogin: (422, "bad_login"),
    sign_in.BadName: (422, "bad_name"),
    sign_in.NoAccount: (403, "no_account"),
    sign_in.SecondFactorOn: (409, "second_factor_on"),
    accounts.UnknownAccount: (404, "unknown_account"),
    accounts.LoginTaken: (409, "login_taken"),
    accounts.NameTaken: (409, "name_taken"),
    accounts.LastAdministrator: (409, "last_administrator"),
    tokens.UnknownToken: (404, "unknown_token"),
    granting.UnknownGrantScope: (422, "unknown_grant_scope"),
    granting.OwnRights: (409, "own_rights"),
    managing.RoleNotForTokens: (422, "role_not_for_tokens"),
    managing.UnknownDevice: (404, "unknown_device"),
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
    change_set.StepNotAllowed: (409, "step_not_allowed"),
    change_set.NotADraft: (409, "not_a_draft"),
    change_set.NothingChanged: (409, "nothing_changed"),
    change_set.NameNeeded: (422, "name_needed"),
    change_set.SecondPersonNeeded: (409, "second_person_needed"),
    change_set.ProblemsLeft: (409, "problems_left"),
    change_set.HeldByEmergency: (409, "held_by_emergency"),
    change_set.SetMoved: (409, "set_moved"),
    change_set.Overtaken: (409, "overtaken"),
    change_set.UnknownChangeSet: (404, "unknown_change_set"),
    change_set.OutsideChangeSet: (422, "outside_change_set"),
    change_set.NothingToUndo: (409, "nothing_to_undo"),
    grids.CodesExhausted: (409, "codes_exhausted"),
    history.UnknownOperation: (404, "unknown_operation"),
    history.UnknownHousehold: (404, "unknown_household"),
    history.UnknownGrid: (404, "unknown_grid"),
    ground.UnknownCommunity: (404, "unknown_community"),
    intents.UnknownBuilding: (404, "unknown_building"),
    accepting.UnknownProposal: (404, "unknown_proposal"),
    accepting.NotAlone: (422, "not_alone"),
    intents.WouldCutBuilding: (422, "would_cut_building"),
    intents.NothingWouldChange: (422, "nothing_would_change"),
    coverage.UnknownCode: (404, "unknown_code"),
    coverage.CodeTaken: (409, "code_taken"),
    coverage.NotAdjacent: (422, "not_adjacent"),
    coverage.LineDoesNotCross: (422, "line_does_not_cross"),
    coverage.WouldSelfIntersect: (422, "would_self_intersect"),
    coverage.WouldEmpty: (422, "would_empty"),
    coverage.WouldFallApart: (422, "would_fall_apart"),
    coverage.OutsideCommunity: (422, "outside_community"),
    coverage.NoVertexThere: (422, "no_vertex_there"),
    coverage.StillInvalid: (422, "still_invalid"),
    coverage.Stale: (409, "stale"),
    ImpossibleRange: (422, "impossible_range"),
    NotAnAnchor: (422, "not_an_anchor"),
    TooManyEntries: (422, "too_many_entries"),
    incoming.NothingNew: (409, "nothing_new"),
    organisation.UnknownUnit: (404, "unknown_unit"),
    organisation.UnknownPost: (404, "unknown_post"),
    organisation.UnknownCentre: (404, "unknown_centre"),
    organisation.UnknownDepartment: (422, "unknown_department"),
    organisation.UnknownCall: (404, "unknown_call"),
    organisation.CallClosed: (409, "call_closed"),
    organisation.NobodyToActFor: (409, "nobody_to_act_for"),
    organisation.NothingToHandBack: (409, "nothing_to_hand_back"),
    organisation.TermBackwards: (422, "term_backwards"),
    organisation.RuleOutOfRange: (422, "rule_out_of_range"),
    organisation.WorkbookRefused: (422, "workbook_refused"),
    organisation.PreviewOutdated: (409, "preview_outdated"),
    outgoing.NoGridsThen: (404, "no_grids_then"),
    data_errors.FileError: (422, "file"),
    data_errors.UnknownLayer: (404, "unknown_layer"),
    UnknownLayer: (404, "unknown_layer"),
    data_errors.DatabaseUnreachable: (503, "database_unreachable"),
    data_errors.DatabaseNotMigrated: (503, "database_not_migrated"),
    sealing.KeyMissing: (503, "key_missing"),
    sealing.BadKey: (503, "bad_key"),
    sealing.KeyNotMade: (503, "key_not_made"),
    OperationalError: (503, "database_unreachable"),
    SqlDataError: (422, "unstorable"),
}
_HTTP = {404: "not_found", 405: "method_not_allowed"}
MAX_COMPLAINTS = 10
MAX_ROWS = 20  # errors of a file that are named
MAX_NAMED = 6  # grids that a sentence names; the map shows them all
OURS = (OpsError, data_errors.DataError, GeoError)


def printable(text: str, limit: int = 500) -> str:
    """Text from outside that is safe to send back: no lone surrogates, no control characters, not endless.

    >>> printable("a\\ud800b\\x00")
    'a?b?'
    """
    known = text[:limit].encode("utf-8", "replace").decode()
    return "".join(c if c.isprintable() else "?" for c in known)


def problem(status: int, key: str, params: Mapping[str, object], instance: str) -> JSONResponse:
    """A problem document whose detail says what, where and what to do, in Chinese and in English."""
    chinese, english = (detail(key, language, params) for language in ("zh_CN", "en"))
    body = {
        "type": f"/problems/{key}",
        "title": t(f"problem.{key}.title", "zh_CN"),
        "title_en": t(f"problem.{key}.title", "en"),
        "status": status,
        "detail": chinese,
        "detail_en": english,
        "instance": instance,
    }
    if status < 500:  # what the server itself suffers from is nobody's business
        body["params"] = {name: _plain(value) for name, value in params.items()}
    return JSONResponse(body, status, media_type="application/problem+json")


def file_problem(found: Sequence[data_errors.FileError], instance: str) -> JSONResponse:
    """What is wrong with a file: the sentence of its first error, and all of them in `params`, each with its row."""
    first = found[0]
    key = error_key(first)
    said = {language: as_parameters(error_text(first, language)) for language in LANGUAGES}
    rows = [{**_named(error), "text": as_parameters(error_text(error, LANGUAGES[0]))} for error in found[:MAX_ROWS]]
    body = {
        "type": f"/problems/{key}",
        "title": t("problem.file.title", "zh_CN"),
        "title_en": t("problem.file.title", "en"),
        "status": STATUS[data_errors.FileError][0],
        "detail": t("problem.file.detail", "zh_CN", what=said["zh_CN"]),
        "detail_en": t("problem.file.detail", "en", what=said["en"]),
        "instance": instance,
        "params": {**_named(first), "n": len(found), "errors": rows},
    }
    return JSONResponse(body, STATUS[data_errors.FileError][0], media_type="application/problem+json")


def _named(error: data_errors.FileError) -> dict[str, object]:
    """File, row, field, value and the parameter that helps."""
    named = {name: _plain(value) for name, value in error.params.items()}
    return {**named, "remedy": as_parameters(error.remedy), "kind": error_key(error)}


def refusal(error: Exception) -> tuple[str, dict[str, object]]:
    """The key and the plain params of a known error, as they are kept with an edit that was set aside."""
    return key_of(error)[1], {name: _plain(value) for name, value in params_of(error).items()}


def key_of(error: Exception) -> tuple[int, str]:
    """HTTP status and text key of a known error."""
    return STATUS[next(base for base in type(error).__mro__ if base in STATUS)]


def params_of(error: Exception) -> Mapping[str, object]:
    """What the text of an error of ours is filled with.

    The driver's errors have `params` too: those of the statement, which are nobody's business.
    """
    return error.params if isinstance(error, OURS) else {}


def detail(key: str, language: str, params: Mapping[str, object]) -> str:
    """The sentence of a problem."""
    shown = {name: _shown(name, value, language) for name, value in params.items()}
    return t(f"problem.{key}.detail", language, **shown)


def _shown(name: str, value: object, language: str) -> str:
    """A value as a sentence shows it: grids by their labels, names and choices in the reader's language."""
    if isinstance(value, (list, tuple)) and name == "codes":
        named = [grid_label(str(code), language) for code in value[:MAX_NAMED]]
        return t("grids.label.joiner", language).join(named) + ("…" if len(value) > MAX_NAMED else "")
    if name == "until" and isinstance(value, int):
        return clock(value)
    if name == "area_m2" and isinstance(value, (int, float)):
        return f"{value:.1f}"
    if name in ("exercise", "status", "step"):
        try:
            return t(f"choice.{name}.{value}".lower(), language)
        except UnknownText:
            return str(value)
    return _choice(name, str(value), language)


def _plain(value: object) -> object:
    """A value as JSON has it; what JSON has not is left out."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, (bool, int)) else None


def _choice(name: str, value: str, language: str) -> str:
    """A mode is named in the reader's language."""
    if name in ("mode", "to"):
        try:
            return t(f"mode.{value}", language)
        except UnknownText:
            return value
    return value


def register(app: FastAPI, on_refused: Callable[[Request, access.AccessError], Awaitable[None]]) -> None:
    """Turn every known error into its problem document; `on_refused` hears of what somebody may not."""

    async def known(request: Request, error: Exception) -> JSONResponse:
        if isinstance(error, access.AccessError):
            await on_refused(request, error)
        if isinstance(error, data_errors.FileError):
            return file_problem([error], request.url.path)
        status, key = key_of(error)
        return problem(status, key, params_of(error), request.url.path)

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        where = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:MAX_COMPLAINTS])
        return problem(422, "invalid", {"where": printable(where)}, request.url.path)

    async def http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        key = _HTTP.get(error.status_code, "unexpected" if error.status_code >= 500 else "invalid")
        return problem(error.status_code, key, {"where": printable(str(error.detail))}, request.url.path)

    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        log.exception("unexpected error", exc_info=error)  # its route is in the request's own line; a path holds codes
        return problem(500, "unexpected", {}, request.url.path)

    for kind in STATUS:
        app.add_exception_handler(kind, known)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, unexpected)

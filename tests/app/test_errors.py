"""The one table from exception to HTTP status, and the texts behind it."""

import importlib
import pkgutil
from collections.abc import Iterator

import pytest
from sqlalchemy.exc import DataError as SqlDataError
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient

import pingji
from pingji.dashboard import outbound
from pingji.dashboard.errors import STATUS, printable
from pingji.dashboard.file_texts import error_key, error_text
from pingji.dashboard.texts import LANGUAGES, catalogue
from pingji.data import errors as data_errors
from pingji.data.errors import DataError
from pingji.data.sealing import rotation
from pingji.geo.coverage.errors import CoverageError
from pingji.ops.access import AccessError
from pingji.ops.change_set import StepRefused
from pingji.ops.errors import OpsError
from pingji.ops.mode import PressRefused, RecallRefused
from pingji.ops.movement import Reason
from pingji.ops.sign_in import PasswordRefused, SignInError
from tests.app.phone import assert_problem

BASES = {PressRefused, RecallRefused, StepRefused, SignInError, PasswordRefused, AccessError}  # never raised themselves
# What only commands raise: backups never come by a request.
COMMANDS_ONLY = {
    data_errors.UnsupportedDatabase,
    data_errors.BackupFailed,
    data_errors.BackupToolMissing,
    data_errors.NotABackup,
    rotation.NoNewKey,
    rotation.NotRotated,
}
ALARMS_ONLY = {outbound.OutboundRefused, outbound.OutboundFailed}  # caught where alarms are sent
# Answered before a request has a route, by `dashboard.limits`.
BEFORE_ROUTES = {"body_too_large", "too_many_requests"}
NO_EXCEPTION = {"invalid", "not_found", "method_not_allowed", "unexpected"}
ONE_ROW = {data_errors.FileError}  # for all of their subclasses: the sentences are those of the command line


def below(kind: type[Exception]) -> Iterator[type[Exception]]:
    for sub in kind.__subclasses__():
        yield sub
        yield from below(sub)


def load_everything() -> None:
    for module in pkgutil.walk_packages(pingji.__path__, "pingji."):
        if not module.name.endswith("__main__") and ".migrations" not in module.name:
            importlib.import_module(module.name)


def test_every_error_that_a_request_can_reach_has_a_status() -> None:
    load_everything()
    ours = {
        e for base in (OpsError, DataError, CoverageError) for e in below(base) if e.__module__.startswith("pingji.")
    }
    missing = {e for e in ours - BASES - set(STATUS) if not issubclass(e, (*COMMANDS_ONLY, *ALARMS_ONLY, *ONE_ROW))}
    assert not missing


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_problem_and_every_refusal_has_its_texts(language: str) -> None:
    texts = catalogue(language)
    keys = {key for _, key in STATUS.values()} | NO_EXCEPTION | BEFORE_ROUTES
    needed = {f"problem.{key}.{part}" for key in keys for part in ("title", "detail")}
    needed |= {f"refusal.{reason.value}" for reason in Reason}
    assert needed <= set(texts)
    assert {key for key in texts if key.startswith(("problem.", "refusal."))} == needed


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_error_of_a_file_has_its_sentence(language: str) -> None:
    for kind in below(data_errors.FileError):
        error = kind(file="a.shp", row=7, field="code", value="x")
        assert f"error.{error_key(error)}" in catalogue(language)
        assert "a.shp" in error_text(error, language)


@pytest.mark.parametrize(
    ("error", "status", "key"),
    [
        (OperationalError("SELECT 1", ("a", "b"), Exception("locked")), 503, "database_unreachable"),
        (OperationalError("SELECT 1", {"key": 1, "language": 2}, Exception("locked")), 503, "database_unreachable"),
        (SqlDataError("SELECT 1", [{"x": 1}], Exception("NUL")), 422, "unstorable"),
        (data_errors.DatabaseUnreachable(url="postgresql://u:***@h/d", reason="down"), 503, "database_unreachable"),
    ],
)
def test_the_databases_errors(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, key: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("pingji.dashboard.queries.places", fail)
    body = assert_problem(client.get("/api/v1/places"), status, key)
    assert "SELECT" not in str(body)
    assert "postgresql://" not in str(body)


def test_what_is_sent_back_is_printable() -> None:
    assert printable("a\ud800b\x00\nc") == "a?b??c"
    assert len(printable("x" * 10_000)) == 500

"""Log lines: one a request, structured, and never with anything that somebody sent or that the store holds."""

import io
import json
import logging
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from pingji import logs
from pingji.dashboard.metrics import Metrics
from pingji.data.engine import writing
from pingji.data.origin import Origin, acting
from pingji.data.slow_queries import note_slow
from tests.app.callers import Client
from tests.app.phone import say

CANARY = ("\u8d75\u94c1\u67f1", "Zhao Tiezhu", "13943219876", "220221196807153217")
REQUEST = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Everything that this process logs meanwhile, as it would stand on stderr."""
    root = logging.getLogger()
    saved = root.handlers[:], root.level, logging.getLogger("pingji").level, warnings.showwarning
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    logs.configure("json", "debug")
    yield stream
    root.handlers[:], root.level = saved[0], saved[1]
    logging.getLogger("pingji").setLevel(saved[2])
    warnings.showwarning = saved[3]


def read(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def requests(stream: io.StringIO) -> list[dict[str, Any]]:
    return [line for line in read(stream) if line["message"] == "request"]


def test_one_line_a_request(client: Client, lines: io.StringIO) -> None:
    answer = client.get("/api/v1/balance", params={"scope": "220221"}, headers={"x-request-id": REQUEST})
    assert answer.headers["x-request-id"] == REQUEST
    [line] = requests(lines)
    assert line.keys() == {
        *("time", "level", "logger", "message", "request"),
        *("route", "method", "status", "ms", "caller", "door"),
    }
    assert (line["route"], line["method"], line["status"]) == ("/api/v1/balance", "GET", 200)
    assert (line["request"], line["level"], line["door"]) == (REQUEST, "info", "token")
    assert line["caller"]
    assert 0 < line["ms"] < 60_000


@pytest.mark.parametrize("given", ["", "13943219876", "220221196807153217", "a" * 32 + "\n", "x; y", "-" * 36])
def test_an_id_that_is_none_is_not_taken_over(client: Client, lines: io.StringIO, given: str) -> None:
    headers = [(b"x-request-id", given.encode())]
    answer = client.get("/api/v1/modes", headers=headers)
    assert answer.headers["x-request-id"] != given
    assert len(answer.headers["x-request-id"]) == 32
    assert requests(lines)[-1]["request"] == answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("POST", "/api/v1/places/T1/status", "/api/v1/places/{code}/status"),
        ("GET", "/api/v1/layers/grids", "/api/v1/layers/{name}"),
        ("GET", "/api/v1/grids/sets/none", "/api/v1/grids/sets/{id}"),
        ("GET", "/api/v1/nowhere/13943219876", "/api/{rest:path}"),
        ("GET", "/wall", "/{path:path}"),
    ],
)
def test_routes_as_they_were_declared(client: Client, lines: io.StringIO, method: str, path: str, route: str) -> None:
    client.request(method, path, json={"status": "open"} if method == "POST" else None)
    assert requests(lines)[-1]["route"] == route


def test_files_and_probes_write_no_line(client: Client, lines: io.StringIO) -> None:
    for path in ("/assets/13_page.js", "/healthz", "/readyz"):
        assert client.get(path).status_code == 200
    assert requests(lines) == []
    assert client.get("/assets/none.js").status_code == 404
    assert len(requests(lines)) == 1


def test_nobody_who_is_signed_in(client: Client, lines: io.StringIO) -> None:
    client.headers.clear()
    client.get("/api/v1/balance")
    [line] = requests(lines)
    assert (line["status"], line["route"], line["caller"], line["door"]) == (401, "-", "", "")


def everywhere(client: Client, word: str) -> list[int]:
    """Send a word by every way that a request has."""
    sent = [
        client.get("/api/v1/people", params={"household": word, word: word}),
        client.get(f"/api/v1/layers/{word}"),
        client.get(f"/{word}"),
        client.get(f"/api/v1/{word}"),
        client.get("/api/v1/balance", params={"scope": word}),
        client.get("/api/v1/journal", params={"limit": word}),
        client.get("/api/v1/modes", headers=[(b"user-agent", word.encode()), (b"referer", word.encode())]),
        client.get("/api/v1/modes", headers=[(b"authorization", f"Bearer {word}".encode())]),
        client.get("/api/v1/modes", headers=[(b"cookie", f"pingji_session={word}".encode())]),
        client.get("/api/v1/modes", headers=[(b"x-request-id", word.encode())]),
        client.post("/api/v1/modes", json={"press_id": word, "scope": word, "to": word, "reason": word}),
        client.post("/api/v1/modes", content=f'{{"press_id": "{word}'.encode()),
        client.post(f"/api/v1/places/{word}/status", json={"status": word, "reason": word}),
        client.post("/api/v1/movements", json={"movements": [say("arrive", person=word, household=word, note=word)]}),
        client.post("/api/v1/movements", json={"movements": [{"id": word, word: word}, word]}),
        client.post("/api/v1/movements", content=word.encode(), headers={"content-encoding": "gzip"}),
        client.post("/api/v1/grids/import", params={"filename": f"{word}.zip", "name": word}, content=word.encode()),
        client.post("/sign-in", data={"login": word, "password": word}),
        client.post("/_dash-update-component", json={"output": word, "inputs": [{"id": word, "value": word}]}),
    ]
    return [answer.status_code for answer in sent]


@pytest.mark.parametrize("word", CANARY)
def test_nothing_that_was_sent_is_in_a_line(client: Client, lines: io.StringIO, word: str) -> None:
    statuses = everywhere(client, word)
    assert len(requests(lines)) == len(statuses)
    written = lines.getvalue()
    for form in (word, json.dumps(word).strip('"'), word.encode().hex(), word.encode("utf-8").decode("latin-1")):
        assert form not in written


@pytest.mark.parametrize("word", CANARY)
def test_nothing_that_an_error_quotes_is_in_a_line(engine: Engine, lines: io.StringIO, word: str) -> None:
    log = logging.getLogger("pingji.somewhere")
    try:
        with writing(engine) as conn:
            conn.execute(text("SELECT nothing FROM nowhere WHERE name = :name"), {"name": word})
    except SQLAlchemyError as error:
        shown = str(error)
        log.exception("a statement failed: %s", error)
    try:
        raise ValueError(word) from KeyError(word)
    except ValueError as error:
        log.exception("wrong: %s", error)
    logging.getLogger("asyncio").error(f"Task exception was never retrieved\nfuture: <Task exception={word}>")
    logging.getLogger("pyogrio._io").warning(f"Value {word!r} of field name is truncated")
    logging.getLogger("other").error("failed for %s", word)
    logging.getLogger("uvicorn.access").warning("GET /%s", word)
    warnings.warn(f"cell holds {word}", UserWarning, stacklevel=1)
    found = read(lines)
    assert word not in shown  # nor on a terminal
    assert word not in lines.getvalue()
    kind = "OperationalError" if engine.dialect.name == "sqlite" else "ProgrammingError"
    assert [line["message"] for line in found] == [
        *(f"a statement failed: {kind}", "wrong: ValueError", "Task exception was never retrieved"),
        *(logs.WITHHELD, "failed for %s", "UserWarning"),
    ]
    wrong = next(line for line in found if str(line["message"]).startswith("wrong"))
    assert wrong["error"] == "ValueError < KeyError"
    assert "test_nothing_that_an_error_quotes_is_in_a_line" in wrong["at"][-1]


def test_a_slow_statement_is_noted_without_its_values(engine: Engine, lines: io.StringIO) -> None:
    slow: list[None] = []
    note_slow(engine, 0.0, lambda: slow.append(None))
    with acting(Origin(id="7", name=CANARY[0], door="session", request=REQUEST)), writing(engine) as conn:
        conn.execute(text("SELECT 1 WHERE 'x' = :name"), {"name": CANARY[0]})
    line = read(lines)[-1]
    assert line["message"] == "slow query"
    assert line["statement"].startswith("SELECT 1 WHERE 'x' = ")
    assert (line["request"], line["caller"]) == (REQUEST, "7")
    assert CANARY[0] not in lines.getvalue()
    assert slow


def test_text_for_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    record = logging.LogRecord("pingji.x", logging.WARNING, "f.py", 1, "said", (), None)
    record.fields = {"ms": 3}
    assert logs.Lines("text").format(record).endswith("warning pingji.x: said ms=3")


def test_figures_for_prometheus(client: Client) -> None:
    for code in ("one", "two", "three"):
        client.post(f"/api/v1/places/{code}/status", json={"status": "open"})
    page = client.get("/metrics").text
    assert 'route="/api/v1/places/{code}/status",status="404"' in page
    for word in ("one", "two", "three"):
        assert f"places/{word}" not in page
    for name in (
        *("pingji_live_screens", "pingji_live_read_seconds", "pingji_writer_waiting", "pingji_writer_commits_total"),
        *("pingji_writer_movements_total", "pingji_writer_group", "pingji_database_connections"),
        *("pingji_sign_in_failures_total", "pingji_limited_total", "pingji_slow_queries_total"),
        *("process_resident_memory_bytes", "pingji_request_seconds_bucket"),
    ):
        assert f"\n{name}" in page


def test_labels_are_bounded() -> None:
    metrics = Metrics()
    for n in range(50):
        metrics.request("/a", f"METHOD{n}", 200, 0.1)
    samples = [s for family in metrics.registry.collect() for s in family.samples if s.name.endswith("seconds_count")]
    assert [s.labels["method"] for s in samples] == ["OTHER"]
    assert samples[0].value == 50


def test_what_kept_the_server_from_starting_is_told_without_its_message() -> None:
    said = 'Traceback (most recent call last):\n  File "a.py", line 3, in start\n    run()\nKeyError: "Wang Wei"'
    record = logging.LogRecord("uvicorn.error", logging.ERROR, "x.py", 1, said, None, None)
    line = logs.Lines("json").format(record)
    assert "KeyError" in line
    assert "line 3, in start" in line
    assert "Wang" not in line

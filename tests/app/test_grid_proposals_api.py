"""Proposals over HTTP: a stream of progress, candidates at its end, and no process left when the client goes."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from starlette.testclient import TestClient

from pingji.data.engine import open_engine, reading, writing
from pingji.data.grids.proposals import find_proposal
from pingji.data.tables import grid_proposal
from tests import world
from tests.app.callers import KEPT, token_of
from tests.app.conftest import Serve
from tests.neighbourhoods import neighbourhood, settle

ROOT = Path(__file__).parents[2]
COMMUNITY, SMALL = "220221101901", "220221101902"
URL = "/api/v1/grids/proposals"


@pytest.fixture
def made_url(county_url: str) -> str:
    """The small county with a community of 1,200 households in it."""
    engine = open_engine(county_url)
    with writing(engine) as conn:
        settle(conn, world.COUNTY, COMMUNITY, neighbourhood(1_200, 5, seed=1))
    engine.dispose()
    return county_url


def asked(client: TestClient, **body: object) -> list[dict[str, Any]]:
    answer = client.post(URL, json={"community": COMMUNITY, **body})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    return [json.loads(line) for line in answer.text.splitlines()]


def test_progress_and_then_candidates_that_the_workbench_can_show(serve: Serve, made_url: str) -> None:
    *progress, last = asked(serve(made_url), actor="Li")
    shares = [line["progress"] for line in progress]
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert shares == sorted(shares)
    assert {line["step"] for line in progress} == {"ground", "blocks", "graph", "partition", "scores", "saving"}
    proposal = last["proposal"]
    assert proposal["community"] == COMMUNITY
    best = proposal["candidates"][0]
    assert [one["index"] for one in proposal["candidates"]] == list(range(len(proposal["candidates"])))
    assert set(best["scores"]) == {"in_range", "grids", "balance", "compactness", "on_roads", "change", "crossings"}
    assert (best["scores"]["in_range"], best["scores"]["crossings"], best["notes"]) == (1.0, 0, [])
    grids = [feature["properties"] for feature in best["grids"]["features"]]
    assert len(grids) == best["scores"]["grids"]
    assert sum(grid["households"] for grid in grids) == 1_200
    assert sum(grid["residents"] for grid in grids) == 2_400
    assert {grid["light"] for grid in grids} == {"ok"}
    for grid in grids:
        assert grid["provisional"] == ("n" in grid["code"])
    engine = open_engine(made_url)
    with reading(engine) as conn:
        kept = find_proposal(conn, world.COUNTY, proposal["id"])
    engine.dispose()
    assert kept is not None
    assert kept.actor == "Li"


def test_a_few_households_are_one_grid_with_the_reason_in_both_languages(serve: Serve, county_url: str) -> None:
    last = asked(serve(county_url), community=world.C1)[-1]
    (candidate,) = last["proposal"]["candidates"]
    (note,) = candidate["notes"]
    assert (note["key"], note["params"]["households"]) == ("too_few", world.HOUSEHOLDS_A_COMMUNITY)
    assert str(world.HOUSEHOLDS_A_COMMUNITY) in note["text"]
    assert str(world.HOUSEHOLDS_A_COMMUNITY) in note["text_en"]


@pytest.mark.parametrize(
    ("body", "status", "key"),
    [
        ({"community": "nowhere"}, 404, "unknown_community"),
        ({"community": world.C1, "set": "nothing"}, 404, "unknown_change_set"),
        ({"community": world.C1, "low": 500, "high": 300}, 422, "impossible_range"),
        ({"community": world.C1, "low": 0}, 422, "invalid"),
    ],
)
def test_what_cannot_be_asked_is_a_plain_problem(
    client: TestClient, body: dict[str, object], status: int, key: str
) -> None:
    answer = client.post(URL, json=body)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{key}")


def test_work_that_fails_ends_the_stream_with_a_problem(
    serve: Serve, county_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = (sys.executable, "-c", "raise SystemExit(3)")
    monkeypatch.setattr("pingji.dashboard.api.grid_proposals._WORKER", failing)
    last = asked(serve(county_url), community=world.C1)[-1]
    assert last["problem"]["type"] == "/problems/unexpected"


def test_closing_the_connection_ends_the_process_and_nothing_is_kept(made_url: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    env = {name: value for name, value in os.environ.items() if name in KEPT or not name.startswith("PINGJI_")}
    command = [sys.executable, "-m", "pingji.cli", "serve", "--port", str(port)]
    env |= {"PINGJI_DATABASE_URL": made_url}
    server = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL)
    try:
        _until(lambda: _ready(port), 30)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        headers = {"Content-Type": "application/json", "Accept-Encoding": "gzip", **_bearer(made_url)}
        connection.request("POST", URL, json.dumps({"community": COMMUNITY}), headers)
        answer = connection.getresponse()
        assert json.loads(answer.fp.readline() and answer.fp.readline())["progress"] == 0.0
        _until(lambda: len(_workers(server)) == 1, 10)
        answer.close()
        connection.close()
        _until(lambda: not _workers(server), 10)
    finally:
        server.terminate()
        server.wait(20)
    engine = open_engine(made_url)
    with reading(engine) as conn:
        assert conn.execute(grid_proposal.select()).all() == []
    engine.dispose()


def _bearer(url: str) -> dict[str, str]:
    engine = open_engine(url)
    secret = token_of(engine, "editor")
    engine.dispose()
    return {"Authorization": f"Bearer {secret}"}


def _workers(server: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    children = psutil.Process(server.pid).children(recursive=True)
    return [child for child in children if _is_worker(child)]


def _is_worker(child: psutil.Process) -> bool:
    try:
        return child.status() != psutil.STATUS_ZOMBIE and "pingji.data.grids.proposer" in child.cmdline()
    except psutil.NoSuchProcess:
        return False


def _ready(port: int) -> bool:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False


def _until(true: Any, patience_s: float) -> None:
    until = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.02)

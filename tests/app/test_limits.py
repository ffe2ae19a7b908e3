"""How much a caller may ask and send."""

import zipfile
from collections.abc import Iterator
from io import BytesIO

import pytest
from starlette.testclient import TestClient

from pingji.dashboard import limits
from pingji.dashboard.limits import COUNTING, FILES, NAMES, REST, SIGNING_IN, Allowance, Buckets, allowance
from tests.app.conftest import Serve
from tests.app.phone import assert_problem

SMALL = Allowance("small", 3, 0.5)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_burst_then_as_fast_as_it_fills(clock: Clock) -> None:
    buckets = Buckets(clock=clock)
    assert [buckets.wait("a", SMALL) for _ in range(3)] == [0, 0, 0]
    assert buckets.wait("a", SMALL) == pytest.approx(2)
    assert buckets.wait("b", SMALL) == 0  # somebody else's bucket is full
    clock.now += 1
    assert buckets.wait("a", SMALL) == pytest.approx(1)
    clock.now += 1
    assert [buckets.wait("a", SMALL) > 0 for _ in range(2)] == [False, True]
    clock.now += 1_000
    assert [buckets.wait("a", SMALL) > 0 for _ in range(4)] == [False, False, False, True]  # it never overflows


def test_a_factor_widens(clock: Clock) -> None:
    buckets = Buckets(clock=clock)
    assert sum(buckets.wait("a", SMALL, factor=2) == 0 for _ in range(10)) == 6


def test_looking_takes_nothing(clock: Clock) -> None:
    buckets = Buckets(clock=clock)
    assert [buckets.wait("a", SMALL, take=0) for _ in range(9)] == [0] * 9


def test_memory_is_bounded(clock: Clock) -> None:
    buckets = Buckets(known=100, clock=clock)
    for n in range(1_000):
        buckets.wait(str(n), SMALL)
    assert len(buckets) == 100


@pytest.mark.parametrize(
    ("method", "path", "what"),
    [
        ("POST", "/api/v1/movements", COUNTING),
        ("POST", "/sign-in", SIGNING_IN),
        ("GET", "/sign-in", REST),
        ("GET", "/api/v1/people", NAMES),
        ("GET", "/api/v1/grids/export", FILES),
        ("POST", "/api/v1/grids/import", FILES),
        ("GET", "/api/v1/audit.csv", FILES),
        ("GET", "/api/v1/balance", REST),
        ("GET", "/assets/13_page.js", None),
        ("GET", "/healthz", None),
    ],
)
def test_kinds_of_requests(method: str, path: str, what: Allowance | None) -> None:
    assert allowance(method, path) is what


FEW = Allowance("few", 20, 0.05)  # the machine may be slow: a bucket must not fill while a test empties it


def test_too_many_are_told_when_to_come_again(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "NAMES", FEW)
    answers = [client.get("/api/v1/people", params={"household": "x"}) for _ in range(25)]
    assert {a.status_code for a in answers[:20]} == {200}
    assert_problem(answers[-1], 429, "too_many_requests")
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 20
    assert client.get("/api/v1/balance").status_code == 200  # other things go on


def test_counting_is_not_held_up(client: TestClient) -> None:
    answers = {client.post("/api/v1/movements", json={"movements": []}).status_code for _ in range(300)}
    assert answers == {200}


def test_it_can_be_switched_off(serve: Serve, county_url: str) -> None:
    client = serve(county_url, rate_limit=0)
    answers = {client.get("/api/v1/people", params={"household": "x"}).status_code for _ in range(int(NAMES.burst) + 5)}
    assert 429 not in answers


def test_an_address_that_is_refused_again_and_again(guarded: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REFUSED", FEW)
    answers = [guarded.get("/api/v1/balance", headers={"authorization": f"Bearer {n}"}) for n in range(25)]
    statuses = [a.status_code for a in answers]
    assert set(statuses[:20]) == {401}
    assert statuses[-1] == 429
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert guarded.get("/healthz").status_code == 200


@pytest.fixture
def guarded(serve: Serve, county_url: str) -> TestClient:
    """Nobody is signed in."""
    client = serve(county_url)
    client.headers.clear()
    client.cookies.clear()
    return client


@pytest.mark.parametrize("path", ["/api/v1/modes", "/api/v1/grids/sets", "/_dash-update-component", "/sign-in"])
def test_bodies_are_limited(client: TestClient, path: str) -> None:
    too_much = b" " * ((limits.BODY_MB << 20) + 1)
    assert_problem(client.post(path, content=too_much), 413, "body_too_large")


@pytest.mark.parametrize("path", ["/api/v1/modes", "/api/v1/grids/sets"])
def test_bodies_that_do_not_say_how_long_they_are(client: TestClient, path: str) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(40):
            yield b'{"a": "' + b"x" * 65_536

    assert_problem(client.post(path, content=endless()), 413, "body_too_large")


def test_a_header_that_lies_about_the_length(client: TestClient) -> None:
    headers = {"content-length": "-1"}
    answer = client.post("/api/v1/modes", content=b"{}", headers=headers)
    assert answer.status_code == 422  # what it holds is wrong, and nothing else


def test_files_may_be_larger(client: TestClient) -> None:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.txt", b"\0" * (3 << 20))
    answer = client.post("/api/v1/grids/import", params={"filename": "a.zip"}, content=packed.getvalue())
    assert answer.status_code == 422  # refused for what it is, not for its size
    large = client.post("/api/v1/grids/import", params={"filename": "a.zip"}, content=b"x" * (2 << 20))
    assert large.status_code == 422

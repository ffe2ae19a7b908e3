"""What it costs to ask who calls, what they may see, and to mask: the same requests with and without it.

Two servers on two copies of one store, asked in turns of a few requests, so that whatever else the machine does falls
on both.
"""

import http.client
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from threading import Thread

from uuid_utils import uuid7

from bench.figures import Figure, ms, percentile
from bench.setting import Server, Setting, serving

MORE = 1.10  # at most so many times what it takes without
TURN = 10
BOX = "126.45,43.60,126.60,43.70"  # the county town: thousands of households

Ask = Callable[[Server], float]


def rows(setting: Setting, quick: bool) -> Iterator[Figure]:
    turns = 6 if quick else 40
    with (
        setting.store("sqlite") as one,
        setting.store("sqlite") as other,
        serving(one) as guarded,
        serving(other, ("bench.unguarded",)) as bare,
    ):
        for server in (guarded, bare):
            server.press("emergency")
        place = guarded.transfer_points()[0]
        few = max(turns // 4, 3)
        asked: list[tuple[str, Ask, int]] = [
            ("the county's balance sheet", _get("/api/v1/balance"), turns),
            ("one movement, acknowledged", _movement(place), turns),
            ("a box of households", _get(f"/api/v1/layers/households?bbox={BOX}&zoom=17"), few),
            ("the grids of the county", _get("/api/v1/layers/grids"), few),
            ("places with their counts", _get("/api/v1/places"), turns),
        ]
        for what, ask, n in asked:
            yield _compared(what, *_in_turns(ask, guarded, bare, n))
        with _Screen(guarded) as first, _Screen(bare) as second:
            screens = {guarded.port: first, bare.port: second}

            def heard(server: Server) -> float:
                return screens[server.port].heard_after(_tap(server, place))

            yield _compared("a movement, until a screen has it", *_in_turns(heard, guarded, bare, few))


def _compared(what: str, with_it: list[float], without: list[float]) -> Figure:
    a, b = percentile(with_it, 0.5), percentile(without, 0.5)
    return Figure(
        f"permission and masking: {what}",
        f"p50 {ms(a)} = {a / b:.2f} × without; p95 {ms(percentile(with_it, 0.95))}",
        f"≤ {MORE:.2f} ×",
        f"without: p50 {ms(b)}, p95 {ms(percentile(without, 0.95))}",
        a <= MORE * b,
        f"{len(with_it)} requests each, in turns of {TURN}",
    )


def _in_turns(ask: Ask, one: Server, other: Server, turns: int) -> tuple[list[float], list[float]]:
    taken: dict[int, list[float]] = {one.port: [], other.port: []}
    for server in (one, other):
        for _ in range(TURN):
            ask(server)  # warm
    for n in range(turns):
        for server in (one, other) if n % 2 else (other, one):
            taken[server.port] += [ask(server) for _ in range(TURN)]
    return taken[one.port], taken[other.port]


_connections: dict[int, http.client.HTTPConnection] = {}
_used: dict[int, float] = {}
HANGS_UP_S = 4.0  # a server closes a connection that was silent for five seconds


def _send(server: Server, method: str, path: str, body: object = None) -> float:
    connection = _connections.setdefault(server.port, http.client.HTTPConnection("127.0.0.1", server.port, timeout=30))
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {server.token}"}
    payload = None if body is None else json.dumps(body)
    if time.monotonic() - _used.get(server.port, 0.0) > HANGS_UP_S:
        connection.close()
        connection.connect()
    began = time.perf_counter()
    connection.request(method, path, payload, headers)
    answer = connection.getresponse()
    answer.read()
    taken = time.perf_counter() - began
    _used[server.port] = time.monotonic()
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status}")
    return taken


def _get(path: str) -> Ask:
    return lambda server: _send(server, "GET", path)


_sequence = iter(range(10**9))


def _tap(server: Server, place: str) -> float:
    """Count one person; when it was sent."""
    at = time.perf_counter()
    _movement(place)(server)
    return at


def _movement(place: str) -> Ask:
    def ask(server: Server) -> float:
        said = {"id": str(uuid7()), "device": "bench", "sequence": next(_sequence), "kind": "count", "count": 1}
        said |= {"occurred_at": datetime.now(UTC).isoformat(), "place": place}
        return _send(server, "POST", "/api/v1/movements", {"movements": [said]})

    return ask


class _Screen:
    """One open stream."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._messages: list[float] = []
        self._open = True

    def __enter__(self) -> "_Screen":
        self._connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=30)
        self._connection.request("GET", "/api/v1/live", headers={"Authorization": f"Bearer {self._server.token}"})
        self._answer = self._connection.getresponse()
        Thread(target=self._read, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._open = False
        self._connection.close()

    def _read(self) -> None:
        try:
            while self._open and (line := self._answer.fp.readline()):
                if b'"kind":"delta"' in line and b'"place/' in line:
                    self._messages.append(time.perf_counter())
        except (OSError, ValueError, AttributeError):
            return

    def heard_after(self, sent: float) -> float:
        until = sent + 10
        while time.perf_counter() < until:
            if self._messages and self._messages[-1] > sent:
                late = next(at for at in self._messages if at > sent) - sent
                time.sleep(0.06)  # let the hub's pause pass, so that the next one does not wait for it
                return late
            time.sleep(0.0005)
        raise TimeoutError(self._server.url)

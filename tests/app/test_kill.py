"""`kill -9` while phones send: nothing acknowledged is lost, nothing is counted twice."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import Any

from sqlalchemy import select
from uuid_utils import uuid7

from pingji.data.engine import open_engine, reading
from pingji.data.tables import movement, whereabouts
from tests import world
from tests.app.callers import KEPT, token_of

ROOT = Path(__file__).parents[2]
MOVEMENTS, DEVICES, MOST = 20_000, 8, 200
POSITION = {"T1": "at_transfer_point", "S1": "sheltered_together"}


class Served:
    """`pingji serve` in a process of its own, that can be killed and started again on the same port."""

    def __init__(self, url: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        env = {name: value for name, value in os.environ.items() if name in KEPT or not name.startswith("PINGJI_")}
        self._env = {**env, "PINGJI_DATABASE_URL": url}
        engine = open_engine(url)
        self._tokens = {name: token_of(engine, name) for name in ("tester", "Wang", "Li")}
        engine.dispose()
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "pingji.cli", "serve", "--port", str(self.port)]
        self._process = subprocess.Popen(command, cwd=ROOT, env=self._env, stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """One request on a connection of its own; an `OSError` or a cut-off answer where the server is not there."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            who = "tester"
            if isinstance(body, dict) and "actor" in body:
                body = dict(body)
                who = body.pop("actor")
            payload = None if body is None else json.dumps(body)
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._tokens[who]}"}
            connection.request(method, path, payload, headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 200:
                raise http.client.HTTPException(f"{answer.status} {text[:300]!r}")
            return json.loads(text)
        finally:
            connection.close()

    def wait(self) -> None:
        until = time.monotonic() + 30
        while True:
            try:
                self.ask("GET", "/readyz")
                return
            except (OSError, http.client.HTTPException):
                assert time.monotonic() < until
                time.sleep(0.05)


@dataclass
class Device:
    """A phone that sends its queue in batches until each is acknowledged, and now and then one that already was."""

    queue: list[dict[str, Any]]
    rng: Random
    acknowledged: set[str] = field(default_factory=set)
    refused: list[Any] = field(default_factory=list)
    failures: int = 0

    def send_all(self, served: Served, over: Event) -> None:
        begin = 0
        while begin < len(self.queue) and not over.is_set():
            end = begin + self.rng.randint(1, MOST)
            batch = self.queue[begin:end]
            if self.rng.random() < 0.2:  # an answer that the phone never saw: it sends what is long stored again
                batch = self.queue[max(0, begin - 50) : begin] + batch
            if self._send(served, batch):
                begin = end

    def _send(self, served: Served, batch: list[dict[str, Any]]) -> bool:
        try:
            answer = served.ask("POST", "/api/v1/movements", {"movements": batch})
        except (OSError, http.client.HTTPException, ValueError):
            self.failures += 1
            time.sleep(0.05)
            return False
        self.acknowledged.update(answer["accepted"], answer["duplicates"])
        self.refused += answer["refused"]
        return True


@dataclass
class Model:
    """What the night must come to: clicks a place, and each person's latest statement."""

    clicks: Counter[str] = field(default_factory=Counter)
    positions: dict[str, str] = field(default_factory=dict)


def plan(rng: Random, persons: list[str], began: datetime) -> tuple[list[Device], Model]:
    """20,000 movements a microsecond apart, dealt out to the devices; a later one outranks an earlier one."""
    model, queues = Model(), [list[dict[str, Any]]() for _ in range(DEVICES)]
    for n in range(MOVEMENTS):
        device = rng.randrange(DEVICES)
        place = rng.choice(sorted(POSITION))
        at = (began + timedelta(microseconds=n)).isoformat()
        entry = {"id": str(uuid7()), "device": f"phone-{device}", "sequence": n, "occurred_at": at}
        if rng.random() < 0.8:
            count = rng.choice((1, 1, 1, 2, -1))
            model.clicks[place] += count
            entry |= {"kind": "count", "place": place, "count": count}
        else:
            person, kind = rng.choice(persons), rng.choice(("arrive", "arrive", "disperse"))
            model.positions[person] = POSITION[place] if kind == "arrive" else "dispersed"
            entry |= {"kind": kind, "person": person} | ({"place": place} if kind == "arrive" else {})
        queues[device].append(entry)
    return [Device(queue, Random(n)) for n, queue in enumerate(queues)], model


def test_killed_twice_while_phones_send(county_url: str) -> None:
    rng = Random(20)
    served = Served(county_url)
    over = Event()
    threads: list[Thread] = []
    try:
        served.wait()
        press = {"press_id": "p", "scope": world.COUNTY, "to": "emergency", "level": 1, "reason": "rain"}
        served.ask("POST", "/api/v1/modes", press)
        began = datetime.now(UTC)
        time.sleep(MOVEMENTS / 1e6)  # no statement is of the future
        devices, model = plan(rng, _persons(county_url), began)
        threads = [Thread(target=device.send_all, args=(served, over), daemon=True) for device in devices]
        for thread in threads:
            thread.start()
        for share in (rng.uniform(0.1, 0.4), rng.uniform(0.5, 0.8)):
            _until_acknowledged(devices, int(share * MOVEMENTS))
            served.kill()
            served.start()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads)
        served.wait()
        _compare(served, county_url, devices, model)
    finally:
        over.set()
        served.kill()


def _persons(url: str) -> list[str]:
    engine = open_engine(url)
    with reading(engine) as conn:
        found = list(conn.scalars(select(whereabouts.c.person).order_by(whereabouts.c.person)))
    engine.dispose()
    return found


def _until_acknowledged(devices: list[Device], n: int) -> None:
    until = time.monotonic() + 60
    while sum(len(device.acknowledged) for device in devices) < n:
        assert time.monotonic() < until
        time.sleep(0.002)


def _compare(served: Served, url: str, devices: list[Device], model: Model) -> None:
    assert sum(device.failures for device in devices) >= DEVICES  # the kills were felt
    assert [entry for device in devices for entry in device.refused] == []
    sent = {entry["id"] for device in devices for entry in device.queue}
    assert set().union(*(device.acknowledged for device in devices)) == sent
    engine = open_engine(url)
    with reading(engine) as conn:
        stored = list(conn.scalars(select(movement.c.id)))
    engine.dispose()
    assert len(stored) == MOVEMENTS
    assert set(stored) == sent
    places = {place["code"]: place for place in served.ask("GET", "/api/v1/places")}
    assert {code: places[code]["clicker"] for code in POSITION} == dict(model.clicks)
    there = Counter(model.positions.values())
    assert {code: places[code]["roster"] for code in POSITION} == {c: there[p] for c, p in POSITION.items()}
    sheet = served.ask("GET", "/api/v1/balance")["persons"]
    shown = {position: n for side in ("accounted", "remainder") for position, n in sheet[side].items() if n}
    there["not_reached"] = sheet["expected"] - len(model.positions)
    assert shown == {position: n for position, n in there.items() if n}

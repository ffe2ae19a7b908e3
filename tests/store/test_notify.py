"""Processes hear of commits, once for many, and again after a lost connection."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, insert, text

from pingji.data.engine import writing
from pingji.data.notify import Listener, notify
from pingji.data.tables import headcount

COMMIT = """
import sys
from sqlalchemy import insert
from pingji.data.engine import open_engine, writing
from pingji.data.notify import notify
from pingji.data.tables import headcount
with writing(open_engine(sys.argv[1])) as connection:
    connection.execute(insert(headcount), {"county": "c", "operation": "o", "place": "p", "device": "d", "n": 1})
    notify(connection, "headcount")
"""


class Calls:
    def __init__(self) -> None:
        self.n = 0
        self.changed = threading.Condition()

    def __call__(self) -> None:
        with self.changed:
            self.n += 1
            self.changed.notify_all()

    def wait_beyond(self, n: int, timeout_s: float = 10) -> int:
        with self.changed:
            assert self.changed.wait_for(lambda: self.n > n, timeout_s), f"still {self.n} calls"
            return self.n


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def listener(engine: Engine, calls: Calls) -> Iterator[Listener]:
    running = Listener(engine, calls)
    running.start()
    calls.wait_beyond(0)  # it calls once when it hears
    yield running
    running.stop()


def commit(engine: Engine, device: str = "d") -> None:
    with writing(engine) as connection:
        row = {"county": "c", "operation": "o", "place": "p", "device": device, "n": 1}
        connection.execute(insert(headcount), row)
        notify(connection, "headcount")


def test_another_process_is_heard(engine: Engine, listener: Listener, calls: Calls) -> None:
    url = engine.url.render_as_string(hide_password=False)
    before = calls.n
    subprocess.run([sys.executable, "-c", COMMIT, url], check=True)
    calls.wait_beyond(before)


def test_own_commits_are_heard(engine: Engine, listener: Listener, calls: Calls) -> None:
    before = calls.n
    commit(engine)
    listener.poke()
    calls.wait_beyond(before)


def test_a_rollback_is_silent(engine: Engine, listener: Listener, calls: Calls) -> None:
    before = calls.n
    with writing(engine) as connection:
        notify(connection, "headcount")
        connection.rollback()
    time.sleep(0.3)
    assert calls.n == before


def test_a_subscriber_that_fails_hears_the_next(engine: Engine) -> None:
    calls = Calls()

    def fail() -> None:
        calls()
        raise LookupError

    listener = Listener(engine, fail)
    listener.start()
    n = calls.wait_beyond(0)
    listener.poke()
    calls.wait_beyond(n)
    listener.stop()


def test_a_lost_connection_comes_back_by_itself(engine: Engine, listener: Listener, calls: Calls) -> None:
    if engine.dialect.name != "postgresql":
        return
    before = calls.n
    with writing(engine) as connection:
        killed = connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pingji-listener'")
        ).all()
    assert len(killed) == 1
    n = calls.wait_beyond(before)  # something may have happened unheard
    commit(engine)
    calls.wait_beyond(n)


def test_one_connection_and_none_after_stop(engine: Engine, calls: Calls) -> None:
    def connections() -> int:
        if engine.dialect.name != "postgresql":
            file = str(engine.url.database)  # this store's: another test's may still be open
            return sum(file in os.readlink(f"/proc/self/fd/{fd}") for fd in _descriptors())
        with writing(engine) as connection:
            query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pingji-listener'"
            return int(connection.execute(text(query)).scalar_one())

    _until(lambda: connections() == 0)
    before, threads = len(_descriptors()), threading.active_count()
    listener = Listener(engine, calls)
    for _ in range(3):
        listener.start()
        listener.start()
        n = calls.wait_beyond(calls.n) if calls.n == 0 else calls.n
        listener.poke()
        calls.wait_beyond(n)
        started = time.monotonic()
        listener.stop()
        listener.stop()
        assert time.monotonic() - started < 1
    _until(lambda: connections() == 0)
    assert len(_descriptors()) <= before + 1  # the pool may have opened one for asking
    assert threading.active_count() == threads


def _descriptors() -> list[str]:
    return [fd for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")]


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)

"""The writer: many waiting requests, one durable commit, and nobody pays for another's poison."""

from threading import Event

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from pingji.data import ingest, writer
from pingji.data.ingest import Outcome
from pingji.data.writer import Writer
from tests import world
from tests.world import COUNTY, households_in, say

HOME = households_in("Z1")[0]


@pytest.fixture
def county(engine: Engine) -> Engine:
    world.press(world.filled(engine), "emergency")
    return engine


def run(engine: Engine, *requests: list[world.Movement], on_commit: object = None) -> list[Outcome | BaseException]:
    """Submit all before the writer starts, so that they are one group."""
    made = Writer(engine, on_commit or (lambda: None))  # type: ignore[arg-type]
    futures = [made.submit(COUNTY, request) for request in requests]
    made.start()
    found = [future.exception(30) or future.result() for future in futures]
    made.stop()
    return found


def test_requests_of_one_group_have_their_own_answers(county: Engine) -> None:
    shared, mine, bad = (
        say("notify", 1, household=HOME),
        say("notify", 2, household=HOME),
        say("arrive", 3, household=HOME),
    )
    one, other = run(county, [shared, bad, bad], [shared, mine])
    assert isinstance(one, Outcome)
    assert isinstance(other, Outcome)
    assert (one.accepted, one.duplicates) == ([shared.id], [])
    assert [i for i, _ in one.refused] == [bad.id, bad.id]
    assert (other.accepted, other.duplicates, other.refused) == ([mine.id], [shared.id], [])


def test_poison_is_its_own_requests_only(county: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    poison, good = say("notify", 1, household=HOME, note="poison"), say("notify", 2, household=HOME)

    def record(conn: object, county: str, movements: list[world.Movement], at: int) -> Outcome:
        if any(m.note == "poison" for m in movements):
            raise ZeroDivisionError
        return ingest.record(conn, county, movements, at)  # type: ignore[arg-type]

    monkeypatch.setattr(writer, "record", record)
    failed, done = run(county, [poison], [good])
    assert isinstance(failed, ZeroDivisionError)
    assert isinstance(done, Outcome)
    assert done.accepted == [good.id]


def test_a_deadlock_is_tried_again(county: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def record(conn: object, county: str, movements: list[world.Movement], at: int) -> Outcome:
        tries.append(1)
        if len(tries) == 1:
            raise OperationalError("", {}, Exception("deadlock"))
        return ingest.record(conn, county, movements, at)  # type: ignore[arg-type]

    monkeypatch.setattr(writer, "record", record)
    m = say("notify", 1, household=HOME)
    (done,) = run(county, [m])
    assert isinstance(done, Outcome)
    assert (done.accepted, len(tries)) == ([m.id], 2)


def test_what_is_durable_is_acknowledged_whatever_the_screens_do(county: Engine) -> None:
    def fail() -> None:
        raise OSError("no pipe")

    m = say("notify", 1, household=HOME)
    (done,) = run(county, [m], on_commit=fail)
    assert isinstance(done, Outcome)
    assert done.accepted == [m.id]


def test_who_gives_up_takes_nobody_along(county: Engine) -> None:
    made = Writer(county, lambda: None)
    impatient, patient = (made.submit(COUNTY, [say("notify", n, household=HOME)]) for n in (1, 2))
    assert not impatient.cancel()
    made.start()
    assert len(patient.result(30).accepted) == 1
    assert len(impatient.result(30).accepted) == 1
    made.stop()


def test_stopping_writes_what_waits(county: Engine) -> None:
    committed = Event()
    made = Writer(county, committed.set)
    waiting = [made.submit(COUNTY, [say("notify", n, household=HOME)]) for n in range(3)]
    made.start()
    made.stop()
    assert committed.is_set()
    assert [len(f.result(0).accepted) for f in waiting] == [1, 1, 1]

"""Calls of posts: made with the switch, handed over when nobody answers, taken back with a recall."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Barrier, Thread

import pytest
from sqlalchemy import Engine, select

from pingji.data import modes
from pingji.data.engine import open_engine, reading, writing
from pingji.data.journal import latest
from pingji.data.organisation import calls
from pingji.data.organisation.ground import load_ground
from pingji.data.organisation.handover import Done, hand_over_due
from pingji.data.organisation.rules import change_rules
from pingji.data.tables import org_call
from pingji.ops.mode import Mode, Press, State, decide
from pingji.ops.organisation.handover import Acting, answer
from pingji.ops.organisation.handover import State as Phase
from pingji.ops.organisation.kinds import PostKind, seat
from tests import organisation_county as people
from tests.world import C1, C2, COUNTY, MINUTE, NEAR, T0, movement_id, scope

WAIT = 5 * MINUTE
FIRST = seat(C1, PostKind.FIRST_SECRETARY)
EMPTY = seat(C2, PostKind.FIRST_SECRETARY)
COMPOUND = seat(people.GRID, PostKind.COMPOUND_LEADER)
HEAD = seat(people.BLOCK, PostKind.BUILDING_HEAD)


@pytest.fixture
def county(engine: Engine) -> Engine:
    return people.filled(engine)


def press(engine: Engine, to: str, code: str = COUNTY, at: int = 0, exercise: bool = False) -> State:
    """A press with the calls that belong to it, as the command does it."""
    level = 2 if to == "emergency" else None
    asked = Press(movement_id(), code, Mode(to), level, exercise, "because")
    with writing(engine) as conn:
        pressed = scope(conn, code)
        states = modes.load_states(conn, COUNTY)
        before = states.get(code, State())
        step = decide(before, asked, modes.neighbours(conn, pressed, states))
        after = modes.save_press(conn, pressed, asked, before, step, "tester", movement_id(), T0 + at)
        calls.switched(conn, pressed, before, after, step, T0 + at)
    return after


def phases(engine: Engine, operation: str) -> dict[str, str]:
    c = org_call.c
    with reading(engine) as conn:
        rows = conn.execute(select(c.post, c.state).where(c.operation == operation))
        return {row.post: row.state for row in rows}


def due(engine: Engine, at: int) -> Done:
    with writing(engine) as conn:
        return hand_over_due(conn, COUNTY, T0 + at)


def test_the_switch_asks_whoever_commands_in_an_emergency(county: Engine) -> None:
    operation = press(county, "emergency").operation
    found = phases(county, operation)
    assert found[seat(COUNTY, PostKind.COUNTY_COMMANDER)] == Phase.ASKED
    assert found[seat(NEAR, PostKind.TEMPORARY_SECRETARY)] == Phase.ASKED
    assert found[FIRST] == Phase.ASKED
    assert found[HEAD] == Phase.ASKED  # kept by the layer
    # Posts of the routine chain step back where the emergency chain has one, and stay where it has none.
    assert seat(NEAR, PostKind.TOWNSHIP_SECRETARY) not in found
    assert seat(C1, PostKind.COMMUNITY_SECRETARY) not in found
    assert seat(f"{C1}R1", PostKind.REGIONAL_SECRETARY) not in found
    assert seat(people.HOUSE, PostKind.BUILDING_HEAD) not in found
    assert found[EMPTY] == Phase.ESCALATED  # neither holder nor deputy: nobody waits for nobody


def test_a_narrower_scope_asks_only_its_own(county: Engine) -> None:
    found = phases(county, press(county, "emergency", C1).operation)
    assert set(found) == {FIRST, COMPOUND, HEAD}


def test_calls_name_their_superior(county: Engine) -> None:
    operation = press(county, "emergency").operation
    with reading(county) as conn:
        asked = calls.find_call(conn, COUNTY, operation, HEAD)
    assert asked.superior == COMPOUND


def test_silence_goes_to_the_deputy_and_then_to_the_superior(county: Engine) -> None:
    operation = press(county, "emergency", C1).operation
    assert due(county, WAIT - 1) == Done()
    done = due(county, WAIT)
    assert done == Done(handed_over=1, escalated=2)  # only the first secretary has a deputy
    assert due(county, WAIT) == Done()  # the same moment again does nothing
    assert phases(county, operation) == {FIRST: "handed_over", COMPOUND: "escalated", HEAD: "escalated"}
    assert due(county, 2 * WAIT) == Done(escalated=1)
    assert phases(county, operation)[FIRST] == "escalated"
    assert due(county, 100 * WAIT) == Done()
    with reading(county) as conn:
        told = [(e.action, e.detail["n"], e.exercise) for e in latest(conn, COUNTY, 10)]
        listed = calls.escalated_by_superior(conn, COUNTY, operation, load_ground(conn, COUNTY).reach(calls.EVERYWHERE))
    assert told == [("escalated", 1, False), ("handed_over", 1, False)]
    assert dict(listed) == {COMPOUND: 1, FIRST: 1, "": 1}


def test_who_answered_is_left_in_peace(county: Engine) -> None:
    operation = press(county, "emergency", C1).operation
    with writing(county) as conn:
        asked = calls.load_call(conn, COUNTY, operation, FIRST)
        calls.save_call(conn, COUNTY, operation, answer(asked.call, T0 + MINUTE, "tester"))
    due(county, WAIT)
    with reading(county) as conn:
        call = calls.find_call(conn, COUNTY, operation, FIRST).call
    assert (call.state, call.acting, call.answered_by, call.answered_at) == (
        *(Phase.ANSWERED, Acting.HOLDER),
        *("tester", T0 + MINUTE),
    )


@contextmanager
def process(url: str) -> Iterator[Engine]:
    opened = open_engine(url)
    try:
        yield opened
    finally:
        opened.dispose()


def test_many_processes_hand_over_once(county: Engine, store_url: str) -> None:
    press(county, "emergency")
    together = Barrier(4)
    found: list[Done] = []

    def work() -> None:
        with process(store_url) as own:
            together.wait()
            found.append(due(own, WAIT))

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert sum(done.handed_over for done in found) == 3  # commander, temporary secretary, first secretary
    with reading(county) as conn:
        told = [e for e in latest(conn, COUNTY, 20) if e.action == "handed_over"]
    assert len(told) == 1


def test_an_exercise_keeps_to_itself(county: Engine) -> None:
    exercise = press(county, "emergency", C1, exercise=True).operation
    due(county, WAIT)
    real = press(county, "emergency", C1, at=WAIT + MINUTE).operation
    assert set(phases(county, exercise).values()) == {"withdrawn"}
    assert set(phases(county, real).values()) == {"asked"}
    with reading(county) as conn:
        assert calls.find_call(conn, COUNTY, exercise, FIRST).exercise
        assert not calls.find_call(conn, COUNTY, real, FIRST).exercise
        assert [e.exercise for e in latest(conn, COUNTY, 10) if e.action == "handed_over"] == [True]
    assert due(county, WAIT + 2 * MINUTE) == Done()


def test_a_wider_operation_carries_answers_on(county: Engine) -> None:
    narrow = press(county, "emergency", C1).operation
    with writing(county) as conn:
        asked = calls.load_call(conn, COUNTY, narrow, FIRST)
        calls.save_call(conn, COUNTY, narrow, answer(asked.call, T0 + MINUTE, "tester"))
    wide = press(county, "emergency", COUNTY, at=2 * MINUTE).operation
    found = phases(county, wide)
    assert phases(county, narrow) == {}
    assert found[FIRST] == Phase.ANSWERED
    assert found[seat(COUNTY, PostKind.COUNTY_COMMANDER)] == Phase.ASKED


def test_the_end_withdraws_and_a_recall_of_it_asks_again(county: Engine) -> None:
    opened = press(county, "emergency", C1)
    due(county, WAIT)
    press(county, "recovery", C1, at=WAIT + 1)
    assert phases(county, opened.operation)[FIRST] == "handed_over"
    closed = press(county, "routine", C1, at=WAIT + 2)
    assert set(phases(county, opened.operation).values()) == {"withdrawn"}
    with writing(county) as conn:
        _, before, after = modes.recall_press(conn, COUNTY, closed.press_id, T0 + 2 * WAIT)
        calls.recalled(conn, COUNTY, before, after, T0 + 2 * WAIT)
    assert phases(county, opened.operation) == {FIRST: "handed_over", COMPOUND: "escalated", HEAD: "escalated"}
    with reading(county) as conn:
        assert calls.find_call(conn, COUNTY, opened.operation, FIRST).call.deadline == T0 + 3 * WAIT


def test_a_recall_withdraws_what_the_press_asked(county: Engine) -> None:
    opened = press(county, "emergency", C1)
    with writing(county) as conn:
        _, before, after = modes.recall_press(conn, COUNTY, opened.press_id, T0 + MINUTE)
        calls.recalled(conn, COUNTY, before, after, T0 + MINUTE)
    assert set(phases(county, opened.operation).values()) == {"withdrawn"}
    assert due(county, WAIT) == Done()


def test_the_wait_is_the_countys(county: Engine) -> None:
    with writing(county) as conn:
        change_rules(conn, COUNTY, {"handover_min": 1})
    press(county, "emergency", C1)
    assert due(county, MINUTE).handed_over == 1


def test_nothing_is_handed_over_in_a_transaction_that_fails(county: Engine) -> None:
    operation = press(county, "emergency", C1).operation

    def power_cut() -> None:
        with writing(county) as conn:
            assert hand_over_due(conn, COUNTY, T0 + WAIT).handed_over == 1
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        power_cut()
    assert phases(county, operation)[FIRST] == "asked"
    assert due(county, WAIT).handed_over == 1

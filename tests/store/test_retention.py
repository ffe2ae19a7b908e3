"""Retention on both stores: nobody can be recognised any more, and every count stays what it was."""

from typing import Any

import pytest
from sqlalchemy import Column, Engine, func, select

from pingji.data import journal, retention
from pingji.data.engine import reading, writing
from pingji.data.operations import operations_of
from pingji.data.sheets import balance_of, sheets_below
from pingji.data.tables import headcount, movement, occupancy, tally, trend, whereabouts
from pingji.ops.movement import Reason
from tests import world
from tests.world import C1, COUNTY, MINUTE, T0

DAY = retention.DAY_US
COUNTED = ("tally", "trend", "occupancy")
LATER = T0 + 400 * DAY


def columns(engine: Engine, *wanted: Any) -> list[tuple[Any, ...]]:
    with reading(engine) as conn:
        return sorted(tuple(row) for row in conn.execute(select(*wanted)))


def figures(engine: Engine) -> dict[str, Any]:
    """Whatever any screen can say of the operations by number, and every row that it is summed from."""
    with reading(engine) as conn:
        ended = operations_of(conn, COUNTY)
        sums = {
            code: balance_of(conn, world.scope(conn, code), ended, []) for code in (COUNTY, world.NEAR, C1, "Z1", "Z2")
        }
        rows = {
            table.name: sorted(map(tuple, conn.execute(select(*table.c)).all())) for table in (tally, trend, occupancy)
        }
        clicks = select(headcount.c.place, func.sum(headcount.c.n)).group_by(headcount.c.place)
        counted = select(movement.c.kind, movement.c.place, movement.c.clock, movement.c.count)
        return {
            "sheets": sums,
            "below": sheets_below(conn, COUNTY, ended, []),
            **rows,
            "clicks": sorted(map(tuple, conn.execute(clicks).all())),
            "movements": sorted(map(tuple, conn.execute(counted).all())),
        }


@pytest.fixture
def ended(engine: Engine) -> Engine:
    """An emergency of a bad night, with visitors, corrections and notes, that ended the day after."""
    world.filled(engine)
    world.press(engine, "emergency")
    world.write(engine, world.Field(3).movements(300))
    noted = [world.say("assist", 7, person=world.people_in(world.households_in("Z1")[0])[0], note="Li needs insulin")]
    assert world.write(engine, noted).accepted
    world.press(engine, "recovery", at=MINUTE * 60)
    world.press(engine, "routine", at=MINUTE * 120)
    return engine


def run(engine: Engine, now: int = LATER, days: int = 180) -> int:
    return retention.run(engine, COUNTY, now, days)


def test_every_figure_stays(ended: Engine) -> None:
    before = figures(ended)
    assert run(ended) == 1
    assert figures(ended) == before
    assert before["sheets"][COUNTY].persons.expected > 60


def test_the_log_still_gives_the_same_counts(ended: Engine) -> None:
    with reading(ended) as conn:
        (operation,) = (o.id for o in operations_of(conn, COUNTY))
    run(ended)
    now = world.live(ended, operation)
    assert world.rebuilt(ended, operation) == now
    assert world.recounted(ended, operation) == now
    assert now["tally"]


def groups(engine: Engine, column: Column[str]) -> list[int]:
    """How many rows each value has, without saying which."""
    with reading(engine) as conn:
        return sorted(conn.scalars(select(func.count()).select_from(column.table).group_by(column)))


def test_nobody_is_left_and_each_is_still_one(ended: Engine) -> None:
    people = columns(ended, whereabouts.c.person, whereabouts.c.household)
    persons = {p for p, _ in people} | {p for (p,) in columns(ended, movement.c.person)} - {""}
    homes = {h for _, h in people} | {h for (h,) in columns(ended, movement.c.household)} - {""}
    devices = {d for (d,) in columns(ended, movement.c.device)}
    sizes, said = groups(ended, whereabouts.c.household), groups(ended, movement.c.person)
    run(ended)
    after = columns(ended, whereabouts.c.person, whereabouts.c.household)
    assert len(after) == len(people)
    left = {value for row in after for value in row} | {d for (d,) in columns(ended, whereabouts.c.device)}
    left |= {v for row in columns(ended, movement.c.person, movement.c.household, movement.c.device) for v in row}
    left |= {d for (d,) in columns(ended, headcount.c.device)}
    assert left & (persons | homes | devices) == set()
    assert all(not value or value.startswith(("anon:", "visitor:")) for value in left)
    assert (groups(ended, whereabouts.c.household), groups(ended, movement.c.person)) == (sizes, said)
    assert {n for (n,) in columns(ended, movement.c.note)} == {""}
    assert {v for (v,) in columns(ended, whereabouts.c.vulnerability)} == {""}


def test_names_are_drawn_anew_each_time(engine: Engine) -> None:
    """The same people in two operations can't be told to be the same."""
    world.filled(engine)
    for n in range(2):
        start = n * 10 * MINUTE
        world.press(engine, "emergency", at=start)
        home = world.households_in("Z1")[0]
        assert world.write(
            engine, [world.say("arrive", start + 5, person=world.people_in(home)[0], place="T1")]
        ).accepted
        world.press(engine, "recovery", at=start + MINUTE)
        world.press(engine, "routine", at=start + 2 * MINUTE)
    assert run(engine) == 2
    rows = columns(engine, whereabouts.c.operation, whereabouts.c.person)
    of: dict[str, set[str]] = {}
    for operation, person in rows:
        of.setdefault(operation, set()).add(person)
    one, two = of.values()
    assert len(one) == len(two) > 60
    assert one & two == set()
    assert len({d for (d,) in columns(engine, movement.c.device)}) == 2


def test_only_what_is_due(ended: Engine) -> None:
    end = T0 + MINUTE * 120
    assert run(ended, end + 180 * DAY - 1) == 0
    with reading(ended) as conn:
        (due,) = retention.schedule(conn, COUNTY, 180)
    assert (due.at, due.movements, due.persons > 60) == (end + 180 * DAY, 301 - refused(ended), True)
    assert run(ended, end + 180 * DAY) == 1
    assert run(ended, end + 180 * DAY) == 0
    with reading(ended) as conn:
        assert retention.schedule(conn, COUNTY, 180) == []


def refused(engine: Engine) -> int:
    with reading(engine) as conn:
        return 301 - (conn.scalar(select(func.count()).select_from(movement)) or 0)


def test_an_open_operation_is_never_touched(engine: Engine) -> None:
    world.filled(engine)
    world.press(engine, "emergency")
    world.write(engine, world.Field(3).movements(50))
    before = columns(engine, whereabouts.c.person, whereabouts.c.device)
    assert run(engine) == 0
    assert columns(engine, whereabouts.c.person, whereabouts.c.device) == before


def test_what_a_wider_operation_absorbed_goes_with_it(engine: Engine) -> None:
    world.filled(engine)
    world.press(engine, "emergency", code=C1)
    world.write(engine, world.Field(5).movements(80, ["Z1"]))
    world.press(engine, "emergency", at=MINUTE * 90)
    world.write(engine, world.Field(6).movements(120))
    assert run(engine) == 0  # the narrower has ended, but its people are counted in one that is open
    world.press(engine, "recovery", at=MINUTE * 100)
    world.press(engine, "routine", at=MINUTE * 120)
    with reading(engine) as conn:
        wide = next(o.id for o in operations_of(conn, COUNTY) if not o.absorbed_into)
    before = figures(engine)
    assert run(engine) == 1
    assert figures(engine) == before
    assert world.rebuilt(engine, wide) == world.live(engine, wide)
    people = {v for row in columns(engine, movement.c.person, whereabouts.c.person) for v in row} - {""}
    assert all(person.startswith(("anon:", "visitor:")) for person in people)
    with reading(engine) as conn:
        assert all(o.anonymised_at == LATER for o in operations_of(conn, COUNTY))


def test_what_comes_after_that_belongs_to_nobody(ended: Engine) -> None:
    home = world.households_in("Z1")[0]
    late = {"person": world.people_in(home)[0], "place": "T1"}
    assert world.write(ended, [world.say("arrive", 20, **late)]).accepted  # half a year late is still in time
    run(ended)
    before = figures(ended)
    stranger = world.say("arrive", 21, person="visitor:late", place="T1")
    outcome = world.write(ended, [world.say("arrive", 22, **late), stranger], at=400 * DAY)
    assert {reason for _, reason in outcome.refused} == {Reason.NO_OPERATION}
    assert len(outcome.refused) == 2
    assert figures(ended) == before
    # Nor is it counted in an emergency of today.
    world.press(ended, "emergency", at=401 * DAY)
    outcome = world.write(ended, [world.say("arrive", 23, **late)], at=401 * DAY + MINUTE)
    assert [reason for _, reason in outcome.refused] == [Reason.NO_OPERATION]


def test_it_is_written_down(ended: Engine) -> None:
    run(ended)
    with reading(ended) as conn:
        (entry,) = [e for e in journal.latest(conn, COUNTY, 10) if e.action == retention.ACTION]
    assert (entry.at, entry.scope) == (LATER, COUNTY)
    assert entry.detail["n"] > 60
    assert not any(word in str(entry.detail) for word in ("visitor", "H00"))


def test_one_transaction_or_none(ended: Engine) -> None:
    class Enough(Exception):
        pass

    def broken() -> None:
        with writing(ended) as conn:
            assert retention.anonymise_due(conn, COUNTY, LATER) == 1
            raise Enough

    before = columns(ended, whereabouts.c.person, whereabouts.c.device)
    with pytest.raises(Enough):
        broken()
    assert columns(ended, whereabouts.c.person, whereabouts.c.device) == before
    assert run(ended) == 1

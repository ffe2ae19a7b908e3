"""Places, people, sheets and the journal, as read for screens."""

import pytest
from sqlalchemy import Engine, delete

from pingji.data import journal, people, sheets, situation
from pingji.data.engine import reading, writing
from pingji.data.operations import operations_at, operations_of
from pingji.data.places import places_named
from pingji.data.tables import person
from tests import world
from tests.world import COUNTY, MINUTE, T0, households_in, people_in, say, write

HOME = households_in("Z1")[4]  # one person, listed by name
UNNAMED = households_in("Z1")[3]  # four people, of whom only the number is known


@pytest.fixture
def county(engine: Engine) -> Engine:
    return world.filled(engine)


@pytest.fixture
def operation(county: Engine) -> str:
    return world.press(county, "emergency").operation


def test_rates_look_back_ten_minutes(county: Engine, operation: str) -> None:
    write(county, [say("arrive", 0, household=UNNAMED, place="T1"), say("count", 9 * MINUTE, place="T1", count=7)])
    now = T0 // MINUTE
    with reading(county) as conn:
        rates = [situation.place_states(conn, COUNTY, [operation], now + n)["T1"] for n in (9, 10, 19)]
    assert [(s.roster_rate, s.clicker_rate) for s in rates] == [(4, 7), (0, 7), (0, 0)]


def test_arrivals_by_the_minute(county: Engine, operation: str) -> None:
    one = people_in(HOME)[0]
    write(county, [say("arrive", 3 * MINUTE, person=one, place="S1"), say("arrive", MINUTE, person=one, place="T1")])
    start = T0 // MINUTE
    with reading(county) as conn:
        assert situation.first_arrivals(conn, COUNTY, [operation]) == {start + 1: 1}
        latest = situation.latest_arrivals(conn, COUNTY, [operation], 5)
    assert latest == [(start + 3, "S1", 1), (start + 1, "T1", 1)]


def test_a_state_is_set_in_every_open_operation_that_has_the_place(county: Engine) -> None:
    ids = [world.press(county, "emergency", code=code).operation for code in (world.C2, world.C3)]
    with writing(county) as conn:
        shelter = places_named(conn, COUNTY, ["S3"])["S3"]
        assert situation.set_status(conn, COUNTY, ids, shelter, "fault") == 2
        assert situation.set_status(conn, COUNTY, ids[:1], shelter, "accepting") == 1
        assert situation.place_states(conn, COUNTY, ids, 0)["S3"].status == "fault"  # somebody said so


def test_people_of_the_register_and_of_the_roll_call(county: Engine) -> None:
    def listed(operations: list[str], *households: str) -> list[tuple[str, str]]:
        with reading(county) as conn:
            return [(p.id, p.position) for p in people.people_of(conn, COUNTY, households, operations)]

    assert listed([], HOME, UNNAMED) == [(p, "") for p in people_in(HOME)]
    operation = world.press(county, "emergency").operation
    with writing(county) as conn:
        conn.execute(delete(person).where(person.c.household == HOME))
    write(county, [say("disperse", 1, household=UNNAMED)])
    assert listed([operation], HOME, UNNAMED) == [
        *((p, "dispersed") for p in people_in(UNNAMED)),
        *((p, "not_reached") for p in people_in(HOME)),
    ]
    assert len(listed([operation], world.CARE_HOME)) == world.CARE_HOME_PEOPLE


def test_every_scopes_sheet_is_the_same_alone_and_with_all(county: Engine, operation: str) -> None:
    write(county, world.Field(77).movements(300))
    with reading(county) as conn:
        operations = operations_of(conn, COUNTY)
        below = sheets.sheets_below(conn, COUNTY, operations, [])
        assert {level for level, _ in below} == {"township", "community", "zone", "grid"}
        for (_, code), sheet in below.items():
            assert sheets.balance_of(conn, world.scope(conn, code), operations, []).persons == sheet
        zones = sum(s.expected for (level, _), s in below.items() if level == "zone")
        whole = sheets.balance_of(conn, world.scope(conn), operations, [])
    assert zones == world.ALL_PERSONS
    assert whole.persons.expected == zones + whole.persons.off_plan
    assert sum(whole.ever.values()) >= whole.persons.expected


def test_which_operation_a_clock_falls_in(county: Engine) -> None:
    drill = world.press(county, "emergency", at=10, exercise=True).operation
    world.press(county, "recovery", at=20, exercise=True)
    world.press(county, "routine", at=30)
    real = world.press(county, "emergency", at=50).operation
    with reading(county) as conn:
        operations = operations_of(conn, COUNTY)
    found = {at: [o.id for o in operations_at(operations, T0 + at)] for at in (10, 29, 50, 99)}
    assert found == {10: [drill], 29: [drill], 50: [real], 99: [real]}


def test_the_journal_is_newest_first_and_by_county(engine: Engine) -> None:
    with writing(engine) as conn:
        for n in range(4):
            journal.write(conn, COUNTY, at=n, actor="Wang", action="press", detail={"n": n})
        journal.write(conn, "other", at=9, actor="Li", action="press")
    with reading(engine) as conn:
        entries = journal.latest(conn, COUNTY, 3)
    assert [(e.at, e.detail) for e in entries] == [(3, {"n": 3}), (2, {"n": 2}), (1, {"n": 1})]
    assert {e.actor for e in entries} == {"Wang"}

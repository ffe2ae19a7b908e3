"""The one key on both stores: all of a press or none of it, once, recallable; nobody is on two roll calls."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, delete, func, select, update

from pingji.dashboard import commands
from pingji.dashboard.context import Context, now_us
from pingji.data import journal, modes, operations, sheets, situation
from pingji.data.engine import reading, writing
from pingji.data.ingest import record
from pingji.data.operations import operations_of
from pingji.data.places import places_named
from pingji.data.tables import LAYER_TABLES, headcount, metadata, occupancy, person, whereabouts
from pingji.data.writer import Writer
from pingji.ops import mode
from pingji.ops.mode import Mode, Press, State
from pingji.settings import Settings
from tests import world
from tests.world import C1, C2, COUNTY, FAR, MINUTE, NEAR, T0, households_in, people_in, say, write

HOME = households_in("Z1")[3]


@pytest.fixture
def county(engine: Engine) -> Engine:
    return world.filled(engine)


@pytest.fixture
def context(county: Engine) -> Context:
    return Context(Settings(), county, Writer(county, lambda: None))


def ask(context: Context, press_id: str, to: str = "emergency", code: str = COUNTY, **said: Any) -> State:
    level = said.pop("level", 2 if to == "emergency" else None)
    asked = Press(press_id, code, Mode(to), level, said.pop("exercise", False), said.pop("reason", "rain"))
    return commands.switch_mode(context, asked, "tester")[0]


def expected(engine: Engine, code: str = COUNTY) -> int:
    with reading(engine) as conn:
        open_now = [o for o in operations_of(conn, COUNTY) if o.is_open]
        return sheets.balance_of(conn, world.scope(conn, code), open_now, []).persons.expected


def states(engine: Engine) -> dict[str, State]:
    with reading(engine) as conn:
        return modes.load_states(conn, COUNTY)


def everything(engine: Engine) -> dict[str, int]:
    with reading(engine) as conn:
        return {t.name: conn.scalar(select(func.count()).select_from(t)) or 0 for t in metadata.sorted_tables}


# -- what a press freezes -----------------------------------------------------------------------------------------


def test_a_press_freezes_the_denominator(county: Engine) -> None:
    world.press(county, "emergency")
    h = LAYER_TABLES["households"]
    with writing(county) as conn:
        conn.execute(delete(person).where(person.c.household == HOME))
        conn.execute(delete(h).where(h.c.code == HOME))
        conn.execute(update(h).where(h.c.zone == "Z2").values(zone=""))
    assert expected(county) == world.ALL_PERSONS
    assert expected(county, "Z2") == world.PERSONS["Z2"]
    write(county, [say("arrive", 1, household=HOME, place="T1")])
    assert expected(county) == world.ALL_PERSONS


@pytest.mark.parametrize(
    ("code", "persons"),
    [
        (COUNTY, world.ALL_PERSONS),
        (NEAR, world.PERSONS["Z1"] + world.PERSONS["Z2"]),
        (FAR, world.PERSONS["Z3"]),
        (f"{NEAR}000", world.PERSONS["Z1"] + world.PERSONS["Z2"]),
        (C2, world.PERSONS["Z2"]),
    ],
)
def test_a_scope_calls_its_own_people_only(county: Engine, code: str, persons: int) -> None:
    world.press(county, "emergency", code=code)
    assert expected(county) == persons


def test_places_open_where_the_plan_sends_people_and_not_in_the_flood(county: Engine) -> None:
    operation = world.press(county, "emergency", code=C2).operation
    with reading(county) as conn:
        o = occupancy.c
        query = select(o.place, o.status, o.expected).where(o.operation == operation)
        opened = {place: (status, n) for place, status, n in conn.execute(query)}
    people = world.PERSONS["Z2"]
    assert opened == {"T2": ("open", people), "S2": ("closed", 0), "S3": ("accepting", people)}


def test_nobody_to_count_opens_nothing(context: Context) -> None:
    before = everything(context.engine)
    with pytest.raises(mode.NobodyToCount):
        ask(context, "p", code=world.C4)
    assert everything(context.engine) == before


@pytest.mark.parametrize("broken", ["pingji.data.modes._save_state", "pingji.data.journal.write"])
def test_a_press_is_all_or_nothing(context: Context, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    before = everything(context.engine)

    def fail(*_args: object, **_named: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patched:
        patched.setattr(broken, fail)
        with pytest.raises(RuntimeError, match="power cut"):
            ask(context, "p")
    assert everything(context.engine) == before
    assert ask(context, "p").mode is Mode.EMERGENCY


# -- once ---------------------------------------------------------------------------------------------------------


def test_the_same_press_twice_does_nothing_more(context: Context) -> None:
    first = ask(context, "p")
    before = everything(context.engine)
    assert ask(context, "p") == first
    assert everything(context.engine) == before
    with pytest.raises(mode.PressIdReused):
        ask(context, "p", level=1)


@pytest.mark.parametrize("press_ids", [("p",) * 4, ("a", "b", "c", "d")])
def test_of_presses_at_once_one_wins_and_the_others_hear_why(context: Context, press_ids: tuple[str, ...]) -> None:
    def attempt(press_id: str) -> str:
        try:
            return ask(context, press_id).operation
        except mode.PressRefused as refused:
            return type(refused).__name__

    with ThreadPoolExecutor(4) as pool:
        heard = list(pool.map(attempt, press_ids))
    (operation,) = world.open_operations(context.engine)
    same = len(set(press_ids)) == 1
    assert sorted(heard) == sorted([operation] * 4 if same else [operation] + ["NothingToChange"] * 3)
    assert expected(context.engine) == world.ALL_PERSONS


def test_a_county_and_its_village_at_once_never_count_anybody_twice(context: Context) -> None:
    def attempt(code: str) -> None:
        try:
            ask(context, code, code=code)
        except mode.CoveredByWiderScope:
            assert code != COUNTY

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(attempt, (COUNTY, C1, C2)))
    assert len(world.open_operations(context.engine)) == 1
    assert expected(context.engine) == world.ALL_PERSONS


# -- absorbing ----------------------------------------------------------------------------------------------------


def test_a_county_carries_its_villages_counts_on(county: Engine) -> None:
    one, other = (world.press(county, "emergency", code=code) for code in (C1, C2))
    elsewhere = people_in(households_in("Z2")[1])[0]
    write(county, [say("arrive", 5, household=HOME, place="T1"), say("arrive", 5, person=elsewhere, place="S3")])
    write(county, [say("count", 5, place="S3", count=2, device="d"), say("count", 5, place="T1", count=9, device="d")])
    write(county, [say("arrive", 6, person="visitor:a", place="T2")])
    with writing(county) as conn:
        place = places_named(conn, COUNTY, ["T1"])["T1"]
        assert situation.set_status(conn, COUNTY, [one.operation, other.operation], place, "compromised") == 1
    whole = world.press(county, "emergency", at=MINUTE).operation
    assert world.open_operations(county) == [whole]
    assert expected(county) == world.ALL_PERSONS + 1
    carried = world.live(county, whole)
    assert carried == world.recounted(county, whole) == world.rebuilt(county, whole)
    assert carried["occupancy"] == [("S3", 1, 2, 1), ("T1", 4, 9, 4), ("T2", 1, 0, 1)]
    with reading(county) as conn:
        assert situation.place_states(conn, COUNTY, [whole], 0)["T1"].status == "compromised"
    late = say("leave", 7, household=HOME, place="T1")  # told while the village counted, uploaded after
    write(county, [late])
    assert world.live(county, whole) == world.rebuilt(county, whole)
    assert {code: s.mode for code, s in states(county).items()} == {
        C1: Mode.ROUTINE,
        C2: Mode.ROUTINE,
        COUNTY: Mode.EMERGENCY,
    }


def test_a_place_only_the_village_knew_is_carried_on(county: Engine) -> None:
    """S3 takes people of C2 and lies in another township than the one that is pressed next."""
    world.press(county, "emergency", code=C2)
    write(county, [say("arrive", 1, person=people_in(households_in("Z2")[0])[0], place="T4")])
    whole = world.press(county, "emergency", code=NEAR, at=MINUTE).operation
    assert world.live(county, whole)["occupancy"] == [("T4", 1, 0, 1)]
    assert world.live(county, whole) == world.recounted(county, whole)


def test_counting_while_the_county_is_switched_loses_nobody(context: Context) -> None:
    engine = context.engine
    ask(context, "village", code=C1)
    homes = households_in("Z1")
    now = now_us()
    said = [world.again(say("depart", 0, household=h), clock=now) for h in homes]

    def count_in(m: Any) -> None:
        with writing(engine) as conn:
            record(conn, COUNTY, [m], now)

    with ThreadPoolExecutor(4) as pool:
        counting = [pool.submit(count_in, m) for m in said]
        pressing = pool.submit(ask, context, "county")
        for future in (*counting, pressing):
            future.result(30)
    (operation,) = world.open_operations(engine)
    counted = world.live(engine, operation)
    assert counted == world.rebuilt(engine, operation)
    moving = sum(row[-1] for row in counted["tally"] if row[0] == "persons" and row[-2] == "in_transit")
    assert moving == world.PERSONS["Z1"] - world.CARE_HOME_PEOPLE


# -- recall -------------------------------------------------------------------------------------------------------


def test_a_recall_goes_back_once(context: Context) -> None:
    ask(context, "p")
    assert commands.recall(context, "p", "by mistake", "tester").mode is Mode.ROUTINE
    assert world.open_operations(context.engine) == []
    before = everything(context.engine)
    assert commands.recall(context, "p", "again", "tester").mode is Mode.ROUTINE
    assert everything(context.engine) == before
    with reading(context.engine) as conn:
        assert [e.action for e in journal.latest(conn, COUNTY, 5)] == ["recall", "press"]
    write(context.engine, [say("notify", 1, household=HOME)])
    assert everything(context.engine)["movement"] == 0


def test_what_can_not_be_recalled(context: Context) -> None:
    with pytest.raises(mode.NoSuchPress):
        commands.recall(context, "none", "", "tester")
    ask(context, "one")
    ask(context, "two", level=1)
    with pytest.raises(mode.NotTheLatestPress):
        commands.recall(context, "one", "", "tester")
    commands.recall(context, "two", "", "tester")
    write(context.engine, [world.again(say("notify", 0, household=HOME), clock=now_us())])
    with pytest.raises(mode.AlreadyCounting):
        commands.recall(context, "one", "", "tester")


def test_the_end_of_an_emergency_can_be_recalled(context: Context) -> None:
    operation = ask(context, "one").operation
    ask(context, "two", to="recovery")
    ask(context, "three", to="routine")
    assert world.open_operations(context.engine) == []
    assert commands.recall(context, "three", "too early", "tester").operation == operation
    assert world.open_operations(context.engine) == [operation]


def test_an_end_is_not_recalled_into_a_wider_emergency(context: Context) -> None:
    """Open again beside the county's roll call, the village would be counted twice."""
    ask(context, "one", code=C1)
    ask(context, "two", to="recovery", code=C1)
    ask(context, "three", to="routine", code=C1)
    ask(context, "county")
    with pytest.raises(mode.NotTheLatestPress):
        commands.recall(context, "three", "", "tester")
    assert expected(context.engine) == world.ALL_PERSONS


def test_an_absorbing_press_and_an_absorbed_one_stay(context: Context) -> None:
    ask(context, "village", code=C1)
    ask(context, "county")
    for press_id in ("village", "county"):
        with pytest.raises(mode.NotTheLatestPress):
            commands.recall(context, press_id, "", "tester")


# -- exercises ----------------------------------------------------------------------------------------------------


def test_a_real_emergency_ends_an_exercise_and_takes_nothing_from_it(county: Engine) -> None:
    drill = world.press(county, "emergency", exercise=True, code=C1)
    write(county, [say("arrive", 1, household=HOME, place="T1"), say("count", 1, place="T1", count=4)])
    real = world.press(county, "emergency", at=MINUTE)
    assert world.open_operations(county) == [real.operation]
    assert world.live(county, real.operation)["occupancy"] == []
    assert expected(county) == world.ALL_PERSONS
    with reading(county) as conn:
        fates = {o.id: o.fate for o in operations_of(conn, COUNTY)}
        assert conn.scalars(select(headcount.c.operation)).all() == [drill.operation]
    assert fates == {drill.operation: operations.DROPPED, real.operation: ""}
    assert states(county)[C1].mode is Mode.ROUTINE


def test_the_journal_calls_an_exercises_end_an_exercise(context: Context) -> None:
    ask(context, "one", exercise=True)
    ask(context, "two", to="recovery", exercise=True)
    ask(context, "three", to="routine")
    with reading(context.engine) as conn:
        assert [e.exercise for e in journal.latest(conn, COUNTY, 5)] == [True, True, True]


def test_in_recovery_those_who_went_home_leave_the_sheet(county: Engine) -> None:
    state = world.press(county, "emergency")
    write(county, [say("return_home", 1, household=HOME)])
    with reading(county) as conn:
        open_now = operations_of(conn, COUNTY)
        before = sheets.balance_of(conn, world.scope(conn), open_now, []).persons
        after = sheets.balance_of(conn, world.scope(conn), open_now, [state.operation]).persons
        whole = sheets.sheets_below(conn, COUNTY, open_now, [state.operation])[("zone", "Z1")]
    assert (before.expected, before.remainder[mode_position("returned")]) == (world.ALL_PERSONS, 4)
    assert (after.expected, after.returned_home) == (world.ALL_PERSONS - 4, 4)
    assert (whole.expected, whole.returned_home) == (world.PERSONS["Z1"] - 4, 4)


def mode_position(name: str) -> Any:
    from pingji.ops.position import Position

    return Position(name)


def test_the_roll_call_holds_each_person_once(county: Engine) -> None:
    operation = world.press(county, "emergency").operation
    with reading(county) as conn:
        people = conn.scalars(select(whereabouts.c.person).where(whereabouts.c.operation == operation)).all()
    assert len(people) == len(set(people)) == world.ALL_PERSONS
    assert T0 > 0

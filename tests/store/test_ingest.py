"""The head-count on both stores: any order, any duplication, any split, one sheet."""

from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select

from pingji.data import journal, sheets
from pingji.data.engine import reading, writing
from pingji.data.operations import operations_of
from pingji.data.tables import metadata, movement, whereabouts
from pingji.data.writer import Writer
from pingji.ops.movement import Movement, Reason
from pingji.ops.position import Position
from tests import world
from tests.world import C1, C3, COUNTY, MINUTE, Field, households_in, people_in, say, write

HOME = households_in("Z1")[3]  # four people
FIRST, SECOND = people_in(HOME)[:2]
FEW = settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),  # a failure shows two sheets: shrinking it costs minutes of database
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def county(engine: Engine) -> Engine:
    return world.filled(engine)


@pytest.fixture
def operation(county: Engine) -> str:
    return world.press(county, "emergency").operation


def balance(engine: Engine, code: str = COUNTY) -> sheets.Balance:
    with reading(engine) as conn:
        open_now = [o for o in operations_of(conn, COUNTY) if o.is_open]
        return sheets.balance_of(conn, world.scope(conn, code), open_now, [])


def where(engine: Engine, person: str) -> str:
    with reading(engine) as conn:
        return conn.scalars(select(whereabouts.c.position).where(whereabouts.c.person == person)).one()


def start_again(engine: Engine) -> str:
    with writing(engine) as conn:
        for name in ("movement", "whereabouts", "tally", "headcount", "trend", "occupancy", "operation", "mode"):
            conn.execute(delete(metadata.tables[name]))
    return world.press(engine, "emergency", operation="op").operation


def same_as_recounted(engine: Engine, operation: str) -> world.Counts:
    counted = world.live(engine, operation)
    assert counted == world.recounted(engine, operation)
    assert counted == world.rebuilt(engine, operation)
    return counted


# -- the property -------------------------------------------------------------------------------------------------


@FEW
@given(seed=st.integers(0, 999), shuffle=st.randoms(use_true_random=False), size=st.integers(1, 40))
def test_order_duplicates_and_batches_change_nothing(county: Engine, seed: int, shuffle: Random, size: int) -> None:
    said = Field(seed).movements(60)
    operation = start_again(county)
    write(county, said)
    in_order = same_as_recounted(county, operation)
    disorder = [*said, *shuffle.sample(said, 20)]
    shuffle.shuffle(disorder)
    operation = start_again(county)
    for start in range(0, len(disorder), size):
        write(county, disorder[start : start + size])
    assert same_as_recounted(county, operation) == in_order


def test_a_large_night_by_several_writers(county: Engine) -> None:
    said = Field(4242).movements(1_000)
    operation = start_again(county)
    write(county, said)
    in_order = world.live(county, operation)
    operation = start_again(county)
    rng = Random(1)
    disorder = [*said, *rng.sample(said, 300)]
    rng.shuffle(disorder)
    batches = [disorder[i : i + 90] for i in range(0, len(disorder), 90)]
    writers = [Writer(county, lambda: None) for _ in range(3)]
    for writer in writers:
        writer.start()
    with ThreadPoolExecutor(6) as pool:
        futures = list(pool.map(lambda pair: writers[pair[0] % 3].submit(COUNTY, pair[1]), enumerate(batches)))
        outcomes = [future.result(60) for future in futures]
    for writer in writers:
        writer.stop()
    accepted = [i for o in outcomes for i in o.accepted]
    assert sorted(accepted) == sorted(m.id for m in said)
    assert sum(len(o.duplicates) for o in outcomes) == 300
    assert same_as_recounted(county, operation) == in_order


def test_the_sheet_adds_up_to_everybody_whatever_is_said(county: Engine, operation: str) -> None:
    write(county, Field(9).movements(400))
    persons, households = balance(county).persons, balance(county).households
    assert persons.expected == persons.accounted_total + persons.remainder_total
    assert persons.expected == world.ALL_PERSONS + persons.off_plan
    assert households.expected == world.ALL_HOUSEHOLDS + persons.off_plan  # a visitor is a household of one
    parts = [balance(county, code).persons for code in (world.NEAR, world.FAR)]
    nowhere = persons.expected - sum(p.expected for p in parts)  # visitors whom nobody has seen at a place yet
    assert 0 <= nowhere <= persons.off_plan


# -- one person, one place ----------------------------------------------------------------------------------------


def test_the_shelter_checks_out_of_the_transfer_point(county: Engine, operation: str) -> None:
    write(county, [say("arrive", 1, person=FIRST, place="T1")])
    write(county, [say("arrive", 2, person=FIRST, place="S1")])
    occupancy = {row[0]: row[1:] for row in world.live(county, operation)["occupancy"]}
    assert occupancy == {"T1": (0, 0, 1), "S1": (1, 0, 1)}  # roster, clicker, ever arrived
    write(county, [say("leave", 3, person=FIRST, place="T1")])  # a late check-out at the first door
    assert where(county, FIRST) == "sheltered_together"
    write(county, [say("leave", 4, person=FIRST, place="S1")])
    assert where(county, FIRST) == "in_transit"


def test_a_household_speaks_for_its_people_until_one_speaks_later(county: Engine, operation: str) -> None:
    write(county, [say("depart", 5, household=HOME), say("arrive", 9, person=FIRST, place="T1")])
    write(county, [say("disperse", 7, household=HOME)])
    assert (where(county, FIRST), where(county, SECOND)) == ("at_transfer_point", "dispersed")
    assert balance(county).households.accounted[Position.AT_TRANSFER_POINT] == 1
    write(county, [say("refuse", 11, person=SECOND)])
    assert balance(county).households.remainder[Position.REFUSED] == 1
    same_as_recounted(county, operation)


def test_the_unlisted_household_and_the_care_home_are_in_the_denominator(county: Engine, operation: str) -> None:
    assert balance(county).persons.expected == world.ALL_PERSONS
    assert balance(county, "Z1").persons.expected == world.PERSONS["Z1"]
    write(county, [say("arrive", 1, household=world.CARE_HOME, place="S1")])
    assert balance(county, C1).persons.accounted[Position.SHELTERED_TOGETHER] == world.CARE_HOME_PEOPLE


def test_the_township_of_another_code_is_in_the_countys_sheet(county: Engine, operation: str) -> None:
    write(county, [say("disperse", 1, household=h) for h in households_in("Z3")])
    assert balance(county, world.FAR).persons.accounted_total == world.PERSONS["Z3"]
    assert balance(county).persons.accounted_total == world.PERSONS["Z3"]
    assert balance(county, world.FAR).persons.remainder_total == 0


# -- corrections --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
def test_corrections_twice_over_in_any_order(county: Engine, operation: str, order: tuple[int, ...]) -> None:
    wrong = say("arrive", 10, household=HOME, place="T1")
    better = say("disperse", 20, household=HOME, supersedes=wrong.id)
    last = say("refuse", 5, household=HOME, supersedes=better.id)  # said earlier by its clock, and still the last word
    for i in order:
        write(county, [(wrong, better, last)[i]])
    assert where(county, FIRST) == "refused"
    counted = same_as_recounted(county, operation)
    assert counted["occupancy"] == []


@pytest.mark.parametrize("reverse", [False, True])
def test_counts_are_corrected_with_their_difference(county: Engine, operation: str, reverse: bool) -> None:
    said = [say("count", 1, place="T1", count=50, device="a"), say("count", 2, place="T1", count=3, device="b")]
    said.append(say("correct", 3, place="T1", count=5, device="a", supersedes=said[0].id))
    said.append(say("correct", 4, device="a", supersedes=said[1].id))
    for m in reversed(said) if reverse else said:
        write(county, [m])
    counted = same_as_recounted(county, operation)
    assert counted["occupancy"] == [("T1", 0, 5, 0)]
    assert counted["headcount"] == [("T1", "a", 5)]


def test_visitors_widen_the_denominator_until_corrected_away(county: Engine, operation: str) -> None:
    seen = say("arrive", 1, person="visitor:a", place="T3")
    stays = say("arrive", 2, person="visitor:b", place="T3")
    write(county, [seen, stays, say("verify", 3, person="visitor:c")])
    whole = balance(county)
    assert (whole.persons.off_plan, whole.persons.expected) == (2, world.ALL_PERSONS + 2)
    assert (whole.households.off_plan, whole.households.expected) == (2, world.ALL_HOUSEHOLDS + 2)
    assert balance(county, C3).persons.off_plan == 2
    write(county, [say("correct", 4, supersedes=seen.id)])
    assert balance(county).persons.off_plan == 1
    assert balance(county).persons.expected == world.ALL_PERSONS + 1
    same_as_recounted(county, operation)


@pytest.mark.parametrize("reverse", [False, True])
def test_a_visitor_whose_only_arrival_was_wrong_belongs_to_no_place(
    county: Engine, operation: str, reverse: bool
) -> None:
    wrong = say("arrive", 1, person="visitor:a", place="T3")
    said = [wrong, say("disperse", 2, person="visitor:a"), say("correct", 3, supersedes=wrong.id)]
    for m in reversed(said) if reverse else said:
        write(county, [m])
    same_as_recounted(county, operation)
    assert balance(county).persons.off_plan == 1
    assert balance(county, C3).persons.off_plan == 0


# -- every movement has one fate ----------------------------------------------------------------------------------


def fates(engine: Engine, *said: Movement) -> dict[str, str]:
    outcome = write(engine, said)
    parts = [
        *((i, "accepted") for i in outcome.accepted),
        *((i, "duplicate") for i in outcome.duplicates),
        *((i, str(reason)) for i, reason in outcome.refused),
    ]
    assert len(parts) == len(said)
    return dict(parts)


NONSENSE = {
    Reason.PLACE_REQUIRED: {"kind": "arrive", "person": FIRST},
    Reason.UNKNOWN_PLACE: {"kind": "arrive", "person": FIRST, "place": "T9"},
    Reason.SUBJECT_REQUIRED: {"kind": "notify"},
    Reason.UNKNOWN_SUBJECT: {"kind": "notify", "person": "nobody"},
    Reason.COUNT_REQUIRED: {"kind": "count", "place": "T1"},
    Reason.COUNT_NOT_ALLOWED: {"kind": "notify", "person": FIRST, "count": 2},
    Reason.SUPERSEDES_REQUIRED: {"kind": "correct"},
    Reason.SUPERSEDES_ITSELF: {"kind": "notify", "person": FIRST, "id": "me", "supersedes": "me"},
}
# The tests below, and tests/app.
ELSEWHERE = {Reason.SEQUENCE_REUSED, Reason.NO_OPERATION, Reason.MALFORMED, Reason.OUTSIDE_AREA}


def test_every_refusal_is_reached_and_blocks_nobody(county: Engine, operation: str) -> None:
    assert set(NONSENSE) | ELSEWHERE == set(Reason)
    bad = {reason: say(str(said["kind"]), 1, **{k: v for k, v in said.items() if k != "kind"})
           for reason, said in NONSENSE.items()}  # fmt: skip
    good = say("notify", 1, person=FIRST)
    found = fates(county, *bad.values(), good)
    assert {reason: found[m.id] for reason, m in bad.items()} == {reason: str(reason) for reason in bad}
    assert found[good.id] == "accepted"


def test_a_household_is_no_person_and_a_visitor_no_household(county: Engine, operation: str) -> None:
    """Also beside others that name its people: what a batch holds must not decide what a movement means."""
    write(county, [say("notify", 1, person="visitor:a")])
    as_person, sibling = say("refuse", 2, person=HOME), say("notify", 1, person=FIRST)
    person_as_home = say("refuse", 2, household=FIRST)
    visiting = say("refuse", 2, household="visitor:a")
    found = fates(county, sibling, as_person, person_as_home, visiting)
    assert found[sibling.id] == "accepted"
    assert {found[m.id] for m in (as_person, person_as_home, visiting)} == {"unknown_subject"}


def test_before_any_press_there_is_nothing_to_count_in(county: Engine) -> None:
    m = say("notify", 1, person=FIRST)
    assert fates(county, m) == {m.id: "no_operation"}
    with reading(county) as conn:
        assert conn.execute(select(movement)).all() == []


def test_a_repeat_changes_nothing_and_a_reused_sequence_is_refused(county: Engine, operation: str) -> None:
    first = say("notify", 1, person=FIRST, sequence=7)
    other = say("refuse", 2, person=FIRST, sequence=7)
    assert fates(county, first) == {first.id: "accepted"}
    assert fates(county, first) == {first.id: "duplicate"}
    assert fates(county, world.again(first, kind=other.kind)) == {first.id: "duplicate"}
    assert fates(county, other) == {other.id: "sequence_reused"}
    assert where(county, FIRST) == "notified"
    together = [say("notify", 3, person=FIRST, sequence=8), say("refuse", 4, person=FIRST, sequence=8)]
    assert sorted(fates(county, *together).values()) == ["accepted", "sequence_reused"]


def test_a_repeat_of_what_was_refused_is_no_duplicate(county: Engine, operation: str) -> None:
    """A duplicate is an acknowledgement: the phone would forget what nobody stored."""
    bad = say("arrive", 1, person=FIRST)
    outcome = write(county, [bad, bad])
    assert outcome.accepted == outcome.duplicates == []
    assert outcome.refused == [(bad.id, Reason.PLACE_REQUIRED)] * 2


# -- several operations -------------------------------------------------------------------------------------------


@pytest.fixture
def two(county: Engine) -> tuple[str, str]:
    """Two villages in emergency; both send people to shelter S3, which lies in neither."""
    codes = (world.C2, world.C3)
    one, other = (world.press(county, "emergency", code=code).operation for code in codes)
    return one, other


def test_a_shared_shelter_takes_clicks_and_visitors_of_two_emergencies(county: Engine, two: tuple[str, str]) -> None:
    taps = say("count", 1, place="S3", count=4)
    guest = say("arrive", 2, person="visitor:a", place="S3")
    undo = say("correct", 3, supersedes=taps.id)
    assert set(fates(county, taps, guest).values()) == {"accepted"}
    assert set(fates(county, undo).values()) == {"accepted"}
    assert balance(county).persons.off_plan == 1
    for operation in two:
        assert same_as_recounted(county, operation)["headcount"] == []
    nowhere = say("count", 4, place="T1", count=1)
    assert fates(county, nowhere) == {nowhere.id: "no_operation"}


def test_an_exercise_uploaded_late_stays_an_exercise(county: Engine) -> None:
    drill = world.press(county, "emergency", exercise=True).operation
    write(county, [say("arrive", 1, person=FIRST, place="T1")])
    real = world.press(county, "emergency", at=10 * MINUTE).operation
    late = [say("arrive", 2, household=HOME, place="T1"), say("count", 3, place="T1", count=9)]
    assert set(fates(county, *late).values()) == {"accepted"}
    assert fates(county, guest := say("arrive", 4, person="visitor:a", place="T1")) == {guest.id: "accepted"}
    counted = same_as_recounted(county, real)
    assert counted["headcount"] == counted["occupancy"] == counted["trend"] == []
    assert balance(county).persons.remainder[Position.NOT_REACHED] == world.ALL_PERSONS
    assert same_as_recounted(county, drill)["occupancy"] == [("T1", 5, 9, 5)]
    tie = say("refuse", 10 * MINUTE, person=FIRST)  # in the microsecond of the switch: the real one
    write(county, [tie])
    assert balance(county).persons.remainder[Position.REFUSED] == 1


def test_nothing_of_the_log_is_ever_changed(county: Engine, operation: str) -> None:
    said = Field(3).movements(80)
    write(county, said[:40])
    with reading(county) as conn:
        before = set(conn.execute(select(movement)).all())
        assert journal.latest(conn, COUNTY, 10) == []
    write(county, said)
    with reading(county) as conn:
        assert before <= set(conn.execute(select(movement)).all())

"""Where one person is: the same from the same statements, whatever way these come."""

from functools import reduce
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from pingji.ops.movement import SHELTER, TRANSFER_POINT, Kind, Movement
from pingji.ops.position import ACCOUNTED, EVER_BITS, Position
from pingji.ops.tally import Changes
from pingji.ops.whereabouts import Whereabouts, in_force, retell, tell

KINDS = {"T1": TRANSFER_POINT, "T2": TRANSFER_POINT, "S1": SHELTER}
CELL = ("", "z", "g", "c", "t")


def said(kind: str, clock: int, place: str = "", n: int = 0, device: str = "d") -> Movement:
    return Movement(f"{device}{n or clock}", device, n or clock, Kind(kind), clock, clock, place, person="p")


def fold(*movements: Movement, start: Whereabouts | None = None) -> Whereabouts:
    return reduce(lambda known, m: tell(known, m, KINDS.get(m.place)), movements, start or Whereabouts())


def everywhere(*movements: Movement) -> set[Position]:
    return {fold(*order).position for order in permutations(movements)}


@st.composite
def statements(draw: st.DrawFn) -> list[Movement]:
    kinds = st.sampled_from([k for k in Kind if k not in (Kind.COUNT, Kind.CORRECT)])
    made = []
    for n in range(draw(st.integers(0, 9))):
        kind = draw(kinds)
        place = draw(st.sampled_from(list(KINDS))) if kind in (Kind.ARRIVE, Kind.LEAVE) else ""
        made.append(said(kind, draw(st.integers(1, 6)), place, n + 1, draw(st.sampled_from("ab"))))
    return made


@given(statements(), st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(made: list[Movement], rng: object) -> None:
    known = fold(*made)
    disorder = made + made[: len(made) // 2]
    rng.shuffle(disorder)  # type: ignore[attr-defined]
    assert fold(*disorder) == known
    assert fold(*made, start=known) == known
    assert retell((m, KINDS.get(m.place)) for m in disorder) == known


@given(statements(), st.integers(0, 9))
def test_pieces_make_the_whole(made: list[Movement], cut: int) -> None:
    assert fold(*made[cut:], start=fold(*made[:cut])) == fold(*made)


@given(statements())
def test_a_person_is_in_one_place_and_ever_there(made: list[Movement]) -> None:
    known = fold(*made)
    assert known.ever & EVER_BITS[known.position]
    assert bool(known.at) == (known.position in (Position.AT_TRANSFER_POINT, Position.SHELTERED_TOGETHER))
    if known.at:
        assert known.visits[known.at].arrived
        assert known.visits[known.at].left < known.stamp[0]
    if known.is_verified:
        assert known.position in ACCOUNTED


@given(statements(), statements())
def test_the_difference_is_what_taking_out_and_adding_makes(before: list[Movement], more: list[Movement]) -> None:
    old = fold(*before)
    new = fold(*more, start=old)
    by_hand, at_once = Changes(), Changes()
    by_hand.count_person(CELL, old, -1)
    by_hand.count_person(CELL, new, 1)
    at_once.change_person(CELL, old, new)
    for name in ("tally", "roster", "arrived", "trend"):
        one, other = getattr(by_hand, name), getattr(at_once, name)
        assert {k: n for k, n in one.items() if n} == {k: n for k, n in other.items() if n}


def test_a_late_check_out_does_not_undo_an_arrival_elsewhere() -> None:
    journey = (said("arrive", 1, "T1"), said("arrive", 2, "S1"), said("leave", 9, "T1"))
    assert everywhere(*journey) == {Position.SHELTERED_TOGETHER}
    assert fold(*journey).at == "S1"


def test_leaving_the_place_where_one_is() -> None:
    assert everywhere(said("arrive", 1, "T1"), said("leave", 2, "T1")) == {Position.IN_TRANSIT}
    assert everywhere(said("arrive", 1, "T1"), said("leave", 2, "T1"), said("arrive", 3, "T1")) == {
        Position.AT_TRANSFER_POINT
    }


def test_being_told_moves_nobody() -> None:
    for kind, position in (("refuse", Position.REFUSED), ("depart", Position.IN_TRANSIT), ("guard", Position.GUARDING)):
        assert everywhere(said(kind, 1), said("notify", 5)) == {position}
    assert everywhere(said("arrive", 1, "T1"), said("notify", 5)) == {Position.AT_TRANSFER_POINT}
    assert fold(said("notify", 5)).position is Position.NOTIFIED
    assert everywhere(said("unlocated", 1), said("notify", 5)) == {Position.NOTIFIED}
    assert everywhere(said("notify", 1), said("unlocated", 5)) == {Position.UNLOCATED}


def test_notified_departed_arrived_and_verified_are_never_inferred() -> None:
    known = fold(said("arrive", 3, "T1"))
    assert not known.ever & (EVER_BITS[Position.NOTIFIED] | EVER_BITS[Position.IN_TRANSIT])
    assert (known.notified, known.is_verified) == (0, False)
    assert fold(said("arrive", 3, "T1"), said("verify", 4)).is_verified
    assert not fold(said("verify", 4), said("arrive", 5, "T1")).is_verified
    assert fold(said("verify", 4)).position is Position.NOT_REACHED


def test_what_is_superseded_is_so_for_good() -> None:
    made = [said("arrive", n, "T1") for n in (1, 2, 3)]
    assert in_force(made, {made[0].id, made[2].id}) == [made[1]]

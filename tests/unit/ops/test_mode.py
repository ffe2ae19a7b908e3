"""The mode machine: what a press does, every refusal, and what no sequence of presses can bring about."""

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pingji.ops import mode
from pingji.ops.mode import Mode, Neighbour, Press, PressRefused, State, Step, decide, gravest, reachable

EMERGENCY = State(Mode.EMERGENCY, 2, False, "op")
DRILL = replace(EMERGENCY, exercise=True)
ASK = Press("p", "220221", Mode.EMERGENCY, 2, False, "rain")


@pytest.mark.parametrize(
    ("state", "press", "refused"),
    [
        (State(), replace(ASK, to=Mode.RECOVERY), mode.TransitionNotAllowed),
        (State(), replace(ASK, to=Mode.ROUTINE), mode.TransitionNotAllowed),
        (EMERGENCY, replace(ASK, to=Mode.ROUTINE), mode.TransitionNotAllowed),
        (EMERGENCY, replace(ASK, to=Mode.STANDBY), mode.TransitionNotAllowed),
        (State(), replace(ASK, level=None), mode.LevelRequired),
        (State(), replace(ASK, level=5), mode.LevelRequired),
        (EMERGENCY, replace(ASK, to=Mode.RECOVERY, reason=" "), mode.ReasonRequired),
        (DRILL, replace(ASK, to=Mode.RECOVERY), mode.ExerciseNotEnded),
        (EMERGENCY, replace(ASK, exercise=True, level=3), mode.RealEmergencyOpen),
        (EMERGENCY, ASK, mode.NothingToChange),
    ],
)
def test_refusals(state: State, press: Press, refused: type[PressRefused]) -> None:
    with pytest.raises(refused):
        decide(state, press)


def test_neighbours_decide_too() -> None:
    wide, narrow = Neighbour("w", False, True), Neighbour("n", False, False)
    wide_drill, narrow_drill = replace(wide, exercise=True), replace(narrow, exercise=True)
    drill = replace(ASK, exercise=True)
    with pytest.raises(mode.CoveredByWiderScope):
        decide(State(), ASK, (wide,))
    with pytest.raises(mode.CoveredByWiderScope):
        decide(State(), drill, (wide_drill,))
    for real in (wide, narrow):
        with pytest.raises(mode.RealEmergencyOpen):
            decide(State(), drill, (real,))
    assert decide(State(), ASK, (narrow, wide_drill, narrow_drill)) == Step(True, False, ("n",), ("w", "n"))
    assert decide(State(), drill, (narrow_drill,)).absorbs == ("n",)


def test_a_press_in_an_open_scope() -> None:
    assert decide(EMERGENCY, replace(ASK, level=1)) == Step(False, False)
    assert decide(EMERGENCY, replace(ASK, to=Mode.RECOVERY, level=None)) == Step(False, False)
    recovery = replace(EMERGENCY, mode=Mode.RECOVERY, level=None)
    assert decide(recovery, ASK) == Step(False, False)  # back again, in the same operation
    assert decide(recovery, replace(ASK, to=Mode.ROUTINE, level=None)) == Step(False, True)
    assert decide(DRILL, ASK) == Step(True, False, drops=("op",))
    assert decide(replace(DRILL, mode=Mode.RECOVERY), ASK).drops == ("op",)


def test_the_gravest_and_the_reachable() -> None:
    standby = State(Mode.STANDBY)
    assert gravest([]) == State()
    assert gravest([DRILL, standby]) is standby
    assert gravest([standby, EMERGENCY, DRILL]) is EMERGENCY
    assert gravest([replace(EMERGENCY, mode=Mode.RECOVERY), EMERGENCY]) is EMERGENCY
    assert reachable(Mode.EMERGENCY) == {Mode.EMERGENCY, Mode.RECOVERY}


COUNTY, VILLAGES = "county", ("one", "two")


class Key(RuleBasedStateMachine):
    """A county and two villages, pressed at random and carried out as the store does."""

    def __init__(self) -> None:
        super().__init__()
        self.states = {scope: State() for scope in (COUNTY, *VILLAGES)}
        self.presses = 0

    def neighbours(self, scope: str) -> tuple[Neighbour, ...]:
        others = [COUNTY] if scope != COUNTY else list(VILLAGES)
        return tuple(
            Neighbour(s.operation, s.exercise, wider=o == COUNTY) for o in others if (s := self.states[o]).is_open
        )

    @rule(
        scope=st.sampled_from((COUNTY, *VILLAGES)),
        to=st.sampled_from(list(Mode)),
        level=st.sampled_from((None, 1, 2)),
        exercise=st.booleans(),
        reason=st.sampled_from(("", "rain")),
    )
    def press(self, scope: str, to: Mode, level: int | None, exercise: bool, reason: str) -> None:
        self.presses += 1
        before = self.states[scope]
        real_before = {s.operation for s in self.states.values() if s.is_open and not s.exercise}
        asked = Press(str(self.presses), scope, to, level, exercise, reason)
        try:
            step = decide(before, asked, self.neighbours(scope))
        except PressRefused:
            return
        ended = {*step.absorbs, *step.drops}
        for other, state in self.states.items():
            if state.operation in ended:
                self.states[other] = State()
        operation = f"op{self.presses}" if step.opens else "" if step.closes else before.operation
        shown = exercise and to is not Mode.ROUTINE
        self.states[scope] = State(to, level if to is Mode.EMERGENCY else None, shown, operation)
        # What a press did to others must have been in its power.
        assert not (ended - set(step.absorbs)) & real_before, "a real operation was dropped"
        if exercise:
            assert not ended & real_before, "an exercise touched a real one"
        if step.closes:
            assert to is Mode.ROUTINE
        if to is Mode.RECOVERY and before.mode is Mode.EMERGENCY:
            assert reason

    @invariant()
    def nobody_is_on_two_roll_calls(self) -> None:
        if self.states[COUNTY].is_open:
            assert not any(self.states[village].is_open for village in VILLAGES)

    @invariant()
    def people_are_counted_just_while_it_is_open(self) -> None:
        for state in self.states.values():
            assert bool(state.operation) == state.is_open
            assert (state.level is not None) == (state.mode is Mode.EMERGENCY)


TestKey = Key.TestCase
TestKey.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)

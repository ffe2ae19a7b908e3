"""Call and answer of a post: whatever happens in whatever order, somebody acts and everybody knows who."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pingji.ops.organisation.errors import CallClosed, NobodyToActFor, NothingToHandBack
from pingji.ops.organisation.handover import OPEN, Acting, State, answer, ask, due, hand_back, withdraw

WAIT = 300


class Calling(RuleBasedStateMachine):
    """One post that is asked, answered, handed over, handed back and withdrawn, while time goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.call = ask("p", 0, WAIT, holder=True, deputy=True)
        self.answered = False

    @rule(seconds=st.integers(1, 2 * WAIT))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds
        before = self.call
        self.call = due(self.call, self.now, WAIT)
        assert due(self.call, self.now, WAIT) == self.call  # the same moment twice does one step
        if before.state in (State.ANSWERED, State.WITHDRAWN, State.ESCALATED):
            assert self.call == before

    @precondition(lambda self: self.call.state is not State.WITHDRAWN)
    @rule(who=st.sampled_from([None, Acting.HOLDER, Acting.DEPUTY]))
    def somebody_answers(self, who: Acting | None) -> None:
        before = self.call
        self.call = answer(self.call, self.now, "A", who)
        assert answer(self.call, self.now + 1, "B", who) == self.call  # twice is one
        if before.state is State.ANSWERED:
            assert self.call == before
        self.answered = True

    @precondition(lambda self: self.call.acting is not Acting.HOLDER and self.call.state is not State.WITHDRAWN)
    @rule()
    def holder_takes_over_again(self) -> None:
        self.call = hand_back(self.call, self.now, "A")
        assert self.call.acting is Acting.HOLDER
        self.answered = True

    @rule()
    def operation_ends(self) -> None:
        self.call = withdraw(self.call)
        if self.call.state is State.WITHDRAWN:
            with pytest.raises(CallClosed):
                answer(self.call, self.now, "A")
            with pytest.raises(CallClosed):
                hand_back(self.call, self.now, "A")

    @invariant()
    def what_was_answered_stays(self) -> None:
        assert (self.call.state is State.ANSWERED) == self.answered
        assert (self.call.answered_at is not None) == self.answered

    @invariant()
    def a_deadline_lies_ahead_of_whoever_still_has_time(self) -> None:
        waiting = self.call.state in (State.ASKED, State.HANDED_OVER)
        assert (self.call.deadline is not None) == waiting
        if self.call.deadline is not None:
            assert self.call.deadline > self.now

    @invariant()
    def the_stamps_tell_the_way(self) -> None:
        if self.call.state is State.ESCALATED:
            assert self.call.escalated_at is not None
            assert self.call.acting is Acting.SUPERIOR
        if self.call.acting is Acting.DEPUTY and self.call.state in OPEN:
            assert self.call.handed_over_at is not None


TestCalling = Calling.TestCase


def test_a_deputy_has_the_full_time_however_late_the_hand_over_was() -> None:
    late = due(ask("p", 0, WAIT, holder=True, deputy=True), 10 * WAIT, WAIT)
    assert (late.state, late.deadline) == (State.HANDED_OVER, 11 * WAIT)
    assert due(late, 11 * WAIT, WAIT).state is State.ESCALATED


def test_without_a_deputy_the_superior_hears_at_once() -> None:
    alone = ask("p", 0, WAIT, holder=True, deputy=False)
    assert due(alone, WAIT, WAIT).acting is Acting.SUPERIOR
    nobody = ask("p", 0, WAIT, holder=False, deputy=False)
    assert (nobody.state, nobody.escalated_at) == (State.ESCALATED, 0)


def test_a_vacant_post_is_its_deputys_from_the_beginning() -> None:
    vacant = ask("p", 7, WAIT, holder=False, deputy=True)
    assert (vacant.state, vacant.acting, vacant.deadline) == (State.HANDED_OVER, Acting.DEPUTY, 7 + WAIT)


def test_a_holder_who_comes_before_the_deputy_has_answered_acts_again() -> None:
    over = due(ask("p", 0, WAIT, holder=True, deputy=True), WAIT, WAIT)
    back = answer(over, WAIT + 1, "A", Acting.HOLDER)
    assert (back.acting, back.handed_back_at) == (Acting.HOLDER, WAIT + 1)


def test_a_holder_who_comes_after_the_deputy_does_not_command_by_answering() -> None:
    over = due(ask("p", 0, WAIT, holder=True, deputy=True), WAIT, WAIT)
    acting = answer(over, WAIT + 1, "B")
    assert acting.acting is Acting.DEPUTY
    assert answer(acting, WAIT + 2, "A", Acting.HOLDER).acting is Acting.DEPUTY
    assert hand_back(acting, WAIT + 3, "A").acting is Acting.HOLDER


def test_a_post_without_deputy_has_none_who_answers() -> None:
    with pytest.raises(NobodyToActFor):
        answer(ask("p", 0, WAIT, holder=True, deputy=False), 1, "A", Acting.DEPUTY)
    with pytest.raises(NothingToHandBack):
        hand_back(ask("p", 0, WAIT, holder=True, deputy=True), 1, "A")

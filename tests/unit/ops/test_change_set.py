"""Change sets as a state machine: whatever is tried in whatever order, nobody publishes alone or twice."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pingji.ops.change_set import (
    UNNAMED,
    ChangeSet,
    HeldByEmergency,
    NameNeeded,
    NotADraft,
    NothingChanged,
    Reason,
    SecondPersonNeeded,
    SetMoved,
    Status,
    Step,
    StepNotAllowed,
    StepRefused,
    require_draft,
    require_quiet,
    require_revision,
    take,
)

DRAFT = ChangeSet(
    id="1",
    name="spring survey",
    status=Status.DRAFT,
    reason=Reason.CORRECTION,
    note="",
    origin="drawn",
    author="A",
    communities=("220221100001",),
    revision=1,
    position=1,
    length=1,
    editors=("A", "E"),
    created_at=0,
    updated_at=0,
)


@given(st.lists(st.tuples(st.sampled_from(Step), st.sampled_from(["A", "E", "B", "C", UNNAMED, ""])), max_size=12))
def test_nobody_publishes_alone_or_twice(tries: list[tuple[Step, str]]) -> None:
    change_set, published = DRAFT, 0
    for at, (step, actor) in enumerate(tries, start=1):
        before = change_set
        with contextlib.suppress(StepRefused):
            change_set = take(change_set, step, actor, "", at)
        if change_set is before:
            continue
        assert change_set.revision == before.revision + 1
        assert change_set.updated_at == at
        assert actor not in ("", UNNAMED)
        if change_set.status is Status.PUBLISHED:
            published += 1
            assert before.status is Status.REVIEW
            assert actor not in ("A", "E")
            assert (change_set.reviewer, change_set.published_at) == (actor, at)
    assert published <= 1


def test_what_is_published_or_discarded_stays_so() -> None:
    review = take(DRAFT, Step.SUBMIT, "A", "", 1)
    for ended in (take(review, Step.PUBLISH, "B", "", 2), take(DRAFT, Step.DISCARD, "A", "", 2)):
        for step in Step:
            with pytest.raises(StepNotAllowed):
                take(ended, step, "C", "", 3)


def test_a_returned_draft_keeps_the_reviewers_words_until_it_is_submitted_again() -> None:
    returned = take(take(DRAFT, Step.SUBMIT, "A", "", 1), Step.RETURN, "B", "cuts a yard", 2)
    assert (returned.status, returned.reviewer, returned.review_note) == (Status.DRAFT, "B", "cuts a yard")
    again = take(returned, Step.SUBMIT, "A", "", 3)
    assert (again.reviewer, again.review_note) == ("", "")


def test_nothing_is_submitted_that_changes_nothing() -> None:
    empty = ChangeSet(**{**{f: getattr(DRAFT, f) for f in DRAFT.__slots__}, "position": 0})
    with pytest.raises(NothingChanged):
        take(empty, Step.SUBMIT, "A", "", 1)


def test_refusals_say_what_is_needed() -> None:
    review = take(DRAFT, Step.SUBMIT, "A", "", 1)
    with pytest.raises(SecondPersonNeeded) as caught:
        take(review, Step.PUBLISH, "E", "", 2)
    assert caught.value.params == {"actor": "E"}
    with pytest.raises(NameNeeded):
        take(review, Step.PUBLISH, UNNAMED, "", 2)
    with pytest.raises(NotADraft):
        require_draft(review)
    with pytest.raises(SetMoved) as moved:
        require_revision(review, 1)
    assert moved.value.params == {"revision": 2, "yours": 1}


def test_only_counting_on_these_grids_holds_publishing_back() -> None:
    open_scopes = [("Kouqian", "220221100001", True), ("county", "220221100002", False)]
    require_quiet(open_scopes, ["220221100009"])
    with pytest.raises(HeldByEmergency) as caught:
        require_quiet(open_scopes, ["220221100001", "220221100002"])
    assert caught.value.params == {"scope": "county", "exercise": False}  # the real one is named first

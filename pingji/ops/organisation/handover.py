"""Call and answer of posts: who is asked, who acts, and when somebody else has to."""

from dataclasses import dataclass, replace
from enum import StrEnum

from pingji.ops.organisation.errors import CallClosed, NobodyToActFor, NothingToHandBack


class State(StrEnum):
    """已叫 · 已应 · 已由副职接替 · 已上报上级 · 已撤回."""

    ASKED = "asked"
    ANSWERED = "answered"
    HANDED_OVER = "handed_over"
    ESCALATED = "escalated"
    WITHDRAWN = "withdrawn"


class Acting(StrEnum):
    """Who acts for a post."""

    HOLDER = "holder"
    DEPUTY = "deputy"
    SUPERIOR = "superior"
    NOBODY = "nobody"


OPEN = (State.ASKED, State.HANDED_OVER, State.ESCALATED)  # somebody still has to answer


@dataclass(frozen=True, slots=True)
class Call:
    """What became of asking one post. Times are microseconds since 1970 UTC.

    `deadline` is when the next step is due, None where no more will come of itself.
    """

    post: str
    state: State
    acting: Acting
    has_deputy: bool
    asked_at: int
    deadline: int | None
    answered_at: int | None = None
    answered_by: str = ""
    handed_over_at: int | None = None
    escalated_at: int | None = None
    handed_back_at: int | None = None


def ask(post: str, now: int, wait: int, *, holder: bool, deputy: bool) -> Call:
    """Ask a post at `now`; whoever is asked has `wait` microseconds.

    Nobody waits for a holder who is not there: then the deputy is asked at once, and without one the superior hears.

    >>> ask("p", 0, 300, holder=True, deputy=True).deadline
    300
    >>> ask("p", 0, 300, holder=False, deputy=True).state.value
    'handed_over'
    """
    call = Call(post, State.ASKED, Acting.HOLDER, deputy, now, now + wait)
    return call if holder else _next(call, now, wait)


def due(call: Call, now: int, wait: int) -> Call:
    """The call after what is due at `now`; itself where nothing is. One step at a time: a deputy gets the full wait.

    >>> due(ask("p", 0, 300, holder=True, deputy=True), 299, 300).state.value
    'asked'
    >>> due(ask("p", 0, 300, holder=True, deputy=True), 300, 300).acting.value
    'deputy'
    """
    if call.deadline is None or now < call.deadline:
        return call
    return _next(call, now, wait)


def _next(call: Call, now: int, wait: int) -> Call:
    if call.state is State.ASKED and call.has_deputy:
        deputy = replace(call, state=State.HANDED_OVER, acting=Acting.DEPUTY, handed_over_at=now)
        return replace(deputy, deadline=now + wait)
    return replace(call, state=State.ESCALATED, acting=Acting.SUPERIOR, escalated_at=now, deadline=None)


def answer(call: Call, now: int, by: str, who: Acting | None = None) -> Call:
    """Somebody answers for a post: whoever is expected, or the one who is named. The same answer twice is one.

    A holder who comes too late, but before the deputy has answered, takes over again. Once the deputy has answered,
    that takes `hand_back`: two people who both think that they command are worse than one.

    Raises
    ------
    CallClosed
        The call was withdrawn.
    NobodyToActFor
        A deputy answers for a post that has none.
    """
    if call.state is State.WITHDRAWN:
        raise CallClosed(post=call.post)
    who = who or (Acting.DEPUTY if call.acting is Acting.DEPUTY else Acting.HOLDER)
    if who is Acting.DEPUTY and not call.has_deputy:
        raise NobodyToActFor(post=call.post)
    if call.state is State.ANSWERED:
        return call
    returned = who is Acting.HOLDER and call.acting is not Acting.HOLDER
    return replace(
        call,
        state=State.ANSWERED,
        acting=who,
        answered_at=now,
        answered_by=by,
        deadline=None,
        handed_back_at=now if returned else call.handed_back_at,
    )


def hand_back(call: Call, now: int, by: str) -> Call:
    """The holder takes over from whoever acts.

    Raises
    ------
    CallClosed
        The call was withdrawn.
    NothingToHandBack
        The holder acts already.
    """
    if call.state is State.WITHDRAWN:
        raise CallClosed(post=call.post)
    if call.acting is Acting.HOLDER:
        raise NothingToHandBack(post=call.post)
    answered = call if call.state is State.ANSWERED else replace(call, answered_at=now, answered_by=by)
    return replace(answered, state=State.ANSWERED, acting=Acting.HOLDER, deadline=None, handed_back_at=now)


def withdraw(call: Call) -> Call:
    """Nobody has to answer any more; what was answered stays."""
    if call.state is State.ANSWERED:
        return call
    return replace(call, state=State.WITHDRAWN, deadline=None)

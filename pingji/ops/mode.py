"""The mode of a scope: routine → standby → emergency → recovery → routine, and what one press of the key does."""

from dataclasses import dataclass
from enum import StrEnum

from pingji.ops.errors import OpsError


class Mode(StrEnum):
    """平时 · 待命 · 急时 · 恢复."""

    ROUTINE = "routine"
    STANDBY = "standby"
    EMERGENCY = "emergency"
    RECOVERY = "recovery"


_GRAVITY = {Mode.ROUTINE: 0, Mode.STANDBY: 1, Mode.RECOVERY: 2, Mode.EMERGENCY: 3}

_ALLOWED = {
    Mode.ROUTINE: {Mode.STANDBY, Mode.EMERGENCY},
    Mode.STANDBY: {Mode.ROUTINE, Mode.EMERGENCY},
    Mode.EMERGENCY: {Mode.EMERGENCY, Mode.RECOVERY},
    Mode.RECOVERY: {Mode.EMERGENCY, Mode.ROUTINE},
}


class PressRefused(OpsError):
    """The key was pressed where the state does not allow it; each subclass says why."""


class TransitionNotAllowed(PressRefused):
    """The mode can't be reached from the present one."""


class NothingToChange(PressRefused):
    """The scope is in that mode and at that level already."""


class CoveredByWiderScope(PressRefused):
    """A wider scope is in emergency already: its roll call includes this one."""


class RealEmergencyOpen(PressRefused):
    """An exercise may not touch a scope in which a real emergency is open."""


class ExerciseNotEnded(PressRefused):
    """An exercise is open: an exercise flag can't be changed on the way."""


class LevelRequired(PressRefused):
    """An emergency has a response level from 1 to 4."""


class ReasonRequired(PressRefused):
    """Leaving an emergency needs a written reason."""


class UnknownScope(PressRefused):
    """No county, township or community has that code."""


class NobodyToCount(PressRefused):
    """The scope has no household and no institution inside a danger zone: there would be no denominator."""


class PressIdReused(PressRefused):
    """The same press id came with another request."""


class RecallRefused(OpsError):
    """A press can't be taken back; each subclass says why."""


class NoSuchPress(RecallRefused):
    """There is no press of that id."""


class NotTheLatestPress(RecallRefused):
    """A later press has built on this one."""


class AlreadyCounting(RecallRefused):
    """People have been counted since: what they said may not disappear. Go on to recovery instead."""


@dataclass(frozen=True)
class State:
    """The mode of one scope."""

    mode: Mode = Mode.ROUTINE
    level: int | None = None
    exercise: bool = False
    operation: str = ""
    since: int = 0
    press_id: str = ""

    @property
    def is_open(self) -> bool:
        """Whether people are being counted."""
        return self.mode in (Mode.EMERGENCY, Mode.RECOVERY)


@dataclass(frozen=True)
class Press:
    """What somebody asks the key to do."""

    press_id: str
    scope: str
    to: Mode
    level: int | None
    exercise: bool
    reason: str


@dataclass(frozen=True)
class Step:
    """What a press comes to: an operation opened, carried on or closed."""

    opens: bool
    closes: bool
    absorbs: tuple[str, ...] = ()  # open operations of narrower scopes whose counts the new one carries on
    drops: tuple[str, ...] = ()  # exercises that a real emergency ends


@dataclass(frozen=True)
class Neighbour:
    """Another scope with an open operation, above or below the pressed one."""

    operation: str
    exercise: bool
    wider: bool


def decide(state: State, press: Press, neighbours: tuple[Neighbour, ...] = ()) -> Step:
    """What a press does to a scope, or why it is refused.

    Parameters
    ----------
    state : State
        The scope's own mode.
    press : Press
    neighbours : tuple of Neighbour
        Open operations of scopes that contain this one or lie inside it.

    Raises
    ------
    PressRefused
        One of its subclasses.

    Examples
    --------
    >>> decide(State(), Press("p", "220221", Mode.EMERGENCY, 2, True, "")).opens
    True
    """
    to_real = press.to is Mode.EMERGENCY and not press.exercise
    real_over_exercise = state.is_open and state.exercise and to_real
    if press.to not in _ALLOWED[state.mode] and not real_over_exercise:
        raise TransitionNotAllowed(mode=state.mode.value, to=press.to.value)
    if press.to is Mode.EMERGENCY and press.level not in (1, 2, 3, 4):
        raise LevelRequired()
    if state.mode is Mode.EMERGENCY and press.to is Mode.RECOVERY and not press.reason.strip():
        raise ReasonRequired()
    if state.is_open and press.to is not Mode.ROUTINE and press.exercise != state.exercise and not real_over_exercise:
        raise (ExerciseNotEnded if state.exercise else RealEmergencyOpen)()
    if press.to is state.mode and press.level == state.level and not real_over_exercise:
        raise NothingToChange(mode=state.mode.value)
    if press.to is not Mode.EMERGENCY or (state.is_open and not real_over_exercise):
        return Step(opens=False, closes=press.to is Mode.ROUTINE and state.is_open)
    return _opening(press, neighbours, (state.operation,) if real_over_exercise else ())


def _opening(press: Press, neighbours: tuple[Neighbour, ...], dropped: tuple[str, ...]) -> Step:
    absorbs: list[str] = []
    drops = list(dropped)
    for neighbour in neighbours:
        if neighbour.exercise and not press.exercise:
            drops.append(neighbour.operation)
        elif press.exercise and not neighbour.exercise:
            raise RealEmergencyOpen()
        elif neighbour.wider:
            raise CoveredByWiderScope()
        else:
            absorbs.append(neighbour.operation)
    return Step(opens=True, closes=False, absorbs=tuple(absorbs), drops=tuple(drops))


def reachable(mode: Mode) -> frozenset[Mode]:
    """The modes that a press can lead to from this one."""
    return frozenset(_ALLOWED[mode])


def gravest(states: list[State]) -> State:
    """The state that a county's screens show: a real one before an exercise, then by gravity.

    Examples
    --------
    >>> gravest([State(Mode.EMERGENCY, 4, True), State(Mode.STANDBY)]).mode.value
    'standby'
    """
    return max(states, key=lambda s: (s.mode is not Mode.ROUTINE and not s.exercise, _GRAVITY[s.mode]), default=State())

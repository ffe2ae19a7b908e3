"""A movement: one statement by one device about people or about a count, and which statements make sense."""

from dataclasses import dataclass
from enum import StrEnum

from pingji.ops.position import Position


class Kind(StrEnum):
    """What a movement states."""

    NOTIFY = "notify"
    DEPART = "depart"
    ARRIVE = "arrive"
    LEAVE = "leave"
    DISPERSE = "disperse"
    ADVISE = "advise"
    GUARD = "guard"
    REFUSE = "refuse"
    ASSIST = "assist"
    UNLOCATED = "unlocated"
    CASUALTY = "casualty"
    RETURN_UNAUTHORISED = "return_unauthorised"
    RETURN_HOME = "return_home"
    VERIFY = "verify"
    COUNT = "count"
    CORRECT = "correct"


POSITION_OF: dict[Kind, Position] = {
    Kind.NOTIFY: Position.NOTIFIED,
    Kind.DEPART: Position.IN_TRANSIT,
    Kind.LEAVE: Position.IN_TRANSIT,
    Kind.DISPERSE: Position.DISPERSED,
    Kind.ADVISE: Position.ADVISED_TO_LEAVE,
    Kind.GUARD: Position.GUARDING,
    Kind.REFUSE: Position.REFUSED,
    Kind.ASSIST: Position.NOTIFIED,
    Kind.UNLOCATED: Position.UNLOCATED,
    Kind.CASUALTY: Position.CASUALTIES,
    Kind.RETURN_UNAUTHORISED: Position.RETURNED,
    Kind.RETURN_HOME: Position.HOME,
}

VISITOR_PREFIX = "visitor:"  # ids that a device makes for people off the plan
MAX_COUNT = 10_000  # one tap or one bus, never a typing slip of a whole county

TRANSFER_POINT, SHELTER = "transfer_point", "shelter"
_PLACE_POSITION = {TRANSFER_POINT: Position.AT_TRANSFER_POINT, SHELTER: Position.SHELTERED_TOGETHER}


@dataclass(frozen=True, slots=True)
class Movement:
    """One statement. Times are microseconds since 1970 UTC.

    `clock` orders statements: the device's own time, but never later than the server received it, so that a phone
    running a day ahead can't outrank everybody for a day.
    """

    id: str
    device: str
    sequence: int
    kind: Kind
    occurred_at: int
    clock: int
    place: str = ""
    person: str = ""
    household: str = ""
    count: int = 0
    supersedes: str = ""
    note: str = ""


class Reason(StrEnum):
    """Why a movement is refused; the texts are under `refusal.<value>`."""

    PLACE_REQUIRED = "place_required"
    UNKNOWN_PLACE = "unknown_place"
    SUBJECT_REQUIRED = "subject_required"
    UNKNOWN_SUBJECT = "unknown_subject"
    COUNT_REQUIRED = "count_required"
    COUNT_NOT_ALLOWED = "count_not_allowed"
    SUPERSEDES_REQUIRED = "supersedes_required"
    SUPERSEDES_ITSELF = "supersedes_itself"
    SEQUENCE_REUSED = "sequence_reused"
    NO_OPERATION = "no_operation"
    MALFORMED = "malformed"
    OUTSIDE_AREA = "outside_area"  # whoever sent it counts elsewhere


def refusal(movement: Movement, place_kind: str | None) -> Reason | None:
    """Why a movement makes no sense by itself, or None.

    Parameters
    ----------
    movement : Movement
    place_kind : str or None
        `transfer_point` or `shelter` for the movement's place, None where it names none or an unknown one.

    Examples
    --------
    >>> refusal(Movement("m", "d", 1, Kind.ARRIVE, 0, 0, person="p"), None).value
    'place_required'
    """
    kind = movement.kind
    if movement.supersedes == movement.id:
        return Reason.SUPERSEDES_ITSELF
    if movement.place and place_kind is None:
        return Reason.UNKNOWN_PLACE
    if kind is Kind.CORRECT:
        if not movement.supersedes:
            return Reason.SUPERSEDES_REQUIRED
        return Reason.PLACE_REQUIRED if movement.count and not movement.place else None
    if kind is Kind.COUNT:
        if not movement.place:
            return Reason.PLACE_REQUIRED
        return Reason.COUNT_REQUIRED if not movement.count else None
    if not (movement.person or movement.household):
        return Reason.SUBJECT_REQUIRED
    if movement.count:
        return Reason.COUNT_NOT_ALLOWED
    if kind in (Kind.ARRIVE, Kind.LEAVE) and not movement.place:
        return Reason.PLACE_REQUIRED
    return None


def position_of(kind: Kind, place_kind: str | None) -> Position | None:
    """The position that a statement puts somebody in; None for those that say nothing of it."""
    if kind is Kind.ARRIVE:
        return _PLACE_POSITION.get(place_kind or "")
    return POSITION_OF.get(kind)

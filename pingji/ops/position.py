"""Where a person stands in an evacuation, and which side of the balance sheet that is."""

from enum import IntEnum, StrEnum


class Position(StrEnum):
    """One of the places of the balance sheet; a person is in exactly one of them at a time."""

    AT_TRANSFER_POINT = "at_transfer_point"
    SHELTERED_TOGETHER = "sheltered_together"
    DISPERSED = "dispersed"
    ADVISED_TO_LEAVE = "advised_to_leave"
    GUARDING = "guarding"
    CASUALTIES = "casualties"
    NOT_REACHED = "not_reached"
    NOTIFIED = "notified"
    IN_TRANSIT = "in_transit"
    REFUSED = "refused"
    UNLOCATED = "unlocated"
    RETURNED = "returned"
    HOME = "home"  # organised return: leaves the sheet in recovery, is `returned` before it


ACCOUNTED = (
    Position.AT_TRANSFER_POINT,
    Position.SHELTERED_TOGETHER,
    Position.DISPERSED,
    Position.ADVISED_TO_LEAVE,
    Position.GUARDING,
    Position.CASUALTIES,
)
REMAINDER = (
    Position.NOT_REACHED,
    Position.NOTIFIED,
    Position.IN_TRANSIT,
    Position.REFUSED,
    Position.UNLOCATED,
    Position.RETURNED,
)

# A household is where its worst-off member is: it is accounted for only when everybody in it is.
HOUSEHOLD_ORDER = (
    Position.UNLOCATED,
    Position.RETURNED,
    Position.REFUSED,
    Position.NOT_REACHED,
    Position.NOTIFIED,
    Position.IN_TRANSIT,
    Position.CASUALTIES,
    Position.GUARDING,
    Position.AT_TRANSFER_POINT,
    Position.SHELTERED_TOGETHER,
    Position.DISPERSED,
    Position.ADVISED_TO_LEAVE,
    Position.HOME,
)
_HOUSEHOLD_RANK = {position: rank for rank, position in enumerate(HOUSEHOLD_ORDER)}


def household_position(members: list[Position]) -> Position:
    """The position of a household from those of its members (at least one).

    Examples
    --------
    >>> household_position([Position.SHELTERED_TOGETHER, Position.NOTIFIED]).value
    'notified'
    """
    return min(members, key=_HOUSEHOLD_RANK.__getitem__)


class Bit(IntEnum):
    """The bit of each position in a person's `ever` mask; appended to, never renumbered, since masks are stored."""

    AT_TRANSFER_POINT = 1 << 0
    SHELTERED_TOGETHER = 1 << 1
    DISPERSED = 1 << 2
    ADVISED_TO_LEAVE = 1 << 3
    GUARDING = 1 << 4
    CASUALTIES = 1 << 5
    NOT_REACHED = 1 << 6
    NOTIFIED = 1 << 7
    IN_TRANSIT = 1 << 8
    REFUSED = 1 << 9
    UNLOCATED = 1 << 10
    RETURNED = 1 << 11
    HOME = 1 << 12


EVER_BITS: dict[Position, int] = {position: int(Bit[position.name]) for position in Position}

"""Where one person is, folded from statements that may come in any order, twice, or in pieces.

Each part of `Whereabouts` grows by a maximum, a minimum or a union, so the fold is commutative, associative and
idempotent: that is what makes every phone, retry and late upload end in the same sheet.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from pingji.ops.movement import Kind, Movement, position_of
from pingji.ops.position import ACCOUNTED, EVER_BITS, Position

Stamp = tuple[int, str, int]  # (clock, device, sequence)
NEVER: Stamp = (0, "", 0)

# Statements about a person that are no statement of where the person is.
_NO_PLACE_IN_LIFE = frozenset({Kind.NOTIFY, Kind.LEAVE, Kind.VERIFY, Kind.COUNT, Kind.CORRECT})


@dataclass(frozen=True, slots=True)
class Visit:
    """A person at one place: clock of the first arrival and of the last leaving (0 = none stated)."""

    arrived: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """All that is known of one person.

    `stamp`, `statement`, `stated` and `place` belong to the latest statement of where the person is. A notification
    and a leaving are kept beside it, because being told moves nobody, and a late check-out at one door must not undo
    an arrival at another.
    """

    stamp: Stamp = NEVER
    statement: str = ""
    stated: Position = Position.NOT_REACHED
    place: str = ""
    notified: int = 0
    verified: int = 0
    ever: int = EVER_BITS[Position.NOT_REACHED]
    visits: Mapping[str, Visit] = field(default_factory=dict)
    position: Position = field(init=False)  # where the person is now: asked for often, so worked out once

    def __post_init__(self) -> None:
        object.__setattr__(self, "position", self._position())

    def _position(self) -> Position:
        if self.stated not in ACCOUNTED or self.statement == Kind.ARRIVE:
            if self.left_after(self.stamp[0]):
                return Position.IN_TRANSIT
            if self.stated in (Position.NOT_REACHED, Position.UNLOCATED) and self.notified > self.stamp[0]:
                return Position.NOTIFIED
        return self.stated

    def left_after(self, clock: int) -> bool:
        """Whether a leaving outranks the latest statement: of that place if it was an arrival, else of any."""
        if self.statement == Kind.ARRIVE:
            return self.visits[self.place].left >= clock
        return any(visit.left > clock for visit in self.visits.values())

    @property
    def at(self) -> str:
        """Code of the place whose roster the person is on, or empty."""
        return self.place if self.statement == Kind.ARRIVE and self.position is self.stated else ""

    @property
    def is_verified(self) -> bool:
        """Whether somebody confirmed the present, accounted-for position."""
        return self.position in ACCOUNTED and self.verified >= self.stamp[0]


def tell(known: Whereabouts, movement: Movement, place_kind: str | None) -> Whereabouts:
    """What is known of a person after one more statement.

    Examples
    --------
    >>> door = Movement("a", "phone", 1, Kind.ARRIVE, 5, 5, place="T", person="p")
    >>> late = Movement("b", "other", 1, Kind.NOTIFY, 9, 9, person="p")
    >>> tell(tell(Whereabouts(), late, None), door, "transfer_point").position.value
    'at_transfer_point'
    """
    kind, clock = movement.kind, movement.clock
    position = position_of(kind, place_kind)
    ever = known.ever | EVER_BITS[position] if position else known.ever
    if kind is Kind.NOTIFY:
        return replace(known, notified=max(known.notified, clock), ever=ever)
    if kind is Kind.VERIFY:
        return replace(known, verified=max(known.verified, clock))
    visits = known.visits
    if kind is Kind.ARRIVE or kind is Kind.LEAVE:
        visit = visits.get(movement.place, Visit())
        if kind is Kind.ARRIVE:
            visit = Visit(min(visit.arrived, clock) if visit.arrived else clock, visit.left)
        else:
            visit = Visit(visit.arrived, max(visit.left, clock))
        visits = {**visits, movement.place: visit}
    stamp = (clock, movement.device, movement.sequence)
    if position is None or kind in _NO_PLACE_IN_LIFE or stamp <= known.stamp:
        return replace(known, ever=ever, visits=visits)
    place = movement.place if kind is Kind.ARRIVE else ""
    return Whereabouts(stamp, kind.value, position, place, known.notified, known.verified, ever, visits)


def retell(movements: Iterable[tuple[Movement, str | None]]) -> Whereabouts:
    """What is known of a person from the whole of the statements in force, with the kind of each one's place."""
    known = Whereabouts()
    for movement, place_kind in movements:
        known = tell(known, movement, place_kind)
    return known


def in_force(movements: Iterable[Movement], voided: frozenset[str] | set[str]) -> list[Movement]:
    """The movements that no other one supersedes.

    Superseding is for good: a correction of a correction doesn't revive what was corrected first, it states anew.
    That keeps the set of superseded ids growing only, whatever the order of arrival.
    """
    return [movement for movement in movements if movement.id not in voided]

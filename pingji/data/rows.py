"""`whereabouts` rows to `ops` values and back."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from pingji.data.tables import whereabouts
from pingji.ops.position import Position
from pingji.ops.tally import Cell
from pingji.ops.whereabouts import Visit, Whereabouts

VISITOR = "visitor"
_NOTHING = Whereabouts()
_POSITIONS = {position.value: position for position in Position}
_FROZEN = ("operation", "household", "person", "kind", "zone", "grid", "community", "township")
_KNOWN = ("statement", "stated", "place", "clock", "device", "sequence", "notified", "verified", "ever", "visits")
PERSON_COLUMNS = [whereabouts.c[name] for name in _FROZEN + _KNOWN]


@dataclass(frozen=True, slots=True)
class Person:
    """One expected person (or visitor) of an operation: frozen facts, and what is known."""

    operation: str
    household: str
    person: str
    kind: str
    zone: str
    grid: str
    community: str
    township: str
    known: Whereabouts

    @property
    def cell(self) -> Cell:
        """Where the tallies count this person."""
        off_plan = VISITOR if self.kind == VISITOR else ""
        return off_plan, self.zone, self.grid, self.community, self.township

    @property
    def counts(self) -> bool:
        """Whether this person is on the sheet: a visitor of whom every statement was corrected away is not."""
        return self.kind != VISITOR or self.known.ever != _NOTHING.ever


def person_of(row: Row[Any]) -> Person:
    """A person from a row of `PERSON_COLUMNS`."""
    operation, household, person, kind, zone, grid, community, township, *rest = tuple(row)
    statement, stated, place, clock, device, sequence, notified, verified, ever, visits = rest
    known = Whereabouts(
        (clock, device, sequence),
        statement,
        _POSITIONS[stated],
        place,
        notified,
        verified,
        ever,
        {code: Visit(*times) for code, times in visits.items()} if visits else {},
    )
    return Person(operation, household, person, kind, zone, grid, community, township, known)


def person_values(person: Person) -> dict[str, object]:
    """The columns of a person that change when something becomes known."""
    known = person.known
    clock, device, sequence = known.stamp
    return {
        "community": person.community,
        "township": person.township,
        "position": known.position.value,
        "at": known.at,
        "statement": known.statement,
        "stated": known.stated.value,
        "place": known.place,
        "clock": clock,
        "device": device,
        "sequence": sequence,
        "notified": known.notified,
        "verified": known.verified,
        "ever": known.ever,
        "visits": {code: [visit.arrived, visit.left] for code, visit in known.visits.items()},
    }


def first_place(known: Whereabouts) -> str:
    """The place where somebody was first seen, or empty: a visitor is counted in its community."""
    arrived = [(visit.arrived, code) for code, visit in known.visits.items() if visit.arrived]
    return min(arrived)[1] if arrived else ""

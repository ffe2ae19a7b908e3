"""Movements into the store: log and projections in the caller's one transaction.

The way of a batch: refuse what makes no sense → find each one's operation → append to the log, where a repeated id
changes nothing → fold what is new into people and counts.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, or_, select

from pingji.data import log, projections
from pingji.data.counts import openers
from pingji.data.log import Entry
from pingji.data.operations import Operation, operations_at, operations_of
from pingji.data.places import Place, places_named
from pingji.data.sql import among, take_turn
from pingji.data.tables import whereabouts
from pingji.ops.movement import VISITOR_PREFIX, Kind, Movement, Reason, refusal


@dataclass
class Outcome:
    """What became of each movement, by id."""

    accepted: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    refused: list[tuple[str, Reason]] = field(default_factory=list)


@dataclass
class _Subjects:
    """What the roll calls of the candidate operations know of the people and households that a batch names."""

    operation_of_person: dict[str, str] = field(default_factory=dict)
    operation_of_household: dict[str, str] = field(default_factory=dict)
    household: dict[str, str] = field(default_factory=dict)

    def operation(self, m: Movement) -> str | None:
        """The operation whose roll call has the subject; a household's code is no person, nor the other way round."""
        return self.operation_of_person.get(m.person) if m.person else self.operation_of_household.get(m.household)


def record(conn: Connection, county: str, movements: Sequence[Movement], received_at: int) -> Outcome:
    """Write a batch of movements.

    Parameters
    ----------
    conn : Connection
        In a write transaction, which the caller commits.
    county : str
    movements : sequence of Movement
    received_at : int
        Microseconds since 1970 UTC.

    Returns
    -------
    Outcome
        Every movement is in exactly one of its lists; one bad entry never blocks the others.
    """
    take_turn(conn, county, alone=any(m.supersedes for m in movements))
    outcome = Outcome()
    first: dict[str, Movement] = {}
    repeated: list[str] = []
    for m in movements:
        if m.id in first:
            repeated.append(m.id)
        else:
            first[m.id] = m
    places = places_named(conn, county, {m.place for m in first.values() if m.place})
    sensible: list[Movement] = []
    for m in first.values():
        reason = refusal(m, places[m.place].kind if m.place in places else None)
        if reason:
            outcome.refused.append((m.id, reason))
        else:
            sensible.append(m)
    entries, subjects = _find_operations(conn, county, sensible, places, outcome)
    fresh = log.append(conn, county, entries, received_at)
    _sort_out_the_rest(conn, county, entries, fresh, outcome)
    refused = dict(outcome.refused)
    for i in repeated:
        if i in refused:  # "duplicate" would tell the phone that it is stored
            outcome.refused.append((i, refused[i]))
        else:
            outcome.duplicates.append(i)
    if fresh:
        projections.project(conn, county, fresh, subjects.household)
    return outcome


def _find_operations(
    conn: Connection, county: str, movements: Sequence[Movement], places: Mapping[str, Place], outcome: Outcome
) -> tuple[list[Entry], _Subjects]:
    entries: list[Entry] = []
    subjects = _Subjects()
    operations = operations_of(conn, county)
    # Which operations a clock falls in changes only where one begins or ends: one look a span, not a movement.
    begins = {o.started_at for o in operations}
    edges = sorted(begins | {o.ended_at for o in operations if o.ended_at is not None})
    spans: dict[int, list[Movement]] = defaultdict(list)
    for m in movements:
        spans[bisect_right(edges, m.clock)].append(m)
    for group in spans.values():
        candidates = operations_at(operations, group[0].clock)
        _know(conn, county, candidates, group, subjects)
        opened = openers(conn, county, [o.id for o in candidates]) if len(candidates) > 1 else {}
        for m in group:
            found = _operation_of(m, candidates, subjects, places, opened)
            if isinstance(found, Reason):
                outcome.refused.append((m.id, found))
            else:
                entries.append(Entry(found, m))
    return entries, subjects


def _know(
    conn: Connection, county: str, candidates: Sequence[Operation], movements: Sequence[Movement], subjects: _Subjects
) -> None:
    persons = {m.person for m in movements if m.person}
    households = {m.household for m in movements if m.household and not m.person}
    if not candidates or not (persons or households):
        return
    c = whereabouts.c
    subjects_of = ((c.person, persons), (c.household, households))
    named = or_(*(among(conn, column, names) for column, names in subjects_of if names))
    query = select(c.person, c.household, c.operation).where(
        c.county == county, c.operation.in_([o.id for o in candidates]), named
    )
    for person, household, operation in conn.execute(query):
        subjects.operation_of_person[person] = operation
        subjects.household[person] = household
        if not household.startswith(VISITOR_PREFIX):
            subjects.operation_of_household[household] = operation


def _operation_of(
    m: Movement,
    candidates: Sequence[Operation],
    subjects: _Subjects,
    places: Mapping[str, Place],
    opened: Mapping[str, Sequence[str]],
) -> str | Reason:
    if not candidates:
        return Reason.NO_OPERATION
    if (known := subjects.operation(m)) is not None:
        return known
    off_plan = m.person.startswith(VISITOR_PREFIX)
    if not off_plan and m.kind not in (Kind.COUNT, Kind.CORRECT):
        return Reason.UNKNOWN_SUBJECT
    if len(candidates) == 1:
        return candidates[0].id
    place = places.get(m.place)
    inside = [o.id for o in candidates if place and o.scope in (place.county, place.township, place.community)]
    # A shelter may lie in none of the scopes that send people to it.
    inside += opened.get(m.place, ())
    if m.kind is Kind.CORRECT and not m.place:
        # It only takes something back, wherever that was counted. The real one first: an exercise is thrown away.
        inside = [o.id for o in sorted(candidates, key=lambda o: o.exercise)]
    return inside[0] if inside else Reason.NO_OPERATION


def _sort_out_the_rest(
    conn: Connection, county: str, entries: Sequence[Entry], fresh: Sequence[Entry], outcome: Outcome
) -> None:
    new = {entry.movement.id for entry in fresh}
    outcome.accepted += [entry.movement.id for entry in entries if entry.movement.id in new]
    rest = [entry.movement.id for entry in entries if entry.movement.id not in new]
    if rest:
        repeated = log.known_ids(conn, county, rest)
        outcome.duplicates += [i for i in rest if i in repeated]
        outcome.refused += [(i, Reason.SEQUENCE_REUSED) for i in rest if i not in repeated]

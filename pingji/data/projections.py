"""Projections of the log: who is where, and how many. They can be thrown away and made again from the log.

A batch locks every member of the households that it speaks of, folds in what is new, and adds the differences to the
counts: nothing is counted from scratch, so the cost doesn't grow with the log.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from sqlalchemy import Connection, Update, bindparam, select, update

from pingji.data import counts, log
from pingji.data.log import Entry
from pingji.data.operations import lineage, operations_of
from pingji.data.places import Place, places_named
from pingji.data.rows import PERSON_COLUMNS, VISITOR, Person, first_place, person_of, person_values
from pingji.data.sql import among, as_document, rows_sent, upsert
from pingji.data.tables import whereabouts
from pingji.ops.movement import VISITOR_PREFIX, Kind, Movement
from pingji.ops.tally import Changes
from pingji.ops.whereabouts import Whereabouts, retell, tell

Household = tuple[str, str]  # operation, household
_COUNTING = (Kind.COUNT, Kind.CORRECT)


_KEY = ("operation", "household", "person")
_CHANGING = tuple(person_values(Person("", "", "", "", "", "", "", "", Whereabouts())))
_OF_COUNTY = whereabouts.c.county == bindparam("b_county")
_SAVE = (
    update(whereabouts)
    .where(_OF_COUNTY, *(whereabouts.c[name] == bindparam(f"b_{name}") for name in _KEY))
    .values({name: bindparam(name) for name in _CHANGING})
)


def _save_sent() -> Update:
    """The same for PostgreSQL, from one document."""
    new = rows_sent(whereabouts.c[name] for name in (*_KEY, *_CHANGING))
    same = (whereabouts.c[name] == new.c[name] for name in _KEY)
    return update(whereabouts).where(_OF_COUNTY, *same).values({name: new.c[name] for name in _CHANGING})


_SAVE_SENT = _save_sent()


@dataclass(frozen=True)
class _Work:
    """What one batch does: statements in force, and earlier entries that it takes back."""

    told: Sequence[Entry]
    undone: Sequence[Entry]


def project(
    conn: Connection, county: str, fresh: Sequence[Entry], households: Mapping[str, str], *, replaying: bool = False
) -> None:
    """Fold what has just entered the log into whereabouts and counts, in the same transaction.

    `households` gives the household of every person that the entries name and the roll call knows.
    """
    work = _work(conn, county, fresh, replaying)
    _enrol_visitors(conn, county, work.told)
    people = _lock(conn, county, work, {**_households_of(conn, county, work.undone), **households})
    places = places_named(conn, county, _places_in(work, people))
    changes: dict[str, Changes] = defaultdict(Changes)
    _count_clicks(work, changes)
    changed = list(_fold(conn, county, work, people, places, changes))
    _save(conn, county, changed)
    for operation in sorted(changes):
        counts.add(conn, county, operation, changes[operation], places)


def _work(conn: Connection, county: str, fresh: Sequence[Entry], replaying: bool) -> _Work:
    ids = {entry.movement.id for entry in fresh}
    voided = {old for old, _ in log.superseders(conn, county, ids)}
    told = [entry for entry in fresh if entry.movement.id not in voided]
    targets = {entry.movement.supersedes for entry in fresh if entry.movement.supersedes} - ids
    if replaying or not targets:
        return _Work(told, ())
    already = {old for old, new in log.superseders(conn, county, targets) if new not in ids}
    return _Work(told, _carried_on(conn, county, log.entries_by_id(conn, county, targets - already)))


def _carried_on(conn: Connection, county: str, entries: Sequence[Entry]) -> list[Entry]:
    """Entries under the operation that counts them now: a wider one may have absorbed theirs."""
    heir = {o.id: o.absorbed_into for o in operations_of(conn, county)}

    def last(operation: str) -> str:
        return last(heir[operation]) if heir.get(operation) else operation

    return [Entry(last(entry.operation), entry.movement) for entry in entries]


def _households_of(conn: Connection, county: str, undone: Sequence[Entry]) -> dict[str, str]:
    """The household of each person of whom something is taken back: the correction itself need not name anybody."""
    persons = sorted({entry.movement.person for entry in undone} - {""})
    if not persons:
        return {}
    c = whereabouts.c
    operations = sorted({entry.operation for entry in undone})
    query = select(c.person, c.household).where(c.county == county, c.operation.in_(operations), c.person.in_(persons))
    return dict(conn.execute(query).all())


def _enrol_visitors(conn: Connection, county: str, told: Sequence[Entry]) -> None:
    """Puts people off the plan on the roll call; each is a household of one."""
    visitors = sorted({(e.operation, e.movement.person) for e in told if e.movement.person.startswith(VISITOR_PREFIX)})
    if not visitors:
        return
    unknown = Whereabouts()
    rows = [
        {
            "county": county,
            "operation": operation,
            "household": person,
            "person": person,
            "kind": VISITOR,
            "position": unknown.position.value,
            "stated": unknown.stated.value,
            "ever": unknown.ever,
        }
        for operation, person in visitors
    ]
    conn.execute(upsert(conn, whereabouts).on_conflict_do_nothing(), rows)


def _household(entry: Entry, households: Mapping[str, str]) -> Household | None:
    m = entry.movement
    if m.kind in _COUNTING:
        return None
    return entry.operation, households.get(m.person, m.person) if m.person else m.household


def _lock(conn: Connection, county: str, work: _Work, households: Mapping[str, str]) -> list[Person]:
    """Every member of every household that the batch speaks of, in key order and locked."""
    found = {_household(entry, households) for entry in (*work.told, *work.undone)} - {None}
    by_operation: dict[str, list[str]] = defaultdict(list)
    for key in found:
        if key:
            by_operation[key[0]].append(key[1])
    people: list[Person] = []
    for operation, names in sorted(by_operation.items()):
        c = whereabouts.c
        query = select(*PERSON_COLUMNS).where(
            c.county == county, c.operation == operation, among(conn, c.household, names)
        )
        query = query.order_by(c.household, c.person).with_for_update()
        people += [person_of(row) for row in conn.execute(query)]
    return people


def _places_in(work: _Work, people: Sequence[Person]) -> set[str]:
    named = {e.movement.place for e in (*work.told, *work.undone)}
    return (named | {place for p in people for place in p.known.visits}) - {""}


def _count_clicks(work: _Work, changes: dict[str, Changes]) -> None:
    for sign, entries in ((1, work.told), (-1, work.undone)):
        for entry in entries:
            m = entry.movement
            if m.kind in _COUNTING and m.count:
                changes[entry.operation].count_clicks(m.place, m.device, m.clock, sign * m.count)


def _fold(
    conn: Connection,
    county: str,
    work: _Work,
    people: Sequence[Person],
    places: Mapping[str, Place],
    changes: dict[str, Changes],
) -> Iterator[Person]:
    """The people whose whereabouts changed, after the change; the differences go into `changes`."""
    told: dict[tuple[str, str], list[Movement]] = defaultdict(list)
    for entry in work.told:
        told[entry.operation, entry.movement.person or entry.movement.household].append(entry.movement)
    retold = {(e.operation, e.movement.person or e.movement.household) for e in work.undone}
    for (operation, household), group in groupby(people, key=lambda p: (p.operation, p.household)):
        before = list(group)
        of_all = told.get((operation, household), [])
        after = []
        for p in before:
            if (operation, p.person) in retold or (operation, household) in retold:
                known = _retell(conn, county, p, places)
            else:
                known = p.known
                theirs = told.get((operation, p.person), []) if p.person != household else []
                for m in (*theirs, *(of_all if _hears(p, household) else ())):
                    known = tell(known, m, places[m.place].kind if m.place in places else None)
            after.append(_settled(p, known, places))
        changed = [(old, new) for old, new in zip(before, after, strict=True) if new is not old]
        if changed:
            _count_difference(changes[operation], before, after, changed)
            yield from (new for _, new in changed)


def _hears(person: Person, household: str) -> bool:
    """Whether a statement about the whole household is one about this person: it knew only those on the roll call."""
    return person.kind != VISITOR or person.person == household


def _retell(conn: Connection, county: str, person: Person, places: Mapping[str, Place]) -> Whereabouts:
    statements = log.statements_about(
        conn, county, lineage(conn, county, person.operation), person.person, person.household
    )
    missing = {m.place for m in statements if m.place and m.place not in places}
    known_places = {**places, **places_named(conn, county, missing)}
    return retell((m, known_places[m.place].kind if m.place in known_places else None) for m in statements)


def _settled(person: Person, known: Whereabouts, places: Mapping[str, Place]) -> Person:
    if known == person.known:
        return person
    if person.kind != VISITOR:
        return replace(person, known=known)
    # A visitor belongs to the community of the first place, and to none once that arrival was corrected away.
    code = first_place(known)
    place = places.get(code)
    community, township = (place.community, place.township) if place else (person.community, person.township)
    if not code:
        community = township = ""
    return replace(person, known=known, community=community, township=township)


def _count_difference(
    changes: Changes, before: Sequence[Person], after: Sequence[Person], changed: Sequence[tuple[Person, Person]]
) -> None:
    for old, new in changed:
        if old.counts and new.counts and old.cell == new.cell:
            changes.change_person(new.cell, old.known, new.known)
            continue
        for sign, p in ((-1, old), (1, new)):
            if p.counts:
                changes.count_person(p.cell, p.known, sign)
    for sign, people in ((-1, before), (1, after)):
        if counted := [p for p in people if p.counts]:
            changes.count_household(counted[0].cell, [p.known for p in counted], sign)


def _save(conn: Connection, county: str, people: Sequence[Person]) -> None:
    if not people:
        return
    if conn.dialect.name == "postgresql":
        sent = [{**{name: getattr(p, name) for name in _KEY}, **person_values(p)} for p in people]
        conn.execute(_SAVE_SENT, {"b_county": county, **as_document(sent)})
    else:
        keys = [{"b_county": county, **{f"b_{name}": getattr(p, name) for name in _KEY}} for p in people]
        conn.execute(_SAVE, [{**key, **person_values(p)} for key, p in zip(keys, people, strict=True)])


def rebuild(conn: Connection, county: str, operation: str) -> None:
    """Make an operation's projections again from the log alone."""
    counts.forget(conn, county, operation)
    c = whereabouts.c
    query = select(c.person, c.household).where(c.county == county, c.operation == operation)
    names = dict(conn.execute(query).all())
    for page in log.pages(conn, county, lineage(conn, county, operation)):
        entries = [Entry(operation, entry.movement) for entry in page]
        project(conn, county, entries, names, replaying=True)

"""Operations: the roll call of one emergency or exercise, frozen when it opens."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, func, insert, literal, select, update

from pingji.data import counts
from pingji.data.scopes import COUNTY, TOWNSHIP, Scope
from pingji.data.sql import learn_sizes, upsert
from pingji.data.tables import LAYER_TABLES, headcount, occupancy, operation, person, trend, whereabouts
from pingji.ops.whereabouts import Whereabouts

CLOSED, ABSORBED, DROPPED, RECALLED = "closed", "absorbed", "dropped", "recalled"
_UNKNOWN = Whereabouts()
_ROLL = (
    "county",
    "operation",
    "household",
    "person",
    "kind",
    "zone",
    "grid",
    "community",
    "township",
    "transfer_point",
    "shelter",
    "vulnerability",
    "position",
    "stated",
    "ever",
)
_LIVE = (
    "position",
    "at",
    "statement",
    "stated",
    "place",
    "clock",
    "device",
    "sequence",
    "notified",
    "verified",
    "ever",
    "visits",
)


@dataclass(frozen=True, slots=True)
class Operation:
    """One emergency or exercise of one scope; times in microseconds since 1970 UTC."""

    id: str
    scope: str
    exercise: bool
    started_at: int
    ended_at: int | None
    fate: str
    absorbed_into: str
    anonymised_at: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether people are being counted in it."""
        return self.ended_at is None


def operations_of(conn: Connection, county: str) -> list[Operation]:
    """All operations of a county, oldest first."""
    c = operation.c
    columns = (c.id, c.scope, c.exercise, c.started_at, c.ended_at, c.fate, c.absorbed_into, c.anonymised_at)
    query = select(*columns).where(c.county == county).order_by(c.started_at, c.id)
    return [Operation(*row) for row in conn.execute(query)]


def operations_at(operations: Sequence[Operation], clock: int) -> tuple[Operation, ...]:
    """The operations that a statement made at `clock` may belong to.

    Those that were open then, so that what an exercise's phone uploads a day late stays in the exercise; where none
    was, those that are open now, since the device's clock must be slow. None where nobody can be recognised any more in
    those that were open then (`data.retention`): what comes that late has nobody to belong to.
    """
    by_id = {o.id: o for o in operations}
    recalled = [o for o in operations if o.fate == RECALLED and not o.exercise]
    then = [
        o
        for o in operations
        if o.started_at <= clock and (o.ended_at is None or clock < o.ended_at) and o not in recalled
    ]
    known = [o for o in then if o.anonymised_at is None]
    if then and not known:
        return ()
    found: dict[str, Operation] = {}
    for o in known or [o for o in operations if o.is_open]:
        while o.absorbed_into:
            o = by_id[o.absorbed_into]
        found[o.id] = o
    return tuple(found.values())


def lineage(conn: Connection, county: str, operation_id: str) -> list[str]:
    """An operation and all those whose counts it carried on."""
    found = [operation_id]
    for o in reversed(operations_of(conn, county)):
        if o.absorbed_into in found:
            found.append(o.id)
    return found


def open_operation(conn: Connection, scope: Scope, operation_id: str, exercise: bool, now: int) -> int:
    """Freeze the roll call of a scope and open its places. Returns how many people are expected."""
    row = {"county": scope.county, "id": operation_id, "scope": scope.code, "exercise": exercise, "started_at": now}
    conn.execute(insert(operation), row)
    _enrol_residents(conn, scope, operation_id)
    unnamed = [*_unnamed_residents(conn, scope, operation_id), *_institutions(conn, scope, operation_id)]
    if unnamed:
        conn.execute(insert(whereabouts), unnamed)
    counts.open_places(conn, scope, operation_id)
    counts.recount(conn, scope.county, operation_id)
    learn_sizes(conn, whereabouts)
    c = whereabouts.c
    query = select(func.count()).where(c.county == scope.county, c.operation == operation_id)
    return conn.scalars(query).one()


def end_operation(conn: Connection, county: str, operation_id: str, fate: str, now: int) -> None:
    """Close an operation: nobody is counted in it any more, except by what was stated before its end."""
    c = operation.c
    conn.execute(update(operation).where(c.county == county, c.id == operation_id).values(ended_at=now, fate=fate))


def absorb(conn: Connection, county: str, narrower: str, wider: str, now: int) -> None:
    """Carry the counts of a narrower operation on in a wider one, and end the narrower."""
    new, old = whereabouts.c, whereabouts.alias("old")
    same = and_(old.c.county == county, old.c.operation == narrower, old.c.household == new.household)
    live = {name: old.c[name] for name in _LIVE}
    conn.execute(
        update(whereabouts)
        .where(new.county == county, new.operation == wider, same, old.c.person == new.person)
        .values(live)
    )
    known = select(new.person).where(new.county == county, new.operation == wider)
    _copy(conn, whereabouts, county, narrower, wider, new.person.not_in(known))
    _add_up(conn, headcount, county, narrower, wider)
    _add_up(conn, trend, county, narrower, wider)
    _carry_places_on(conn, county, narrower, wider)
    c = operation.c
    end_operation(conn, county, narrower, ABSORBED, now)
    conn.execute(update(operation).where(c.county == county, c.id == narrower).values(absorbed_into=wider))
    counts.recount(conn, county, wider)


def _rows(table: Table, county: str, source: str, target: str) -> Select[Any]:
    """The rows of one operation as those of another."""
    columns = [literal(target) if column.name == "operation" else column for column in table.c]
    return select(*columns).where(table.c.county == county, table.c.operation == source)


def _copy(conn: Connection, table: Table, county: str, source: str, target: str, only: ColumnElement[bool]) -> None:
    query = _rows(table, county, source, target).where(only)
    conn.execute(insert(table).from_select([c.name for c in table.c], query))


def _add_up(conn: Connection, table: Table, county: str, source: str, target: str) -> None:
    """Add the counts `n` of one operation to another's: two villages may have counted in the same minute."""
    statement = upsert(conn, table).from_select([c.name for c in table.c], _rows(table, county, source, target))
    keys = list(table.primary_key.columns)
    raised = {"n": table.c.n + statement.excluded.n}
    conn.execute(statement.on_conflict_do_update(index_elements=keys, set_=raised))


def _carry_places_on(conn: Connection, county: str, narrower: str, wider: str) -> None:
    """What was said of a place holds in the wider operation too, and a place that only the narrower opened stays."""
    o, old = occupancy.c, occupancy.alias("old")
    mine = (o.county == county, o.operation == wider, old.c.county == county, old.c.operation == narrower)
    conn.execute(update(occupancy).where(*mine, old.c.place == o.place).values(status=old.c.status))
    known = select(o.place).where(o.county == county, o.operation == wider)
    _copy(conn, occupancy, county, narrower, wider, o.place.not_in(known))


def _inside(table: Table, scope: Scope) -> ColumnElement[bool]:
    """Rows of a danger zone of the scope."""
    c = table.c
    inside = and_(c.county == scope.county, c.zone != "")
    if scope.level == COUNTY:
        return inside
    return and_(inside, c.township == scope.code if scope.level == TOWNSHIP else c.community == scope.code)


def _enrol_residents(conn: Connection, scope: Scope, operation_id: str) -> None:
    households = LAYER_TABLES["households"]
    h, p = households.c, person.c
    columns = (
        h.county,
        literal(operation_id),
        h.code,
        h.code + "-" + p.code,
        literal("resident"),
        h.zone,
        h.grid,
        h.community,
        h.township,
        h.transfer_point,
        h.shelter,
        p.vulnerability,
        literal(_UNKNOWN.position.value),
        literal(_UNKNOWN.stated.value),
        literal(_UNKNOWN.ever),
    )
    query = select(*columns).join(person, and_(p.county == h.county, p.household == h.code))
    conn.execute(insert(whereabouts).from_select(list(_ROLL), query.where(_inside(households, scope))))


def _unnamed_residents(conn: Connection, scope: Scope, operation_id: str) -> Iterator[dict[str, object]]:
    """People of households of which only the number is known."""
    households = LAYER_TABLES["households"]
    h, p = households.c, person.c
    named = select(p.code).where(p.county == h.county, p.household == h.code).exists()
    columns = (h.code, h.zone, h.grid, h.community, h.township, h.transfer_point, h.shelter, h.residents)
    query = select(*columns).where(_inside(households, scope), h.residents > 0, ~named)
    for row in conn.execute(query):
        yield from _nameless(scope, operation_id, "resident", *row)


def _institutions(conn: Connection, scope: Scope, operation_id: str) -> Iterator[dict[str, object]]:
    """People in institutions, whether or not any household list knows them."""
    i = LAYER_TABLES["institutions"].c
    columns = (i.code, i.zone, i.grid, i.community, i.township, i.transfer_point, i.shelter, i.head_count)
    for row in conn.execute(select(*columns).where(_inside(LAYER_TABLES["institutions"], scope))):
        yield from _nameless(scope, operation_id, "institution", *row)


def _nameless(
    scope: Scope,
    operation_id: str,
    kind: str,
    code: str,
    zone: str,
    grid: str,
    community: str,
    township: str,
    transfer_point: str,
    shelter: str,
    people: int,
) -> Iterator[dict[str, object]]:
    for n in range(1, people + 1):
        values = (scope.county, operation_id, code, f"{code}-{n}", kind, zone, grid, community, township)
        rest = (transfer_point, shelter, "", _UNKNOWN.position.value, _UNKNOWN.stated.value, _UNKNOWN.ever)
        yield dict(zip(_ROLL, values + rest, strict=True))

"""Counts: adding differences, making them anew by SQL, and forgetting them for a rebuild."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache

from sqlalchemy import (
    Connection,
    Dialect,
    Table,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import Insert

from pingji.data.places import Place, places_of
from pingji.data.rows import VISITOR
from pingji.data.scopes import COUNTY, TOWNSHIP, Scope
from pingji.data.sql import upsert
from pingji.data.tables import LAYER_TABLES, headcount, occupancy, tally, trend, whereabouts
from pingji.ops.movement import SHELTER
from pingji.ops.position import EVER_BITS, HOUSEHOLD_ORDER
from pingji.ops.tally import ROSTER, Changes
from pingji.ops.whereabouts import Whereabouts

OPEN, ACCEPTING, CLOSED = "open", "accepting", "closed"
_CELL = ("zone", "grid", "community", "township")
_NOTHING = Whereabouts()


def add(conn: Connection, county: str, operation: str, changes: Changes, places: Mapping[str, Place]) -> None:
    """Add differences to the stored counts, sorted by key so that two writers lock in one order."""
    names = ("unit", "off_plan", *_CELL, "position")
    _increase(conn, tally, county, operation, names, {k: {"n": n} for k, n in changes.tally.items()})
    _increase(
        conn, headcount, county, operation, ("place", "device"), {k: {"n": n} for k, n in changes.clicker.items()}
    )
    keys = ("place", "source", "minute")
    _increase(conn, trend, county, operation, keys, {k: {"n": n} for k, n in changes.trend.items()})
    clicks: dict[str, int] = {}
    for (place, _), n in changes.clicker.items():
        clicks[place] = clicks.get(place, 0) + n
    rows: dict[tuple[object, ...], dict[str, int]] = {
        (code,): {"roster": changes.roster[code], "clicker": clicks.get(code, 0), "arrived": changes.arrived[code]}
        for code in {*changes.roster, *changes.arrived, *clicks} & places.keys()
    }
    fixed = {str(code): _opened(places[str(code)]) for (code,) in rows}
    _increase(conn, occupancy, county, operation, ("place",), rows, fixed)


def _opened(place: Place) -> dict[str, object]:
    return {
        "kind": place.kind,
        "community": place.community,
        "township": place.township,
        "status": ACCEPTING if place.kind == SHELTER else OPEN,
        "capacity": place.capacity,
    }


def _increase(
    conn: Connection,
    table: Table,
    county: str,
    operation: str,
    names: tuple[str, ...],
    increments: Mapping[tuple[object, ...], Mapping[str, int]],
    fixed: Mapping[str, Mapping[str, object]] | None = None,
) -> None:
    """Upsert rows that add up; `fixed` are the other columns of a row that doesn't exist yet, by first key."""
    rows = [
        {
            "county": county,
            "operation": operation,
            **dict(zip(names, key, strict=True)),
            **(fixed or {}).get(str(key[0]), {}),
            **amounts,
        }
        for key, amounts in sorted(increments.items())
        if any(amounts.values())
    ]
    if not rows:
        return
    amounts = tuple(next(iter(increments.values())))
    conn.execute(_adding(conn.dialect, table, names, amounts), rows)


@lru_cache(maxsize=32)
def _adding(dialect: Dialect, table: Table, names: tuple[str, ...], amounts: tuple[str, ...]) -> Insert:
    """Built once: every batch adds to these tables."""
    statement = upsert(dialect, table)
    raised = {name: table.c[name] + statement.excluded[name] for name in amounts}
    keys = [table.c.county, table.c.operation, *(table.c[name] for name in names)]
    return statement.on_conflict_do_update(index_elements=keys, set_=raised)


def open_places(conn: Connection, scope: Scope, operation: str) -> None:
    """Open the transfer points and shelters of a scope, and those outside it that the plan sends people to."""
    w = whereabouts.c
    of_operation = and_(w.county == scope.county, w.operation == operation)
    expected: dict[str, int] = {}
    for column in (w.transfer_point, w.shelter):
        query = select(column, func.count()).where(of_operation, column != "").group_by(column)
        expected.update(dict(conn.execute(query).all()))
    s = LAYER_TABLES["shelters"].c
    unsafe = set(conn.scalars(select(s.code).where(s.county == scope.county, s.in_hazard)))
    rows = [
        {
            "county": scope.county,
            "operation": operation,
            "place": code,
            **_opened(place),
            **({"status": CLOSED} if code in unsafe else {}),
            "expected": expected.get(code, 0),
        }
        for code, place in places_of(conn, scope.county).items()
        if code in expected or _lies_in(place, scope)
    ]
    if rows:
        conn.execute(insert(occupancy), rows)


def openers(conn: Connection, county: str, operations: Sequence[str]) -> dict[str, list[str]]:
    """The operations (of those named, and in their order) that opened each place, by the place's code."""
    o = occupancy.c
    query = select(o.place, o.operation).where(o.county == county, o.operation.in_(operations))
    found: dict[str, list[str]] = defaultdict(list)
    for place, operation in sorted(conn.execute(query), key=lambda row: operations.index(row.operation)):
        found[place].append(operation)
    return found


def _lies_in(place: Place, scope: Scope) -> bool:
    if scope.level == COUNTY:
        return True
    return scope.code == (place.township if scope.level == TOWNSHIP else place.community)


def forget(conn: Connection, county: str, operation: str) -> None:
    """Put an operation's projections back to the moment after it was opened."""
    w = whereabouts.c
    mine = and_(w.county == county, w.operation == operation)
    conn.execute(delete(whereabouts).where(mine, w.kind == VISITOR))
    unknown: dict[str, object] = {
        "position": _NOTHING.position.value,
        "at": "",
        "statement": "",
        "stated": _NOTHING.stated.value,
        "place": "",
        "clock": 0,
        "device": "",
        "sequence": 0,
        "notified": 0,
        "verified": 0,
        "ever": _NOTHING.ever,
        "visits": {},
    }
    conn.execute(update(whereabouts).where(mine).values(unknown))
    for table in (headcount, trend):
        conn.execute(delete(table).where(table.c.county == county, table.c.operation == operation))
    recount(conn, county, operation)


def recount(conn: Connection, county: str, operation: str) -> None:
    """Make tallies and occupancy anew from whereabouts, clicks and trend, by SQL alone.

    It shares no code with the differences that `add` sums up, so each is a check of the other.
    """
    conn.execute(delete(tally).where(tally.c.county == county, tally.c.operation == operation))
    w = whereabouts.c
    counted = and_(w.county == county, w.operation == operation, or_(w.kind != VISITOR, w.ever != _NOTHING.ever))
    off_plan = case((w.kind == VISITOR, VISITOR), else_="").label("off_plan")
    cell = (w.zone, w.grid, w.community, w.township)
    names = ["county", "operation", "unit", "off_plan", *_CELL, "position", "n"]
    key = (literal(county), literal(operation))
    persons = select(*key, literal("persons"), off_plan, *cell, w.position, func.count()).where(counted)
    conn.execute(insert(tally).from_select(names, persons.group_by(off_plan, *cell, w.position)))
    for position, bit in EVER_BITS.items():
        ever = select(*key, literal("persons_ever"), off_plan, *cell, literal(position.value), func.count())
        having = and_(counted, w.ever.bitwise_and(bit) != 0)
        conn.execute(insert(tally).from_select(names, ever.where(having).group_by(off_plan, *cell)))
    rank = case({position.value: n for n, position in enumerate(HOUSEHOLD_ORDER)}, value=w.position)
    worst = select(off_plan, *cell, func.min(rank).label("rank")).where(counted)
    of_household = worst.group_by(off_plan, *cell, w.household).subquery()
    h = of_household.c
    name = case({n: position.value for n, position in enumerate(HOUSEHOLD_ORDER)}, value=h.rank)
    cells = (h.off_plan, h.zone, h.grid, h.community, h.township)
    households = select(*key, literal("households"), *cells, name, func.count()).group_by(*cells, name)
    conn.execute(insert(tally).from_select(names, households))
    _recount_places(conn, county, operation)


def _recount_places(conn: Connection, county: str, operation: str) -> None:
    """One grouped count for each of the three figures: a subquery a place would scan the roll call for each."""
    o, w, h, t = occupancy.c, whereabouts.c, headcount.c, trend.c
    by_place = {
        "roster": select(w.at, func.count()).where(w.county == county, w.operation == operation, w.at != ""),
        "clicker": select(h.place, func.sum(h.n)).where(h.county == county, h.operation == operation),
        "arrived": select(t.place, func.sum(t.n)).where(
            t.county == county, t.operation == operation, t.source == ROSTER
        ),
    }
    mine = update(occupancy).where(o.county == county, o.operation == operation)
    conn.execute(mine.values(dict.fromkeys(by_place, 0)))
    for name, query in by_place.items():
        place = query.selected_columns[0]
        rows = [{"b_place": code, "b_n": int(n)} for code, n in conn.execute(query.group_by(place))]
        if rows:
            conn.execute(mine.where(o.place == bindparam("b_place")).values({name: bindparam("b_n")}), rows)

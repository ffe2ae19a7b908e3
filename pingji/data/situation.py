"""The state of places and the course of arrivals, as read for screens."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace

from sqlalchemy import Connection, func, select, update

from pingji.data.places import Place
from pingji.data.tables import occupancy, trend
from pingji.ops.tally import ANYWHERE, CLICKER, FIRST, ROSTER

RATE_MINUTES = 10
_PLAIN = ("open", "accepting")  # what a place is put into when it opens; anything else, somebody said


@dataclass(frozen=True, slots=True)
class PlaceState:
    """A place in one operation: two counts that are never merged, and how fast people come by each."""

    operation: str
    place: str
    kind: str
    status: str
    capacity: int
    expected: int
    roster: int
    clicker: int
    arrived: int
    roster_rate: int = 0  # persons in the last ten minutes
    clicker_rate: int = 0


def place_states(conn: Connection, county: str, operations: Collection[str], now_min: int) -> dict[str, PlaceState]:
    """The state of every place that the operations opened, by code."""
    o, t = occupancy.c, trend.c
    rates: dict[tuple[str, str], int] = defaultdict(int)
    recent = select(t.place, t.source, func.sum(t.n)).where(
        t.county == county, t.operation.in_(operations), t.minute > now_min - RATE_MINUTES, t.place != ANYWHERE
    )
    for place, source, n in conn.execute(recent.group_by(t.place, t.source)):
        rates[place, source] = int(n)
    columns = (o.operation, o.place, o.kind, o.status, o.capacity, o.expected, o.roster, o.clicker, o.arrived)
    query = select(*columns).where(o.county == county, o.operation.in_(operations))
    found: dict[str, PlaceState] = {}
    for row in conn.execute(query.order_by(o.operation)):
        state = PlaceState(*row, roster_rate=rates[row.place, ROSTER], clicker_rate=rates[row.place, CLICKER])
        found[row.place] = _together(found[row.place], state) if row.place in found else state
    return found


def _together(one: PlaceState, other: PlaceState) -> PlaceState:
    """One place in two operations: two villages may send their people to one shelter, and it has one set of beds."""
    return replace(
        one,
        status=other.status if one.status in _PLAIN else one.status,
        expected=one.expected + other.expected,
        roster=one.roster + other.roster,
        clicker=one.clicker + other.clicker,
        arrived=one.arrived + other.arrived,
    )


def set_status(conn: Connection, county: str, operations: Collection[str], place: Place, status: str) -> int:
    """Put a place into another state; returns in how many operations."""
    o = occupancy.c
    mine = (o.county == county, o.operation.in_(operations), o.place == place.code)
    return conn.execute(update(occupancy).where(*mine).values(status=status)).rowcount


def first_arrivals(conn: Connection, county: str, operations: Collection[str]) -> dict[int, int]:
    """How many persons arrived anywhere for the first time, by minute since 1970 UTC."""
    t = trend.c
    query = select(t.minute, func.sum(t.n)).where(
        t.county == county, t.operation.in_(operations), t.place == ANYWHERE, t.source == FIRST
    )
    return {minute: int(n) for minute, n in conn.execute(query.group_by(t.minute)) if n}


def latest_arrivals(
    conn: Connection, county: str, operations: Collection[str], limit: int
) -> list[tuple[int, str, int]]:
    """(minute, place, persons) of the newest minutes in which people arrived by name."""
    t = trend.c
    query = (
        select(t.minute, t.place, func.sum(t.n))
        .where(t.county == county, t.operation.in_(operations), t.source == ROSTER)
        .group_by(t.minute, t.place)
        .having(func.sum(t.n) > 0)
        .order_by(t.minute.desc(), func.sum(t.n).desc())
        .limit(limit)
    )
    return [(minute, place, int(n)) for minute, place, n in conn.execute(query)]

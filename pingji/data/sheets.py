"""Balance sheets as read from the tallies: for one scope, or for every scope at once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, func, select

from pingji.data.operations import Operation
from pingji.data.rows import VISITOR
from pingji.data.scopes import COMMUNITY, COUNTY, GRID, TOWNSHIP, ZONE, Scope
from pingji.data.tables import tally
from pingji.ops.balance import Sheet, sheet
from pingji.ops.position import Position

_COLUMN = {TOWNSHIP: tally.c.township, COMMUNITY: tally.c.community, ZONE: tally.c.zone, GRID: tally.c.grid}


@dataclass(frozen=True)
class Balance:
    """The sheets of one scope: persons, households, and how many persons were ever in each position."""

    persons: Sheet
    households: Sheet
    ever: Mapping[Position, int]


@dataclass
class _Counts:
    by_position: dict[Position, int] = field(default_factory=dict)
    off_plan: int = 0
    home_in_recovery: int = 0

    def add(self, position: Position, off_plan: str, n: int, recovering: bool) -> None:
        if position is Position.HOME and recovering:
            self.home_in_recovery += n
            return
        self.by_position[position] = self.by_position.get(position, 0) + n
        if off_plan == VISITOR:
            self.off_plan += n

    def sheet(self) -> Sheet:
        whole = sheet(self.by_position, off_plan=self.off_plan)
        return Sheet(whole.accounted, whole.remainder, self.off_plan, self.home_in_recovery)


def _inside(scope: Scope) -> list[ColumnElement[bool]]:
    return [] if scope.level == COUNTY else [_COLUMN[scope.level] == scope.code]


def balance_of(conn: Connection, scope: Scope, operations: Sequence[Operation], recovering: Iterable[str]) -> Balance:
    """The balance of a scope over some operations; `recovering` are the ids of those in recovery."""
    t = tally.c
    query = (
        select(t.operation, t.unit, t.off_plan, t.position, func.sum(t.n))
        .where(t.county == scope.county, t.operation.in_([o.id for o in operations]), *_inside(scope))
        .group_by(t.operation, t.unit, t.off_plan, t.position)
    )
    units: dict[str, _Counts] = defaultdict(_Counts)
    at_home = set(recovering)
    for operation, unit, off_plan, position, n in conn.execute(query):
        units[unit].add(Position(position), off_plan, int(n), operation in at_home and unit != "persons_ever")
    return Balance(units["persons"].sheet(), units["households"].sheet(), units["persons_ever"].by_position)


def sheets_below(
    conn: Connection, county: str, operations: Sequence[Operation], recovering: Iterable[str]
) -> dict[tuple[str, str], Sheet]:
    """The sheet in persons of every township, community, zone and grid that has people, by (level, code)."""
    t = tally.c
    columns = (t.operation, t.off_plan, t.zone, t.grid, t.community, t.township, t.position, t.n)
    query = select(*columns).where(
        t.county == county, t.operation.in_([o.id for o in operations]), t.unit == "persons", t.n != 0
    )
    at_home = set(recovering)
    found: dict[tuple[str, str], _Counts] = defaultdict(_Counts)
    for operation, off_plan, zone, grid, community, township, name, n in conn.execute(query):
        position = Position(name)
        for key in ((ZONE, zone), (GRID, grid), (COMMUNITY, community), (TOWNSHIP, township)):
            if key[1]:
                found[key].add(position, off_plan, n, operation in at_home)
    return {key: counts.sheet() for key, counts in found.items()}

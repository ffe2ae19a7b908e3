"""Grids as they stood: on any day, or when an emergency began; what was published, and what came of what.

Figures of a version that has ended are those that were kept with it: nobody is counted backwards, since people move.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import shapely
from sqlalchemy import ColumnElement, Connection, Table, func, literal, null, or_, select, union

from pingji.data.features import wkb
from pingji.data.grids import drafts
from pingji.data.grids.ground import UnknownCommunity, community_names
from pingji.data.grids.holding import covered_by, scopes_of_operations
from pingji.data.grids.stored import plain
from pingji.data.operations import RECALLED, Operation, operations_of
from pingji.data.spatial import Box, in_box
from pingji.data.sql import among
from pingji.data.tables import LAYER_TABLES, change_set, grid_lineage, past_grids, whereabouts
from pingji.geo.coverage.planar import Area
from pingji.ops.change_set import ChangeSet, Status
from pingji.ops.day import day_of, end_of
from pingji.ops.errors import OpsError

_TEXTS = ("code", "name", "community", "leader", "leader_phone", "deputy", "deputy_phone", "reason", "change_set")
_OTHERS = ("household_count", "resident_count", "valid_from", "valid_to", "began_at", "revision")


class UnknownOperation(OpsError):
    """No emergency or exercise has this id. `id`."""


class UnknownHousehold(OpsError):
    """No household has this code. `household`."""


class UnknownGrid(OpsError):
    """No grid has this code, nor ever had. `code`."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time: microseconds since 1970 UTC, its day in Asia/Shanghai, and the operation that began then."""

    at: int
    day: date
    operation: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """A grid from `began_at` to before `ended_at` (None: it stands), microseconds since 1970 UTC.

    `shape` in EPSG:4490 lon/lat degrees; `households` and `residents` are those of its last day.
    """

    code: str
    name: str
    community: str
    leader: str
    leader_phone: str
    deputy: str
    deputy_phone: str
    reason: str
    change_set: str
    households: int
    residents: int
    valid_from: date | None
    valid_to: date | None
    began_at: int
    revision: int
    ended_at: int | None
    ended_by: str
    shape: Area


@dataclass(frozen=True, slots=True)
class Publication:
    """A published change set, and how many grids began, changed or ended by it."""

    change_set: ChangeSet
    grids: int


@dataclass(frozen=True, slots=True)
class PastOperation:
    """An emergency or exercise that the grids were held for."""

    operation: Operation
    scope_name: str


@dataclass(frozen=True, slots=True)
class Descent:
    """One link of a lineage; `at` in microseconds since 1970 UTC."""

    from_: str
    into: str
    kind: str
    at: int
    change_set: str


def end_of_day(day: date) -> Moment:
    """The last moment of a day.

    >>> end_of_day(date(2026, 7, 1)).at
    1782921599999999
    """
    return Moment(end_of(day), day)


def moment_of(at: int) -> Moment:
    """A moment with its day; `at` in microseconds since 1970 UTC."""
    return Moment(at, day_of(at))


def start_of(conn: Connection, county: str, operation: str) -> Moment:
    """When an operation began.

    Raises
    ------
    UnknownOperation
    """
    for one in operations_of(conn, county):
        if one.id == operation:
            began = moment_of(one.started_at)
            return Moment(began.at, began.day, one.id)
    raise UnknownOperation(id=operation)


def grids_at(
    conn: Connection,
    county: str,
    moment: Moment,
    *,
    communities: Collection[str] | None = None,
    codes: Collection[str] | None = None,
    box: Box | None = None,
) -> list[Version]:
    """The grids that stood at a moment, in the order of their codes.

    A grid counts from its `began_at` on and not before its `valid_from`: one that was entered ahead of its day does
    not show yet.

    Parameters
    ----------
    communities, codes : collection of str, optional
        Only grids of these communities, or with these codes.
    box : (west, south, east, north), EPSG:4490 degrees, optional
        Only grids near it.
    """
    found: list[Version] = []
    for table in (LAYER_TABLES["grids"], past_grids):
        c = table.c
        where = [c.began_at <= moment.at, or_(c.valid_from.is_(None), c.valid_from <= moment.day)]
        if table is past_grids:
            where.append(c.ended_at > moment.at)
        if communities is not None:
            where.append(among(conn, c.community, communities))
        if codes is not None:
            where.append(among(conn, c.code, codes))
        if box is not None:
            where.append(in_box(table, box))
        found += _versions(conn, county, table, where)
    return sorted(found, key=lambda version: version.code)


def grid_of_place(conn: Connection, county: str, lon: float, lat: float, moment: Moment) -> Version | None:
    """The grid that a place lay in; on a border the one whose code comes first, as people are counted."""
    point = shapely.Point(lon, lat)
    near = grids_at(conn, county, moment, box=(lon, lat, lon, lat))
    return next((version for version in near if shapely.intersects(version.shape, point)), None)


def grid_of_household(conn: Connection, county: str, household: str, moment: Moment) -> Version | None:
    """The grid of a household: in an operation the one that its roll call was frozen with, else by where it lies.

    Raises
    ------
    UnknownHousehold
    """
    table = LAYER_TABLES["households"]
    if moment.operation:
        w = whereabouts.c
        enrolled = select(w.grid).where(w.county == county, w.operation == moment.operation, w.household == household)
        grid = conn.scalars(enrolled.limit(1)).one_or_none()
        frozen = grids_at(conn, county, moment, codes=[grid]) if grid else []
        if frozen:
            return frozen[0]
    query = select(wkb(conn, table)).where(table.c.county == county, table.c.code == household)
    blob = conn.execute(query).scalar_one_or_none()
    if blob is None:
        raise UnknownHousehold(household=household)
    ((lon, lat),) = shapely.get_coordinates(shapely.from_wkb(bytes(blob))).tolist()
    return grid_of_place(conn, county, lon, lat, moment)


def publications(conn: Connection, county: str, community: str | None = None) -> list[Publication]:
    """Published change sets, the newest first."""
    g, p = LAYER_TABLES["grids"].c, past_grids.c
    begun = select(g.change_set.label("by"), g.code).where(g.county == county, g.change_set != "")
    began = select(p.change_set.label("by"), p.code).where(p.county == county, p.change_set != "")
    ended = select(p.ended_by.label("by"), p.code).where(p.county == county, p.ended_by != "")
    touched = union(begun, began, ended).subquery()
    counted = select(touched.c.by, func.count()).group_by(touched.c.by)
    n = {id_: int(count) for id_, count in conn.execute(counted)}
    sets = drafts.load_all(conn, county, status=Status.PUBLISHED, community=community)
    newest = sorted(sets, key=lambda one: (one.published_at or 0, one.id), reverse=True)
    return [Publication(one, n.get(one.id, 0)) for one in newest]


def past_operations(conn: Connection, county: str, community: str | None = None) -> list[PastOperation]:
    """Emergencies and exercises that covered a community, or any; the newest first, those taken back left out."""
    scopes = scopes_of_operations(conn, county)
    return [
        PastOperation(one, scopes[one.scope].name)
        for one in reversed(operations_of(conn, county))
        if one.fate != RECALLED and (community is None or community in covered_by(conn, scopes[one.scope]))
    ]


def descents(conn: Connection, county: str, code: str) -> list[Descent]:
    """Every link from what a grid came from, however far back, and to what came from it, the oldest first."""
    links = {*_climb(conn, county, code, back=True), *_climb(conn, county, code, back=False)}
    return sorted(links, key=lambda link: (link.at, link.from_, link.into))


def versions_of(conn: Connection, county: str, codes: Collection[str]) -> list[Version]:
    """Every version of some grids, the oldest first.

    Raises
    ------
    UnknownGrid
        Where none of the codes was ever given.
    """
    found: list[Version] = []
    for table in (past_grids, LAYER_TABLES["grids"]):
        found += _versions(conn, county, table, [among(conn, table.c.code, codes)])
    if not found:
        raise UnknownGrid(code=", ".join(codes))
    return sorted(found, key=lambda version: (version.began_at, version.code))


def set_names(conn: Connection, county: str, ids: Collection[str]) -> dict[str, str]:
    """Names of change sets by id."""
    c = change_set.c
    query = select(c.id, c.name).where(c.county == county, among(conn, c.id, ids))
    return {row.id: row.name for row in conn.execute(query)}


def require_community(conn: Connection, county: str, code: str) -> str:
    """The name of a community.

    Raises
    ------
    UnknownCommunity
    """
    name = community_names(conn, county, [code]).get(code)
    if name is None:
        raise UnknownCommunity(community=code)
    return name


def _climb(conn: Connection, county: str, code: str, *, back: bool) -> set[Descent]:
    """Links found by going from grid to grid, back to the beginning or on to the end."""
    c = grid_lineage.c
    here = c.into_code if back else c.from_code
    found: set[Descent] = set()
    seen, edge = {code}, {code}
    while edge:
        query = select(c.from_code, c.into_code, c.kind, c.at, c.change_set)
        links = {Descent(*row) for row in conn.execute(query.where(c.county == county, among(conn, here, edge)))}
        found |= links
        edge = {link.from_ if back else link.into for link in links} - seen
        seen |= edge
    return found


def _versions(conn: Connection, county: str, table: Table, where: Sequence[ColumnElement[bool]]) -> list[Version]:
    c = table.c
    past = (c.ended_at, c.ended_by) if table is past_grids else (null(), literal(""))
    query = select(*(c[n] for n in (*_TEXTS, *_OTHERS)), *past, wkb(conn, table)).where(c.county == county, *where)
    rows = conn.execute(query.order_by(c.code)).all()
    shapes = shapely.from_wkb([bytes(row[-1]) for row in rows])
    return [_version(row, plain(shape)) for row, shape in zip(rows, shapes, strict=True)]


def _version(row: Sequence[Any], shape: Area) -> Version:
    *values, ended_at, ended_by, _ = row
    named: dict[str, Any] = dict(zip((*_TEXTS, *_OTHERS), values, strict=True))
    named["households"], named["residents"] = named.pop("household_count"), named.pop("resident_count")
    return Version(**named, ended_at=ended_at, ended_by=ended_by, shape=shape)

"""The sponsor tree 中心户 → 党员 → 群众 as stored: figures by grid, one centre's branch, households left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import ColumnElement, Connection, Select, and_, func, select

from pingji.data.features import load_features
from pingji.data.organisation.ground import Ground, Reach
from pingji.data.sql import among
from pingji.data.tables import LAYER_TABLES, party_link, party_member
from pingji.ops.organisation.errors import UnknownCentre

_HOMES, _CENTRES = LAYER_TABLES["households"], LAYER_TABLES["party_households"]


@dataclass(frozen=True, slots=True)
class GridSponsors:
    """A grid: how many centres and members it has, and how many of its households a member looks after."""

    grid: str
    centres: int
    members: int
    households: int
    covered: int


@dataclass(frozen=True, slots=True)
class Centre:
    """A centre household 党员中心户."""

    code: str
    name: str
    phone: str
    grid: str
    community: str
    lonlat: tuple[float, float]
    members: int
    households: int


@dataclass(frozen=True, slots=True)
class Linked:
    """A household that a member looks after."""

    code: str
    name: str
    lonlat: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Member:
    """A Party member with the households that they look after."""

    code: str
    name: str
    phone: str
    household: str
    linked: tuple[Linked, ...]


def by_grid(conn: Connection, ground: Ground, reach: Reach) -> list[GridSponsors]:
    """Figures of every grid, in the order of codes."""
    county = ground.county
    h, p, m = _HOMES.c, _CENTRES.c, party_member.c
    mine = and_(h.county == county, reach.where(conn, _HOMES))
    homes = _counts(conn, select(h.grid, func.count()).where(mine).group_by(h.grid))
    covered = _counts(conn, select(h.grid, func.count()).where(mine, _linked(county)).group_by(h.grid))
    own = and_(p.county == county, reach.where(conn, _CENTRES))
    centres = _counts(conn, select(p.grid, func.count()).where(own).group_by(p.grid))
    both = _CENTRES.join(party_member, and_(m.county == p.county, m.centre == p.code))
    members = _counts(conn, select(p.grid, func.count()).select_from(both).where(own).group_by(p.grid))
    wanted: Sequence[str] = list(ground.grids) if reach.whole else sorted(reach.grids)
    return [GridSponsors(g, centres.get(g, 0), members.get(g, 0), homes.get(g, 0), covered.get(g, 0)) for g in wanted]


def count_centres(conn: Connection, ground: Ground, reach: Reach) -> int:
    """How many centre households there are."""
    c = _CENTRES.c
    query = select(func.count()).select_from(_CENTRES).where(c.county == ground.county, reach.where(conn, _CENTRES))
    return conn.scalars(query).one()


def centres_of(conn: Connection, ground: Ground, grid: str) -> list[Centre]:
    """The centre households of a grid."""
    return _centres(conn, ground, _CENTRES.c.grid == grid)


def find_centre(conn: Connection, ground: Ground, code: str) -> Centre | None:
    """One centre household, or None."""
    return next(iter(_centres(conn, ground, _CENTRES.c.code == code)), None)


def centre_of(conn: Connection, ground: Ground, code: str) -> Centre:
    """One centre household.

    Raises
    ------
    UnknownCentre
    """
    found = find_centre(conn, ground, code)
    if found is None:
        raise UnknownCentre(centre=code)
    return found


def members_of(conn: Connection, ground: Ground, centre: str) -> list[Member]:
    """The Party members of a centre with their households."""
    m, link = party_member.c, party_link.c
    query = select(m.code, m.name, m.phone, m.household).where(m.county == ground.county, m.centre == centre)
    members = conn.execute(query.order_by(m.code)).all()
    codes = [member.code for member in members]
    links = select(link.member, link.household).where(link.county == ground.county, among(conn, link.member, codes))
    pairs = conn.execute(links.order_by(link.household)).all()
    wanted = among(conn, _HOMES.c.code, {household for _, household in pairs})
    homes = {f.code: f for f in load_features(conn, ground.county, "households", columns=("name",), where=wanted)}
    linked: dict[str, list[Linked]] = {code: [] for code in codes}
    for member, household in pairs:
        home = homes.get(household)
        if home is not None:
            linked[member].append(Linked(household, str(home.values["name"]), _lonlat(home.geometry)))
    return [Member(*member, tuple(linked[member.code])) for member in members]


def gaps(conn: Connection, ground: Ground, reach: Reach) -> list[tuple[str, str, str, tuple[float, float]]]:
    """Households without a member: code, grid, community, position."""
    where = and_(reach.where(conn, _HOMES), ~_linked(ground.county))
    found = load_features(conn, ground.county, "households", columns=("grid", "community"), where=where)
    return [(f.code, str(f.values["grid"]), str(f.values["community"]), _lonlat(f.geometry)) for f in found]


def _linked(county: str) -> ColumnElement[bool]:
    link = party_link.c
    return _HOMES.c.code.in_(select(link.household).where(link.county == county))


def _centres(conn: Connection, ground: Ground, where: ColumnElement[bool]) -> list[Centre]:
    m, link = party_member.c, party_link.c
    found = load_features(
        conn, ground.county, "party_households", columns=("name", "phone", "grid", "community"), where=where
    )
    codes = [f.code for f in found]
    mine = and_(m.county == ground.county, among(conn, m.centre, codes))
    members = _counts(conn, select(m.centre, func.count()).where(mine).group_by(m.centre))
    both = party_member.join(party_link, and_(link.county == m.county, link.member == m.code))
    homes = select(m.centre, func.count(func.distinct(link.household))).select_from(both)
    households = _counts(conn, homes.where(mine).group_by(m.centre))
    return [
        Centre(
            f.code,
            str(f.values["name"]),
            str(f.values["phone"]),
            str(f.values["grid"]),
            str(f.values["community"]),
            _lonlat(f.geometry),
            members.get(f.code, 0),
            households.get(f.code, 0),
        )
        for f in found
    ]


def _counts(conn: Connection, query: Select[Any]) -> dict[str, int]:
    return {row[0]: row[1] for row in conn.execute(query)}


def _lonlat(point: BaseGeometry) -> tuple[float, float]:
    x, y = shapely.get_coordinates(point)[0].tolist()
    return round(x, 6), round(y, 6)

"""The ground that grids are edited on: grids and those around them, outlines, people and buildings."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from sqlalchemy import ColumnElement, Connection, RowMapping, or_, select

from pingji.data.features import wkb
from pingji.data.grids.overlay import Overlay
from pingji.data.grids.placing import Ints, Placement, Shapes, placed, placed_again
from pingji.data.grids.stored import array_of, plain, same
from pingji.data.spatial import in_box
from pingji.data.sql import among
from pingji.data.tables import LAYER_TABLES
from pingji.geo.coverage import Coverage, Edit
from pingji.geo.coverage.planar import Area
from pingji.ops.errors import OpsError

GRID_COLUMNS = ("name", "community", "leader", "leader_phone", "deputy", "deputy_phone", "valid_from", "revision")
DESCRIBED = ("name", "leader", "leader_phone", "deputy", "deputy_phone")  # what an edit may set
_RING_DEG = 2e-4  # about 20 m: whoever shares a border lies within, and a street's width


class UnknownCommunity(OpsError):
    """No community has this code. `community`."""


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """Household points of some ground, EPSG:4490 lon/lat degrees, and where party members live."""

    codes: tuple[str, ...]
    communities: tuple[str, ...]
    points: Shapes
    residents: Ints
    party: Shapes


@dataclass(frozen=True, slots=True, eq=False)
class Buildings:
    """Building outlines of some ground, EPSG:4490 lon/lat degrees; buildings without a usable outline are left out."""

    codes: tuple[str, ...]
    shapes: Shapes
    position: Mapping[str, int]


@dataclass(frozen=True, eq=False)
class Ground:
    """Communities with everything that an edit of their grids needs.

    Attributes
    ----------
    names : mapping of code to str
        The communities that are worked on.
    outlines : mapping of code to Polygon or MultiPolygon, EPSG:4490 lon/lat degrees
    published : Coverage
        Their grids and those around, as they stand in the store.
    coverage : Coverage
        The same with a draft laid over; shares its index with `published`.
    rows : mapping of code to mapping of column to value
        Attributes, with those that the draft gives. New grids have only what was given.
    overlay : Overlay
    homes, party : Placement
        The published grid of each household, and of each party household.
    """

    county: str
    names: Mapping[str, str]
    outlines: Mapping[str, Area]
    published: Coverage
    coverage: Coverage
    rows: Mapping[str, Mapping[str, Any]]
    people: People
    buildings: Buildings
    overlay: Overlay
    homes: Placement
    party: Placement

    @cached_property
    def changed(self) -> tuple[str, ...]:
        """Codes that the draft changes, adds or ends."""
        return changed_codes(self.published, self.coverage)

    @property
    def communities(self) -> tuple[str, ...]:
        """Codes of the communities that are worked on."""
        return tuple(self.names)

    def own(self, coverage: Coverage | None = None) -> tuple[str, ...]:
        """Codes of the grids of these communities, in their order, in the draft unless another state is given."""
        found = coverage if coverage is not None else self.coverage
        return tuple(sorted(code for code in found.codes if found.community(code) in self.names))

    def around(self) -> tuple[str, ...]:
        """Codes of the grids of other communities that were loaded with them."""
        return tuple(code for code in self.coverage.codes if self.coverage.community(code) not in self.names)

    def placed(self, coverage: Coverage) -> tuple[Placement, Placement]:
        """The grid of each household and of each party household, in any state of this ground."""
        if coverage is self.published:
            return self.homes, self.party
        if coverage is self.coverage:
            return self._drafted
        return placed(coverage, self.people.points), placed(coverage, self.people.party)

    @cached_property
    def _drafted(self) -> tuple[Placement, Placement]:
        if not self.changed:
            return self.homes, self.party
        return (
            placed_again(self.homes, self.coverage, self.changed, self.people.points),
            placed_again(self.party, self.coverage, self.changed, self.people.party),
        )

    def with_edit(self, edit: Edit, values: Mapping[str, Mapping[str, str]]) -> "Ground":
        """The ground after one more edit; of the overlay only the codes that were used go on.

        Raises
        ------
        Stale
        """
        rows = _described(self.rows, values, edit.communities)
        overlay = replace(self.overlay, used=self.overlay.used.union(edit.before, edit.after))
        return replace(self, coverage=self.coverage.apply(edit), rows=rows, overlay=overlay)


def load_ground(
    conn: Connection, county: str, communities: Sequence[str], overlay: Overlay | None = None, *, full: bool = True
) -> Ground:
    """The ground of some communities, with a draft laid over it.

    Parameters
    ----------
    conn : Connection
    county : str
    communities : sequence of str
        Codes.
    overlay : Overlay, optional
        What the edits in force of a draft come to.
    full : bool
        Whether people and buildings come along.

    Raises
    ------
    UnknownCommunity
    """
    names, outlines = _communities(conn, county, communities)
    given = overlay or Overlay()
    boxes = [_widened(shape.bounds) for shape in outlines.values()]
    codes, shapes, rows = _grids(conn, county, list(names), boxes)
    published = Coverage.of(codes, array_of(shapes), [str(rows[code]["community"]) for code in codes])
    people = _people(conn, county, list(names), boxes) if full else _NOBODY
    return Ground(
        county,
        names,
        outlines,
        published,
        _laid_over(published, given),
        _described(rows, given.values, given.communities),
        people,
        _buildings(conn, county, boxes) if full else _NO_BUILDINGS,
        given,
        placed(published, people.points),
        placed(published, people.party),
    )


def changed_codes(one: Coverage, other: Coverage) -> tuple[str, ...]:
    """Codes whose polygon one of two states of the same ground has otherwise, or not at all."""
    looked = {*one.changed, *other.changed} if one.base is other.base else {*one.codes, *other.codes}
    return tuple(sorted(code for code in looked if not same(one.get(code), other.get(code))))


def stale(conn: Connection, county: str, overlay: Overlay) -> list[str]:
    """Codes of published grids that have another shape, or other words, than those that a draft was made on."""
    wanted = list(dict.fromkeys([*overlay.before, *(c for c in overlay.values if c not in overlay.added)]))
    if not wanted:
        return []
    table = LAYER_TABLES["grids"]
    query = select(table.c.code, wkb(conn, table).label("blob"), *(table.c[n] for n in DESCRIBED))
    query = query.where(table.c.county == county, among(conn, table.c.code, wanted))
    now = {row["code"]: row for row in conn.execute(query).mappings()}
    return sorted(code for code in wanted if code not in now or _moved(overlay, code, now[code]))


def _moved(overlay: Overlay, code: str, now: RowMapping) -> bool:
    """Whether a published grid has another shape, or other words where the draft gives its own."""
    if code in overlay.before and not same(overlay.before[code], shapely.from_wkb(bytes(now["blob"]))):
        return True
    return any(now[column] != text for column, text in overlay.found.get(code, {}).items())


def community_names(conn: Connection, county: str, codes: Iterable[str] | None = None) -> dict[str, str]:
    """Names of communities by code; of all where no codes are given."""
    c = LAYER_TABLES["communities"].c
    query = select(c.code, c.name).where(c.county == county).order_by(c.code)
    if codes is not None:
        query = query.where(among(conn, c.code, list(codes)))
    return {row.code: row.name for row in conn.execute(query)}


def _communities(conn: Connection, county: str, communities: Sequence[str]) -> tuple[dict[str, str], dict[str, Area]]:
    table = LAYER_TABLES["communities"]
    c = table.c
    query = select(c.code, c.name, wkb(conn, table)).where(c.county == county, among(conn, c.code, list(communities)))
    found = {code: (name, plain(shapely.from_wkb(bytes(blob)))) for code, name, blob in conn.execute(query)}
    for code in communities:
        if code not in found:
            raise UnknownCommunity(community=code)
    wanted = dict.fromkeys(communities)
    return {code: found[code][0] for code in wanted}, {code: found[code][1] for code in wanted}


def _grids(
    conn: Connection, county: str, communities: list[str], boxes: Sequence[tuple[float, ...]]
) -> tuple[list[str], list[Area], dict[str, dict[str, Any]]]:
    """Grids of communities, wherever they lie, and whatever lies around them."""
    table = LAYER_TABLES["grids"]
    near = or_(table.c.community.in_(communities), *(in_box(table, box) for box in boxes))
    query = select(table.c.code, wkb(conn, table), *(table.c[n] for n in GRID_COLUMNS))
    found = conn.execute(query.where(table.c.county == county, near).order_by(table.c.code)).all()
    shapes = [plain(shape) for shape in shapely.from_wkb([bytes(row[1]) for row in found])]
    rows = {row[0]: dict(zip(GRID_COLUMNS, row[2:], strict=True)) for row in found}
    return [row[0] for row in found], shapes, rows


def _people(conn: Connection, county: str, communities: list[str], boxes: Sequence[tuple[float, ...]]) -> People:
    homes, party = LAYER_TABLES["households"], LAYER_TABLES["party_households"]
    c = homes.c
    near: ColumnElement[bool] = or_(c.community.in_(communities), *(in_box(homes, box) for box in boxes))
    query = select(c.code, c.community, c.residents, wkb(conn, homes)).where(c.county == county, near).order_by(c.code)
    found = conn.execute(query).all()
    p = party.c
    near = or_(*(in_box(party, box) for box in boxes))
    blobs = [bytes(blob) for (blob,) in conn.execute(select(wkb(conn, party)).where(p.county == county, near))]
    return People(
        tuple(row[0] for row in found),
        tuple(row[1] for row in found),
        array_of(shapely.from_wkb([bytes(row[3]) for row in found])),
        np.array([row[2] for row in found], dtype=np.int64),
        array_of(shapely.from_wkb(blobs)),
    )


def _buildings(conn: Connection, county: str, boxes: Sequence[tuple[float, ...]]) -> Buildings:
    table = LAYER_TABLES["buildings"]
    near = or_(*(in_box(table, box) for box in boxes))
    query = select(table.c.code, wkb(conn, table)).where(table.c.county == county, near).order_by(table.c.code)
    found = conn.execute(query).all()
    shapes = array_of(shapely.from_wkb([bytes(row[1]) for row in found]))
    kept = np.flatnonzero((shapely.get_dimensions(shapes) == 2) & shapely.is_valid(shapes))
    codes = tuple(found[i][0] for i in kept.tolist())
    return Buildings(codes, shapes[kept], {code: i for i, code in enumerate(codes)})


_NOBODY = People((), (), array_of(()), np.empty(0, dtype=np.int64), array_of(()))
_NO_BUILDINGS = Buildings((), array_of(()), {})


def _laid_over(published: Coverage, overlay: Overlay) -> Coverage:
    """The draft's grids in place of the published ones; a stale draft wins here, since it is what its author sees."""
    after = {code: shape for code, shape in overlay.after.items() if shape is not None}
    codes = [code for code in overlay.after if published.get(code) is not None]
    before = {code: published[code] for code in codes}
    if not before and not after:
        return published
    return published.apply(Edit("draft", before, after, communities=overlay.communities))


def _described(
    rows: Mapping[str, Mapping[str, Any]], values: Mapping[str, Mapping[str, str]], communities: Mapping[str, str]
) -> dict[str, Mapping[str, Any]]:
    described = dict(rows)
    for code, community in communities.items():
        described.setdefault(code, {"community": community})
    for code, given in values.items():
        described[code] = {**described.get(code, {}), **given}
    return described


def _widened(bounds: tuple[float, ...]) -> tuple[float, float, float, float]:
    west, south, east, north = bounds
    return west - _RING_DEG, south - _RING_DEG, east + _RING_DEG, north + _RING_DEG

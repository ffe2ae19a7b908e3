"""Derived columns: what follows from geometry, filled again after every import, writing only rows that change."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import Column, Connection, LargeBinary, Table, bindparam, func, select, type_coerce, update
from sqlalchemy.sql.elements import ColumnElement

from pingji.data.spatial import Box, in_box
from pingji.data.sql import among
from pingji.data.tables import LAYER_TABLES

Ints = NDArray[np.int64]
Shapes = NDArray[np.object_]

_GRADES = {"danger": 0, "high": 1, "extreme": 2}
_IN_GRIDS = ("households", "institutions", "buildings", "party_households")
_REACH_DEG = 1e-5  # about a metre: the spatial index rounds its boxes


def refresh(conn: Connection, county: str) -> None:
    """Fill all derived columns of a county.

    Households get the grid and the danger zone that they lie in (the zone of the highest grade, where zones
    overlap), and community and township where these are empty. Institutions are screened on their own, whatever the
    household lists say. Grids and zones get their households and residents, shelters their hazard flag; zones, transfer
    points and shelters that name no community or township get those that they lie in.

    Parameters
    ----------
    conn : Connection
        In a transaction; nothing is committed here.
    county : str

    Notes
    -----
    A point on a border goes to the feature whose code comes first, so that it is counted once and always in the same
    place.
    """
    t = LAYER_TABLES
    grids = _Cover(_Rows(conn, t["grids"], county))
    areas = _Areas(conn, county)
    grade = np.array(
        [_GRADES.get(g, 0) for g in _Rows(conn, t["danger_zones"], county).column("grade")], dtype=np.int64
    )
    zones = _Cover(_Rows(conn, t["danger_zones"], county), rank=grade)
    for name in ("households", "institutions"):
        _place_people(_Rows(conn, t[name], county), grids, zones, areas)
    for name in ("danger_zones", "transfer_points", "shelters"):
        _name_areas(_Rows(conn, t[name], county), areas)
    for name in ("buildings", "party_households"):
        rows = _Rows(conn, t[name], county)
        inside = shapely.point_on_surface(rows.shapes())
        rows.write({"grid": grids.names(grids.find(inside))})
    shelters = _Rows(conn, t["shelters"], county)
    shelters.write({"in_hazard": zones.touches(shelters.shapes())})


def refresh_grids(conn: Connection, county: str, boxes: Iterable[Box]) -> None:
    """Fill again what follows from grids that changed inside some boxes: what `refresh` would, of the whole county.

    Parameters
    ----------
    conn : Connection
        In a transaction; nothing is committed here.
    county : str
    boxes : iterable of (west, south, east, north), EPSG:4490 degrees
        Around every grid that changed, as it was and as it is.

    Notes
    -----
    Whoever lies in no box lies in no changed grid, so that a small publication costs little in a large county. Counts
    of grids are written where somebody moved in or out.
    """
    moved: set[str] = set()
    for west, south, east, north in boxes:
        box = (west - _REACH_DEG, south - _REACH_DEG, east + _REACH_DEG, north + _REACH_DEG)
        for name in _IN_GRIDS:
            gone = _move(conn, county, LAYER_TABLES[name], box)
            if name == "households":
                moved |= gone
    if moved:
        _count_again(conn, county, moved - {""})


def _place_people(rows: "_Rows", grids: "_Cover", zones: "_Cover", areas: "_Areas") -> None:
    """Grid, zone, community and township of households or institutions; of households the counts as well."""
    points = rows.shapes()
    in_grid, in_zone = grids.find(points), zones.find(points)
    community, township = rows.column("community"), rows.column("township")
    found = areas.at(points) if "" in community else community
    of_grid = [*grids.rows.column("community"), ""]  # the last for -1: in no grid
    community = [c or of_grid[g] or f for c, g, f in zip(community, in_grid.tolist(), found, strict=True)]
    rows.write(
        {
            "grid": grids.names(in_grid),
            "zone": zones.names(in_zone),
            "community": community,
            "township": [v or areas.township(c) for v, c in zip(township, community, strict=True)],
        }
    )
    if rows.table.name == "households":
        residents = np.array(rows.column("residents"), dtype=np.int64)
        for cover, at in ((grids, in_grid), (zones, in_zone)):
            cover.rows.write(_counts(at, residents, len(cover.codes)))


def _name_areas(rows: "_Rows", areas: "_Areas") -> None:
    """What a file does not say; otherwise the key for one township would not open a place that lies in it."""
    community, township = rows.column("community"), rows.column("township")
    if "" not in community and "" not in township:
        return
    found = areas.at(shapely.point_on_surface(rows.shapes()))
    township = [v or areas.township(c or f) for v, c, f in zip(township, community, found, strict=True)]
    rows.write({"community": [c or f for c, f in zip(community, found, strict=True)], "township": township})


def _move(conn: Connection, county: str, table: Table, box: Box) -> set[str]:
    """Give everything in a box its grid again; the grids that somebody left or came to, none (`""`) among them."""
    rows = _Rows(conn, table, county, in_box(table, box))
    before = rows.column("grid")
    points = shapely.point_on_surface(rows.shapes())
    x, y = shapely.get_x(points), shapely.get_y(points)
    west, south, east, north = box
    within = ((x >= west) & (x <= east) & (y >= south) & (y <= north)).tolist()
    grids = LAYER_TABLES["grids"]
    cover = _Cover(_Rows(conn, grids, county, in_box(grids, box)))
    found = cover.names(cover.find(points))
    after = [f if inside else b for f, b, inside in zip(found, before, within, strict=True)]
    rows.write({"grid": after})
    return {code for pair in zip(before, after, strict=True) if pair[0] != pair[1] for code in pair}


def _count_again(conn: Connection, county: str, codes: set[str]) -> None:
    """Households and residents of some grids, from the grid that each household has."""
    h, grids = LAYER_TABLES["households"].c, LAYER_TABLES["grids"]
    counted = select(h.grid, func.count(), func.sum(h.residents)).where(h.county == county, among(conn, h.grid, codes))
    found = {row[0]: (int(row[1]), int(row[2])) for row in conn.execute(counted.group_by(h.grid))}
    rows = _Rows(conn, grids, county, among(conn, grids.c.code, codes))
    counts = [found.get(code, (0, 0)) for code in rows.column("code")]
    rows.write({"household_count": [n for n, _ in counts], "resident_count": [n for _, n in counts]})


class _Rows:
    """Rows of a layer, all of a county or some, in the order of their codes."""

    def __init__(self, conn: Connection, table: Table, county: str, *where: ColumnElement[bool]) -> None:
        self.table = table
        self._conn = conn
        self._where = (table.c.county == county, *where)

    def column(self, name: str) -> list[Any]:
        """The values of a column."""
        return list(self._read(self.table.c[name]))

    def shapes(self) -> Shapes:
        """The geometries, EPSG:4490 lon/lat degrees."""
        raw = type_coerce(self.table.c.geom, LargeBinary)
        column = raw if self._conn.dialect.name == "sqlite" else func.ST_AsBinary(raw, type_=LargeBinary)
        blobs = np.array([bytes(b) for b in self._read(column)], dtype=object)
        return np.asarray(shapely.set_srid(np.asarray(shapely.from_wkb(blobs), dtype=object), 0), dtype=object)

    def write(self, values: dict[str, list[Any]]) -> None:
        """Update the rows of which a value differs; a list of values for each column, in the order of the rows."""
        c, names = self.table.c, list(values)
        query = select(c.id, *(c[n] for n in names)).where(*self._where).order_by(c.code)
        new = zip(*values.values(), strict=True)
        changed = [
            {"at": now[0], **{f"new_{n}": v for n, v in zip(names, wanted, strict=True)}}
            for now, wanted in zip(self._conn.execute(query), new, strict=True)
            if tuple(now[1:]) != wanted
        ]
        if changed:
            statement = update(self.table).where(c.id == bindparam("at"))
            self._conn.execute(statement.values({n: bindparam(f"new_{n}") for n in names}), changed)

    def _read(self, column: Column[Any] | ColumnElement[Any]) -> Sequence[Any]:
        query = select(column).select_from(self.table).where(*self._where).order_by(self.table.c.code)
        return self._conn.execute(query).scalars().all()


class _Cover:
    """Polygons of a layer that points are looked up in; the first of the highest rank wins."""

    def __init__(self, rows: _Rows, rank: Ints | None = None) -> None:
        self.rows = rows
        self.codes: list[str] = rows.column("code")
        self._rank = rank if rank is not None else np.zeros(len(self.codes), dtype=np.int64)
        self._tree = shapely.STRtree(rows.shapes())

    def find(self, points: Shapes) -> Ints:
        """Index of the polygon that each point lies in, -1 for none."""
        point, polygon = self._tree.query(points, predicate="intersects")
        order = np.lexsort((-polygon, self._rank[polygon]))
        found = np.full(len(points), -1, dtype=np.int64)
        found[point[order]] = polygon[order]  # a later one overwrites: highest rank, then lowest index
        return found

    def touches(self, shapes: Shapes) -> list[bool]:
        """Whether each shape meets any polygon."""
        hit = np.zeros(len(shapes), dtype=bool)
        hit[self._tree.query(shapes, predicate="intersects")[0]] = True
        return hit.tolist()

    def names(self, index: Ints) -> list[str]:
        """Codes for indices, empty for -1."""
        codes = [*self.codes, ""]
        return [codes[i] for i in index.tolist()]


class _Areas:
    """The communities of a county, and the township of each."""

    def __init__(self, conn: Connection, county: str) -> None:
        rows = _Rows(conn, LAYER_TABLES["communities"], county)
        self._cover = _Cover(rows)
        self._township = dict(zip(self._cover.codes, rows.column("township"), strict=True))

    def at(self, points: Shapes) -> list[str]:
        """The community that each point lies in, empty for none."""
        return self._cover.names(self._cover.find(points))

    def township(self, community: str) -> str:
        """The township of a community, empty where it is not known."""
        return str(self._township.get(community, ""))


def _counts(at: Ints, residents: Ints, size: int) -> dict[str, list[int]]:
    inside = at >= 0
    return {
        "household_count": np.bincount(at[inside], minlength=size).tolist(),
        "resident_count": np.bincount(at[inside], weights=residents[inside], minlength=size).astype(int).tolist(),
    }

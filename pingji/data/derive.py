"""Derived columns: what follows from geometry, filled again after every import, writing only rows that change."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import Column, Connection, LargeBinary, Table, bindparam, func, select, type_coerce, update
from sqlalchemy.sql.elements import ColumnElement

from pingji.data.tables import LAYER_TABLES

Ints = NDArray[np.int64]
Shapes = NDArray[np.object_]

_GRADES = {"danger": 0, "high": 1, "extreme": 2}


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
    grids = _Cover(conn, t["grids"], county)
    community_of_grid = _column(conn, t["grids"].c.community, county)
    communities = _Cover(conn, t["communities"], county)
    township_of = dict(zip(communities.codes, _column(conn, t["communities"].c.township, county), strict=True))
    grade = np.array([_GRADES.get(g, 0) for g in _column(conn, t["danger_zones"].c.grade, county)], dtype=np.int64)
    zones = _Cover(conn, t["danger_zones"], county, rank=grade)

    for name in ("households", "institutions"):
        table = t[name]
        points = _shapes(conn, table, county)
        in_grid, in_zone = grids.find(points), zones.find(points)
        community = _column(conn, table.c.community, county)
        found = communities.names(communities.find(points)) if "" in community else community
        by_grid = [community_of_grid[g] if g >= 0 else f for g, f in zip(in_grid.tolist(), found, strict=True)]
        community = [c or b or f for c, b, f in zip(community, by_grid, found, strict=True)]
        township = _column(conn, table.c.township, county)
        township = [v or township_of.get(c, "") for v, c in zip(township, community, strict=True)]
        values = {
            "grid": grids.names(in_grid),
            "zone": zones.names(in_zone),
            "community": community,
            "township": township,
        }
        _write(conn, table, county, values)
        if name == "households":
            residents = np.array(_column(conn, table.c.residents, county), dtype=np.int64)
            for cover, at in ((grids, in_grid), (zones, in_zone)):
                _write(conn, cover.table, county, _counts(at, residents, len(cover.codes)))

    for name in ("danger_zones", "transfer_points", "shelters"):
        # What a file does not say; otherwise the key for one township would not open a place that lies in it.
        community, township = _column(conn, t[name].c.community, county), _column(conn, t[name].c.township, county)
        if "" in community or "" in township:
            inside = shapely.point_on_surface(_shapes(conn, t[name], county))
            found = communities.names(communities.find(inside))
            township = [v or township_of.get(c or f, "") for v, c, f in zip(township, community, found, strict=True)]
            community = [c or f for c, f in zip(community, found, strict=True)]
            _write(conn, t[name], county, {"community": community, "township": township})

    for name in ("buildings", "party_households"):
        inside = shapely.point_on_surface(_shapes(conn, t[name], county))
        _write(conn, t[name], county, {"grid": grids.names(grids.find(inside))})
    _write(conn, t["shelters"], county, {"in_hazard": zones.touches(_shapes(conn, t["shelters"], county))})


class _Cover:
    """Polygons of a layer that points are looked up in; the first of the highest rank wins."""

    def __init__(self, conn: Connection, table: Table, county: str, rank: Ints | None = None) -> None:
        self.table = table
        self.codes: list[str] = _column(conn, table.c.code, county)
        self._rank = rank if rank is not None else np.zeros(len(self.codes), dtype=np.int64)
        self._shapes = _shapes(conn, table, county)
        self._tree = shapely.STRtree(self._shapes)

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


def _rows(conn: Connection, table: Table, county: str, column: ColumnElement[Any]) -> Sequence[Any]:
    query = select(column).select_from(table).where(table.c.county == county).order_by(table.c.code)
    return conn.execute(query).scalars().all()


def _column(conn: Connection, column: Column[Any], county: str) -> list[Any]:
    table = column.table
    assert isinstance(table, Table)
    return list(_rows(conn, table, county, column))


def _shapes(conn: Connection, table: Table, county: str) -> Shapes:
    raw = type_coerce(table.c.geom, LargeBinary)
    column = raw if conn.dialect.name == "sqlite" else func.ST_AsBinary(raw, type_=LargeBinary)
    blobs = np.array([bytes(b) for b in _rows(conn, table, county, column)], dtype=object)
    return np.asarray(shapely.set_srid(np.asarray(shapely.from_wkb(blobs), dtype=object), 0), dtype=object)


def _counts(at: Ints, residents: Ints, size: int) -> dict[str, list[int]]:
    inside = at >= 0
    return {
        "household_count": np.bincount(at[inside], minlength=size).tolist(),
        "resident_count": np.bincount(at[inside], weights=residents[inside], minlength=size).astype(int).tolist(),
    }


def _write(conn: Connection, table: Table, county: str, values: dict[str, list[Any]]) -> None:
    """Update the rows, in the order of their codes, of which a value differs."""
    names = list(values)
    query = select(table.c.id, *(table.c[n] for n in names)).where(table.c.county == county).order_by(table.c.code)
    new = zip(*values.values(), strict=True)
    changed = [
        {"at": now[0], **{f"new_{n}": v for n, v in zip(names, wanted, strict=True)}}
        for now, wanted in zip(conn.execute(query), new, strict=True)
        if tuple(now[1:]) != wanted
    ]
    if changed:
        statement = update(table).where(table.c.id == bindparam("at"))
        conn.execute(statement.values({n: bindparam(f"new_{n}") for n in names}), changed)

"""Spatial functions on a plain SQLite connection, over shapely: what GeoAlchemy2's SQLite dialect calls.

No pip wheel carries SpatiaLite and many Python builds can't load extensions, so `install` registers those functions
on each connection instead. Geometry is stored as little-endian EWKB; the box index is SQLite's own R-tree. A column's
type, dimension and SRID are held by triggers, as PostGIS holds them by the column's type modifier.
"""

import sqlite3
import struct
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

_SRID_FLAG = 0x20000000
_HEADER = struct.Struct("<BII")  # byte order, type with flags, SRID
_POINT = struct.Struct("<BIIdd")
_TYPES = {
    "POINT": 1,
    "LINESTRING": 2,
    "POLYGON": 3,
    "MULTIPOINT": 4,
    "MULTILINESTRING": 5,
    "MULTIPOLYGON": 6,
    "GEOMETRYCOLLECTION": 7,
}
_POINT_TYPE = _TYPES["POINT"] | _SRID_FLAG

Box = tuple[float, float, float, float]
Value = bytes | None


@lru_cache(maxsize=64)
def _load(ewkb: bytes) -> BaseGeometry:
    geometry: BaseGeometry = shapely.from_wkb(ewkb)
    return geometry


def _dump(geometry: BaseGeometry, srid: int) -> bytes:
    stated = shapely.get_srid(geometry) or srid
    return bytes(shapely.to_wkb(shapely.set_srid(geometry, stated), include_srid=True, byte_order=1))


@lru_cache(maxsize=64)
def _box(ewkb: bytes) -> Box | None:
    geometry: BaseGeometry = shapely.from_wkb(ewkb)
    return None if geometry.is_empty else geometry.bounds


def _bounds(ewkb: bytes) -> Box | None:
    # Points are by far the most rows, and a bulk load asks four times a row: don't build a geometry for them.
    if len(ewkb) == _POINT.size:
        _, kind, _, x, y = _POINT.unpack(ewkb)
        if kind == _POINT_TYPE:
            return None if x != x else (x, y, x, y)
    return _box(ewkb)


def _from_bytes(ewkb: bytes, srid: int) -> bytes:
    if len(ewkb) >= _HEADER.size and ewkb[0] == 1:
        kind = int.from_bytes(ewkb[1:5], "little")
        if kind & _SRID_FLAG:
            return ewkb
        if 1 <= kind <= 7:  # plain two-dimensional WKB: put the SRID in without reading the coordinates
            return _HEADER.pack(1, kind | _SRID_FLAG, srid) + ewkb[5:]
    return _dump(shapely.from_wkb(ewkb), srid)


def _from_ewkt(text: str, srid: int) -> bytes:
    if text[:5].upper() == "SRID=":
        head, _, text = text.partition(";")
        srid = int(head[5:])
    return _dump(shapely.from_wkt(text), srid)


def _fits(ewkb: object, kind: str, srid: int) -> int:
    """Whether a value may stand in a column of this type (or GEOMETRY) and SRID, in two dimensions."""
    if not isinstance(ewkb, bytes) or len(ewkb) < _HEADER.size:
        return 0
    order, code, stated = _HEADER.unpack_from(ewkb)
    if order != 1 or stated != srid or code & 0xC0000000:
        return 0
    base = code & 0xFF
    if kind != "GEOMETRY" and base != _TYPES[kind]:
        return 0
    if base == 1:
        return int(len(ewkb) == _POINT.size)
    try:
        _box(ewkb)
    except shapely.errors.GEOSException:
        return 0
    return 1


def _index_name(table: str, column: str) -> str:
    return f"idx_{table}_{column}"


def _recover_geometry_column(con: sqlite3.Connection, table: str, column: str, srid: int, kind: str, dims: str) -> int:
    con.execute(
        "CREATE TABLE IF NOT EXISTS geometry_columns (f_table_name TEXT NOT NULL, f_geometry_column TEXT NOT NULL,"
        " geometry_type TEXT NOT NULL, coord_dimension TEXT NOT NULL, srid INTEGER NOT NULL,"
        " spatial_index_enabled INTEGER NOT NULL, PRIMARY KEY (f_table_name, f_geometry_column))"
    )
    con.execute("INSERT OR REPLACE INTO geometry_columns VALUES (?, ?, ?, ?, ?, 0)", (table, column, kind, dims, srid))
    complaint = f"{table}.{column} takes a {kind} of SRID {srid} in two dimensions"
    for name, event in (("ggi", "INSERT"), ("ggu", f'UPDATE OF "{column}"')):
        con.execute(
            f'CREATE TRIGGER "{name}_{table}_{column}" BEFORE {event} ON "{table}"'
            f' WHEN NEW."{column}" IS NOT NULL AND NOT GeometryFits(NEW."{column}", \'{kind}\', {srid})'
            f" BEGIN SELECT RAISE(ABORT, '{complaint}'); END"
        )
    return 1


def _create_spatial_index(con: sqlite3.Connection, table: str, column: str) -> int:
    index = _index_name(table, column)
    con.execute(f'CREATE VIRTUAL TABLE "{index}" USING rtree(pkid, xmin, xmax, ymin, ymax)')

    def values(row: str) -> str:
        c = f'{row}"{column}"'
        return f"{row}rowid, MbrMinX({c}), MbrMaxX({c}), MbrMinY({c}), MbrMaxY({c})"

    # An empty geometry has no box and so no entry.
    con.execute(f'INSERT INTO "{index}" SELECT {values("")} FROM "{table}" WHERE MbrMinX("{column}") IS NOT NULL')
    boxed = f'MbrMinX(NEW."{column}") IS NOT NULL'
    con.execute(
        f'CREATE TRIGGER "gii_{table}_{column}" AFTER INSERT ON "{table}" WHEN {boxed}'
        f' BEGIN INSERT INTO "{index}" VALUES ({values("NEW.")}); END'
    )
    con.execute(
        f'CREATE TRIGGER "giu_{table}_{column}" AFTER UPDATE OF "{column}", id ON "{table}"'
        f' BEGIN DELETE FROM "{index}" WHERE pkid = OLD.rowid;'
        f' INSERT INTO "{index}" SELECT {values("NEW.")} WHERE {boxed}; END'
    )
    con.execute(
        f'CREATE TRIGGER "gid_{table}_{column}" AFTER DELETE ON "{table}"'
        f' BEGIN DELETE FROM "{index}" WHERE pkid = OLD.rowid; END'
    )
    con.execute(
        "UPDATE geometry_columns SET spatial_index_enabled = 1 WHERE f_table_name = ? AND f_geometry_column = ?",
        (table, column),
    )
    return 1


def _check_spatial_index(con: sqlite3.Connection, table: str, column: str) -> int | None:
    """1: index and table agree; 0: they don't; NULL: there is no index."""
    index = _index_name(table, column)
    if con.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (index,)).fetchone() is None:
        return None
    (bad,) = con.execute(
        f'SELECT EXISTS (SELECT 1 FROM "{table}" t LEFT JOIN "{index}" i ON i.pkid = t.rowid'
        f' WHERE (MbrMinX(t."{column}") IS NULL) <> (i.pkid IS NULL)'
        f' OR MbrMinX(t."{column}") < i.xmin OR MbrMaxX(t."{column}") > i.xmax'
        f' OR MbrMinY(t."{column}") < i.ymin OR MbrMaxY(t."{column}") > i.ymax)'
        f' OR (SELECT count(*) FROM "{index}") > (SELECT count(*) FROM "{table}")'
    ).fetchone()
    return int(not bad)


def _disable_spatial_index(con: sqlite3.Connection, table: str, column: str) -> int:
    for name in ("gii", "giu", "gid"):
        con.execute(f'DROP TRIGGER IF EXISTS "{name}_{table}_{column}"')
    con.execute(
        "UPDATE geometry_columns SET spatial_index_enabled = 0 WHERE f_table_name = ? AND f_geometry_column = ?",
        (table, column),
    )
    return 1


def _discard_geometry_column(con: sqlite3.Connection, table: str, column: str) -> int:
    for name in ("ggi", "ggu"):
        con.execute(f'DROP TRIGGER IF EXISTS "{name}_{table}_{column}"')
    con.execute("DELETE FROM geometry_columns WHERE f_table_name = ? AND f_geometry_column = ?", (table, column))
    return 1


_PREDICATES: dict[str, Callable[[BaseGeometry, BaseGeometry], object]] = {
    "Intersects": shapely.intersects,
    "Contains": shapely.contains,
    "Within": shapely.within,
    "Covers": shapely.covers,
    "CoveredBy": shapely.covered_by,
    "Touches": shapely.touches,
    "Overlaps": shapely.overlaps,
    "Crosses": shapely.crosses,
    "Disjoint": shapely.disjoint,
    "Equals": shapely.equals,
}
_MEASURES: dict[str, Callable[[BaseGeometry], object]] = {
    "AsBinary": lambda g: bytes(shapely.to_wkb(g, include_srid=False, byte_order=1)),
    "AsGeoJSON": shapely.to_geojson,
    "ST_AsText": shapely.to_wkt,
    "ST_Area": lambda g: float(g.area),
    "ST_Length": lambda g: 0.0 if g.geom_type.endswith("Polygon") else float(g.length),
    "ST_SRID": lambda g: int(shapely.get_srid(g)),
    "ST_IsValid": lambda g: int(g.is_valid),
    "ST_IsEmpty": lambda g: int(g.is_empty),
    "ST_GeometryType": lambda g: f"ST_{g.geom_type}",  # spelt as PostGIS spells it
    "ST_NPoints": lambda g: int(shapely.get_num_coordinates(g)),
}
_SHAPES: dict[str, Callable[[BaseGeometry], BaseGeometry]] = {
    "ST_Centroid": shapely.centroid,
    "ST_Envelope": shapely.envelope,
    "ST_PointOnSurface": shapely.point_on_surface,
}


def install(con: sqlite3.Connection, srid: int) -> None:
    """Register the functions on one connection.

    Parameters
    ----------
    con : sqlite3.Connection
    srid : int
        What a geometry that states no SRID is taken to be in, as PostGIS does when it fills a column.
    """

    def add(name: str, arity: int, function: Callable[..., Any]) -> None:
        con.create_function(name, arity, function, deterministic=True)

    def geometry(value: str | bytes | None, stated: int = srid) -> Value:
        if value is None:
            return None
        return _from_ewkt(value, stated) if isinstance(value, str) else _from_bytes(value, stated)

    for name in ("GeomFromEWKT", "GeomFromEWKB", "GeomFromText", "GeomFromWKB", "ST_GeomFromText", "ST_GeomFromWKB"):
        add(name, 1, geometry)
        add(name, 2, geometry)
    add("AsEWKB", 1, lambda b: b)
    add("GeometryFits", 3, _fits)
    for i, name in enumerate(("MbrMinX", "MbrMinY", "MbrMaxX", "MbrMaxY")):
        add(name, 1, _side(i))
    for name, predicate in _PREDICATES.items():
        add(f"ST_{name}", 2, _binary(partial(_answer, predicate)))
    add("ST_Distance", 2, _binary(lambda a, b: float(shapely.distance(a, b))))
    for name, measure in _MEASURES.items():
        add(name, 1, _unary(measure))
    for name, shape in _SHAPES.items():
        add(name, 1, _unary(partial(_derive, shape)))
    for name, coordinate in (("ST_X", shapely.get_x), ("ST_Y", shapely.get_y)):
        add(name, 1, _unary(partial(_number, coordinate)))

    # These run statements of their own on the same connection.
    con.create_function("RecoverGeometryColumn", 5, lambda *a: _recover_geometry_column(con, *a))
    con.create_function("CreateSpatialIndex", 2, lambda *a: _create_spatial_index(con, *a))
    con.create_function("CheckSpatialIndex", 2, lambda *a: _check_spatial_index(con, *a))
    con.create_function("DisableSpatialIndex", 2, lambda *a: _disable_spatial_index(con, *a))
    con.create_function("DiscardGeometryColumn", 2, lambda *a: _discard_geometry_column(con, *a))


def _answer(f: Callable[[BaseGeometry, BaseGeometry], Any], a: BaseGeometry, b: BaseGeometry) -> int:
    return int(f(a, b))


def _derive(f: Callable[[BaseGeometry], BaseGeometry], g: BaseGeometry) -> bytes:
    return _dump(f(g), int(shapely.get_srid(g)))


def _number(f: Callable[[BaseGeometry], Any], g: BaseGeometry) -> float:
    return float(f(g))


def _side(i: int) -> Callable[[Value], float | None]:
    def side(ewkb: Value) -> float | None:
        box = None if ewkb is None else _bounds(ewkb)
        return None if box is None else box[i]

    return side


def _unary(f: Callable[[BaseGeometry], object]) -> Callable[[Value], object]:
    return lambda a: None if a is None else f(_load(a))


def _binary(f: Callable[[BaseGeometry, BaseGeometry], object]) -> Callable[[Value, Value], object]:
    return lambda a, b: None if a is None or b is None else f(_load(a), _load(b))

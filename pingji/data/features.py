"""Features: the one door to the layer tables, in and out, the same on both stores."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Float,
    Integer,
    LargeBinary,
    Select,
    String,
    Table,
    case,
    delete,
    func,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.types import JSON

from pingji.data.bulk import insert_rows
from pingji.data.errors import UnknownLayer
from pingji.data.sealing.column import Sealed, equal
from pingji.data.spatial import in_box
from pingji.data.tables import LAYER_TABLES, area

Bounds = tuple[float, float, float, float]

_DIGITS = 7  # of a degree: 1 cm
_COVERAGES = {"communities", "grids", "area"}  # neighbours share borders, so they are simplified together


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing on the map: its code, its geometry in EPSG:4490 lon/lat degrees, and its columns."""

    code: str
    geometry: BaseGeometry
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """A search hit: where to fly to. `name` of a household is personal: mask it before it leaves."""

    layer: str
    code: str
    name: str
    bounds: Bounds


def table_of(layer: str) -> Table:
    """The table of a layer, or of `area` (county and townships)."""
    if layer == area.name:
        return area
    try:
        return LAYER_TABLES[layer]
    except KeyError:
        raise UnknownLayer(layer=layer, known=", ".join(LAYER_TABLES)) from None


def insert(conn: Connection, county: str, layer: str, rows: Iterable[Mapping[str, object]]) -> int:
    """Add rows to a layer; each has its columns and `geom`, a shapely geometry in EPSG:4490 lon/lat degrees.

    Columns that a row leaves out get the table's default. Polygons and lines become multi-parts where the table
    wants them.
    """
    table = table_of(layer)
    given = list(rows)
    if not given:
        return 0
    names = sorted({name for row in given for name in row} - {"geom", "county", "id"})
    columns: dict[str, list[object]] = {}
    for name in names:
        nothing = default_of(table.c[name])
        columns[name] = [row.get(name, nothing) for row in given]
    columns["geom"] = [_as_wanted(table, row["geom"]) for row in given]
    return insert_rows(conn, table, county, columns)


def remove(conn: Connection, county: str, layer: str) -> int:
    """Delete a county's rows of a layer; how many they were."""
    table = table_of(layer)
    return conn.execute(delete(table).where(table.c.county == county)).rowcount


def count(conn: Connection, county: str, layer: str) -> int:
    """How many features a layer of a county has."""
    table = table_of(layer)
    return int(conn.execute(select(func.count()).select_from(table).where(table.c.county == county)).scalar_one())


def load_features(
    conn: Connection,
    county: str,
    layer: str,
    *,
    bounds: Bounds | None = None,
    limit: int | None = None,
    columns: Sequence[str] | None = None,
    where: ColumnElement[bool] | None = None,
) -> list[Feature]:
    """Features of a layer in the order of their codes; `columns` are those of the table when left out."""
    table = table_of(layer)
    names = [c.name for c in table.c if c.name not in {"id", "county", "geom"}] if columns is None else list(columns)
    query = _query(conn, table, county, names, bounds, limit, where, wkb(conn, table)).order_by(table.c.code)
    rows = conn.execute(query).all()
    geometries = shapely.from_wkb([row[1] for row in rows])
    return [
        Feature(row[0], geometry, dict(zip(names, row[2:], strict=True)))
        for row, geometry in zip(rows, geometries, strict=True)
    ]


def geojson(
    conn: Connection,
    county: str,
    layer: str,
    *,
    fields: Sequence[str],
    bounds: Bounds | None = None,
    limit: int | None = None,
    simplify_deg: float | None = None,
    where: ColumnElement[bool] | None = None,
    shown: Callable[[Mapping[str, object]], Mapping[str, object]] | None = None,
) -> bytes:
    """A layer as a GeoJSON FeatureCollection; only `fields` leave the store, and each feature's id is its code.

    With `simplify_deg`, borders are thinned to about that many degrees; layers that tile the county keep shared
    borders shared. `shown` turns the fields of a row into the properties that leave: the place for masks.
    """
    table = table_of(layer)
    if conn.dialect.name == "postgresql" and not simplify_deg:
        shape: ColumnElement[object] = func.ST_AsGeoJSON(raw(table), _DIGITS, 0)
        rows = conn.execute(_query(conn, table, county, fields, bounds, limit, where, shape)).all()
        geometries: list[object] = [orjson.Fragment(row[1]) for row in rows]
    else:
        rows = conn.execute(_query(conn, table, county, fields, bounds, limit, where, wkb(conn, table))).all()
        geometries = _geojson_geometries(shapely.from_wkb([row[1] for row in rows]), layer, simplify_deg)
    names = list(fields)
    return orjson.dumps(
        {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "id": row[0],
                    "geometry": geometry,
                    "properties": (shown or dict)(dict(zip(names, row[2:], strict=True))),
                }
                for row, geometry in zip(rows, geometries, strict=True)
            ],
        }
    )


def find(conn: Connection, county: str, words: str, limit: int = 20) -> list[Found]:
    """Features whose code begins with, or whose name contains, what was typed; the best first, across all layers.

    Where a name is somebody's it is sealed in the store: these are only found by the whole of it.
    """
    words = words.strip()
    if not words:
        return []
    hits: list[tuple[int, int, Found]] = []
    for order, table in enumerate((area, *LAYER_TABLES.values())):
        whole, begins, within = _named(conn, table, words)
        coded = table.c.code.startswith(words, autoescape=True)
        rank = case((or_(table.c.code == words, whole), 0), (begins, 1), (coded, 2), else_=3).label("rank")
        matches = or_(coded, within)
        query = (
            select(table.c.code, table.c.name, wkb(conn, table), rank)
            .where(table.c.county == county, matches)
            .order_by(rank, table.c.code)
            .limit(limit)
        )
        for code, name, blob, place in conn.execute(query):
            west, south, east, north = shapely.from_wkb(blob).bounds
            hits.append((place, order, Found(table.name, code, name, (west, south, east, north))))
    hits.sort(key=lambda hit: (hit[0], hit[1], hit[2].code))
    return [found for _, _, found in hits[:limit]]


def raw(table: Table) -> ColumnElement[bytes]:
    """The geometry column as it lies in the store: no conversion function around it."""
    return type_coerce(table.c.geom, LargeBinary)


def wkb(conn: Connection, table: Table) -> ColumnElement[bytes]:
    """The geometry as WKB bytes; the embedded store already keeps them so."""
    return raw(table) if conn.dialect.name == "sqlite" else func.ST_AsBinary(raw(table), type_=LargeBinary)


def _named(conn: Connection, table: Table, words: str) -> tuple[ColumnElement[bool], ...]:
    """Whether the name is these words, begins with them, or has them in it; of a sealed name all the same."""
    name = table.c.name
    if isinstance(name.type, Sealed):
        same = equal(conn, name, words)
        return same, same, same
    return name == words, name.startswith(words, autoescape=True), name.icontains(words, autoescape=True)


def _as_wanted(table: Table, geometry: object) -> BaseGeometry:
    """A geometry as the table's column takes it: two dimensions, multi-part where it must be."""
    if not isinstance(geometry, BaseGeometry):
        raise TypeError(f"geom must be a shapely geometry, not {type(geometry).__name__}")
    geometry = shapely.force_2d(geometry)
    wanted = getattr(table.c.geom.type, "geometry_type", "")
    if wanted == "MULTIPOLYGON" and isinstance(geometry, shapely.Polygon):
        return shapely.MultiPolygon([geometry])
    if wanted == "MULTILINESTRING" and isinstance(geometry, shapely.LineString):
        return shapely.MultiLineString([geometry])
    return geometry


def default_of(column: Column[object]) -> object:
    """What a column that nobody filled holds: the same "nothing" that the table's default is."""
    if column.nullable:
        return None
    if isinstance(column.type, Boolean):
        return False
    if isinstance(column.type, JSON):
        return {}
    default = getattr(getattr(column.server_default, "arg", None), "text", None)
    text = str(default if default is not None else getattr(column.server_default, "arg", ""))
    if isinstance(column.type, Integer):
        return int(text or 0)
    if isinstance(column.type, Float):
        return float(text or 0)
    return text if isinstance(column.type, String | Sealed) else None


def _query(
    conn: Connection,
    table: Table,
    county: str,
    names: Sequence[str],
    bounds: Bounds | None,
    limit: int | None,
    where: ColumnElement[bool] | None,
    shape: ColumnElement[object] | ColumnElement[bytes],
) -> Select[Any]:
    query: Select[Any] = select(table.c.code, shape, *(table.c[name] for name in names))
    query = query.where(table.c.county == county)
    if bounds is not None:
        query = query.where(in_box(table, bounds))
    if where is not None:
        query = query.where(where)
    return query if limit is None else query.limit(limit)


def _geojson_geometries(shapes: object, layer: str, simplify_deg: float | None) -> list[object]:
    geometries = np.asarray(shapes, dtype=object)
    if not len(geometries):
        return []
    if (shapely.get_type_id(geometries) == shapely.GeometryType.POINT).all():
        # Written straight from the numbers: a tenth of what the general writer takes for a box of households.
        pairs = shapely.get_coordinates(geometries).round(_DIGITS).tolist()
        return [{"type": "Point", "coordinates": pair} for pair in pairs]
    if simplify_deg:
        if layer in _COVERAGES:
            geometries = shapely.coverage_simplify(geometries, simplify_deg)
        else:
            geometries = shapely.simplify(geometries, simplify_deg)
    rounded = shapely.transform(geometries, lambda xy: xy.round(_DIGITS))
    return [orjson.Fragment(text) for text in shapely.to_geojson(rounded)]

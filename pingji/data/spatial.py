"""Geometry on its way into, out of, and through the store: one form for both engines.

Write `stored(geometries)`, read with `loaded(rows)`, and ask for what is near by `in_box`.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from psycopg.adapt import Buffer, Dumper
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Alias, Boolean, ColumnElement, FromClause, Table, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from pingji.data.tables.base import SRID

Box = tuple[float, float, float, float]


class Ewkb(bytes):
    """EWKB as a parameter of a geometry column; GeoAlchemy2's own elements go through WKT, ten times slower."""

    __slots__ = ()


class HexDumper(Dumper):
    """Sends `Ewkb` to PostgreSQL as the hexadecimal text that `ST_GeomFromEWKT` reads as well."""

    def dump(self, obj: bytes) -> Buffer | None:
        """As text."""
        return obj.hex().encode()


def stored(geometries: Iterable[BaseGeometry]) -> list[Ewkb]:
    """Geometries in EPSG:4490 lon/lat degrees as values for a geometry column, in the same order."""
    array = np.fromiter(geometries, dtype=object)
    ewkb = shapely.to_wkb(
        shapely.set_srid(shapely.force_2d(array), SRID), include_srid=True, byte_order=1, output_dimension=2
    )
    return [Ewkb(b) for b in ewkb]


def loaded(elements: Iterable[Any]) -> NDArray[np.object_]:
    """Geometries of a geometry column's values (GeoAlchemy2 elements), in the same order; the SRID is dropped."""
    raw = [None if e is None else bytes(e.data) if not isinstance(e.data, str) else e.data for e in elements]
    array: NDArray[np.object_] = np.asarray(shapely.from_wkb(np.array(raw, dtype=object)), dtype=object)
    return np.asarray(shapely.set_srid(array, 0), dtype=object) if len(array) else array


class _InBox(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True
    name = "in_box"
    _is_implicitly_boolean = True  # else SQLite gets `… = 1`, and its planner can't see the IN any more


def in_box(table: FromClause, bounds: Sequence[float]) -> ColumnElement[bool]:
    """Whether a row's geometry has a bounding box that meets `bounds`, answered by the spatial index.

    Parameters
    ----------
    table : Table or an alias of one
        A layer's table: it has `id` and `geom`.
    bounds : tuple of float
        West, south, east, north in EPSG:4490 degrees.

    Returns
    -------
    ColumnElement[bool]
        For a WHERE clause. Index boxes are single precision, rounded outwards: within about 1 m of the border it
        may say yes to a row that lies outside, never no to one inside.
    """
    return _InBox(table.c.id, table.c.geom, *(bindparam(None, float(v), unique=True) for v in bounds))


@compiles(_InBox, "postgresql")
def _in_box_postgresql(element: _InBox, compiler: SQLCompiler, **kw: Any) -> str:
    _, geom, *bounds = element.clauses
    west, south, east, north = (compiler.process(b, **kw) for b in bounds)
    return f"({compiler.process(geom, **kw)} && ST_MakeEnvelope({west}, {south}, {east}, {north}, {SRID}))"


@compiles(_InBox, "sqlite")
def _in_box_sqlite(element: _InBox, compiler: SQLCompiler, **kw: Any) -> str:
    key, geom, *bounds = element.clauses
    west, south, east, north = (compiler.process(b, **kw) for b in bounds)
    table = geom.table
    base = table.element if isinstance(table, Alias) else table
    assert isinstance(base, Table)
    # Named outright: SQLite's planner never finds an R-tree by itself.
    return (
        f'({compiler.process(key, **kw)} IN (SELECT pkid FROM "idx_{base.name}_{geom.name}"'
        f" WHERE xmin <= {east} AND xmax >= {west} AND ymin <= {north} AND ymax >= {south}))"
    )

"""Bulk insert: many rows of one table at the speed of the driver, the same on both stores."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import orjson
import shapely
from sqlalchemy import Boolean, Connection, Table
from sqlalchemy.types import JSON, Date

from pingji.data.sealing import Sealed, keys_of
from pingji.data.tables.base import SRID


def insert_rows(conn: Connection, table: Table, county: str, columns: Mapping[str, Sequence[Any]]) -> int:
    """Add rows given as columns; columns left out get the table's default.

    Parameters
    ----------
    conn : Connection
        In a transaction; nothing is committed here.
    table : Table
    county : str
        The county's code, for every row.
    columns : mapping of str to sequence
        Values by column, all of one length. `geom` holds shapely geometries in EPSG:4490 of the type that the
        table wants.

    Returns
    -------
    int
        Rows added.
    """
    names = [n for n in columns if n != "county"]
    size = len(columns[names[0]]) if names else 0
    if not size:
        return 0
    sqlite = conn.dialect.name == "sqlite"
    values = [_driver_values(conn, table, name, columns[name]) for name in names]
    rows = zip([county] * size, *values, strict=True)
    listed = ", ".join(f'"{n}"' for n in ["county", *names])
    if sqlite:
        marks = ", ".join("?" * (len(names) + 1))
        cursor: Any = conn.connection.cursor()
        cursor.executemany(f'INSERT INTO "{table.name}" ({listed}) VALUES ({marks})', rows)
    else:
        _copy(conn, f'COPY "{table.name}" ({listed}) FROM STDIN', rows)
    return size


def _copy(conn: Connection, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
    cursor: Any = conn.connection.cursor()
    with cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _driver_values(conn: Connection, table: Table, name: str, values: Sequence[Any]) -> Sequence[Any]:
    """A column's values as the driver takes them: EWKB (hexadecimal for COPY), JSON text, ISO dates, seals."""
    sqlite = conn.dialect.name == "sqlite"
    if name == "geom":
        shapes = np.asarray(shapely.set_srid(np.asarray(values, dtype=object), SRID))
        ewkb: list[Any] = shapely.to_wkb(shapes, include_srid=True, byte_order=1, hex=not sqlite).tolist()
        return ewkb
    kind = table.c[name].type
    if isinstance(kind, Sealed):
        ring = keys_of(conn)
        seals = {v: v if v is None else ring.seal(kind.label, str(v)) for v in set(values)}  # many share an escort
        return [seals[v] for v in values]
    if isinstance(kind, JSON):
        return [orjson.dumps(v).decode() for v in values]
    if sqlite and isinstance(kind, Boolean):
        return [int(v) for v in values]
    if sqlite and isinstance(kind, Date):
        return [v if v is None else v.isoformat() for v in values]
    return values

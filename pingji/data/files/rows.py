"""Rows: records of a file turned into rows of a layer, each checked, each refusal with its row, field and remedy."""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Boolean, Column, Date, Float, Integer, Table
from sqlalchemy.types import JSON

from pingji.data.errors import (
    BadValue,
    BrokenGeometry,
    DuplicateCode,
    FileError,
    MissingColumn,
    NoCode,
    NoGeometry,
    WrongGeometry,
)
from pingji.data.files.aliases import aliases
from pingji.data.files.mapping import Conversion, LayerMapping, as_text
from pingji.data.files.source import Note, Record, Source

_AXIS = {"POINT": 0, "MULTILINESTRING": 1, "MULTIPOLYGON": 2}


@dataclass(slots=True)
class Row:
    """A row of a layer on its way into the store."""

    file: str
    row: int
    values: dict[str, object]
    geometry: BaseGeometry
    code_header: str = "code"
    source: str = ""


@dataclass(slots=True)
class Rows:
    """What a file gave: rows kept, errors, rows dropped by reason, and things to tell."""

    kept: list[Row] = field(default_factory=list)
    errors: list[FileError] = field(default_factory=list)
    dropped: list[tuple[str, FileError | None]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    read: int = 0

    def refuse(self, reason: str, error: FileError, skip: Iterable[str]) -> None:
        """An error, or a reported drop where the mapping says that such rows may go."""
        if reason in skip:
            self.dropped.append((reason, error))
        else:
            self.errors.append(error)


def by_headers(table: Table, source: Source, *, optional: Collection[str] = ()) -> LayerMapping:
    """A mapping from the file's own headers: our column names and their common Chinese and English aliases.

    A column that the layer needs has to be there, unless it is among `optional`.

    Raises
    ------
    MissingColumn
    """
    columns: dict[str, str] = {}
    known = aliases()
    for column in table.c:
        if column.name in {"id", "county", "geom", "revision", "source"}:
            continue
        name = known.column(column.name, source.names)
        if name and name not in columns.values():
            columns[column.name] = name
    for wanted in _required(table):
        if wanted not in columns and wanted not in optional:
            raise MissingColumn(file=source.file, field=wanted, value=", ".join(source.names))
    return LayerMapping({column: f"{{{name}}}" for column, name in columns.items()})


def build_rows(
    table: Table, source: Source, mapping: LayerMapping, *, repair: bool, optional: Collection[str] = ()
) -> Rows:
    """Check and convert all records of a file for one layer; only columns among `optional` may be needed and blank."""
    out = Rows(read=len(source.records))
    blanks: Counter[str] = Counter()
    for record in source.records:
        if not mapping.passes(record.fields):
            out.dropped.append(("filtered", None))
            continue
        shape = _shape(table, source.file, record, mapping, out, repair=repair)
        values = _values(table, source.file, record, mapping, out, blanks, optional)
        if shape is not None and values is not None:
            said = f"{source.file}; {mapping.source}" if mapping.source else source.file
            out.kept.append(Row(source.file, record.row, values, shape, mapping.header("code"), said))
    if mapping.dissolve:
        parts = len(out.kept)
        out.kept = _dissolved(out.kept)
        out.notes.append(Note("dissolved", {"file": source.file, "parts": parts, "n": len(out.kept)}))
    out.notes += [Note("blank", {"file": source.file, "field": name, "n": n}) for name, n in sorted(blanks.items())]
    return out


def drop_duplicates(rows: Rows, stored: set[str], skip: Iterable[str]) -> None:
    """Refuse codes that occur twice among the rows, or that the store already has."""
    first: dict[str, Row] = {}
    kept = []
    for row in rows.kept:
        code = str(row.values["code"])
        if code in stored or code in first:
            rows.refuse("duplicate", DuplicateCode(file=row.file, row=row.row, field=row.code_header, value=code), skip)
        else:
            first[code] = row
            kept.append(row)
    rows.kept = kept


def _required(table: Table) -> list[str]:
    return [name for name in ("code", "grade", "kind") if name in table.c and _is_required(table.c[name])]


def _is_required(column: Column[Any]) -> bool:
    return not column.nullable and column.server_default is None


def _shape(
    table: Table, file: str, record: Record, mapping: LayerMapping, out: Rows, *, repair: bool
) -> BaseGeometry | None:
    shape = record.geometry
    where: dict[str, Any] = {"file": file, "row": record.row, "field": "geometry"}
    if shape is None or shape.is_empty:
        out.refuse("no_geometry", NoGeometry(**where), mapping.skip)
        return None
    if not shape.is_valid:
        reason = shapely.is_valid_reason(shape)
        if not repair:
            out.refuse("broken_geometry", BrokenGeometry(**where, value=reason), mapping.skip)
            return None
        dimension = shapely.get_dimensions(shape)
        shape = _of_dimension(shapely.make_valid(shape), int(dimension))
        out.notes.append(Note("repaired", {"file": file, "row": record.row, "reason": reason}))
    shape = _CONVERT[mapping.geometry](shape)
    wanted = str(getattr(table.c.geom.type, "geometry_type", "GEOMETRY"))
    fitting = _fit(shape, wanted)
    if fitting is None:
        out.refuse("wrong_geometry", WrongGeometry(**where, value=f"{shape.geom_type} / {wanted}"), mapping.skip)
    return fitting


def _fit(shape: BaseGeometry, wanted: str) -> BaseGeometry | None:
    """The shape as the column's type, or None where it can't be one."""
    if wanted == "GEOMETRY":
        return shape
    if shape.is_empty or shapely.get_dimensions(shape) != _AXIS[wanted] or shape.geom_type == "GeometryCollection":
        return None
    if wanted != "POINT":
        return shape
    parts = shapely.get_parts(shape)
    return parts[0] if len(parts) == 1 else None


def _of_dimension(shape: BaseGeometry, dimension: int) -> BaseGeometry:
    parts = [part for part in shapely.get_parts(shape).tolist() if shapely.get_dimensions(part) == dimension]
    flat = [piece for part in parts for piece in shapely.get_parts(part).tolist()]
    return shapely.union_all(flat) if flat else shape


def _polygonized(shape: BaseGeometry) -> BaseGeometry:
    return shapely.union_all(shapely.get_parts(shapely.polygonize([shape])))


_CONVERT: Mapping[Conversion, Callable[[BaseGeometry], BaseGeometry]] = {
    "": lambda shape: shape,
    "centroid": shapely.centroid,
    "inside": shapely.point_on_surface,
    "boundary": shapely.boundary,
    "polygonize": _polygonized,
}


def _values(
    table: Table,
    file: str,
    record: Record,
    mapping: LayerMapping,
    out: Rows,
    blanks: Counter[str],
    optional: Collection[str],
) -> dict[str, object] | None:
    raw = mapping.values(record.fields, record.row)
    values: dict[str, object] = {}
    good = True
    for name, value in raw.items():
        column = table.c[name]
        text = as_text(value)
        if not text and _is_required(column) and name not in optional:
            error = NoCode if name == "code" else BadValue
            out.refuse(f"no_{name}", error(file=file, row=record.row, field=mapping.header(name)), mapping.skip)
            good = False
        elif not text:
            if isinstance(column.type, Integer | Float) and not isinstance(column.type, Boolean):
                blanks[mapping.header(name)] += 1
        else:
            try:
                values[name] = convert(column, value)
            except ValueError:
                out.errors.append(BadValue(file=file, row=record.row, field=mapping.header(name), value=text[:60]))
                good = False
    return values if good else None


_ENUMS = {"grade": {"danger", "high", "extreme"}}


def convert(column: Column[Any], value: object) -> object:
    """A field's value as the column holds it; ValueError where it can't."""
    text = as_text(value)
    kind = column.type
    if isinstance(kind, Boolean):
        word = aliases().value("boolean", text)
        if word not in {"true", "false"}:
            raise ValueError(text)
        return word == "true"
    if isinstance(kind, Integer | Float):
        number = float(text.replace(",", ""))
        if not np.isfinite(number) or (isinstance(kind, Integer) and not number.is_integer()):
            raise ValueError(text)
        return int(number) if isinstance(kind, Integer) else number
    if isinstance(kind, Date):
        return value.date() if isinstance(value, datetime) else date.fromisoformat(text[:10])
    if isinstance(kind, JSON):
        parsed = value if isinstance(value, dict) else json.loads(text)
        if not isinstance(parsed, dict):
            raise ValueError(text)
        return parsed
    word = aliases().value(column.name, text)
    if column.name in _ENUMS and word not in _ENUMS[column.name]:
        raise ValueError(text)
    return word


def _dissolved(rows: Sequence[Row]) -> list[Row]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(str(row.values["code"]), []).append(row)
    return [replace(group[0], geometry=shapely.union_all([row.geometry for row in group])) for group in groups.values()]

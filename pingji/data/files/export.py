"""Exports: a layer written as GeoPackage, GeoJSON, Shapefile, CSV or XLSX, by the file's suffix."""

import csv
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import numpy as np
import openpyxl
import orjson
import pyogrio
import shapely
from numpy.typing import NDArray
from openpyxl.cell import WriteOnlyCell
from sqlalchemy import Column, ColumnElement, Connection

from pingji.data import features
from pingji.data.errors import CantWrite, EmptyFile, NotAFile, UnknownFormat
from pingji.data.features import Feature
from pingji.data.sealing import Sealed
from pingji.ops.masking import mask_name, mask_phone

_LEFT_OUT = {"id", "county", "geom", "revision"}
_DIGITS = 7
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export(
    conn: Connection,
    county: str,
    layer: str,
    path: Path,
    *,
    unmasked: bool = False,
    where: ColumnElement[bool] | None = None,
) -> int:
    """Write a layer of a county, or those of its features that `where` names, to a file; how many features it holds.

    Names of people (王**) and phone numbers (138****1234) are masked unless `unmasked`. The file appears whole or not
    at all: it is written beside its place and moved there.

    Raises
    ------
    UnknownFormat, NotAFile, CantWrite, EmptyFile
        A suffix that we do not write, a folder that is not there or takes no files, a layer without features.
    """
    table = features.table_of(layer)
    writer = _WRITERS.get(path.suffix.lower())
    if writer is None:
        raise UnknownFormat(file=path.name, value=", ".join(_WRITERS))
    names = [c.name for c in table.c if c.name not in _LEFT_OUT]
    found = features.load_features(conn, county, layer, columns=names, where=where)
    if not found:
        raise EmptyFile(file=layer)
    masks = {} if unmasked else {name: mask for name in names if (mask := _mask_of(table.c[name])) is not None}
    rows = [[_cell(f.values[name], masks.get(name)) for name in names] for f in found]
    with whole_or_nothing(path) as made:
        writer(made, layer, names, rows, found)
    return len(found)


@contextmanager
def whole_or_nothing(path: Path) -> Iterator[Path]:
    """A place beside `path` to write a file, and those that belong to it; all are moved there when nothing went wrong.

    Raises
    ------
    NotAFile
        The folder is not there, or the path is one.
    CantWrite
        The folder takes no files, or the disk is full.
    """
    if not path.parent.is_dir() or path.is_dir():
        raise NotAFile(file=str(path))
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".pingji-") as folder:
            yield Path(folder) / path.name
            for made in Path(folder).iterdir():
                os.replace(made, path.parent / made.name)
    except OSError as error:
        raise CantWrite(file=str(path), value=error.strerror or str(error)) from error


def neutral(text: str) -> str:
    """Text that a spreadsheet will not run as a formula.

    >>> neutral("=1+1"), neutral("Oak Street")
    ("'=1+1", 'Oak Street')
    """
    return f"'{text}" if text.startswith(_FORMULA) else text


def _mask_of(column: Column[object]) -> Callable[[str], str] | None:
    """How a column is masked: what is sealed in the store leaves it masked."""
    if not isinstance(column.type, Sealed):
        return None
    return mask_phone if column.name.endswith("phone") else mask_name


def _cell(value: object, mask: Callable[[str], str] | None) -> object:
    if mask is not None:
        return mask(str(value))
    if isinstance(value, dict | list):
        return orjson.dumps(value).decode() if value else ""
    return value.isoformat() if isinstance(value, date) else value


Rows = Sequence[Sequence[object]]


def write_vector(
    driver: str,
    path: Path,
    layer: str,
    fields: Mapping[str, NDArray[np.generic]],
    shapes: NDArray[np.object_],
    *,
    encoding: str = "UTF-8",
    digits: int = _DIGITS,
) -> None:
    """Write geometries in EPSG:4490 lon/lat degrees, with their fields, by one of GDAL's drivers.

    Parameters
    ----------
    driver : str
        GPKG, GeoJSON or ESRI Shapefile.
    encoding : str
        Of the texts of a Shapefile; its .cpg says so.
    digits : int
        Of a degree that GeoJSON is written with; the others keep whole numbers.

    Raises
    ------
    UnknownFormat
        Geometries of several kinds in a Shapefile.
    """
    options: dict[str, object] = {}
    names = list(fields)
    if driver == "ESRI Shapefile":
        options = {"encoding": encoding}
        names = _short(names)
    kinds = {g.geom_type.removeprefix("Multi") for g in shapes}
    if len(kinds) > 1 and driver == "ESRI Shapefile":
        raise UnknownFormat(file=path.name, value=".gpkg, .geojson")
    multi = any(g.geom_type.startswith("Multi") for g in shapes)
    kind = "Unknown" if len(kinds) > 1 else ("Multi" if multi else "") + kinds.pop()
    if driver == "GPKG":
        options = {"dataset_options": {"VERSION": "1.3"}}  # QGIS in long use warns of anything newer
    if driver == "GeoJSON":
        options = {"layer_options": {"COORDINATE_PRECISION": str(digits), "RFC7946": "NO"}}
    pyogrio.raw.write(
        path,
        shapely.to_wkb(shapes),
        list(fields.values()),
        np.array(names, dtype=object),
        layer=layer,
        driver=driver,
        geometry_type=kind,
        crs="EPSG:4326" if driver == "GeoJSON" else "EPSG:4490",
        promote_to_multi=multi,
        **options,
    )


def _write_vector(
    driver: str, path: Path, layer: str, names: Sequence[str], rows: Rows, found: Sequence[Feature]
) -> None:
    fields = {name: as_array([row[i] for row in rows]) for i, name in enumerate(names)}
    shapes = shapely.transform(np.array([f.geometry for f in found], dtype=object), lambda xy: xy.round(_DIGITS))
    write_vector(driver, path, layer, fields, shapes)


def as_array(values: Sequence[object]) -> NDArray[np.generic]:
    """Values of one field as the array that GDAL takes: truths, numbers or days where all are such, else texts."""
    filled = [value for value in values if value is not None]
    if filled and all(isinstance(value, bool) for value in values):
        return np.array(values, dtype=bool)
    if filled and all(isinstance(value, int) for value in values):
        return np.array(values, dtype=np.int64)
    if filled and all(isinstance(value, int | float) for value in filled):
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    if filled and all(isinstance(value, date) for value in filled):
        return np.array(values, dtype="datetime64[D]")
    return np.array([None if value is None else str(value) for value in values], dtype=object)


def _short(names: Sequence[str]) -> list[str]:
    """Names of ten letters at most, as a .dbf has them, each once."""
    short: list[str] = []
    for name in names:
        cut, n = name[:10], 1
        while cut in short:
            n += 1
            cut = f"{name[: 10 - len(str(n))]}{n}"
        short.append(cut)
    return short


def _write_csv(path: Path, layer: str, names: Sequence[str], rows: Rows, found: Sequence[Feature]) -> None:
    # The byte order mark is what makes spreadsheets read it as UTF-8.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*names, "wkt"])
        for row, feature in zip(rows, found, strict=True):
            cells = [neutral(cell) if isinstance(cell, str) else cell for cell in row]
            writer.writerow([*cells, shapely.to_wkt(feature.geometry, rounding_precision=_DIGITS)])


def _write_xlsx(path: Path, layer: str, names: Sequence[str], rows: Rows, found: Sequence[Feature]) -> None:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(layer)
    sheet.append([*names, "lon", "lat"])
    for row, feature in zip(rows, found, strict=True):
        cells = []
        for value in row:
            cell = WriteOnlyCell(sheet, value=value)
            if isinstance(value, str):
                cell.data_type = "s"  # a text, whatever it begins with: never a formula
            cells.append(cell)
        point = shapely.point_on_surface(feature.geometry)
        sheet.append([*cells, round(point.x, _DIGITS), round(point.y, _DIGITS)])
    book.save(path)


_Writer = Callable[[Path, str, Sequence[str], Rows, Sequence[Feature]], None]
_WRITERS: dict[str, _Writer] = {
    ".gpkg": lambda *a: _write_vector("GPKG", *a),
    ".geojson": lambda *a: _write_vector("GeoJSON", *a),
    ".shp": lambda *a: _write_vector("ESRI Shapefile", *a),
    ".csv": _write_csv,
    ".xlsx": _write_xlsx,
}

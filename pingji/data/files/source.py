"""Sources: any supported file as rows of fields with a geometry in stored lon/lat, whatever it was written in."""

import codecs
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyogrio
import shapely
from numpy.typing import NDArray
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError, FieldError
from pyproj import CRS
from pyproj.exceptions import CRSError
from shapely.geometry.base import BaseGeometry

from pingji.data.errors import (
    AmbiguousEncoding,
    BrokenGeometry,
    EmptyFile,
    NotOneFile,
    UnknownFormat,
    UnreadableFile,
    WrongCrs,
)
from pingji.data.files import encoding as encodings
from pingji.data.files import guard
from pingji.data.files.sheet import read_csv, read_xlsx
from pingji.geo.crs import STORAGE_CRS, project

_GDAL = {".shp", ".gpkg", ".geojson", ".json", ".kml"}
_SHEETS = {".csv", ".xlsx"}
READABLE = tuple(sorted(_GDAL | _SHEETS | {".zip", ".gz"}))
_SAME = {"EPSG:4326", "EPSG:4490", "OGC:CRS84"}  # apart by centimetres: stored as they are


@dataclass(frozen=True, slots=True)
class Note:
    """Something to tell whoever imports: a text key below `files.note` and what the text needs."""

    key: str
    params: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a file: its line or number, its fields, its geometry in EPSG:4490 lon/lat degrees."""

    row: int
    fields: Mapping[str, object]
    geometry: BaseGeometry | None


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was read."""

    file: str
    names: tuple[str, ...]
    records: Sequence[Record]
    notes: tuple[Note, ...] = ()


def read_source(path: Path, *, crs: str | None = None, encoding: str | None = None) -> Source:
    """Read a Shapefile (or a .zip of one), GeoPackage, GeoJSON (or .gz of it), CSV, KML or XLSX file.

    Parameters
    ----------
    path : Path
    crs : str, optional
        What the coordinates are in, e.g. `EPSG:4551`; otherwise what the file says.
    encoding : str, optional
        Of texts in a Shapefile or CSV; otherwise what the file says, or a guess that is noted.

    Raises
    ------
    FileError
        Not a file, empty, cut off, unreadable, too large unpacked, hostile, or without a usable coordinate system.
    """
    guard.require_file(path)
    if encoding is not None:
        try:
            codecs.lookup(encoding)
        except LookupError as error:
            raise AmbiguousEncoding(file=path.name, value=encoding[:80]) from error
    with _unpacked(path) as inner:
        guard.check_whole(inner)
        if inner.suffix.lower() in _SHEETS:
            source, geometries, stated = _read_sheet(inner, encoding)
        else:
            source, geometries, stated = _read_gdal(inner, encoding)
    if not source.records:
        raise EmptyFile(file=path.name)
    moved, notes = _to_storage(geometries, [record.row for record in source.records], crs or stated, path.name)
    records = [replace(record, geometry=g) for record, g in zip(source.records, moved, strict=True)]
    return replace(source, file=path.name, records=records, notes=source.notes + notes)


@contextmanager
def _unpacked(path: Path) -> Iterator[Path]:
    suffix = path.suffix.lower()
    if suffix not in {".zip", ".gz"}:
        if suffix not in _GDAL | _SHEETS:
            raise UnknownFormat(file=path.name, value=", ".join(READABLE))
        if suffix == ".xlsx":
            guard.check_zip(path)
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="pingji-") as folder:
        into = Path(folder)
        files = [guard.unpack_gzip(path, into)] if suffix == ".gz" else guard.unpack_zip(path, into)
        readable = [file for file in files if file.suffix.lower() in _GDAL | _SHEETS]
        if len(readable) != 1:
            raise NotOneFile(file=path.name, value=", ".join(file.name for file in files[:10]) or "0")
        guard.require_file(readable[0])
        yield readable[0]


def _read_sheet(path: Path, encoding: str | None) -> tuple[Source, NDArray[np.object_], str | None]:
    notes: tuple[Note, ...] = ()
    if path.suffix.lower() == ".csv":
        rows, names, used = read_csv(path, encoding)
        if used:
            notes = (Note("encoding_guessed", {"file": path.name, "encoding": used}),)
    else:
        rows, names = read_xlsx(path)
    records = [Record(row.line, row.fields, None) for row in rows]
    geometries = np.array([row.geometry for row in rows], dtype=object)
    return Source(path.name, names, records, notes), geometries, None


def _read_gdal(path: Path, encoding: str | None) -> tuple[Source, NDArray[np.object_], str | None]:
    notes: list[Note] = []
    used = encoding
    if path.suffix.lower() == ".shp" and encoding is None and not path.with_suffix(".cpg").exists():
        dbf = path.with_suffix(".dbf")
        used, guessed = encodings.of_dbf(dbf) if dbf.exists() else (None, False)
        if guessed:
            notes.append(Note("encoding_guessed", {"file": path.name, "encoding": used}))
    try:
        listed = pyogrio.list_layers(path)
        # Tables without geometry, such as the styles in a GeoPackage, are nothing that we left out.
        layers = [str(name) for name, kind in listed if kind is not None] or [str(name) for name, _ in listed]
        if not layers:
            raise EmptyFile(file=path.name)
        if len(layers) > 1:
            notes.append(
                Note("first_sublayer", {"file": path.name, "used": layers[0], "others": ", ".join(layers[1:])})
            )
        with warnings.catch_warnings():
            # What GDAL only warns of, such as an open ring, is refused below, with its row.
            warnings.simplefilter("ignore", RuntimeWarning)
            meta, _, blobs, columns = pyogrio.raw.read(path, layer=layers[0], encoding=used, force_2d=True)
    except UnicodeError as error:
        raise AmbiguousEncoding(file=path.name, value=used or "") from error
    except (DataSourceError, DataLayerError, FeatureError, FieldError, LookupError, ValueError) as error:
        raise UnreadableFile(file=path.name, value=str(error).splitlines()[0][:200]) from error
    names = tuple(str(name) for name in meta["fields"])
    size = len(blobs) if blobs is not None else len(columns[0]) if columns else 0
    geometries = _from_wkb(blobs, path.name) if blobs is not None else np.full(size, None, dtype=object)
    values = [_plain(column) for column in columns]
    records = [Record(i + 1, dict(zip(names, row, strict=True)), None) for i, row in enumerate(_across(values, size))]
    return Source(path.name, names, records, tuple(notes)), geometries, meta["crs"]


def _across(columns: list[list[object]], size: int) -> Iterator[tuple[object, ...]]:
    return zip(*columns, strict=True) if columns else iter([()] * size)


def _from_wkb(blobs: NDArray[np.object_], name: str) -> NDArray[np.object_]:
    try:
        return np.asarray(shapely.from_wkb(blobs), dtype=object)
    except shapely.errors.GEOSException as error:
        # One ring of three points spoils the whole array: find whose it is.
        one = [shapely.from_wkb(blob, on_invalid="ignore") for blob in blobs]
        bad = [i for i, (blob, shape) in enumerate(zip(blobs, one, strict=True)) if blob is not None and shape is None]
        row = bad[0] + 1 if bad else None
        raise BrokenGeometry(file=name, row=row, field="geometry", value=str(error)) from None


def _plain(column: NDArray[np.generic]) -> list[object]:
    """Python values; every kind of nothing (NaN, NaT, None) as None."""
    if column.dtype.kind == "M":
        return [None if np.isnat(v) else str(v) for v in column]
    return [None if v is None or v != v else v for v in column.tolist()]


def _to_storage(
    geometries: NDArray[np.object_], rows: Sequence[int], crs: str | None, name: str
) -> tuple[NDArray[np.object_], tuple[Note, ...]]:
    if len(geometries) == 0 or all(g is None for g in geometries):
        return geometries, ()
    notes: tuple[Note, ...] = ()
    if crs is None:
        notes = (Note("crs_assumed", {"file": name, "crs": "EPSG:4490"}),)
    elif crs.upper() not in _SAME:
        try:
            source = CRS.from_user_input(crs)
        except CRSError as error:
            raise WrongCrs(file=name, value=crs[:80]) from error
        if (code := source.to_epsg()) is None or f"EPSG:{code}" not in _SAME:
            with np.errstate(all="ignore"):
                geometries = project(geometries, source, STORAGE_CRS)
    for row, shape in zip(rows, geometries, strict=True):
        if shape is None or shape.is_empty:
            continue
        west, south, east, north = shape.bounds
        if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
            raise WrongCrs(file=name, row=row, field="geometry", value=f"{west:.1f} {south:.1f}")
    return geometries, notes

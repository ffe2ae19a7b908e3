"""Tables without a geometry of their own: CSV and XLSX, with lon/lat or WKT columns."""

import csv
import io
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import shapely
from openpyxl.utils.exceptions import InvalidFileException
from shapely.geometry.base import BaseGeometry

from pingji.data.errors import BadHeader, BadValue, EmptyFile, UnreadableFile
from pingji.data.files import encoding as encodings
from pingji.data.files.aliases import aliases
from pingji.data.files.extent import check_extent

_FIELD_LIMIT = 50 * 1024**2  # a WKT outline is one cell


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row of a table: the line it stands on, its fields, and the geometry that they spell (None where blank)."""

    line: int
    fields: Mapping[str, object]
    geometry: BaseGeometry | None


def read_csv(path: Path, encoding: str | None) -> tuple[list[SheetRow], tuple[str, ...], str]:
    """Rows and names of a CSV file, and the encoding where it was guessed."""
    text, used, guessed = encodings.decode(path.read_bytes(), path.name, encoding)
    if "\0" in text:
        raise UnreadableFile(file=path.name)
    csv.field_size_limit(_FIELD_LIMIT)
    separator = max(",;\t", key=text.split("\n", 1)[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    lines: list[tuple[int, list[object]]] = []
    try:
        for cells in reader:
            lines.append((reader.line_num, list(cells)))  # noqa: PERF401 — line_num belongs to this very step
    except csv.Error as error:
        raise UnreadableFile(file=path.name, row=reader.line_num, value=str(error)) from error
    rows, names = _table(lines, path.name)
    return rows, names, used if guessed else ""


def read_xlsx(path: Path) -> tuple[list[SheetRow], tuple[str, ...]]:
    """Rows and names of the first sheet of a workbook."""
    check_extent(path)
    try:
        book = openpyxl.load_workbook(path, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError, SyntaxError) as error:
        raise UnreadableFile(file=path.name, value=str(error)[:200]) from error
    sheet = book.worksheets[0]
    merged = [str(area) for area in sheet.merged_cells.ranges if area.min_row == 1]
    if merged:
        raise BadHeader(file=path.name, row=1, field=merged[0])
    return _table([(i, list(cells)) for i, cells in enumerate(sheet.iter_rows(values_only=True), 1)], path.name)


def _table(lines: Sequence[tuple[int, list[object]]], name: str) -> tuple[list[SheetRow], tuple[str, ...]]:
    filled = [(line, cells) for line, cells in lines if any(cell not in (None, "") for cell in cells)]
    if not filled:
        raise EmptyFile(file=name)
    header_line, header = filled[0]
    names = tuple(str(cell).strip() if cell is not None else "" for cell in header)
    while names and not names[-1]:
        names = names[:-1]
    for title, times in Counter(names).items():
        if not title or times > 1:
            raise BadHeader(file=name, row=header_line, field=title or f"#{names.index('') + 1}")
    rows = []
    for line, cells in filled[1:]:
        if any(cell not in (None, "") for cell in cells[len(names) :]) or len(cells) < len(names):
            raise UnreadableFile(file=name, row=line, value=f"{len(cells)} / {len(names)}")
        fields = dict(zip(names, cells, strict=False))
        rows.append(SheetRow(line, fields, _geometry(fields, names, name, line)))
    return rows, names


def _geometry(fields: Mapping[str, object], names: Iterable[str], file: str, line: int) -> BaseGeometry | None:
    known = aliases()
    wkt = known.column("wkt", names)
    if wkt:
        text = str(fields[wkt] or "").strip()
        if not text:
            return None
        try:
            shape: BaseGeometry = shapely.from_wkt(text)
        except shapely.errors.GEOSException:
            raise BadValue(file=file, row=line, field=wkt, value=text[:40]) from None
        return shapely.force_2d(shape)
    lon, lat = known.column("lon", names), known.column("lat", names)
    if not lon or not lat or fields[lon] in (None, "") or fields[lat] in (None, ""):
        return None
    return shapely.Point(_number(fields[lon], file, line, lon), _number(fields[lat], file, line, lat))


def _number(value: object, file: str, line: int, field: str) -> float:
    try:
        return float(str(value))
    except ValueError:
        raise BadValue(file=file, row=line, field=field, value=str(value)[:40]) from None

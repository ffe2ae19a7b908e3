"""How much a workbook's sheets span, before anything lays them out: a cell in the last corner is a bomb of 17 billion.

A range of merged cells becomes a cell for each of its places when it is read, and rows are read to the last column
that any of them has. Both are counted here from the sheets' XML, in constant memory; entities are refused.
"""

import zipfile
from pathlib import Path
from typing import IO
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse
from openpyxl.utils.cell import range_boundaries

from pingji.data.errors import FileTooLarge, UnreadableFile

MAX_CELLS = 10_000_000  # 100,000 households with a hundred columns
MAX_MERGED = 500_000


def check_extent(path: Path) -> None:
    """Pass, or say that a workbook spans too much.

    Raises
    ------
    FileTooLarge, UnreadableFile
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.lower().endswith(".xml") and "worksheets/" in name.lower():
                    with archive.open(name) as sheet:
                        _check_sheet(sheet, path.name)
    except (zipfile.BadZipFile, ParseError, DefusedXmlException, ValueError, OSError, KeyError) as error:
        raise UnreadableFile(file=path.name, value=type(error).__name__) from error


def _check_sheet(sheet: IO[bytes], file: str) -> None:
    rows = columns = merged = 0
    for event, element in iterparse(sheet, events=("start", "end")):
        if event == "end":
            element.clear()
            continue
        kind = element.tag.rpartition("}")[2]
        if kind == "row":
            rows = max(rows + 1, int(element.get("r") or 0))
        elif kind in ("c", "mergeCell"):
            left, top, right, bottom = _span(element.get("r") or element.get("ref") or "")
            columns, rows = max(columns, right), max(rows, bottom)
            if kind == "mergeCell":
                merged += (right - left + 1) * (bottom - top + 1)
        if rows * columns > MAX_CELLS or merged > MAX_MERGED:
            raise FileTooLarge(file=file, value=f"{rows:,} × {columns:,}")


def _span(reference: str) -> tuple[int, int, int, int]:
    """Left, top, right, bottom; a cell that doesn't say where it is comes after the one before."""
    if not reference:
        return 0, 0, 0, 0
    left, top, right, bottom = range_boundaries(reference)
    return left or 1, top or 1, right or 16_384, bottom or 1_048_576

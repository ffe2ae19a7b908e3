"""Entries of the audit as a file: every column as it is kept, so that the chain can be checked from the file too."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import orjson
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from sqlalchemy import Connection

from pingji.data.audit import search
from pingji.data.audit.entry import COLUMNS, Entry
from pingji.data.audit.search import Wanted
from pingji.data.errors import DataError, UnknownFormat
from pingji.data.files.export import neutral, whole_or_nothing
from pingji.ops.day import local

# What a person reads first (`time`, `what`, `result` are made of columns), then the columns that the hash needs.
ORDER = (
    *("seq", "time", "actor", "what", "object", "scope", "purpose", "result", "door", "address"),
    *("actor_id", "request", "detail", "at", "action", "outcome", "previous", "hash"),
)
XLSX_ROWS = 1_048_575  # below the heading, the format's own limit
_CELL = 32_000  # characters that a cell of XLSX takes


class TooManyEntries(DataError):
    """More entries than a sheet holds. `limit`."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a file says in the language of whoever asked for it; what has no word stays as it is."""

    headings: Mapping[str, str]
    actions: Mapping[str, str]
    outcomes: Mapping[str, str]
    sheet: str


def export(conn: Connection, wanted: Wanted, path: Path, words: Words) -> int:
    """Write the entries that fit to a .csv or .xlsx, oldest first and in constant memory; how many they are.

    Raises
    ------
    UnknownFormat, NotAFile, CantWrite
        Another suffix, a folder that is not there or takes no files.
    TooManyEntries
        More than a sheet of XLSX holds.
    """
    writers = {".csv": _write_csv, ".xlsx": _write_xlsx}
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise UnknownFormat(file=path.name, value=", ".join(writers))
    if writer is _write_xlsx and search.count(conn, wanted, XLSX_ROWS + 1) > XLSX_ROWS:
        raise TooManyEntries(limit=XLSX_ROWS)
    with whole_or_nothing(path) as made:
        return writer(made, _rows(conn, wanted, words), words)


def _rows(conn: Connection, wanted: Wanted, words: Words) -> Iterator[list[int | str]]:
    for entry in search.entries(conn, wanted):
        yield [_cell(_value(entry, name, words)) for name in ORDER]


def _value(entry: Entry, name: str, words: Words) -> object:
    if name in COLUMNS:
        return getattr(entry, name)
    if name == "time":
        return local(entry.at).isoformat(" ", "seconds")
    if name == "what":
        return words.actions.get(entry.action, entry.action)
    return words.outcomes.get(entry.outcome, entry.outcome)


def _cell(value: object) -> int | str:
    """A number, or a text that a spreadsheet will not run."""
    if isinstance(value, int):
        return value
    return neutral(value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode())


def _write_csv(path: Path, rows: Iterator[list[int | str]], words: Words) -> int:
    with path.open("w", encoding="utf-8-sig", newline="") as file:  # the mark makes spreadsheets read it as UTF-8
        writer = csv.writer(file)
        writer.writerow([words.headings[name] for name in ORDER])
        return sum(1 for row in rows if writer.writerow(row))


def _write_xlsx(path: Path, rows: Iterator[list[int | str]], words: Words) -> int:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(words.sheet)
    sheet.freeze_panes = "A2"
    _widths(sheet, ORDER)
    sheet.append([words.headings[name] for name in ORDER])
    n = 0
    for row in rows:
        sheet.append([ILLEGAL_CHARACTERS_RE.sub("?", c)[:_CELL] if isinstance(c, str) else c for c in row])
        n += 1
    book.save(path)
    return n


def _widths(sheet: "openpyxl.worksheet.worksheet.Worksheet", names: Sequence[str]) -> None:
    wide = {"time": 26, "what": 18, "actor": 14, "object": 24, "purpose": 32, "detail": 40}
    for n, name in enumerate(names, 1):
        sheet.column_dimensions[openpyxl.utils.get_column_letter(n)].width = wide.get(name, 12)

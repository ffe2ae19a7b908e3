"""The register of grids (网格台账): a workbook that a person reads, with totals that name what they are of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import openpyxl
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from pingji.ops.grids import Light, light

COLUMNS: Mapping[str, int] = {  # widths in characters
    "code": 19,
    "name": 18,
    "community": 16,
    "leader": 10,
    "leader_phone": 15,
    "deputy": 10,
    "deputy_phone": 15,
    "households": 9,
    "residents": 9,
    "party_households": 12,
    "area_m2": 12,
    "valid_from": 12,
    "valid_to": 12,
    "reason": 14,
    "light": 12,
}
_SUMS = ("households", "residents", "party_households", "area_m2")
_LINE = Side(style="thin", color="A9A596")
_BORDER = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
_HEAD = PatternFill("solid", fgColor="E6EBF0")


@dataclass(frozen=True, slots=True)
class Entry:
    """A grid in the register. Phone numbers are as they should be seen.

    `party_households` is None where nobody knows, `valid_to` while it stands.
    """

    code: str
    name: str
    community: str
    community_name: str
    leader: str
    leader_phone: str
    deputy: str
    deputy_phone: str
    households: int
    residents: int
    party_households: int | None
    area_m2: float
    valid_from: date | None
    valid_to: date | None
    reason: str

    @property
    def light(self) -> Light:
        """Whether it has the size that a grid should have."""
        return light(self.households)


@dataclass(frozen=True, slots=True)
class RegisterWords:
    """What the register says, in the language of whoever asked for it.

    Attributes
    ----------
    lines : sequence of str
        Below the title: the day it shows, and that an exercise is going on.
    headings : mapping of column to str
    choices : mapping of value to str
        Reasons and sizes.
    total : str
        In front of the sums; with `n` grids, `ok` of the right size, `leaders` with somebody in charge.
    """

    sheet: str
    title: str
    headings: Mapping[str, str]
    total: str
    lines: Sequence[str] = ()
    choices: Mapping[str, str] = field(default_factory=dict)


def write_register(path: Path, entries: Sequence[Entry], words: RegisterWords) -> None:
    """Write the register as XLSX: title, day, one line a grid, totals."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = words.sheet
    for text, size in ((words.title, 16), *((line, 10) for line in words.lines)):
        _across(sheet, text, size)
    _line(sheet, [words.headings[name] for name in COLUMNS], bold=True, fill=_HEAD)
    top = sheet.max_row
    for entry in entries:
        _line(sheet, [_cell(entry, name, words.choices) for name in COLUMNS])
    _totals(sheet, entries, words.total)
    for i, width in enumerate(COLUMNS.values(), start=1):
        sheet.column_dimensions[get_column_letter(i)].width = width
    sheet.freeze_panes = sheet.cell(top + 1, 3)
    sheet.auto_filter.ref = f"A{top}:{get_column_letter(len(COLUMNS))}{top + len(entries)}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = f"{top}:{top}"
    sheet.oddHeader.right.text = " ".join(words.lines).replace("&", "&&")  # on every printed page, the exercise too
    book.save(path)


def _across(sheet: Worksheet, text: str, size: int) -> None:
    """A text over the whole width, on a row of its own."""
    _line(sheet, [text], bold=size > 12, border=False)
    row = sheet.max_row
    sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=len(COLUMNS))
    cell = sheet.cell(row, 1)
    cell.font = Font(size=size, bold=size > 12)
    cell.alignment = Alignment(horizontal="center" if size > 12 else "left")


def _totals(sheet: Worksheet, entries: Sequence[Entry], total: str) -> None:
    n, leaders = len(entries), sum(1 for entry in entries if entry.leader)
    said = total.format(n=n, ok=sum(1 for entry in entries if entry.light == "ok"), leaders=leaders)
    sums = {name: sum(getattr(entry, name) or 0 for entry in entries) for name in _SUMS}
    values = [round(sums[name]) if name in sums else None for name in COLUMNS]
    _line(sheet, [said, *values[1:]], bold=True, fill=_HEAD)
    row = sheet.max_row
    first = list(COLUMNS).index(_SUMS[0])
    sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=first)


def _line(
    sheet: Worksheet,
    values: Sequence[object],
    *,
    bold: bool = False,
    fill: PatternFill | None = None,
    border: bool = True,
) -> None:
    sheet.append([None] * len(COLUMNS))
    row = sheet.max_row if sheet.max_row > 1 or sheet.cell(1, 1).value is not None else 1
    for i, value in enumerate(values, start=1):
        cell = sheet.cell(row, i, value)
        if isinstance(value, str):
            cell.data_type = "s"  # a text, whatever it begins with: never a formula
        if isinstance(value, date):
            cell.number_format = "yyyy-mm-dd"
        elif isinstance(value, int):
            cell.number_format = "#,##0"
        cell.font = Font(bold=bold)
        if border:
            cell.border = _BORDER
        if fill is not None:
            cell.fill = fill


def _cell(entry: Entry, name: str, choices: Mapping[str, str]) -> object:
    value = getattr(entry, name)
    if name == "community":
        return entry.community_name or entry.community
    if name in ("reason", "light"):
        return choices.get(value, value)
    return round(value) if name == "area_m2" else value

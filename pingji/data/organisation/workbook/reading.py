"""Lines out of a workbook: title rows passed over, headings found wherever they are, merged cells filled."""

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.worksheet import Worksheet

from pingji.data.errors import EmptyFile, FileTooLarge, UnknownFormat, UnreadableFile
from pingji.data.files.extent import check_extent
from pingji.data.files.guard import check_zip, require_file
from pingji.data.organisation.workbook.words import key, words

MOST_ROWS, MOST_COLUMNS = 100_000, 100
_SUFFIXES = (".xlsx", ".xlsm")
_PERSON = ("holder", "deputy")
_UNITS = ("township", "community", "branch", "grid", "building", "stairwell", "office", "unit_code")
_ONCE = ("post", "title", "term", "term_from", "term_to", "department", "remark", "post_code", *_UNITS)
Cells = Sequence[object]


@dataclass(frozen=True, slots=True)
class Group:
    """The columns of one post in a row. `kind` is the heading where that names the post (网格长 | 电话)."""

    holder: int | None = None
    phone: int | None = None
    deputy: int | None = None
    deputy_phone: int | None = None
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """What the columns of a table mean."""

    row: int
    names: Mapping[int, str]
    fields: Mapping[str, int]
    groups: tuple[Group, ...]

    @property
    def is_pairing(self) -> bool:
        """Whether it lists departments with their communities, and no posts."""
        return not self.groups and "office" in self.fields and "community" in self.fields

    def title(self, column: int | None) -> str:
        """The heading of a column."""
        return self.names.get(column, "") if column is not None else ""


@dataclass(frozen=True, slots=True)
class Line:
    """A row below a heading."""

    sheet: str
    row: int
    cells: Cells
    heading: Heading

    def get(self, field_: str) -> object:
        """The cell of a field, None where the table has no such column."""
        column = self.heading.fields.get(field_)
        return None if column is None else self.at(column)

    def at(self, column: int | None) -> object:
        """The cell of a column."""
        return None if column is None or column >= len(self.cells) else self.cells[column]


@dataclass
class SheetRead:
    """A sheet with its headings and lines."""

    name: str
    headings: list[Heading] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


def read_workbook(path: Path) -> list[SheetRead]:
    """The sheets of a workbook that have a table of posts or pairings.

    Raises
    ------
    FileError
        NotAFile, EmptyFile, UnknownFormat, UnreadableFile, FileTooLarge.
    """
    require_file(path)
    if path.suffix.lower() not in _SUFFIXES:
        raise UnknownFormat(file=path.name, value=", ".join(_SUFFIXES))
    check_zip(path)
    check_extent(path)
    try:
        book = openpyxl.load_workbook(path, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, TypeError, OSError, SyntaxError) as error:
        raise UnreadableFile(file=path.name, value=str(error)[:200]) from error
    sheets = [_read_sheet(sheet, path.name) for sheet in book.worksheets]
    found = [sheet for sheet in sheets if sheet.headings]
    if not found:
        raise EmptyFile(file=path.name)
    return found


def _read_sheet(sheet: Worksheet, file: str) -> SheetRead:
    if sheet.max_row > MOST_ROWS:
        raise FileTooLarge(file=file, value=f"{sheet.title}: {sheet.max_row:,}")
    rows, titles = _filled(sheet)
    read = SheetRead(sheet.title)
    heading: Heading | None = None
    second = 0
    for n, cells in enumerate(rows, start=1):
        if n == second or n in titles or all(cell in (None, "") for cell in cells):
            continue
        below = rows[n] if n < len(rows) else ()
        found = _heading(n, cells) or _two_rows(n, cells, below)
        if found is not None:
            heading, second = found, 0
            if _is_second(found, cells, below):
                heading, second = _two_rows(n, cells, below) or found, n + 1
            read.headings.append(heading)
        elif heading is not None and not _is_total(cells):
            read.lines.append(Line(sheet.title, n, cells, heading))
    return read


def _filled(sheet: Worksheet) -> tuple[list[list[object]], set[int]]:
    """All rows with merged cells filled down, and the rows that are one cell across: titles, notes."""
    rows = [list(cells) for cells in sheet.iter_rows(max_col=min(sheet.max_column, MOST_COLUMNS), values_only=True)]
    width = max((len(row) for row in rows), default=0)
    used = max((i for row in rows for i, cell in enumerate(row, 1) if cell not in (None, "")), default=0)
    titles = set()
    for area in sheet.merged_cells.ranges:
        across = area.max_col - area.min_col + 1
        if area.min_row == area.max_row and across > 2 and across >= min(used, width) - 1:
            titles.add(area.min_row)
            continue
        if area.min_row > len(rows) or area.min_col > width:
            continue
        value = rows[area.min_row - 1][area.min_col - 1]
        for row in rows[area.min_row - 1 : area.max_row]:
            for column in range(area.min_col - 1, min(area.max_col, width)):
                row[column] = value
    return rows, titles


def _heading(n: int, cells: Cells) -> Heading | None:
    """A row of headings, or None: at least two known ones, among them people or departments."""
    known = words()
    names: dict[int, str] = {}
    fields: dict[str, int] = {}
    groups: list[dict[str, object]] = []
    person = ""
    for column, cell in enumerate(cells):
        if not isinstance(cell, str) or not cell.strip():
            continue
        names[column] = " ".join(cell.split())
        word = key(cell)
        field_ = known.columns.get(word)
        if field_ == "holder" or (field_ is None and word in known.kinds):
            groups.append({"holder": column, "kind": "" if field_ else names[column]})
            person = "holder"
        elif field_ == "deputy" and groups:
            groups[-1].setdefault("deputy", column)
            person = "deputy"
        elif field_ == "phone" and groups and person:
            groups[-1].setdefault("phone" if person == "holder" else "deputy_phone", column)
        elif field_ == "deputy_phone" and groups:
            groups[-1].setdefault("deputy_phone", column)
        elif field_ in _ONCE:
            fields.setdefault(field_, column)
    known_columns = len(fields) + len(groups)
    heading = Heading(n, names, fields, tuple(Group(**group) for group in groups))  # type: ignore[arg-type]
    if known_columns < 2 or not (heading.groups or heading.is_pairing):
        return None
    # A row of a table may hold such words by chance; a heading has nothing but texts, and most of them known.
    texts = [cell for cell in cells if cell not in (None, "")]
    recognised = sum(1 for name in names.values() if key(name) in known.columns or key(name) in known.kinds)
    return heading if all(isinstance(cell, str) for cell in texts) and recognised * 2 > len(names) else None


def _two_rows(n: int, cells: Cells, below: Cells) -> Heading | None:
    """A heading of two rows: 任期 over 起 and 止."""
    joined = _joined(cells, below)
    return _heading(n, joined) if joined is not None else None


def _joined(cells: Cells, below: Cells) -> list[object] | None:
    if not below or not all(isinstance(cell, str) or cell is None for cell in (*cells, *below)):
        return None
    pairs = zip(cells, below, strict=False)
    return [top if not low or low == top else f"{top or ''}{low}" for top, low in pairs]


def _is_second(found: Heading, cells: Cells, below: Cells) -> bool:
    """Whether the row below a heading belongs to it: it repeats what is merged down, or was joined."""
    joined = _joined(cells, below)
    if joined is None or not any(below):
        return False
    same = sum(1 for top, low in zip(cells, below, strict=False) if top and low == top)
    again = _heading(found.row, joined)
    return same >= 2 and again is not None


def _is_total(cells: Cells) -> bool:
    first = next((key(cell) for cell in cells if cell not in (None, "")), "")
    return first.startswith(words().totals)

"""The organisation written as a workbook that can be read again: one line a post."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import openpyxl
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from sqlalchemy import Connection

from pingji.data.files.export import whole_or_nothing
from pingji.data.organisation import tree
from pingji.data.organisation.committees import load_pairs
from pingji.data.organisation.ground import Ground, Reach
from pingji.data.organisation.posts import Which, standing
from pingji.ops.organisation.kinds import Level
from pingji.ops.organisation.post import Post

COLUMNS: Mapping[str, int] = {  # widths in characters
    "township": 16,
    "community": 18,
    "grid": 24,
    "building": 16,
    "office": 28,
    "post": 22,
    "title": 14,
    "holder": 12,
    "phone": 15,
    "deputy": 12,
    "deputy_phone": 15,
    "department": 24,
    "term_from": 12,
    "term_to": 12,
    "post_code": 40,
}
PAIR_COLUMNS = ("office", "community")
_HEAD = PatternFill("solid", fgColor="E6EBF0")


@dataclass(frozen=True)
class BookWords:
    """What the workbook says, in the language of whoever asked for it."""

    sheet: str
    pairs_sheet: str
    headings: Mapping[str, str]
    kinds: Mapping[str, str] = field(default_factory=dict)


Mask = Callable[[str, bool], str]  # of a text, and whether it is a phone


def _open(text: str, phone: bool) -> str:
    """Names and phones as they are."""
    return text


def write_workbook(
    conn: Connection, ground: Ground, reach: Reach, path: Path, words: BookWords, mask: Mask = _open
) -> int:
    """Write every post within reach, and the pairs of departments where reach is the whole county; how many posts."""
    posts = standing(conn, ground, Which(reach))
    units = {post.unit for post in posts} | {post.term.department for post in posts if post.term.department}
    pairs = load_pairs(conn, ground.county) if reach.whole else {}
    names = tree.units_named(conn, ground, units | {office for offices in pairs.values() for office in offices})
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(words.sheet)
    for i, width in enumerate(COLUMNS.values(), start=1):
        sheet.column_dimensions[get_column_letter(i)].width = width
    sheet.freeze_panes = "A2"
    sheet.append(_headings(sheet, [words.headings[name] for name in COLUMNS]))
    for post in posts:
        sheet.append([_cell(sheet, value) for value in _row(post, ground, names, words, mask)])
    if pairs:
        other = book.create_sheet(words.pairs_sheet)
        other.append(_headings(other, [words.headings[name] for name in PAIR_COLUMNS]))
        for community, offices in sorted(pairs.items()):
            for office in offices:
                other.append([_cell(other, value) for value in (names[office], ground.name_of(community))])
    with whole_or_nothing(path) as made:
        book.save(made)
    return len(posts)


def _headings(sheet: object, texts: Sequence[str]) -> list[WriteOnlyCell]:
    cells = []
    for text in texts:
        cell = WriteOnlyCell(sheet, value=text)
        cell.font, cell.fill = Font(bold=True), _HEAD
        cells.append(cell)
    return cells


def _row(post: Post, ground: Ground, names: Mapping[str, str], words: BookWords, mask: Mask) -> list[object]:
    term = post.term
    low = post.level in (Level.BUILDING, Level.STAIRWELL)
    return [
        ground.name_of(post.township),
        ground.name_of(post.community),
        ground.name_of(post.grid),
        names.get(post.unit, "") if low else "",
        names.get(post.unit, ""),
        words.kinds.get(post.kind.value, post.kind.value),
        term.title,
        mask(term.holder, False),
        mask(term.holder_phone, True),
        mask(term.deputy, False),
        mask(term.deputy_phone, True),
        names.get(term.department, "") if term.department else "",
        term.term_from,
        term.term_to,
        post.code,
    ]


def _cell(sheet: object, value: object) -> object:
    """A value as a cell: a text stays a text, whatever it begins with."""
    if isinstance(value, str) and value.startswith("="):
        cell = WriteOnlyCell(sheet, value=value)
        cell.data_type = "s"
        return cell
    return value

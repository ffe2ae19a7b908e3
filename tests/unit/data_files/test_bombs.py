"""Files that are small until somebody reads them: refused before they grow, in little time."""

import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import openpyxl
import pytest

from pingji.data.errors import FileError, FileTooLarge, UnreadableFile, UnsafeXml
from pingji.data.files import guard
from pingji.data.files.extent import check_extent
from pingji.data.files.sheet import read_xlsx
from pingji.data.organisation.workbook.reading import read_workbook

READERS = pytest.mark.parametrize("read", [read_xlsx, read_workbook])
Reader = Callable[[Path], object]
LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
SHEET = '<?xml version="1.0"?>{head}<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{body}</worksheet>'


@contextmanager
def quickly(limit_s: float = 10.0) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < limit_s


def workbook(path: Path, body: str, head: str = "") -> Path:
    """A workbook as a program writes it, its sheet replaced."""
    plain = path.with_name("plain.xlsx")
    openpyxl.Workbook().save(plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            wanted = SHEET.format(head=head, body=body) if name == "xl/worksheets/sheet1.xml" else source.read(name)
            target.writestr(name, wanted)
    return path


def cell(at: str, value: str = "x") -> str:
    row = at.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return f'<row r="{row}"><c r="{at}" t="inlineStr"><is><t>{value}</t></is></c></row>'


@READERS
def test_a_cell_in_the_last_corner(tmp_path: Path, read: Reader) -> None:
    body = f"<sheetData>{cell('A1')}{cell('XFD1048576')}</sheetData>"
    with quickly(), pytest.raises(FileTooLarge):
        read(workbook(tmp_path / "corner.xlsx", body))


@READERS
@pytest.mark.parametrize("span", ["A1:XFD1048576", "A:XFD", "1:1048576", "B2:ZZ20000"])
def test_merged_cells_without_end(tmp_path: Path, read: Reader, span: str) -> None:
    body = f'<sheetData>{cell("A1")}</sheetData><mergeCells count="1"><mergeCell ref="{span}"/></mergeCells>'
    with quickly(), pytest.raises(FileError):
        read(workbook(tmp_path / "merged.xlsx", body))


@READERS
def test_entities_that_multiply(tmp_path: Path, read: Reader) -> None:
    body = f"<sheetData>{cell('A1', '&i;')}</sheetData>"
    with quickly(), pytest.raises(UnreadableFile):
        read(workbook(tmp_path / "laughs.xlsx", body, f"{LAUGHS}]>"))


@READERS
def test_entities_that_read_files(tmp_path: Path, read: Reader) -> None:
    head = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    with pytest.raises(UnreadableFile):
        read(workbook(tmp_path / "file.xlsx", f"<sheetData>{cell('A1', '&a;')}</sheetData>", head))


def test_a_claimed_size_is_not_believed(tmp_path: Path) -> None:
    """The element that says how large a sheet is proves nothing: small sheets with a large claim are read."""
    body = f'<dimension ref="A1:XFD1048576"/><sheetData>{cell("A1", "code")}{cell("A2", "1")}</sheetData>'
    with quickly():
        rows, names = read_xlsx(workbook(tmp_path / "claim.xlsx", body))
    assert (len(rows), names) == (1, ("code",))


def test_an_ordinary_workbook_passes(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for n in range(200):
        book.active.append([n, "a", None])
    book.active.merge_cells("D1:F3")
    book.save(tmp_path / "plain.xlsx")
    check_extent(tmp_path / "plain.xlsx")


def test_a_zip_in_a_zip_is_not_opened(tmp_path: Path) -> None:
    inner = tmp_path / "inner.zip"
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("grids.geojson", b" " * 50_000_000)
    outer = tmp_path / "outer.zip"
    with zipfile.ZipFile(outer, "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(5):
            archive.write(inner, f"{n}.zip")
    out = tmp_path / "out"
    out.mkdir()
    with quickly():
        try:
            found = guard.unpack_zip(outer, out)
        except FileError:
            found = []
    assert [path for path in found if path.suffix == ".geojson"] == []
    assert sum(path.stat().st_size for path in out.rglob("*") if path.is_file()) < 5_000_000


def test_many_members(tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(300):
            archive.writestr(f"{n}.csv", b" " * 10_000_000 if n % 50 == 0 else b"")
    with quickly(30), pytest.raises(FileError):
        guard.unpack_zip(path, tmp_path)


def test_quadratic_growth_in_kml(tmp_path: Path) -> None:
    path = tmp_path / "grow.kml"
    long = "A" * 50_000
    path.write_text(f'<!DOCTYPE k [<!ENTITY a "{long}">]><kml><name>{"&a;" * 50_000}</name></kml>')
    with quickly(), pytest.raises(UnsafeXml):
        guard.check_whole(path)

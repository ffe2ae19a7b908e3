"""Guards before any parser: a file that is none, is empty, was cut off, explodes when unpacked, or has hostile XML."""

import gzip
import struct
import zipfile
from pathlib import Path
from typing import IO
from xml.etree.ElementTree import ParseError

import orjson
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from pingji.data.errors import EmptyFile, FileTooLarge, NotAFile, NotUtf8, UnreadableFile, UnsafeXml

MAX_UNPACKED = 2 * 1024**3
_MAX_RATIO = 200  # text packs to a tenth; a thousand is a bomb
_RATIO_FROM = 50 * 1024**2  # below that no ratio hurts
_CHUNK = 1024**2


def require_file(path: Path) -> None:
    """Refuse what is not a file with something in it.

    Raises
    ------
    NotAFile, EmptyFile
    """
    if not path.is_file():
        raise NotAFile(file=path.name or str(path.resolve()))
    if path.stat().st_size == 0:
        raise EmptyFile(file=path.name)


def unpack_gzip(path: Path, into: Path) -> Path:
    """The file inside of a .gz, written below `into`.

    Raises
    ------
    UnreadableFile, EmptyFile, FileTooLarge
    """
    target = into / path.stem
    try:
        with gzip.open(path, "rb") as packed, target.open("wb") as out:
            _pour(packed, out, path.stat().st_size, path.name)
    except (gzip.BadGzipFile, EOFError, OSError) as error:
        raise UnreadableFile(file=path.name, value=str(error)) from error
    if target.stat().st_size == 0:
        raise EmptyFile(file=path.name)
    return target


def check_zip(path: Path) -> None:
    """Refuse a .zip (and .xlsx, which is one) that is cut off or would unpack beyond the limits.

    Raises
    ------
    UnreadableFile, FileTooLarge
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError) as error:
        raise UnreadableFile(file=path.name, value=str(error)) from error
    _check_size(sum(member.file_size for member in members), path.stat().st_size, path.name)


def unpack_zip(path: Path, into: Path) -> list[Path]:
    """The files inside of a .zip, written flat below `into`: the archive's own paths are not followed.

    Raises
    ------
    UnreadableFile, FileTooLarge
    """
    check_zip(path)
    names: list[Path] = []
    budget = path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            name = Path(_member_name(member)).name
            if member.is_dir() or name.startswith((".", "__")):
                continue
            target = into / name
            try:
                # What a header says of its size is only a claim: count while unpacking, too.
                with archive.open(member) as packed, target.open("wb") as out:
                    _pour(packed, out, budget, path.name)
            except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError, OSError) as error:
                raise UnreadableFile(file=path.name, field=name, value=str(error)) from error
            names.append(target)
    return names


def check_whole(path: Path) -> None:
    """Refuse a file that is not what its suffix says or was cut off, where the format lets us know.

    Raises
    ------
    UnreadableFile, UnsafeXml, NotUtf8
        NotAFile where a Shapefile lacks its index.
    """
    match path.suffix.lower():
        case ".shp":
            _check_shapefile(path)
        case ".gpkg":
            _check_sqlite(path)
        case ".kml":
            _check_xml(path)
        case ".geojson" | ".json":
            try:
                orjson.loads(path.read_bytes())
            except orjson.JSONDecodeError as error:
                if not _is_utf8(path):
                    raise NotUtf8(file=path.name) from error
                raise UnreadableFile(file=path.name, row=error.lineno, value=error.msg) from error


def _is_utf8(path: Path) -> bool:
    try:
        path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"  # cut off within a letter
    return True


def _pour(packed: IO[bytes] | gzip.GzipFile, out: IO[bytes], packed_size: int, name: str) -> None:
    total = 0
    while chunk := packed.read(_CHUNK):
        total += len(chunk)
        _check_size(total, packed_size, name)
        out.write(chunk)


def _check_size(unpacked: int, packed: int, name: str) -> None:
    if unpacked > MAX_UNPACKED or (unpacked > _RATIO_FROM and unpacked > _MAX_RATIO * packed):
        raise FileTooLarge(file=name, value=f"{unpacked / 1024**2:,.0f}")


def _member_name(member: zipfile.ZipInfo) -> str:
    # Windows in China packs names in GBK without the UTF-8 flag; zipfile then shows them as code page 437.
    if member.flag_bits & 0x800:
        return member.filename
    try:
        return member.filename.encode("cp437").decode("gb18030")
    except UnicodeError:
        return member.filename


def _check_shapefile(path: Path) -> None:
    head = path.open("rb").read(100)
    if len(head) < 100 or struct.unpack(">i", head[:4])[0] != 9994:
        raise UnreadableFile(file=path.name)
    if struct.unpack(">i", head[24:28])[0] * 2 > path.stat().st_size:
        raise UnreadableFile(file=path.name)
    if not any(path.with_suffix(suffix).exists() for suffix in (".shx", ".SHX")):
        raise NotAFile(file=path.with_suffix(".shx").name)
    dbf = path.with_suffix(".dbf")
    if dbf.exists():
        with dbf.open("rb") as table:
            head = table.read(32)
        if len(head) < 32:
            raise UnreadableFile(file=dbf.name)
        rows, head_size, row_size = struct.unpack("<IHH", head[4:12])
        if head_size + rows * row_size > dbf.stat().st_size:
            raise UnreadableFile(file=dbf.name)


def _check_sqlite(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(100)
    if len(head) < 100 or not head.startswith(b"SQLite format 3\0"):
        raise UnreadableFile(file=path.name)
    page = int.from_bytes(head[16:18], "big")
    if int.from_bytes(head[28:32], "big") * (65536 if page == 1 else page) > path.stat().st_size:
        raise UnreadableFile(file=path.name)


def _check_xml(path: Path) -> None:
    try:
        for _, element in iterparse(path, forbid_dtd=True):
            element.clear()
    except DefusedXmlException as error:
        raise UnsafeXml(file=path.name) from error
    except ParseError as error:
        raise UnreadableFile(file=path.name, row=error.position[0], value=str(error)) from error

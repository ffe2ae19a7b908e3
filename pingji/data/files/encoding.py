"""The text encoding of attribute tables: said by the file, or guessed and then said by us."""

import struct
from collections.abc import Iterator
from pathlib import Path

from pingji.data.errors import AmbiguousEncoding, UnreadableFile

CHINESE = "GB18030"  # holds GBK and GB2312


def of_dbf(path: Path) -> tuple[str, bool]:
    """The encoding of a .dbf without .cpg, and whether it was guessed (pure ASCII needs no guess)."""
    texts = list(_dbf_texts(path.read_bytes(), path.name))
    if all(text.isascii() for text in texts):
        return "UTF-8", False
    if all(_is_utf8(text) for text in texts):
        return "UTF-8", True
    if all(_decodes(text, CHINESE) for text in texts):
        return CHINESE, True
    raise AmbiguousEncoding(file=path.name)


def decode(data: bytes, name: str, encoding: str | None) -> tuple[str, str, bool]:
    """Text of a plain file, its encoding, and whether that was guessed."""
    candidates = (
        [encoding] if encoding else ["utf-8-sig", "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else CHINESE]
    )
    for candidate in candidates:
        try:
            return data.decode(candidate), candidate, not encoding and candidate == CHINESE
        except (UnicodeError, LookupError):
            continue
    raise AmbiguousEncoding(file=name, value=encoding or "")


def _dbf_texts(data: bytes, name: str) -> Iterator[bytes]:
    """Field names and text values of a dBASE table, as bytes."""
    if len(data) < 32:
        raise UnreadableFile(file=name)
    rows, head_size, row_size = struct.unpack("<IHH", data[4:12])
    columns: list[tuple[int, int]] = []
    at, offset = 32, 1
    while at + 32 <= head_size and data[at : at + 1] not in (b"\r", b""):
        yield data[at : at + 11].split(b"\0", 1)[0]
        width = data[at + 16]
        if data[at + 11 : at + 12] in (b"C", b"M"):
            columns.append((offset, width))
        offset += width
        at += 32
    for row in range(rows):
        start = head_size + row * row_size
        for column, width in columns:
            yield data[start + column : start + column + width].strip(b" \0")


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        # The last character may be cut by the field's width.
        return error.reason == "unexpected end of data" and error.end == len(text)
    return True


def _decodes(text: bytes, encoding: str) -> bool:
    try:
        text.decode(encoding)
    except UnicodeDecodeError as error:
        return error.start == len(text) - 1
    return True

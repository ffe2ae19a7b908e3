"""Guards: what is no usable file is refused before any parser sees it."""

import gzip
import struct
import zipfile
from pathlib import Path

import pytest

from pingji.data.errors import (
    AmbiguousEncoding,
    DataError,
    EmptyFile,
    FileTooLarge,
    NotAFile,
    NotUtf8,
    UnreadableFile,
    UnsafeXml,
)
from pingji.data.files import encoding, guard


def refused(error: type[DataError], path: Path, tmp_path: Path) -> DataError:
    def take() -> None:
        guard.require_file(path)
        if path.suffix == ".zip":
            guard.unpack_zip(path, tmp_path)
        elif path.suffix == ".gz":
            guard.unpack_gzip(path, tmp_path)
        else:
            guard.check_whole(path)

    with pytest.raises(error) as caught:
        take()
    assert caught.value.params["file"] == path.name
    return caught.value


def test_a_directory_nothing_and_an_empty_file(tmp_path: Path) -> None:
    refused(NotAFile, tmp_path, tmp_path)
    refused(NotAFile, tmp_path / "absent.csv", tmp_path)
    (tmp_path / "empty.csv").touch()
    refused(EmptyFile, tmp_path / "empty.csv", tmp_path)


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("grids.geojson", b" " * 120_000_000)
    out = tmp_path / "out"
    out.mkdir()
    refused(FileTooLarge, bomb, out)
    assert list(out.iterdir()) == []


def test_a_zip_that_lies_about_its_size_is_stopped(tmp_path: Path) -> None:
    bomb = tmp_path / "liar.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("grids.geojson", b" " * 120_000_000)
    data = bytearray(bomb.read_bytes())
    size = struct.pack("<I", 120_000_000)
    while (at := data.find(size)) >= 0:
        data[at : at + 4] = struct.pack("<I", 1000)
    bomb.write_bytes(data)
    with pytest.raises((FileTooLarge, UnreadableFile)):
        guard.unpack_zip(bomb, tmp_path)


def test_a_gzip_bomb_and_a_cut_off_gzip(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.geojson.gz"
    bomb.write_bytes(gzip.compress(b" " * 120_000_000))
    refused(FileTooLarge, bomb, tmp_path)
    half = tmp_path / "half.geojson.gz"
    half.write_bytes(gzip.compress(b'{"type": "FeatureCollection", "features": []}' * 50)[:-20])
    refused(UnreadableFile, half, tmp_path)


def test_paths_inside_of_a_zip_are_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "climb.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../escape.csv", "code\n1\n")
    out = tmp_path / "a" / "b"
    out.mkdir(parents=True)
    assert guard.unpack_zip(path, out) == [out / "escape.csv"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("half.geojson", b'{"type": "FeatureCollection", "features": [{"type": "Fea'),
        ("half.kml", b"<kml><Document><Placemark>"),
        ("text.shp", b"not a shapefile at all"),
        ("text.gpkg", b"not a database at all"),
        ("half.gpkg", b"SQLite format 3\0" + struct.pack(">H", 4096) + b"\0" * 10 + struct.pack(">I", 9) + b"\0" * 100),
        ("half.zip", b"PK\x03\x04 and no more"),
    ],
)
def test_half_written_files(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    refused(UnreadableFile, tmp_path / name, tmp_path)


def test_geojson_in_gbk_is_told_from_a_file_that_was_cut_off(tmp_path: Path) -> None:
    text = '{"type": "FeatureCollection", "features": [{"name": "\u53e3\u524d'
    path = tmp_path / "a.geojson"
    path.write_bytes(text.encode("gbk"))
    refused(NotUtf8, path, tmp_path)
    path.write_bytes(text.encode("utf-8")[:-1])
    refused(UnreadableFile, path, tmp_path)


def test_a_shapefile_without_its_index_names_what_is_missing(tmp_path: Path) -> None:
    size = struct.pack(">i", 50)
    (tmp_path / "a.shp").write_bytes(struct.pack(">i", 9994) + b"\0" * 20 + size + b"\0" * 72)
    with pytest.raises(NotAFile) as caught:
        guard.check_whole(tmp_path / "a.shp")
    assert caught.value.params["file"] == "a.shx"


def test_entities_in_kml_are_refused(tmp_path: Path) -> None:
    bomb = '<?xml version="1.0"?><!DOCTYPE k [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><kml>&b;</kml>'
    (tmp_path / "bomb.kml").write_text(bomb)
    refused(UnsafeXml, tmp_path / "bomb.kml", tmp_path)


def dbf(values: list[bytes]) -> bytes:
    head = struct.pack("<B3BIHH20x", 3, 26, 1, 1, len(values), 32 + 32 + 1, 21)
    field = struct.pack("<11sc4xB15x", b"NAME", b"C", 20)
    return head + field + b"\r" + b"".join(b" " + value.ljust(20) for value in values) + b"\x1a"


@pytest.mark.parametrize(
    ("text", "codec", "expected"),
    [
        ("Oak", "ascii", ("UTF-8", False)),
        ("\u53e3\u524d", "utf-8", ("UTF-8", True)),
        ("\u53e3\u524d", "gbk", ("GB18030", True)),
    ],
)
def test_the_encoding_of_a_dbf_is_guessed(tmp_path: Path, text: str, codec: str, expected: tuple[str, bool]) -> None:
    (tmp_path / "a.dbf").write_bytes(dbf([text.encode(codec)]))
    assert encoding.of_dbf(tmp_path / "a.dbf") == expected


def test_text_in_no_known_encoding(tmp_path: Path) -> None:
    (tmp_path / "a.dbf").write_bytes(dbf([b"\xff\xff\xff\xff x"]))
    with pytest.raises(AmbiguousEncoding):
        encoding.of_dbf(tmp_path / "a.dbf")

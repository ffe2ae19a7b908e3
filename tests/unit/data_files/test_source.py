"""Sources: real tables of the field in Chinese encodings, and the texts of all that can be wrong."""

import zipfile
from pathlib import Path

import pytest

from pingji.cli.problems import error_text
from pingji.data import errors
from pingji.data.errors import AmbiguousEncoding, FileError, NotOneFile
from pingji.data.files import encoding
from pingji.data.files.source import read_source

SAMPLES = Path(__file__).parents[4] / "shared" / "data" / "encoding"
needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the encoding samples are not here")
KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, FileError)]


@needs_samples
def test_a_cpg_is_believed() -> None:
    source = read_source(SAMPLES / "mapshaper_dbf_cpg_big5.shp", crs="EPSG:3857")
    assert source.records
    assert any("\u4e00" <= letter <= "\u9fff" for r in source.records for v in r.fields.values() for letter in str(v))
    assert "encoding_guessed" not in [note.key for note in source.notes]


@needs_samples
def test_a_gbk_table_without_cpg_is_recognised() -> None:
    assert encoding.of_dbf(SAMPLES / "mapshaper_dbf_gbk.dbf") == ("GB18030", True)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not FileError])
@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_every_error_of_a_file_has_a_text(kind: type[FileError], language: str) -> None:
    text = error_text(kind(file="a.csv", row=7, field="code", value="x"), language)
    assert "a.csv" in text
    assert "{" not in text


def test_an_encoding_that_nobody_knows_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("code,lon,lat\n1,126,43\n")
    with pytest.raises(AmbiguousEncoding) as caught:
        read_source(tmp_path / "a.csv", encoding="klingon")
    assert caught.value.params["value"] == "klingon"


@pytest.mark.parametrize("names", [("readme.txt",), ("a.geojson", "b.geojson")])
def test_an_archive_with_no_layer_or_with_two_tells_what_it_holds(tmp_path: Path, names: tuple[str, ...]) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    with pytest.raises(NotOneFile) as caught:
        read_source(tmp_path / "a.zip")
    assert caught.value.params["value"] == ", ".join(names)

"""Sources: real tables of the field in Chinese encodings, and the texts of all that can be wrong."""

from pathlib import Path

import pytest

from pingji.cli.problems import error_text
from pingji.data import errors
from pingji.data.errors import FileError
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

"""Exports: GDAL re-opens them, nothing is lost on the way back, nothing personal or executable leaves."""

import errno
import os
from pathlib import Path

import openpyxl
import pyogrio
import pytest
import shapely
from sqlalchemy import Engine

from pingji.data import features
from pingji.data.engine import reading, writing
from pingji.data.errors import CantWrite, EmptyFile, NotAFile, UnknownFormat
from pingji.data.files import ImportOptions, apply_import, export, plan_import
from pingji.data.files.export import whole_or_nothing

COUNTY = "220221"
NAME = "\u53e3\u524d\u793e\u533a"
GRIDS = [
    {"code": "G1", "name": NAME, "leader_phone": "13812341234", "geom": shapely.box(126.0, 43.0, 126.1, 43.1)},
    {"code": "G2", "name": '=HYPERLINK("x")', "leader": "a,b", "geom": shapely.box(126.1, 43.0, 126.2, 43.1)},
]
SUFFIXES = [".gpkg", ".geojson", ".shp", ".csv", ".xlsx"]


@pytest.fixture
def filled(engine: Engine) -> Engine:
    with writing(engine) as conn:
        outline = shapely.box(126.0, 43.0, 126.2, 43.1)
        features.insert(conn, COUNTY, "area", [{"code": COUNTY, "level": "county", "geom": outline}])
        features.insert(conn, COUNTY, "grids", GRIDS)
    return engine


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_out_and_in_again(filled: Engine, tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"grids{suffix}"
    with reading(filled) as conn:
        before = features.load_features(conn, COUNTY, "grids")
        assert export(conn, COUNTY, "grids", file, unmasked=True) == 2
    assert [part.name for part in tmp_path.iterdir() if part.name.startswith(".")] == []
    if suffix == ".xlsx":
        return  # has a point, not the polygon
    if suffix != ".csv":
        assert pyogrio.read_info(file)["features"] == 2
    with writing(filled) as conn:
        apply_import(conn, plan_import(conn, "grids", [file], ImportOptions(county=COUNTY, replace=True)))
        after = features.load_features(conn, COUNTY, "grids")
    for a, b in zip(before, after, strict=True):
        assert a.code == b.code
        assert shapely.equals_exact(shapely.normalize(a.geometry), shapely.normalize(b.geometry), 1e-7)
        assert a.values["leader"] == b.values["leader"]
    assert after[0].values["name"] == NAME


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_phones_are_masked_by_default(filled: Engine, tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"grids{suffix}"
    with reading(filled) as conn:
        export(conn, COUNTY, "grids", file)
    text = ""
    if suffix == ".xlsx":
        text = str(list(openpyxl.load_workbook(file).active.values))
    else:
        text = "".join(part.read_bytes().decode("utf-8", "replace") for part in tmp_path.glob("grids*"))
    assert "13812341234" not in text
    assert "138****1234" in text


def test_formulas_do_not_leave(filled: Engine, tmp_path: Path) -> None:
    with reading(filled) as conn:
        export(conn, COUNTY, "grids", tmp_path / "a.xlsx")
        export(conn, COUNTY, "grids", tmp_path / "a.csv")
    cells = [cell for row in openpyxl.load_workbook(tmp_path / "a.xlsx").active.iter_rows() for cell in row]
    assert "f" not in {cell.data_type for cell in cells}
    assert "\"'=HYPERLINK" in (tmp_path / "a.csv").read_text(encoding="utf-8-sig")


def test_a_shapefile_says_that_it_is_utf_8(filled: Engine, tmp_path: Path) -> None:
    with reading(filled) as conn:
        export(conn, COUNTY, "grids", tmp_path / "a.shp")
    assert (tmp_path / "a.cpg").read_text().strip() == "UTF-8"


def test_refusals(filled: Engine, tmp_path: Path) -> None:
    with reading(filled) as conn:
        with pytest.raises(UnknownFormat):
            export(conn, COUNTY, "grids", tmp_path / "a.dwg")
        with pytest.raises(NotAFile):
            export(conn, COUNTY, "grids", tmp_path / "absent" / "a.csv")
        with pytest.raises(EmptyFile):
            export(conn, COUNTY, "roads", tmp_path / "a.csv")


def test_a_place_that_takes_no_file_is_an_error_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(CantWrite) as caught, whole_or_nothing(tmp_path / "a.csv") as made:
        made.write_text("code")
    assert caught.value.params["value"] == os.strerror(errno.ENOSPC)
    assert list(tmp_path.iterdir()) == []

"""Imports that must not happen: each names file, row, field and remedy, and nothing is saved."""

from pathlib import Path

import openpyxl
import pytest
import shapely
from sqlalchemy import Engine

from pingji.cli.problems import error_text
from pingji.data import features
from pingji.data.engine import reading, writing
from pingji.data.errors import (
    BadHeader,
    BadValue,
    BrokenGeometry,
    DuplicateCode,
    EmptyFile,
    FileError,
    ImportRefused,
    MissingColumn,
    NoCode,
    NoGeometry,
    OutsideCounty,
    UnknownCounty,
    UnknownFormat,
    UnreadableFile,
    WrongCrs,
    WrongGeometry,
)
from pingji.data.files import ImportOptions, apply_import, plan_import
from tests import shapes

COUNTY = "220221"
OUTLINE = shapely.box(126.0, 43.0, 126.5, 43.5)
GOOD = "S1,Oak,10,126.1,43.1"
HEADER = "code,name,capacity,lon,lat"


@pytest.fixture
def county(engine: Engine) -> Engine:
    with writing(engine) as conn:
        features.insert(conn, COUNTY, "area", [{"code": COUNTY, "level": "county", "geom": OUTLINE}])
    return engine


def attempt(engine: Engine, layer: str, file: Path, options: ImportOptions) -> list[FileError]:
    """The errors of an import, after it was refused."""
    try:
        with writing(engine) as conn:
            plan = plan_import(conn, layer, [file], options)
            with pytest.raises(ImportRefused):
                apply_import(conn, plan)
            return list(plan.report.errors)
    except FileError as error:
        return [error]


def assert_refused(
    engine: Engine, layer: str, file: Path, kind: type[FileError], row: object = "", field: str = "", **options: str
) -> None:
    errors = attempt(engine, layer, file, ImportOptions(county=COUNTY, **options))  # type: ignore[arg-type]
    (error,) = errors
    assert type(error) is kind
    assert (error.params["file"], error.params["row"], error.params["field"]) == (file.name, row, field)
    for language in ("zh_CN", "en"):
        text = error_text(error, language)
        assert file.name in text
        assert str(row) in text
    with reading(engine) as conn:
        assert features.count(conn, COUNTY, layer) == 0


@pytest.mark.parametrize(
    ("lines", "kind", "row", "field"),
    [
        ([HEADER, GOOD, ",Elm,10,126.2,43.2"], NoCode, 3, "code"),
        ([HEADER, GOOD, "S1,Elm,10,126.2,43.2"], DuplicateCode, 3, "code"),
        ([HEADER, GOOD, "S2,Elm,many,126.2,43.2"], BadValue, 3, "capacity"),
        ([HEADER, GOOD, "S2,Elm,2.5,126.2,43.2"], BadValue, 3, "capacity"),
        ([HEADER, GOOD, "S2,Elm,10,126.2,north"], BadValue, 3, "lat"),
        ([HEADER, GOOD, "S2,Elm,10,,"], NoGeometry, 3, "geometry"),
        ([HEADER, GOOD, "S2,Elm,10,116.2,39.9"], OutsideCounty, 3, "geometry"),
        ([HEADER, GOOD, "S2,Elm,10,43.2,126.2"], WrongCrs, 3, "geometry"),
        ([HEADER, "S2,Elm,10,540325,4837278"], WrongCrs, 2, "geometry"),
        (["name,lon,lat", "Oak,126.1,43.1"], MissingColumn, "", "code"),
        (["code,name,name,lon,lat", "S1,a,b,126.1,43.1"], BadHeader, 1, "name"),
        ([HEADER, GOOD, "S2,Elm"], UnreadableFile, 3, ""),
        ([HEADER, GOOD, 'S2,"Elm,10,126.2,43.2'], UnreadableFile, 3, ""),
        ([HEADER], EmptyFile, "", ""),
    ],
)
def test_bad_rows_of_a_table(
    county: Engine, tmp_path: Path, lines: list[str], kind: type[FileError], row: object, field: str
) -> None:
    (tmp_path / "a.csv").write_text("\n".join(lines))
    assert_refused(county, "shelters", tmp_path / "a.csv", kind, row, field)


def geojson(path: Path, *geometries: shapely.Geometry | None) -> Path:
    parts = [
        f'{{"type": "Feature", "properties": {{"code": "G{i}"}}, "geometry": {shapely.to_geojson(g) if g else "null"}}}'
        for i, g in enumerate(geometries)
    ]
    path.write_text(f'{{"type": "FeatureCollection", "features": [{", ".join(parts)}]}}')
    return path


def test_a_broken_ring_is_refused_and_repaired_only_when_asked(county: Engine, tmp_path: Path) -> None:
    file = geojson(tmp_path / "a.geojson", shapely.box(126.2, 43.2, 126.3, 43.3), shapes.BOW_TIE)
    assert_refused(county, "grids", file, BrokenGeometry, 2, "geometry")
    with writing(county) as conn:
        plan = plan_import(conn, "grids", [file], ImportOptions(county=COUNTY, repair=True))
        assert apply_import(conn, plan) == 2
        assert "repaired" in [note.key for note in plan.report.notes]
        assert all(f.geometry.is_valid for f in features.load_features(conn, COUNTY, "grids"))


def test_points_where_polygons_belong(county: Engine, tmp_path: Path) -> None:
    file = geojson(tmp_path / "a.geojson", shapely.Point(126.1, 43.1))
    assert_refused(county, "grids", file, WrongGeometry, 1, "geometry")


def test_no_geometry(county: Engine, tmp_path: Path) -> None:
    file = geojson(tmp_path / "a.geojson", shapely.box(126.2, 43.2, 126.3, 43.3), None)
    assert_refused(county, "grids", file, NoGeometry, 2, "geometry")


def test_a_crs_that_is_none(county: Engine, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"{HEADER}\n{GOOD}\n")
    assert_refused(county, "shelters", tmp_path / "a.csv", WrongCrs, crs="EPSG:nonsense")


def test_merged_headers_of_a_workbook(county: Engine, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["code", "name", None, "lon", "lat"])
    book.active.append(["S1", "Oak", 10, 126.1, 43.1])
    book.active.merge_cells("B1:C1")
    book.save(tmp_path / "a.xlsx")
    assert_refused(county, "shelters", tmp_path / "a.xlsx", BadHeader, 1, "B1:C1")


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.xlsx", b"PK\x03\x04 half", UnreadableFile),
        ("a.gpkg", b"SQLite format 3\0", UnreadableFile),
        ("a.geojson", b'{"type": "FeatureCollection", "features": [{"type', UnreadableFile),
        ("a.geojson", b'{"type": "FeatureCollection", "features": []}', EmptyFile),
        ("a.dwg", b"AC1032", UnknownFormat),
    ],
)
def test_files_that_are_not_what_they_seem(
    county: Engine, tmp_path: Path, name: str, content: bytes, kind: type[FileError]
) -> None:
    (tmp_path / name).write_bytes(content)
    (error,) = attempt(county, "shelters", tmp_path / name, ImportOptions(county=COUNTY))
    assert type(error) is kind
    assert error.params["file"] == name


def test_a_county_without_outline(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"{HEADER}\n{GOOD}\n")
    assert_refused(engine, "shelters", tmp_path / "a.csv", UnknownCounty)

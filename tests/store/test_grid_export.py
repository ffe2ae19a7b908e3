"""Grids as files: GDAL reads them back, QGIS finds its style, the register counts, nothing personal leaves."""

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import numpy as np
import openpyxl
import pyogrio
import pytest
import shapely
from sqlalchemy import Engine, insert

from pingji.data import features
from pingji.data.engine import reading, writing
from pingji.data.errors import NotAFile, UnknownFormat
from pingji.data.grids import outgoing
from pingji.data.grids.register import COLUMNS, RegisterWords
from pingji.data.grids.styles import style
from pingji.data.tables import past_grids
from tests import world

NAME, REASON = "\u5de5\u519c\u8857\u7b2c\u4e00\u7f51\u683c", "\u8fb9\u754c\u8c03\u6574"
TODAY, BEFORE = date(2026, 11, 22), date(2026, 3, 31)
CHANGED_AT = 1_780_000_000_000_000  # in May 2026
FIRST, SECOND = f"{world.C1}001", f"{world.C1}002"
WORDS = RegisterWords(
    "grids",
    "Register",
    {name: name for name in COLUMNS},
    "{n} grids, {ok} of the right size, {leaders} led",
    ("as of 2026-11-22", "EXERCISE & co"),
    {"boundary_change": REASON, "few": "too few", "empty": "nobody"},
)


@pytest.fixture
def county(engine: Engine) -> Engine:
    """The small county, with a grid that was described anew in May, and names that a spreadsheet would run."""
    world.filled(engine)
    table = features.table_of("grids")
    values = {"name": NAME, "leader": "Wang", "leader_phone": "13812341234", "household_count": 8, "resident_count": 20}
    with writing(engine) as conn:
        of = table.update().where(table.c.county == world.COUNTY)
        new = {"began_at": CHANGED_AT, "valid_from": date(2026, 5, 28), "reason": "boundary_change"}
        conn.execute(of.where(table.c.code == FIRST).values({**values, **new}))
        conn.execute(of.where(table.c.code == SECOND).values(name='=HYPERLINK("x")', leader="+49"))
        old = features.load_features(conn, world.COUNTY, "grids", where=table.c.code == FIRST)[0]
        row = {
            "county": world.COUNTY,
            "code": FIRST,
            "name": "as it was",
            "community": world.C1,
            "ended_at": CHANGED_AT,
        }
        shape = shapely.to_wkt(shapely.MultiPolygon([shapely.box(*old.geometry.buffer(-0.01).bounds)]))
        row |= {"geom": f"SRID=4490;{shape}", "household_count": 350, "resident_count": 900, "ended_at": CHANGED_AT}
        conn.execute(insert(past_grids), {**row, "valid_to": date(2026, 5, 28)})
    return engine


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder with nothing in it."""
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def write(engine: Engine, file: Path, day: date = TODAY, encoding: str = "UTF-8", *, unmasked: bool = False) -> int:
    with reading(engine) as conn:
        listing = outgoing.listing_of(conn, world.COUNTY, day)
    shown = listing if unmasked else outgoing.masked(listing)
    return outgoing.write_grids(file, shown, WORDS, encoding=encoding)


def read(file: Path) -> tuple[dict[str, Any], dict[str, np.ndarray[Any, Any]], np.ndarray[Any, Any]]:
    meta, _, blobs, values = pyogrio.raw.read(file, layer=0)
    return meta, dict(zip(meta["fields"], values, strict=True)), shapely.from_wkb(blobs)


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".geojson"])
def test_gdal_reads_every_vector_file(county: Engine, out: Path, suffix: str) -> None:
    file = out / f"grids{suffix}"
    assert write(county, file) == 8
    meta, fields, shapes = read(file)
    assert meta["crs"] == ("EPSG:4326" if suffix == ".geojson" else "EPSG:4490")
    assert all(len(name) <= 10 for name in meta["fields"])
    assert (fields["code"][0], fields["label"][0], fields["name"][0]) == (FIRST, "001", NAME)
    assert (fields["households"][0], fields["residents"][0], fields["light"][0]) == (8, 20, "few")
    assert (fields["leader_tel"][0], fields["reason"][0]) == ("138****1234", "boundary_change")
    assert str(fields["valid_from"][0])[:10].replace("/", "-") == "2026-05-28"
    with reading(county) as conn:
        stored = [f.geometry for f in features.load_features(conn, world.COUNTY, "grids", columns=())]
    for mine, theirs in zip(shapes, stored, strict=True):
        whole = shapely.normalize(shapely.MultiPolygon(shapely.get_parts(mine)))
        # A decimal number of GeoJSON may miss the last bit: a hundred-millionth of a millimetre.
        assert shapely.equals_exact(whole, shapely.normalize(theirs), 1e-13 if suffix == ".geojson" else 0.0)


def test_a_past_day_has_the_grids_of_that_day(county: Engine, out: Path) -> None:
    file = out / "grids.gpkg"
    assert write(county, file, BEFORE) == 8
    _, fields, shapes = read(file)
    assert (fields["name"][0], fields["households"][0], fields["light"][0]) == ("as it was", 350, "ok")
    assert np.isnan(fields["party_hh"][0])
    assert shapes[0].bounds[0] == pytest.approx(126.01)
    with reading(county) as conn:
        assert len(outgoing.listing_of(conn, world.COUNTY, TODAY, [world.C2]).entries) == 2


def test_the_style_is_where_qgis_looks_for_it(county: Engine, out: Path) -> None:
    write(county, out / "grids.gpkg")
    with closing(sqlite3.connect(out / "grids.gpkg")) as file:
        query = "SELECT f_table_name, f_geometry_column, styleQML, useAsDefault FROM layer_styles"
        ((layer, column, text, default),) = file.execute(query).fetchall()
        kinds = dict(file.execute("SELECT table_name, data_type FROM gpkg_contents").fetchall())
        columns = [row[1] for row in file.execute("PRAGMA table_info(layer_styles)")]
    assert (layer, column, default) == ("grids", "geom", 1)
    assert kinds == {"grids": "features", "layer_styles": "attributes"}
    assert columns[:6] == ["id", "f_table_catalog", "f_table_schema", "f_table_name", "f_geometry_column", "styleName"]
    assert text == style() == (out / "grids.qml").read_text(encoding="utf-8")
    assert [name for name, _ in pyogrio.list_layers(out / "grids.gpkg")] == ["grids", "layer_styles"]


def test_the_style_shows_sizes_and_leaves_danger_its_colours() -> None:
    qgis = fromstring(style().split("?>")[-1])
    renderer = qgis.find("renderer-v2")
    assert renderer is not None
    assert renderer.get("attr") in outgoing.fields_of(outgoing.Entry(*[""] * 8, 0, 0, 0, 0.0, None, None, ""))  # type: ignore[arg-type]
    found = [(float(r.get("lower", "")), float(r.get("upper", ""))) for r in renderer.iter("range")]
    assert found[:3] == [(0, 0), (1, 299), (300, 500)]
    assert found[3][0] == 501
    colours = [option.get("value", "") for option in qgis.iter("Option") if option.get("name") == "color"]
    assert len(colours) == len(found)
    for colour in colours:
        red, green, blue, _ = map(int, colour.split(","))
        assert blue >= min(red, green) - 12  # no yellow, no orange
        assert red <= blue + 16  # no red
    text = qgis.find("labeling/settings/text-style")
    assert text is not None
    assert text.get("fieldName") == 'right("code", 3)'


@pytest.mark.parametrize("encoding", ["UTF-8", "GBK"])
def test_a_shapefile_says_its_encoding(county: Engine, out: Path, encoding: str) -> None:
    write(county, out / "grids.shp", encoding=encoding)
    assert (out / "grids.cpg").read_text().strip() == encoding
    assert NAME.encode(encoding) in (out / "grids.dbf").read_bytes()
    assert {part.suffix for part in out.iterdir()} == {".shp", ".shx", ".dbf", ".prj", ".cpg", ".qml"}
    assert read(out / "grids.shp")[1]["name"][0] == NAME


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".geojson", ".xlsx"])
def test_phones_are_masked_unless_asked_for(county: Engine, out: Path, suffix: str) -> None:
    def seen(file: Path) -> str:
        if suffix == ".xlsx":
            return str(list(openpyxl.load_workbook(file).active.values))
        return str(read(file)[1])

    write(county, out / f"a{suffix}")
    write(county, out / f"b{suffix}", unmasked=True)
    assert "13812341234" not in seen(out / f"a{suffix}")
    assert "138****1234" in seen(out / f"a{suffix}")
    assert "13812341234" in seen(out / f"b{suffix}")


def test_the_register_reads_like_one(county: Engine, out: Path) -> None:
    write(county, out / "grids.xlsx")
    sheet = openpyxl.load_workbook(out / "grids.xlsx").active
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert [row[0] for row in rows[:3]] == ["Register", "as of 2026-11-22", "EXERCISE & co"]
    assert rows[3] == list(COLUMNS)
    first = dict(zip(COLUMNS, rows[4], strict=True))
    assert (first["code"], first["name"], first["community"]) == (FIRST, NAME, f"C{world.C1}")
    assert (first["households"], first["reason"], first["light"]) == (8, REASON, "too few")
    assert first["valid_from"].date() == date(2026, 5, 28)
    total = dict(zip(COLUMNS, rows[-1], strict=True))
    assert total["code"] == "8 grids, 0 of the right size, 2 led"
    assert (total["households"], total["residents"]) == (8, 20)
    assert total["area_m2"] == pytest.approx(sum(row[list(COLUMNS).index("area_m2")] for row in rows[4:-1]), abs=8)
    assert "f" not in {cell.data_type for row in sheet.iter_rows() for cell in row}
    assert sheet.freeze_panes == "C5"
    assert "EXERCISE" in sheet.oddHeader.right.text


def test_refusals_leave_nothing_behind(county: Engine, out: Path) -> None:
    with pytest.raises(UnknownFormat):
        write(county, out / "grids.dwg")
    with pytest.raises(NotAFile):
        write(county, out / "absent" / "grids.gpkg")
    nothing = outgoing.Listing((), np.empty(0, dtype=object), BEFORE)
    with pytest.raises(outgoing.NoGridsThen) as caught:
        outgoing.write_grids(out / "a.gpkg", nothing, WORDS)
    assert caught.value.params == {"date": "2026-03-31"}
    assert list(out.iterdir()) == []

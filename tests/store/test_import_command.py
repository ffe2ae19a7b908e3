"""The commands on files, as an operator runs them: what they say and how they exit."""

import json
import warnings
from pathlib import Path

import pytest
import shapely
import typer
from sqlalchemy import Engine
from typer.testing import CliRunner

from pingji.cli.files import register
from pingji.data import features
from pingji.data.engine import reading, writing
from pingji.data.journal import latest

COUNTY = "220221"
OUTLINE = shapely.box(126.0, 43.0, 126.5, 43.5)
app = typer.Typer()
register(app)


@pytest.fixture
def county(engine: Engine, store_url: str, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setenv("PINGJI_DATABASE_URL", store_url)
    monkeypatch.setenv("PINGJI_LANGUAGE", "en")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("PINGJI_COUNTY", raising=False)
    with writing(engine) as conn:
        features.insert(conn, COUNTY, "area", [{"code": COUNTY, "level": "county", "geom": OUTLINE}])
    return engine


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.output


def count(engine: Engine) -> int:
    with reading(engine) as conn:
        return features.count(conn, COUNTY, "shelters")


def test_import_export_and_check(county: Engine, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("code,name,capacity,lon,lat\nS1,Oak,10,126.1,43.1\nS2,Elm,20,126.2,43.2\n")
    code, said = run("import", "shelters", file, "--dry-run")
    assert (code, count(county)) == (0, 0)
    assert "nothing saved" in said
    code, said = run("import", "shelters", file)
    assert (code, count(county)) == (0, 2)
    assert "2 rows written to layer Shelters" in said
    code, said = run("import", "shelters", file)
    assert (code, count(county)) == (1, 2)
    assert "code S1 occurs twice or is stored already" in said
    code, _ = run("export", "shelters", tmp_path / "b.geojson")
    assert code == 0
    assert len(json.loads((tmp_path / "b.geojson").read_text())["features"]) == 2
    code, said = run("check", "--json")
    assert code == 0
    assert json.loads(said)["errors"] == 0


def test_refusals_say_why(county: Engine, tmp_path: Path) -> None:
    code, said = run("import", "shelters", tmp_path)
    assert code == 2
    assert "is not a file" in said
    code, said = run("import", "castles", tmp_path / "a.csv")
    assert code == 2
    assert "castles" in said
    code, said = run("export", "shelters", tmp_path / "a.dwg")
    assert code == 2
    assert ".gpkg" in said


def test_check_exits_with_an_error_where_there_is_one(county: Engine) -> None:
    with writing(county) as conn:
        features.insert(conn, COUNTY, "shelters", [{"code": "S1", "geom": shapely.Point(120, 43)}])
    code, said = run("check")
    assert code == 1
    assert "outside of the county" in said


def test_an_import_is_in_the_journal_under_the_layers_title(county: Engine, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("code,name,capacity,lon,lat\nS1,Oak,10,126.1,43.1\n")
    assert run("import", "shelters", file)[0] == 0
    with reading(county) as conn:
        (entry,) = latest(conn, COUNTY, 9)
    assert (entry.action, entry.actor, entry.scope) == ("import", "cli", COUNTY)
    said = {name: entry.detail[name] for name in ("layer", "name", "n", "file")}
    assert said == {"layer": "shelters", "name": "Shelters", "n": 1, "file": "a.csv"}


def test_a_refusal_names_the_field_as_the_file_does_and_leaves_no_entry(county: Engine, tmp_path: Path) -> None:
    header = "\u7f16\u53f7,\u5bb9\u91cf,\u7ecf\u5ea6,\u7eac\u5ea6"
    (tmp_path / "a.csv").write_text(f"{header}\nS1,many,126.1,43.1\n,5,126.1,43.1\n", encoding="utf-8")
    code, said = run("import", "shelters", tmp_path / "a.csv")
    assert (code, count(county)) == (1, 0)
    assert "row 2, field \u5bb9\u91cf" in said
    assert "row 3: no code (\u7f16\u53f7)" in said
    with reading(county) as conn:
        assert latest(conn, COUNTY, 9) == []


def test_an_open_ring_is_named_in_words_and_without_a_warning(county: Engine, tmp_path: Path) -> None:
    ring = [[126.1, 43.1], [126.2, 43.1], [126.2, 43.2], [126.1, 43.2]]
    feature = {"type": "Feature", "properties": {"code": "G"}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    (tmp_path / "a.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        code, said = run("import", "grids", tmp_path / "a.geojson")
    assert code == 2
    assert "row 1: the geometry is invalid: its ring is not closed" in said

"""The commands on files, as an operator runs them: what they say and how they exit."""

import json
from pathlib import Path

import pytest
import shapely
import typer
from sqlalchemy import Engine
from typer.testing import CliRunner

from pingji.cli.files import register
from pingji.data import features
from pingji.data.engine import reading, writing

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

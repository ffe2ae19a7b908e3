"""`pingji grids`, as an operator runs it: what it says, how it exits, and what is in the store afterwards."""

import json
from pathlib import Path
from typing import Any

import pyogrio
import pytest
import shapely
from sqlalchemy import Engine
from typer.testing import CliRunner

from pingji.cli.grids import app
from pingji.data import features
from pingji.data.engine import reading
from tests import world

FIRST = f"{world.C1}001"


@pytest.fixture
def county(engine: Engine, store_url: str, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setenv("PINGJI_DATABASE_URL", store_url)
    monkeypatch.setenv("PINGJI_LANGUAGE", "en")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("PINGJI_COUNTY", raising=False)
    return world.filled(engine)


def run(*arguments: object, expect: int = 0) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == expect, result.output
    return result.output


def read_json(*arguments: object) -> Any:
    return json.loads(run(*arguments, "--json"))


def split(folder: Path) -> Path:
    """The first community's grids with its second one cut in two, as somebody's survey has them."""
    run("export", folder / "now.geojson", "--community", world.C1)
    document = json.loads((folder / "now.geojson").read_text())
    west, east = document["features"]
    left, right = shapely.box(126.1, 43.0, 126.15, 43.1), shapely.box(126.15, 43.0, 126.2, 43.1)
    halves = [
        {**east, "geometry": json.loads(shapely.to_geojson(shape)), "properties": {"code": code}}
        for code, shape in ((east["properties"]["code"], left), (None, right))
    ]
    file = folder / "new.geojson"
    file.write_text(json.dumps({**document, "features": [west, *halves]}))
    return file


def test_a_survey_is_imported_reviewed_and_published(county: Engine, tmp_path: Path) -> None:
    file = split(tmp_path)
    said = run("import", file, "--name", "Survey", "--reason", "split_for_size", "--note", "why", "--actor", "Wang")
    assert "Change set “Survey”" in said
    (made,) = read_json("sets")
    assert (made["status"], made["reason"], made["origin"], made["author"]) == (
        "draft",
        "split_for_size",
        "import",
        "Wang",
    )
    shown = run("show", made["id"])
    assert "Survey" in shown
    assert "why" in shown
    assert "Redrawn from a file" in shown
    assert "Submitted for review: Survey." in run("submit", made["id"], "--actor", "Wang")
    assert "Returned: Survey." in run("return", made["id"], "--actor", "Li", "--note", "look again")
    assert "look again" in run("show", made["id"])
    run("submit", made["id"], "--actor", "Wang")
    refused = run("publish", made["id"], "--actor", "Wang", expect=2)
    assert "Wang" in refused
    said = run("publish", made["id"], "--actor", "Li", "--note", "seen")
    assert f"{world.C1}003" in said
    with reading(county) as conn:
        codes = [f.code for f in features.load_features(conn, world.COUNTY, "grids", columns=())]
    assert f"{world.C1}003" in codes
    (entry,) = read_json("history", "--community", world.C1)
    assert (entry["name"], entry["author"], entry["reviewer"]) == ("Survey", "Wang", "Li")
    links = read_json("lineage", f"{world.C1}003")["links"]
    assert [(link["from"], link["into"]) for link in links] == [(f"{world.C1}002", f"{world.C1}003")]
    assert f"{world.C1}002" in run("lineage", f"{world.C1}003")
    assert "Survey" in run("history")


def test_a_change_set_that_is_discarded_changes_nothing(county: Engine, tmp_path: Path) -> None:
    run("import", split(tmp_path), "--actor", "Wang")
    (made,) = read_json("sets")
    assert "Discarded: new." in run("discard", made["id"], "--actor", "Wang")
    assert [one["status"] for one in read_json("sets")] == ["discarded"]
    assert read_json("history") == []
    run("submit", made["id"], "--actor", "Wang", expect=2)


def test_the_grids_are_listed(county: Engine) -> None:
    assert FIRST in run("list")
    listed = read_json("list", "--community", world.C2)
    assert [grid["code"] for grid in listed] == [f"{world.C2}001", f"{world.C2}002"]
    assert "Nothing to show." in run("sets", "--community", world.C2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("list", "--community", "absent"), "No community has the code absent"),
        (("sets", "--community", "absent"), "No community has the code absent"),
        (("history", "--community", "absent"), "No community has the code absent"),
        (("sets", "--status", "lost"), "--status can't be lost"),
        (("export", "a.gpkg", "--community", "absent"), "No community has the code absent"),
        (("export", "a.gpkg", "--date", "2999-01-01"), "2999-01-01 has not come yet"),
        (("export", "a.gpkg", "--date", "31.12.2025"), "--date can't be 31.12.2025"),
        (("export", "a.shp", "--encoding", "latin"), "--encoding can't be latin"),
        (("export", "absent/a.gpkg"), "absent/a.gpkg is not a file"),
        (("export", "a.dwg"), "The format of a.dwg is not supported"),
        (("import", "a.gpkg"), "--actor"),
        (("import", "a.gpkg", "--actor", "Wang", "--reason", "whim"), "--reason can't be whim"),
        (("import", "a.gpkg", "--actor", "Wang", "--accept-offset", "maybe"), "--accept-offset can't be maybe"),
        (("import", "absent.gpkg", "--actor", "Wang"), "absent.gpkg is not a file"),
        (("show", "absent"), "There is no change set absent"),
        (("lineage", "absent"), "No grid has the code absent"),
        (("list", "--county", "999"), "not the one that PINGJI_COUNTY or --county names"),
    ],
)
def test_whatever_is_refused_is_said_in_words(
    county: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert said in " ".join(run(*arguments, expect=2).split())
    assert list(tmp_path.glob("a.*")) == []


def test_a_store_that_cannot_be_opened_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINGJI_LANGUAGE", "en")
    monkeypatch.setenv("PINGJI_DATABASE_URL", "mysql://somewhere/pingji")
    assert "Unsupported database address" in run("list", expect=2)


def test_exports_of_every_kind(county: Engine, tmp_path: Path) -> None:
    for name in ("a.gpkg", "a.shp", "a.geojson", "a.xlsx"):
        assert f"8 grids written to {name}." in run("export", tmp_path / name)
    run("export", tmp_path / "b.shp", "--encoding", "gbk", "--community", world.C1, "--unmasked")
    assert pyogrio.read_info(tmp_path / "b.shp")["features"] == 2
    assert (tmp_path / "b.cpg").read_text().strip() == "GBK"


def test_a_file_that_is_what_stands_is_no_mistake(county: Engine, tmp_path: Path) -> None:
    run("export", tmp_path / "a.gpkg")
    assert "no change set was made" in run("import", tmp_path / "a.gpkg", "--actor", "Wang")
    assert read_json("sets") == []


def test_what_is_wrong_is_said_with_its_row(county: Engine, tmp_path: Path) -> None:
    file = split(tmp_path)
    document = json.loads(file.read_text())
    document["features"][0]["properties"]["code"] = "123"
    file.write_text(json.dumps(document))
    said = run("import", file, "--actor", "Wang", expect=1)
    assert "row 1: grid code 123 belongs to no community" in " ".join(said.split())
    assert "Nothing was saved." in said
    assert read_json("sets") == []

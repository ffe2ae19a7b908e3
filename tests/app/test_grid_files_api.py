"""Grids as files over HTTP: out in every format, in as a change set, and refused with the row and what helps."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import openpyxl
import orjson
import pyogrio
import pytest
import shapely
from starlette.testclient import TestClient

from tests import world
from tests.app.conftest import Serve
from tests.app.phone import assert_problem, press

WHO = {"X-Actor": quote("\u738b\u6653")}
FIRST = f"{world.C1}001"


def exported(client: TestClient, format: str, **params: str) -> bytes:
    response = client.get("/api/v1/grids/export", params={"format": format, **params})
    assert response.status_code == 200, response.text
    return response.content


def collection(client: TestClient) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(exported(client, "geojson"))
    return document


def send(client: TestClient, body: bytes, filename: str = "new.geojson", headers: Any = WHO, **params: str) -> Any:
    return client.post("/api/v1/grids/import", params={"filename": filename, **params}, content=body, headers=headers)


def moved(document: dict[str, Any]) -> bytes:
    """The first community's two grids with their border 800 m farther east."""
    for feature in document["features"]:
        if feature["properties"]["community"] == world.C1:
            shape = shapely.from_geojson(json.dumps(feature["geometry"]))
            border = shapely.transform(shape, lambda xy: xy + ((abs(xy[:, :1] - 126.1) < 1e-6) * [0.01, 0.0]))
            feature["geometry"] = json.loads(shapely.to_geojson(border))
    return orjson.dumps(document)


@pytest.mark.parametrize("format", ["gpkg", "shp", "geojson"])
def test_an_export_that_comes_back_changes_nothing(client: TestClient, format: str) -> None:
    filename = {"shp": "grids.zip"}.get(format, f"grids.{format}")
    body = assert_problem(send(client, exported(client, format), filename), 409, "nothing_new")
    assert body["params"]["n"] == 8
    assert client.get("/api/v1/grids/sets").json() == []


def test_a_new_set_of_grids_becomes_a_change_set(client: TestClient) -> None:
    answer = send(client, moved(collection(client)), name="Survey", reason="boundary_change", note="2026")
    assert answer.status_code == 200, answer.text
    made, report = answer.json()["set"], answer.json()["report"]
    assert (made["name"], made["origin"], made["reason"], made["author"]) == (
        "Survey",
        "import",
        "boundary_change",
        "\u738b\u6653",
    )
    assert [c["code"] for c in made["communities"]] == [world.C1]
    assert (report["read"], report["unchanged"], report["matched_by_code"], report["ended"]) == (8, 6, 8, 0)
    assert "geometry" not in made["edits"][0]["intent"]["grids"][0]
    shown = client.get(f"/api/v1/grids/communities/{world.C1}", params={"set": made["id"]}).json()
    assert {f["id"] for f in shown["grids"]["features"] if f["properties"]["changed"]} == {FIRST, f"{world.C1}002"}
    assert [p for p in shown["problems"] if p["severity"] == "error" and p["new"]] == []
    assert [one["id"] for one in client.get("/api/v1/grids/sets").json()] == [made["id"]]


def test_a_wrong_row_is_named_and_nothing_is_kept(client: TestClient) -> None:
    document = collection(client)
    document["features"][2]["properties"]["code"] = "999999999999001"
    document["features"][3]["properties"]["code"] = FIRST
    body = assert_problem(send(client, orjson.dumps(document)), 422, "unknown_grid_community")
    assert (body["params"]["file"], body["params"]["row"], body["params"]["value"]) == (
        "new.geojson",
        3,
        "999999999999001",
    )
    assert [(e["row"], e["kind"]) for e in body["params"]["errors"]] == [
        (3, "unknown_grid_community"),
        (4, "duplicate_grid"),
    ]
    assert client.get("/api/v1/grids/sets").json() == []


@pytest.mark.parametrize(
    ("filename", "body", "key"),
    [
        ("a.geojson", b"", "empty_file"),
        ("a.geojson", b"{", "unreadable_file"),
        ("a.dwg", b"x", "unknown_format"),
        ("..", b"x", "unknown_format"),
        ("../../a.gpkg", b"no database", "unreadable_file"),
        ("a.zip", b"PK nothing", "unreadable_file"),
    ],
)
def test_bad_files(client: TestClient, filename: str, body: bytes, key: str) -> None:
    assert_problem(send(client, body, filename), 422, key)


def test_an_archive_that_explodes_is_refused(client: TestClient) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.shp", b"\0" * (60 << 20))
    assert_problem(send(client, packed.getvalue(), "bomb.zip"), 422, "file_too_large")


def test_a_file_larger_than_the_limit_is_not_read(serve: Serve, county_url: str) -> None:
    client = serve(county_url, import_limit_mb=1)
    body = assert_problem(send(client, b" " * (1 << 20) + b"{}"), 413, "upload_too_large")
    assert body["params"]["limit"] == 1


def test_a_shapefile_comes_as_a_zip_with_its_style(client: TestClient, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(exported(client, "shp", community=world.C2))) as archive:
        assert {Path(name).suffix for name in archive.namelist()} == {".shp", ".shx", ".dbf", ".prj", ".cpg", ".qml"}
        archive.extractall(tmp_path)
    (file,) = tmp_path.glob("*.shp")
    meta, _, _, values = pyogrio.raw.read(file)
    fields = dict(zip(meta["fields"], values, strict=True))
    assert set(fields["community"]) == {world.C2}
    assert pyogrio.read_info(file)["crs"] is not None


def test_the_register_names_the_exercise(client: TestClient) -> None:
    def lines() -> list[str]:
        sheet = openpyxl.load_workbook(io.BytesIO(exported(client, "xlsx"))).active
        return [str(row[0].value) for row in sheet.iter_rows()]

    assert not any("\u6f14\u7ec3" in line for line in lines())
    assert press(client, exercise=True).status_code == 200
    assert any("\u6f14\u7ec3" in line for line in lines())


@pytest.mark.parametrize("params", [{"format": "dwg"}, {"format": "gpkg", "date": "yesterday"}, {}])
def test_requests_that_make_no_sense(client: TestClient, params: dict[str, str]) -> None:
    assert_problem(client.get("/api/v1/grids/export", params=params), 422, "invalid")


def test_an_unknown_community_has_no_export(client: TestClient) -> None:
    params = {"format": "gpkg", "community": "1"}
    assert_problem(client.get("/api/v1/grids/export", params=params), 404, "unknown_community")


def test_a_day_to_come_has_no_export(client: TestClient) -> None:
    params = {"format": "xlsx", "date": "2999-01-01"}
    body = assert_problem(client.get("/api/v1/grids/export", params=params), 422, "future_day")
    assert "2999-01-01" in body["detail"]

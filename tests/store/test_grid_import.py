"""A file of grids as a change set on both stores: matched with today's, refused whole, undone, published."""

import gzip
import json
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely
from sqlalchemy import Engine, insert

from pingji.data import features
from pingji.data.demo import save_county
from pingji.data.engine import reading, writing
from pingji.data.errors import EmptyFile, ImportRefused
from pingji.data.files import ImportOptions, apply_import, plan_import
from pingji.data.grids import drafts, outgoing
from pingji.data.grids.ground import load_ground
from pingji.data.grids.incoming import GridPlan, NothingNew, keep_grids, plan_grids
from pingji.data.grids.problems import problems_of
from pingji.data.grids.register import COLUMNS, RegisterWords
from pingji.data.tables import past_grids
from pingji.geo.gcj02 import bd09_from_wgs84, gcj02_from_wgs84
from pingji.ops.change_set import ChangeSet, Reason
from tests import demo, world

CAMBRIDGE = Path(__file__).parents[3] / "shared" / "data" / "cambridge"
WORDS = RegisterWords("grids", "Register", {name: name for name in COLUMNS}, "{n}")
NAME = "\u5de5\u519c\u8857\u7b2c\u4e00\u7f51\u683c"
G1, G2 = f"{world.C1}001", f"{world.C1}002"
CM = 1e-7  # degrees, about 1 cm

Rows = list[tuple[str, Any]]  # code, geometry


@pytest.fixture
def county(engine: Engine) -> Engine:
    """The small county, its communities cut to their grids."""
    world.filled(engine)
    table = features.table_of("communities")
    with writing(engine) as conn:
        for code, x in zip(world.TOWNSHIP_OF, (126.0, 126.2, 126.4, 126.6), strict=True):
            shape = shapely.MultiPolygon([shapely.box(x, 43.0, x + 0.2, 43.1)])
            conn.execute(table.update().where(table.c.code == code).values(geom=f"SRID=4490;{shape.wkt}"))
    return engine


def today(engine: Engine) -> Rows:
    with reading(engine) as conn:
        return [(f.code, f.geometry) for f in features.load_features(conn, world.COUNTY, "grids", columns=())]


def vector(path: Path, rows: Rows, *, encoding: str | None = None, **columns: list[str]) -> Path:
    """A file with a code, a geometry and more columns for each row."""
    driver = {".gpkg": "GPKG", ".geojson": "GeoJSON", ".shp": "ESRI Shapefile"}[path.suffix]
    fields = {"code": [code for code, _ in rows], **columns}
    pyogrio.raw.write(
        path,
        shapely.to_wkb([shape for _, shape in rows]),
        [np.array(values, dtype=object) for values in fields.values()],
        np.array(list(fields), dtype=object),
        driver=driver,
        geometry_type="Unknown" if driver != "ESRI Shapefile" else "MultiPolygon",
        crs="EPSG:4326" if driver == "GeoJSON" else "EPSG:4490",
        encoding=encoding,
    )
    return path


def plan(engine: Engine, file: Path, **options: Any) -> GridPlan:
    with reading(engine) as conn:
        return plan_grids(conn, file, ImportOptions(**{"county": world.COUNTY, **options}))


def keep(engine: Engine, found: GridPlan, id: str = "s1") -> ChangeSet:
    with writing(engine) as conn:
        return keep_grids(
            conn, found, id=id, name="Survey", reason=Reason.REDIGITISATION, note="", actor="Wang", at=world.T0
        )


def sets(engine: Engine) -> list[ChangeSet]:
    with reading(engine) as conn:
        return drafts.load_all(conn, world.COUNTY)


def moved(rows: Rows, east: float = 0.01) -> Rows:
    """The border between the first community's two grids moved."""
    border = 126.1

    def move(xy: Any) -> Any:
        return xy + np.where(np.abs(xy[:, :1] - border) < 1e-9, [[east, 0.0]], [[0.0, 0.0]])

    return [(code, shapely.transform(shape, move) if code in (G1, G2) else shape) for code, shape in rows]


def draft_of(engine: Engine, found: ChangeSet) -> Any:
    with reading(engine) as conn:
        stored = drafts.edits(conn, world.COUNTY, found.id)
        overlay = drafts.overlay(drafts.in_force(found, stored))
        return load_ground(conn, world.COUNTY, found.communities, overlay)


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".geojson"])
def test_an_export_that_comes_back_changes_nothing(county: Engine, tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"grids{suffix}"
    with reading(county) as conn:
        listing = outgoing.listing_of(conn, world.COUNTY, date(2026, 11, 22))
        outgoing.write_grids(file, outgoing.masked(listing), WORDS)
    found = plan(county, file)
    assert (found.report.unchanged, found.edits, found.report.errors) == (8, [], [])
    with pytest.raises(NothingNew):
        keep(county, found)
    assert sets(county) == []


def test_the_whole_demo_county_comes_back_unchanged_even_when_rounded(engine: Engine, tmp_path: Path) -> None:
    save_county(engine, demo.county())
    with reading(engine) as conn:
        grids = features.load_features(conn, world.COUNTY, "grids", columns=())
    rounded = [(f.code, shapely.transform(f.geometry, lambda xy: xy.round(7))) for f in grids]
    found = plan(engine, vector(tmp_path / "grids.geojson", rounded))
    assert (found.report.errors, found.edits) == ([], [])
    assert found.report.unchanged == len(grids) > 200


def test_a_moved_border_is_one_edit_of_its_community(county: Engine, tmp_path: Path) -> None:
    found = plan(county, vector(tmp_path / "a.gpkg", moved(today(county))))
    assert found.report.matched_by_code == 8
    assert found.report.unchanged == 6
    made = keep(county, found)
    assert (made.origin, made.communities, made.length, made.author) == ("import", (world.C1,), 1, "Wang")
    ground = draft_of(county, made)
    assert ground.coverage[G1].bounds[2] == pytest.approx(126.11)
    assert [p for p in problems_of(ground) if p.new and p.severity == "error"] == []
    with writing(county) as conn:
        undone = drafts.step(conn, world.COUNTY, made, -1, world.T0)
    assert draft_of(county, undone).coverage[G1].equals(draft_of(county, undone).published[G1])


def test_a_community_that_is_not_in_the_file_stays(county: Engine, tmp_path: Path) -> None:
    rows = [(code, shape) for code, shape in moved(today(county)) if code.startswith(world.C1)]
    found = plan(county, vector(tmp_path / "a.gpkg", rows))
    assert (found.report.read, found.report.ended, list(found.communities)) == (2, [], [world.C1])


def test_new_codes_are_matched_by_ground_and_the_rest_is_new(county: Engine, tmp_path: Path) -> None:
    west, east = (shape for code, shape in today(county) if code in (G1, G2))
    middle = (east.bounds[0] + east.bounds[2]) / 2
    a, b = (shapely.box(*side) for side in ((126.1, 43.0, middle + 0.01, 43.1), (middle + 0.01, 43.0, 126.2, 43.1)))
    rows = [(f"{world.C1}701", west), (f"{world.C1}702", a), ("", b)]
    found = plan(county, vector(tmp_path / "a.gpkg", rows))
    report = found.report
    assert (report.matched_by_code, report.matched_by_overlap, report.new, report.ended) == (0, 2, 1, [])
    assert [(one.row, one.given[-3:], one.code, one.how) for one in report.recoded] == [
        (1, "701", G1, "overlap"),
        (2, "702", G2, "overlap"),
        (3, "", "", "new"),
    ]
    assert [note.key for note in report.notes] == ["codes_not_kept"]
    ground = draft_of(county, keep(county, found))
    (new,) = [code for code in ground.own() if code not in (G1, G2)]
    assert new == f"{world.C1}n01"
    assert shapely.equals_exact(shapely.normalize(ground.coverage[new]), shapely.normalize(b), 1e-9)


def test_a_code_of_an_ended_grid_is_not_used_again(county: Engine, tmp_path: Path) -> None:
    gone = f"{world.C1}009"
    row = {"county": world.COUNTY, "code": gone, "community": world.C1, "ended_at": world.T0}
    with writing(county) as conn:
        shape = shapely.MultiPolygon([shapely.box(126.0, 43.0, 126.1, 43.1)])
        conn.execute(insert(past_grids), {**row, "geom": f"SRID=4490;{shape.wkt}"})
    half = shapely.box(126.15, 43.0, 126.2, 43.1)
    rows = [(G1, today(county)[0][1]), (G2, shapely.box(126.1, 43.0, 126.15, 43.1)), (gone, half)]
    found = plan(county, vector(tmp_path / "a.gpkg", rows))
    assert [(note.key, note.params["codes"]) for note in found.report.notes] == [("codes_ended", gone)]
    assert f"{world.C1}n01" in draft_of(county, keep(county, found)).coverage


def test_grids_that_the_file_leaves_out_end_and_the_gap_is_told(county: Engine, tmp_path: Path) -> None:
    rows = [(code, shape) for code, shape in today(county) if code != G2]
    found = plan(county, vector(tmp_path / "a.gpkg", rows))
    assert list(found.report.ended) == [G2]
    assert [note.key for note in found.report.notes] == ["draft_problems"]
    ground = draft_of(county, keep(county, found))
    assert G2 not in ground.coverage
    assert "gap" in {p.kind for p in problems_of(ground) if p.new and p.severity == "error"}


def test_overlaps_in_the_file_are_problems_of_the_draft(county: Engine, tmp_path: Path) -> None:
    rows = today(county)
    rows[0] = (G1, shapely.box(126.0, 43.0, 126.12, 43.1))
    ground = draft_of(county, keep(county, plan(county, vector(tmp_path / "a.gpkg", rows))))
    assert "overlap" in {p.kind for p in problems_of(ground) if p.new and p.severity == "error"}


def test_ground_of_a_community_that_is_not_in_the_file_can_not_be_taken(county: Engine, tmp_path: Path) -> None:
    rows = [(G1, today(county)[0][1]), (G2, shapely.box(126.1, 43.0, 126.25, 43.1))]
    found = plan(county, vector(tmp_path / "a.gpkg", rows))
    (error,) = found.report.errors
    assert (type(error).__name__, error.params["row"], error.params["field"]) == ("GridOnOthersGround", 2, "geometry")
    with pytest.raises(ImportRefused):
        keep(county, found)


def test_ground_that_moves_between_communities_of_the_file_is_one_edit(county: Engine, tmp_path: Path) -> None:
    rows = dict(today(county))
    rows[G2] = shapely.box(126.1, 43.0, 126.25, 43.1)
    rows[f"{world.C2}001"] = shapely.box(126.25, 43.0, 126.3, 43.1)
    found = plan(county, vector(tmp_path / "a.gpkg", list(rows.items())))
    assert found.report.errors == []
    made = keep(county, found)
    assert (made.length, set(made.communities)) == (1, {world.C1, world.C2})
    assert draft_of(county, made).coverage[G2].bounds[2] == pytest.approx(126.25)


def test_centimetres_are_no_change(county: Engine, tmp_path: Path) -> None:
    shaken = [(code, shapely.transform(shape, lambda xy: xy + CM * 3)) for code, shape in today(county)]
    assert plan(county, vector(tmp_path / "a.gpkg", shaken)).edits == []
    far = [(code, shapely.transform(shape, lambda xy: xy - CM * 300)) for code, shape in today(county)]
    assert plan(county, vector(tmp_path / "b.gpkg", far)).edits != []


def test_attributes_come_along_and_masked_phones_do_not(county: Engine, tmp_path: Path) -> None:
    rows = today(county)
    columns = {"name": [NAME, *[""] * 7], "leader": ["Li", *[""] * 7], "leader_phone": ["138****1234", *[""] * 7]}
    found = plan(county, vector(tmp_path / "a.gpkg", rows, **columns))
    ((_, edit, values),) = found.edits
    assert (dict(edit.after), values) == ({}, {G1: {"name": NAME, "leader": "Li"}})


def test_a_zipped_shapefile_in_gbk_without_cpg(county: Engine, tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    vector(made / "grids.shp", today(county), encoding="GBK", name=[NAME] * 8)
    (made / "grids.cpg").unlink()
    with zipfile.ZipFile(tmp_path / "grids.zip", "w") as archive:
        for part in made.iterdir():
            archive.write(part, part.name)
    found = plan(county, tmp_path / "grids.zip")
    assert [(n.key, n.params["encoding"]) for n in found.report.notes] == [("encoding_guessed", "GB18030")]
    assert {text["name"] for _, _, values in found.edits for text in values.values()} == {NAME}


@pytest.mark.parametrize(("shift", "shifted"), [("gcj02", gcj02_from_wgs84), ("bd09", bd09_from_wgs84)])
@pytest.mark.parametrize("part", ["county", "community"])
def test_shifted_coordinates_wait_for_a_decision(
    county: Engine, tmp_path: Path, shift: str, shifted: Any, part: str
) -> None:
    rows = [(c, shapely.transform(s, shifted)) for c, s in moved(today(county)) if part == "county" or c in (G1, G2)]
    file = vector(tmp_path / "a.gpkg", rows)
    found = plan(county, file)
    (error,) = found.report.errors
    assert (type(error).__name__, error.params["value"], error.params["remedy"]) == (
        "ShiftUndecided",
        shift,
        "--accept-offset",
    )
    with pytest.raises(ImportRefused):
        keep(county, found)
    corrected = plan(county, file, accept_offset=shift)
    assert (corrected.report.errors, list(corrected.communities)) == ([], [world.C1])
    ground = draft_of(county, keep(county, corrected))
    assert ground.coverage[G1].bounds[2] == pytest.approx(126.11, abs=1e-6)
    assert [p for p in problems_of(ground) if p.new and p.severity == "error"] == []


def test_every_wrong_row_is_named_and_nothing_is_kept(county: Engine, tmp_path: Path) -> None:
    rows = today(county)
    rows[1] = (G1, rows[1][1])
    rows[2] = ("990000000000001", rows[2][1])
    rows[3] = (rows[3][0], shapely.from_wkt("POLYGON ((126 43, 126.1 43.1, 126.1 43, 126 43.1, 126 43))"))
    rows[4] = (rows[4][0], shapely.Point(126.1, 43.1))
    rows[5] = (rows[5][0], None)
    found = plan(county, vector(tmp_path / "a.gpkg", rows))
    said = {(type(error).__name__, error.params["row"]) for error in found.report.errors}
    assert said == {
        ("DuplicateGrid", 2),
        ("UnknownGridCommunity", 3),
        ("BrokenGeometry", 4),
        ("WrongGeometry", 5),
        ("NoGeometry", 6),
    }
    with pytest.raises(ImportRefused):
        keep(county, found)
    assert sets(county) == []


def test_a_file_without_rows(county: Engine, tmp_path: Path) -> None:
    (tmp_path / "a.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    with pytest.raises(EmptyFile):
        plan(county, tmp_path / "a.geojson")


MAPPING = """
[county]
code = "25017"
[layers.communities]
dissolve = true
[layers.communities.columns]
code = "{STFID:.11}"
[layers.grids.columns]
code = "{STFID}"
community = "{STFID:.11}"
"""
BLOCKS_2000 = 886


def census_of_2010(folder: Path, tracts: set[str]) -> tuple[Path, int]:
    """The blocks of 2010 in the tracts of 2000: two of these were divided, so their blocks come without a code."""
    divided = {tract[:9] for tract in ("25017352100", "25017353100")}
    document = json.loads(gzip.decompress((CAMBRIDGE / "cambridge_blocks2010.geojson.gz").read_bytes()))
    kept = []
    for feature in document["features"]:
        code = feature["properties"]["GEOID10"]
        if code[:11] in tracts or code[:9] in divided:
            kept.append({**feature, "properties": {"code": code if code[:11] in tracts else ""}})
    file = folder / "blocks2010.geojson"
    file.write_text(json.dumps({**document, "features": kept}))
    return file, len(kept)


@pytest.mark.skipif(not CAMBRIDGE.is_dir(), reason="Cambridge's files (../shared/data) are not here")
def test_one_census_over_another(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "mapping.toml").write_text(MAPPING)
    options = ImportOptions(mapping=str(tmp_path / "mapping.toml"))
    for layer in ("grids", "communities"):
        with writing(engine) as conn:
            apply_import(conn, plan_import(conn, layer, [CAMBRIDGE / "cambridge_blocks2000.geojson.gz"], options))
    with reading(engine) as conn:
        tracts = {f.code for f in features.load_features(conn, "25017", "communities", columns=())}
    file, n = census_of_2010(tmp_path, tracts)
    found = plan(engine, file, county="25017")
    report = found.report
    assert (report.errors, report.read) == ([], n)
    assert report.matched_by_code > 600
    assert report.matched_by_overlap > 100
    assert report.matched_by_code + report.matched_by_overlap + report.new == n
    assert len(report.ended) == BLOCKS_2000 - report.matched_by_code - report.matched_by_overlap
    assert len({one.code for one in report.recoded if one.code}) == report.matched_by_overlap  # one to one
    assert "draft_problems" in {note.key for note in report.notes}  # another survey: its outline differs by metres
    made = keep(engine, found)
    with writing(engine) as conn:
        stored = drafts.edits(conn, "25017", made.id)
        ground = load_ground(conn, "25017", made.communities, drafts.overlay(drafts.in_force(made, stored)))
        assert len(ground.own()) == n
        undone = drafts.step(conn, "25017", made, -len(stored), world.T0)
        assert drafts.overlay(drafts.in_force(undone, stored)).codes == ()

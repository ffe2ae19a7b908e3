"""A real city on both stores: everything Cambridge publishes goes in, its people can be evacuated, and how fast."""

import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from pingji.data import features
from pingji.data.check import check
from pingji.data.engine import reading, writing
from pingji.data.files import ImportOptions, ImportPlan, apply_import, plan_import
from pingji.data.files.county import outline_of
from pingji.data.journal import latest
from pingji.data.operations import open_operation
from pingji.data.people import people_of
from pingji.data.scopes import find_scope
from pingji.data.tables import LAYER_TABLES, occupancy, whereabouts
from pingji.geo.crs import metric_crs

COUNTY = "25017"
CAMBRIDGE = Path(__file__).parents[3] / "shared" / "data" / "cambridge"
FILES = {
    "grids": ("blocks2010.geojson.gz",),
    "communities": ("blocks2010.geojson.gz",),
    "shelters": ("PUBLICSAFETY_EmergencyShelters.geojson",),
    "danger_zones": ("FEMA_FloodPlains100Year.geojson", "FEMA_FloodPlains500Year.geojson.gz"),
    "households": ("blocks2000.geojson.gz",),
    "roads": ("TRANS_Centerlines.geojson.gz",),
    "rivers": ("HYDRO_WaterBodies.geojson.gz",),
}
KEPT = {
    "grids": 1201,
    "communities": 45,
    "shelters": 15,
    "danger_zones": 39,
    "households": 683,
    "roads": 2643,
    "rivers": 74,
}
DROPPED = {"danger_zones": {"duplicate": 21}, "households": {"filtered": 203}}
PEOPLE, PEOPLE_IN_ZONES, BLOCKS_IN_ZONES = 101_355, 2_040, 22
IN_A_ZONE = "SH-02"  # Tobin School
IMPORT_S = 30.0  # a tenth of that on an idle machine

pytestmark = pytest.mark.skipif(not CAMBRIDGE.is_dir(), reason="Cambridge's files (../shared/data) are not here")


def fill(engine: Engine) -> dict[str, ImportPlan]:
    """Import the whole city, layer by layer."""
    plans = {}
    for layer, names in FILES.items():
        files = [CAMBRIDGE / f"cambridge_{name}" for name in names]
        with writing(engine) as conn:
            plans[layer] = plan_import(conn, layer, files, ImportOptions(mapping="cambridge"))
            apply_import(conn, plans[layer], actor="test", at=1)
    return plans


def test_the_city_is_imported_checked_and_evacuated(engine: Engine) -> None:
    began = time.perf_counter()
    plans = fill(engine)
    took = time.perf_counter() - began
    rows = sum(KEPT.values())
    print(f"\nCambridge into {engine.dialect.name}: {rows} rows in {took:.1f} s, {rows / took:,.0f} rows/s")
    assert took < IMPORT_S
    assert {layer: plan.report.kept for layer, plan in plans.items()} == KEPT
    assert {layer: plan.report.dropped for layer, plan in plans.items() if plan.report.dropped} == DROPPED

    with writing(engine) as conn:
        outline = outline_of(conn, COUNTY)
        assert outline is not None
        assert metric_crs(outline.centroid.x, outline.centroid.y).to_epsg() == 32619

        entries = latest(conn, COUNTY, 20)
        assert [(e.action, e.detail["layer"], e.detail["n"]) for e in reversed(entries)] == [
            ("import", layer, n) for layer, n in KEPT.items()
        ]
        assert entries[0].detail["file"] == "cambridge_HYDRO_WaterBodies.geojson.gz"

        h = LAYER_TABLES["households"].c
        homes = conn.execute(select(h.code, h.name, h.source, h.residents, h.zone, h.township)).all()
        assert sum(home.residents for home in homes) == PEOPLE
        assert all(home.name.startswith("Census block ") and "not a household" in home.source for home in homes)
        assert {home.township for home in homes} == {"25017001"}
        shelters = features.load_features(conn, COUNTY, "shelters")
        assert {s.values["township"] for s in shelters} == {"25017001"}
        assert all(s.values["community"] for s in shelters)

        found = Counter((f.severity, f.rule) for f in check(conn, COUNTY))
        assert found == {
            ("error", "zone_incomplete"): 39,
            ("error", "shelter_in_zone"): 1,
            ("warning", "grid_size"): 1201,
        }

        scope = find_scope(conn, COUNTY, COUNTY)
        assert scope is not None
        assert open_operation(conn, scope, "op", True, 2) == PEOPLE_IN_ZONES
        w, o = whereabouts.c, occupancy.c
        called = conn.scalars(select(w.household).where(w.operation == "op").distinct()).all()
        assert len(called) == BLOCKS_IN_ZONES
        largest = max((home for home in homes if home.zone), key=lambda home: home.residents)
        ids = [p.id for p in people_of(conn, COUNTY, [largest.code], ["op"])]
        assert sorted(ids) == sorted(f"{largest.code}-{n}" for n in range(1, largest.residents + 1))
        status = {r.place: r.status for r in conn.execute(select(o.place, o.status).where(o.operation == "op"))}
        assert status.pop(IN_A_ZONE) == "closed"
        assert len(status) == 14
        assert set(status.values()) == {"accepting"}


def test_a_second_import_names_the_field_of_the_file(engine: Engine) -> None:
    with writing(engine) as conn:
        files = [CAMBRIDGE / f"cambridge_{name}" for name in FILES["grids"]]
        apply_import(conn, plan_import(conn, "grids", files, ImportOptions(mapping="cambridge")))
    with reading(engine) as conn:
        again = plan_import(conn, "grids", files, ImportOptions(mapping="cambridge"))
    assert len(again.report.errors) == KEPT["grids"]
    assert {type(error).__name__ for error in again.report.errors} == {"DuplicateCode"}
    assert again.report.errors[0].params["field"] == "GEOID10"

"""A real city in a real browser: the same screens on Cambridge, and people of its census blocks arriving."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uuid_utils

from pingji.data import schema
from pingji.data.engine import open_engine, writing
from pingji.data.files import ImportOptions, apply_import, plan_import
from tests.browser.conftest import OpenPage, Server

COUNTY = "25017"
CAMBRIDGE = Path(__file__).parents[3] / "shared" / "data" / "cambridge"
FILES = {
    "communities": ("blocks2010.geojson.gz",),
    "shelters": ("PUBLICSAFETY_EmergencyShelters.geojson",),
    "danger_zones": ("FEMA_FloodPlains100Year.geojson", "FEMA_FloodPlains500Year.geojson.gz"),
    "households": ("blocks2000.geojson.gz",),
    "rivers": ("HYDRO_WaterBodies.geojson.gz",),
}
PEOPLE_IN_ZONES = 2_040

pytestmark = pytest.mark.skipif(not CAMBRIDGE.is_dir(), reason="Cambridge's files (../shared/data) are not here")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Pingji on Cambridge; grids and roads are left out to be quick."""
    room = tmp_path_factory.mktemp("cambridge")
    engine = open_engine(f"sqlite:///{room / 'pingji.db'}")
    schema.upgrade(engine)
    for layer, names in FILES.items():
        with writing(engine) as conn:
            files = [CAMBRIDGE / f"cambridge_{name}" for name in names]
            apply_import(conn, plan_import(conn, layer, files, ImportOptions(mapping="cambridge")), actor="test")
    engine.dispose()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.browser.conftest.COUNTY", COUNTY)
        running = Server(room / "pingji.db", room / "log")
    running.start()
    yield running
    running.kill()


def test_the_city_is_shown_evacuated_and_counted(server: Server, open_page: OpenPage) -> None:
    wall, shelters = open_page("/wall"), open_page("/shelters", 1024, 768)
    wall.get_by_text("Cambridge, Massachusetts").first.wait_for()
    shelters.get_by_text("Tobin School").first.wait_for()

    press = {"press_id": str(uuid.uuid4()), "scope": COUNTY, "to": "emergency", "level": 2}
    server.post("modes", {**press, "exercise": True, "reason": "test"})
    wall.get_by_text(f"{PEOPLE_IN_ZONES:,}").first.wait_for(timeout=5_000)
    status = {place["code"]: place["status"] for place in server.get("places")}
    assert status.pop("SH-02") == "closed"  # Tobin School lies in a danger zone
    assert set(status.values()) == {"accepting"}

    block = "B2000-250173546004004"
    ids = [person["id"] for person in server.get("people", household=block)]
    assert len(ids) == 335
    said = {"device": "phone", "kind": "arrive", "place": "SH-01", "household": block}
    said["occurred_at"] = datetime.now(UTC).isoformat()
    arrivals = [{**said, "id": str(uuid_utils.uuid7()), "sequence": n, "person": id} for n, id in enumerate(ids[:200])]
    assert len(server.post("movements", {"movements": arrivals})["accepted"]) == 200
    wall.get_by_text(f"{PEOPLE_IN_ZONES - 200:,}").first.wait_for(timeout=5_000)
    shelters.get_by_text("Kennedy / Longfellow School").first.wait_for()
    assert shelters.get_by_text("200", exact=True).count() > 0
    sheet = server.get("balance", scope=COUNTY)["persons"]
    assert (sheet["accounted"]["sheltered_together"], sheet["remainder_total"]) == (200, PEOPLE_IN_ZONES - 200)

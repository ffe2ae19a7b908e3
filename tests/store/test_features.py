"""The door to the layer tables: the same GeoJSON and the same hits on both stores."""

import json
from typing import Any

import pytest
import shapely
from sqlalchemy import Engine

from pingji.data import features
from pingji.data.engine import reading, writing
from pingji.data.errors import UnknownLayer
from pingji.data.tables import LAYER_TABLES
from tests import shapes

COUNTY = "220221"
LEFT, RIGHT = shapely.box(126.0, 43.0, 126.1, 43.1), shapely.box(126.1, 43.0, 126.2, 43.1)


@pytest.fixture
def filled(engine: Engine) -> Engine:
    with writing(engine) as conn:
        grids = [{"code": "G1", "name": "Oak", "geom": LEFT}, {"code": "G2", "leader": "x", "geom": RIGHT}]
        assert features.insert(conn, COUNTY, "grids", grids) == 2
        roads = [
            {"code": f"R{i}", "name": f"Oak {i}%", "geom": shapely.LineString([(126, 43), (127, 44)])} for i in "67"
        ]
        features.insert(conn, COUNTY, "roads", roads)
        features.insert(conn, "other", "grids", [{"code": "G9", "name": "Oak", "geom": LEFT}])
        homes = [{"code": f"H{i}", "name": f"Oak {i}%", "geom": shapely.Point(126 + i / 100, 43)} for i in range(10)]
        features.insert(conn, COUNTY, "households", [*homes, {"code": "H", "geom": shapes.POINT}])
        zone = {"code": "Z1", "grade": "high", "thresholds": {"1": [30, 40]}, "geom": shapes.MULTIPART}
        features.insert(conn, COUNTY, "danger_zones", [zone])
    return engine


def geojson(engine: Engine, layer: str, **options: Any) -> Any:
    with reading(engine) as conn:
        return json.loads(features.geojson(conn, COUNTY, layer, **options))


def test_a_feature_collection(filled: Engine) -> None:
    found = geojson(filled, "grids", fields=["name", "leader"])
    assert found["type"] == "FeatureCollection"
    assert [(f["id"], f["properties"]) for f in found["features"]] == [
        ("G1", {"name": "Oak", "leader": ""}),
        ("G2", {"name": "", "leader": "x"}),
    ]
    assert found["features"][0]["geometry"]["type"] == "MultiPolygon"
    assert set(found["features"][0]) == {"type", "id", "geometry", "properties"}


def test_seven_digits_and_nested_values(filled: Engine) -> None:
    homes = geojson(filled, "households", fields=[], bounds=(126.12, 43.9, 126.13, 44.0))["features"]
    assert [h["geometry"]["coordinates"] for h in homes] == [[126.1234568, 43.9876543]]
    zone = geojson(filled, "danger_zones", fields=["thresholds"])["features"][0]
    assert zone["properties"] == {"thresholds": {"1": [30, 40]}}
    assert len(zone["geometry"]["coordinates"]) == 2


def test_boxes_limits_conditions_and_simplification(filled: Engine) -> None:
    def ids(**options: Any) -> list[str]:
        return sorted(f["id"] for f in geojson(filled, "households", fields=[], **options)["features"])

    assert ids(bounds=(125.9, 42.9, 126.015, 43.1)) == ["H0", "H1"]
    assert len(ids(limit=3)) == 3
    assert ids(where=LAYER_TABLES["households"].c.code.startswith("H7")) == ["H7"]
    assert len(geojson(filled, "grids", fields=[], simplify_deg=0.01)["features"]) == 2
    assert geojson(filled, "rivers", fields=["name"])["features"] == []


def test_loading_is_by_code(filled: Engine) -> None:
    with reading(filled) as conn:
        one, two = features.load_features(conn, COUNTY, "grids", columns=["name"])
        assert (one.code, one.values, two.code) == ("G1", {"name": "Oak"}, "G2")
        assert shapely.equals(one.geometry, LEFT)
        assert features.count(conn, COUNTY, "households") == 11


def test_search_puts_the_best_first_and_stays_in_the_county(filled: Engine) -> None:
    with reading(filled) as conn:
        hits = features.find(conn, COUNTY, "oak", limit=3)
        assert [hit.code for hit in hits] == ["G1", "R6", "R7"]
        assert features.find(conn, COUNTY, "G1")[0] == features.Found("grids", "G1", "Oak", LEFT.bounds)
        assert [hit.code for hit in features.find(conn, COUNTY, "7%")] == ["R7"]
        # Of persons only the whole name is found: the store has it sealed.
        assert [hit.code for hit in features.find(conn, COUNTY, "Oak 7%")] == ["H7", "R7"]
        assert [hit.name for hit in features.find(conn, COUNTY, "H7")] == ["Oak 7%"]
        assert features.find(conn, COUNTY, " ") == []
        assert features.find(conn, COUNTY, "G9") == []


def test_an_unknown_layer(filled: Engine) -> None:
    with reading(filled) as conn, pytest.raises(UnknownLayer):
        features.count(conn, COUNTY, "castles")

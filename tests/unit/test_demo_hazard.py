"""Danger zones of the demo county, and the places that people go to."""

import numpy as np
import shapely

from tests.demo import county, shapes

_METRES = 111_320 * 0.72


def test_zones_are_of_three_grades_apart_and_hold_the_wanted_number() -> None:
    rows = county().rows["danger_zones"]
    assert 60 <= len(rows["code"]) <= 90
    assert set(rows["grade"]) == {"danger", "high", "extreme"}
    assert 11_000 <= sum(rows["resident_count"]) <= 14_000
    assert min(rows["household_count"]) >= 10
    zones = shapes("danger_zones")
    a, b = shapely.STRtree(zones).query(zones, predicate="overlaps")
    assert not len(a)
    assert not len(b)
    assert len(set(rows["name"])) == len(rows["name"])


def test_each_zone_is_complete() -> None:
    rows = county().rows["danger_zones"]
    for name in (
        "route",
        "river",
        "transfer_point",
        "backup_transfer_point",
        "county_holder",
        "county_holder_phone",
        "township_holder",
        "township_holder_phone",
        "village_holder",
        "village_holder_phone",
    ):
        assert all(rows[name]), name
    for a, b, limits in zip(rows["transfer_point"], rows["backup_transfer_point"], rows["thresholds"], strict=True):
        assert a != b
        assert list(limits) == ["0.5", "1", "3", "6", "24"]
        assert all(prepare < immediate for prepare, immediate in limits.values())


def test_no_refuge_lies_in_a_zone_and_each_zone_has_one_near() -> None:
    rows, tree = county().rows, shapely.STRtree(shapes("danger_zones"))
    for layer in ("transfer_points", "shelters"):
        assert not tree.query(shapes(layer), predicate="intersects").size
    where = dict(zip(rows["transfer_points"]["code"], shapes("transfer_points"), strict=True))
    for zone, code in zip(shapes("danger_zones"), rows["danger_zones"]["transfer_point"], strict=True):
        assert zone.distance(where[code]) * _METRES < 3000


def test_shelters_hold_what_their_area_allows_and_who_is_sent_there() -> None:
    rows = county().rows
    s = rows["shelters"]
    assert [int(a // m) for a, m in zip(s["usable_area_m2"], s["standard_m2"], strict=True)] == s["capacity"]
    sent: dict[str, int] = {}
    h = rows["households"]
    for zone, shelter, point, escort, deputy, n in zip(
        h["zone"], h["shelter"], h["transfer_point"], h["escort"], h["escort_deputy"], h["residents"], strict=True
    ):
        assert bool(zone) == bool(shelter) == bool(point) == bool(escort) == bool(deputy)
        sent[shelter] = sent.get(shelter, 0) + n
    room = dict(zip(s["code"], s["capacity"], strict=True))
    full = [sent[c] / room[c] for c in room if c in sent]
    assert max(full) <= 1
    assert sum(f > 0.95 for f in full) >= 5, "some are nearly full"


def test_one_care_home_lies_in_a_zone_without_a_plan() -> None:
    rows = county().rows["institutions"]
    homes = [
        k
        for k, kind in enumerate(rows["kind"])
        if kind == "care_home" and rows["zone"][k] and not rows["transfer_point"][k]
    ]
    assert len(homes) == 1
    assert rows["head_count"][homes[0]] > 0
    number = county().rows["danger_zones"]["code"].index(rows["zone"][homes[0]])
    assert shapes("danger_zones")[number].covers(shapes("institutions")[homes[0]])


def test_codes_are_unique_and_everything_has_one() -> None:
    for table, columns in county().rows.items():
        if "geom" in columns:
            assert len(set(columns["code"])) == len(columns["code"]), table
            assert not shapely.is_empty(np.array(list(columns["geom"]), dtype=object)).any()
            assert all(len(v) == len(columns["code"]) for v in columns.values()), table

"""The check: each rule is broken once, alone, and found; a sound county has no finding."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import shapely
from sqlalchemy import Connection, Engine, insert, update

from pingji.dashboard.texts import t
from pingji.data import features
from pingji.data.check import Finding, Limits, check
from pingji.data.engine import writing
from pingji.data.tables import LAYER_TABLES, movement, occupancy, operation
from pingji.geo.gcj02 import gcj02_from_wgs84

COUNTY = "220221"
LIMITS = Limits(households_low=1, households_high=3)
TODAY = date(2026, 7, 14)
LEFT, RIGHT = shapely.box(126.0, 43.0, 126.1, 43.1), shapely.box(126.1, 43.0, 126.2, 43.1)
GROUND = shapely.box(126.0, 43.0, 126.2, 43.1)
ZONE = {
    "code": "Z1",
    "grade": "high",
    "route": "R1",
    "transfer_point": "T1",
    "county_holder": "A",
    "township_holder": "B",
    "village_holder": "C",
    "thresholds": {"1": [30, 40]},
    "geom": shapely.box(126.01, 43.01, 126.02, 43.02),
}
SOUND: dict[str, list[dict[str, Any]]] = {
    "area": [{"code": COUNTY, "level": "county", "geom": GROUND}],
    "communities": [{"code": "C1", "geom": GROUND}],
    "grids": [{"code": "G1", "community": "C1", "geom": LEFT}, {"code": "G2", "community": "C1", "geom": RIGHT}],
    "households": [
        {"code": "H1", "grid": "G1", "residents": 3, "shelter": "S1", "geom": shapely.Point(126.05, 43.05)},
        {"code": "H2", "grid": "G2", "residents": 2, "shelter": "S1", "geom": shapely.Point(126.15, 43.05)},
    ],
    "danger_zones": [ZONE],
    "transfer_points": [{"code": "T1", "capacity": 9, "geom": shapely.Point(126.06, 43.06)}],
    "shelters": [{"code": "S1", "capacity": 5, "geom": shapely.Point(126.07, 43.07)}],
    "roads": [{"code": "R1", "geom": shapely.LineString([(126.015, 43.015), (126.06, 43.06)])}],
    "posts": [
        {"code": "P1", "kind": "checkpoint", "holder": "D", "shift": "2026-07-14", "geom": shapely.Point(126.05, 43.05)}
    ],
}


def fill(conn: Connection) -> None:
    for layer, rows in SOUND.items():
        features.insert(conn, COUNTY, layer, rows)


def change(layer: str, code: str, **values: object) -> Callable[[Connection], None]:
    def apply(conn: Connection) -> None:
        table = LAYER_TABLES[layer]
        if "geom" in values:
            row = next(row for row in SOUND[layer] if row["code"] == code)
            conn.execute(table.delete().where(table.c.code == code))
            features.insert(conn, COUNTY, layer, [{**row, **values}])
        else:
            conn.execute(update(table).where(table.c.code == code).values(values))

    return apply


def add(layer: str, *rows: dict[str, Any]) -> Callable[[Connection], None]:
    return lambda conn: features.insert(conn, COUNTY, layer, rows) and None


def moves(*statements: tuple[str, str, str, int]) -> Callable[[Connection], None]:
    """(device, kind, place, time) about one person, in an open operation."""

    def apply(conn: Connection) -> None:
        conn.execute(
            insert(operation), {"county": COUNTY, "id": "O", "scope": COUNTY, "exercise": True, "started_at": 1}
        )
        for place, kind in (("T1", "transfer_point"), ("T2", "transfer_point"), ("S1", "shelter")):
            row = {"place": place, "kind": kind, "status": "open", "capacity": 9}
            conn.execute(insert(occupancy), {"county": COUNTY, "operation": "O", **row})
        for i, (device, kind, place, at) in enumerate(statements):
            row = {"device": device, "sequence": i, "id": f"m{i}", "kind": kind, "place": place, "person": "H1-1"}
            times = {"household": "H1", "occurred_at": at, "clock": at, "received_at": at}
            conn.execute(insert(movement), {"county": COUNTY, "operation": "O", **row, **times})

    return apply


def findings(engine: Engine, breaking: Callable[[Connection], None]) -> list[Finding]:
    with writing(engine) as conn:
        fill(conn)
        breaking(conn)
        return check(conn, COUNTY, limits=LIMITS, today=TODAY)


def point_layer(n: int) -> list[dict[str, Any]]:
    xs = [126.1999, 126.1995, 126.1998, 126.1997]
    points = gcj02_from_wgs84(shapely.get_coordinates([shapely.Point(x, 43.05) for x in xs[:n]]))
    return [{"code": f"I{i}", "kind": "school", "geom": shapely.Point(p)} for i, p in enumerate(points)]


def test_a_sound_county_has_no_finding(engine: Engine) -> None:
    assert findings(engine, lambda conn: None) == []


BROKEN = [
    ("overlap", "grids", "G1", change("grids", "G2", geom=shapely.box(126.09, 43.0, 126.2, 43.1))),
    ("gap", "grids", "G1", change("grids", "G2", geom=shapely.box(126.12, 43.0, 126.2, 43.1))),
    ("outside_parent", "grids", "G2", change("grids", "G2", geom=shapely.box(126.1, 43.0, 126.21, 43.1))),
    ("unknown_reference", "grids", "G2", change("grids", "G2", community="C9")),
    ("household_outside_grid", "households", "H1", change("households", "H1", grid="G2")),
    ("zone_incomplete", "danger_zones", "Z1", change("danger_zones", "Z1", route="")),
    ("zone_incomplete", "danger_zones", "Z1", change("danger_zones", "Z1", village_holder="")),
    ("unknown_reference", "danger_zones", "Z1", change("danger_zones", "Z1", transfer_point="T9")),
    ("shelter_in_zone", "shelters", "S1", change("shelters", "S1", geom=shapely.Point(126.015, 43.015))),
    ("thresholds", "danger_zones", "Z1", change("danger_zones", "Z1", thresholds={"3": [50, 40]})),
    ("outside_county", "shelters", "S1", change("shelters", "S1", geom=shapely.Point(127.0, 43.05))),
    ("shifted", "institutions", "", add("institutions", *point_layer(4))),
    (
        "route_crosses_zone",
        "danger_zones",
        "Z1",
        add(
            "danger_zones",
            {**ZONE, "code": "Z2", "route": "by foot", "geom": shapely.box(126.03, 43.03, 126.04, 43.04)},
        ),
    ),
    (
        "grid_size",
        "grids",
        "G1",
        add("households", *({**SOUND["households"][0], "code": f"X{i}", "residents": 0} for i in range(3))),
    ),
    ("more_households_than_people", "grids", "G2", change("households", "H2", residents=0)),
    ("over_capacity", "shelters", "S1", change("shelters", "S1", capacity=4)),
    ("stale_roster", "posts", "P1", change("posts", "P1", shift="2026-07-01 to 2026-07-02")),
    ("stale_roster", "grids", "G1", change("grids", "G1", valid_to=date(2026, 7, 1))),
    ("two_places", "people", "H1-1", moves(("a", "arrive", "T1", 5), ("b", "arrive", "T2", 6))),
    ("arrival_before_departure", "people", "H1-1", moves(("a", "depart", "", 9), ("a", "arrive", "T1", 5))),
]


@pytest.mark.parametrize(("rule", "layer", "code", "breaking"), BROKEN)
def test_each_rule(engine: Engine, rule: str, layer: str, code: str, breaking: Callable[[Connection], None]) -> None:
    found = findings(engine, breaking)
    assert (rule, layer, code) in [(f.rule, f.layer, f.code) for f in found]
    for finding in found:
        for language in ("zh_CN", "en"):
            assert t(f"check.{finding.rule}", language, **finding.params)


def test_one_person_with_many_roles(engine: Engine) -> None:
    zones = [{**ZONE, "code": f"Z{i}", "village_holder": "C", "geom": ZONE["geom"]} for i in range(2, 8)]
    rules = [f.rule for f in findings(engine, add("danger_zones", *zones))]
    assert rules.count("too_many_roles") == 2  # B and C; A holds them for the county, which is one role


@pytest.mark.parametrize(
    "statements",
    [
        [("a", "arrive", "T1", 5), ("b", "arrive", "S1", 6)],
        [("a", "arrive", "T1", 5), ("a", "leave", "T1", 6), ("b", "arrive", "T2", 7)],
        [("a", "arrive", "T1", 5), ("b", "arrive", "T1", 6)],
        [("a", "depart", "", 4), ("a", "arrive", "T1", 5)],
    ],
)
def test_the_ordinary_way_is_no_contradiction(engine: Engine, statements: list[tuple[str, str, str, int]]) -> None:
    assert findings(engine, moves(*statements)) == []


def test_every_rule_of_the_check_has_texts_in_both_languages() -> None:
    for rule in {rule for rule, *_ in BROKEN} | {"too_many_roles", "invalid", "duplicate", "missing"}:
        for language in ("zh_CN", "en"):
            names = (
                "area_m2 parent others field value grid system metres fields zone hours immediate prepare first second"
            )
            more = "operation seconds households low high residents assigned capacity name roles most until"
            params = dict.fromkeys(f"{names} {more}".split(), "x")
            assert t(f"check.{rule}", language, **params)


def test_an_empty_store_has_no_finding(engine: Engine, tmp_path: Path) -> None:
    with writing(engine) as conn:
        assert check(conn, COUNTY, today=TODAY) == []

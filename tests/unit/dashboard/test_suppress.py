"""What goes out to a wall: nothing that is not named, and no count of one to four below the county."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pingji.dashboard.suppress import NOT_TOLD, PEOPLE, public_figures, public_properties
from pingji.layers.catalog import LAYERS
from pingji.layers.masking import visible_fields

COUNTY = "220221"
PARTS = ("at_transfer_point", "sheltered_together", "not_reached", "notified", "unlocated")
PRIVATE = {"contact": "Zhao", "phone": "13900001111", "actor": "Wang", "reason": "a reason", "person": "P7"}


def sheet(level: str, expected: int, remainder: int, township: str = "") -> dict[str, Any]:
    parts = dict.fromkeys(PARTS, 0) | {"not_reached": remainder, "at_transfer_point": expected - remainder}
    totals = {"expected": expected, "accounted": expected - remainder, "remainder": remainder, "off_plan": 3}
    return {"level": level, "name": level, **totals, "parts": parts, "township": township, **PRIVATE}


def place(**more: Any) -> dict[str, Any]:
    names = {"kind": "transfer_point", "name": "School", "township": "t", "community": "c", "status": "open"}
    counts = {"expected": 3, "roster": 120, "clicker": 124, "difference": 4, "present": 124, "arrived": 131}
    rate = {"capacity": 300, "per_10min": 2, "full_in_min": 880}
    return names | counts | rate | PRIVATE | more


def county_of(*figures: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    below = {f"sheet/{code}": value for code, value in figures}
    townships = [value for value in below.values() if value["level"] == "township"]
    head = sheet("county", sum(v["expected"] for v in townships), sum(v["remainder"] for v in townships))
    head |= {"households": {"expected": 3, "accounted": 1, "remainder": 2}, "cumulative": {"at_transfer_point": 3}}
    return {f"sheet/{COUNTY}": head, **below}


def test_the_county_is_exact_but_for_how_people_are_accounted_for() -> None:
    shown = public_figures(county_of(("t", sheet("township", 60, 3))), COUNTY)[f"sheet/{COUNTY}"]
    assert shown == {
        "level": "county",
        "name": "county",
        "expected": 60,
        "accounted": 57,
        "remainder": 3,
        "off_plan": 3,
        "households": {"expected": 3, "accounted": 1, "remainder": 2},
        "parts": {"not_reached": 3, "notified": 0, "unlocated": 0},
    }


def test_of_townships_and_zones_the_remainder_is_told_in_classes() -> None:
    figures = county_of(
        ("t", sheet("township", 175, 53)),
        ("u", sheet("township", 94, 0)),
        ("v", sheet("township", 38, 0)),
        ("z", sheet("zone", 104, 40, "t")),
        ("y", sheet("zone", 65, 7, "t")),
        ("x", sheet("zone", 94, 0, "u")),
        ("w", sheet("zone", 6, 6, "t")),
        ("g", sheet("grid", 104, 40, "t")),
        ("c", sheet("community", 175, 53, "t")),
    )
    shown = public_figures(figures, COUNTY)
    del shown[f"sheet/{COUNTY}"]
    told = {key: (value["remainder"], value["expected"]) for key, value in shown.items() if isinstance(value, dict)}
    assert told == {
        "sheet/t": ("50+", "170+"),
        "sheet/u": (0, "90+"),
        "sheet/v": (0, "30+"),
        "sheet/z": ("40+", "100+"),
        "sheet/y": ("1–9", "60+"),
        "sheet/x": (0, "90+"),
    }
    assert set(shown["sheet/z"]) == {"level", "name", "expected", "remainder"}  # type: ignore[call-overload]


def test_the_last_people_of_the_county_are_not_pointed_at_and_nobody_looks_like_nobody() -> None:
    figures = county_of(
        ("t", sheet("township", 160, 3)),
        ("u", sheet("township", 90, 0)),
        ("z", sheet("zone", 100, 3, "t")),
        ("x", sheet("zone", 91, 0, "u")),
    )
    shown: dict[str, Any] = public_figures(figures, COUNTY)
    assert shown[f"sheet/{COUNTY}"]["remainder"] == 3
    assert {shown[f"sheet/{code}"]["remainder"] for code in "tuzx"} == {"0–9"}


def test_zones_of_a_township_that_hides_another_are_not_told() -> None:
    figures = county_of(
        ("t", sheet("township", 160, 61)),
        ("u", sheet("township", 95, 2)),
        ("z", sheet("zone", 160, 61, "t")),
        ("x", sheet("zone", 95, 2, "u")),
    )
    shown: dict[str, Any] = public_figures(figures, COUNTY)
    assert (shown["sheet/t"]["remainder"], shown["sheet/u"]["remainder"]) == ("60+", "0–9")
    assert shown["sheet/z"]["remainder"] == NOT_TOLD
    assert shown["sheet/z"]["remainder"] != 0


def test_both_counts_of_a_place_are_told_in_classes_and_that_they_differ() -> None:
    [shown] = public_figures({"place/T": place()}, COUNTY).values()
    assert shown == {
        "kind": "transfer_point",
        "name": "School",
        "township": "t",
        "community": "c",
        "status": "open",
        "capacity": 300,
        "expected": "0–9",
        "roster": "120+",
        "clicker": "120+",
        "present": "120+",
        "differs": True,
        "full_in_min": None,  # it would tell that two came in ten minutes
    }


@given(
    present=st.integers(0, 400),
    capacity=st.integers(1, 400),
    rate=st.integers(0, 60),
    status=st.sampled_from(["open", "near_full", "full"]),
)
def test_how_soon_a_place_is_full_tells_neither_a_small_count_nor_a_small_rate(
    present: int, capacity: int, rate: int, status: str
) -> None:
    soon = round((capacity - present) * 10 / rate) if rate and capacity > present else None
    counts = {"roster": present, "clicker": 0, "present": present, "per_10min": rate, "full_in_min": soon}
    [value] = public_figures({"place/T": place(capacity=capacity, status=status, **counts)}, COUNTY).values()
    assert isinstance(value, dict)
    assert value["full_in_min"] is None or (rate >= 5 and present >= 10)
    assert value["status"] == ("" if capacity < 10 else status)


def test_a_family_that_arrives_is_no_event() -> None:
    arrivals = [{"at": 1, "kind": "arrivals", "name": "School", "n": n} for n in (3, 9, 10, 47)]
    press = {"at": 2, "kind": "press", "name": "-", "n": 0, "exercise": True, "detail": {"to": "emergency", **PRIVATE}}
    unknown = {"at": 3, "kind": "account_added", "name": "Wang", "n": 0, "detail": {"login": "wang"}}
    shown = public_figures({"events": [*arrivals, press | PRIVATE, unknown]}, COUNTY)["events"]
    assert shown == [
        {"at": 1, "kind": "arrivals", "name": "School", "n": "10+"},
        {"at": 1, "kind": "arrivals", "name": "School", "n": "40+"},
        {"at": 2, "kind": "press", "name": "-", "exercise": True, "n": 0, "detail": {"to": "emergency"}},
    ]


def test_nothing_goes_out_that_is_not_named() -> None:
    mode = {"mode": "emergency", "level": 2, "press_id": "p", "scopes": [{"scope": "c", "press_id": "p", **PRIVATE}]}
    figures = {**county_of(("t", sheet("township", 60, 3))), "place/T": place(), "mode": mode, "drafts": [1], "new": 1}
    shown: dict[str, Any] = public_figures(figures, COUNTY)
    assert set(shown) == {f"sheet/{COUNTY}", "sheet/t", "place/T", "mode"}
    assert shown["mode"] == {"mode": "emergency", "level": 2, "scopes": [{"scope": "c"}]}
    assert not [secret for secret in PRIVATE.values() if secret in str(shown)]


def test_before_there_is_a_county() -> None:
    assert public_figures({"county": None}, "") == {"county": None}


def test_every_public_count_of_people_on_the_map_is_told_in_classes() -> None:
    numbers = {f.column for layer in LAYERS for f in visible_fields(layer, "public") if f.kind == "number"}
    of_things = {"capacity", "usable_area_m2", "standard_m2", "floor_elevation_m", "units", "floors"}
    of_gauges = {"lanes", "width_m", "length_km", "order", "length_m"}
    assert numbers & PEOPLE == {"household_count", "resident_count", "head_count", "immobile_count"}
    assert numbers - PEOPLE <= of_things | of_gauges
    counts: dict[str, object] = dict.fromkeys(PEOPLE, 4)
    assert set(public_properties(counts).values()) == {"0–9"}


@settings(max_examples=100)
@given(st.integers(0, 3000))
def test_a_count_on_the_map_is_never_wrong(n: int) -> None:
    told = str(public_properties({"resident_count": n})["resident_count"])
    low = int(told.rstrip("+").split("–")[0])
    assert low <= n <= low + 9


def yongji() -> dict[str, Any]:
    """As many cells as the demo county has, in the middle of an evacuation."""
    townships = [(f"t{i}", sheet("township", 24_000, 300 * i % 1700)) for i in range(10)]
    zones = [(f"z{i}", sheet("zone", 180 + i, i * 7 % 90, f"t{i % 10}")) for i in range(60)]
    others = [(f"c{i}", sheet("community", 1500, i % 40, f"t{i % 10}")) for i in range(157)]
    others += [(f"g{i}", sheet("grid", 900, i % 9, f"t{i % 10}")) for i in range(264)]
    places = {f"place/{i}": place(roster=i, clicker=i) for i in range(120)}
    return {**county_of(*townships, *zones, *others), **places, "events": [], "mode": {"mode": "emergency"}}


@pytest.mark.parametrize("rounds", [20])
def test_a_whole_county_takes_milliseconds(rounds: int) -> None:
    figures = yongji()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        public_figures(figures, COUNTY)
        times.append(time.perf_counter() - began)
    assert min(times) < 0.005

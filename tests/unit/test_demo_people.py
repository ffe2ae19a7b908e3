"""People of the demo county: exact counts, in their grids, and nothing that could be taken for real."""

import numpy as np
import shapely

from pingji.data.demo import build_county
from tests.demo import county, digest, shapes


def test_two_builds_are_equal() -> None:
    assert digest(build_county()) == digest(county())


def test_counts_are_exact() -> None:
    rows = county().rows
    assert county().count("households") == len(set(rows["households"]["code"])) == 101_534
    assert sum(rows["households"]["residents"]) == county().count("person") == 243_469
    assert len(set(zip(rows["person"]["household"], rows["person"]["code"], strict=True))) == 243_469
    assert sum(rows["grids"]["resident_count"]) == 243_469


def test_nearly_all_grids_have_300_to_500_households() -> None:
    counts = np.array(county().rows["grids"]["household_count"])
    assert 250 <= len(counts) <= 290
    assert ((counts >= 300) & (counts <= 500)).mean() >= 0.95


def test_every_household_is_in_its_grid_and_out_of_the_water() -> None:
    rows = county().rows
    number = {code: k for k, code in enumerate(rows["grids"]["code"])}
    grid = np.array([number[g] for g in rows["households"]["grid"]])
    assert shapely.covers(shapes("grids")[grid], shapes("households")).all()
    wet = shapely.union_all(shapely.buffer(shapes("rivers"), np.array(rows["rivers"]["width_m"]) / 2 / 111_320))
    shapely.prepare(wet)
    assert not shapely.intersects(wet, shapes("households")).any()


def test_no_grid_border_cuts_a_building() -> None:
    rows = county().rows
    number = {code: k for k, code in enumerate(rows["grids"]["code"])}
    grid = np.array([number[g] for g in rows["buildings"]["grid"]])
    assert shapely.covers(shapes("grids")[grid], shapes("buildings")).all()
    assert set(rows["households"]["building"]) <= set(rows["buildings"]["code"])


def test_people_can_not_be_taken_for_real() -> None:
    rows = county().rows
    assert all(name.endswith("（示范）") for name in rows["person"]["name"])
    assert all(phone.startswith("1380000") and len(phone) == 11 for phone in rows["person"]["phone"])
    assert all(len(n) == 18 and n[10:14] == "9999" for n in rows["person"]["id_number"])
    assert all(set(columns["source"]) == {"demo"} for columns in rows.values() if "source" in columns)


def test_about_one_in_eight_is_vulnerable_and_households_say_so() -> None:
    rows = county().rows
    flags = np.array(rows["person"]["vulnerability"])
    assert 0.11 < (flags != "").mean() < 0.16
    marked = {h for h, v in zip(rows["person"]["household"], flags, strict=True) if v}
    assert marked == {
        c for c, v in zip(rows["households"]["code"], rows["households"]["vulnerability"], strict=True) if v
    }


def test_party_links_keep_to_the_limits() -> None:
    rows = county().rows
    members = np.unique(rows["party_member"]["centre"], return_counts=True)[1]
    links = np.unique(rows["party_link"]["member"], return_counts=True)[1]
    centres = np.unique(rows["party_households"]["grid"], return_counts=True)[1]
    assert (members.min(), members.max()) >= (3, 3)
    assert members.max() <= 10
    assert links.min() >= 10
    assert links.max() <= 30
    assert len(centres) == county().count("grids")
    assert centres.max() <= 3
    assert len(set(rows["party_households"]["household"])) == county().count("party_households")

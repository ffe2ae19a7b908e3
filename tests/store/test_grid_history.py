"""Past grids: what stood on a day or when an emergency began, to the byte, and what came of what."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import shapely
from sqlalchemy import Engine, update

from pingji.data.engine import reading, writing
from pingji.data.features import load_features
from pingji.data.grids import history
from pingji.data.grids.history import UnknownGrid, UnknownHousehold, UnknownOperation, end_of_day, grids_at, moment_of
from pingji.data.grids.past import ground_at
from pingji.data.grids.stored import to_hex
from pingji.data.spatial import stored
from pingji.data.tables import LAYER_TABLES
from tests import world
from tests.publishing import AT, G1, G2, MERGE, cut, draft, fill, published
from tests.world import C1, C2, COUNTY, FAR

DAY_US = 86_400_000_000
NEW = f"{C1}003"
DAY = date(2023, 11, 15)  # of AT in Shanghai


@pytest.fixture
def county(engine: Engine) -> Engine:
    return fill(engine)


def state(engine: Engine, at: int) -> dict[str, tuple[str, str, int]]:
    """What stood at a moment: shape to the byte, leader, households."""
    with reading(engine) as conn:
        found = grids_at(conn, COUNTY, moment_of(at), communities=[C1])
        return {v.code: (to_hex(v.shape), v.leader, v.households) for v in found}


def today(engine: Engine) -> dict[str, tuple[Any, ...]]:
    with reading(engine) as conn:
        found = load_features(conn, COUNTY, "grids", where=LAYER_TABLES["grids"].c.community == C1)
        return {f.code: (to_hex(f.geometry), f.values["leader"], f.values["household_count"]) for f in found}


def test_every_past_moment_shows_the_bytes_of_its_day(county: Engine) -> None:
    changes = [
        cut(G2, 126.15),
        {"kind": "describe", "code": G1, "values": {"leader": "Sun"}},
        {"kind": "merge", "codes": [G2, NEW], "into": G2},
        cut(G1, 126.04),
        {"kind": "reshape", "line": [[126.1, 43.0], [126.11, 43.05], [126.1, 43.1]]},
    ]
    seen = {AT - 1: today(county)}
    for n, change in enumerate(changes):
        at = AT + n * DAY_US
        published(county, change, at=at)
        seen[at] = today(county)
        for moment, expected in seen.items():
            assert state(county, moment) == expected
        assert state(county, AT - 10**15) == seen[AT - 1]  # as long as anybody knows
    assert len({str(one) for one in seen.values()}) == len(seen)


def test_a_day_ends_at_midnight_in_shanghai(county: Engine) -> None:
    midnight = datetime(2023, 11, 15, 16, tzinfo=UTC)  # 00:00 of the 16th in Shanghai
    last = round(midnight.timestamp()) * 1_000_000 - 1
    assert end_of_day(DAY).at == last
    before = today(county)
    published(county, cut(G2, 126.15), at=last + 1)
    with reading(county) as conn:
        shown = {
            day: {v.code for v in grids_at(conn, COUNTY, end_of_day(day), communities=[C1])}
            for day in (DAY, DAY + timedelta(days=1))
        }
    assert shown == {DAY: set(before), DAY + timedelta(days=1): {*before, NEW}}
    assert moment_of(last).day == DAY
    assert moment_of(last + 1).day == DAY + timedelta(days=1)


def test_a_grid_does_not_show_before_its_day(county: Engine) -> None:
    grids = LAYER_TABLES["grids"]
    with writing(county) as conn:
        conn.execute(update(grids).where(grids.c.code == G2).values(valid_from=date(2024, 1, 1)))
    with reading(county) as conn:
        codes = {v.code for v in grids_at(conn, COUNTY, end_of_day(date(2023, 12, 31)), communities=[C1])}
        assert codes == {G1}
        assert len(grids_at(conn, COUNTY, end_of_day(date(2024, 1, 1)), communities=[C1])) == 2


def test_past_ground_has_the_figures_that_were_kept(county: Engine) -> None:
    published(county, MERGE)
    homes = LAYER_TABLES["households"]
    with writing(county) as conn:
        conn.execute(homes.delete().where(homes.c.community == C1))  # everybody has moved since
    with reading(county) as conn:
        past = ground_at(conn, COUNTY, [C1], moment_of(AT - 1))
        assert set(past.ground.own()) == {G1, G2}
        assert f"{C2}001" in past.ground.around()
        assert [past.figures[code].households for code in (G1, G2)] == [10, 5]
        assert past.figures[G1].area_m2 == pytest.approx(past.figures[G2].area_m2, rel=1e-3)


def test_who_was_on_duty_for_a_household_and_a_place(county: Engine) -> None:
    home, lonlat = f"{C1}002H14", (126.15, 43.05)
    published(county, {"kind": "describe", "code": G2, "values": {"leader": "Sun"}})
    with reading(county) as conn:
        for at, leader in ((AT - 1, "Zhao"), (AT, "Sun")):
            of_home = history.grid_of_household(conn, COUNTY, home, moment_of(at))
            of_place = history.grid_of_place(conn, COUNTY, *lonlat, moment_of(at))
            assert of_home is not None
            assert of_place is not None
            assert (of_home.code, of_home.leader) == (of_place.code, of_place.leader) == (G2, leader)
        assert history.grid_of_place(conn, COUNTY, 100.0, 20.0, moment_of(AT)) is None
        with pytest.raises(UnknownHousehold):
            history.grid_of_household(conn, COUNTY, "nobody", moment_of(AT))


def test_a_past_emergency_keeps_the_grids_of_its_roll_call(county: Engine) -> None:
    before = today(county)
    world.press(county, "emergency", at=DAY_US, operation="flood")
    world.press(county, "recovery", at=2 * DAY_US)
    world.press(county, "routine", at=2 * DAY_US + 1)
    homes, home = LAYER_TABLES["households"], f"{C1}001H05"
    with writing(county) as conn:  # it has moved since
        conn.execute(update(homes).where(homes.c.code == home).values(geom=stored([shapely.Point(126.15, 43.05)])[0]))
    published(county, MERGE, at=AT + 3 * DAY_US)
    with reading(county) as conn:
        moment = history.start_of(conn, COUNTY, "flood")
        assert moment.at == world.T0 + DAY_US
        assert {v.code for v in grids_at(conn, COUNTY, moment, communities=[C1])} == set(before)
        counted = history.grid_of_household(conn, COUNTY, home, moment)
        by_place = history.grid_of_household(conn, COUNTY, home, moment_of(moment.at))
        assert counted is not None
        assert by_place is not None
        assert (counted.code, by_place.code) == (G1, G2)
        with pytest.raises(UnknownOperation):
            history.start_of(conn, COUNTY, "drought")


def test_what_was_published_and_when_people_were_counted(county: Engine) -> None:
    published(county, cut(G2, 126.15), id="one")
    published(county, MERGE, id="two", at=AT + DAY_US)
    published(county, {"kind": "merge", "codes": [f"{C2}001", f"{C2}002"]}, communities=[C2], id="other", at=AT + 5)
    draft(county, cut(G1, 126.05), id="draft")
    world.press(county, "emergency", at=1, code=FAR, operation="far")
    with reading(county) as conn:
        found = history.publications(conn, COUNTY, C1)
        assert [(p.change_set.id, p.grids) for p in found] == [("two", 2), ("one", 2)]
        assert [p.change_set.id for p in history.publications(conn, COUNTY)] == ["two", "other", "one"]
        assert history.past_operations(conn, COUNTY, C1) == []
        (far,) = history.past_operations(conn, COUNTY, world.C3)
        assert (far.operation.id, far.scope_name) == ("far", "Far")


def test_lineage_goes_back_to_the_beginning_and_on_to_the_end(county: Engine) -> None:
    published(county, cut(G2, 126.15), at=AT)  # 002 → 003
    published(county, cut(NEW, 126.17), at=AT + 1)  # 003 → 004
    published(county, {"kind": "merge", "codes": [G1, G2], "into": G1}, at=AT + 2)  # 002 → 001
    four = f"{C1}004"
    with reading(county) as conn:
        assert [(d.from_, d.into, d.kind) for d in history.descents(conn, COUNTY, NEW)] == [
            (G2, NEW, "split"),
            (NEW, four, "split"),
        ]
        assert {(d.from_, d.into) for d in history.descents(conn, COUNTY, G2)} == {(G2, NEW), (NEW, four), (G2, G1)}
        assert history.descents(conn, COUNTY, f"{C2}001") == []
        versions = history.versions_of(conn, COUNTY, [G2])
        assert [(v.began_at, v.ended_at) for v in versions] == [(0, AT), (AT, AT + 2)]
        with pytest.raises(UnknownGrid):
            history.versions_of(conn, COUNTY, ["castle"])

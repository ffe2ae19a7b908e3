"""Derived columns: filled from geometry, the highest grade wins, and rows that are right stay untouched."""

from typing import Any

import shapely
from sqlalchemy import Connection, Engine, delete, event, select

from pingji.data.bulk import insert_rows
from pingji.data.demo import save_county
from pingji.data.derive import refresh, refresh_grids
from pingji.data.engine import reading, writing
from pingji.data.features import insert, load_features
from pingji.data.tables import LAYER_TABLES
from tests.demo import county

C = "220221"


def _square(x: float, size: float = 0.01) -> shapely.MultiPolygon:
    return shapely.MultiPolygon([shapely.box(x, 43.0, x + size, 43.01)])


def _fill(conn: Connection) -> None:
    t = LAYER_TABLES
    insert_rows(conn, t["communities"], C, {"code": ["c1"], "township": ["t1"], "geom": [_square(126.0, 0.02)]})
    insert_rows(
        conn, t["grids"], C, {"code": ["g1", "g2"], "community": ["c1"] * 2, "geom": [_square(126.0), _square(126.01)]}
    )
    zones: dict[str, list[Any]] = {
        "code": ["z1", "z2"],
        "grade": ["danger", "extreme"],
        "geom": [_square(126.0), _square(126.0, 0.005)],
    }
    insert_rows(conn, t["danger_zones"], C, zones)
    spots = [shapely.Point(126.002, 43.005), shapely.Point(126.008, 43.005), shapely.Point(126.015, 43.005)]
    insert_rows(conn, t["households"], C, {"code": ["a", "b", "c"], "residents": [3, 2, 1], "geom": spots})
    insert_rows(conn, t["institutions"], C, {"code": ["i"], "kind": ["care_home"], "geom": spots[:1]})
    insert_rows(conn, t["shelters"], C, {"code": ["s1", "s2"], "geom": [spots[0], spots[2]]})
    insert_rows(conn, t["buildings"], C, {"code": ["b"], "geom": [spots[2]]})


def _read(conn: Connection, layer: str, *names: str) -> list[tuple[Any, ...]]:
    table = LAYER_TABLES[layer]
    return [tuple(r) for r in conn.execute(select(*(table.c[n] for n in names)).order_by(table.c.code))]


def test_everything_derived_is_filled(engine: Engine) -> None:
    with writing(engine) as conn:
        _fill(conn)
        refresh(conn, C)
    with reading(engine) as conn:
        assert _read(conn, "households", "grid", "zone", "community", "township") == [
            ("g1", "z2", "c1", "t1"),
            ("g1", "z1", "c1", "t1"),
            ("g2", "", "c1", "t1"),
        ]
        assert _read(conn, "institutions", "zone", "grid", "township") == [("z2", "g1", "t1")]
        assert _read(conn, "grids", "household_count", "resident_count") == [(2, 5), (1, 1)]
        assert _read(conn, "danger_zones", "household_count", "resident_count") == [(1, 2), (1, 3)]
        assert _read(conn, "shelters", "in_hazard") == [(True,), (False,)]
        assert _read(conn, "buildings", "grid") == [("g2",)]


def test_an_empty_county_is_no_problem(engine: Engine) -> None:
    with writing(engine) as conn:
        refresh(conn, C)


def test_the_demo_county_is_already_right(engine: Engine) -> None:
    save_county(engine, county())
    updates = updates_of(engine)
    with writing(engine) as conn:
        refresh(conn, C)
    assert updates == []


def updates_of(engine: Engine) -> list[str]:
    """The UPDATEs that the store is told from now on."""
    updates: list[str] = []
    event.listen(
        engine,
        "before_cursor_execute",
        lambda _c, _cur, statement, *_: updates.append(statement) if statement.startswith("UPDATE") else None,
    )
    return updates


def test_a_refresh_around_changed_grids_is_that_of_the_county(engine: Engine) -> None:
    """Two neighbours of the demo become one, and another is cut: the full refresh finds nothing left to do."""
    save_county(engine, county())
    grids = LAYER_TABLES["grids"]
    with writing(engine) as conn:
        (community,) = conn.scalars(select(grids.c.community).order_by(grids.c.code).limit(1))
        one, other, third, *_ = load_features(conn, C, "grids", where=grids.c.community == community)
        both = shapely.union(one.geometry, other.geometry)
        west, south, east, north = third.geometry.bounds
        half = shapely.box(west, south, (west + east) / 2, north)
        pieces = [shapely.intersection(third.geometry, half), shapely.difference(third.geometry, half)]
        conn.execute(delete(grids).where(grids.c.code.in_([one.code, other.code, third.code])))
        rows = [(one.code, both), (third.code, pieces[0]), (f"{community}999", pieces[1])]
        insert(conn, C, "grids", [{"code": c, "community": community, "geom": shape} for c, shape in rows])
        refresh_grids(conn, C, [both.bounds, third.geometry.bounds])
    with reading(engine) as conn:
        after = {f.code: f.values["household_count"] for f in load_features(conn, C, "grids")}
        assert min(after[code] for code, _ in rows) > 0
    updates = updates_of(engine)
    with writing(engine) as conn:
        refresh(conn, C)
    assert updates == []

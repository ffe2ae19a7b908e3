"""Geometry in the store: what goes in comes out, what doesn't fit is refused, and boxes are found by the index."""

import numpy as np
import pytest
import shapely
from geoalchemy2 import WKTElement
from sqlalchemy import Engine, delete, func, insert, not_, select, text, update
from sqlalchemy.exc import DBAPIError

from pingji.data.engine import open_engine, reading, writing
from pingji.data.spatial import Ewkb, in_box, loaded, stored
from pingji.data.sql import upsert
from pingji.data.tables import LAYER_TABLES, SRID
from tests.shapes import EMPTY_MULTI, GALLERY, MULTIPART, POINT, SQUARE

ROW = {"county": "220221", "code": "a"}
grids, households, shelters = (LAYER_TABLES[name] for name in ("grids", "households", "shelters"))


@pytest.mark.parametrize("name", GALLERY)
def test_round_trip(engine: Engine, name: str) -> None:
    with writing(engine) as connection:
        connection.execute(insert(shelters), {**ROW, "geom": stored([GALLERY[name]])[0]})
    with reading(engine) as connection:
        (back,) = loaded(connection.execute(select(shelters.c.geom)).scalars())
        element = connection.execute(select(shelters.c.geom)).scalar_one()
    assert shapely.equals_identical(back, GALLERY[name]) or back.is_empty
    assert back.geom_type == GALLERY[name].geom_type
    assert element.srid == SRID
    with writing(engine) as connection:  # what GeoAlchemy2 hands out, it takes back
        connection.execute(update(shelters).values(revision=2, geom=stored([back])[0]))


def test_geoalchemy_elements_go_in_as_well(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(insert(households), {**ROW, "geom": WKTElement(POINT.wkt, srid=SRID)})
        connection.execute(insert(households), {**ROW, "code": "b", "geom": f"SRID={SRID};{POINT.wkt}"})
        first, _ = connection.execute(select(households.c.geom)).scalars()
        connection.execute(insert(households), {**ROW, "code": "c", "geom": first})
        assert {g.wkt for g in loaded(connection.execute(select(households.c.geom)).scalars())} == {POINT.wkt}


def test_a_height_is_dropped(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(insert(households), {**ROW, "geom": stored([shapely.Point(126, 43, 200)])[0]})
        (back,) = loaded(connection.execute(select(households.c.geom)).scalars())
    assert back.wkt == "POINT (126 43)"


@pytest.mark.parametrize(
    "wrong",
    [stored([SQUARE])[0], stored([POINT])[0], WKTElement(MULTIPART.wkt, srid=4326)],
    ids=["single polygon", "point", "srid"],
)
def test_a_column_takes_only_its_type_and_srid(engine: Engine, wrong: object) -> None:
    with pytest.raises(DBAPIError) as caught, writing(engine) as connection:
        connection.execute(insert(grids), {**ROW, "geom": wrong})
    if engine.dialect.name == "sqlite":
        assert "grids.geom takes a MULTIPOLYGON of SRID 4490" in str(caught.value)


def test_an_update_is_held_to_the_type_as_well(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(insert(grids), {**ROW, "geom": stored([MULTIPART])[0]})
    with pytest.raises(DBAPIError), writing(engine) as connection:
        connection.execute(update(grids).values(geom=stored([SQUARE])[0]))


@pytest.mark.parametrize(
    "garbage",
    [b"", b"\x01\x06", bytes(40), stored([MULTIPART])[0][:60]],
    ids=["nothing", "two bytes", "zeros", "cut short"],
)
def test_garbage_is_refused(engine: Engine, garbage: bytes) -> None:
    with pytest.raises(DBAPIError), writing(engine) as connection:
        connection.execute(insert(grids), {**ROW, "geom": Ewkb(garbage)})


def test_boxes_agree_with_shapely(engine: Engine) -> None:
    rng = np.random.default_rng(1)
    points = np.asarray(shapely.points(126 + rng.random(2000), 43 + rng.random(2000)))
    rows = [{**ROW, "code": str(i), "geom": g} for i, g in enumerate(stored(points))]
    window = (126.2, 43.3, 126.4, 43.5)
    with writing(engine) as connection:
        connection.execute(insert(households), rows)
        found = set(connection.execute(select(households.c.code).where(in_box(households, window))).scalars())
        others = set(connection.execute(select(households.c.code).where(not_(in_box(households, window)))).scalars())
    inside = {str(i) for i in np.flatnonzero(shapely.intersects(points, shapely.box(*window)))}
    assert found >= inside
    assert len(found - inside) <= 2  # index boxes are rounded outwards
    assert found.isdisjoint(others)
    assert len(found) + len(others) == 2000


def test_the_index_follows_every_change(engine: Engine) -> None:
    here, there = (126.0, 43.0, 126.2, 43.2), (127.0, 43.0, 127.2, 43.2)
    moved = shapely.MultiPolygon([shapely.box(127.0, 43.0, 127.1, 43.1)])

    def codes(window: tuple[float, float, float, float]) -> list[str]:
        with reading(engine) as connection:
            return list(connection.execute(select(grids.c.code).where(in_box(grids, window))).scalars())

    with writing(engine) as connection:
        connection.execute(insert(grids), {**ROW, "geom": stored([MULTIPART])[0]})
    assert codes(here) == ["a"]
    with writing(engine) as connection:
        statement = upsert(connection, grids).values(**ROW, geom=stored([moved])[0])
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["county", "code"], set_={"geom": statement.excluded.geom, "revision": 2}
            )
        )
    assert (codes(here), codes(there)) == ([], ["a"])
    with writing(engine) as connection:
        connection.execute(update(grids).values(geom=stored([EMPTY_MULTI])[0]))
    assert codes(there) == []
    with writing(engine) as connection:
        connection.execute(update(grids).values(geom=stored([moved])[0], id=77))
    assert codes(there) == ["a"]
    with writing(engine) as connection:
        connection.execute(delete(grids))
    assert codes(there) == []


def test_sqlite_replace_and_vacuum_keep_the_index(engine: Engine) -> None:
    if engine.dialect.name != "sqlite":
        return
    with writing(engine) as connection:
        for geometry in (POINT, shapely.Point(1, 1)):
            connection.execute(insert(households).prefix_with("OR REPLACE"), {**ROW, "geom": stored([geometry])[0]})
        assert connection.execute(select(func.CheckSpatialIndex("households", "geom"))).scalar_one() == 1
    raw = engine.raw_connection()
    raw.cursor().execute("VACUUM")
    raw.close()
    with reading(engine) as connection:
        assert connection.execute(select(func.CheckSpatialIndex("households", "geom"))).scalar_one() == 1


def test_sqlite_looks_a_box_up_by_its_r_tree(engine: Engine) -> None:
    if engine.dialect.name != "sqlite":
        return
    fresh = open_engine(engine.url.render_as_string())
    with reading(fresh) as connection:
        for filters in ((), (households.c.county == "220221",)):
            query = select(households).where(*filters, in_box(households, (0, 0, 1, 1)))
            sql = query.compile(fresh, compile_kwargs={"literal_binds": True})
            plan = str(connection.execute(text(f"EXPLAIN QUERY PLAN {sql}")).all())
            assert "SEARCH households USING INTEGER PRIMARY KEY" in plan
    fresh.dispose()


def test_predicates_and_measures_agree(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(insert(grids), {**ROW, "geom": stored([MULTIPART])[0]})
        near = WKTElement("POINT(126.05 43.05)", srid=SRID)
        answers = connection.execute(
            select(
                func.ST_Intersects(grids.c.geom, near),
                func.ST_Contains(grids.c.geom, near),
                func.ST_Disjoint(grids.c.geom, near),
                func.ST_IsValid(grids.c.geom),
                func.ST_SRID(grids.c.geom),
                func.ST_GeometryType(grids.c.geom),
                func.ST_NPoints(grids.c.geom),
            )
        ).one()
        area = connection.execute(select(func.ST_Area(grids.c.geom))).scalar_one()
    assert tuple(answers) == (1, 1, 0, 1, SRID, "ST_MultiPolygon", 10)
    assert area == pytest.approx(MULTIPART.area)


def test_an_alias_has_an_index_too(engine: Engine) -> None:
    other = households.alias("other")
    with writing(engine) as connection:
        connection.execute(insert(households), {**ROW, "geom": stored([POINT])[0]})
        assert len(connection.execute(select(other.c.id).where(in_box(other, (126, 43, 127, 44)))).all()) == 1

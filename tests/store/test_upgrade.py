"""A store of the first release is brought up to date: nothing is lost, and its grids can be worked on at once."""

from collections.abc import Collection, Mapping
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, MetaData, inspect, select

from pingji.data import schema
from pingji.data.engine import open_engine, reading
from pingji.data.errors import DatabaseNotMigrated
from pingji.data.grids import history
from pingji.data.grids.ground import load_ground
from tests import publishing, world
from tests.store.test_schema import catalogue

FIRST_RELEASE = "0001"
NOT_OURS = {"alembic_version", "spatial_ref_sys", "geometry_columns"}


def contents(
    conn: Connection, columns: Mapping[str, Collection[str]] | None = None
) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, or of those named, with the columns that there are, or those named."""
    found = MetaData()
    names = [name for name in inspect(conn).get_table_names() if name not in NOT_OURS]
    found.reflect(conn, only=[name for name in names if not name.startswith(("idx_", "sqlite_"))])
    rows = {
        table.name: conn.execute(
            select(*(c for c in table.c if columns is None or c.name in columns[table.name]))
        ).all()
        for table in found.sorted_tables
        if columns is None or table.name in columns
    }
    return {name: sorted(tuple(map(str, row)) for row in of) for name, of in rows.items()}


@pytest.fixture
def old(empty_url: str) -> Engine:
    """The small county in tables of the first release, with an emergency under way."""
    engine = open_engine(empty_url)
    schema.upgrade(engine, FIRST_RELEASE)
    with reading(engine) as conn:
        made = catalogue(conn)
    schema.upgrade(engine)
    publishing.fill(engine)
    world.press(engine, "emergency")
    world.write(engine, world.Field(7).movements(200))
    schema.downgrade(engine, FIRST_RELEASE)
    with reading(engine) as conn:
        assert catalogue(conn) == made  # what the way back leaves is the first release, to the last index
    return engine


def test_nothing_of_the_first_release_is_lost(old: Engine) -> None:
    with pytest.raises(DatabaseNotMigrated):
        schema.require_current(old)
    with reading(old) as conn:
        before = contents(conn)
    assert len(before["grids"]) == 8
    assert before["whereabouts"]
    columns = {name: {column["name"] for column in inspect(old).get_columns(name)} for name in before}
    schema.upgrade(old)
    schema.require_current(old)
    with reading(old) as conn:
        after = contents(conn)
        assert contents(conn, columns) == before
    assert len(after.pop("audit_head")) == 1  # of a chain without entries
    assert all(after[name] == [] for name in after.keys() - before.keys())


def test_grids_of_the_first_release_can_be_changed_at_once(old: Engine) -> None:
    schema.upgrade(old)
    world.press(old, "recovery", at=world.MINUTE)
    world.press(old, "routine", at=2 * world.MINUTE)
    codes = publishing.published(old, publishing.cut(publishing.G1, 126.05), at=world.T0 + 3 * world.MINUTE)
    (new,) = codes.values()
    with reading(old) as conn:
        ground = load_ground(conn, world.COUNTY, [world.C1])
        began = history.grids_at(conn, world.COUNTY, history.moment_of(world.T0), communities=[world.C1])
        parents = {link.from_ for link in history.descents(conn, world.COUNTY, new)}
    assert {new, publishing.G1, publishing.G2} <= set(ground.coverage.codes)
    assert {version.code for version in began} == {publishing.G1, publishing.G2}  # as they always were
    assert parents == {publishing.G1}

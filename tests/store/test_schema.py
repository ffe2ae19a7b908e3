"""Migrations: up, down and up again without drift, on both stores."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from geoalchemy2 import alembic_helpers
from sqlalchemy import Column, Connection, Engine, Integer, MetaData, inspect, text

from pingji.data import schema
from pingji.data.engine import open_engine, reading, writing
from pingji.data.errors import DatabaseNotMigrated
from pingji.data.tables import metadata


def differences(connection: Connection, wanted: MetaData = metadata) -> list[object]:
    context = MigrationContext.configure(connection, opts={"include_object": alembic_helpers.include_object})
    return list(compare_metadata(context, wanted))


def copied() -> MetaData:
    """The tables, to change at will: GeoAlchemy2 takes the spatial indexes off those that it creates on SQLite."""
    copy = MetaData(naming_convention=metadata.naming_convention)
    for table in metadata.sorted_tables:
        table.to_metadata(copy)
    return copy


def catalogue(connection: Connection) -> set[tuple[object, ...]]:
    """Everything the database says of our tables, which autogenerate partly overlooks (partial indexes, triggers)."""
    if connection.dialect.name == "sqlite":
        # A column that a later revision added stands last in the table's own text: compare columns, not texts.
        query = (
            "SELECT type, name, tbl_name, CASE type WHEN 'table' THEN '' ELSE replace(sql, char(10), '') END"
            " FROM sqlite_master WHERE name NOT LIKE '%alembic%' AND name NOT LIKE 'sqlite_stat%'"
            " UNION ALL SELECT t.name, c.name, c.type || c.pk, c.\"notnull\" || coalesce(c.dflt_value, '')"
            " FROM sqlite_master t, pragma_table_info(t.name) c"
            " WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_stat%'"
        )
    else:
        query = (
            "SELECT 'column', table_name, column_name, column_default || '', is_nullable, udt_name"
            " FROM information_schema.columns WHERE table_schema = 'public'"
            " UNION ALL SELECT 'index', tablename, indexname, indexdef, '', '' FROM pg_indexes"
            " WHERE schemaname = 'public'"
            " UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid), '', ''"
            " FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
            " UNION ALL SELECT 'geometry', f_table_name, f_geometry_column, type, srid::text, coord_dimension::text"
            " FROM geometry_columns"
        )
    return {tuple(row) for row in connection.execute(text(query)) if "alembic_version" not in row}


def test_up_down_up(empty_url: str) -> None:
    engine = open_engine(empty_url)
    assert not schema.is_current(engine)
    schema.upgrade(engine)
    assert schema.is_current(engine)
    with reading(engine) as connection:
        first = catalogue(connection)
    schema.downgrade(engine, "base")
    assert not schema.is_current(engine)
    left = set(inspect(engine).get_table_names()) - {"spatial_ref_sys", "geometry_columns", "alembic_version"}
    assert left == set()
    schema.upgrade(engine)
    with reading(engine) as connection:
        assert catalogue(connection) == first
    engine.dispose()


def test_upgrading_twice_changes_nothing(engine: Engine) -> None:
    schema.upgrade(engine)
    assert schema.is_current(engine)


def test_no_drift(engine: Engine) -> None:
    with writing(engine) as connection:
        assert differences(connection) == []


def test_history_and_tables_give_the_same_catalogue(empty_url: str) -> None:
    engine = open_engine(empty_url)
    schema.upgrade(engine)
    with reading(engine) as connection:
        history = catalogue(connection)
    schema.downgrade(engine, "base")
    with writing(engine) as connection:
        copied().create_all(connection)
        assert history == catalogue(connection)
    engine.dispose()


def test_drift_would_be_seen(engine: Engine) -> None:
    changed = copied()
    changed.tables["headcount"].append_column(Column("forgotten", Integer))
    with writing(engine) as connection:
        seen = differences(connection, changed)
    assert "forgotten" in str(seen)


def test_an_unmigrated_store_is_refused_by_name(empty_url: str) -> None:
    engine = open_engine(empty_url)
    with pytest.raises(DatabaseNotMigrated) as caught:
        schema.require_current(engine)
    engine.dispose()
    assert caught.value.params == {"found": None, "needed": "0006"}


def test_a_migrated_store_is_taken(engine: Engine) -> None:
    schema.require_current(engine)

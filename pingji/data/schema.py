"""The revision a store's tables are at: bring it up to date, or refuse to work on another one."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

from pingji.data.engine import reading, writing
from pingji.data.errors import DatabaseNotMigrated

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x50494E47  # "PING": two processes that start at once upgrade one after the other
_COUNTY_ROWS = 100_000  # of a layer, in one county
_SHARE_ROWS = 500  # of a layer, in one community, grid or zone


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the tables to a revision, in one transaction; does nothing where they are there already."""
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            connection.execute(text("CREATE EXTENSION IF NOT EXISTS postgis"))
        command.upgrade(_config(connection), revision)
        if connection.dialect.name == "sqlite":
            _plan_for_a_full_county(connection)


def downgrade(engine: Engine, revision: str) -> None:
    """Take the tables back to an older revision; `base` drops them all, with what is in them."""
    with writing(engine) as connection:
        command.downgrade(_config(connection), revision)


def current_revision(engine: Engine) -> str | None:
    """The store's revision; None where it has no tables of ours."""
    with reading(engine) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def is_current(engine: Engine) -> bool:
    """Whether the tables are at this program's revision."""
    return current_revision(engine) == _head()


def require_current(engine: Engine) -> None:
    """Pass, or say which revision is there and which is needed.

    Raises
    ------
    DatabaseNotMigrated
    """
    found = current_revision(engine)
    if found != _head():
        raise DatabaseNotMigrated(found=found, needed=_head())


def _plan_for_a_full_county(connection: Connection) -> None:
    """Tell SQLite's planner that one county fills a layer's table.

    Left to guess, it takes `county = ?` for a sharp filter, prefers it to the R-tree, and reads the whole layer for
    every box. Fixed statistics are SQLite's own means for that (https://sqlite.org/lang_analyze.html).
    """
    connection.exec_driver_sql("ANALYZE sqlite_schema")  # makes sqlite_stat1, empty
    connection.exec_driver_sql("DELETE FROM sqlite_stat1")
    for name in _spatial_tables(connection):
        for index in connection.exec_driver_sql(f'PRAGMA index_list("{name}")').all():
            first, *others = connection.exec_driver_sql(f'PRAGMA index_info("{index.name}")').all()
            rows = [_COUNTY_ROWS if first.name == "county" else _SHARE_ROWS]
            rows += [1 if index.unique else _SHARE_ROWS for _ in others]
            stat = " ".join(map(str, [_COUNTY_ROWS, *rows]))
            connection.exec_driver_sql("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", (name, index.name, stat))
    connection.exec_driver_sql("ANALYZE sqlite_schema")  # makes this connection read them; others do when they open


def _spatial_tables(connection: Connection) -> list[str]:
    if not inspect(connection).has_table("geometry_columns"):
        return []
    return list(connection.exec_driver_sql("SELECT f_table_name FROM geometry_columns").scalars())


def _head() -> str:
    head = ScriptDirectory(str(_MIGRATIONS)).get_current_head()
    assert head is not None
    return head


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config

"""Statements that both engines know but SQLAlchemy spells once for each."""

from sqlalchemy import Connection, Dialect, Engine, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(bind: Connection | Engine | Dialect, table: Table) -> postgresql.Insert:
    """An INSERT that offers `on_conflict_do_nothing`, `on_conflict_do_update` and `excluded`, for this engine.

    SQLite's form has the same methods and arguments, so it is typed as PostgreSQL's.
    """
    dialect = bind if isinstance(bind, Dialect) else bind.dialect
    if dialect.name == "sqlite":
        return sqlite.insert(table)  # type: ignore[return-value]
    return postgresql.insert(table)

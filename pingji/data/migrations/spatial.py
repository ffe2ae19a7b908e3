"""What a revision needs beyond Alembic where a table has a geometry column."""

from alembic import op
from sqlalchemy import func, select, text


def drop_spatial_table(name: str, column: str = "geom") -> None:
    """Drop a table with its spatial index, which Alembic forgets on SQLite because it is a table of its own."""
    bind = op.get_bind()
    if bind.dialect.name == "sqlite":
        bind.execute(select(func.DisableSpatialIndex(name, column)))
        bind.execute(text(f'DROP TABLE IF EXISTS "idx_{name}_{column}"'))
        bind.execute(select(func.DiscardGeometryColumn(name, column)))
    op.drop_table(name)

"""The table of keys: which keys the store's personal values are sealed with. Ids only, never a secret."""

from sqlalchemy import BigInteger, Boolean, Column, Index, PrimaryKeyConstraint, Table
from sqlalchemy import text as sql

from pingji.data.tables.base import metadata, text

# More than one while a rotation is under way. `covers` are the columns that were sealed throughout, so that a start
# need not look through all of them again.
sealing_key = Table(
    "sealing_key",
    metadata,
    text("id", required=True),
    Column("in_use", Boolean, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    text("covers"),
    PrimaryKeyConstraint("id"),
    Index("uq_sealing_key_in_use", "in_use", unique=True, postgresql_where=sql("in_use"), sqlite_where=sql("in_use")),
)

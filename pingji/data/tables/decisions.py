"""Tables of decisions: the mode of each scope, operations, presses of the one key, and the journal of who did what."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, PrimaryKeyConstraint, Table
from sqlalchemy.types import JSON

from pingji.data.tables.base import mapping, metadata, text

# One emergency or exercise of one scope. People are counted inside an operation and nowhere else, which is what
# keeps an exercise apart from the real thing. Times are microseconds since 1970 UTC.
operation = Table(
    "operation",
    metadata,
    text("county", required=True),
    text("id", required=True),
    text("scope", required=True),
    Column("exercise", Boolean, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    text("fate"),  # empty while open; closed | absorbed | dropped (an exercise that a real emergency ended) | recalled
    text("absorbed_into"),  # the wider operation that carried these counts on
    Column("anonymised_at", BigInteger),  # since when nobody can be recognised in it any more
    PrimaryKeyConstraint("county", "id"),
    Index("ix_operation_county_open", "county", "ended_at"),
)

mode = Table(
    "mode",
    metadata,
    text("county", required=True),
    text("scope", required=True),
    text("mode", required=True),  # routine | standby | emergency | recovery
    Column("level", Integer),  # response level 1–4 inside emergency
    Column("exercise", Boolean, nullable=False),
    Column("since", BigInteger, nullable=False),
    text("operation"),
    text("press_id"),
    PrimaryKeyConstraint("county", "scope"),
)

press = Table(
    "press",
    metadata,
    text("county", required=True),
    text("press_id", required=True),
    text("scope", required=True),
    text("actor"),
    text("reason"),
    Column("at", BigInteger, nullable=False),
    mapping("request"),
    mapping("before"),
    mapping("after"),
    Column("recalled_at", BigInteger),
    PrimaryKeyConstraint("county", "press_id"),
)

journal = Table(
    "journal",
    metadata,
    Column("id", Integer, primary_key=True),
    text("county", required=True, index=True),
    Column("at", BigInteger, nullable=False),
    text("actor"),
    text("action", required=True),
    text("scope"),
    text("operation"),
    Column("exercise", Boolean, nullable=False),
    Column("detail", JSON, nullable=False, server_default="{}"),
)

"""Tables of the head-count: an append-only log of movements, and projections that can be rebuilt from it.

Times are microseconds since 1970 UTC. `clock` is the time a movement is ordered by: what the device says, but never
later than the server received it, so that a phone running a day ahead can't outrank everybody for a day.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
)
from sqlalchemy import (
    text as sql,
)
from sqlalchemy.types import JSON

from pingji.data.tables.base import metadata, number, sealed, text

movement = Table(
    "movement",
    metadata,
    text("county", required=True),
    text("device", required=True),
    Column("sequence", BigInteger, nullable=False),
    text("id", required=True),  # UUIDv7 made by the device
    text("operation", required=True),
    text("kind", required=True),
    text("place"),
    text("person"),
    text("household"),
    number("count"),
    text("supersedes"),
    sealed("movement.note"),  # free words, which may name somebody
    Column("occurred_at", BigInteger, nullable=False),
    Column("clock", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("county", "device", "sequence"),
    UniqueConstraint("county", "id"),
    Index(
        "ix_movement_person",
        "county",
        "operation",
        "person",
        postgresql_where=sql("person <> ''"),
        sqlite_where=sql("person <> ''"),
    ),
    Index(
        "ix_movement_household",
        "county",
        "operation",
        "household",
        postgresql_where=sql("household <> ''"),
        sqlite_where=sql("household <> ''"),
    ),
    Index(
        "ix_movement_supersedes",
        "county",
        "supersedes",
        postgresql_where=sql("supersedes <> ''"),
        sqlite_where=sql("supersedes <> ''"),
    ),
)

# One row a person and operation. The left half is frozen at the press and is the denominator; the right half is where
# the person is by the latest statement.
whereabouts = Table(
    "whereabouts",
    metadata,
    text("county", required=True),
    text("operation", required=True),
    text("household", required=True),
    text("person", required=True),
    text("kind", required=True),  # resident | institution | visitor (off the plan)
    text("zone"),
    text("grid"),
    text("community"),
    text("township"),
    text("transfer_point"),
    text("shelter"),
    text("vulnerability"),
    text("position", required=True),
    text("at"),  # code of the place whose roster the person is on
    text("statement"),  # kind of the latest statement of where the person is, with its place and stamp
    text("stated", required=True),
    text("place"),
    Column("clock", BigInteger, nullable=False, server_default="0"),
    text("device"),
    Column("sequence", BigInteger, nullable=False, server_default="0"),
    Column("notified", BigInteger, nullable=False, server_default="0"),  # clock of the latest notification
    Column("verified", BigInteger, nullable=False, server_default="0"),  # clock of the latest confirmation
    number("ever"),  # bit mask of every position ever stated, for cumulative figures
    Column("visits", JSON, nullable=False, server_default="{}"),  # place → [clock of first arrival, of last leaving]
    PrimaryKeyConstraint("county", "operation", "household", "person"),
    Index("ix_whereabouts_person", "county", "operation", "person"),
)

# How many persons or households of one (zone, grid, …) cell are in each position: what balance sheets are summed from.
tally = Table(
    "tally",
    metadata,
    text("county", required=True),
    text("operation", required=True),
    text("unit", required=True),  # persons | households | persons_ever
    text("off_plan", required=True),  # "" | "visitor"
    text("zone"),
    text("grid"),
    text("community"),
    text("township"),
    text("position", required=True),
    number("n"),
    PrimaryKeyConstraint(
        "county", "operation", "unit", "off_plan", "zone", "grid", "community", "township", "position"
    ),
)

# The clicker: a head-count without names, one row a place and device.
headcount = Table(
    "headcount",
    metadata,
    text("county", required=True),
    text("operation", required=True),
    text("place", required=True),
    text("device", required=True),
    number("n"),
    PrimaryKeyConstraint("county", "operation", "place", "device"),
)

# One row a place and operation: its state in this operation and the two counts, which are never merged.
occupancy = Table(
    "occupancy",
    metadata,
    text("county", required=True),
    text("operation", required=True),
    text("place", required=True),
    text("kind", required=True),  # transfer_point | shelter
    text("community"),
    text("township"),
    text("status", required=True),
    Column("capacity", Integer, nullable=False),
    number("expected"),  # persons whose plan names this place
    number("roster"),
    number("clicker"),
    number("arrived"),  # cumulative: distinct persons who ever arrived
    PrimaryKeyConstraint("county", "operation", "place"),
)

# Arrivals by place and minute, for curves and rates.
trend = Table(
    "trend",
    metadata,
    text("county", required=True),
    text("operation", required=True),
    text("place", required=True),
    text("source", required=True),  # roster | clicker | first (arrival anywhere; place is empty)
    Column("minute", Integer, nullable=False),  # minutes since 1970 UTC
    number("n"),
    PrimaryKeyConstraint("county", "operation", "place", "source", "minute"),
)

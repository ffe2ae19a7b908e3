"""Tables of the grid workbench: change sets with their edits, ended grids, lineage, and proposals.

Times are microseconds since 1970 UTC. Polygons inside JSON are WKB in hexadecimal: exact to the byte.
"""

from geoalchemy2 import Geometry
from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, PrimaryKeyConstraint, Table, false
from sqlalchemy.types import JSON

from pingji.data.tables.base import SRID, mapping, metadata, number, sealed, sealed_mapping, text


def _listing(name: str) -> Column[list[object]]:
    """A JSON array column that is never NULL."""
    return Column(name, JSON, nullable=False, server_default="[]")


# A named set of edits: draft → review → published, or discarded. `position` edits of it are in force; those after it
# were undone and can be done again. `revision` rises with whatever happens to it.
change_set = Table(
    "change_set",
    metadata,
    text("county", required=True),
    text("id", required=True),
    text("name", required=True),
    text("status", required=True),
    text("reason", required=True),  # a kind of `ops.change_set.Reason`
    text("note"),
    text("origin"),  # drawn | import | proposal
    text("author", required=True),
    _listing("communities"),
    number("revision", 1),
    number("position"),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("submitted_at", BigInteger),
    Column("published_at", BigInteger),
    text("reviewer"),
    text("review_note"),
    PrimaryKeyConstraint("county", "id"),
    Index("ix_change_set_county_status", "county", "status"),
)

# One edit. `intent` is what was asked, `change` what came of it: {"before", "after": {code: wkb hex}, "lineage":
# [[from, into]], "gained_m2", "lost_m2", "communities", "values": {code: {column: value}}}. An edit that could not be
# done again on newer grids is set aside with the refusal, not lost.
change_edit = Table(
    "change_edit",
    metadata,
    text("county", required=True),
    text("change_set", required=True),
    Column("seq", Integer, nullable=False),
    text("edit_id"),  # made by the browser: the same edit sent twice is one
    text("kind", required=True),
    text("actor"),
    Column("at", BigInteger, nullable=False),
    sealed_mapping("change_edit.intent"),
    sealed_mapping("change_edit.change"),
    Column("set_aside", Boolean, nullable=False, server_default=false()),
    mapping("refusal"),
    PrimaryKeyConstraint("county", "change_set", "seq"),
)

# Grids as they were until `ended_at`: one row a version. What stands now is in `grids`.
past_grids = Table(
    "past_grids",
    metadata,
    Column("id", Integer, primary_key=True),
    text("county", required=True),
    text("code", required=True),
    text("name"),
    text("community"),
    sealed("grids.leader"),  # by the label of `grids`: versions are copied as they are
    sealed("grids.leader_phone"),
    sealed("grids.deputy"),
    sealed("grids.deputy_phone"),
    number("household_count"),
    number("resident_count"),
    Column("valid_from", Date),
    Column("valid_to", Date),
    Column("began_at", BigInteger, nullable=False, server_default="0"),
    Column("ended_at", BigInteger, nullable=False),
    text("reason"),  # why this version began
    text("change_set"),  # that began it; empty where it was imported first
    text("ended_by"),  # the change set that ended it
    text("source"),
    number("revision", 1),
    Column("geom", Geometry("MULTIPOLYGON", srid=SRID, spatial_index=True), nullable=False),
    Index("ix_past_grids_county_code", "county", "code"),
    Index("ix_past_grids_county_ended", "county", "ended_at"),
)

grid_lineage = Table(
    "grid_lineage",
    metadata,
    text("county", required=True),
    text("from_code", required=True),
    text("into_code", required=True),
    text("kind", required=True),  # split | merge | redraw
    Column("at", BigInteger, nullable=False),
    text("change_set", required=True),
    PrimaryKeyConstraint("county", "change_set", "from_code", "into_code"),
    Index("ix_grid_lineage_county_into", "county", "into_code"),
)

# What `geo.partitioning` proposed, kept until somebody accepts it, in whole or in part.
grid_proposal = Table(
    "grid_proposal",
    metadata,
    text("county", required=True),
    text("id", required=True),
    text("community", required=True),
    text("actor"),
    Column("at", BigInteger, nullable=False),
    mapping("request"),
    _listing("candidates"),  # [{"scores": {...}, "grids": [{"code", "wkb", "households"}]}]
    PrimaryKeyConstraint("county", "id"),
)

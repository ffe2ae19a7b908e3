"""The grid workbench: change sets, ended grids, lineage and proposals; when a version of a grid began."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry

from pingji.data.migrations.spatial import drop_spatial_table

revision: str = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    """Add the tables, and two columns of grids."""
    op.add_column("grids", sa.Column("began_at", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("grids", sa.Column("change_set", sa.String(), server_default="", nullable=False))
    op.create_index("ix_households_county_community", "households", ["county", "community"], unique=False)
    op.create_table(
        "change_edit",
        sa.Column("county", sa.String(), nullable=False),
        sa.Column("change_set", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("edit_id", sa.String(), server_default="", nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), server_default="", nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("intent", sa.JSON(), server_default="{}", nullable=False),
        sa.Column("change", sa.JSON(), server_default="{}", nullable=False),
        sa.Column("set_aside", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("refusal", sa.JSON(), server_default="{}", nullable=False),
        sa.PrimaryKeyConstraint("county", "change_set", "seq", name=op.f("pk_change_edit")),
    )
    op.create_table(
        "change_set",
        sa.Column("county", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("note", sa.String(), server_default="", nullable=False),
        sa.Column("origin", sa.String(), server_default="", nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("communities", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("submitted_at", sa.BigInteger(), nullable=True),
        sa.Column("published_at", sa.BigInteger(), nullable=True),
        sa.Column("reviewer", sa.String(), server_default="", nullable=False),
        sa.Column("review_note", sa.String(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("county", "id", name=op.f("pk_change_set")),
    )
    op.create_index("ix_change_set_county_status", "change_set", ["county", "status"], unique=False)
    op.create_table(
        "grid_lineage",
        sa.Column("county", sa.String(), nullable=False),
        sa.Column("from_code", sa.String(), nullable=False),
        sa.Column("into_code", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("change_set", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("county", "change_set", "from_code", "into_code", name=op.f("pk_grid_lineage")),
    )
    op.create_index("ix_grid_lineage_county_into", "grid_lineage", ["county", "into_code"], unique=False)
    op.create_table(
        "grid_proposal",
        sa.Column("county", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), server_default="", nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("request", sa.JSON(), server_default="{}", nullable=False),
        sa.Column("candidates", sa.JSON(), server_default="[]", nullable=False),
        sa.PrimaryKeyConstraint("county", "id", name=op.f("pk_grid_proposal")),
    )
    op.create_table(
        "past_grids",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("county", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), server_default="", nullable=False),
        sa.Column("community", sa.String(), server_default="", nullable=False),
        sa.Column("leader", sa.String(), server_default="", nullable=False),
        sa.Column("leader_phone", sa.String(), server_default="", nullable=False),
        sa.Column("deputy", sa.String(), server_default="", nullable=False),
        sa.Column("deputy_phone", sa.String(), server_default="", nullable=False),
        sa.Column("household_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("resident_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("began_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), server_default="", nullable=False),
        sa.Column("change_set", sa.String(), server_default="", nullable=False),
        sa.Column("ended_by", sa.String(), server_default="", nullable=False),
        sa.Column("source", sa.String(), server_default="", nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="MULTIPOLYGON",
                srid=4490,
                dimension=2,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_past_grids")),
    )
    op.create_index("ix_past_grids_county_code", "past_grids", ["county", "code"], unique=False)
    op.create_index("ix_past_grids_county_ended", "past_grids", ["county", "ended_at"], unique=False)


def downgrade() -> None:
    """Take them away, with what is in them."""
    drop_spatial_table("past_grids")
    op.drop_table("grid_proposal")
    op.drop_table("grid_lineage")
    op.drop_table("change_set")
    op.drop_table("change_edit")
    op.drop_index("ix_households_county_community", table_name="households")
    op.drop_column("grids", "change_set")
    op.drop_column("grids", "began_at")

"""The organisation: units, posts and their holders, departments of communities, calls and rules."""

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"


def _text(name: str, *, required: bool = False) -> "sa.Column[str]":
    return sa.Column(name, sa.String(), nullable=False, server_default=None if required else "")


def _time(name: str, *, required: bool = False) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger(), nullable=not required)


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "org_unit",
        *(_text(name, required=name in ("county", "code", "kind", "level")) for name in _UNIT),
        sa.PrimaryKeyConstraint("county", "code", name=op.f("pk_org_unit")),
    )
    op.create_table(
        "org_post",
        sa.Column("id", sa.Integer(), nullable=False),
        *(_text(name, required=name in ("county", "code", "unit", "kind", "level")) for name in _POST),
        sa.Column("term_from", sa.Date(), nullable=True),
        sa.Column("term_to", sa.Date(), nullable=True),
        _text("superior"),
        sa.Column("rank", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("began_on", sa.Date(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        _text("source"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_org_post")),
    )
    op.create_index("ix_party_link_county_member", "party_link", ["county", "member"], unique=False)
    op.create_index("ix_org_post_county_code", "org_post", ["county", "code"], unique=False)
    op.create_index("ix_org_post_county_unit", "org_post", ["county", "unit"], unique=False)
    op.create_index("ix_org_post_county_community", "org_post", ["county", "community"], unique=False)
    op.create_table(
        "org_pair",
        *(_text(name, required=True) for name in ("county", "department", "community")),
        sa.PrimaryKeyConstraint("county", "community", "department", name=op.f("pk_org_pair")),
    )
    _calls()
    op.create_table(
        "org_rule",
        _text("county", required=True),
        _text("name", required=True),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("county", "name", name=op.f("pk_org_rule")),
    )


def _calls() -> None:
    op.create_table(
        "org_call",
        *(_text(name, required=True) for name in ("county", "operation", "post", "unit", "kind", "level")),
        *(_text(name) for name in ("place", "township", "community", "grid", "superior")),
        sa.Column("exercise", sa.Boolean(), nullable=False),
        _text("state", required=True),
        _text("acting", required=True),
        sa.Column("has_deputy", sa.Boolean(), nullable=False),
        _time("asked_at", required=True),
        _time("deadline"),
        _time("answered_at"),
        _text("answered_by"),
        _time("handed_over_at"),
        _time("escalated_at"),
        _time("handed_back_at"),
        sa.PrimaryKeyConstraint("county", "operation", "post", name=op.f("pk_org_call")),
    )
    op.create_index("ix_org_call_county_deadline", "org_call", ["county", "deadline"], unique=False)


_UNIT = ("county", "code", "name", "kind", "level", "place", "parent", "township", "community", "grid")
_POST = (
    *("county", "code", "unit", "kind", "title", "level", "place", "township", "community", "grid", "chain"),
    *("holder", "holder_phone", "deputy", "deputy_phone", "department"),
)


def downgrade() -> None:
    """Take them away, with all holders of posts."""
    op.drop_index("ix_party_link_county_member", table_name="party_link")
    for table in ("org_rule", "org_call", "org_pair", "org_post", "org_unit"):
        op.drop_table(table)

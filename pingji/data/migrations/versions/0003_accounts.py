"""Accounts with their grants, sessions and tokens."""

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"


def _text(name: str, *, required: bool = False) -> "sa.Column[str]":
    return sa.Column(name, sa.String(), nullable=False, server_default=None if required else "")


def _big(name: str, default: str | None = None) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger(), nullable=False, server_default=default)


def _list(name: str) -> "sa.Column[object]":
    return sa.Column(name, sa.JSON(), nullable=False, server_default="[]")


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "account",
        _text("id", required=True),
        _text("login", required=True),
        _text("name", required=True),
        _text("password"),
        sa.Column("must_change", sa.Boolean(), nullable=False, server_default=sa.false()),
        _text("totp"),
        _big("totp_step", "0"),
        _text("subject"),
        sa.Column("failed", sa.Integer(), nullable=False, server_default="0"),
        _big("locked_until", "0"),
        _big("created_at"),
        _big("signed_in_at", "0"),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("login", name=op.f("uq_account_login")),
        sa.UniqueConstraint("name", name=op.f("uq_account_name")),
    )
    op.create_table(
        "account_grant",
        _text("account", required=True),
        _text("role", required=True),
        _text("scope", required=True),
        sa.PrimaryKeyConstraint("account", "role", "scope", name=op.f("pk_account_grant")),
    )
    op.create_table(
        "session",
        _text("digest", required=True),
        _text("id", required=True),
        _text("kind", required=True),
        _text("account"),
        _text("name"),
        _list("grants"),
        _big("created_at"),
        _big("seen_at"),
        _big("expires_at"),
        _text("address"),
        _text("agent"),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_session")),
    )
    op.create_index("ix_session_account", "session", ["account"], unique=False)
    op.create_table(
        "token",
        _text("id", required=True),
        _text("digest", required=True),
        _text("kind", required=True),
        _text("name", required=True),
        _list("grants"),
        _text("created_by"),
        _big("created_at"),
        _big("expires_at"),
        _big("used_at", "0"),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_token_digest")),
    )


def downgrade() -> None:
    """Take them away: nobody can sign in afterwards."""
    for table in ("token", "session", "account_grant", "account"):
        op.drop_table(table)

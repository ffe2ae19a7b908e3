"""Personal data: what it is sealed with, and which operations were anonymised."""

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"


def upgrade() -> None:
    """The keys' ids, and the day on which an operation's people became unknown. Values are sealed afterwards."""
    op.create_table(
        "sealing_key",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("in_use", sa.Boolean(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("covers", sa.String(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sealing_key")),
    )
    op.create_index(
        "uq_sealing_key_in_use",
        "sealing_key",
        ["in_use"],
        unique=True,
        postgresql_where=sa.text("in_use"),
        sqlite_where=sa.text("in_use"),
    )
    op.add_column("operation", sa.Column("anonymised_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Open every value: the program of that release knows no keys."""
    from pingji.data.sealing.reseal import open_all

    open_all(op.get_bind())
    op.drop_column("operation", "anonymised_at")
    op.drop_index("uq_sealing_key_in_use", table_name="sealing_key")
    op.drop_table("sealing_key")

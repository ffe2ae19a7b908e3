"""The organisation: units, posts and their holders, departments of communities."""

revision: str = "0005"
down_revision: str | None = "0004"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""

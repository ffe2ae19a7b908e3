"""Personal data: what is sealed, and until when it is kept."""

revision: str = "0006"
down_revision: str | None = "0005"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""

"""The audit: what was done, by whom, why and from where, chained by hashes."""

revision: str = "0004"
down_revision: str | None = "0003"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""

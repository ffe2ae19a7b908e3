"""What several routes share."""

from urllib.parse import unquote

from pingji.dashboard.errors import printable

NO_NUL = r"^[^\x00]*$"  # PostgreSQL has no text with a NUL in it
NO_CONTROLS = r"^[^\x00-\x1f\x7f]*$"
UNNAMED_ACTOR = "-"  # until accounts exist: whoever sits at the machine, or holds the token


def actor_name(given: str | None, header: str | None) -> str:
    """Who says it acts: the body's `actor`, else the `X-Actor` header (percent-encoded UTF-8)."""
    return printable((given or unquote(header or "")).strip(), 64) or UNNAMED_ACTOR

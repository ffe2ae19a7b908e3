"""Times as people in the county read them."""

from datetime import UTC, datetime, timedelta, timezone

_CHINA = timezone(timedelta(hours=8))


def clock(at: int) -> str:
    """A time of day from microseconds since 1970 UTC.

    >>> clock(0)
    '08:00'
    """
    return datetime.fromtimestamp(at / 1_000_000, UTC).astimezone(_CHINA).strftime("%H:%M")

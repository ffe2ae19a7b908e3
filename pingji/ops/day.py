"""Days as the county has them: Asia/Shanghai, whatever the machine's clock is set to."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_SHANGHAI = ZoneInfo("Asia/Shanghai")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def local(at: int) -> datetime:
    """A moment, microseconds since 1970 UTC, by the county's clock.

    >>> local(1_700_000_000_000_000).isoformat()
    '2023-11-15T06:13:20+08:00'
    """
    return (_EPOCH + timedelta(microseconds=at)).astimezone(_SHANGHAI)


def day_of(at: int) -> date:
    """The day of a moment.

    >>> day_of(1_700_000_000_000_000)
    datetime.date(2023, 11, 15)
    """
    return local(at).date()


def end_of(day: date) -> int:
    """The last microsecond of a day, since 1970 UTC.

    >>> day_of(end_of(date(2023, 11, 15))), day_of(end_of(date(2023, 11, 15)) + 1)
    (datetime.date(2023, 11, 15), datetime.date(2023, 11, 16))
    """
    midnight = datetime.combine(day + timedelta(days=1), time(), _SHANGHAI)
    return (midnight - _EPOCH) // timedelta(microseconds=1) - 1

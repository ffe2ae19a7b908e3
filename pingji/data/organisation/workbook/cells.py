"""What a cell holds: names, phones and days as people type them, and as spreadsheets change them."""

import calendar
import re
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation

from pingji.data.organisation.workbook.words import half_width, key, words

_EPOCH = date(1899, 12, 30)  # day 0 of a spreadsheet's serial numbers
_SERIALS = range(20_000, 80_000)  # 1954 to 2119
_LONGEST_NAME = 40
_MOBILE = re.compile(r"1\d{10}")
_LANDLINE = re.compile(r"(?:0\d{2,3}-?)?\d{7,8}(?:-\d{1,6})?")
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?[eE]\+?\d{1,2}")
_EXACT = 11  # digits that a mobile number has
_FOREIGN = re.compile(r"[a-z]", re.IGNORECASE)


class BadCell(Exception):
    """A cell that can't be what its column says; `kind` names the text."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def is_empty(value: object) -> bool:
    """Whether a cell says that nobody is there."""
    return key(value) in words().vacant


def text(value: object) -> str:
    """A cell as text: a whole number without its decimals.

    >>> text(3.0), text(" a  b ")
    ('3', 'a b')
    """
    if isinstance(value, bool) or value is None:
        return "" if value is None else str(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime | date):
        return value.isoformat()[:10]
    return " ".join(half_width_letters(str(value)).split())


def half_width_letters(written: str) -> str:
    """Text with half-width letters and digits; brackets and commas stay as they were typed."""
    return "".join(half_width(c) if c.isalnum() or c.isspace() else c for c in written)


def name(value: object) -> str:
    """A person's name, empty for a vacancy. Blanks inside a Chinese name are for the eye only.

    Raises
    ------
    BadCell
        A number or a masked name where a name should be, or a text too long to be one.
    """
    if is_empty(value):
        return ""
    found = text(value)
    if not _FOREIGN.search(found):
        found = found.replace(" ", "")
    if "*" in found:
        raise BadCell("masked")
    if len(found) > _LONGEST_NAME or any(c.isdigit() for c in found):
        raise BadCell("bad_name")
    return found


def phone(value: object) -> str:
    """A phone number, empty where there is none.

    >>> phone(13812345678.0), phone("138 1234 5678"), phone("+86-13812345678"), phone("1.3812345678E+10")
    ('13812345678', '13812345678', '13812345678', '13812345678')

    Raises
    ------
    BadCell
        Digits that are no phone number, several numbers, a masked one, or one that a spreadsheet rounded.
    """
    if is_empty(value):
        return ""
    written = text(value).replace(" ", "")
    if "*" in written:
        raise BadCell("masked")
    if _SCIENTIFIC.fullmatch(written):
        written = _unrounded(written)
    plain = re.sub(r"[()\s.]", "", half_width(written))
    mobile = re.sub(r"^(?:\+?86|0086)", "", plain.replace("-", ""))
    if _MOBILE.fullmatch(mobile):
        return mobile
    if _LANDLINE.fullmatch(plain):
        return plain
    raise BadCell("bad_phone")


def _unrounded(written: str) -> str:
    """The number behind a scientific text, where it still has all of its digits."""
    try:
        number = Decimal(written)
    except InvalidOperation:
        raise BadCell("bad_phone") from None
    if len(number.as_tuple().digits) < _EXACT and number >= 10 ** (_EXACT - 1):
        raise BadCell("rounded_phone")
    return f"{number:f}".partition(".")[0]


def day(value: object, *, last: bool = False) -> date | None:
    """A day, None for an empty cell or an open end; of a month or a year its first day, or its `last`.

    >>> day(45717), day("2025.3"), day("2025.3", last=True)
    (datetime.date(2025, 3, 1), datetime.date(2025, 3, 1), datetime.date(2025, 3, 31))

    Raises
    ------
    BadCell
    """
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if is_empty(value) or key(value) in words().forever:
        return None
    if isinstance(value, int | float) and int(value) in _SERIALS:
        return _EPOCH + timedelta(days=int(value))
    written = key(value)
    patterns = words().patterns
    try:
        for name_ in ("day", "compact"):
            if found := patterns[name_].match(written):
                return date(*(int(part) for part in found.groups()))
        if found := patterns["month"].match(written):
            year, month = int(found[1]), int(found[2])
            return date(year, month, calendar.monthrange(year, month)[1] if last else 1)
        if found := patterns["year"].match(written):
            return date(int(found[1]), 12, 31) if last else date(int(found[1]), 1, 1)
    except (ValueError, calendar.IllegalMonthError):
        raise BadCell("bad_date") from None
    if written.isdigit() and int(written) in _SERIALS:
        return _EPOCH + timedelta(days=int(written))
    raise BadCell("bad_date")


def term(value: object) -> tuple[date | None, date | None]:
    """Both ends of a term that stands in one cell; a single day is its beginning.

    >>> term("2024.3-2029.2")
    (datetime.date(2024, 3, 1), datetime.date(2029, 2, 28))
    """
    written = key(value)
    patterns = words().patterns
    if isinstance(value, str) and written not in words().vacant:
        for pattern in ("range", "range_dash"):
            if found := patterns[pattern].match(written):
                return day(found[1]), day(found[2], last=True)
    return day(value), None

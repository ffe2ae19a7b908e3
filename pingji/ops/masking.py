"""How a name, a phone or an ID number is masked 脱敏: the one place, for screens and for files."""

import re
from functools import lru_cache

_MOBILE = re.compile(r"1[0-9]{10}")
_REMEMBERED = 65_536  # values and their masks, in this process: a map masks the same thousands at every move
_SHORT = 4  # digits of a number of which two would be half
# Two-character family names that a mask must keep whole.
COMPOUND_FAMILY_NAMES = frozenset(
    [
        "\u6b27\u9633",
        "\u53f8\u9a6c",
        "\u4e0a\u5b98",
        "\u8bf8\u845b",
        "\u590f\u4faf",
        "\u4e1c\u65b9",
        "\u7687\u752b",
        "\u5c09\u8fdf",
        "\u516c\u5b59",
        "\u4ee4\u72d0",
        "\u5b87\u6587",
        "\u957f\u5b59",
        "\u6155\u5bb9",
        "\u53f8\u5f92",
        "\u53f8\u7a7a",
        "\u7aef\u6728",
    ]
)


@lru_cache(maxsize=_REMEMBERED)
def mask_phone(phone: str) -> str:
    """A mobile number keeps its first three and last four digits; anything else its last two.

    >>> mask_phone("13812341234"), mask_phone("138 1234 1234")
    ('138****1234', '138****1234')
    >>> mask_phone("0432-4230110"), mask_phone("617-349-6841"), mask_phone("13812341234 / 13912345678")
    ('****10', '****41', '****78')
    >>> mask_phone("")
    ''
    """
    digits = phone.strip().replace(" ", "").replace("-", "")
    if not digits:
        return ""
    if _MOBILE.fullmatch(digits):
        return f"{digits[:3]}****{digits[-4:]}"
    return f"****{digits[-2:]}" if len(digits) > _SHORT else "****"


def mask_id(number: str) -> str:
    """An ID number keeps the six digits of the place and the last four.

    >>> mask_id("220221196001011234")
    '220221********1234'
    >>> mask_id("E1234567")
    'E*******'
    """
    if len(number) == 18:
        return f"{number[:6]}********{number[-4:]}"
    return number[:1] + "*" * max(len(number) - 1, 0)


@lru_cache(maxsize=_REMEMBERED)
def mask_name(name: str) -> str:
    """A name keeps its family name, one character or two; of a Latin name, the initials. Two stars hide the rest.

    >>> mask_name("\\u738b\\u5efa\\u56fd") == "\\u738b**"
    True
    >>> mask_name("\\u6b27\\u9633\\u82b3") == "\\u6b27\\u9633*"
    True
    >>> mask_name("Lee Ann")
    'L** A**'
    >>> mask_name("")
    ''
    """
    name = name.strip()
    if not name:
        return ""
    if name.isascii():
        return " ".join(word[:1] + "*" * (len(word) - 1) for word in name.split())
    kept = 2 if name[:2] in COMPOUND_FAMILY_NAMES and len(name) > 2 else 1
    return name[:kept] + "*" * min(max(len(name) - kept, 1), 2)

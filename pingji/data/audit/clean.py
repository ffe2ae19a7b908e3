"""What an entry may hold: texts that both stores can keep, cut to a length, without phone and identity numbers.

An entry is kept for ever and can't be changed, so nothing personal may get into it, not even where somebody typed a
phone number into a reason. And an audit that refuses a strange text would refuse the act that it tells of.
"""

import re
from collections.abc import Mapping

import orjson

SHORT, LONG, ITEMS, DEPTH = 200, 500, 50, 4
_PHONE = re.compile(r"(?<![0-9])(1[3-9][0-9])[0-9]{4}([0-9]{4})(?![0-9])")
# Six digits of a place, a day of birth, four more: codes of communities, grids and buildings don't look so.
_IDENTITY = re.compile(
    r"(?<![0-9])([1-9][0-9]{5})(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])([0-9]{3}[0-9Xx])(?![0-9])"
)


def clean(text: object, limit: int = SHORT) -> str:
    """A text without control characters and lone surrogates, its phone and identity numbers masked, not too long.

    >>> clean("call 13812341234\\x00"), clean("220221199001011234"), clean("220221101001001")
    ('call 138****1234?', '220221********1234', '220221101001001')
    """
    known = str(text)[: limit + 1].encode("utf-8", "replace").decode()
    plain = "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in known)
    masked = _IDENTITY.sub(r"\1********\2", _PHONE.sub(r"\1****\2", plain))
    return masked if len(masked) <= limit else masked[: limit - 1] + "…"


def clean_detail(detail: Mapping[str, object] | None) -> dict[str, object]:
    """A detail as JSON will give it back; of long lists only their length is kept.

    >>> clean_detail({"codes": list(range(1000)), "n": 3, "to": None})
    {'codes': {'n': 1000}, 'n': 3, 'to': None}
    """
    kept: dict[str, object] = orjson.loads(orjson.dumps(_clean(detail or {}, DEPTH)))
    return kept


def _clean(value: object, depth: int) -> object:
    if isinstance(value, bool | int | float) or value is None:
        return value if not isinstance(value, int) or abs(value) < 1 << 63 else clean(value)
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        if depth == 0 or len(value) > ITEMS:
            return {"n": len(value)}
        if isinstance(value, Mapping):
            return {clean(key, 64): _clean(item, depth - 1) for key, item in value.items()}
        return [_clean(item, depth - 1) for item in value]
    return clean(value, LONG)

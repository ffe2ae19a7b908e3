"""What of a feature is shown to whom, and how a name, a phone or an ID number is masked 脱敏."""

from collections.abc import Mapping

from pingji.layers.base import Audience, Field, Layer

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


def mask_phone(phone: str) -> str:
    """A mobile number keeps its first three and last four digits; a shorter one its last two.

    >>> mask_phone("13812341234")
    '138****1234'
    >>> mask_phone("0432-4230110")
    '****10'
    >>> mask_phone("")
    ''
    """
    digits = phone.strip()
    if not digits:
        return ""
    if len(digits) == 11 and digits.isdigit():
        return f"{digits[:3]}****{digits[-4:]}"
    return f"****{digits[-2:]}"


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


def visible_fields(layer: Layer, audience: Audience) -> tuple[Field, ...]:
    """The fields that `audience` may see at all, in the order in which they are shown.

    >>> from pingji.layers.catalog import by_name
    >>> [field.column for field in visible_fields(by_name("transfer_points"), "public")]
    ['name', 'code', 'township', 'community', 'capacity']
    """
    if audience == "staff":
        return layer.fields
    return tuple(field for field in layer.fields if field.audience == "public")


def shown(layer: Layer, row: Mapping[str, object], audience: Audience, *, personal: bool = False) -> dict[str, object]:
    """The properties of one feature as `audience` may see them; `personal` shows names and phones unmasked.

    >>> from pingji.layers.catalog import by_name
    >>> row = {"code": "T1", "name": "School", "contact": "Lee Ann", "phone": "13812341234", "revision": 3}
    >>> shown(by_name("transfer_points"), row, "staff")
    {'name': 'School', 'code': 'T1', 'contact': 'L** A**', 'phone': '138****1234'}
    >>> shown(by_name("transfer_points"), row, "public")
    {'name': 'School', 'code': 'T1'}
    """
    masks = {} if personal else {"person": mask_name, "phone": mask_phone}
    properties: dict[str, object] = {}
    for field in visible_fields(layer, audience):
        if field.column not in row:
            continue
        value = row[field.column]
        mask = masks.get(field.kind)
        properties[field.column] = mask(value) if mask and isinstance(value, str) else value
    return properties

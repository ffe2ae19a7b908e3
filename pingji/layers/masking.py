"""What of a feature is shown to whom; how names and phones are masked is in `ops.masking`."""

from collections.abc import Mapping

from pingji.layers.base import Audience, Field, Layer
from pingji.ops.masking import mask_id, mask_name, mask_phone

__all__ = ["mask_id", "mask_name", "mask_phone", "shown", "visible_fields"]


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
    # By columns that the layer has ready: a box of the map is thousands of rows.
    properties = {column: row[column] for column in layer.columns[audience] if column in row}
    if not personal:
        for column, kind in layer.personal:
            value = properties.get(column)
            if value and isinstance(value, str):
                properties[column] = mask_name(value) if kind == "person" else mask_phone(value)
    return properties

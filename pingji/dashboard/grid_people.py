"""Who leads a grid, in documents of the workbench: by name, as on the board in the street, and never by phone."""

from collections.abc import Mapping
from typing import Any

from pingji.layers.masking import mask_phone

_PHONES = frozenset({"leader_phone", "deputy_phone"})
_MASK = "*"


def shown(document: object) -> Any:
    """A document with the phones of a grid's people masked, wherever they stand in it: also in what an edit asked for.

    >>> shown({"edits": [{"intent": {"values": {"leader": "Lee Ann", "leader_phone": "13812341234"}}}]})
    {'edits': [{'intent': {'values': {'leader': 'Lee Ann', 'leader_phone': '138****1234'}}}]}
    """
    if isinstance(document, Mapping):
        return {key: _shown(key, value) for key, value in document.items()}
    if isinstance(document, list | tuple):
        return document if document and isinstance(document[0], float) else [shown(one) for one in document]
    return document


def _shown(key: object, value: object) -> object:
    if isinstance(value, str):
        return mask_phone(value) if key in _PHONES and _MASK not in value else value
    return shown(value)

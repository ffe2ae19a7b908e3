"""Column types of personal values: sealed on the way into the store, opened on the way out.

A label stands for a column: sealed values of one label can be copied and compared within the store, those of two
can't. Columns that are copied into each other (grids and past grids) or read as one (places) share a label.
"""

from collections.abc import Callable
from typing import Any

import orjson
from sqlalchemy import JSON, ColumnElement, Connection, Dialect, String, type_coerce
from sqlalchemy.sql import operators
from sqlalchemy.types import TypeDecorator, TypeEngine

from pingji.data.sealing.keyring import MARK, UNREADABLE, Keyring, keys_of, sealed_with

_COMPARED = {operators.eq, operators.ne, operators.is_, operators.is_not, operators.in_op, operators.not_in_op}
_PARTS = ("values", "found")  # of an edit: what people wrote, and what it replaced
_ROWS = "grids"  # of an import: a list of such


class Sealed(TypeDecorator[str]):
    """Text that is sealed. It can only be compared for equality: `LIKE`, order and `||` would work on the seal."""

    impl = String
    cache_ok = True

    class Comparator(TypeDecorator.Comparator[str]):
        """Refuses what can't be asked of a sealed column."""

        def operate(self, op: Any, *other: Any, **kwargs: Any) -> ColumnElement[Any]:
            """Equality only."""
            if op not in _COMPARED:
                raise TypeError(f"a sealed column can't be asked for {op.__name__}")
            return super().operate(op, *other, **kwargs)

    comparator_factory = Comparator

    def __init__(self, label: str) -> None:
        super().__init__()
        self.label = label

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Seal."""
        return None if value is None else keys_of(dialect).seal(self.label, str(value))

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        """Open."""
        return keys_of(dialect).opened(self.label)[value]

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], str | None]:
        """Open, without a call into Python for a value that is known."""
        return keys_of(dialect).opened(self.label).__getitem__


class SealedValues(TypeDecorator[dict[str, Any]]):
    """A JSON document of the grid workbench, in which what people wrote about grids is sealed as one text."""

    impl = JSON
    cache_ok = True

    def __init__(self, label: str) -> None:
        super().__init__()
        self.label = label

    def coerce_compared_value(self, op: Any, value: Any) -> TypeEngine[Any]:
        """A part of the document is compared as JSON's would be."""
        return self.impl_instance.coerce_compared_value(op, value)

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Seal."""
        return self.sealed(value, keys_of(dialect))

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Open."""
        return self.opened(value, keys_of(dialect))

    def sealed(self, document: Any, ring: Keyring) -> Any:
        """A document with its personal parts sealed."""
        return changed(document, lambda part: ring.seal(self.label, orjson.dumps(part).decode()) if part else part)

    def opened(self, document: Any, ring: Keyring) -> Any:
        """A document with its personal parts as they were."""

        def plain(part: Any) -> Any:
            if not (isinstance(part, str) and part.startswith(MARK)):
                return part
            text = ring.open(self.label, part)
            return {} if text == UNREADABLE else orjson.loads(text)

        return changed(document, plain)


def changed(document: Any, change: Callable[[Any], Any]) -> Any:
    """A copy of a document with its personal parts changed.

    >>> changed({"values": {"G1": {"leader": "Li"}}, "kind": "describe"}, len)
    {'values': 1, 'kind': 'describe'}
    """
    if not isinstance(document, dict):
        return document
    out = {name: change(part) if name in _PARTS else part for name, part in document.items()}
    if isinstance(out.get(_ROWS), list):
        out[_ROWS] = [changed(row, change) for row in out[_ROWS]]
    return out


def equal(conn: Connection, column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    """Whether a sealed column has a value, whichever key it was sealed with, or none: right during a rotation, too."""
    kind = column.type
    assert isinstance(kind, Sealed)
    forms = [text, *(sealed_with(key, kind.label, text) for key in keys_of(conn).keys.values())]
    return type_coerce(column, String).in_(forms)

"""Places where people are counted: transfer points and shelters."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CompoundSelect, Connection, bindparam, literal, select, union_all

from pingji.data.tables import LAYER_TABLES
from pingji.ops.movement import SHELTER, TRANSFER_POINT

_TABLES = {TRANSFER_POINT: LAYER_TABLES["transfer_points"], SHELTER: LAYER_TABLES["shelters"]}


@dataclass(frozen=True, slots=True)
class Place:
    """A transfer point or a shelter, as the map has it."""

    county: str
    code: str
    kind: str
    name: str
    community: str
    township: str
    capacity: int
    contact: str
    phone: str


def _statement(some: bool) -> CompoundSelect[Any]:
    """Built once: every batch of movements asks for its places."""
    parts = []
    for kind, table in _TABLES.items():
        c = table.c
        columns = (c.county, c.code, literal(kind), c.name, c.community, c.township, c.capacity, c.contact, c.phone)
        query = select(*columns).where(c.county == bindparam("county"))
        parts.append(query.where(c.code.in_(bindparam("codes", expanding=True))) if some else query)
    return union_all(*parts)


_ALL, _NAMED = _statement(some=False), _statement(some=True)


def places_of(conn: Connection, county: str) -> dict[str, Place]:
    """All places of a county, by code."""
    return _places(conn.execute(_ALL, {"county": county}))


def places_named(conn: Connection, county: str, codes: Collection[str]) -> dict[str, Place]:
    """Those of the named places that exist, by code."""
    return _places(conn.execute(_NAMED, {"county": county, "codes": sorted(codes)})) if codes else {}


def _places(rows: Iterable[Sequence[Any]]) -> dict[str, Place]:
    return {place.code: place for place in (Place(*row) for row in rows)}

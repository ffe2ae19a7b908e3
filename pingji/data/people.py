"""The people of households and institutions, with where they are in an open operation."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, select

from pingji.data.tables import person, whereabouts


@dataclass(frozen=True, slots=True)
class Resident:
    """One person. `id` is what movements name; `position` is empty while nobody is being counted."""

    id: str
    household: str
    name: str
    vulnerability: str
    position: str
    place: str


def people_of(conn: Connection, county: str, households: Sequence[str], operations: Sequence[str]) -> list[Resident]:
    """The people of some households: those of the open roll call, else those of the register."""
    p, w = person.c, whereabouts.c
    same = and_(p.county == w.county, p.household == w.household, w.person == w.household + "-" + p.code)
    counted = (
        select(w.person, w.household, func.coalesce(p.name, ""), w.vulnerability, w.position, w.at)
        .select_from(whereabouts.outerjoin(person, same))
        .where(w.county == county, w.operation.in_(operations), w.household.in_(households))
        .order_by(w.household, w.person)
    )
    found = [Resident(*row) for row in conn.execute(counted)]
    missing = sorted(set(households) - {r.household for r in found})
    listed = select(p.household + "-" + p.code, p.household, p.name, p.vulnerability).where(
        p.county == county, p.household.in_(missing)
    )
    quiet = [Resident(*row, position="", place="") for row in conn.execute(listed.order_by(p.household, p.code))]
    return found + quiet

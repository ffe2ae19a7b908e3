"""Names and phones in full: who is shown, and that it was shown, in one transaction."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from pingji.data import audit
from pingji.data.areas import lies_in
from pingji.data.features import table_of
from pingji.data.sql import among
from pingji.data.tables import person
from pingji.ops.access import Area, OutsideYourArea

_WITH_PEOPLE = ("households", "institutions")


def reveal(
    conn: Connection,
    county: str,
    layer: str,
    columns: Sequence[str],
    codes: Sequence[str],
    inside: Area,
    *,
    purpose: str,
    note: str,
) -> dict[str, object]:
    """The personal columns of some features, and the people who live there; nothing without its audit entry.

    Raises
    ------
    OutsideYourArea
        One of the codes is not in the area, or is nobody's.
    """
    table = table_of(layer)
    c = table.c
    query = select(c.code, *(c[name] for name in columns)).where(c.county == county, among(conn, c.code, codes))
    rows = conn.execute(query.where(lies_in(table, inside)).order_by(c.code)).all()
    if missing := sorted(set(codes) - {row[0] for row in rows}):
        raise OutsideYourArea(scope=missing[0])
    features = [{"code": row[0], "fields": dict(zip(columns, row[1:], strict=True))} for row in rows]
    people = _people(conn, county, codes) if layer in _WITH_PEOPLE else []
    detail = {"layer": layer, "codes": sorted(set(codes)), "people": len(people), "note": note}
    audit.record(conn, action="names_seen", object=layer, scope=county, purpose=purpose, detail=detail)
    return {"features": features, "people": people}


def _people(conn: Connection, county: str, households: Sequence[str]) -> list[dict[str, object]]:
    p = person.c
    query = select(p.household, p.code, p.name, p.phone).where(p.county == county, among(conn, p.household, households))
    return [
        {"id": f"{household}-{code}", "household": household, "name": name, "phone": phone}
        for household, code, name, phone in conn.execute(query.order_by(p.household, p.code))
    ]

"""The figures of quiet times: how complete the map is, and what is open."""

from sqlalchemy import ColumnElement, Connection, Table, and_, func, select

from pingji.data.tables import LAYER_TABLES, party_link, party_member

GRID_SIZE = (300, 500)  # households


def routine_figures(conn: Connection, county: str) -> dict[str, int]:
    """Counts by name, for the whole county."""
    t = LAYER_TABLES
    g, h, p, s, z = (t[n].c for n in ("grids", "households", "posts", "shelters", "danger_zones"))
    figures: dict[str, int] = {name: _count(conn, county, table) for name, table in t.items()}
    low, high = GRID_SIZE
    figures |= {
        "grids_in_range": _count(conn, county, t["grids"], g.household_count.between(low, high)),
        "leaders": _count(conn, county, t["grids"], g.leader != ""),
        "posts_filled": _count(conn, county, t["posts"], p.holder != ""),
        "residents": _sum(conn, county, t["households"], h.residents),
        "zone_residents": _sum(conn, county, t["danger_zones"], z.resident_count),
        "zones": figures["danger_zones"],
        "zones_complete": _count(conn, county, t["danger_zones"], _complete()),
        "shelter_capacity": _sum(conn, county, t["shelters"], s.capacity),
        "shelters_in_hazard": _count(conn, county, t["shelters"], s.in_hazard),
        "committees": _count(conn, county, t["communities"], t["communities"].c.committee != ""),
        "households_without_escort": _count(conn, county, t["households"], and_(h.zone != "", h.escort == "")),
        "party_members": _count(conn, county, party_member),
        "households_linked": _linked(conn, county),
    }
    return figures


def _complete() -> ColumnElement[bool]:
    z = LAYER_TABLES["danger_zones"].c
    needed = (z.route, z.transfer_point, z.backup_transfer_point, z.county_holder, z.township_holder, z.village_holder)
    return and_(*(column != "" for column in needed))


def _count(conn: Connection, county: str, table: Table, *where: ColumnElement[bool]) -> int:
    return conn.scalars(select(func.count()).select_from(table).where(table.c.county == county, *where)).one()


def _sum(conn: Connection, county: str, table: Table, column: ColumnElement[int]) -> int:
    return int(conn.scalars(select(func.coalesce(func.sum(column), 0)).where(table.c.county == county)).one())


def _linked(conn: Connection, county: str) -> int:
    query = select(func.count(func.distinct(party_link.c.household))).where(party_link.c.county == county)
    return conn.scalars(query).one()

"""The small county with an organisation: both chains down to one block, two departments, and what is missing."""

from datetime import date
from typing import Any

import shapely
from sqlalchemy import Connection, Engine, insert, update

from pingji.data import features
from pingji.data.engine import writing
from pingji.data.organisation.committees import save_pairs
from pingji.data.tables import LAYER_TABLES, org_post, org_unit
from pingji.ops.organisation.kinds import NATURE, Level, PostKind, UnitKind, seat
from tests import world
from tests.world import C1, C2, COUNTY, FAR, NEAR

GRID, OTHER_GRID = f"{C1}001", f"{C1}002"
BLOCK, HOUSE = f"{GRID}B0001", f"{GRID}B0002"
D1, D2 = f"{COUNTY}D001", f"{COUNTY}D002"
DAY = date(2025, 1, 1)
K = PostKind
PLACED = {
    COUNTY: (Level.COUNTY, "", "", ""),
    NEAR: (Level.TOWNSHIP, NEAR, "", ""),
    FAR: (Level.TOWNSHIP, FAR, "", ""),
    C1: (Level.COMMUNITY, NEAR, C1, ""),
    C2: (Level.COMMUNITY, NEAR, C2, ""),
    f"{C1}R1": (Level.BRANCH, NEAR, C1, ""),
    GRID: (Level.GRID, NEAR, C1, GRID),
    OTHER_GRID: (Level.GRID, NEAR, C1, OTHER_GRID),
    BLOCK: (Level.BUILDING, NEAR, C1, GRID),
    f"{BLOCK}-1": (Level.STAIRWELL, NEAR, C1, GRID),
    D1: (Level.DEPARTMENT, "", "", ""),
    D2: (Level.DEPARTMENT, "", "", ""),
}
# unit, kind, holder, phone, deputy, department
POSTS = (
    (COUNTY, K.COUNTY_SECRETARY, "Alpha", "13900000001", "Alto", ""),
    (COUNTY, K.COUNTY_COMMANDER, "Bravo", "13900000002", "Basso", ""),
    (NEAR, K.TOWNSHIP_SECRETARY, "Charlie", "13900000003", "Coro", ""),
    (NEAR, K.TEMPORARY_SECRETARY, "Delta", "13900000004", "Duo", ""),
    (C1, K.FIRST_SECRETARY, "Echo", "13900000005", "Eco", D1),
    (C2, K.FIRST_SECRETARY, "", "", "", ""),
    (f"{C1}R1", K.REGIONAL_SECRETARY, "Foxtrot", "13900000006", "Fuga", ""),
    (GRID, K.GRID_SECRETARY, "Golf", "13900000007", "Gala", ""),
    (GRID, K.COMPOUND_LEADER, "Hotel", "13900000008", "", ""),
    (GRID, K.COMMITTEE_MEMBER, "India", "13900000009", "", ""),
    (GRID, K.ESCORT_CADRE, "Juliet", "13900000010", "", ""),
    (GRID, K.COMMUNITY_CADRE, "Kilo", "13900000011", "", ""),
    (OTHER_GRID, K.COMMUNITY_CADRE, "Kilo", "13900000011", "", ""),
    (BLOCK, K.GROUP_LEADER, "Kilo", "13900000011", "Lima", ""),
    (f"{BLOCK}-1", K.STAIRWELL_HEAD, "Kilo", "13900000011", "", ""),
    (D1, K.DEPARTMENT_HEAD, "Mike", "13900000012", "", ""),
    (D2, K.DEPARTMENT_HEAD, "", "", "", ""),
)


def fill(conn: Connection) -> None:
    """Put the county and its organisation into a migrated, empty store."""
    world.fill(conn)
    c = LAYER_TABLES["communities"].c
    secretary = {"secretary": "Secretary", "secretary_phone": "13700000001", "committee": "Joint"}
    conn.execute(update(LAYER_TABLES["communities"]).where(c.code == C1).values(secretary))
    g = LAYER_TABLES["grids"].c
    leader = {"leader": "Leader", "leader_phone": "13700000002", "deputy": "Second", "deputy_phone": "13700000003"}
    conn.execute(update(LAYER_TABLES["grids"]).where(g.code == GRID).values(leader))
    homes = [
        {"code": BLOCK, "name": "Block", "units": 2, "head": "Head", "head_phone": "13700000004"},
        {"code": HOUSE, "name": "House", "units": 1},
    ]
    around = {"community": C1, "grid": GRID}
    for n, home in enumerate(homes):
        home |= {**around, "geom": shapely.Point(126.02 + 0.01 * n, 43.02)}
    features.insert(conn, COUNTY, "buildings", homes)
    conn.execute(insert(org_unit), [unit_row(*row) for row in UNITS])
    conn.execute(insert(org_post), [post_row(*row) for row in POSTS])
    save_pairs(conn, COUNTY, [(D1, C1), (D2, C2)])


UNITS = (
    (NEAR, "Near committee", UnitKind.PARTY_COMMITTEE, COUNTY),
    (C1, "C1 organisation", UnitKind.COMMUNITY_PARTY, NEAR),
    (f"{C1}R1", "North", UnitKind.REGIONAL_BRANCH, C1),
    (GRID, "G1 branch", UnitKind.GRID_BRANCH, f"{C1}R1"),
    (D1, "Water", UnitKind.DEPARTMENT, COUNTY),
    (D2, "Roads", UnitKind.DEPARTMENT, COUNTY),
)


def _placed(code: str) -> dict[str, str]:
    level, township, community, grid = PLACED[code]
    own = level not in (Level.DEPARTMENT, Level.BRANCH)
    placed = {"township": township, "community": community, "grid": grid}
    return {"level": level.value, "place": code if own else "", **placed}


def unit_row(code: str, name: str, kind: UnitKind, parent: str) -> dict[str, Any]:
    return {"county": COUNTY, "code": code, "name": name, "kind": kind.value, "parent": parent, **_placed(code)}


def post_row(unit: str, kind: PostKind, holder: str, phone: str, deputy: str, department: str) -> dict[str, Any]:
    people = {"holder": holder, "holder_phone": phone, "deputy": deputy, "department": department}
    own = {"county": COUNTY, "code": seat(unit, kind), "unit": unit, "kind": kind.value, "began_on": DAY}
    return {**own, "chain": NATURE[kind].chain.value, **_placed(unit), **people}


def filled(engine: Engine) -> Engine:
    with writing(engine) as conn:
        fill(conn)
    return engine

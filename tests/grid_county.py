"""A county for tests of the grid workbench: two communities side by side, six square grids and two.

    003 004 | 102
    001 002 | 101       006 005 stand north of 003 004

Grids of `HOME` are 001 to 006, three rows of two; those of `NEXT` are two, along its eastern border.
"""

import shapely
from sqlalchemy import Connection, Engine

from pingji.data import features
from pingji.data.derive import refresh
from pingji.data.engine import writing

COUNTY, TOWNSHIP = "220221", "220221101"
HOME, NEXT = "220221101001", "220221101002"
WEST, SOUTH, STEP = 126.5, 43.6, 0.01
# A household every tenth of a grid, on its southern and western border too; the one on a corner counts once.
A_SIDE = 10


def square(column: int, row: int) -> shapely.Polygon:
    west, south = round(WEST + column * STEP, 6), round(SOUTH + row * STEP, 6)
    return shapely.box(west, south, round(west + STEP, 6), round(south + STEP, 6))


def code(n: int, community: str = HOME) -> str:
    return f"{community}{n:03}"


GRIDS = {code(1 + column + 2 * row): square(column, row) for row in range(3) for column in range(2)}
NEXT_GRIDS = {code(1 + row, NEXT): square(2, row) for row in range(2)}
HOUSE = shapely.box(126.5098, 43.6040, 126.5100, 43.6041)  # in 001, its eastern wall on the border
ACROSS = shapely.box(126.5040, 43.6096, 126.5044, 43.6098)  # in 001, close to 003


def fill(conn: Connection) -> None:
    """Put the county into a migrated, empty store."""
    outline = shapely.union_all([*GRIDS.values(), *NEXT_GRIDS.values()])
    features.insert(
        conn,
        COUNTY,
        "area",
        [
            {"code": COUNTY, "name": "County", "level": "county", "geom": outline},
            {"code": TOWNSHIP, "name": "Town", "level": "township", "parent": COUNTY, "geom": outline},
        ],
    )
    for community, shapes in ((HOME, GRIDS), (NEXT, NEXT_GRIDS)):
        ground = shapely.coverage_union_all(list(shapes.values()))
        row = {"code": community, "name": f"C{community}", "township": TOWNSHIP, "geom": ground}
        features.insert(conn, COUNTY, "communities", [row])
        rows = [
            {"code": c, "name": f"G{c[-3:]}", "community": community, "leader": "Wang", "geom": shape}
            for c, shape in shapes.items()
        ]
        features.insert(conn, COUNTY, "grids", rows)
    homes, party = [], []
    for c, shape in {**GRIDS, **NEXT_GRIDS}.items():
        west, south = shape.bounds[:2]
        for i in range(A_SIDE):
            for j in range(A_SIDE):
                point = shapely.Point(round(west + i * STEP / A_SIDE, 6), round(south + j * STEP / A_SIDE, 6))
                homes.append({"code": f"{c}H{i}{j}", "name": "Li", "residents": 1 + (i + j) % 4, "geom": point})
        party.append({"code": f"{c}P", "name": "Zhao", "geom": shape.centroid})
    features.insert(conn, COUNTY, "households", homes)
    features.insert(conn, COUNTY, "party_households", party)
    houses = [{"code": "B1", "name": "House", "geom": HOUSE}, {"code": "B2", "name": "Hall", "geom": ACROSS}]
    features.insert(conn, COUNTY, "buildings", [*houses, {"code": "B3", "geom": shapely.Point(126.505, 43.605)}])
    zone = {"code": "Z1", "name": "Zone", "grade": "high", "community": HOME, "township": TOWNSHIP}
    features.insert(conn, COUNTY, "danger_zones", [{**zone, "geom": GRIDS[code(6)]}])
    refresh(conn, COUNTY)


def filled(engine: Engine) -> Engine:
    with writing(engine) as conn:
        fill(conn)
    return engine


def line(*positions: tuple[float, float]) -> list[list[float]]:
    return [list(position) for position in positions]


def halves(c: str) -> list[list[float]]:
    """A line that cuts a grid of `HOME` from west to east, at the middle."""
    west, south, east, north = GRIDS[c].bounds
    return line((west - 1e-5, (south + north) / 2), (east + 1e-5, (south + north) / 2))

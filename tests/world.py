"""A small county for tests of counting: every kind of row once, none of it from the demo.

The second township's code does not begin with the county's, as 岔路河镇's does not: a prefix filter would drop it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from random import Random

import shapely
from sqlalchemy import Connection, Engine, select

from pingji.data import counts, features, modes
from pingji.data.bulk import insert_rows
from pingji.data.engine import reading, writing
from pingji.data.ingest import Outcome, record
from pingji.data.operations import operations_of
from pingji.data.places import places_of
from pingji.data.scopes import Scope, find_scope
from pingji.data.tables import headcount, occupancy, person, tally, trend, whereabouts
from pingji.ops.mode import Mode, Press, State, decide
from pingji.ops.movement import Kind, Movement

COUNTY, NEAR, FAR = "220221", "220221101", "220273100"
C1, C2, C3, C4 = "220221101001", "220221101002", "220273100201", "220273100202"
TOWNSHIP_OF = {C1: NEAR, C2: NEAR, C3: FAR, C4: FAR}
ZONES = {"Z1": C1, "Z2": C2, "Z3": C3}
POINTS = {"T1": C1, "T2": C2, "T3": C3, "T4": C4}
SHELTERS = {"S1": C1, "S2": C2, "S3": C4}  # S3 takes people of two communities and lies in neither
SHELTER_OF = {C1: "S1", C2: "S3", C3: "S3"}
UNSAFE_SHELTER = "S2"
CARE_HOME, CARE_HOME_PEOPLE = "INS1", 12
HOUSEHOLDS_A_COMMUNITY, IN_ZONE = 15, 10
UNNAMED = 3  # every so many households have a number of residents and no list of them
MINUTE = 60_000_000
T0 = 1_700_000_000_000_000  # when the operations of these tests begin, microseconds


def _home(community: str, n: int) -> str:
    return f"{community}{n // 8 + 1:03}H{n:02}"


def members(n: int) -> int:
    """How many live in the nth household of a community."""
    return n % 4 + 1


def _square(x: float, y: float, size: float) -> shapely.Polygon:
    return shapely.box(x, y, x + size, y + size)


def fill(conn: Connection) -> None:
    """Put the county into a migrated, empty store."""
    origin = {code: (126.0 + 0.2 * i, 43.0) for i, code in enumerate(TOWNSHIP_OF)}
    outline = shapely.box(126.0, 43.0, 126.8, 43.2)
    areas = [{"code": COUNTY, "name": "County", "level": "county", "geom": outline}]
    for i, (code, name) in enumerate(((NEAR, "Near"), (FAR, "Far"))):
        geom = shapely.box(126.0 + 0.4 * i, 43.0, 126.4 + 0.4 * i, 43.2)
        areas.append({"code": code, "name": name, "level": "township", "parent": COUNTY, "geom": geom})
    features.insert(conn, COUNTY, "area", areas)
    communities, grids, homes, people = [], [], [], []
    for code, (x, y) in origin.items():
        communities.append(
            {"code": code, "name": f"C{code}", "township": TOWNSHIP_OF[code], "geom": _square(x, y, 0.2)}
        )
        grids += [
            {"code": f"{code}{n:03}", "name": f"G{n}", "community": code, "geom": _square(x + 0.1 * (n - 1), y, 0.1)}
            for n in (1, 2)
        ]
        zone = next((z for z, c in ZONES.items() if c == code), "")
        point = next(p for p, c in POINTS.items() if c == code)
        for n in range(HOUSEHOLDS_A_COMMUNITY):
            inside = bool(zone) and n < IN_ZONE
            homes.append(
                {
                    "code": _home(code, n),
                    "name": f"Wang {n}",
                    "phone": "13812345678",
                    "community": code,
                    "township": TOWNSHIP_OF[code],
                    "grid": f"{code}{n // 8 + 1:03}",
                    "zone": zone if inside else "",
                    "residents": members(n),
                    "transfer_point": point if inside else "",
                    "shelter": SHELTER_OF[code] if inside else "",
                    "geom": shapely.Point(x + 0.01 * (n + 1), y + 0.05),
                }
            )
            if n % UNNAMED:
                people += [(_home(code, n), str(m), f"Li {n}{m}", "18812345678") for m in range(1, members(n) + 1)]
    features.insert(conn, COUNTY, "communities", communities)
    features.insert(conn, COUNTY, "grids", grids)
    features.insert(conn, COUNTY, "households", homes)
    columns = dict(zip(("household", "code", "name", "phone"), zip(*people, strict=True), strict=True))
    insert_rows(conn, person, COUNTY, columns)
    zones = [
        {"code": z, "name": f"Zone {z}", "grade": "high", "community": c, "township": TOWNSHIP_OF[c]}
        | {"geom": _square(*origin[c], 0.1)}
        for z, c in ZONES.items()
    ]
    features.insert(conn, COUNTY, "danger_zones", zones)
    where = {"community": C1, "township": NEAR, "grid": f"{C1}001", "zone": "Z1", "transfer_point": "T1"}
    home = {"code": CARE_HOME, "name": "Care home", "kind": "care_home", "head_count": CARE_HOME_PEOPLE}
    features.insert(conn, COUNTY, "institutions", [{**home, **where, "geom": shapely.Point(126.05, 43.06)}])
    for layer, places in (("transfer_points", POINTS), ("shelters", SHELTERS)):
        rows = []
        for n, (code, community) in enumerate(places.items()):
            x, y = origin[community]
            row = {"code": code, "name": f"Place {code}", "community": community, "township": TOWNSHIP_OF[community]}
            row |= {"capacity": 20 + n, "contact": "Zhao", "phone": "13900001111"}
            row |= {"in_hazard": code == UNSAFE_SHELTER} if layer == "shelters" else {}
            rows.append({**row, "geom": shapely.Point(x + 0.15, y + 0.1 + 0.01 * n)})
        features.insert(conn, COUNTY, layer, rows)


def filled(engine: Engine) -> Engine:
    with writing(engine) as conn:
        fill(conn)
    return engine


def households_in(zone: str) -> list[str]:
    return [_home(ZONES[zone], n) for n in range(IN_ZONE)]


def people_in(household: str) -> list[str]:
    return [f"{household}-{m}" for m in range(1, members(int(household[-2:])) + 1)]


PERSONS = {zone: sum(members(n) for n in range(IN_ZONE)) for zone in ZONES}
PERSONS["Z1"] += CARE_HOME_PEOPLE
ALL_PERSONS, ALL_HOUSEHOLDS = sum(PERSONS.values()), len(ZONES) * IN_ZONE + 1

_ids = count(1)


def movement_id() -> str:
    return f"01900000-0000-7000-8000-{next(_ids):012x}"


def say(kind: str, at: int, **said: object) -> Movement:
    """A movement stated `at` microseconds after T0; device, sequence and id are new unless given."""
    n = next(_ids)
    given = {"id": movement_id(), "device": "phone", "sequence": n, "occurred_at": T0 + at, "clock": T0 + at, **said}
    return Movement(kind=Kind(kind), **given)  # type: ignore[arg-type]


def again(m: Movement, **changed: object) -> Movement:
    """The same statement, with something else about it."""
    return replace(m, **changed)  # type: ignore[arg-type]


def scope(conn: Connection, code: str = COUNTY) -> Scope:
    found = find_scope(conn, COUNTY, code)
    assert found is not None
    return found


def press(
    engine: Engine,
    to: str,
    *,
    at: int = 0,
    code: str = COUNTY,
    level: int | None = None,
    exercise: bool = False,
    reason: str = "because",
    press_id: str = "",
    operation: str = "",
) -> State:
    """One press `at` microseconds after T0, by the rules and the store alone."""
    if to == "emergency" and level is None:
        level = 2
    asked = Press(press_id or movement_id(), code, Mode(to), level, exercise, reason)
    with writing(engine) as conn:
        pressed = scope(conn, code)
        states = modes.load_states(conn, COUNTY)
        before = states.get(pressed.code, State())
        step = decide(before, asked, modes.neighbours(conn, pressed, states))
        return modes.save_press(conn, pressed, asked, before, step, "tester", operation or movement_id(), T0 + at)


def write(engine: Engine, movements: Sequence[Movement], at: int = 10**12) -> Outcome:
    with writing(engine) as conn:
        return record(conn, COUNTY, movements, T0 + at)


Counts = dict[str, list[tuple[object, ...]]]
_LIVE = (
    "position",
    "at",
    "statement",
    "stated",
    "place",
    "clock",
    "device",
    "sequence",
    "notified",
    "verified",
    "ever",
)


def projections_of(conn: Connection, operation: str) -> Counts:
    """Everything that is counted in an operation, as comparable rows; rows of nothing are none."""
    found: Counts = {}
    for table in (tally, headcount, trend):
        names = [c for c in table.c if c.name not in ("county", "operation", "n")]
        query = select(*names, table.c.n).where(table.c.operation == operation, table.c.n != 0)
        found[table.name] = sorted(tuple(row) for row in conn.execute(query))
    o, w = occupancy.c, whereabouts.c
    places = select(o.place, o.roster, o.clicker, o.arrived).where(o.operation == operation)
    found["occupancy"] = sorted(tuple(row) for row in conn.execute(places) if any(row[1:]))
    people = select(w.person, w.kind, w.community, w.township, *(w[n] for n in _LIVE), w.visits).where(
        w.operation == operation
    )
    nobody = ("visitor", 1 << 6)
    found["whereabouts"] = sorted(
        (*row[:-1], str(sorted(row.visits.items()))) for row in conn.execute(people) if (row.kind, row.ever) != nobody
    )
    return found


def recounted(engine: Engine, operation: str) -> Counts:
    """What `counts.recount` makes of the stored whereabouts; the store is left as it was."""
    return _tried(engine, operation, counts.recount)


def rebuilt(engine: Engine, operation: str) -> Counts:
    """What the log alone makes of an operation; the store is left as it was."""
    from pingji.data.projections import rebuild

    return _tried(engine, operation, rebuild)


class _Undo(Exception):
    pass


def _tried(engine: Engine, operation: str, remake: object) -> Counts:
    found: Counts = {}
    try:
        with writing(engine) as conn:
            remake(conn, COUNTY, operation)  # type: ignore[operator]
            found = projections_of(conn, operation)
            raise _Undo
    except _Undo:
        return found


def live(engine: Engine, operation: str) -> Counts:
    with reading(engine) as conn:
        return projections_of(conn, operation)


def open_operations(engine: Engine) -> list[str]:
    with reading(engine) as conn:
        return [o.id for o in operations_of(conn, COUNTY) if o.is_open]


@dataclass
class Field:
    """A seeded crowd of phones: what they would say in a bad night, corrections and mistakes included."""

    seed: int

    def movements(self, n: int, zones: Sequence[str] = tuple(ZONES)) -> list[Movement]:
        rng = Random(self.seed)
        homes = [h for z in zones for h in households_in(z)]
        people = [p for h in homes for p in people_in(h)]
        if "Z1" in zones:
            people += [f"{CARE_HOME}-{i}" for i in range(1, CARE_HOME_PEOPLE + 1)]
            homes.append(CARE_HOME)
        people += [f"visitor:{self.seed}-{i}" for i in range(6)]
        places = [*POINTS, *SHELTERS]
        said: list[Movement] = []
        statements = [k for k in Kind if k not in (Kind.COUNT, Kind.CORRECT)]
        for sequence in range(n):
            ident = f"01900000-0000-7000-9{self.seed % 4096:03x}-{sequence:012x}"
            clock = T0 + rng.randrange(1, 240) * MINUTE // 4 + rng.randrange(3)
            base = Movement(ident, f"d{rng.randrange(5)}", sequence, Kind.NOTIFY, clock, clock)
            dice = rng.random()
            old = rng.choice(said).id if said and dice < 0.3 else ""
            if dice < 0.1 and old:
                extra = {"place": rng.choice(places), "count": rng.randint(1, 3)} if rng.random() < 0.3 else {}
                said.append(replace(base, kind=Kind.CORRECT, supersedes=old, **extra))  # type: ignore[arg-type]
            elif dice < 0.25:
                clicks = {"place": rng.choice(places), "count": rng.choice([-1, 1, 2, 5]), "supersedes": old}
                said.append(replace(base, kind=Kind.COUNT, **clicks))  # type: ignore[arg-type]
            else:
                kind = rng.choice(statements)
                subject = {"person": rng.choice(people)} if rng.random() < 0.7 else {"household": rng.choice(homes)}
                place = rng.choice(places) if kind in (Kind.ARRIVE, Kind.LEAVE) else ""
                said.append(replace(base, kind=kind, place=place, supersedes=old, **subject))
        return said


def place_codes(conn: Connection) -> set[str]:
    return set(places_of(conn, COUNTY))

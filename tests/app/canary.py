"""The small county in which every personal value is a marker: one for each column, in the own community and elsewhere.

Whoever finds one of them somewhere knows which column it came from, and whether it came from next door.
"""

import io
import re
import sqlite3
import string
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import NamedTuple

import shapely
from sqlalchemy import ColumnElement, Connection, Engine, Table, insert, or_, select, true, update

from pingji.data import derive, features
from pingji.data.access.accounts import add_account
from pingji.data.engine import writing
from pingji.data.sealing.column import Sealed
from pingji.data.spatial import stored
from pingji.data.tables import LAYER_TABLES, metadata, party_link, party_member
from pingji.ops.access import Grant, Role
from tests import organisation_county, publishing, world
from tests.world import C1, C3, COUNTY

OWN, FAR = "own", "far"
G1 = f"{C1}001"
ZONE, CENTRE = "Z1", "P1"
HOME, HOME_FAR = world.households_in("Z1")[1], world.households_in("Z3")[1]
NAME, PHONE, NUMBER = "Canary", "1998", "22022119"
_LETTERS = ["".join(three) for three in product(string.ascii_lowercase, repeat=3)]
_ANY = re.compile(rf"{NAME}[a-z]{{3}}x|{PHONE}765[0-9]{{4}}|{NUMBER}9001019[0-9]{{3}}", re.IGNORECASE)


class Found(NamedTuple):
    """Where a marker was put: `table.column`, in the own community or far from it."""

    column: str
    side: str


@dataclass
class Canary:
    """Makes the markers, and finds them again."""

    places: dict[str, Found] = field(default_factory=dict)

    def marker(self, column: str, side: str = OWN) -> str:
        """The marker of a column: a name, a phone, or an identity number."""
        known = next((text for text, found in self.places.items() if found == (column, side)), None)
        if known is not None:
            return known
        n = len(self.places)
        if column.endswith("phone"):
            text = f"{PHONE}765{n:04}"
        elif column.endswith("id_number"):
            text = f"{NUMBER}9001019{n:03}"
        else:
            text = f"{NAME}{_LETTERS[n]}x"
        self.places[text] = Found(column, side)
        return text

    def found_in(self, content: bytes | str) -> set[Found]:
        """The places of all markers in an answer, a file, a line; archives and databases are looked into."""
        raw = content.encode() if isinstance(content, str) else content
        texts = (text.decode("utf-8", "replace") for text in _unpacked(raw))
        hits = {hit.lower() for text in texts for hit in _ANY.findall(text)}
        return {found for marker, found in self.places.items() if marker.lower() in hits}


def _unpacked(raw: bytes) -> Iterator[bytes]:
    yield raw
    if raw.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            for name in archive.namelist():
                yield from _unpacked(archive.read(name))
    if raw.startswith(b"SQLite format 3"):
        with sqlite3.connect(":memory:") as book:
            book.deserialize(raw)
            yield "\n".join(book.iterdump()).encode()


def filled(engine: Engine) -> Canary:
    """The county with its organisation, a history of grids, accounts, and a marker in every personal column."""
    organisation_county.filled(engine)
    with writing(engine) as conn:
        _more_rows(conn)
        _tile(conn)
        derive.refresh(conn, COUNTY)
    canary = Canary()
    with writing(engine) as conn:
        for table in metadata.sorted_tables:
            for column in table.c:
                if isinstance(column.type, Sealed) and f"{table.name}.{column.name}" != "account.totp":
                    _mark(conn, canary, table, column.name)
        _accounts(conn, canary)
    for n, name in enumerate(("published", "second")):  # the second one ends what the first one wrote
        publishing.published(engine, _described(canary, name), at=world.T0 + n)
    publishing.draft(engine, _described(canary, "draft"), id="open")
    publishing.published(engine, _described(canary, "overtaking"), at=world.T0 + 5)
    return canary


def _described(canary: Canary, name: str) -> dict[str, object]:
    words = ("leader", "leader_phone", "deputy", "deputy_phone")
    return {"kind": "describe", "code": G1, "values": {word: canary.marker(f"grids.{name}.{word}") for word in words}}


def _more_rows(conn: Connection) -> None:
    """Of every kind that the small county has none of."""
    for side, community, x in ((OWN, C1, 126.05), (FAR, C3, 126.45)):
        around = {"community": community, "grid": f"{community}001", "geom": shapely.Point(x, 43.05)}
        centre = {"code": CENTRE if side == OWN else "P2", "household": HOME if side == OWN else HOME_FAR}
        features.insert(conn, COUNTY, "party_households", [{**around, **centre}])
        post = {"code": f"Q-{side}", "name": "Post", "kind": "station", "community": community}
        features.insert(conn, COUNTY, "posts", [{**post, "geom": around["geom"]}])
        if side == FAR:
            features.insert(conn, COUNTY, "buildings", [{**around, "code": f"{community}001B1", "name": "B"}])
            home = {"code": "INS2", "name": "School", "kind": "school", "head_count": 3, "zone": "Z3"}
            features.insert(conn, COUNTY, "institutions", [{**home, **around}])
        member = {"county": COUNTY, "code": f"M-{side}", "centre": centre["code"], "household": centre["household"]}
        conn.execute(insert(party_member), [member])
        link = {"county": COUNTY, "member": f"M-{side}", "household": centre["household"]}
        conn.execute(insert(party_link), [link])


def _tile(conn: Connection) -> None:
    """Grids fill their communities, so that a draft of them can be published."""
    c = LAYER_TABLES["communities"].c
    for n, community in enumerate(world.TOWNSHIP_OF):
        x = 126.0 + 0.2 * n
        shape = stored([shapely.MultiPolygon([shapely.box(x, 43.0, x + 0.2, 43.1)])])[0]
        conn.execute(update(c.code.table).where(c.code == community).values(geom=shape))


def _mark(conn: Connection, canary: Canary, table: Table, column: str) -> None:
    label = f"{table.name}.{column}"
    own = _is_own(table)
    for side, where in ((OWN, own), (FAR, ~own)):
        conn.execute(update(table).where(where).values({column: canary.marker(label, side)}))


def _is_own(table: Table) -> ColumnElement[bool]:
    """Whether a row belongs to the community C1."""
    if table.name == "communities":
        return table.c.code == C1
    if table.name == "person":
        homes = LAYER_TABLES["households"].c
        return or_(table.c.household.in_(select(homes.code).where(homes.community == C1)), table.c.household == "INS1")
    if table.name == "party_member":
        return table.c.centre == CENTRE
    return table.c.community == C1 if "community" in table.c else true()


def _accounts(conn: Connection, canary: Canary) -> None:
    for side, scope in ((OWN, C1), (FAR, C3)):
        login, name = (canary.marker(f"account.{column}", side) for column in ("login", "name"))
        add_account(conn, login=login.lower(), name=name, grants=[Grant(Role.SHELTER_DESK, scope)], at=world.T0)

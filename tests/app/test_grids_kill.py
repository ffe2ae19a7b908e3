"""`kill -9` while a change set is published: all of it is there afterwards, or nothing of it."""

import http.client
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random
from typing import Any

import shapely
from sqlalchemy import func, select

from pingji.data import features
from pingji.data.engine import open_engine, reading
from pingji.data.tables import LAYER_TABLES, grid_lineage, journal, past_grids
from tests import grid_county
from tests.app.test_kill import Served
from tests.grid_county import COUNTY, GRIDS, HOME, code, halves

API = "/api/v1/grids"
GONE = (OSError, http.client.HTTPException, ValueError)  # the server was killed, or is not up yet


@dataclass(frozen=True)
class Store:
    """What a publication writes, as it stands."""

    grids: dict[str, bytes]
    households: int
    past: int
    links: int
    journal: int


def stored(url: str) -> Store:
    engine = open_engine(url)
    tables = (past_grids, grid_lineage, journal)
    with reading(engine) as conn:
        shapes = features.load_features(conn, COUNTY, "grids", columns=["household_count"])
        counts = [conn.scalars(select(func.count()).select_from(table)).one() for table in tables]
        homes = conn.scalars(select(func.count()).select_from(LAYER_TABLES["households"])).one()
    engine.dispose()
    home = shapely.union_all(list(GRIDS.values()))
    ground = [one.geometry for one in shapes if one.code.startswith(HOME)]
    assert shapely.coverage_is_valid(ground)
    assert shapely.equals(shapely.union_all(ground), home)
    assert sum(int(str(one.values["household_count"])) for one in shapes) == homes
    grids = {one.code: shapely.to_wkb(one.geometry) for one in shapes}
    return Store(grids, homes, *counts)


def waiting(served: Served, n: int) -> dict[str, Any]:
    """A set that cuts the nth grid, ready to be published."""
    said = {"id": f"s{n}", "name": "x", "reason": "correction", "communities": [HOME], "actor": "Wang"}
    found = served.ask("POST", f"{API}/sets", said)
    intent = {"kind": "split", "code": code(n), "line": halves(code(n))}
    body = {"revision": found["revision"], "edit_id": f"e{n}", "community": HOME, "intent": intent, "actor": "Wang"}
    found = served.ask("POST", f"{API}/sets/s{n}/edits", body)["set"]
    step = {"revision": found["revision"], "step": "submit", "actor": "Wang"}
    return dict(served.ask("POST", f"{API}/sets/s{n}/steps", step))


def test_killed_while_publishing(store_url: str) -> None:
    engine = open_engine(store_url)
    grid_county.filled(engine)
    engine.dispose()
    rng, served = Random(7), Served(store_url)
    try:
        for n in range(1, 5):
            served.wait()
            found = waiting(served, n)
            before = stored(store_url)
            press = {"revision": found["revision"], "step": "publish", "actor": "Li"}
            with ThreadPoolExecutor(1) as pool:
                pressed = pool.submit(served.ask, "POST", f"{API}/sets/s{n}/steps", press)
                time.sleep(rng.uniform(0.002, 0.08))  # somewhere between the request and its answer
                served.kill()
                answered = pressed.exception() is None
                assert answered or isinstance(pressed.exception(), GONE)
            after = stored(store_url)
            served.start()
            served.wait()
            status = served.ask("GET", f"{API}/sets/s{n}")["status"]
            if status == "review":
                assert not answered  # what was answered is kept
                assert after == before
            else:
                assert status == "published"
            done = served.ask("POST", f"{API}/sets/s{n}/steps", press)
            assert len(done["codes"]) == 1
            once = stored(store_url)
            assert once == after or status == "review"
            assert set(once.grids) == {*before.grids, *done["codes"].values()}
            assert (once.past, once.links, once.journal) == (before.past + 1, before.links + 1, before.journal + 1)
    finally:
        served.kill()

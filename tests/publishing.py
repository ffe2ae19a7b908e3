"""Change sets of the small county taken all the way to publication, by the store alone."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import shapely
from sqlalchemy import Engine

from pingji.data import derive
from pingji.data.engine import reading, writing
from pingji.data.grids import drafts, publish
from pingji.data.grids.ground import load_ground
from pingji.data.grids.intents import carry_out
from pingji.data.spatial import stored
from pingji.data.tables import LAYER_TABLES
from pingji.ops.change_set import ChangeSet, Reason, Step, take
from tests import world
from tests.world import C1, C2, C3, COUNTY

AT = world.T0
AUTHOR, REVIEWER = "Wang", "Li"
G1, G2 = f"{C1}001", f"{C1}002"  # two squares side by side, border at 126.1
Intent = Mapping[str, Any]


def cut(code: str, lon: float) -> Intent:
    """From south to north."""
    return {"kind": "split", "code": code, "line": [[lon, 43.0], [lon, 43.1]]}


MERGE: Intent = {"kind": "merge", "codes": [G1, G2], "into": G1}


def fill(engine: Engine) -> Engine:
    """The small county; its grids tile their communities, and who lies where is known."""
    world.filled(engine)
    grids, communities = LAYER_TABLES["grids"], LAYER_TABLES["communities"]
    with writing(engine) as conn:
        for n, community in enumerate((C1, C2, C3, world.C4)):
            x = 126.0 + 0.2 * n
            conn.execute(
                communities.update()
                .where(communities.c.code == community)
                .values(geom=_stored(shapely.box(x, 43.0, x + 0.2, 43.1)))
            )
        conn.execute(grids.update().values(leader="Zhao", valid_from=None))
        derive.refresh(conn, COUNTY)
    return engine


def _stored(shape: shapely.Polygon) -> Any:
    return stored([shapely.MultiPolygon([shape])])[0]


def draft(
    engine: Engine,
    *intents: Intent,
    communities: Sequence[str] = (C1,),
    id: str = "",
    at: int = AT,
    actor: str = AUTHOR,
) -> str:
    """A draft with these edits; its id."""
    id = id or uuid.uuid4().hex
    with writing(engine) as conn:
        drafts.begin(
            conn,
            COUNTY,
            id=id,
            name=f"set {id}",
            reason=Reason.SPLIT_FOR_SIZE,
            note="",
            origin="drawn",
            author=AUTHOR,
            communities=communities,
            at=at,
        )
    for intent in intents:
        edit(engine, id, intent, at=at)
    return id


def edit(engine: Engine, id: str, intent: Intent, at: int = AT, actor: str = AUTHOR) -> None:
    with writing(engine) as conn:
        found = drafts.load(conn, COUNTY, id)
        overlay = drafts.overlay(drafts.in_force(found, drafts.edits(conn, COUNTY, id)))
        ground = load_ground(conn, COUNTY, found.communities, overlay)
        made, values = carry_out(conn, COUNTY, ground, intent)
        drafts.append(
            conn,
            COUNTY,
            found,
            edit_id=uuid.uuid4().hex,
            intent=intent,
            edit=made,
            values=values,
            actor=actor,
            at=at,
        )


def submit(engine: Engine, id: str, at: int = AT) -> ChangeSet:
    with writing(engine) as conn:
        found = drafts.load(conn, COUNTY, id)
        drafts.save(conn, COUNTY, take(found, Step.SUBMIT, AUTHOR, "", at), found.revision)
        return drafts.load(conn, COUNTY, id)


def publish_it(engine: Engine, id: str, *, at: int = AT, reviewer: str = REVIEWER) -> dict[str, str]:
    """Publish what waits for a review; the codes given."""
    with reading(engine) as conn:
        found = drafts.load(conn, COUNTY, id)
        checked = publish.check(conn, COUNTY, id, found.revision, reviewer)
    with writing(engine) as conn:
        done = publish.publish(
            conn, COUNTY, checked, reviewer=reviewer, note="fine", at=at, named=lambda c, code: f"{c} {code[-3:]}"
        )
    return dict(done.codes)


def published(engine: Engine, *intents: Intent, at: int = AT, **more: Any) -> dict[str, str]:
    id = draft(engine, *intents, at=at, **more)
    submit(engine, id, at)
    return publish_it(engine, id, at=at)

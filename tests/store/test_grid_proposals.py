"""Proposals in the store: the scene of a community, and candidates kept to the byte."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
import shapely
from sqlalchemy import Engine

from pingji.data.engine import reading, writing
from pingji.data.grids import drafts
from pingji.data.grids.ground import UnknownCommunity, load_ground
from pingji.data.grids.proposals import find_proposal, ground_of, save_proposal, scene_of
from pingji.data.grids.proposer import run
from pingji.geo.coverage import Edit, find_problems
from pingji.geo.partitioning import Scene, propose
from pingji.ops.change_set import Reason, UnknownChangeSet
from tests.neighbourhoods import neighbourhood, settle

COUNTY, COMMUNITY = "220221", "220221101001"


@pytest.fixture
def made(engine: Engine) -> Scene:
    """A community of 900 households, stored."""
    scene = neighbourhood(900, 4, bridges=1, seed=1)
    brook = shapely.LineString([scene.outline.bounds[:2], scene.outline.bounds[2:]])
    scene = replace(scene, streams=np.array([brook], dtype=object))
    with writing(engine) as conn:
        settle(conn, COUNTY, COMMUNITY, scene)
    return scene


def test_the_scene_is_what_is_stored(engine: Engine, made: Scene) -> None:
    with reading(engine) as conn:
        scene = scene_of(conn, ground_of(conn, COUNTY, COMMUNITY), COMMUNITY)
    assert scene.outline.equals_exact(made.outline, 0)
    assert (len(scene.homes), scene.households.sum()) == (900, 900)
    assert [len(scene.rivers), len(scene.streams), len(scene.roads)] == [1, 1, len(made.roads)]
    assert scene.rivers[0].equals_exact(made.rivers[0], 0)
    assert len(scene.buildings) == len(made.buildings)
    assert list(scene.grids) == [COMMUNITY + code for code in sorted(made.grids)]


def test_a_draft_is_what_is_proposed_against_where_one_is_named(engine: Engine, made: Scene) -> None:
    with writing(engine) as conn:
        ground = load_ground(conn, COUNTY, [COMMUNITY])
        code = ground.own()[0]
        whole = ground.coverage[code]
        half = shapely.box(*made.outline.bounds[:3], whole.centroid.y)
        after = {code: whole & half, f"{COMMUNITY}n01": whole - half}
        edit = Edit("split", {code: whole}, after, communities={f"{COMMUNITY}n01": COMMUNITY})
        words = {"name": "n", "reason": Reason.CORRECTION, "note": "", "origin": "drawn", "author": "a", "at": 1}
        draft = drafts.begin(conn, COUNTY, id="s", communities=[COMMUNITY], **words)
        drafts.append(conn, COUNTY, draft, edit_id="e", intent={}, edit=edit, values={}, actor="a", at=2)
    with reading(engine) as conn:
        scene = scene_of(conn, ground_of(conn, COUNTY, COMMUNITY, "s"), COMMUNITY)
        assert f"{COMMUNITY}n01" in scene.grids
        assert len(scene.grids) == len(made.grids) + 1
        with pytest.raises(UnknownChangeSet):
            ground_of(conn, COUNTY, COMMUNITY, "nothing")
        with pytest.raises(UnknownCommunity):
            ground_of(conn, COUNTY, "nowhere")


def test_candidates_come_back_to_the_byte(engine: Engine, made: Scene) -> None:
    candidates = propose(made)
    row = {"community": COMMUNITY, "actor": "a", "at": 5, "request": {"set": None, "low": 300, "high": 500}}
    with writing(engine) as conn:
        save_proposal(conn, COUNTY, id="p", candidates=candidates, **row)
    with reading(engine) as conn:
        kept = find_proposal(conn, COUNTY, "p")
        assert find_proposal(conn, COUNTY, "q") is None
        assert find_proposal(conn, "000000", "p") is None
    assert kept is not None
    assert (kept.community, kept.actor, kept.at, kept.request) == tuple(row.values())
    for given, found in zip(candidates, kept.candidates, strict=True):
        assert [g.polygon.wkb for g in found.grids] == [g.polygon.wkb for g in given.grids]
        assert [(g.code, g.households) for g in found.grids] == [(g.code, g.households) for g in given.grids]
        assert found.scores["in_range"] == given.scores.in_range


def test_the_worker_tells_how_far_it_is_and_keeps_what_it_found(engine: Engine, made: Scene) -> None:
    out = io.BytesIO()
    url = engine.url.render_as_string(hide_password=False)
    asked = {"database_url": url, "county": COUNTY, "community": COMMUNITY, "set": None, "low": 300, "high": 500}
    run({**asked, "id": "p", "actor": "a", "at": 7}, out)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["progress"] for line in lines] == sorted(line["progress"] for line in lines)
    assert (lines[0], lines[-1]) == ({"progress": 0.0, "step": "ground"}, {"progress": 1.0, "step": "saving"})
    with reading(engine) as conn:
        kept = find_proposal(conn, COUNTY, "p")
    assert kept is not None
    best = kept.candidates[0]
    assert find_problems([grid.polygon for grid in best.grids], parent=made.outline) == []
    assert best.scores["in_range"] == 1.0
    assert {grid.code for grid in best.grids} <= {COMMUNITY + code for code in made.grids} | {""}


def test_work_ends_when_nobody_listens_any_more_and_nothing_is_kept(engine: Engine, made: Scene) -> None:
    class Closed(io.BytesIO):
        def flush(self) -> None:
            if self.getvalue().count(b"\n") > 3:
                raise BrokenPipeError

    url = engine.url.render_as_string(hide_password=False)
    asked = {"database_url": url, "county": COUNTY, "community": COMMUNITY, "set": None, "low": 300, "high": 500}
    with pytest.raises(BrokenPipeError):
        run({**asked, "id": "p", "actor": "a", "at": 7}, Closed())
    with reading(engine) as conn:
        assert find_proposal(conn, COUNTY, "p") is None

"""`/api/v1/grids/proposals`: candidates for a community's grids, worked out while the browser watches."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Annotated, Any

import orjson
import uuid_utils
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from pingji.dashboard import errors, workbench
from pingji.dashboard.access import Routes, Who, needs, require_communities
from pingji.dashboard.api.grids import require_set
from pingji.dashboard.api.sets import Code, Id
from pingji.dashboard.context import Context, now_us
from pingji.dashboard.texts import LANGUAGES, t
from pingji.data.engine import reading
from pingji.data.grids.figures import figures_of_shapes
from pingji.data.grids.ground import Ground
from pingji.data.grids.proposals import ProposedSet, find_proposal, ground_of
from pingji.data.grids.stored import array_of
from pingji.geo.coverage import Coverage
from pingji.geo.coverage.planar import Area
from pingji.geo.partitioning import ImpossibleRange
from pingji.ops.access import Caller, Permission
from pingji.ops.grids import FEWEST, MOST, provisional

log = logging.getLogger(__name__)

AT_ONCE = 2  # proposals that are worked on in one server: the machine has to count people as well
# GZip would hold progress back until it has a block together; an encoding that is named already is left alone.
_AS_IT_IS = {"Content-Encoding": "identity", "Cache-Control": "no-store"}
_WORKER = (sys.executable, "-m", "pingji.data.grids.proposer")

Households = Annotated[int, Field(ge=1, le=1_000_000)]


class ProposalIn(BaseModel):
    """What to propose grids for."""

    model_config = ConfigDict(extra="forbid")

    community: Code
    set: Id | None = None
    low: Households = FEWEST
    high: Households = MOST


def router(context: Context) -> APIRouter:
    """The routes of proposals."""
    routes = Routes(prefix="/grids", tags=["grids"])
    turns = asyncio.Semaphore(AT_ONCE)

    @routes.post("/proposals", response_class=StreamingResponse)
    @needs(Permission.EDIT_GRIDS)
    async def make(request: Request, body: ProposalIn, who: Who) -> StreamingResponse:
        """Candidates as lines of JSON: progress, and at last the proposal. Closing the connection ends the work."""
        if body.low > body.high:
            raise ImpossibleRange(low=body.low, high=body.high)
        await run_in_threadpool(_known, context, body, who)
        work = {
            **body.model_dump(),
            "id": str(uuid_utils.uuid7()),
            "database_url": context.engine.url.render_as_string(hide_password=False),
            "county": context.county_code,
            "actor": who.name,
            "at": now_us(),
        }
        lines = _lines(context, turns, work, request.url.path)
        return StreamingResponse(lines, media_type="application/x-ndjson", headers=_AS_IT_IS)

    return routes


def _known(context: Context, body: ProposalIn, who: Caller) -> None:
    """Refuse a community or change set that is unknown or not the caller's before the stream begins.

    Then it is a plain problem document.
    """
    if body.set is not None:
        require_set(context, who, body.set, Permission.EDIT_GRIDS)
    with reading(context.engine) as conn:
        require_communities(conn, context.county_code, who, [body.community], Permission.EDIT_GRIDS)
        ground_of(conn, context.county_code, body.community, body.set)


async def _lines(
    context: Context, turns: asyncio.Semaphore, work: Mapping[str, object], path: str
) -> AsyncIterator[bytes]:
    yield _line({"progress": 0.0, "step": "ground"})
    async with turns:
        process = await asyncio.create_subprocess_exec(
            *_WORKER, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(orjson.dumps(work))
            process.stdin.close()
            async for line in process.stdout:
                yield line
            code = await process.wait()
        finally:
            if process.returncode is None:  # whoever waited has gone
                process.kill()
    if code == 0:
        document = await run_in_threadpool(_document, context, str(work["id"]))
        yield _line({"proposal": document})
        return
    log.error("the proposal for %s ended with %s", work["community"], code)
    yield b'{"problem":' + bytes(errors.problem(500, "unexpected", {}, path).body) + b"}\n"


def _line(document: object) -> bytes:
    return orjson.dumps(document) + b"\n"


def _document(context: Context, id: str) -> dict[str, object]:
    """A kept proposal as the browser shows it."""
    county = context.county_code
    with reading(context.engine) as conn:
        proposal = find_proposal(conn, county, id)
        assert proposal is not None  # the worker has just kept it
        ground = ground_of(conn, county, proposal.community, proposal.request["set"])
    candidates = [
        {
            "index": index,
            "scores": dict(candidate.scores),
            "notes": [_note(note) for note in candidate.notes],
            "grids": _collection(ground, proposal.community, candidate),
        }
        for index, candidate in enumerate(proposal.candidates)
    ]
    return {"id": id, "community": proposal.community, "candidates": candidates}


def _collection(ground: Ground, community: str, candidate: ProposedSet) -> dict[str, object]:
    """A candidate's grids as the workbench shows grids, in their order; new ones have a code for the time being."""
    used = {*ground.coverage.codes, *ground.overlay.used}
    shapes: dict[str, Area] = {}
    for grid in candidate.grids:
        code = grid.code or provisional(community, used)
        used.add(code)
        shapes[code] = grid.polygon
    laid = Coverage.of(list(shapes), array_of(shapes.values()), [community] * len(shapes), ground.coverage.crs)
    return workbench.grid_collection(replace(ground, coverage=laid), shapes, figures_of_shapes(ground, shapes))


def _note(note: Mapping[str, Any]) -> dict[str, object]:
    """Why a candidate is not what was asked for, in both languages."""
    chinese, english = (t(f"grids.proposal_note.{note['key']}", language, **note["params"]) for language in LANGUAGES)
    return {"key": note["key"], "params": note["params"], "text": chinese, "text_en": english}

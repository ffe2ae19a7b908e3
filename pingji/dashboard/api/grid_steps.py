"""`/api/v1/grids`: review, publishing, conflicts and past states. The contract is `docs/grids.md`."""

from datetime import date
from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from pingji.dashboard import grid_history, grid_people, workbench
from pingji.dashboard.access import Routes, Who, area_in, needs
from pingji.dashboard.api.grids import EDIT, SEE, require_set
from pingji.dashboard.api.sets import Code, Id, Note, Revision
from pingji.dashboard.commands import grid_steps as commands
from pingji.dashboard.context import Context, now_us
from pingji.dashboard.errors import BadRequest
from pingji.dashboard.grid_words import day_or_today
from pingji.data.engine import reading
from pingji.data.grids import history
from pingji.data.grids.history import Moment
from pingji.ops.access import Caller, OutsideYourArea, Permission, require
from pingji.ops.change_set import Step

REVIEW = Permission.REVIEW_GRIDS
STEPS = {Step.SUBMIT: EDIT, Step.DISCARD: EDIT, Step.RETURN: REVIEW, Step.PUBLISH: REVIEW}
_FIRST = date(1949, 10, 1)  # no register of grids is older


class StepIn(BaseModel):
    """A step of a change set; sent twice it is taken once."""

    model_config = ConfigDict(extra="forbid")

    revision: Revision
    step: Step
    note: Note = ""


class RebaseIn(BaseModel):
    """The edits of a draft once more on today's grids."""

    model_config = ConfigDict(extra="forbid")

    revision: Revision


def router(context: Context) -> APIRouter:
    """The routes of review and history."""
    routes = Routes(prefix="/grids", tags=["grids"])

    @routes.post("/sets/{id}/steps")
    @needs(EDIT, REVIEW)
    def step(id: Id, body: StepIn, who: Who) -> Response:
        """Submit, return, publish or discard a change set; all of it, or nothing."""
        require(who, (STEPS[body.step],))
        require_set(context, who, id, STEPS[body.step])
        taken = commands.take_step(context, id, body.revision, body.step, body.note, who.name)
        return _set(context, id, codes=taken.codes)

    @routes.get("/sets/{id}/difference")
    @needs(SEE)
    def difference(id: Id, who: Who) -> Response:
        """Before and after, and who gains and loses what."""
        require_set(context, who, id, SEE)
        with reading(context.engine) as conn:
            return _json(grid_history.difference(conn, context.county_code, id))

    @routes.get("/sets/{id}/conflict")
    @needs(SEE)
    def conflict(id: Id, who: Who) -> Response:
        """What was published otherwise since the draft was begun: both versions of it."""
        require_set(context, who, id, SEE)
        with reading(context.engine) as conn:
            return _json(grid_history.conflict(conn, context.county_code, id))

    @routes.post("/sets/{id}/rebase")
    @needs(EDIT)
    def rebase(id: Id, body: RebaseIn, who: Who) -> Response:
        """The edits once more on today's grids; what does not go any more is set aside with its refusal."""
        require_set(context, who, id, EDIT)
        done = commands.rebase(context, id, body.revision, who.name)
        kept = [{"code": code, "values": grid_history.words_document(words)} for code, words in done.kept.items()]
        return _set(context, id, kept=kept)

    @routes.get("/history")
    @needs(SEE)
    def changes(who: Who, community: Code | None = None) -> Response:
        """What was published, and past emergencies, the newest first."""
        with reading(context.engine) as conn:
            _require_one(conn, context, who, community)
            return _json(grid_history.changes(conn, context.county_code, community))

    @routes.get("/at")
    @needs(SEE)
    def at(who: Who, community: Code, date: date | None = None, operation: Id | None = None) -> Response:
        """A community at the end of a day, or when an emergency began."""
        with reading(context.engine) as conn:
            _require_one(conn, context, who, community)
            moment = _moment(conn, context.county_code, date, operation)
            return _json(grid_history.community_at(conn, context.county_code, community, moment))

    @routes.get("/of")
    @needs(SEE)
    def of(
        who: Who,
        lonlat: Annotated[str | None, Query(max_length=60)] = None,
        household: Annotated[Id | None, Query()] = None,
        date: date | None = None,
        operation: Id | None = None,
    ) -> Response:
        """The grid of a place or a household on a day, with the people on duty then."""
        if (lonlat is None) == (household is None):
            raise BadRequest(where="lonlat, household", what="")
        place = None if lonlat is None else _position(lonlat)
        with reading(context.engine) as conn:
            moment = _moment(conn, context.county_code, date, operation)
            found = grid_history.grid_of(conn, context.county_code, moment, household=household, lonlat=place)
            grid = found["grid"]
            asked = household or lonlat or ""
            _require_one(conn, context, who, str(grid["community"]) if isinstance(grid, dict) else None, asked)
            return _json(found)

    @routes.get("/lineage")
    @needs(SEE)
    def lineage(code: Code, who: Who) -> Response:
        """A grid, everything that it came from and everything that came from it."""
        with reading(context.engine) as conn:
            for community in {version.community for version in history.versions_of(conn, context.county_code, {code})}:
                _require_one(conn, context, who, community, code)
            return _json(grid_history.lineage(conn, context.county_code, code))

    return routes


def _require_one(conn: Connection, context: Context, who: Caller, community: str | None, asked: str = "") -> None:
    """The community, or the whole county where none is named, is the caller's to look at.

    A refusal names what was `asked`: where that lies is not theirs to know.
    """
    area = area_in(conn, context.county_code, who, SEE)
    if not (area.whole if community is None else area.holds(community=community)):
        raise OutsideYourArea(scope=asked or community or context.county_code)


def _moment(conn: Connection, county: str, day: date | None, operation: str | None) -> Moment:
    """The end of a day, the beginning of an operation, or now."""
    if day is not None and operation is not None:
        raise BadRequest(where="date, operation", what=operation)
    if operation is not None:
        return history.start_of(conn, county, operation)
    if day is None:
        return history.moment_of(now_us())
    if day < _FIRST:
        raise BadRequest(where="date", what=day.isoformat())
    return history.end_of_day(day_or_today(day))


def _position(text: str) -> tuple[float, float]:
    try:
        lon, lat = (float(part) for part in text.split(","))
    except ValueError as error:
        raise BadRequest(where="lonlat", what=text) from error
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise BadRequest(where="lonlat", what=text)
    return lon, lat


def _set(context: Context, id: str, **more: object) -> Response:
    county = context.county_code
    with reading(context.engine) as conn:
        found = workbench.set_document(conn, county, workbench.draft_of(conn, county, id))
    return _json({**found, **more})


def _json(document: object) -> Response:
    return Response(orjson.dumps(grid_people.shown(document)), media_type="application/json")

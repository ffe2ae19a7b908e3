"""Figures: the balance sheet, places, people of a household, the journal, and the live stream."""

from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, StringConstraints
from starlette.concurrency import run_in_threadpool

from pingji.dashboard import commands, queries, views
from pingji.dashboard.access import Routes, Who, area_in, area_of, needs, require_scope
from pingji.dashboard.api.common import NO_NUL
from pingji.dashboard.context import Context, now_us
from pingji.dashboard.live import Hub
from pingji.data.areas import households_outside
from pingji.data.engine import reading
from pingji.ops.access import OutsideYourArea, Permission

STREAM_HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}


class StatusIn(BaseModel):
    """The state that a place is put into."""

    model_config = ConfigDict(extra="forbid")

    status: Annotated[str, StringConstraints(max_length=32)]
    reason: Annotated[str, StringConstraints(max_length=500, pattern=NO_NUL)] = ""


def router(context: Context, hub: Hub) -> APIRouter:
    """The routes of figures."""
    routes = Routes(tags=["figures"])

    @routes.get("/balance")
    @needs(Permission.SEE_FIGURES)
    def balance(who: Who, scope: Annotated[str | None, Query(max_length=64)] = None) -> dict[str, object]:
        """The balance sheet of a county, township, community, zone or grid; its sums are exact."""
        with reading(context.engine) as conn:
            county = context.county
            found = require_scope(conn, county, who, scope or county.code, Permission.SEE_FIGURES)
            return queries.balance(conn, county, found, now_us())

    @routes.get("/places")
    @needs(Permission.SEE_FIGURES)
    def places(who: Who) -> list[Mapping[str, object]]:
        """Every transfer point and shelter of the caller's area: capacity, roster count, clicker count, difference."""
        with reading(context.engine) as conn:
            area = area_in(conn, context.county_code, who, Permission.SEE_FIGURES)
            names = area_in(conn, context.county_code, who, Permission.SEE_CONTACTS)
            found = [(str(place["code"]), place) for place in queries.places(conn, context.county, now_us())]
        return [views.contact_seen(names, code, place) for code, place in found if views.holds_place(area, code, place)]

    @routes.post("/places/{code}/status")
    @needs(Permission.SET_PLACES)
    def place_status(code: str, body: StatusIn, who: Who) -> dict[str, object]:
        """Open, divert or close a place in the open operation."""
        area = area_of(context, who, Permission.SET_PLACES)
        commands.set_place_status(context, area, code, body.status, body.reason, who.name)
        return {"code": code, "status": body.status}

    @routes.get("/people")
    @needs(Permission.SEE_PEOPLE)
    def people(who: Who, household: Annotated[list[str], Query(max_length=200)]) -> list[dict[str, object]]:
        """Ids and masked names of the people of some households, which all lie in the caller's area."""
        with reading(context.engine) as conn:
            area = area_in(conn, context.county_code, who, Permission.SEE_PEOPLE)
            if strange := households_outside(conn, context.county_code, household, area):
                raise OutsideYourArea(scope=strange[0])
            return queries.people(conn, context.county, household)

    @routes.get("/journal")
    @needs(Permission.SEE_JOURNAL)
    def journal(who: Who, limit: Annotated[int, Query(ge=1, le=200)] = 30) -> list[dict[str, object]]:
        """Who decided what, newest first."""
        county = context.county_or_none()
        if county is None:
            return []
        with reading(context.engine) as conn:
            area = area_in(conn, county.code, who, Permission.SEE_JOURNAL)
            return queries.journal_entries(conn, county, area, limit)

    @routes.get("/live", response_class=StreamingResponse)
    @needs(Permission.SEE_AGGREGATES, Permission.SEE_FIGURES)
    async def live(request: Request, who: Who, audience: Literal["staff", "wall"] = "staff") -> StreamingResponse:
        """Server-Sent Events: a snapshot, then what changes, and a heartbeat every 3 s, for as long as one may."""
        view = await run_in_threadpool(views.view_of, context, who, audience)
        messages = hub.messages(view, still=request.scope["state"]["still"])
        return StreamingResponse(messages, media_type="text/event-stream", headers=STREAM_HEADERS)

    return routes

"""Figures: the balance sheet, places, people of a household, the journal, and the live stream."""

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, StringConstraints

from pingji.dashboard import commands, queries
from pingji.dashboard.api.common import NO_NUL, actor_name
from pingji.dashboard.context import Context, now_us
from pingji.dashboard.live import Hub
from pingji.data.engine import reading

STREAM_HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}


class StatusIn(BaseModel):
    """The state that a place is put into."""

    model_config = ConfigDict(extra="forbid")

    status: Annotated[str, StringConstraints(max_length=32)]
    reason: Annotated[str, StringConstraints(max_length=500, pattern=NO_NUL)] = ""
    actor: Annotated[str, StringConstraints(max_length=64)] | None = None


def router(context: Context, hub: Hub) -> APIRouter:
    """The routes of figures."""
    routes = APIRouter(tags=["figures"])

    @routes.get("/balance")
    def balance(scope: Annotated[str | None, Query(max_length=64)] = None) -> dict[str, object]:
        """The balance sheet of a county, township, community, zone or grid; its sums are exact."""
        with reading(context.engine) as conn:
            county = context.county
            return queries.balance(conn, county, scope or county.code, now_us())

    @routes.get("/places")
    def places() -> list[dict[str, object]]:
        """Every transfer point and shelter: capacity, roster count, clicker count, and their difference."""
        with reading(context.engine) as conn:
            return queries.places(conn, context.county, now_us())

    @routes.post("/places/{code}/status")
    def place_status(code: str, body: StatusIn, x_actor: Annotated[str | None, Header()] = None) -> dict[str, object]:
        """Open, divert or close a place in the open operation."""
        commands.set_place_status(context, code, body.status, body.reason, actor_name(body.actor, x_actor))
        return {"code": code, "status": body.status}

    @routes.get("/people")
    def people(household: Annotated[list[str], Query(max_length=200)]) -> list[dict[str, object]]:
        """Ids and masked names of the people of some households."""
        with reading(context.engine) as conn:
            return queries.people(conn, context.county, household)

    @routes.get("/journal")
    def journal(limit: Annotated[int, Query(ge=1, le=200)] = 30) -> list[dict[str, object]]:
        """Who decided what, newest first."""
        county = context.county_or_none()
        if county is None:
            return []
        with reading(context.engine) as conn:
            return queries.journal_entries(conn, county, limit)

    @routes.get("/live", response_class=StreamingResponse)
    async def live(audience: Literal["staff", "wall"] = "staff") -> StreamingResponse:
        """Server-Sent Events: a snapshot, then what changes, and a heartbeat every 3 s."""
        return StreamingResponse(hub.messages(audience), media_type="text/event-stream", headers=STREAM_HEADERS)

    return routes

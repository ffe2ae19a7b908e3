"""`/api/v1/grids`: communities to work on, change sets, and the edits in them. The contract is `docs/grids.md`."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Header, Query, Request, Response

from pingji.dashboard import errors, workbench
from pingji.dashboard.api.common import actor_name
from pingji.dashboard.api.intents import EditIn, PreviewIn
from pingji.dashboard.api.sets import Code, Id, SetIn, StepIn, WordsIn
from pingji.dashboard.commands import grids as commands
from pingji.dashboard.context import Context
from pingji.data.engine import reading
from pingji.ops.change_set import Status

Actor = Annotated[str | None, Header()]
UNDRAWABLE = 422  # understood, but no border comes of it


def router(context: Context) -> APIRouter:
    """The routes of communities and change sets."""
    routes = APIRouter(prefix="/grids", tags=["grids"])

    @routes.get("/communities")
    def communities() -> Response:
        """The communities to choose from, with their grids and households."""
        with reading(context.engine) as conn:
            return _json(workbench.communities(conn, context.county_code))

    @routes.get("/communities/{code}")
    def community(code: Code, set: Annotated[Id | None, Query()] = None) -> Response:
        """A community with its grids, those around, totals and problems; with a draft laid over where one is named."""
        with reading(context.engine) as conn:
            return _json(workbench.community(conn, context.county_code, code, set))

    @routes.get("/sets")
    def sets(status: Annotated[Status | None, Query()] = None, community: Code | None = None) -> Response:
        """All change sets, the newest first, without their edits."""
        with reading(context.engine) as conn:
            return _json(workbench.sets(conn, context.county_code, status, community))

    @routes.post("/sets")
    def begin(body: SetIn, x_actor: Actor = None) -> Response:
        """Begin a change set; the same `id` twice begins one."""
        begun = commands.begin_change_set(
            context,
            id=body.id,
            name=body.name,
            reason=body.reason,
            note=body.note,
            communities=body.communities,
            actor=actor_name(body.actor, x_actor),
        )
        return _set(context, begun.id)

    @routes.get("/sets/{id}")
    def one(id: Id) -> Response:
        """A change set with its edits."""
        return _set(context, id)

    @routes.patch("/sets/{id}")
    def words(id: Id, body: WordsIn) -> Response:
        """Change the words of a draft, or let it name more communities."""
        said = body.model_dump(exclude={"revision", "actor"}, exclude_none=True)
        commands.change_words(context, id, body.revision, **said)
        return _set(context, id)

    @routes.post("/sets/{id}/edits")
    def edit(id: Id, body: EditIn, x_actor: Actor = None) -> Response:
        """Carry an intent out; the same `edit_id` twice is one edit."""
        intent, actor = body.intent.model_dump(exclude_none=True), actor_name(body.actor, x_actor)
        done = commands.edit_grids(context, id, body.revision, body.edit_id, body.community, intent, actor)
        return _edited(context, done)

    @routes.post("/sets/{id}/preview")
    def preview(id: Id, body: PreviewIn, request: Request) -> Response:
        """What an intent would come to: nothing is kept. A line that does not cross yet is an answer, no error."""
        intent = body.intent.model_dump(exclude_none=True)
        try:
            done = commands.preview_edit(context, id, body.community, intent)
        except errors.OURS as error:
            status, key = errors.key_of(error)
            if status != UNDRAWABLE:
                raise
            refused = errors.problem(status, key, errors.params_of(error), request.url.path)
            return Response(b'{"refused":' + bytes(refused.body) + b"}", media_type="application/json")
        return _edited(context, done)

    @routes.post("/sets/{id}/undo")
    def undo(id: Id, body: StepIn, x_actor: Actor = None) -> Response:
        """Take the last edit in force back."""
        actor = actor_name(body.actor, x_actor)
        return _edited(context, commands.undo_edit(context, id, body.revision, body.community, actor))

    @routes.post("/sets/{id}/redo")
    def redo(id: Id, body: StepIn, x_actor: Actor = None) -> Response:
        """Do again what was undone last."""
        actor = actor_name(body.actor, x_actor)
        return _edited(context, commands.redo_edit(context, id, body.revision, body.community, actor))

    return routes


def _set(context: Context, id: str) -> Response:
    with reading(context.engine) as conn:
        county = context.county_code
        return _json(workbench.set_document(conn, county, workbench.draft_of(conn, county, id)))


def _edited(context: Context, done: commands.Edited) -> Response:
    with reading(context.engine) as conn:
        change_set = workbench.set_document(conn, context.county_code, done.draft)
    answer = workbench.edit_answer(done.ground, done.edit, done.described, saved=done.saved, change_set=change_set)
    return _json(answer)


def _json(document: object) -> Response:
    return Response(orjson.dumps(document), media_type="application/json")

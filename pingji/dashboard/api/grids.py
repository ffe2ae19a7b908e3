"""`/api/v1/grids`: communities to work on, change sets, and the edits in them. The contract is `docs/grids.md`."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from pingji.dashboard import errors, grid_people, workbench
from pingji.dashboard.access import Routes, Who, area_in, needs, require_communities
from pingji.dashboard.api.intents import EditIn, PreviewIn
from pingji.dashboard.api.sets import Code, Id, SetIn, StepIn, WordsIn
from pingji.dashboard.commands import grids as commands
from pingji.dashboard.context import Context
from pingji.data.engine import reading
from pingji.data.grids import drafts
from pingji.ops.access import Caller, Permission
from pingji.ops.change_set import Status

SEE, EDIT = Permission.SEE_GRIDS, Permission.EDIT_GRIDS
UNDRAWABLE = 422  # understood, but no border comes of it


def router(context: Context) -> APIRouter:
    """The routes of communities and change sets."""
    routes = Routes(prefix="/grids", tags=["grids"])

    @routes.get("/communities")
    @needs(SEE)
    def communities(who: Who) -> Response:
        """The communities of the caller's area to choose from, with their grids and households."""
        with reading(context.engine) as conn:
            area = area_in(conn, context.county_code, who, SEE)
            found = workbench.communities(conn, context.county_code)
        return _json([one for one in found if area.holds(community=str(one["code"]))])

    @routes.get("/communities/{code}")
    @needs(SEE)
    def community(who: Who, code: Code, set: Annotated[Id | None, Query()] = None) -> Response:
        """A community with its grids, those around, totals and problems; with a draft laid over where one is named."""
        with reading(context.engine) as conn:
            require_communities(conn, context.county_code, who, [code], SEE)
            if set is not None:
                _require_set(context, conn, who, set, SEE)
            return _json(workbench.community(conn, context.county_code, code, set))

    @routes.get("/sets")
    @needs(SEE)
    def sets(who: Who, status: Annotated[Status | None, Query()] = None, community: Code | None = None) -> Response:
        """The change sets of the caller's area, the newest first, without their edits."""
        with reading(context.engine) as conn:
            area = area_in(conn, context.county_code, who, SEE)
            return _json(workbench.sets(conn, context.county_code, status, community, area))

    @routes.post("/sets")
    @needs(EDIT)
    def begin(body: SetIn, who: Who) -> Response:
        """Begin a change set; the same `id` twice begins one."""
        with reading(context.engine) as conn:
            require_communities(conn, context.county_code, who, body.communities, EDIT)
        begun = commands.begin_change_set(
            context,
            id=body.id,
            name=body.name,
            reason=body.reason,
            note=body.note,
            communities=body.communities,
            actor=who.name,
        )
        return _set(context, begun.id)

    @routes.get("/sets/{id}")
    @needs(SEE)
    def one(id: Id, who: Who) -> Response:
        """A change set with its edits."""
        require_set(context, who, id, SEE)
        return _set(context, id)

    @routes.patch("/sets/{id}")
    @needs(EDIT)
    def words(id: Id, body: WordsIn, who: Who) -> Response:
        """Change the words of a draft, or let it name more communities."""
        require_set(context, who, id, EDIT)
        with reading(context.engine) as conn:
            require_communities(conn, context.county_code, who, body.communities or [], EDIT)
        said = body.model_dump(exclude={"revision"}, exclude_none=True)
        commands.change_words(context, id, body.revision, **said)
        return _set(context, id)

    @routes.post("/sets/{id}/edits")
    @needs(EDIT)
    def edit(id: Id, body: EditIn, who: Who) -> Response:
        """Carry an intent out; the same `edit_id` twice is one edit."""
        require_set(context, who, id, EDIT)
        intent, actor = body.intent.model_dump(exclude_none=True), who.name
        done = commands.edit_grids(context, id, body.revision, body.edit_id, body.community, intent, actor)
        return _edited(context, done)

    @routes.post("/sets/{id}/preview")
    @needs(EDIT)
    def preview(id: Id, body: PreviewIn, request: Request, who: Who) -> Response:
        """What an intent would come to: nothing is kept. A line that does not cross yet is an answer, no error."""
        require_set(context, who, id, EDIT)
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
    @needs(EDIT)
    def undo(id: Id, body: StepIn, who: Who) -> Response:
        """Take the last edit in force back."""
        require_set(context, who, id, EDIT)
        return _edited(context, commands.undo_edit(context, id, body.revision, body.community, who.name))

    @routes.post("/sets/{id}/redo")
    @needs(EDIT)
    def redo(id: Id, body: StepIn, who: Who) -> Response:
        """Do again what was undone last."""
        require_set(context, who, id, EDIT)
        return _edited(context, commands.redo_edit(context, id, body.revision, body.community, who.name))

    return routes


def require_set(context: Context, who: Caller, id: str, *permissions: Permission) -> None:
    """All communities of a change set lie where the caller may do one of these.

    Raises
    ------
    OpsError
        UnknownChangeSet, or OutsideYourArea.
    """
    with reading(context.engine) as conn:
        _require_set(context, conn, who, id, *permissions)


def _require_set(context: Context, conn: Connection, who: Caller, id: str, *permissions: Permission) -> None:
    county = context.county_code
    require_communities(conn, county, who, drafts.load(conn, county, id).communities, *permissions)


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
    return Response(orjson.dumps(grid_people.shown(document)), media_type="application/json")

"""`/api/v1/organisation/import`: a workbook of the organisation, previewed and applied."""

import tempfile
from pathlib import Path
from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import StringConstraints
from starlette.concurrency import run_in_threadpool

from pingji.dashboard.access import Routes, Who, area_of, needs
from pingji.dashboard.api.common import NO_CONTROLS, file_name
from pingji.dashboard.api.deliver import receive
from pingji.dashboard.commands.organisation import apply_import, preview_import
from pingji.dashboard.context import Context
from pingji.dashboard.organisation_words import plan_document
from pingji.ops.access import Caller, OutsideYourArea, Permission
from pingji.ops.organisation.errors import WorkbookRefused

Line = Annotated[str, StringConstraints(max_length=100, pattern=NO_CONTROLS)]
Digest = Annotated[str, Query(min_length=64, max_length=64, pattern="^[0-9a-f]+$")]
_EDIT = Permission.EDIT_ORGANISATION
_MEGABYTE = 1 << 20
_MOST_MB = 20  # a county's posts are one or two


def router(context: Context) -> APIRouter:
    """The routes of the workbook."""
    routes = Routes(prefix="/organisation/import", tags=["organisation"])
    content = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    body = {"requestBody": {"required": True, "content": content}}

    @routes.post("/preview", openapi_extra=body)
    @needs(_EDIT)
    async def preview(request: Request, who: Who, filename: Line) -> Response:
        """What a workbook would change, and what is wrong with it; nothing is kept."""
        await run_in_threadpool(_require_whole, context, who)
        with tempfile.TemporaryDirectory(prefix="pingji-") as folder:
            path = await _receive(request, Path(folder), filename, context.settings.import_limit_mb)
            plan = await run_in_threadpool(preview_import, context, path)
        return _json(plan_document(plan))

    @routes.post("/apply", openapi_extra=body)
    @needs(_EDIT)
    async def apply(request: Request, who: Who, filename: Line, digest: Digest) -> Response:
        """Carry out what was previewed: everything, or nothing."""
        await run_in_threadpool(_require_whole, context, who)
        with tempfile.TemporaryDirectory(prefix="pingji-") as folder:
            path = await _receive(request, Path(folder), filename, context.settings.import_limit_mb)
            plan = await run_in_threadpool(apply_import, context, path, digest, who.name)
        if plan.errors:
            raise WorkbookRefused(n=len(plan.errors), sheet=plan.errors[0].sheet, row=plan.errors[0].row)
        return _json(plan.counts)

    return routes


def _require_whole(context: Context, who: Caller) -> None:
    """A workbook may name any unit, so it is for whoever edits the whole county."""
    if not area_of(context, who, _EDIT).whole:
        raise OutsideYourArea(scope=context.county_code)


async def _receive(request: Request, folder: Path, filename: str, limit_mb: int) -> Path:
    path = folder / file_name(filename, "organisation")
    await receive(request, path, min(limit_mb, _MOST_MB))
    return path


def _json(document: object) -> Response:
    return Response(orjson.dumps(document), media_type="application/json")

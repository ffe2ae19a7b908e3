"""`/api/v1/grids/import` and `/export`: grids as files. The contract is `docs/grids.md`."""

import tempfile
import zipfile
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import orjson
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse
from pydantic import StringConstraints
from starlette.concurrency import run_in_threadpool

from pingji.dashboard import errors, grid_people, workbench
from pingji.dashboard.access import Routes, Who, area_of, needs, require_communities
from pingji.dashboard.api.common import NO_CONTROLS, NO_NUL, file_name
from pingji.dashboard.api.deliver import receive, sent, workshop
from pingji.dashboard.api.sets import Code
from pingji.dashboard.commands.grid_files import import_grids
from pingji.dashboard.context import Context
from pingji.dashboard.grid_words import day_or_today, register_words, report_document
from pingji.data import audit
from pingji.data.engine import reading, writing
from pingji.data.files.reading import ImportOptions
from pingji.data.grids import outgoing
from pingji.data.grids.incoming import GridReport
from pingji.ops.access import OutsideYourArea, Permission
from pingji.ops.change_set import Reason

Line = Annotated[str, StringConstraints(max_length=100, pattern=NO_CONTROLS)]
Note = Annotated[str, StringConstraints(max_length=2000, pattern=NO_NUL)]
Format = Literal["gpkg", "shp", "geojson", "xlsx"]
_MEGABYTE = 1 << 20


def router(context: Context) -> APIRouter:
    """The routes of files."""
    routes = Routes(prefix="/grids", tags=["grids"])
    content = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}

    @routes.post("/import", openapi_extra={"requestBody": {"required": True, "content": content}})
    @needs(Permission.EDIT_GRIDS)
    async def import_file(
        request: Request,
        who: Who,
        filename: Line,
        name: Line = "",
        reason: Reason = Reason.REDIGITISATION,
        note: Note = "",
        encoding: Line | None = None,
        crs: Line | None = None,
        accept_offset: Literal["gcj02", "bd09", "none"] | None = None,
        repair: bool = False,
    ) -> Response:
        """Read a file of grids (Shapefile as .zip, GeoPackage, GeoJSON): a change set, or nothing of it.

        A file may hold any community, so it is for whoever edits the whole county.
        """
        if not (await run_in_threadpool(area_of, context, who, Permission.EDIT_GRIDS)).whole:
            raise OutsideYourArea(scope=context.county_code)
        options = ImportOptions(
            crs=crs or None,
            encoding=encoding or None,
            accept_offset=accept_offset,
            repair=repair,
            county=context.county_code,
        )
        with tempfile.TemporaryDirectory(prefix="pingji-") as folder:
            path = Path(folder) / file_name(filename, "grids")
            await receive(request, path, context.settings.import_limit_mb)
            kept, report = await run_in_threadpool(
                import_grids,
                context,
                path,
                options,
                name=name.strip() or path.stem,
                reason=reason,
                note=note,
                actor=who.name,
            )
        if kept is None:
            return errors.file_problem(report.errors, request.url.path)
        return await run_in_threadpool(_imported, context, kept.id, report)

    @routes.get("/export")
    @needs(Permission.EXPORT)
    def export_file(
        who: Who,
        format: Format,
        day: Annotated[date | None, Query(alias="date")] = None,
        community: Code | None = None,
    ) -> FileResponse:
        """The grids as they stood at the end of a day; phones are masked, names too without the workbench."""
        if community is None and not area_of(context, who, Permission.EXPORT).whole:
            raise OutsideYourArea(scope=context.county_code)
        with writing(context.engine) as conn:
            require_communities(conn, context.county_code, who, [community] if community else [], Permission.EXPORT)
            audit.record(conn, action="export", object=f"grids.{format}", scope=community or context.county_code)
        return _export(context, format, day, community, who.may(Permission.SEE_GRIDS))

    return routes


def _imported(context: Context, id: str, report: GridReport) -> Response:
    with reading(context.engine) as conn:
        county = context.county_code
        change_set = workbench.set_document(conn, county, workbench.draft_of(conn, county, id))
    document = {"set": change_set, "report": report_document(report, context.settings.language)}
    return Response(orjson.dumps(grid_people.shown(document)), media_type="application/json")


def _export(context: Context, format: Format, day: date | None, community: str | None, names: bool) -> FileResponse:
    language, county = context.settings.language, context.county
    with workshop() as folder:
        with reading(context.engine) as conn:
            shown = day_or_today(day)
            listing = outgoing.listing_of(conn, county.code, shown, [community] if community else ())
            exercise = outgoing.exercise_open(conn, county.code)
        words = register_words(county.name, shown, language, exercise=exercise)
        path = folder / f"grids_{community or county.code}_{shown.isoformat()}.{format}"
        outgoing.write_grids(path, outgoing.masked(listing, names=names), words)
        return sent(_packed(path) if format == "shp" else path)


def _packed(path: Path) -> Path:
    """A Shapefile with all of its parts, and its style, as one .zip."""
    packed = path.with_suffix(".zip")
    parts = [part for part in sorted(path.parent.iterdir()) if part.stem == path.stem]
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in parts:
            archive.write(part, part.name)
    return packed

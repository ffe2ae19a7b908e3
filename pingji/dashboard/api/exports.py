"""`/api/v1/layers/{name}/export`: a layer as a file, as far as the caller's area goes."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse

from pingji.dashboard.access import Routes, Who, area_in, needs
from pingji.dashboard.api.common import NO_NUL
from pingji.dashboard.api.deliver import sent, workshop
from pingji.dashboard.context import Context
from pingji.dashboard.errors import BadRequest
from pingji.data import audit
from pingji.data.areas import lies_in
from pingji.data.engine import reading, writing
from pingji.data.features import table_of
from pingji.data.files.export import export
from pingji.layers.catalog import by_name
from pingji.ops.access import Permission, require

Purpose = Annotated[str, Query(max_length=200, pattern=NO_NUL)]


def router(context: Context) -> APIRouter:
    """The route of exports."""
    routes = Routes(tags=["map"])

    @routes.get("/layers/{name}/export")
    @needs(Permission.EXPORT)
    def export_layer(
        name: str,
        who: Who,
        format: Literal["gpkg", "geojson", "csv", "xlsx"],
        purpose: Purpose = "",
        personal: bool = False,
    ) -> FileResponse:
        """A layer as a file; names and phones are masked, unless `personal`, which needs a right and a purpose."""
        needed = Permission.EXPORT_PERSONAL if personal else Permission.EXPORT
        require(who, (needed,))
        if personal and not purpose.strip():
            raise BadRequest(where="purpose", what="")
        layer = by_name(name).name
        with workshop() as folder:
            path = folder / f"{layer}.{format}"
            with reading(context.engine) as conn:
                area = area_in(conn, context.county_code, who, needed)
                rows = lies_in(table_of(layer), area)
                n = export(conn, context.county_code, layer, path, unmasked=personal, where=rows)
            with writing(context.engine) as conn:  # before the file leaves; not while it is made, or nobody could count
                audit.record(
                    conn,
                    action="export_personal" if personal else "export",
                    object=path.name,
                    scope="" if area.whole else ",".join(sorted(who.scopes((needed,)))),
                    purpose=purpose.strip(),
                    detail={"features": n},
                )
            return sent(path)

    return routes

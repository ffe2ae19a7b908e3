"""The map's data: what a page needs at start, layers as GeoJSON, scopes and search."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse

from pingji.dashboard import features, queries
from pingji.dashboard.access import Routes, Who, area_in, area_of, needs
from pingji.dashboard.api.common import NO_NUL
from pingji.dashboard.context import Context
from pingji.dashboard.errors import BadRequest
from pingji.dashboard.texts import LANGUAGES
from pingji.data.engine import reading
from pingji.layers.base import Audience
from pingji.layers.catalog import by_name
from pingji.ops.access import Area, Caller, Permission

Viewer = Literal["staff", "wall", "public"]


def router(context: Context) -> APIRouter:
    """The routes of the map."""
    routes = Routes(tags=["map"])

    @routes.get("/client")
    @needs()
    def client(who: Who, lang: str = "zh_CN", audience: Viewer = "staff") -> JSONResponse:
        """What a page needs to draw itself, and what its reader may do."""
        seen_by = _seen_by(who, audience)
        return JSONResponse(features.client(context, lang if lang in LANGUAGES else "zh_CN", seen_by, who))

    @routes.get("/layers/{name}")
    @needs(Permission.SEE_MAP, Permission.SEE_AGGREGATES)
    def layer(
        name: str,
        who: Who,
        bbox: Annotated[str | None, Query(max_length=100)] = None,
        limit: Annotated[int, Query(ge=1, le=20_000)] = 20_000,
        zoom: Annotated[float, Query(ge=0, le=24)] = 24,
        audience: Viewer = "staff",
        communities: Annotated[str | None, Query(max_length=4_000, pattern=NO_NUL)] = None,
    ) -> Response:
        """A layer as GeoJSON, masked for the audience; `bbox` is west,south,east,north in degrees.

        Outside the caller's area a feature has only what everybody may see, and is left out where that is nothing.

        `communities` are codes with commas between them: only what lies in these.
        """
        among = [code for code in (communities or "").split(",") if code]
        area = area_of(context, who, Permission.SEE_MAP) if _seen_by(who, audience) == "staff" else Area()
        document = features.layer_document(context, by_name(name), _box(bbox), limit, zoom, area, among)
        return Response(document, media_type="application/geo+json", headers={"Cache-Control": "private, no-cache"})

    @routes.get("/search")
    @needs(Permission.SEE_MAP)
    def search(who: Who, q: Annotated[str, Query(max_length=64)], lang: str = "zh_CN") -> list[dict[str, object]]:
        """Features by name or code, the best first; what is not public, only in the caller's area."""
        return features.search(context, q, lang, area_of(context, who, Permission.SEE_MAP))

    @routes.get("/scopes")
    @needs(Permission.SWITCH, Permission.SEE_FIGURES)
    def scopes(who: Who) -> list[dict[str, object]]:
        """The county, its townships and communities: what the key can switch, as far as the caller may look."""
        with reading(context.engine) as conn:
            area = area_in(conn, context.county_code, who, Permission.SWITCH, Permission.SEE_FIGURES)
            return queries.switchable(conn, context.county, area)

    return routes


def _seen_by(who: Caller, viewer: Viewer) -> Audience:
    """The wall is a public place, whoever stands before it; and not everybody is staff."""
    return "staff" if viewer == "staff" and who.may(Permission.SEE_MAP) else "public"


def _box(text: str | None) -> tuple[float, float, float, float] | None:
    if not text:
        return None
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError as error:
        raise BadRequest(where="bbox", what=text) from error
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise BadRequest(where="bbox", what=text)
    return west, south, east, north

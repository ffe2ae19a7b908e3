"""The map's data: what a page needs at start, layers as GeoJSON, scopes and search."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse

from pingji.dashboard import features, queries
from pingji.dashboard.api.common import NO_NUL
from pingji.dashboard.context import Context
from pingji.dashboard.errors import BadRequest
from pingji.dashboard.texts import LANGUAGES
from pingji.data.engine import reading
from pingji.layers.base import Audience
from pingji.layers.catalog import by_name

Viewer = Literal["staff", "wall", "public"]


def router(context: Context) -> APIRouter:
    """The routes of the map."""
    routes = APIRouter(tags=["map"])

    @routes.get("/client")
    def client(lang: str = "zh_CN", audience: Viewer = "staff") -> JSONResponse:
        """What a page needs to draw itself."""
        return JSONResponse(features.client(context, lang if lang in LANGUAGES else "zh_CN", _seen_by(audience)))

    @routes.get("/layers/{name}")
    def layer(
        name: str,
        bbox: Annotated[str | None, Query(max_length=100)] = None,
        limit: Annotated[int, Query(ge=1, le=20_000)] = 20_000,
        zoom: Annotated[float, Query(ge=0, le=24)] = 24,
        audience: Viewer = "staff",
        communities: Annotated[str | None, Query(max_length=4_000, pattern=NO_NUL)] = None,
    ) -> Response:
        """A layer as GeoJSON, masked for the audience; `bbox` is west,south,east,north in degrees.

        `communities` are codes with commas between them: only what lies in these.
        """
        among = [code for code in (communities or "").split(",") if code]
        document = features.layer_document(context, by_name(name), _box(bbox), limit, zoom, _seen_by(audience), among)
        return Response(document, media_type="application/geo+json", headers={"Cache-Control": "no-cache"})

    @routes.get("/search")
    def search(q: Annotated[str, Query(max_length=64)], lang: str = "zh_CN") -> list[dict[str, object]]:
        """Features by name or code, the best first."""
        return features.search(context, q, lang)

    @routes.get("/scopes")
    def scopes() -> list[dict[str, object]]:
        """The county, its townships and communities: what the key can switch."""
        with reading(context.engine) as conn:
            return queries.switchable(conn, context.county)

    return routes


def _seen_by(viewer: Viewer) -> Audience:
    """The wall is a public place."""
    return "staff" if viewer == "staff" else "public"


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

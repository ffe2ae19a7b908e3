"""Layers as documents for the browser: masked, limited, and described in the reader's language."""

from collections.abc import Sequence
from functools import partial

import shapely
from sqlalchemy import select

from pingji.dashboard.context import Context
from pingji.dashboard.errors import BadRequest
from pingji.dashboard.texts import catalogue, t
from pingji.data import features
from pingji.data.engine import reading
from pingji.data.features import table_of, wkb
from pingji.data.tables import area
from pingji.layers.base import Audience, Layer
from pingji.layers.catalog import LAYERS, describe
from pingji.layers.masking import mask_name, shown, visible_fields

Box = tuple[float, float, float, float]
_CLIENT_TEXTS = ("server.", "cli.", "file.", "check.", "problem.")  # parts of the catalogue that no page needs


def client(context: Context, language: str, audience: Audience) -> dict[str, object]:
    """What a page needs to draw itself; `county` is null on the first run."""
    county = context.county_or_none()
    return {
        "language": language,
        "county": None if county is None else _county(context, county.code, county.name),
        "texts": {key: text for key, text in catalogue(language).items() if not key.startswith(_CLIENT_TEXTS)},
        "layers": describe(LAYERS, lambda key: t(key, language), audience),
        "tianditu_key": context.settings.tianditu_key or "",
    }


def _county(context: Context, code: str, name: str) -> dict[str, object]:
    with reading(context.engine) as conn:
        query = select(wkb(conn, area), area.c.source).where(area.c.county == code, area.c.code == code)
        outline, source = conn.execute(query).one()
    bounds = [round(v, 6) for v in shapely.from_wkb(outline).bounds]
    return {"code": code, "name": name, "bounds": bounds, "demo": source == "demo"}


def layer_document(
    context: Context,
    layer: Layer,
    box: Box | None,
    limit: int,
    zoom: float,
    audience: Audience,
    communities: Sequence[str] = (),
) -> bytes:
    """A layer as GeoJSON. Layers of very many points need a box and a close zoom: else they come back empty.

    With `communities`, only what lies in these: how a map takes in what was published while it is open.

    Raises
    ------
    BadRequest
        Where features of the layer lie in no community.
    """
    county = context.county.code
    fields = [field.column for field in visible_fields(layer, audience)]
    community = table_of(layer.name).c.get("community")
    if communities and community is None:
        raise BadRequest(where="communities", what=layer.name)
    where = community.in_(communities) if communities and community is not None else None
    if layer.by_box and box is None:
        limit = 0
    with reading(context.engine) as conn:
        mask = partial(shown, layer, audience=audience)
        return features.geojson(
            conn, county, layer.name, bounds=box, limit=limit, fields=fields, where=where, shown=mask
        )


def search(context: Context, words: str, language: str) -> list[dict[str, object]]:
    """What the map can fly to; a household's name is its head's, so it is masked."""
    with reading(context.engine) as conn:
        found = features.find(conn, context.county.code, words)
    return [
        {
            "layer": hit.layer,
            "layer_title": t(f"layer.{hit.layer}.title", language) if hit.layer != area.name else "",
            "code": hit.code,
            "name": mask_name(hit.name) if hit.layer == "households" else hit.name,
            "bounds": hit.bounds,
            "lonlat": [(hit.bounds[0] + hit.bounds[2]) / 2, (hit.bounds[1] + hit.bounds[3]) / 2],
            "detail": "",
        }
        for hit in found
    ]

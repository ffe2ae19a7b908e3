"""Layers as documents for the browser: masked, limited, and described in the reader's language."""

from collections.abc import Mapping, Sequence
from functools import partial

import shapely
from sqlalchemy import ColumnElement, Connection, and_, select, true

from pingji.dashboard.context import Context
from pingji.dashboard.errors import BadRequest
from pingji.dashboard.suppress import public_properties
from pingji.dashboard.texts import catalogue, t
from pingji.data import features
from pingji.data.areas import PLACING, area_of, bound, holds_row, lies_in
from pingji.data.engine import reading
from pingji.data.features import Found, table_of, wkb
from pingji.data.scopes import Scope, scopes_of
from pingji.data.tables import area
from pingji.layers.base import Audience, Layer
from pingji.layers.catalog import LAYERS, describe
from pingji.layers.masking import mask_name, shown, visible_fields
from pingji.ops.access import Area, Caller, Permission

Box = tuple[float, float, float, float]
_OF_PERSONS = {layer.name for layer in LAYERS if any(f.column == "name" and f.kind == "person" for f in layer.fields)}
_NO_COUNTY = Scope("", "", "county", "")  # the first run
_OF_STAFF = {layer.name for layer in LAYERS if layer.audience == "staff"}
_CLIENT_TEXTS = ("server.", "cli.", "file.", "check.", "problem.")  # parts of the catalogue that no page needs


def client(context: Context, language: str, audience: Audience, who: Caller) -> dict[str, object]:
    """What a page needs to draw itself, and what its reader may do; `county` is null on the first run."""
    county = context.county_or_none()
    return {
        "language": language,
        "county": None if county is None else _county(context, county.code, county.name),
        "texts": {key: text for key, text in catalogue(language).items() if not key.startswith(_CLIENT_TEXTS)},
        "layers": describe(LAYERS, lambda key: t(key, language), audience),
        "tianditu_key": context.settings.tianditu_key or "",
        "caller": _caller(context, county, who, language),
    }


def _caller(context: Context, county: Scope | None, who: Caller, language: str) -> dict[str, object]:
    """Who reads the page: `home` is the scope whose sheet is theirs, the county's where they answer for all of it."""
    whole, named = True, {}
    if county is not None:
        with reading(context.engine) as conn:
            whole = area_of(conn, county.code, who.scopes(Permission)).whole
            named = {} if whole else {scope.code: scope for scope in scopes_of(conn, county.code)}
    places = sorted({grant.scope for grant in who.grants})
    homes = [named[code] for code in places if code in named]
    home = homes[0] if homes and not whole else county or _NO_COUNTY
    return {
        "name": who.name,
        "door": who.door,
        "roles": [{"role": r.value, "title": t(f"role.{r.value}", language)} for r in sorted(who.roles)],
        "permissions": sorted(who.permissions),
        "whole": whole,
        "scopes": places,
        "home": {"code": home.code, "name": home.name, "level": home.level},
        "idle_min": context.settings.idle_min if who.door == "session" else None,
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
    inside: Area,
    communities: Sequence[str] = (),
) -> bytes:
    """A layer as GeoJSON. Layers of very many points need a box and a close zoom: else they come back empty.

    Inside the area a feature shows what staff may see of it; outside, what the public may, or it is left out.

    With `communities`, only what lies in these: how a map takes in what was published while it is open.

    Raises
    ------
    BadRequest
        Where features of the layer lie in no community.
    """
    county = context.county.code
    table = table_of(layer.name)
    own = inside.whole or inside.nothing or not bound(table)
    fields = [field.column for field in visible_fields(layer, "public" if inside.nothing else "staff")]
    community = table.c.get("community")
    if communities and community is None:
        raise BadRequest(where="communities", what=layer.name)
    where: ColumnElement[bool] = community.in_(communities) if communities and community is not None else true()
    if layer.audience == "staff":
        where = and_(where, lies_in(table, inside))
    if layer.by_box and box is None:
        limit = 0
    mask = partial(shown, layer, audience="staff")
    if inside.nothing:
        mask = partial(_shown_to_all, layer)
    elif not own:
        fields += [name for name in PLACING if name in table.c and name not in fields]
        mask = partial(_shown_of_part, layer, inside)
    with reading(context.engine) as conn:
        return features.geojson(
            conn, county, layer.name, bounds=box, limit=limit, fields=fields, where=where, shown=mask
        )


def _shown_of_part(layer: Layer, inside: Area, row: Mapping[str, object]) -> dict[str, object]:
    """What somebody who answers for a part of the county sees of a feature."""
    return shown(layer, row, "staff") if holds_row(layer.name, row, inside) else _shown_to_all(layer, row)


def _shown_to_all(layer: Layer, row: Mapping[str, object]) -> dict[str, object]:
    """What everybody sees of a feature: no name, and counts of people in classes only."""
    return public_properties(shown(layer, row, "public"))


def search(context: Context, words: str, language: str, inside: Area) -> list[dict[str, object]]:
    """What the map can fly to; names of persons are masked, and what is not public is only found inside the area."""
    county = context.county.code
    with reading(context.engine) as conn:
        found = [hit for hit in features.find(conn, county, words) if _findable(conn, county, hit, inside)]
    return [
        {
            "layer": hit.layer,
            "layer_title": t(f"layer.{hit.layer}.title", language) if hit.layer != area.name else "",
            "code": hit.code,
            "name": mask_name(hit.name) if hit.layer in _OF_PERSONS else hit.name,
            "bounds": hit.bounds,
            "lonlat": [(hit.bounds[0] + hit.bounds[2]) / 2, (hit.bounds[1] + hit.bounds[3]) / 2],
            "detail": "",
        }
        for hit in found
    ]


def _findable(conn: Connection, county: str, hit: Found, inside: Area) -> bool:
    """Whether a hit may be shown: of layers that are not public, only what lies in the area."""
    if inside.whole or hit.layer not in _OF_STAFF:
        return True
    table = table_of(hit.layer)
    query = select(table.c.id).where(table.c.county == county, table.c.code == hit.code, lies_in(table, inside))
    return conn.scalars(query).first() is not None

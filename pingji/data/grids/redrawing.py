"""Grids of whole communities drawn anew, as a file has them: an intent that can be carried out again on newer grids."""

from collections.abc import Mapping, Sequence
from typing import Any

from shapely.geometry import shape as from_geojson

from pingji.data.grids.ground import DESCRIBED, Ground
from pingji.data.grids.stored import plain
from pingji.geo.coverage import Edit, redraw
from pingji.geo.coverage.errors import UnknownCode
from pingji.geo.coverage.planar import Area
from pingji.ops.grids import provisional

Values = dict[str, dict[str, str]]


def redrawn(ground: Ground, intent: Mapping[str, Any]) -> tuple[Edit, Values]:
    """What drawing communities anew does to the ground.

    Parameters
    ----------
    ground : Ground
        With the draft laid over.
    intent : mapping
        `grids`: all grids that the communities have afterwards, each with `code` (empty: a new one), `geometry` (none:
        it stays as it is) and, where the file gives them, `values`; a new one with its `community`. Grids of
        these communities that are not among them end.

    Returns
    -------
    edit : Edit
        Empty where the file brings nothing new. Gaps and overlaps stand: the draft's problems name them.
    values : mapping of code to mapping of column to text

    Raises
    ------
    CoverageError
        UnknownCode for a code that no grid has (any more), OutsideCommunity for ground of other communities.
    """
    listed: Sequence[Mapping[str, Any]] = intent["grids"]
    named = {str(one["code"]): one for one in listed if one["code"]}
    missing = tuple(code for code in named if code not in ground.coverage)
    if missing:
        raise UnknownCode(codes=missing)
    new = _new(ground, [one for one in listed if not one["code"]])
    home = {code: ground.coverage.community(code) for code in named} | {c: str(new[c]["community"]) for c in new}
    communities = set(home.values())
    replaced = [code for code in ground.own() if ground.coverage.community(code) in communities]
    polygons: dict[str, Area] = {}
    for code, one in {**named, **new}.items():
        shape = one.get("geometry")
        polygons[code] = ground.coverage[code] if shape is None else plain(from_geojson(shape))
    if not replaced:  # a community's first grids: nothing is there to be fitted to
        return Edit("redraw", {}, polygons, communities={code: home[code] for code in new}), _values(ground, new)
    edit = redraw(ground.coverage, polygons, replaced, {code: home[code] for code in new}, strict=False)
    return edit, _values(ground, {**named, **new})


def brief(intent: Mapping[str, Any]) -> dict[str, Any]:
    """An intent as change sets show it: without the polygons of a whole file.

    >>> brief({"kind": "redraw", "grids": [{"code": "1", "geometry": {"type": "Polygon"}}]})
    {'kind': 'redraw', 'grids': [{'code': '1'}]}
    """
    if intent.get("kind") != "redraw":
        return dict(intent)
    grids = [{key: value for key, value in one.items() if key != "geometry"} for one in intent["grids"]]
    return {**intent, "grids": grids}


def _new(ground: Ground, listed: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Provisional codes for grids that have none; not even those of grids that came and went in this draft."""
    used = {*ground.coverage.codes, *ground.overlay.used}
    found: dict[str, Mapping[str, Any]] = {}
    for one in listed:
        code = provisional(str(one["community"]), used)
        used.add(code)
        found[code] = one
    return found


def _values(ground: Ground, grids: Mapping[str, Mapping[str, Any]]) -> Values:
    """Attributes that differ from those that the grids have."""
    out: Values = {}
    for code, one in grids.items():
        now = ground.rows.get(code, {})
        given = {k: str(v) for k, v in one.get("values", {}).items() if k in DESCRIBED and str(v) != now.get(k, "")}
        if given:
            out[code] = given
    return out

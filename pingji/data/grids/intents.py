"""What was asked, carried out: an intent becomes an edit of the coverage, or is refused with the reason."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from shapely.errors import GEOSException
from shapely.geometry import shape as from_geojson
from sqlalchemy import Connection, select

from pingji.data.features import wkb
from pingji.data.grids.accepting import accepted, fresh_codes
from pingji.data.grids.ground import DESCRIBED, Ground
from pingji.data.grids.problems import cut_near
from pingji.data.grids.redrawing import redrawn
from pingji.data.grids.stored import plain, plain_edit
from pingji.data.tables import LAYER_TABLES
from pingji.geo.coverage import (
    Edit,
    give,
    insert_vertex,
    merge,
    move_vertex,
    remove_vertex,
    repair,
    reshape,
    simplify,
    split,
)
from pingji.geo.coverage.errors import StillInvalid, UnknownCode
from pingji.geo.coverage.planar import Area
from pingji.geo.coverage.settle import place
from pingji.ops.change_set import OutsideChangeSet
from pingji.ops.errors import OpsError

Values = dict[str, dict[str, str]]
MOST_PIECES = 60  # of one cut; more is a slip of the hand


class UnknownBuilding(OpsError):
    """No building has this code, or it has no outline. `building`."""


class WouldCutBuilding(OpsError):
    """The ground that would change hands cuts a building. `codes`, `building`, `lonlat`."""


class NothingWouldChange(OpsError):
    """What was asked for is so already. `kind`."""


def carry_out(conn: Connection, county: str, ground: Ground, intent: Mapping[str, Any]) -> tuple[Edit, Values]:
    """What an intent does to the ground.

    Parameters
    ----------
    conn : Connection
        To look up a building or a proposal that the intent names.
    county : str
    ground : Ground
        With the draft laid over.
    intent : mapping
        As `docs/grids.md` describes it, its form checked already; or as it was `remembered`.

    Returns
    -------
    edit : Edit
        Empty where only attributes are given.
    values : mapping of code to mapping of column to text

    Raises
    ------
    CoverageError
        With `codes` and `lonlat`.
    OpsError
        UnknownBuilding, UnknownProposal, NotAlone, WouldCutBuilding, OutsideChangeSet or NothingWouldChange.
    """
    try:
        edit, values = _worked_out(conn, county, ground, intent)
    except GEOSException as error:  # the ground was broken before: what is computed on it can't be trusted
        raise StillInvalid(**_broken(ground)) from error
    if not edit.before and not edit.after and not values:
        raise NothingWouldChange(kind=str(intent["kind"]))
    _inside(ground, edit)
    return plain_edit(edit), values


def remembered(intent: Mapping[str, Any], community: str, edit: Edit) -> dict[str, Any]:
    """An intent as it is kept: done again elsewhere, it means the same community and gives its grids the same codes."""
    return {**intent, "community": community, **({"given": list(edit.added)} if edit.added else {})}


def asked(intent: Mapping[str, Any]) -> dict[str, Any]:
    """The intent as it was asked for.

    >>> asked({"kind": "split", "code": "1", "community": "2", "given": ["2n01"]})
    {'kind': 'split', 'code': '1'}
    """
    return {name: value for name, value in intent.items() if name not in ("community", "given", "again")}


def _worked_out(conn: Connection, county: str, ground: Ground, intent: Mapping[str, Any]) -> tuple[Edit, Values]:
    kind = str(intent["kind"])
    values: Values = {}
    if kind == "describe":
        edit, values = _describe(ground, intent)
    elif kind == "redraw":
        edit, values = redrawn(ground, _at_home(ground, intent))
    elif kind == "give":
        edit = _give(conn, county, ground, intent)
    elif kind == "proposal":
        edit = accepted(conn, county, ground, intent)
    else:
        edit = _PLAIN[kind](ground, intent)
    return edit, values


def _broken(ground: Ground) -> dict[str, Any]:
    """Which grids cross themselves, and where the first of them lies."""
    codes = ground.own()
    bad = [code for code in codes if not ground.coverage[code].is_valid]
    where = place(ground.coverage[bad[0]].envelope) if bad else None
    return {"codes": tuple(bad), "lonlat": where, "area_m2": 0.0}


def _split(ground: Ground, intent: Mapping[str, Any]) -> Edit:
    code = str(intent["code"])
    community = _own(ground, [code])
    return split(
        ground.coverage,
        code,
        _line(intent["line"]),
        fresh_codes(ground, community, MOST_PIECES, intent.get("given", ())),
    )


def _merge(ground: Ground, intent: Mapping[str, Any]) -> Edit:
    _own(ground, intent["codes"])
    return merge(ground.coverage, intent["codes"], intent.get("into"))


def _reshape(ground: Ground, intent: Mapping[str, Any]) -> Edit:
    codes = intent.get("codes")
    if codes:
        _own(ground, codes)
    return reshape(ground.coverage, _line(intent["line"]), codes or None)


def _move_vertex(ground: Ground, intent: Mapping[str, Any]) -> Edit:
    return move_vertex(ground.coverage, _position(intent["at"]), _position(intent["to"]))


def _insert_vertex(ground: Ground, intent: Mapping[str, Any]) -> Edit:
    to = intent.get("to")
    return insert_vertex(ground.coverage, _position(intent["at"]), None if to is None else _position(to))


def _remove_vertex(ground: Ground, intent: Mapping[str, Any]) -> Edit:
    return remove_vertex(ground.coverage, _position(intent["at"]))


def _simplify(ground: Ground, intent: Mapping[str, Any]) -> Edit:
    _own(ground, intent["codes"])
    return simplify(ground.coverage, intent["codes"], float(intent["tolerance_m"]))


def _repair(ground: Ground, intent: Mapping[str, Any]) -> Edit:
    community = _home(ground, intent)
    codes = [code for code in ground.own() if ground.coverage.community(code) == community]
    gap_m, overlap_m = float(intent.get("gap_m", 2.0)), float(intent.get("overlap_m", 2.0))
    return repair(ground.coverage, codes, ground.outlines[community], gap_m, overlap_m).edit


_PLAIN: Mapping[str, Callable[[Ground, Mapping[str, Any]], Edit]] = {
    "split": _split,
    "merge": _merge,
    "reshape": _reshape,
    "move_vertex": _move_vertex,
    "insert_vertex": _insert_vertex,
    "remove_vertex": _remove_vertex,
    "simplify": _simplify,
    "repair": _repair,
}


def _describe(ground: Ground, intent: Mapping[str, Any]) -> tuple[Edit, Values]:
    code = str(intent["code"])
    _own(ground, [code])
    now = ground.rows.get(code, {})
    given = {k: str(v) for k, v in intent["values"].items() if k in DESCRIBED and v is not None and now.get(k, "") != v}
    return Edit("describe", {}, {}), {code: given} if given else {}


def _give(conn: Connection, county: str, ground: Ground, intent: Mapping[str, Any]) -> Edit:
    to = str(intent["to"])
    _own(ground, [to])
    building = intent.get("building")
    wanted = _building(conn, county, str(building)) if building else plain(from_geojson(intent["ground"]))
    others = np.array([code != building for code in ground.buildings.codes], dtype=bool)
    edit = give(ground.coverage, wanted, to, obstacles=ground.buildings.shapes[others])
    near = list(ground.coverage.near(shapely.union_all(list(edit.after.values()))))
    after = ground.coverage.apply(edit)
    new = sorted(set(cut_near(ground, after, near)) - set(cut_near(ground, ground.coverage, near)))
    if new:
        shape = ground.buildings.shapes[ground.buildings.position[new[0]]]
        raise WouldCutBuilding(codes=(*edit.gained_m2, *edit.lost_m2), building=new[0], lonlat=place(shape))
    return edit


def _building(conn: Connection, county: str, code: str) -> Area:
    table = LAYER_TABLES["buildings"]
    query = select(wkb(conn, table)).where(table.c.county == county, table.c.code == code)
    blob = conn.execute(query).scalar_one_or_none()
    shape = None if blob is None else shapely.from_wkb(bytes(blob))
    if shape is None or shapely.get_dimensions(shape) != 2:
        raise UnknownBuilding(building=code)
    return plain(shape)


def _at_home(ground: Ground, intent: Mapping[str, Any]) -> dict[str, Any]:
    """A redrawing whose new grids that name no community are of the one that is worked on."""
    home = _home(ground, intent)
    return {**intent, "grids": [{"code": "", "community": home, **one} for one in intent["grids"]]}


def _home(ground: Ground, intent: Mapping[str, Any]) -> str:
    """The community that an intent is about where it names no grid."""
    community = str(intent.get("community") or ground.communities[0])
    if community not in ground.names:
        raise OutsideChangeSet(community=community)
    return community


def _own(ground: Ground, codes: Sequence[str]) -> str:
    """The community of grids that are asked for; all must exist, and be of the communities worked on."""
    for code in codes:
        if code not in ground.coverage:
            raise UnknownCode(codes=(code,))
        if ground.coverage.community(code) not in ground.names:
            raise OutsideChangeSet(community=ground.coverage.community(code))
    return ground.coverage.community(codes[0])


def _inside(ground: Ground, edit: Edit) -> None:
    """Refuse what moves ground, or grids, of a community that is not worked on; a node on its border may come."""
    moved = {*edit.gained_m2, *edit.lost_m2, *edit.removed, *edit.added}
    for code in sorted(moved):
        home = edit.communities.get(code) or ground.coverage.community(code)
        if home not in ground.names:
            raise OutsideChangeSet(community=home)


def _line(positions: Sequence[Sequence[float]]) -> shapely.LineString:
    return shapely.LineString(np.array(positions, dtype=np.float64)[:, :2])


def _position(pair: Sequence[float]) -> tuple[float, float]:
    return float(pair[0]), float(pair[1])

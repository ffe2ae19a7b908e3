"""What was asked, carried out: an intent becomes an edit of the coverage, or is refused with the reason."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from shapely.geometry import shape as from_geojson
from sqlalchemy import Connection, select

from pingji.data.features import wkb
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
from pingji.geo.coverage.errors import UnknownCode
from pingji.geo.coverage.planar import Area
from pingji.geo.coverage.settle import place
from pingji.ops.change_set import OutsideChangeSet
from pingji.ops.errors import OpsError
from pingji.ops.grids import provisional

Values = dict[str, dict[str, str]]
MOST_PIECES = 60  # of one cut; more is a slip of the hand


class UnknownBuilding(OpsError):
    """No building has this code, or it has no outline. `building`."""


class UnknownProposal(OpsError):
    """No proposal has this id, or it has no such candidate. `id`."""


class NotAlone(OpsError):
    """This part of a proposal can't be taken without the rest. `codes`, `lonlat`."""


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
        As `docs/grids.md` describes it, its form checked already.

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
    kind = str(intent["kind"])
    values: Values = {}
    if kind == "describe":
        edit, values = _describe(ground, intent)
    elif kind == "redraw":
        edit, values = redrawn(ground, intent)
    elif kind == "give":
        edit = _give(conn, county, ground, intent)
    elif kind == "proposal":
        edit = _proposal(conn, county, ground, intent)
    else:
        edit = _PLAIN[kind](ground, intent)
    if not edit.before and not edit.after and not values:
        raise NothingWouldChange(kind=kind)
    _inside(ground, edit)
    return plain_edit(edit), values


def _split(ground: Ground, intent: Mapping[str, Any]) -> Edit:
    code = str(intent["code"])
    community = _own(ground, [code])
    return split(ground.coverage, code, _line(intent["line"]), _fresh(ground, community, MOST_PIECES))


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
    community = ground.communities[0]
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
    edit = give(ground.coverage, wanted, to)
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


def _proposal(conn: Connection, county: str, ground: Ground, intent: Mapping[str, Any]) -> Edit:
    raise NotImplementedError


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
    moved = {*edit.gained_m2, *edit.lost_m2, *edit.removed}
    for code in sorted(moved - set(edit.added)):
        if ground.coverage.community(code) not in ground.names:
            raise OutsideChangeSet(community=ground.coverage.community(code))


def _fresh(ground: Ground, community: str, n: int) -> list[str]:
    """Codes for new grids that the set has not used, not even for grids that came and went."""
    used = {*ground.coverage.codes, *ground.overlay.used}
    found: list[str] = []
    for _ in range(n):
        code = provisional(community, used)
        used.add(code)
        found.append(code)
    return found


def _line(positions: Sequence[Sequence[float]]) -> shapely.LineString:
    return shapely.LineString(np.array(positions, dtype=np.float64)[:, :2])


def _position(pair: Sequence[float]) -> tuple[float, float]:
    return float(pair[0]), float(pair[1])

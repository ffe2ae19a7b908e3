"""A proposal taken over, whole or in part: the chosen grids as proposed, and what is left of the others."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, select

from pingji.data.grids.ground import Ground
from pingji.data.grids.stored import array_of, from_hex
from pingji.data.tables import grid_proposal
from pingji.geo.coverage import Edit, redraw
from pingji.geo.coverage.drawing import SNAP_M
from pingji.geo.coverage.measure import width_m
from pingji.geo.coverage.planar import Area, polygons_of
from pingji.geo.coverage.settle import place
from pingji.ops.change_set import OutsideChangeSet
from pingji.ops.errors import OpsError
from pingji.ops.grids import provisional

LEAST_M = 5.0  # mean width of what may be left of a grid


class UnknownProposal(OpsError):
    """No proposal has this id, or it has no such candidate. `id`."""


class NotAlone(OpsError):
    """This part of a proposal can't be taken without the rest. `codes`, `lonlat`."""


def accepted(conn: Connection, county: str, ground: Ground, intent: Mapping[str, Any]) -> Edit:
    """What accepting a candidate, or some of its grids, does to the ground.

    Grids that the chosen ones leave nothing of end; what is left of others stays theirs.

    Raises
    ------
    OpsError
        UnknownProposal, OutsideChangeSet, or NotAlone where the chosen grids would leave crumbs.
    CoverageError
        Where the proposal does not fit today's ground any more.
    """
    community, listed = _candidate(conn, county, str(intent["proposal"]), int(intent["candidate"]))
    if community not in ground.names:
        raise OutsideChangeSet(community=community)
    chosen = sorted(set(intent.get("grids") or range(len(listed))))
    if not chosen or chosen[-1] >= len(listed):
        raise UnknownProposal(id=str(intent["proposal"]))
    own = [code for code in ground.own() if ground.coverage.community(code) == community]
    rest: dict[str, Area | None]
    shapes = [from_hex(str(listed[i]["wkb"])) for i in chosen]
    names = [str(listed[i].get("code", "")) for i in chosen]
    if len(chosen) == len(listed):
        rest, replaced = {}, own
    else:
        rest = _rest(ground, own, shapes)
        replaced = list(rest)
    polygons, nameless = _named(ground, shapes, names, rest)
    fresh = fresh_codes(ground, community, len(nameless), intent.get("given", ()))
    return redraw(ground.coverage, {**polygons, **dict(zip(fresh, nameless, strict=True))}, replaced)


def fresh_codes(ground: Ground, community: str, n: int, wanted: Sequence[str] = ()) -> list[str]:
    """Codes for new grids that the set has not used, not even for grids that came and went.

    `wanted` are those that they had when the edit was made first: what came after it calls them so.
    """
    used = {*ground.coverage.codes, *ground.overlay.used}
    found = [code for code in wanted if code not in used][:n]
    used.update(found)
    for _ in range(n - len(found)):
        code = provisional(community, used)
        used.add(code)
        found.append(code)
    return found


def _candidate(conn: Connection, county: str, id: str, n: int) -> tuple[str, Sequence[Mapping[str, Any]]]:
    c = grid_proposal.c
    row = conn.execute(select(c.community, c.candidates).where(c.county == county, c.id == id)).one_or_none()
    if row is None or n >= len(row.candidates):
        raise UnknownProposal(id=id)
    return str(row.community), row.candidates[n]["grids"]


def _rest(ground: Ground, own: Sequence[str], shapes: Sequence[Area]) -> dict[str, Area | None]:
    """What the chosen shapes leave of every grid that they take from, None where that is nothing."""
    taken = shapely.union_all(array_of(shapes))
    shapely.prepare(taken)
    rest: dict[str, Area | None] = {}
    for code in own:
        old = ground.coverage[code]
        if not taken.intersects(old) or not _wide(ground, old.intersection(taken), SNAP_M):
            continue
        left = _wide(ground, old.difference(taken), SNAP_M)
        thin = [part for part in left if not _wide(ground, part, LEAST_M)]
        if thin or len(left) > len(polygons_of(old)):
            least = min(thin or left, key=lambda part: part.area)
            raise NotAlone(codes=(code,), lonlat=place(least))
        rest[code] = None if not left else left[0] if len(left) == 1 else shapely.MultiPolygon(left)
    return rest


def _wide(ground: Ground, shape: BaseGeometry, width: float) -> list[shapely.Polygon]:
    """The parts of a shape that are wider than that many metres."""
    parts = array_of(polygons_of(shape))
    return [parts[i] for i in np.flatnonzero(width_m(parts) > width).tolist()]


def _named(
    ground: Ground, shapes: Sequence[Area], names: Sequence[str], rest: Mapping[str, Area | None]
) -> tuple[dict[str, Area], list[Area]]:
    """Polygons that keep a code of today, and those that need a new one.

    Where a chosen grid and what is left of today's claim the same code, the larger has it.
    """
    polygons: dict[str, Area] = {code: shape for code, shape in rest.items() if shape is not None}
    nameless: list[Area] = []
    for name, shape in zip(names, shapes, strict=True):
        mine = name in ground.coverage and (not rest or name in rest)
        held = polygons.get(name)
        if not mine or (held is not None and held.area >= shape.area):
            nameless.append(shape)
            continue
        if held is not None:
            nameless.append(held)
        polygons[name] = shape
    return polygons, nameless

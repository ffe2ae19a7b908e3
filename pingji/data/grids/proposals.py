"""Proposals of grids: the scene of a community out of the store, and candidates in and out of `grid_proposal`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import shapely
from sqlalchemy import Connection, insert, select

from pingji.data.features import load_features
from pingji.data.grids import drafts
from pingji.data.grids.ground import Ground, load_ground
from pingji.data.grids.stored import array_of, from_hex, to_hex
from pingji.data.tables import grid_proposal
from pingji.geo.coverage.planar import Area
from pingji.geo.partitioning import Candidate, Scene
from pingji.ops.change_set import Status

BARRIER_M = 20.0  # rivers from this width on are obstacles; narrower water is only a line to follow
_RIVER = "river"  # `kind` of those that are one whatever their width


@dataclass(frozen=True, slots=True, eq=False)
class ProposedGrid:
    """One grid of a stored candidate: today's code where it continues one, else empty."""

    code: str
    polygon: Area
    households: int


@dataclass(frozen=True, slots=True, eq=False)
class ProposedSet:
    """One stored candidate: its grids in their order, its scores by name, and notes on what could not be."""

    grids: tuple[ProposedGrid, ...]
    scores: Mapping[str, float]
    notes: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """What was proposed for a community, the best candidate first. `at`: microseconds since 1970 UTC."""

    id: str
    community: str
    actor: str
    at: int
    request: Mapping[str, Any]
    candidates: tuple[ProposedSet, ...]


def ground_of(conn: Connection, county: str, community: str, set_id: str | None = None) -> Ground:
    """The ground that a proposal is made for: today's, or a draft's where one is named.

    Raises
    ------
    UnknownCommunity, UnknownChangeSet
    """
    overlay = None
    if set_id:
        change_set = drafts.load(conn, county, set_id)
        if change_set.status is not Status.PUBLISHED:
            overlay = drafts.overlay(drafts.in_force(change_set, drafts.edits(conn, county, set_id)))
    return load_ground(conn, county, [community], overlay)


def scene_of(conn: Connection, ground: Ground, community: str) -> Scene:
    """What partitioning needs of a community: homes, roads, rivers, buildings and the grids of the ground.

    Notes
    -----
    Every household counts that lies within the outline, as the figures of grids have it. Water of the kind `river`, or
    wider than 20 m, or drawn as an area divides; other water is followed only.
    """
    outline = ground.outlines[community]
    west, south, east, north = outline.bounds
    bounds = (west, south, east, north)
    roads = load_features(conn, ground.county, "roads", bounds=bounds, columns=())
    water = load_features(conn, ground.county, "rivers", bounds=bounds, columns=("kind", "width_m"))
    wide = [
        feature.values["kind"] == _RIVER
        or float(str(feature.values["width_m"] or 0)) >= BARRIER_M
        or shapely.get_dimensions(feature.geometry) == 2
        for feature in water
    ]
    homes = shapely.get_coordinates(ground.people.points).reshape(-1, 2)
    own = [code for code in ground.own() if ground.coverage.community(code) == community]
    return Scene(
        outline,
        homes,
        np.ones(len(homes), dtype=np.int64),
        array_of(feature.geometry for feature in roads),
        array_of(feature.geometry for feature, is_wide in zip(water, wide, strict=True) if is_wide),
        array_of(feature.geometry for feature, is_wide in zip(water, wide, strict=True) if not is_wide),
        ground.buildings.shapes,
        {code: ground.coverage[code] for code in own},
    )


def save_proposal(
    conn: Connection,
    county: str,
    *,
    id: str,
    community: str,
    actor: str,
    at: int,
    request: Mapping[str, object],
    candidates: Sequence[Candidate],
) -> None:
    """Keep what was proposed, until somebody accepts some of it."""
    row = {"county": county, "id": id, "community": community, "actor": actor, "at": at, "request": dict(request)}
    conn.execute(insert(grid_proposal), {**row, "candidates": [_plain(candidate) for candidate in candidates]})


def find_proposal(conn: Connection, county: str, id: str) -> Proposal | None:
    """A kept proposal, None where there is none with this id."""
    c = grid_proposal.c
    query = select(c.community, c.actor, c.at, c.request, c.candidates).where(c.county == county, c.id == id)
    row = conn.execute(query).one_or_none()
    if row is None:
        return None
    return Proposal(id, row.community, row.actor, row.at, row.request, tuple(_candidate(one) for one in row.candidates))


def _plain(candidate: Candidate) -> dict[str, object]:
    grids = [
        {"code": grid.code, "wkb": to_hex(grid.polygon), "households": grid.households} for grid in candidate.grids
    ]
    notes = [{"key": note.key, "params": dict(note.params)} for note in candidate.notes]
    return {"scores": asdict(candidate.scores), "grids": grids, "notes": notes}


def _candidate(kept: Mapping[str, Any]) -> ProposedSet:
    grids = tuple(ProposedGrid(grid["code"], from_hex(grid["wkb"]), grid["households"]) for grid in kept["grids"])
    return ProposedSet(grids, kept["scores"], tuple(kept["notes"]))

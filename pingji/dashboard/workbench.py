"""The read door of the grid workbench: communities, change sets and edits as documents ready for JSON.

What each document holds is written in `docs/grids.md`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
import shapely
from sqlalchemy import Connection

from pingji.dashboard.errors import detail
from pingji.dashboard.texts import grid_label
from pingji.data.grids import drafts
from pingji.data.grids.drafts import StoredEdit
from pingji.data.grids.figures import Figures, figures_of, total_of
from pingji.data.grids.ground import Ground, community_names, load_ground, stale
from pingji.data.grids.holding import held_scopes
from pingji.data.grids.intents import asked
from pingji.data.grids.overlay import Overlay
from pingji.data.grids.problems import Problem, problems_of
from pingji.data.grids.redrawing import brief
from pingji.data.grids.summary import community_summaries
from pingji.geo.coverage import Edit
from pingji.ops.access import Area
from pingji.ops.change_set import ChangeSet, Status
from pingji.ops.grids import is_provisional, light

Document = dict[str, object]
LANGUAGE = "zh_CN"  # of labels and refusals inside documents; problem documents carry both
OPEN = (Status.DRAFT, Status.REVIEW)


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A change set with all that was stored of it."""

    change_set: ChangeSet
    edits: Sequence[StoredEdit]
    overlay: Overlay
    stale: Sequence[str]


def draft_of(conn: Connection, county: str, id: str) -> Draft:
    """A change set, its edits, what they come to, and whether they still fit today's grids.

    Raises
    ------
    UnknownChangeSet
    """
    found = drafts.load(conn, county, id)
    stored = drafts.edits(conn, county, id)
    overlay = drafts.overlay(drafts.in_force(found, stored))
    moved = stale(conn, county, overlay) if found.status in OPEN else []
    return Draft(found, stored, overlay, moved)


def communities(conn: Connection, county: str) -> list[Document]:
    """The communities to choose from."""
    return [
        {
            "code": one.code,
            "name": one.name,
            "township": one.township,
            "township_name": one.township_name,
            "grids": one.grids,
            "in_range": one.in_range,
            "households": one.households,
            "bounds": list(one.bounds),
        }
        for one in community_summaries(conn, county)
    ]


def community(conn: Connection, county: str, code: str, set_id: str | None) -> Document:
    """A community as the workbench shows it, with a draft laid over where one is named.

    Raises
    ------
    UnknownCommunity, UnknownChangeSet
    """
    draft = draft_of(conn, county, set_id) if set_id else None
    laid = draft.overlay if draft is not None and draft.change_set.status is not Status.PUBLISHED else None
    ground = load_ground(conn, county, [code], laid)
    editable = draft is None or (draft.change_set.status is Status.DRAFT and code in draft.change_set.communities)
    return ground_document(
        ground,
        change_set=None if draft is None else set_document(conn, county, draft),
        held=held(conn, county, [code]),
        read_only=not editable,
    )


def ground_document(
    ground: Ground,
    *,
    change_set: Document | None,
    held: Document | None,
    read_only: bool,
    at: int | None = None,
    figures: Mapping[str, Figures] | None = None,
) -> Document:
    """One community's ground: grids, those around, totals and problems.

    A past state has `at`, epoch milliseconds, and the figures of its day.
    """
    code = ground.communities[0]
    outline = ground.outlines[code]
    figures = figures_of(ground) if figures is None else figures
    around = ground.around()
    return {
        "community": {
            "code": code,
            "name": ground.names[code],
            "bounds": list(outline.bounds),
            "outline": _geometry(outline),
        },
        "at": at,
        "read_only": read_only,
        "set": change_set,
        "held": held,
        "grids": grid_collection(ground, ground.own(), figures),
        "around": _collection(_around(ground, other) for other in around),
        "totals": totals(figures.values()),
        "problems": [problem_document(problem) for problem in problems_of(ground, figures)],
    }


def edit_answer(
    ground: Ground, edit: Edit, described: Iterable[str], *, saved: bool, change_set: Document | None
) -> Document:
    """What an edit did, on the ground after it."""
    figures = figures_of(ground)
    own = [code for code in dict.fromkeys([*edit.after, *described]) if code in figures]
    return {
        "saved": saved,
        "set": change_set,
        "changed": grid_collection(ground, own, figures),
        "removed": [code for code in edit.removed if code not in ground.coverage],
        "totals": totals(figures.values()),
        "problems": [problem_document(problem) for problem in problems_of(ground, figures)],
        "gained_m2": {code: round(m2, 1) for code, m2 in edit.gained_m2.items()},
        "lost_m2": {code: round(m2, 1) for code, m2 in edit.lost_m2.items()},
    }


def sets(conn: Connection, county: str, status: Status | None, community: str | None, area: Area) -> list[Document]:
    """The change sets of an area, the newest first, without their edits."""
    names = community_names(conn, county)
    found = []
    for one in drafts.load_all(conn, county, status=status, community=community):
        if not all(area.holds(community=code) for code in one.communities):
            continue
        moved = draft_of(conn, county, one.id).stale if one.status in OPEN and one.position else ()
        found.append(_set(one, moved, names))
    return found


def set_document(conn: Connection, county: str, draft: Draft) -> Document:
    """A change set with its edits."""
    names = community_names(conn, county, draft.change_set.communities)
    live = {edit.seq for edit in drafts.in_force(draft.change_set, draft.edits)}
    listed = [_edit(edit, edit.seq in live) for edit in draft.edits]
    return {**_set(draft.change_set, draft.stale, names), "edits": listed}


def held(conn: Connection, county: str, communities: Sequence[str]) -> Document | None:
    """Why publishing is held back in one of these communities; a real emergency is named before an exercise."""
    found = sorted((exercise, name) for name, code, exercise in held_scopes(conn, county) if code in communities)
    return {"scope_name": found[0][1], "exercise": found[0][0]} if found else None


def grid_collection(ground: Ground, codes: Iterable[str], figures: Mapping[str, Figures]) -> Document:
    """Grids as a FeatureCollection, coordinates as stored."""
    touched = {*ground.overlay.values, *ground.changed}
    return _collection(_grid(ground, code, figures[code], code in touched) for code in codes)


def totals(figures: Iterable[Figures]) -> Document:
    """Figures of several grids together."""
    total = total_of(figures)
    return {
        "grids": total.grids,
        "in_range": total.in_range,
        "households": total.households,
        "residents": total.residents,
        "party_households": total.party_households,
        "area_m2": round(total.area_m2, 1),
    }


def problem_document(problem: Problem) -> Document:
    """One problem of the list."""
    shape = problem.geometry
    return {
        "id": problem.id,
        "kind": problem.kind,
        "severity": problem.severity,
        "codes": list(problem.codes),
        "params": dict(problem.params),
        "area_m2": round(problem.area_m2, 1),
        "bounds": None if shape is None else list(shape.bounds),
        "lonlat": problem.lonlat,
        "geometry": None if shape is None else _geometry(shape),
        "repair": problem.repair,
        "new": problem.new,
    }


def _grid(ground: Ground, code: str, figures: Figures, changed: bool) -> Document:
    row = ground.rows.get(code, {})
    began = row.get("valid_from")
    properties = {
        "code": code,
        "label": grid_label(code, LANGUAGE),
        "name": row.get("name", ""),
        "community": ground.coverage.community(code),
        "leader": row.get("leader", ""),
        "deputy": row.get("deputy", ""),
        "valid_from": began.isoformat() if isinstance(began, date) else None,
        "revision": row.get("revision", 0),
        "provisional": is_provisional(code),
        "changed": changed,
        "area_m2": round(figures.area_m2, 1),
        "households": figures.households,
        "residents": figures.residents,
        "party_households": figures.party_households,
        "light": light(figures.households),
    }
    return _feature(code, ground.coverage[code], properties)


def _around(ground: Ground, code: str) -> Document:
    name = str(ground.rows.get(code, {}).get("name", ""))
    return _feature(
        code, ground.coverage[code], {"code": code, "name": name, "community": ground.coverage.community(code)}
    )


def _set(one: ChangeSet, moved: Sequence[str], names: Mapping[str, str]) -> Document:
    return {
        "id": one.id,
        "name": one.name,
        "status": one.status.value,
        "reason": one.reason.value,
        "note": one.note,
        "origin": one.origin,
        "author": one.author,
        "editors": list(one.editors),
        "communities": [{"code": code, "name": names.get(code, code)} for code in one.communities],
        "revision": one.revision,
        "position": one.position,
        "length": one.length,
        "can_undo": one.status is Status.DRAFT and one.position > 0,
        "can_redo": one.status is Status.DRAFT and one.position < one.length,
        "stale": list(moved),
        "created_at": one.created_at // 1000,
        "updated_at": one.updated_at // 1000,
        "submitted_at": None if one.submitted_at is None else one.submitted_at // 1000,
        "published_at": None if one.published_at is None else one.published_at // 1000,
        "reviewer": one.reviewer,
        "review_note": one.review_note,
    }


def _edit(stored: StoredEdit, in_force: bool) -> Document:
    edit = stored.edit
    return {
        "seq": stored.seq,
        "kind": str(stored.intent.get("kind", stored.kind)),
        "actor": stored.actor,
        "at": stored.at // 1000,
        "codes": list(dict.fromkeys([*edit.before, *edit.after, *stored.values])),
        "in_force": in_force,
        "set_aside": stored.set_aside,
        "refusal": _refusal(stored.refusal),
        "intent": brief(asked(stored.intent)),
        "community": stored.intent.get("community", ""),
    }


def _refusal(kept: Mapping[str, Any]) -> Document | None:
    if not kept:
        return None
    key, params = str(kept["key"]), dict(kept.get("params", {}))
    return {"key": key, "text": detail(key, LANGUAGE, params), "params": params}


def _feature(code: str, shape: shapely.Geometry, properties: Mapping[str, object]) -> Document:
    return {"type": "Feature", "id": code, "geometry": _geometry(shape), "properties": properties}


def _collection(features: Iterable[Document]) -> Document:
    return {"type": "FeatureCollection", "features": list(features)}


def _geometry(shape: shapely.Geometry) -> orjson.Fragment:
    return orjson.Fragment(shapely.to_geojson(shape))

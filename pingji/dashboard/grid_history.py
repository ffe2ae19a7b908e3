"""Review and past of grids as documents ready for JSON; what each holds is written in `docs/grids.md`."""

from collections.abc import Sequence
from datetime import date

import orjson
import shapely
from sqlalchemy import Connection

from pingji.dashboard.texts import grid_label
from pingji.dashboard.workbench import (
    LANGUAGE,
    Document,
    Draft,
    draft_of,
    grid_collection,
    ground_document,
    held,
    set_document,
    totals,
)
from pingji.data.grids import history
from pingji.data.grids.conflict import Conflict, Words, conflicts_of
from pingji.data.grids.difference import Difference, Row, difference_of, net_of
from pingji.data.grids.figures import Figures
from pingji.data.grids.ground import Ground, load_ground
from pingji.data.grids.history import Moment, Version
from pingji.data.grids.past import ground_at
from pingji.geo.coverage.planar import Area
from pingji.layers.masking import mask_phone
from pingji.ops.change_set import Status


def difference(conn: Connection, county: str, id: str) -> Document:
    """Before and after of a change set: of a draft beside today's grids, of a published one as it was that day.

    Raises
    ------
    UnknownChangeSet
    """
    draft = draft_of(conn, county, id)
    before, after = _sides(conn, county, draft)
    net = net_of(draft.overlay, before.rows, after.coverage)
    found = difference_of(before, after, net, draft.overlay)
    return {
        "set": set_document(conn, county, draft),
        "before": grid_collection(before, before.own(), found.before),
        "after": grid_collection(after, after.own(), found.after),
        "rows": [_row(row) for row in found.rows],
        "totals": {"before": totals(found.before.values()), "after": totals(found.after.values())},
        "lineage": _lineage(found),
    }


def conflict(conn: Connection, county: str, id: str) -> Document:
    """What was published otherwise since a draft was begun, in three states.

    Raises
    ------
    UnknownChangeSet
    """
    draft = draft_of(conn, county, id)
    return {"grids": [_conflict(one) for one in conflicts_of(conn, county, draft.change_set, draft.overlay)]}


def changes(conn: Connection, county: str, community: str | None) -> Document:
    """What was published, and which emergencies and exercises there were; the newest first.

    Raises
    ------
    UnknownCommunity
    """
    if community is not None:
        history.require_community(conn, county, community)
    return {
        "changes": [
            {
                "at": (one.change_set.published_at or 0) // 1000,
                "date": history.moment_of(one.change_set.published_at or 0).day.isoformat(),
                "set": one.change_set.id,
                "name": one.change_set.name,
                "reason": one.change_set.reason.value,
                "note": one.change_set.note,
                "author": one.change_set.author,
                "reviewer": one.change_set.reviewer,
                "communities": list(one.change_set.communities),
                "grids": one.grids,
            }
            for one in history.publications(conn, county, community)
        ],
        "operations": [
            {
                "id": one.operation.id,
                "scope_name": one.scope_name,
                "exercise": one.operation.exercise,
                "started_at": one.operation.started_at // 1000,
                "ended_at": None if one.operation.ended_at is None else one.operation.ended_at // 1000,
            }
            for one in history.past_operations(conn, county, community)
        ],
    }


def community_at(conn: Connection, county: str, community: str, moment: Moment) -> Document:
    """A community as it stood; the same shape as today's, read only.

    Raises
    ------
    UnknownCommunity
    """
    past = ground_at(conn, county, [community], moment)
    return ground_document(
        past.ground,
        change_set=None,
        held=held(conn, county, [community]),
        read_only=True,
        at=moment.at // 1000,
        figures=past.figures,
    )


def grid_of(
    conn: Connection, county: str, moment: Moment, *, household: str | None, lonlat: tuple[float, float] | None
) -> Document:
    """The grid of a household or a place at a moment, with the people on duty then; null where there was none.

    Raises
    ------
    UnknownHousehold
    """
    if household is not None:
        found = history.grid_of_household(conn, county, household, moment)
    else:
        found = None if lonlat is None else history.grid_of_place(conn, county, *lonlat, moment)
    return {"at": moment.at // 1000, "grid": None if found is None else _on_duty(found)}


def lineage(conn: Connection, county: str, code: str) -> Document:
    """A grid, everything that it came from and everything that came from it.

    Raises
    ------
    UnknownGrid
    """
    links = history.descents(conn, county, code)
    codes = {code, *(link.from_ for link in links), *(link.into for link in links)}
    versions = history.versions_of(conn, county, codes)
    names = history.set_names(conn, county, {version.change_set for version in versions})
    return {
        "versions": [
            {
                "code": version.code,
                "name": version.name,
                "valid_from": _date(version.valid_from),
                "valid_to": _date(version.valid_to),
                "began_at": version.began_at // 1000,
                "ended_at": None if version.ended_at is None else version.ended_at // 1000,
                "reason": version.reason,
                "set": version.change_set or None,
                "set_name": names.get(version.change_set, ""),
            }
            for version in versions
        ],
        "links": [
            {
                "from": link.from_,
                "into": link.into,
                "kind": link.kind,
                "at": link.at // 1000,
                "set": link.change_set,
            }
            for link in links
        ],
    }


def _sides(conn: Connection, county: str, draft: Draft) -> tuple[Ground, Ground]:
    found = draft.change_set
    if found.status is Status.PUBLISHED and found.published_at is not None:
        was, became = (history.moment_of(at) for at in (found.published_at - 1, found.published_at))
        return (
            ground_at(conn, county, found.communities, was).ground,
            ground_at(conn, county, found.communities, became).ground,
        )
    return (
        load_ground(conn, county, found.communities),
        load_ground(conn, county, found.communities, draft.overlay),
    )


def _row(row: Row) -> Document:
    return {
        "code": row.code,
        "label": grid_label(row.code, LANGUAGE),
        "name": row.name,
        "community": row.community,
        "state": row.state,
        "before": _figures(row.before),
        "after": _figures(row.after),
        "gained_m2": round(row.gained_m2, 1),
        "lost_m2": round(row.lost_m2, 1),
        "from": list(row.from_),
        "into": list(row.into),
    }


def _figures(figures: Figures | None) -> Document | None:
    return None if figures is None else totals([figures])


def _lineage(found: Difference) -> Sequence[Document]:
    return [{"from": a, "into": b, "kind": kind} for a, b, kind in found.lineage]


def _conflict(one: Conflict) -> Document:
    by = one.by
    return {
        "code": one.code,
        "base": _geometry(one.base),
        "theirs": _geometry(one.theirs),
        "mine": _geometry(one.mine),
        "values": words_document(one.words) if one.words else None,
        "by": "" if by is None else by.name,
        "actor": "" if by is None else by.author,
        "at": None if by is None or by.published_at is None else by.published_at // 1000,
    }


def words_document(words: Sequence[Words]) -> Document:
    """Attributes in three states, phones masked."""

    def shown(column: str, text: str) -> str:
        return mask_phone(text) if column.endswith("_phone") else text

    return {
        "base": {one.column: shown(one.column, one.base) for one in words},
        "theirs": {one.column: shown(one.column, one.theirs) for one in words},
        "mine": {one.column: shown(one.column, one.mine) for one in words},
    }


def _on_duty(version: Version) -> Document:
    return {
        "code": version.code,
        "label": grid_label(version.code, LANGUAGE),
        "name": version.name,
        "community": version.community,
        "leader": version.leader,
        "leader_phone": mask_phone(version.leader_phone),
        "deputy": version.deputy,
        "deputy_phone": mask_phone(version.deputy_phone),
        "valid_from": _date(version.valid_from),
        "valid_to": _date(version.valid_to),
        "households": version.households,
        "residents": version.residents,
    }


def _date(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _geometry(shape: Area | None) -> orjson.Fragment | None:
    return None if shape is None else orjson.Fragment(shapely.to_geojson(shape))

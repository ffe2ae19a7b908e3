"""Publishing a change set: a draft's grids become those of everybody, all of them at one moment or none.

`check` looks at the draft on a snapshot; `publish` takes the county's turn, asks again whatever somebody else may have
changed since, and writes. So nobody who counts people waits for a border to be checked.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import shapely
from sqlalchemy import Connection, bindparam, delete, insert, literal, select, update

from pingji.data import features, journal
from pingji.data.derive import refresh_grids
from pingji.data.features import raw
from pingji.data.grids import drafts
from pingji.data.grids.difference import Net, ground_moved, lineage_of, net_of
from pingji.data.grids.ground import DESCRIBED, Ground, community_names, load_ground, stale
from pingji.data.grids.holding import held_scopes
from pingji.data.grids.overlay import Overlay
from pingji.data.grids.problems import problems_of
from pingji.data.modes import go_alone
from pingji.data.notify import notify
from pingji.data.spatial import Box, stored
from pingji.data.sql import among
from pingji.data.tables import LAYER_TABLES, change_edit, grid_lineage, past_grids
from pingji.data.tables import journal as journal_table
from pingji.geo.coverage.planar import Area
from pingji.ops.change_set import (
    ChangeSet,
    Overtaken,
    ProblemsLeft,
    Status,
    Step,
    require_quiet,
    require_revision,
    take,
)
from pingji.ops.day import day_of
from pingji.ops.grids import number

ACTION = "publish"  # in the journal
_NAMED = 3  # communities that the news names

Namer = Callable[[str, str], str]  # name of a community, code of a grid → name of the grid


@dataclass(frozen=True, slots=True, eq=False)
class Checked:
    """A change set that was found fit to be published, what it comes to, and a box around that in each community."""

    change_set: ChangeSet
    overlay: Overlay
    net: Net
    boxes: Sequence[Box]


@dataclass(frozen=True, slots=True, eq=False)
class Published:
    """A publication: the codes given to new grids, by their provisional ones."""

    change_set: ChangeSet
    codes: Mapping[str, str]


def earlier_publication(
    conn: Connection, county: str, change_set: ChangeSet, revision: int, actor: str
) -> Published | None:
    """What the same press came to before, or None where this one is new."""
    pressed = (change_set.revision - 1, change_set.reviewer)
    if change_set.status is not Status.PUBLISHED or pressed != (revision, actor):
        return None
    c = journal_table.c
    query = select(c.detail).where(c.county == county, c.action == ACTION, c.at == change_set.published_at)
    found: Iterable[Mapping[str, Any]] = conn.scalars(query)
    detail = next((one for one in found if one.get("set") == change_set.id), {})
    return Published(change_set, dict(detail.get("codes", {})))


def check(conn: Connection, county: str, id: str, revision: int, actor: str) -> Checked:
    """Whether a change set may be published, by everything that takes time to see.

    Raises
    ------
    StepRefused
        With the reason; ProblemsLeft with the grids and the problems.
    UnknownChangeSet
    """
    found = drafts.load(conn, county, id)
    require_revision(found, revision)
    take(found, Step.PUBLISH, actor, "", 0)
    overlay = drafts.overlay(drafts.in_force(found, drafts.edits(conn, county, id)))
    _require_ready(conn, county, found, overlay)
    ground = load_ground(conn, county, found.communities, overlay)
    _require_sound(ground)
    net = net_of(overlay, stored_rows(conn, county, overlay.codes), ground.coverage)
    return Checked(found, overlay, net, _boxes(ground, overlay, net))


def require_sound(conn: Connection, county: str, found: ChangeSet) -> None:
    """Refuse a draft that was overtaken or would bring new errors: nobody should review what can't be published.

    Raises
    ------
    Overtaken, ProblemsLeft
        With the grids, and the problems.
    """
    overlay = drafts.overlay(drafts.in_force(found, drafts.edits(conn, county, found.id)))
    _require_current(conn, county, overlay)
    _require_sound(load_ground(conn, county, found.communities, overlay))


def _require_sound(ground: Ground) -> None:
    left = [problem for problem in problems_of(ground) if problem.new and problem.severity == "error"]
    if left:
        codes = tuple(sorted({code for problem in left for code in problem.codes}))
        where = next((problem.lonlat for problem in left if problem.lonlat), None)
        raise ProblemsLeft(n=len(left), problems=[problem.id for problem in left], codes=codes, lonlat=where)


def publish(
    conn: Connection, county: str, checked: Checked, *, reviewer: str, note: str, at: int, named: Namer
) -> Published:
    """Publish a change set, in the caller's transaction.

    Parameters
    ----------
    conn : Connection
        Nothing is committed here; whatever fails leaves nothing behind.
    county : str
    checked : Checked
        From `check`; whatever has changed since is refused.
    reviewer : str
        Who publishes.
    at : int
        Microseconds since 1970 UTC.
    named : callable
        What a new grid is called that nobody named.

    Raises
    ------
    StepRefused
        With the reason.
    CodesExhausted
    """
    go_alone(conn, county)
    found = drafts.load(conn, county, checked.change_set.id)
    require_revision(found, checked.change_set.revision)
    after = take(found, Step.PUBLISH, reviewer, note, at)
    _require_ready(conn, county, found, checked.overlay)
    codes = _numbered(conn, county, checked.overlay)
    overlay, net = _recoded(checked.overlay, codes), checked.net
    day = day_of(at)
    _end_versions(conn, county, (*net.ended, *net.changed, *net.redescribed), found.id, day, at)
    _change(conn, county, found, overlay, net, day, at)
    _begin(conn, county, found, overlay, named, day, at)
    _link(conn, county, found.id, overlay, at)
    _recode_edits(conn, county, found.id, codes)
    refresh_grids(conn, county, checked.boxes)
    drafts.save(conn, county, after, found.revision)
    _tell(conn, county, after, len(net.versions), codes)
    return Published(after, codes)


def stored_rows(conn: Connection, county: str, codes: Collection[str]) -> dict[str, dict[str, Any]]:
    """Attributes of published grids, those of the codes that exist."""
    c = LAYER_TABLES["grids"].c
    query = select(c.code, c.community, c.revision, *(c[n] for n in DESCRIBED))
    found = conn.execute(query.where(c.county == county, among(conn, c.code, codes))).mappings()
    return {str(row["code"]): dict(row) for row in found}


def _require_ready(conn: Connection, county: str, found: ChangeSet, overlay: Overlay) -> None:
    require_quiet(held_scopes(conn, county), found.communities)
    _require_current(conn, county, overlay)


def _require_current(conn: Connection, county: str, overlay: Overlay) -> None:
    moved = stale(conn, county, overlay)
    if moved:
        raise Overtaken(codes=tuple(moved))


def _numbered(conn: Connection, county: str, overlay: Overlay) -> dict[str, str]:
    """Codes for new grids, by their provisional ones."""
    by_community: dict[str, list[str]] = {}
    for code in overlay.added:
        by_community.setdefault(overlay.communities[code], []).append(code)
    given: dict[str, str] = {}
    for community, codes in by_community.items():
        middles = shapely.point_on_surface([overlay.after[code] for code in codes])
        places = [(lon, lat) for lon, lat in shapely.get_coordinates(middles).tolist()]
        given |= dict(zip(codes, number(community, places, _used(conn, county, community)), strict=True))
    return given


def _used(conn: Connection, county: str, community: str) -> set[str]:
    """Every code that a grid of the community ever had."""
    g, p, n = LAYER_TABLES["grids"].c, past_grids.c, grid_lineage.c
    used: set[str] = set()
    for column, of_county in (
        (g.code, g.county),
        (p.code, p.county),
        (n.from_code, n.county),
        (n.into_code, n.county),
    ):
        begins = column.startswith(community, autoescape=True)
        used.update(conn.scalars(select(column).where(of_county == county, begins).distinct()))
    return used


def _recoded(overlay: Overlay, codes: Mapping[str, str]) -> Overlay:
    def given(code: str) -> str:
        return codes.get(code, code)

    return replace(
        overlay,
        after={given(code): shape for code, shape in overlay.after.items()},
        communities={given(code): community for code, community in overlay.communities.items()},
        values={given(code): values for code, values in overlay.values.items()},
        lineage=tuple((given(a), given(b), kind) for a, b, kind in overlay.lineage),
    )


def _end_versions(conn: Connection, county: str, codes: Sequence[str], id: str, day: date, at: int) -> None:
    """Keep grids as they stand now, with the figures of this day, as versions that have ended."""
    if not codes:
        return
    grids = LAYER_TABLES["grids"]
    kept = [c.name for c in past_grids.c if c.name in grids.c and c.name not in ("id", "geom", "valid_to")]
    columns = [*(grids.c[name] for name in kept), literal(day), literal(at), literal(id), raw(grids)]
    query = select(*columns).where(grids.c.county == county, among(conn, grids.c.code, codes))
    conn.execute(insert(past_grids).from_select([*kept, "valid_to", "ended_at", "ended_by", "geom"], query))


def _change(conn: Connection, county: str, found: ChangeSet, overlay: Overlay, net: Net, day: date, at: int) -> None:
    """Write new versions over grids that go on, new vertices into their neighbours, and take ended grids away."""
    grids = LAYER_TABLES["grids"]
    c = grids.c
    going_on = sorted({*net.changed, *net.redescribed})
    now = stored_rows(conn, county, going_on)
    version = {"began_at": at, "valid_from": day, "valid_to": None, "reason": found.reason.value}
    rows = []
    for code in going_on:
        described = {**{n: now[code][n] for n in DESCRIBED}, **overlay.values.get(code, {})}
        values = {**version, **described, "change_set": found.id, "revision": now[code]["revision"] + 1}
        rows.append({"its_code": code, **{f"new_{name}": value for name, value in values.items()}})
    theirs = (c.county == county, c.code == bindparam("its_code"))
    if rows:
        names = [name.removeprefix("new_") for name in rows[0] if name != "its_code"]
        conn.execute(update(grids).where(*theirs).values({n: bindparam(f"new_{n}") for n in names}), rows)
    moved = {code: shape for code in (*net.changed, *net.noded) if (shape := overlay.after[code]) is not None}
    if moved:
        shapes = stored(_multi(shape) for shape in moved.values())
        geometries = [{"its_code": code, "its_geom": geom} for code, geom in zip(moved, shapes, strict=True)]
        conn.execute(update(grids).where(*theirs).values(geom=bindparam("its_geom")), geometries)
    if net.ended:
        conn.execute(delete(grids).where(c.county == county, among(conn, c.code, net.ended)))


def _begin(conn: Connection, county: str, found: ChangeSet, overlay: Overlay, named: Namer, day: date, at: int) -> None:
    """Add the new grids."""
    names = community_names(conn, county, set(overlay.communities.values()))
    rows: list[dict[str, object]] = []
    for code in overlay.added:
        community, given = overlay.communities[code], overlay.values.get(code, {})
        row: dict[str, object] = {"code": code, "community": community, "geom": overlay.after[code], **given}
        row["name"] = given.get("name") or named(names.get(community, community), code)
        row |= {"began_at": at, "valid_from": day, "reason": found.reason.value, "change_set": found.id, "revision": 1}
        rows.append(row)
    features.insert(conn, county, "grids", rows)


def _link(conn: Connection, county: str, id: str, overlay: Overlay, at: int) -> None:
    rows = [
        {"county": county, "from_code": a, "into_code": b, "kind": kind, "at": at, "change_set": id}
        for a, b, kind in lineage_of(overlay)
    ]
    if rows:
        conn.execute(insert(grid_lineage), rows)


def _recode_edits(conn: Connection, county: str, id: str, codes: Mapping[str, str]) -> None:
    """Let the stored edits speak of new grids by the codes that they were given."""
    if not codes:
        return
    c = change_edit.c
    theirs = (c.county == county, c.change_set == id)
    rows = [
        {"its_seq": seq, "new_intent": _spelled(intent, codes), "new_change": _spelled(change, codes)}
        for seq, intent, change in conn.execute(select(c.seq, c.intent, c.change).where(*theirs))
    ]
    statement = update(change_edit).where(*theirs, c.seq == bindparam("its_seq"))
    conn.execute(statement.values(intent=bindparam("new_intent"), change=bindparam("new_change")), rows)


def _spelled(document: Any, codes: Mapping[str, str]) -> Any:
    """A JSON document with the codes in it, as keys and as values, replaced."""
    if isinstance(document, dict):
        return {codes.get(key, key): _spelled(value, codes) for key, value in document.items()}
    if isinstance(document, list):
        return [_spelled(value, codes) for value in document]
    return codes.get(document, document) if isinstance(document, str) else document


def _boxes(ground: Ground, overlay: Overlay, net: Net) -> list[Box]:
    """One box for each community: those of a set may lie far apart."""
    shapes: dict[str, list[Area]] = {}
    for code, shape in ground_moved(net, overlay):
        shapes.setdefault(overlay.communities.get(code) or ground.published.community(code), []).append(shape)
    boxes = []
    for found in shapes.values():
        west, south, east, north = shapely.total_bounds(found).tolist()
        boxes.append((west, south, east, north))
    return boxes


def _tell(conn: Connection, county: str, after: ChangeSet, n: int, codes: Mapping[str, str]) -> None:
    """The journal and every screen. The news goes to the wall as well: it names places, not what somebody wrote."""
    names = list(community_names(conn, county, after.communities).values())
    where = " ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "")
    detail = {
        "scope_name": where,
        "set": after.id,
        "n": n,
        "codes": dict(codes),
        "communities": list(after.communities),
    }
    scope = after.communities[0] if len(after.communities) == 1 else county
    at = after.published_at or after.updated_at
    journal.write(conn, county, at=at, actor=after.reviewer, action=ACTION, scope=scope, detail=detail)
    notify(conn, "grids")


def _multi(shape: Area) -> shapely.MultiPolygon:
    return shapely.MultiPolygon([shape]) if isinstance(shape, shapely.Polygon) else shape

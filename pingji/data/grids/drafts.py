"""Change sets as stored: begun, edited, undone and done again; what is in force of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from pingji.data.grids.overlay import Overlay, overlay_of
from pingji.data.grids.stored import Described, from_change, to_change
from pingji.data.sql import among, upsert
from pingji.data.tables import LAYER_TABLES, change_edit, change_set
from pingji.geo.coverage import Edit
from pingji.ops.change_set import ChangeSet, NothingToUndo, Reason, SetMoved, Status, UnknownChangeSet

_KEPT = (
    "name",
    "status",
    "reason",
    "note",
    "communities",
    "revision",
    "position",
    "updated_at",
    "submitted_at",
    "published_at",
    "reviewer",
    "review_note",
)
_READ = (*_KEPT, "id", "origin", "author", "created_at")


@dataclass(frozen=True, slots=True, eq=False)
class StoredEdit:
    """One edit of a change set. `at` in microseconds since 1970 UTC.

    Attributes
    ----------
    seq : int
        Rises with every edit, and is never given out twice while the edit exists.
    edit_id : str
        Made by whoever asked: the same edit sent twice is one.
    intent : mapping
        What was asked.
    edit : Edit
        What came of it.
    values : mapping of code to mapping of column to text
        Attributes that it gives; `found` are those that published grids had in their place.
    set_aside : bool
        It could not be done again on newer grids; `refusal` says why. It is neither in force nor to be undone.
    """

    seq: int
    edit_id: str
    kind: str
    actor: str
    at: int
    intent: Mapping[str, Any]
    edit: Edit
    values: Described
    found: Described
    set_aside: bool
    refusal: Mapping[str, Any]


def begin(
    conn: Connection,
    county: str,
    *,
    id: str,
    name: str,
    reason: Reason,
    note: str,
    origin: str,
    author: str,
    communities: Sequence[str],
    at: int,
) -> ChangeSet:
    """Begin a change set; one that has the id already is given back as it is."""
    row = {"county": county, "id": id, "name": name, "status": Status.DRAFT.value, "reason": Reason(reason).value}
    row |= {"note": note, "origin": origin, "author": author}
    listed = list(dict.fromkeys(communities))
    statement = upsert(conn, change_set).on_conflict_do_nothing()
    conn.execute(statement, {**row, "communities": listed, "created_at": at, "updated_at": at})
    return load(conn, county, id)


def load(conn: Connection, county: str, id: str) -> ChangeSet:
    """A change set.

    Raises
    ------
    UnknownChangeSet
    """
    c = change_set.c
    row = conn.execute(select(*(c[n] for n in _READ)).where(c.county == county, c.id == id)).one_or_none()
    if row is None:
        raise UnknownChangeSet(id=id)
    return _change_set(row, _actors(conn, county, [id]).get(id, []))


def load_all(
    conn: Connection, county: str, *, status: Status | None = None, community: str | None = None
) -> list[ChangeSet]:
    """All change sets of a county, the newest first."""
    c = change_set.c
    query = select(*(c[n] for n in _READ)).where(c.county == county).order_by(c.created_at.desc(), c.id)
    if status is not None:
        query = query.where(c.status == Status(status).value)
    rows = [row for row in conn.execute(query) if community is None or community in row.communities]
    actors = _actors(conn, county, [row.id for row in rows])
    return [_change_set(row, actors.get(row.id, [])) for row in rows]


def save(conn: Connection, county: str, changed: ChangeSet, expected_revision: int) -> None:
    """Write a change set over the one that has the expected revision.

    Raises
    ------
    SetMoved
        Where it has another one by now.
    """
    c = change_set.c
    values = {name: getattr(changed, name) for name in _KEPT}
    values |= {"status": changed.status.value, "reason": changed.reason.value, "communities": list(changed.communities)}
    theirs = (c.county == county, c.id == changed.id)
    if conn.execute(update(change_set).where(*theirs, c.revision == expected_revision).values(values)).rowcount != 1:
        raise SetMoved(revision=load(conn, county, changed.id).revision, yours=expected_revision)


def edits(conn: Connection, county: str, id: str) -> list[StoredEdit]:
    """All edits of a change set in their order, also those that were undone or set aside."""
    c = change_edit.c
    columns = (c.seq, c.edit_id, c.kind, c.actor, c.at, c.intent, c.change, c.set_aside, c.refusal)
    query = select(*columns).where(c.county == county, c.change_set == id).order_by(c.seq)
    kept = []
    for seq, edit_id, kind, actor, at, intent, change, aside, refusal in conn.execute(query):
        edit, values, had = from_change(kind, change)
        kept.append(StoredEdit(seq, edit_id, kind, actor, at, intent, edit, values, had, bool(aside), refusal))
    return kept


def in_force(changed: ChangeSet, all_edits: Iterable[StoredEdit]) -> list[StoredEdit]:
    """The edits that count: the first `position` of those that are not set aside."""
    return [edit for edit in all_edits if not edit.set_aside][: changed.position]


def overlay(in_force_edits: Iterable[StoredEdit]) -> Overlay:
    """What edits in force come to together."""
    return overlay_of((e.edit, e.values, e.found) for e in in_force_edits)


def append(
    conn: Connection,
    county: str,
    changed: ChangeSet,
    *,
    edit_id: str,
    intent: Mapping[str, Any],
    edit: Edit,
    values: Described,
    actor: str,
    at: int,
) -> ChangeSet:
    """Add an edit after those in force; what had been undone can't be done again any more.

    Raises
    ------
    SetMoved
        Where somebody else has changed the set since it was loaded.
    """
    c = change_edit.c
    theirs = (c.county == county, c.change_set == changed.id)
    after = replace(changed, position=changed.position + 1, revision=changed.revision + 1, updated_at=at)
    save(conn, county, after, changed.revision)  # first: whoever comes second finds the revision moved
    _drop_undone(conn, county, changed)
    last = conn.scalars(select(func.max(c.seq)).where(*theirs)).one() or 0
    row = {"county": county, "change_set": changed.id, "seq": last + 1, "edit_id": edit_id, "kind": edit.kind}
    row |= {"actor": actor, "at": at, "intent": dict(intent), "refusal": {}, "set_aside": False}
    change = to_change(edit, values, found_attributes(conn, county, values))
    conn.execute(insert(change_edit), {**row, "change": change})
    return load(conn, county, changed.id)


def found_attributes(conn: Connection, county: str, values: Described) -> dict[str, dict[str, str]]:
    """What published grids have by now in the columns that `values` give; new grids are absent."""
    columns = sorted({column for given in values.values() for column in given})
    if not columns:
        return {}
    c = LAYER_TABLES["grids"].c
    query = select(c.code, *(c[name] for name in columns))
    rows = conn.execute(query.where(c.county == county, among(conn, c.code, list(values)))).mappings()
    return {row["code"]: {name: row[name] for name in columns if name in values[row["code"]]} for row in rows}


def step(conn: Connection, county: str, changed: ChangeSet, by: int, at: int) -> ChangeSet:
    """Undo (`by` = -1) or do again (`by` = 1) one edit.

    Raises
    ------
    NothingToUndo, SetMoved
    """
    position = changed.position + by
    if not 0 <= position <= changed.length:
        raise NothingToUndo()
    after = replace(changed, position=position, revision=changed.revision + 1, updated_at=at)
    save(conn, county, after, changed.revision)
    return load(conn, county, changed.id)


def _drop_undone(conn: Connection, county: str, changed: ChangeSet) -> None:
    """Delete the edits after `position`; those set aside stay: they are somebody's work."""
    c = change_edit.c
    theirs = (c.county == county, c.change_set == changed.id)
    query = select(c.seq).where(*theirs, c.set_aside.is_(False)).order_by(c.seq)
    undone = list(conn.scalars(query))[changed.position :]
    if undone:
        conn.execute(delete(change_edit).where(*theirs, c.seq.in_(undone)))


def _actors(conn: Connection, county: str, ids: Sequence[str]) -> dict[str, list[list[str]]]:
    """Who made each edit that is not set aside, and did it again on newer grids, in their order, by change set."""
    c = change_edit.c
    query = select(c.change_set, c.actor, c.intent["again"]).where(c.county == county, c.set_aside.is_(False))
    query = query.where(c.change_set == ids[0]) if len(ids) == 1 else query
    found: dict[str, list[list[str]]] = {}
    for id, actor, again in conn.execute(query.order_by(c.change_set, c.seq)):
        found.setdefault(id, []).append([actor, *(again or ())])
    return found


def _change_set(row: Row[Any], actors: Sequence[Sequence[str]]) -> ChangeSet:
    values = dict(row._mapping)
    values["status"], values["reason"] = Status(values["status"]), Reason(values["reason"])
    values["communities"] = tuple(values["communities"])
    editors = tuple(dict.fromkeys(actor for several in actors[: row.position] for actor in several))
    return ChangeSet(**values, length=len(actors), editors=editors)

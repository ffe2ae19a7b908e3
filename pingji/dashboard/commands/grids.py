"""Change sets of grids: begin one, edit in it, undo and do again.

What an edit comes to is worked out on a snapshot, and the lock is taken only to keep it: while people are counted,
nobody waits for a border. Whoever was overtaken in between is refused by the revision.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from pingji.dashboard.context import Context, now_us
from pingji.dashboard.workbench import Draft, draft_of
from pingji.data.engine import reading, writing
from pingji.data.grids import drafts
from pingji.data.grids.drafts import StoredEdit
from pingji.data.grids.ground import Ground, UnknownCommunity, community_names, load_ground
from pingji.data.grids.intents import carry_out, remembered
from pingji.data.notify import notify
from pingji.geo.coverage import Edit
from pingji.ops.change_set import (
    UNNAMED,
    ChangeSet,
    NameNeeded,
    OutsideChangeSet,
    Overtaken,
    Reason,
    SetMoved,
    require_draft,
    require_revision,
)

Described = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True, eq=False)
class Edited:
    """What an edit, an undo or a preview came to: the ground after it, and the change on the way there."""

    ground: Ground
    edit: Edit
    described: tuple[str, ...]
    draft: Draft
    saved: bool


def begin_change_set(
    context: Context,
    *,
    id: str | None,
    name: str,
    reason: Reason,
    note: str,
    communities: Sequence[str],
    actor: str,
    origin: str = "drawn",
) -> ChangeSet:
    """Begin a change set; the same id twice begins one.

    Raises
    ------
    OpsError
        NameNeeded or UnknownCommunity.
    """
    county = context.county_code
    _require_name(actor)
    with writing(context.engine) as conn:
        _require_known(community_names(conn, county, communities), communities)
        begun = drafts.begin(
            conn,
            county,
            id=id or str(uuid.uuid4()),
            name=name,
            reason=reason,
            note=note,
            origin=origin,
            author=actor,
            communities=communities,
            at=now_us(),
        )
        notify(conn, "drafts")
    context.on_change()
    return begun


def change_words(
    context: Context,
    id: str,
    revision: int,
    *,
    name: str | None = None,
    reason: Reason | None = None,
    note: str | None = None,
    communities: Sequence[str] | None = None,
) -> None:
    """Change what a draft is called and why it is made, or let it name more communities.

    Communities that it names already stay: edits may lie in them.

    Raises
    ------
    OpsError
        UnknownChangeSet, NotADraft, SetMoved or UnknownCommunity.
    """
    county = context.county_code
    with writing(context.engine) as conn:
        found = drafts.load(conn, county, id)
        require_draft(found)
        require_revision(found, revision)
        if communities is not None:
            _require_known(community_names(conn, county, communities), communities)
        after = replace(
            found,
            name=found.name if name is None else name,
            reason=found.reason if reason is None else reason,
            note=found.note if note is None else note,
            communities=tuple(dict.fromkeys([*found.communities, *(communities or ())])),
            revision=found.revision + 1,
            updated_at=now_us(),
        )
        drafts.save(conn, county, after, revision)
        notify(conn, "drafts")
    context.on_change()


def edit_grids(
    context: Context, id: str, revision: int, edit_id: str, community: str, intent: Mapping[str, Any], actor: str
) -> Edited:
    """Carry an intent out and keep what it came to; the same `edit_id` twice is one edit.

    Raises
    ------
    CoverageError, OpsError
        With the reason: nothing is kept then.
    """
    county = context.county_code
    _require_name(actor)
    with reading(context.engine) as conn:
        draft = draft_of(conn, county, id)
        earlier = next((edit for edit in draft.edits if edit.edit_id == edit_id), None)
        if earlier is not None:
            return _as_it_is(conn, county, draft, community, earlier)
        require_draft(draft.change_set)
        require_revision(draft.change_set, revision)
        ground, edit, values = _worked_out(conn, county, draft, community, intent)
    try:
        with writing(context.engine) as conn:
            drafts.append(
                conn,
                county,
                draft.change_set,
                edit_id=edit_id,
                intent=remembered(intent, community, edit),
                edit=edit,
                values=values,
                actor=actor,
                at=now_us(),
            )
            notify(conn, "drafts")
            after = draft_of(conn, county, id)
    except SetMoved:
        with reading(context.engine) as conn:
            after = draft_of(conn, county, id)
            earlier = next((one for one in after.edits if one.edit_id == edit_id), None)
            if earlier is None:
                raise
            return _as_it_is(conn, county, after, community, earlier)  # the same request, sent twice at once
    context.on_change()
    return Edited(ground.with_edit(edit, values), edit, tuple(values), after, saved=True)


def preview_edit(context: Context, id: str, community: str, intent: Mapping[str, Any]) -> Edited:
    """What an intent would come to; nothing is kept.

    Raises
    ------
    CoverageError, OpsError
        As `edit_grids`.
    """
    county = context.county_code
    with reading(context.engine) as conn:
        draft = draft_of(conn, county, id)
        require_draft(draft.change_set)
        ground, edit, values = _worked_out(conn, county, draft, community, intent)
    return Edited(ground.with_edit(edit, values), edit, tuple(values), draft, saved=False)


def undo_edit(context: Context, id: str, revision: int, community: str, actor: str) -> Edited:
    """Take the last edit in force back.

    Raises
    ------
    OpsError
        UnknownChangeSet, NotADraft, SetMoved, NothingToUndo or NameNeeded.
    """
    return _step(context, id, revision, community, actor, -1)


def redo_edit(context: Context, id: str, revision: int, community: str, actor: str) -> Edited:
    """Do again what was undone last; refused as `undo_edit`."""
    return _step(context, id, revision, community, actor, 1)


def _step(context: Context, id: str, revision: int, community: str, actor: str, by: int) -> Edited:
    county = context.county_code
    _require_name(actor)
    with writing(context.engine) as conn:
        before = drafts.load(conn, county, id)
        require_draft(before)
        require_revision(before, revision)
        _require_named(before, community)
        drafts.step(conn, county, before, by, now_us())
        notify(conn, "drafts")
    context.on_change()
    with reading(context.engine) as conn:
        draft = draft_of(conn, county, id)
        ground = load_ground(conn, county, [community], draft.overlay)
    kept = [edit for edit in draft.edits if not edit.set_aside]
    moved = kept[min(before.position, before.position + by)]  # undone: the last in force; done again: the next one
    edit = moved.edit.inverse() if by < 0 else moved.edit
    return Edited(ground, edit, tuple(moved.values), draft, saved=True)


def _worked_out(
    conn: Connection, county: str, draft: Draft, community: str, intent: Mapping[str, Any]
) -> tuple[Ground, Edit, Described]:
    _require_named(draft.change_set, community)
    if draft.stale:
        raise Overtaken(codes=tuple(draft.stale))
    ground = load_ground(conn, county, [community], draft.overlay)
    edit, values = carry_out(conn, county, ground, intent)
    return ground, edit, values


def _as_it_is(conn: Connection, county: str, draft: Draft, community: str, earlier: StoredEdit) -> Edited:
    """The answer to an edit that was kept before: the draft as it is by now."""
    _require_named(draft.change_set, community)
    ground = load_ground(conn, county, [community], draft.overlay)
    return Edited(ground, earlier.edit, tuple(earlier.values), draft, saved=True)


def _require_name(actor: str) -> None:
    if actor in ("", UNNAMED):
        raise NameNeeded()


def _require_named(change_set: ChangeSet, community: str) -> None:
    if community not in change_set.communities:
        raise OutsideChangeSet(community=community)


def _require_known(known: Mapping[str, str], communities: Sequence[str]) -> None:
    for code in communities:
        if code not in known:
            raise UnknownCommunity(community=code)

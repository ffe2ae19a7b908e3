"""Steps of a change set of grids: submit, return, publish, discard; and its edits once more on today's grids."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from pingji.dashboard.context import Context, now_us
from pingji.dashboard.errors import refusal
from pingji.dashboard.texts import LANGUAGES, t
from pingji.data.engine import reading, writing
from pingji.data.grids import conflict, drafts, publish
from pingji.data.grids.conflict import Words
from pingji.data.notify import notify
from pingji.ops.change_set import (
    UNNAMED,
    ChangeSet,
    NameNeeded,
    Overtaken,
    SetMoved,
    Step,
    require_draft,
    require_revision,
    take,
)
from pingji.ops.grids import DIGITS


@dataclass(frozen=True, slots=True)
class Taken:
    """A change set after a step; `codes` are those given to new grids, by their provisional ones."""

    change_set: ChangeSet
    codes: dict[str, str] = field(default_factory=dict)


def take_step(context: Context, id: str, revision: int, step: Step, note: str, actor: str) -> Taken:
    """Take a step of a change set; the same press twice takes one.

    Raises
    ------
    OpsError
        UnknownChangeSet, a StepRefused with its reason, or CodesExhausted.
    """
    if step is Step.PUBLISH:
        return _publish(context, id, revision, note, actor)
    county = context.county_code
    if step is Step.SUBMIT:
        with reading(context.engine) as conn:
            found = drafts.load(conn, county, id)
            require_revision(found, revision)
            take(found, step, actor, note, now_us())  # what the step itself refuses is said first
            publish.require_sound(conn, county, found)
    with writing(context.engine) as conn:
        found = drafts.load(conn, county, id)
        require_revision(found, revision)
        after = take(found, step, actor, note, now_us())
        drafts.save(conn, county, after, revision)
        notify(conn, "drafts")
    context.on_change()
    return Taken(after)


@dataclass(frozen=True, slots=True)
class Rebased:
    """A draft on today's grids; `kept` are words of the draft that stay in the place of what others published."""

    change_set: ChangeSet
    kept: Mapping[str, Sequence[Words]]


def rebase(context: Context, id: str, revision: int, actor: str) -> Rebased:
    """Carry the edits of a draft out once more on today's grids; what does not go any more is set aside, not lost.

    Raises
    ------
    OpsError
        UnknownChangeSet, NameNeeded, NotADraft, SetMoved, or Overtaken where grids were published meanwhile.
    """
    if actor in ("", UNNAMED):
        raise NameNeeded()
    county = context.county_code
    with reading(context.engine) as conn:
        found = drafts.load(conn, county, id)
        require_draft(found)
        require_revision(found, revision)
        stored = drafts.edits(conn, county, id)
        met = conflict.conflicts_of(conn, county, found, drafts.overlay(drafts.in_force(found, stored)))
        done = conflict.carried_out_again(conn, county, found, stored)
    refusals: dict[int, dict[str, Any]] = {}
    for one in done:
        if one.refused is not None:
            key, params = refusal(one.refused)
            refusals[one.stored.seq] = {"key": key, "params": params}
    with writing(context.engine) as conn:
        after = conflict.save_again(conn, county, found, done, refusals, actor, now_us())
        notify(conn, "drafts")
    context.on_change()
    still = {code for one in done if one.refused is None for code in one.values}
    return Rebased(after, {one.code: one.words for one in met if one.words and one.code in still})


def _publish(context: Context, id: str, revision: int, note: str, actor: str) -> Taken:
    """Checked on a snapshot first: while people are counted, nobody waits for a border."""
    county = context.county_code
    with reading(context.engine) as conn:
        earlier = _earlier(conn, county, id, revision, actor)
        if earlier is not None:
            return earlier
        checked = publish.check(conn, county, id, revision, actor)
    try:
        with writing(context.engine) as conn:
            done = publish.publish(conn, county, checked, reviewer=actor, note=note, at=now_us(), named=_name)
    except (SetMoved, Overtaken):
        with reading(context.engine) as conn:
            earlier = _earlier(conn, county, id, revision, actor)
        if earlier is None:
            raise
        return earlier  # the same press, sent twice at once
    context.on_change()
    return Taken(done.change_set, dict(done.codes))


def _earlier(conn: Connection, county: str, id: str, revision: int, actor: str) -> Taken | None:
    found = publish.earlier_publication(conn, county, drafts.load(conn, county, id), revision, actor)
    return None if found is None else Taken(found.change_set, dict(found.codes))


def _name(community: str, code: str) -> str:
    """What a new grid is called that nobody named, in the county's language."""
    return t("grids.name.new", LANGUAGES[0], community=community, n=int(code[-DIGITS:]))

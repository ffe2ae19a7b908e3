"""A change set of grids: draft → review → published, and who may take which step."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from pingji.ops.errors import OpsError

UNNAMED = "-"  # whoever gave no name


class Status(StrEnum):
    """草稿 · 待审 · 已发布 · 已作废."""

    DRAFT = "draft"
    REVIEW = "review"
    PUBLISHED = "published"
    DISCARDED = "discarded"


class Reason(StrEnum):
    """Why grids change: the kind that goes into the register, beside a text."""

    BOUNDARY_CHANGE = "boundary_change"  # 边界调整
    REDIGITISATION = "redigitisation"  # 重新矢量化
    SPLIT_FOR_SIZE = "split_for_size"  # 超户拆分
    MERGE_FOR_SIZE = "merge_for_size"  # 欠户合并
    CORRECTION = "correction"  # 勘误
    CONSTRUCTION = "construction"  # 新建与拆迁
    ADMINISTRATIVE = "administrative"  # 区划变更


class Step(StrEnum):
    """What can be done with a change set."""

    SUBMIT = "submit"
    RETURN = "return"
    PUBLISH = "publish"
    DISCARD = "discard"


_STEPS = {
    (Status.DRAFT, Step.SUBMIT): Status.REVIEW,
    (Status.DRAFT, Step.DISCARD): Status.DISCARDED,
    (Status.REVIEW, Step.RETURN): Status.DRAFT,
    (Status.REVIEW, Step.PUBLISH): Status.PUBLISHED,
    (Status.REVIEW, Step.DISCARD): Status.DISCARDED,
}


class StepRefused(OpsError):
    """A step that the change set does not allow; each subclass says why."""


class StepNotAllowed(StepRefused):
    """The step does not follow from the present status. `status`, `step`."""


class NotADraft(StepRefused):
    """Only a draft can be edited. `name`, `status`."""


class NothingChanged(StepRefused):
    """The change set has no edit in force."""


class NameNeeded(StepRefused):
    """Whoever writes, reviews or publishes says who they are."""


class SecondPersonNeeded(StepRefused):
    """Somebody publishes who has neither begun the change set nor edited in it. `actor`."""


class ProblemsLeft(StepRefused):
    """The change set would bring new errors into the coverage. `n`, and `problems` for the screen."""


class HeldByEmergency(StepRefused):
    """People are being counted on these grids: publishing waits, drafts go on. `scope`, `exercise`."""


class SetMoved(StepRefused):
    """Somebody else has changed this change set since the screen read it. `revision`, `yours`."""


class Overtaken(StepRefused):
    """Grids that this change set touches were published otherwise in the meantime. `codes`."""


class UnknownChangeSet(OpsError):
    """No change set has this id. `id`."""


class OutsideChangeSet(OpsError):
    """The edit concerns a community that the change set does not name. `community`."""


class NothingToUndo(OpsError):
    """No edit is left to undo, or to do again."""


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """A named set of edits. Times are microseconds since 1970 UTC.

    `position` edits are in force of `length`; the others were undone and can be done again. `editors` are all who have
    an edit in force, the author among them or not.
    """

    id: str
    name: str
    status: Status
    reason: Reason
    note: str
    origin: str
    author: str
    communities: tuple[str, ...]
    revision: int
    position: int
    length: int
    editors: tuple[str, ...]
    created_at: int
    updated_at: int
    submitted_at: int | None = None
    published_at: int | None = None
    reviewer: str = ""
    review_note: str = ""


def require_revision(change_set: ChangeSet, revision: int) -> None:
    """Refuse whoever saw an older state.

    Raises
    ------
    SetMoved
    """
    if revision != change_set.revision:
        raise SetMoved(revision=change_set.revision, yours=revision)


def require_draft(change_set: ChangeSet) -> None:
    """Refuse edits of what is not a draft any more.

    Raises
    ------
    NotADraft
    """
    if change_set.status is not Status.DRAFT:
        raise NotADraft(name=change_set.name, status=change_set.status.value)


def take(change_set: ChangeSet, step: Step, actor: str, note: str, at: int) -> ChangeSet:
    """The change set after a step.

    Parameters
    ----------
    actor : str
        Who takes it. Publishing needs somebody who has not edited: a border is seen by four eyes.
    note : str
        A reviewer's words.
    at : int
        Microseconds since 1970 UTC.

    Raises
    ------
    StepRefused

    Examples
    --------
    >>> draft = ChangeSet("1", "n", Status.DRAFT, Reason.CORRECTION, "", "drawn", "A", (), 3, 1, 1, ("A",), 0, 0)
    >>> review = take(draft, Step.SUBMIT, "A", "", 5)
    >>> review.status.value, review.revision, take(review, Step.PUBLISH, "B", "", 6).reviewer
    ('review', 4, 'B')
    """
    after = _STEPS.get((change_set.status, step))
    if after is None:
        raise StepNotAllowed(status=change_set.status.value, step=step.value)
    if actor in ("", UNNAMED):
        raise NameNeeded()
    if step is Step.SUBMIT and change_set.position == 0:
        raise NothingChanged()
    if step is Step.PUBLISH and actor in {change_set.author, *change_set.editors}:
        raise SecondPersonNeeded(actor=actor)
    changed = replace(change_set, status=after, revision=change_set.revision + 1, updated_at=at)
    if step is Step.SUBMIT:
        return replace(changed, submitted_at=at, reviewer="", review_note="")
    if step is Step.PUBLISH:
        return replace(changed, published_at=at, reviewer=actor, review_note=note)
    if step is Step.RETURN:
        return replace(changed, reviewer=actor, review_note=note)
    return changed


def require_quiet(open_scopes: Collection[tuple[str, str, bool]], communities: Collection[str]) -> None:
    """Refuse to publish while people are counted on these grids.

    Parameters
    ----------
    open_scopes : collection of (name, community, exercise)
        One entry for each community that an open operation covers.
    communities : collection of str
        Of the change set.

    Raises
    ------
    HeldByEmergency

    Notes
    -----
    An exercise holds them back as well: its roll call stands on the frozen grids too.
    """
    held = sorted((exercise, name) for name, community, exercise in open_scopes if community in communities)
    if held:
        exercise, name = held[0]
        raise HeldByEmergency(scope=name, exercise=exercise)

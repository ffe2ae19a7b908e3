"""What changes in the organisation: answers to calls, holders of posts, rules, and whole workbooks."""

from datetime import date
from pathlib import Path

from sqlalchemy import Connection

from pingji.dashboard.context import Context, now_us
from pingji.data import journal
from pingji.data.engine import reading, writing
from pingji.data.notify import notify
from pingji.data.operations import operations_of
from pingji.data.organisation import calls, changes, rules, tree
from pingji.data.organisation import posts as seats
from pingji.data.organisation.changes import Change
from pingji.data.organisation.ground import Ground, load_ground
from pingji.data.organisation.workbook.plan import Plan, carry_out, plan_workbook
from pingji.data.sql import take_turn
from pingji.ops.access import Area, OutsideYourArea
from pingji.ops.organisation import handover
from pingji.ops.organisation.errors import PreviewOutdated, UnknownCall, UnknownDepartment, UnknownPost
from pingji.ops.organisation.handover import Acting
from pingji.ops.organisation.kinds import seat_parts
from pingji.ops.organisation.post import Post, Term
from pingji.ops.organisation.rules import Rules

TOPIC = "organisation"


def answer_call(context: Context, area: Area, post: str, operation: str | None, who: Acting | None, actor: str) -> str:
    """Somebody answers for a post; the operation that it was in.

    Raises
    ------
    OpsError
        OutsideYourArea, UnknownCall, CallClosed, NobodyToActFor.
    """
    with writing(context.engine) as conn:
        ground, chosen = _call(conn, context.county_code, area, post, operation)
        asked = calls.load_call(conn, ground.county, chosen, post)
        at = now_us()
        after = handover.answer(asked.call, at, actor, who)
        if after != asked.call:
            calls.save_call(conn, ground.county, chosen, after)
            detail: dict[str, object] = {"post": post, "acting": after.acting.value}
            _tell(conn, ground, "call_answered", actor, asked, detail, at)
    context.on_change()
    return chosen


def hand_back(context: Context, area: Area, post: str, operation: str | None, actor: str) -> str:
    """The holder of a post takes over from the deputy; the operation that it was in.

    Raises
    ------
    OpsError
        OutsideYourArea, UnknownCall, CallClosed, NothingToHandBack.
    """
    with writing(context.engine) as conn:
        ground, chosen = _call(conn, context.county_code, area, post, operation)
        asked = calls.load_call(conn, ground.county, chosen, post)
        at = now_us()
        calls.save_call(conn, ground.county, chosen, handover.hand_back(asked.call, at, actor))
        _tell(conn, ground, "handed_back", actor, asked, {"post": post}, at)
    context.on_change()
    return chosen


def _call(conn: Connection, county: str, area: Area, post: str, operation: str | None) -> tuple[Ground, str]:
    """The operation that a post is meant in: the open one that asked it, a real one before an exercise."""
    ground = load_ground(conn, county)
    require_unit(conn, ground, area, post)
    if operation:
        return ground, operation
    opened = sorted((o for o in operations_of(conn, county) if o.is_open), key=lambda o: (o.exercise, -o.started_at))
    for one in opened:
        if calls.has_call(conn, county, one.id, post):
            return ground, one.id
    raise UnknownCall(post=post)


def require_unit(conn: Connection, ground: Ground, area: Area, post: str) -> None:
    """A post stands where the caller may act.

    Raises
    ------
    UnknownPost, UnknownUnit
    OutsideYourArea
        Also for posts that there are not, to whoever does not answer for the whole county.
    """
    parts = seat_parts(post)
    if area.whole:
        if parts is None:
            raise UnknownPost(post=post)
        tree.unit_of(conn, ground, parts[0])
        return
    found = tree.find_unit(conn, ground, parts[0]) if parts else None
    if found is None or not area.holds(township=found.township, community=found.community, grid=found.grid):
        raise OutsideYourArea(scope=post)


def _tell(
    conn: Connection,
    ground: Ground,
    action: str,
    actor: str,
    asked: calls.Asked,
    detail: dict[str, object],
    at: int,
) -> None:
    journal.write(
        conn,
        ground.county,
        at=at,
        actor=actor,
        action=action,
        scope=asked.unit,
        operation=asked.operation,
        exercise=asked.exercise,
        detail=detail,
    )
    notify(conn, TOPIC)


def set_post(context: Context, area: Area, code: str, term: Term, actor: str) -> Post:
    """Who holds a post from today on.

    Raises
    ------
    OpsError
        OutsideYourArea, UnknownPost, UnknownUnit, TermBackwards.
    """
    with writing(context.engine) as conn:
        ground = load_ground(conn, context.county_code)
        take_turn(conn, ground.county, alone=True)  # or two at once would leave two holders
        require_unit(conn, ground, area, code)
        before = seats.find(conn, ground, code)
        after = changes.new_post(conn, ground, code, term)
        if term.department and term.department not in {unit.code for unit in tree.departments(conn, ground)}:
            raise UnknownDepartment(department=term.department)
        if before is None or before.term != term:
            changes.apply(conn, ground, [Change(code, before, after)], seats.today(), actor)
            at = now_us()
            detail: dict[str, object] = {"post": code, "vacant": after.vacant}
            journal.write(
                conn, ground.county, at=at, actor=actor, action="post_changed", scope=after.unit, detail=detail
            )
            notify(conn, TOPIC)
    context.on_change()
    return after


def change_rules(context: Context, values: dict[str, int], actor: str) -> Rules:
    """Change numbers of the county's organisation.

    Raises
    ------
    RuleOutOfRange
    """
    with writing(context.engine) as conn:
        county = context.county_code
        after = rules.change_rules(conn, county, values)
        if values:
            detail: dict[str, object] = dict(values)
            journal.write(
                conn, county, at=now_us(), actor=actor, action="organisation_rules", scope=county, detail=detail
            )
            notify(conn, TOPIC)
    context.on_change()
    return after


def preview_import(context: Context, path: Path, day: date | None = None) -> Plan:
    """What a workbook would change; nothing is kept.

    Raises
    ------
    FileError
        What spoils the whole file.
    """
    with reading(context.engine) as conn:
        return plan_workbook(conn, load_ground(conn, context.county_code), path, day or seats.today())


def apply_import(context: Context, path: Path, digest: str | None, actor: str) -> Plan:
    """Carry out what was previewed, all or nothing. Without a digest: whatever the file says now.

    A plan with errors changes nothing: look at its `errors`.

    Raises
    ------
    FileError
    PreviewOutdated
        The file or the organisation is not what was previewed.
    """
    with writing(context.engine) as conn:
        ground = load_ground(conn, context.county_code)
        take_turn(conn, ground.county, alone=True)
        day = seats.today()
        plan = plan_workbook(conn, ground, path, day)
        if digest is not None and plan.digest != digest:
            raise PreviewOutdated()
        if plan.errors:
            return plan
        carry_out(conn, ground, plan, day)
        detail: dict[str, object] = {**plan.counts, "n": len(plan.changes), "file": path.name}
        at = now_us()
        action = "organisation_imported"
        journal.write(conn, ground.county, at=at, actor=actor, action=action, scope=ground.county, detail=detail)
        notify(conn, TOPIC)
    context.on_change()
    return plan

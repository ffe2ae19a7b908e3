"""Calls of posts as stored: who was asked in an operation, and what became of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, select, update

from pingji.data.bulk import insert_rows
from pingji.data.organisation.ground import EVERYWHERE, Ground, Reach, load_ground
from pingji.data.organisation.posts import Which, standing
from pingji.data.organisation.rules import load_rules
from pingji.data.scopes import Scope
from pingji.data.tables import org_call
from pingji.ops.mode import State as ModeState
from pingji.ops.mode import Step
from pingji.ops.organisation import handover
from pingji.ops.organisation.chain import commanding, superior_of
from pingji.ops.organisation.errors import UnknownCall
from pingji.ops.organisation.handover import Acting, Call, State
from pingji.ops.organisation.kinds import LEVELS, Chain, Level, PostKind
from pingji.ops.organisation.post import Post

_TIMES = ("asked_at", "deadline", "answered_at", "answered_by", "handed_over_at", "escalated_at", "handed_back_at")
CALL_COLUMNS = tuple(org_call.c[name] for name in ("post", "state", "acting", "has_deputy", *_TIMES))
_PLACED = ("unit", "kind", "level", "place", "township", "community", "grid", "superior")


@dataclass(frozen=True, slots=True)
class Asked:
    """A call with the post that it went to."""

    call: Call
    operation: str
    exercise: bool
    unit: str
    kind: PostKind
    level: Level
    superior: str


def switched(conn: Connection, scope: Scope, before: ModeState, after: ModeState, step: Step, now: int) -> None:
    """What a press of the one key does to the calls, in its transaction: asks, carries on, or withdraws."""
    county = scope.county
    for dropped in step.drops:
        withdraw(conn, county, dropped)
    if step.closes:
        withdraw(conn, county, before.operation)
    if step.opens:
        for narrower in step.absorbs:
            _carry_on(conn, county, narrower, after.operation)
        ask(conn, load_ground(conn, county), scope, after.operation, exercise=after.exercise, now=now)


def recalled(conn: Connection, county: str, before: ModeState, after: ModeState, now: int) -> None:
    """What taking a press back does to the calls: those it made are withdrawn, those it withdrew are open again."""
    if before.operation and before.operation != after.operation:
        withdraw(conn, county, before.operation)
    if after.operation and after.operation != before.operation:
        _reopen(conn, county, after.operation, now)


def ask(conn: Connection, ground: Ground, scope: Scope, operation: str, *, exercise: bool, now: int) -> int:
    """Ask every post that commands within a scope and was not asked yet; how many they were."""
    reach = ground.reach(EVERYWHERE, scope)
    levels = LEVELS[Chain.EMERGENCY]
    posts = standing(conn, ground, Which(reach, levels=levels, commanding=True))
    seats = commanding(posts, Chain.EMERGENCY)
    c = org_call.c
    asked = set(conn.scalars(select(c.post).where(c.county == ground.county, c.operation == operation)))
    wait = load_rules(conn, ground.county).wait_us
    rows = []
    for post in seats.values():
        if post.code not in asked:
            call = handover.ask(post.code, now, wait, holder=not post.vacant, deputy=bool(post.term.deputy))
            superior = superior_of(post, seats, ground.county)
            rows.append(_row(operation, exercise, post, superior, call))
    if rows:
        insert_rows(conn, org_call, ground.county, {name: [row[name] for row in rows] for name in rows[0]})
    return len(rows)


def _row(operation: str, exercise: bool, post: Post, superior: str, call: Call) -> dict[str, object]:
    placed = {name: str(getattr(post, name)) for name in _PLACED if name != "superior"}
    own = {"operation": operation, "exercise": exercise, "superior": superior}
    return {**own, "post": post.code, **placed, "has_deputy": call.has_deputy, **call_values(call)}


def call_values(call: Call) -> dict[str, object]:
    """The columns of a call that change."""
    return {"state": call.state.value, "acting": call.acting.value} | {name: getattr(call, name) for name in _TIMES}


def call_of(row: Row[Any]) -> Call:
    """A call from a row that begins with `CALL_COLUMNS`."""
    post, state, acting, has_deputy, *times = tuple(row)[: len(CALL_COLUMNS)]
    return Call(post, State(state), Acting(acting), has_deputy, *times)


def withdraw(conn: Connection, county: str, operation: str) -> None:
    """Nobody has to answer in this operation any more."""
    c = org_call.c
    opened = [state.value for state in handover.OPEN]
    where = and_(c.county == county, c.operation == operation, c.state.in_(opened))
    conn.execute(update(org_call).where(where).values(state=State.WITHDRAWN.value, deadline=None))


def _reopen(conn: Connection, county: str, operation: str, now: int) -> None:
    """Who had not answered when the operation ended is asked again from the step that was reached."""
    c = org_call.c
    mine = and_(c.county == county, c.operation == operation, c.state == State.WITHDRAWN.value)
    deadline = now + load_rules(conn, county).wait_us
    steps = (
        (State.ESCALATED, c.escalated_at.is_not(None), None),
        (State.HANDED_OVER, and_(c.escalated_at.is_(None), c.handed_over_at.is_not(None)), deadline),
        (State.ASKED, and_(c.escalated_at.is_(None), c.handed_over_at.is_(None)), deadline),
    )
    for state, where, until in steps:
        conn.execute(update(org_call).where(mine, where).values(state=state.value, deadline=until))


def _carry_on(conn: Connection, county: str, narrower: str, wider: str) -> None:
    """Whoever was asked in an operation that a wider one takes over is asked in that one: answers are kept."""
    c = org_call.c
    conn.execute(update(org_call).where(c.county == county, c.operation == narrower).values(operation=wider))


def load_call(conn: Connection, county: str, operation: str, post: str) -> Asked:
    """One call, locked until the transaction ends: who answers and who hands over take turns.

    Raises
    ------
    UnknownCall
    """
    return _one(conn, county, operation, post, locked=True)


def find_call(conn: Connection, county: str, operation: str, post: str) -> Asked:
    """One call as it stands.

    Raises
    ------
    UnknownCall
    """
    return _one(conn, county, operation, post, locked=False)


def _one(conn: Connection, county: str, operation: str, post: str, *, locked: bool) -> Asked:
    c = org_call.c
    query = _query().where(c.county == county, c.operation == operation, c.post == post)
    row = conn.execute(query.with_for_update() if locked else query).one_or_none()
    if row is None:
        raise UnknownCall(post=post)
    return _asked(row)


def has_call(conn: Connection, county: str, operation: str, post: str) -> bool:
    """Whether a post was asked in an operation."""
    c = org_call.c
    query = select(c.post).where(c.county == county, c.operation == operation, c.post == post)
    return conn.scalars(query).first() is not None


def save_call(conn: Connection, county: str, operation: str, call: Call) -> None:
    """Keep what became of a call."""
    c = org_call.c
    where = and_(c.county == county, c.operation == operation, c.post == call.post)
    conn.execute(update(org_call).where(where).values(call_values(call)))


def calls_of(
    conn: Connection, county: str, operation: str, reach: Reach, state: State | None, limit: int, offset: int
) -> list[Asked]:
    """Calls of an operation, those that need somebody first."""
    c = org_call.c
    where = _within(conn, county, operation, reach)
    if state is not None:
        where = and_(where, c.state == state.value)
    rows = [_asked(row) for row in conn.execute(_query().where(where))]
    return sorted(rows, key=_urgency)[offset : offset + limit]


def _urgency(asked: Asked) -> tuple[int, int, str]:
    order = (State.ESCALATED, State.HANDED_OVER, State.ASKED, State.ANSWERED, State.WITHDRAWN)
    levels = tuple(Level)
    return order.index(asked.call.state), levels.index(asked.level), asked.call.post


def counts_of(conn: Connection, county: str, operation: str, reach: Reach) -> dict[str, dict[str, int]]:
    """How many calls are in which state, by level."""
    c = org_call.c
    query = select(c.level, c.state, func.count()).where(_within(conn, county, operation, reach))
    found: dict[str, dict[str, int]] = {}
    for level, state, n in conn.execute(query.group_by(c.level, c.state)):
        found.setdefault(level, {})[state] = n
    return found


def escalated_by_superior(conn: Connection, county: str, operation: str, reach: Reach) -> list[tuple[str, int]]:
    """The posts that have a list of who does not answer, and how long it is."""
    c = org_call.c
    query = select(c.superior, func.count()).where(
        _within(conn, county, operation, reach), c.state == State.ESCALATED.value
    )
    return [(superior, n) for superior, n in conn.execute(query.group_by(c.superior).order_by(func.count().desc()))]


def _query() -> Any:
    c = org_call.c
    return select(*CALL_COLUMNS, c.operation, c.exercise, c.unit, c.kind, c.level, c.superior)


def _within(conn: Connection, county: str, operation: str, reach: Reach) -> ColumnElement[bool]:
    c = org_call.c
    return and_(c.county == county, c.operation == operation, reach.where(conn, org_call))


def _asked(row: Row[Any]) -> Asked:
    operation, exercise, unit, kind, level, superior = tuple(row)[len(CALL_COLUMNS) :]
    return Asked(call_of(row), operation, exercise, unit, PostKind(kind), Level(level), superior)


def posts_of(conn: Connection, ground: Ground, codes: Iterable[str]) -> dict[str, Post]:
    """Posts by their codes, as they stand."""
    wanted = set(codes)
    units: Sequence[str] = sorted({code.rsplit(":", 2)[0] for code in wanted})
    if not units:
        return {}
    found = standing(conn, ground, Which(Reach(True), units=units))
    return {post.code: post for post in found if post.code in wanted}

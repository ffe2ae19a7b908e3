"""Automatic hand-over: whatever is due, done once, by whichever process comes first."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, tuple_, update

from pingji.data import journal
from pingji.data.notify import notify
from pingji.data.organisation.calls import CALL_COLUMNS, call_of, call_values
from pingji.data.organisation.rules import load_rules
from pingji.data.tables import operation, org_call
from pingji.ops.organisation.handover import Call, State, due

ACTION = "handed_over"
_NAMED = 20  # posts that an entry of the journal names
_AT_ONCE = 500  # rows of one statement


@dataclass(frozen=True, slots=True)
class Done:
    """How many posts went to their deputies, and how many to their superiors' lists."""

    handed_over: int = 0
    escalated: int = 0

    @property
    def nothing(self) -> bool:
        """Whether nothing was due."""
        return not (self.handed_over or self.escalated)


def hand_over_due(conn: Connection, county: str, now: int) -> Done:
    """Do whatever is due at `now` (microseconds since 1970 UTC) in the caller's transaction.

    Any number of processes may do this as often as they like: a call takes its next step only where it still is where
    it was read, so the second to come does nothing.
    """
    c = org_call.c
    where = (c.county == county, c.deadline <= now)
    columns: Any = (*CALL_COLUMNS, c.operation, c.exercise)
    rows = conn.execute(select(*columns).where(*where).order_by(c.operation, c.post)).all()
    if not rows:
        return Done()
    wait = load_rules(conn, county).wait_us
    steps: dict[tuple[State, State], list[tuple[str, Call]]] = defaultdict(list)
    exercises = {row.operation: row.exercise for row in rows}
    for row in rows:
        call = call_of(row)
        after = due(call, now, wait)
        steps[call.state, after.state].append((row.operation, after))
    done: dict[str, dict[State, list[str]]] = defaultdict(lambda: defaultdict(list))
    for (before, after_state), calls in sorted(steps.items()):
        for start in range(0, len(calls), _AT_ONCE):
            for op, post in _take(conn, county, before, calls[start : start + _AT_ONCE], now):
                done[op][after_state].append(post)
    for op, by_state in sorted(done.items()):
        _tell(conn, county, op, by_state, exercises[op], now)
    if done:
        notify(conn, "organisation")
    return Done(
        sum(len(by[State.HANDED_OVER]) for by in done.values()), sum(len(by[State.ESCALATED]) for by in done.values())
    )


def _take(
    conn: Connection, county: str, before: State, calls: list[tuple[str, Call]], now: int
) -> list[tuple[str, str]]:
    """Take one step of several calls that are alike; those that somebody else has moved meanwhile stay as they are."""
    c = org_call.c
    values = call_values(calls[0][1])
    changed = {name: values[name] for name in ("state", "acting", "deadline")}
    stamp = "handed_over_at" if calls[0][1].state is State.HANDED_OVER else "escalated_at"
    statement = (
        update(org_call)
        .where(c.county == county, c.state == before.value, c.deadline <= now)
        .where(tuple_(c.operation, c.post).in_([(op, call.post) for op, call in calls]))
        .values({**changed, stamp: now})
        .returning(c.operation, c.post)
    )
    return [(row.operation, row.post) for row in conn.execute(statement)]


def _tell(conn: Connection, county: str, op: str, by_state: dict[State, list[str]], exercise: bool, now: int) -> None:
    """One entry in the journal, so that a night's hundred hand-overs can still be read."""
    scope = conn.scalars(select(operation.c.scope).where(operation.c.county == county, operation.c.id == op)).first()
    handed, escalated = sorted(by_state[State.HANDED_OVER]), sorted(by_state[State.ESCALATED])
    detail = {"n": len(handed) or len(escalated), "escalated": len(escalated), "posts": (handed + escalated)[:_NAMED]}
    journal.write(
        conn,
        county,
        at=now,
        actor="",
        action=ACTION if handed else "escalated",
        scope=scope or "",
        operation=op,
        exercise=exercise,
        detail=detail,
    )

"""The mode of each scope as stored, and the presses that brought it there."""

from sqlalchemy import Connection, insert, select, update

from pingji.data.operations import CLOSED, DROPPED, RECALLED, absorb, end_operation, open_operation
from pingji.data.scopes import COMMUNITY, Scope, find_scope, scopes_of
from pingji.data.sql import take_turn, upsert
from pingji.data.tables import mode, operation, press
from pingji.data.tables import movement as log
from pingji.ops.mode import (
    AlreadyCounting,
    Mode,
    Neighbour,
    NobodyToCount,
    NoSuchPress,
    NotTheLatestPress,
    Press,
    PressIdReused,
    State,
    Step,
)


def go_alone(conn: Connection, county: str) -> None:
    """Before anything about the mode is read in order to change it: nobody switches, recalls or counts meanwhile."""
    take_turn(conn, county, alone=True)


def load_states(conn: Connection, county: str) -> dict[str, State]:
    """The mode of every scope that was ever switched, by code."""
    c = mode.c
    query = select(c.scope, c.mode, c.level, c.exercise, c.operation, c.since, c.press_id).where(c.county == county)
    return {scope: State(Mode(m), *rest) for scope, m, *rest in conn.execute(query)}


def neighbours(conn: Connection, scope: Scope, states: dict[str, State]) -> tuple[Neighbour, ...]:
    """Open operations of scopes above and below."""
    others = {s.code: s for s in scopes_of(conn, scope.county)}
    found = []
    for code, state in sorted(states.items()):
        other = others.get(code)
        if other is None or not state.is_open or code == scope.code:
            continue
        if other.contains(scope) or scope.contains(other):
            found.append(Neighbour(state.operation, state.exercise, wider=other.contains(scope)))
    return tuple(found)


def earlier_press(conn: Connection, county: str, asked: Press) -> State | None:
    """What the same press came to before, or None where it is new.

    Raises
    ------
    PressIdReused
        Where the id came with another request.
    """
    row = conn.execute(
        select(press.c.request, press.c.after).where(press.c.county == county, press.c.press_id == asked.press_id)
    ).one_or_none()
    if row is None:
        return None
    if row.request != _request(asked):
        raise PressIdReused(press_id=asked.press_id)
    return _state(row.after)


def save_press(
    conn: Connection, scope: Scope, asked: Press, before: State, step: Step, actor: str, operation_id: str, now: int
) -> State:
    """Carry out a step and remember the press; all in the caller's transaction.

    Raises
    ------
    NobodyToCount
        Where an operation would open without a denominator.
    """
    if step.opens and open_operation(conn, scope, operation_id, asked.exercise, now) == 0:
        raise NobodyToCount(scope=scope.name)
    _end(conn, scope.county, step.drops, DROPPED, now)
    for narrower in step.absorbs:
        absorb(conn, scope.county, narrower, operation_id, now)
        _to_routine(conn, scope.county, narrower, now, asked.press_id)
    if step.closes:
        end_operation(conn, scope.county, before.operation, CLOSED, now)
    after = State(
        mode=asked.to,
        level=asked.level if asked.to is Mode.EMERGENCY else None,
        exercise=asked.exercise and asked.to is not Mode.ROUTINE,
        operation=operation_id if step.opens else "" if step.closes else before.operation,
        since=now,
        press_id=asked.press_id,
    )
    _save_state(conn, scope.county, scope.code, after)
    row = {
        "county": scope.county,
        "press_id": asked.press_id,
        "scope": scope.code,
        "actor": actor,
        "reason": asked.reason,
        "at": now,
        "request": _request(asked),
        "before": _plain(before),
        "after": _plain(after) | {"absorbed": list(step.absorbs), "dropped": list(step.drops)},
    }
    conn.execute(insert(press), row)
    return after


def recall_press(conn: Connection, county: str, press_id: str, now: int) -> tuple[str, State, State]:
    """Take the latest press of a scope back: (scope, mode before the recall, mode after it). Needs `go_alone`.

    Raises
    ------
    RecallRefused
        Where there is no such press, another built on it, or people have been counted since.
    """
    c = press.c
    row = conn.execute(select(press).where(c.county == county, c.press_id == press_id)).one_or_none()
    if row is None:
        raise NoSuchPress(press_id=press_id)
    present = load_states(conn, county)[row.scope]
    before, after = _state(row.before), _state(row.after)
    if row.recalled_at is not None:
        return row.scope, present, present
    if present.press_id != press_id or row.after.get("absorbed") or row.after.get("dropped"):
        raise NotTheLatestPress(press_id=press_id)
    if after.operation != before.operation and after.operation:
        _refuse_if_counting(conn, county, after.operation)
        end_operation(conn, county, after.operation, RECALLED, now)
    if before.operation and not after.operation:
        if neighbours(conn, _scope_of(conn, county, row.scope), load_states(conn, county)):
            # Opened again under (or above) what was opened since, everybody in it would be counted twice.
            raise NotTheLatestPress(press_id=press_id)
        o = operation.c
        reopen = update(operation).where(o.county == county, o.id == before.operation)
        conn.execute(reopen.values(ended_at=None, fate=""))
    _save_state(conn, county, row.scope, before)
    conn.execute(update(press).where(c.county == county, c.press_id == press_id).values(recalled_at=now))
    return row.scope, after, before


def scope_of_press(conn: Connection, county: str, press_id: str) -> str:
    """The scope that a press was for.

    Raises
    ------
    NoSuchPress
    """
    query = select(press.c.scope).where(press.c.county == county, press.c.press_id == press_id)
    scope = conn.scalars(query).one_or_none()
    if scope is None:
        raise NoSuchPress(press_id=press_id)
    return str(scope)


def _scope_of(conn: Connection, county: str, code: str) -> Scope:
    return find_scope(conn, county, code) or Scope(county, code, COMMUNITY, code)


def _refuse_if_counting(conn: Connection, county: str, operation_id: str) -> None:
    query = select(log.c.id).where(log.c.county == county, log.c.operation == operation_id).limit(1)
    if conn.scalars(query).first() is not None:
        raise AlreadyCounting()


def _end(conn: Connection, county: str, operations: tuple[str, ...], fate: str, now: int) -> None:
    for operation_id in operations:
        end_operation(conn, county, operation_id, fate, now)
        _to_routine(conn, county, operation_id, now, "")


def _to_routine(conn: Connection, county: str, operation_id: str, now: int, press_id: str) -> None:
    """The scope whose operation ended is under the wider one now; by itself it is in routine."""
    c = mode.c
    values = {"mode": Mode.ROUTINE.value, "level": None, "exercise": False, "operation": "", "since": now}
    conn.execute(
        update(mode).where(c.county == county, c.operation == operation_id).values({**values, "press_id": press_id})
    )


def _save_state(conn: Connection, county: str, scope: str, state: State) -> None:
    statement = upsert(conn, mode)
    values = {**_plain(state), "county": county, "scope": scope}
    replaced = {name: statement.excluded[name] for name in _plain(state)}
    keys = [mode.c.county, mode.c.scope]
    conn.execute(statement.on_conflict_do_update(index_elements=keys, set_=replaced), [values])


def _plain(state: State) -> dict[str, object]:
    return {
        "mode": state.mode.value,
        "level": state.level,
        "exercise": state.exercise,
        "operation": state.operation,
        "since": state.since,
        "press_id": state.press_id,
    }


def _state(stored: dict[str, object]) -> State:
    names = ("level", "exercise", "operation", "since", "press_id")
    return State(Mode(str(stored["mode"])), **{name: stored[name] for name in names})  # type: ignore[arg-type]


def _request(asked: Press) -> dict[str, object]:
    return {
        "scope": asked.scope,
        "to": asked.to.value,
        "level": asked.level,
        "exercise": asked.exercise,
        "reason": asked.reason,
    }

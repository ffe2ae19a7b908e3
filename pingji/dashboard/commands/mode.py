"""The mode of scopes and the state of places: what a duty officer decides."""

import uuid

from pingji.dashboard.context import Context, now_us
from pingji.data import journal, modes
from pingji.data.engine import writing
from pingji.data.notify import notify
from pingji.data.operations import operations_of
from pingji.data.organisation import calls
from pingji.data.places import Place, places_named
from pingji.data.scopes import SWITCHABLE, find_scope
from pingji.data.situation import set_status
from pingji.ops.access import Area, OutsideYourArea
from pingji.ops.errors import OpsError
from pingji.ops.mode import Mode, Press, State, UnknownScope, decide

PLACE_STATUS = {
    "transfer_point": ("closed", "opening", "open", "diverting", "closing", "compromised"),
    "shelter": ("closed", "activated", "accepting", "transferring_out", "restored", "fault"),
}


class UnknownPlace(OpsError):
    """No transfer point or shelter has that code."""


class StatusNotAllowed(OpsError):
    """The kind of place knows no such state."""


class NothingOpen(OpsError):
    """No operation is open: places have states only while people are counted."""


def switch_mode(context: Context, press: Press, actor: str) -> tuple[State, bool]:
    """Press the one key. Returns the scope's state and whether this press did it (False: it had been done before).

    Everything that the press changes is one transaction: all of it, or none.

    Raises
    ------
    UnknownScope
    PressRefused
        With the reason, where the state does not allow it.
    """
    county = context.county.code
    with writing(context.engine) as conn:
        modes.go_alone(conn, county)
        done = modes.earlier_press(conn, county, press)
        if done is not None:
            return done, False
        scope = find_scope(conn, county, press.scope)
        if scope is None or scope.level not in SWITCHABLE:
            raise UnknownScope(scope=press.scope)
        states = modes.load_states(conn, county)
        before = states.get(scope.code, State())
        step = decide(before, press, modes.neighbours(conn, scope, states))
        at = now_us()
        after = modes.save_press(conn, scope, press, before, step, actor, str(uuid.uuid4()), at)
        calls.switched(conn, scope, before, after, step, at)
        detail = {"from": before.mode.value, "to": after.mode.value, "level": after.level, "reason": press.reason}
        journal.write(
            conn,
            county,
            at=at,
            actor=actor,
            action="press",
            scope=scope.code,
            operation=after.operation or before.operation,
            exercise=before.exercise if press.to is Mode.ROUTINE else press.exercise,
            detail={**detail, "scope_name": scope.name, "press_id": press.press_id},
        )
        notify(conn, "mode")
    context.on_change()
    return after, True


def recall(context: Context, press_id: str, reason: str, actor: str) -> State:
    """Take the latest press of its scope back.

    Raises
    ------
    RecallRefused
        With the reason.
    """
    county = context.county.code
    with writing(context.engine) as conn:
        modes.go_alone(conn, county)
        at = now_us()
        scope, before, after = modes.recall_press(conn, county, press_id, at)
        if before != after:
            calls.recalled(conn, county, before, after, at)
            detail = {"from": before.mode.value, "to": after.mode.value, "reason": reason, "press_id": press_id}
            found = find_scope(conn, county, scope)
            journal.write(
                conn,
                county,
                at=at,
                actor=actor,
                action="recall",
                scope=scope,
                operation=before.operation,
                exercise=before.exercise,
                detail={**detail, "scope_name": found.name if found else scope},
            )
        notify(conn, "mode")
    context.on_change()
    return after


def set_place_status(context: Context, area: Area, code: str, status: str, reason: str, actor: str) -> None:
    """Open, divert or close a place of an area in the open operations that have it.

    Raises
    ------
    OpsError
        OutsideYourArea, UnknownPlace, StatusNotAllowed or NothingOpen.
    """
    county = context.county.code
    with writing(context.engine) as conn:
        place = places_named(conn, county, [code]).get(code)
        if not area.whole and (place is None or not _lies_in(place, area)):
            raise OutsideYourArea(scope=code)
        if place is None:
            raise UnknownPlace(place=code)
        if status not in PLACE_STATUS[place.kind]:
            raise StatusNotAllowed(place=place.name, status=status, allowed=", ".join(PLACE_STATUS[place.kind]))
        open_now = [o for o in operations_of(conn, county) if o.is_open]
        if not set_status(conn, county, [o.id for o in open_now], place, status):
            raise NothingOpen(place=place.name)
        journal.write(
            conn,
            county,
            at=now_us(),
            actor=actor,
            action="status",
            scope=code,
            exercise=all(o.exercise for o in open_now),
            detail={"name": place.name, "status": status, "reason": reason},
        )
        notify(conn, "status")
    context.on_change()


def _lies_in(place: Place, area: Area) -> bool:
    return area.holds(township=place.township, community=place.community, places=[place.code])

"""The one read door: what screens and the API show, as plain values ready for JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection

from pingji.data import journal, situation
from pingji.data.areas import holds
from pingji.data.grids.news import latest_publication, open_sets
from pingji.data.modes import load_states
from pingji.data.operations import Operation, operations_of
from pingji.data.people import people_of
from pingji.data.places import Place, places_of
from pingji.data.routine import routine_figures
from pingji.data.scopes import COMMUNITY, COUNTY, SWITCHABLE, Scope, find_scope, scopes_of
from pingji.data.sheets import Balance, balance_of, sheets_below
from pingji.data.situation import PlaceState
from pingji.layers.masking import mask_name
from pingji.ops.access import Area
from pingji.ops.balance import Sheet
from pingji.ops.mode import Mode, State, UnknownScope, gravest, reachable
from pingji.ops.position import Position

MINUTE_US = 60_000_000
MAX_STEPS = 180  # points of the arrivals curve
EVENTS = 12
JOURNAL_LOOKED_THROUGH = 1_000  # entries among which those of a part of the county are looked for
NEAR_FULL, FULL = 0.80, 0.95

Figures = dict[str, object]


@dataclass(frozen=True)
class Now:
    """The modes and the operations whose figures count at one moment; never a real and an exercise together."""

    county: Scope
    at: int
    states: Mapping[str, State]
    operations: Sequence[Operation]

    @property
    def exercise(self) -> bool:
        """Whether the figures are of an exercise."""
        return bool(self.operations) and all(o.exercise for o in self.operations)

    @property
    def recovering(self) -> list[str]:
        """Ids of operations in recovery."""
        return [s.operation for s in self.states.values() if s.mode is Mode.RECOVERY]

    @property
    def ids(self) -> list[str]:
        """Ids of the operations."""
        return [o.id for o in self.operations]


def look(conn: Connection, county: Scope, at: int) -> Now:
    """What is open now; a real emergency hides every exercise."""
    open_now = [o for o in operations_of(conn, county.code) if o.is_open]
    real = [o for o in open_now if not o.exercise]
    return Now(county, at, load_states(conn, county.code), real or open_now)


def iso(at_us: int) -> str:
    """A stored time as ISO 8601 in UTC."""
    return datetime.fromtimestamp(at_us / 1_000_000, UTC).isoformat(timespec="milliseconds")


def balance(conn: Connection, county: Scope, scope: Scope, at: int) -> Figures:
    """The balance sheet of a scope."""
    now = look(conn, county, at)
    found = balance_of(conn, scope, now.operations, now.recovering)
    return {
        "scope": scope.code,
        "name": scope.name,
        "level": scope.level,
        "as_of": iso(at),
        "exercise": now.exercise,
        "open": bool(now.operations),
        "persons": _whole_sheet(found.persons),
        "households": _whole_sheet(found.households),
        "cumulative": _ever(found),
    }


def _whole_sheet(sheet: Sheet) -> Figures:
    return {
        "expected": sheet.expected,
        "accounted": {position.value: n for position, n in sheet.accounted.items()},
        "remainder": {position.value: n for position, n in sheet.remainder.items()},
        "accounted_total": sheet.accounted_total,
        "remainder_total": sheet.remainder_total,
        "off_plan": sheet.off_plan,
        "returned_home": sheet.returned_home,
    }


def _ever(found: Balance) -> Figures:
    return {position.value: found.ever.get(position, 0) for position in Position}


def places(conn: Connection, county: Scope, at: int) -> list[Figures]:
    """Every transfer point and shelter with its two counts."""
    now = look(conn, county, at)
    states = situation.place_states(conn, county.code, now.ids, at // MINUTE_US)
    return [
        {"code": code, **place_figures(place, states.get(code))}
        for code, place in sorted(places_of(conn, county.code).items())
    ]


def place_figures(place: Place, state: PlaceState | None) -> Figures:
    """A place as screens show it; closed and empty where no operation opened it."""
    if state is None:
        state = PlaceState("", place.code, place.kind, "closed", place.capacity, 0, 0, 0, 0)
    present = max(state.roster, state.clicker)
    rate = max(state.roster_rate, state.clicker_rate)
    room = state.capacity - present
    return {
        "kind": place.kind,
        "name": place.name,
        "township": place.township,
        "community": place.community,
        "status": _status(state, present),
        "capacity": state.capacity,
        "expected": state.expected,
        "roster": state.roster,
        "clicker": state.clicker,
        "difference": state.clicker - state.roster,
        "present": present,
        "arrived": state.arrived,
        "per_10min": rate,
        "full_in_min": round(room * situation.RATE_MINUTES / rate) if rate > 0 and room > 0 else None,
        "contact": place.contact,
        "phone": place.phone,
    }


def _status(state: PlaceState, present: int) -> str:
    """What somebody set, unless it says "open" and the counts know better."""
    if state.status not in ("open", "accepting") or state.capacity <= 0:
        return state.status
    fill = present / state.capacity
    if fill >= FULL:
        return "full" if state.kind == "transfer_point" else "saturated"
    return "near_full" if fill >= NEAR_FULL else state.status


def mode_figures(conn: Connection, county: Scope) -> Figures:
    """The gravest mode of the county and every scope that is not in routine."""
    active = {code: s for code, s in load_states(conn, county.code).items() if s.mode is not Mode.ROUTINE}
    scopes = {county.code: county} | {code: find_scope(conn, county.code, code) for code in active}
    names = {code: scope.name for code, scope in scopes.items() if scope}
    shown = gravest(list(active.values()))
    code = next((c for c, s in active.items() if s is shown), county.code)
    return {
        **_mode(code, names.get(code, code), shown),
        "scopes": [_mode(c, names.get(c, c), s) for c, s in sorted(active.items())],
    }


def _mode(code: str, name: str, state: State) -> Figures:
    return {
        "scope": code,
        "scope_name": name,
        "mode": state.mode.value,
        "level": state.level,
        "exercise": state.exercise,
        "since": state.since // 1000,
        "press_id": state.press_id,
    }


def situation_figures(conn: Connection, county: Scope, at: int, target_min: int) -> Figures:
    """Everything that a live screen shows, key → value, as `docs/live.md` describes it; without `routine`."""
    now = look(conn, county, at)
    figures: Figures = {"mode": mode_figures(conn, county)}
    states = situation.place_states(conn, county.code, now.ids, at // MINUTE_US)
    places_now = places_of(conn, county.code)
    for code, place in places_now.items():
        figures[f"place/{code}"] = place_figures(place, states.get(code))
    figures["events"] = _events(conn, county, now, places_now)
    figures |= grid_news(conn, county)
    if now.operations:
        figures |= _sheets(conn, county, now)
        figures["arrivals"] = _arrivals(conn, county, now, figures, target_min)
    return figures


def grid_news(conn: Connection, county: Scope) -> Figures:
    """What maps and the workbench hear of grids: the latest publication, and the change sets under way."""
    latest = latest_publication(conn, county.code)
    return {
        "grids": {
            "version": latest.version,
            "at": None if latest.at is None else latest.at // 1000,
            "communities": list(latest.communities),
            "set": latest.set,
        },
        "drafts": [
            {**draft, "updated_at": int(str(draft["updated_at"])) // 1000} for draft in open_sets(conn, county.code)
        ],
    }


def _sheets(conn: Connection, county: Scope, now: Now) -> Figures:
    whole = balance_of(conn, county, now.operations, now.recovering)
    head = _short_sheet(COUNTY, county.name, whole.persons)
    head["households"] = _totals(whole.households)
    head["cumulative"] = _ever(whole)
    figures: Figures = {f"sheet/{county.code}": head}
    below = sheets_below(conn, county.code, now.operations, now.recovering)
    for scope in scopes_of(conn, county.code):
        if (found := below.get((scope.level, scope.code))) is not None:
            sheet = _short_sheet(scope.level, scope.name, found)
            figures[f"sheet/{scope.code}"] = {**sheet, "township": scope.township}
    return figures


def _totals(sheet: Sheet) -> Figures:
    return {"expected": sheet.expected, "accounted": sheet.accounted_total, "remainder": sheet.remainder_total}


def _short_sheet(level: str, name: str, sheet: Sheet) -> Figures:
    parts = {position.value: n for side in (sheet.accounted, sheet.remainder) for position, n in side.items()}
    return {"level": level, "name": name, **_totals(sheet), "off_plan": sheet.off_plan, "parts": parts}


def _arrivals(conn: Connection, county: Scope, now: Now, figures: Figures, target_min: int) -> Figures:
    """Persons who have arrived somewhere, against a straight line to everybody within the target time."""
    start = min(o.started_at for o in now.operations) // MINUTE_US
    minutes = max(now.at // MINUTE_US - start, 0) + 1
    step = next(s for s in (1, 2, 5, 10, 15, 30, 60, 120, 240, 1440, 10_080, 10**9) if minutes / s <= MAX_STEPS)
    by_minute = situation.first_arrivals(conn, county.code, now.ids)
    actual = [0] * (minutes // step + 1)
    for minute, n in by_minute.items():
        actual[min(max((minute - start) // step, 0), len(actual) - 1)] += n
    for i in range(1, len(actual)):
        actual[i] += actual[i - 1]
    head = figures[f"sheet/{county.code}"]
    assert isinstance(head, dict)
    expected = int(head["expected"])
    span = max(len(actual), target_min // step + 1)
    needed = [min(expected, round(expected * i * step / target_min)) for i in range(span)]
    return {"start": start * 60_000, "step_min": step, "actual": actual, "needed": needed}


def _events(conn: Connection, county: Scope, now: Now, places_now: Mapping[str, Place]) -> list[Figures]:
    events: list[Figures] = [
        {"at": minute * 60_000, "kind": "arrivals", "scope": code, "name": places_now[code].name, "n": n}
        for minute, code, n in situation.latest_arrivals(conn, county.code, now.ids, EVENTS)
        if code in places_now
    ]
    for entry in journal.latest(conn, county.code, EVENTS):
        name = str(entry.detail.get("scope_name") or entry.detail.get("name") or entry.scope)
        event = {"at": entry.at // 1000, "kind": entry.action, "scope": entry.scope, "name": name, "n": 0}
        event["exercise"] = entry.exercise
        events.append({**event, "detail": entry.detail})
    return sorted(events, key=lambda e: int(str(e["at"])), reverse=True)[:EVENTS]


def routine(conn: Connection, county: Scope) -> Figures:
    """The figures of quiet times."""
    return dict(routine_figures(conn, county.code))


def mode_of_state(scope: str, name: str, state: State) -> Figures:
    """The mode of a scope as screens show it."""
    return _mode(scope, name, state)


def modes(conn: Connection, county: Scope, code: str | None) -> Figures:
    """The mode of one scope, what it may become, and every scope that is not in routine.

    Raises
    ------
    UnknownScope
        Where no scope has the code.
    """
    scope = find_scope(conn, county.code, code) if code else county
    if scope is None:
        raise UnknownScope(scope=code)
    state = load_states(conn, county.code).get(scope.code, State())
    allowed = [to.value for to in Mode if to in reachable(state.mode)]
    around = mode_figures(conn, county)
    return {**_mode(scope.code, scope.name, state), "allowed": allowed, "scopes": around["scopes"]}


def people(conn: Connection, county: Scope, households: Sequence[str]) -> list[Figures]:
    """The people of some households (or institutions): ids to count them by, and masked names."""
    found = people_of(conn, county.code, households, look(conn, county, 0).ids)
    return [
        {
            "id": p.id,
            "household": p.household,
            "name": mask_name(p.name),
            "vulnerability": p.vulnerability,
            "position": p.position,
            "place": p.place,
        }
        for p in found
    ]


def journal_entries(conn: Connection, county: Scope, area: Area, limit: int) -> list[Figures]:
    """Who decided what in an area, and for the whole county, newest first."""
    known = {} if area.whole else placement(conn, county)
    return [
        {
            "id": e.id,
            "at": e.at // 1000,
            "actor": e.actor,
            "action": e.action,
            "scope": e.scope,
            "scope_name": e.detail.get("scope_name") or e.detail.get("name") or e.scope,
            "exercise": e.exercise,
            "detail": e.detail,
        }
        for e in journal.latest(conn, county.code, limit if area.whole else JOURNAL_LOOKED_THROUGH)
        if area.whole or decided_for(e.scope, area, known)
    ][:limit]


def placement(conn: Connection, county: Scope) -> dict[str, Scope]:
    """Every scope by its code: where the figures of a key belong."""
    return {scope.code: scope for scope in scopes_of(conn, county.code)}


def decided_for(code: str, area: Area, known: Mapping[str, Scope]) -> bool:
    """Whether what has this scope concerns an area: it lies there, or it is the whole county's."""
    scope = known.get(code)
    if scope is None:
        return code in area.places
    return scope.level == COUNTY or holds(area, scope)


def switchable(conn: Connection, county: Scope, area: Area) -> list[Figures]:
    """The scopes of an area that the key can switch, widest first."""
    return [
        {"code": s.code, "level": s.level, "name": s.name, "parent": s.township if s.level == COMMUNITY else ""}
        for s in scopes_of(conn, county.code)
        if s.level in SWITCHABLE and (area.whole or holds(area, s))
    ]

"""What the wall and anything else public may show: few figures, and none from which one to four people follow.

Only what is named here goes out. The rule for counts is `pingji.ops.disclosure`; `docs/adr/0008-disclosure.md` says
what it withstands and what it doesn't claim.
"""

from collections.abc import Mapping
from typing import Any

from pingji.ops.disclosure import BASE, SMALL, Cell, Told, coarse, told

SEVERAL = BASE  # arrivals at one place in one minute that are worth an event
NOT_TOLD = "—"  # never a zero, and never nothing at all: a screen that reckons with it must not see a cleared zone
ROUND_MIN = 5

_WHOLE_KEYS = frozenset({"county", "routine", "arrivals", "grids"})  # of the whole county, and it names nobody
_COUNTY = ("level", "name", "expected", "accounted", "remainder", "off_plan", "households")
_PARTS = ("not_reached", "notified", "in_transit", "refused", "unlocated", "returned")  # of the remainder
_MODE = frozenset({"scope", "scope_name", "mode", "level", "exercise", "since"})
_EVENTS = frozenset({"press", "recall", "status", "import", "publish"})
_DETAIL = frozenset({"to", "status", "level", "layer"})
_BY_COUNTS = frozenset({"open", "near_full", "full", "accepting", "saturated"})  # where counts speak too

# What a layer says of people; a public map gets their classes.
PEOPLE = frozenset(
    {"household_count", "resident_count", "head_count", "immobile_count", "registered", "residents", "present"}
)


def public_figures(figures: Mapping[str, object], county: str) -> dict[str, object]:
    """The figures that a public screen gets.

    The county's own sheet stays exact: three people not yet found in a whole county must be seen as three, and name
    nobody. Townships and zones show their remainder and what was expected in classes, places their counts; everything
    else below the county stays inside, as does every key that is not named here.
    """
    shown: dict[str, object] = {}
    for key, value in figures.items():
        if key in _WHOLE_KEYS:
            shown[key] = value
        elif key == "mode" and isinstance(value, Mapping):
            shown[key] = _mode(value)
        elif key == "events" and isinstance(value, list):
            shown[key] = [event for one in value if (event := _event(one)) is not None]
        elif key.startswith("place/") and isinstance(value, Mapping):
            shown[key] = _place(value)
    return shown | _sheets(figures, f"sheet/{county}")


def public_properties(properties: Mapping[str, object]) -> dict[str, object]:
    """The properties of a feature on a public map: counts of people in classes.

    >>> public_properties({"name": "Z", "resident_count": 3, "capacity": 40})
    {'name': 'Z', 'resident_count': '0–9', 'capacity': 40}
    """
    return {name: _class(value) if name in PEOPLE else value for name, value in properties.items()}


def _class(n: object) -> object:
    return coarse(max(n, 0)).told if isinstance(n, int) else n


# ── Sheets ──────────────────────────────────────────────────────────────────


def _sheets(figures: Mapping[str, object], county: str) -> dict[str, object]:
    head = figures.get(county)
    if not isinstance(head, Mapping):
        return {}
    townships, zones = _cells(figures, "township"), _cells(figures, "zone")
    inside = {key: f"sheet/{_text(figures[key], 'township')}" for key in zones}
    cells = told(_cell(head), townships, zones, inside)
    return {county: _county(head), **{key: _told(figures[key], cell) for key, cell in cells.items()}}


def _cells(figures: Mapping[str, object], level: str) -> dict[str, Cell]:
    return {
        key: _cell(sheet)
        for key, sheet in figures.items()
        if key.startswith("sheet/") and isinstance(sheet, Mapping) and sheet.get("level") == level
    }


def _cell(sheet: Mapping[str, Any]) -> Cell:
    return Cell(int(sheet["expected"]), int(sheet["remainder"]))


def _text(value: object, name: str) -> str:
    return str(value.get(name, "")) if isinstance(value, Mapping) else ""


def _county(sheet: Mapping[str, Any]) -> dict[str, object]:
    """The head of the wall; of the ways of being accounted for only their sum: places are shown by themselves."""
    parts = {part: sheet["parts"][part] for part in _PARTS if part in sheet["parts"]}
    return {name: sheet[name] for name in _COUNTY if name in sheet} | {"parts": parts}


def _told(sheet: object, cell: Told) -> dict[str, object]:
    return {
        "level": _text(sheet, "level"),
        "name": _text(sheet, "name"),
        "expected": NOT_TOLD if cell.expected is None else cell.expected.told,
        "remainder": NOT_TOLD if cell.remainder is None else cell.remainder.told,
    }


# ── Places, events, modes ───────────────────────────────────────────────────


def _place(place: Mapping[str, Any]) -> dict[str, object]:
    """A transfer point or shelter: both counts in classes, and whether they differ, but not by how much."""
    capacity, present = int(place["capacity"]), int(place["present"])
    small = capacity < BASE and place["status"] in _BY_COUNTS  # "near full" would tell how many of so few
    counts = {name: coarse(int(place[name])).told for name in ("expected", "roster", "clicker", "present")}
    soon = place["full_in_min"] if place["per_10min"] >= SMALL and present >= BASE else None
    return {
        **{name: place[name] for name in ("kind", "name", "township", "community")},
        "status": "" if small else place["status"],
        "capacity": capacity,
        **counts,
        "differs": place["difference"] != 0,
        "full_in_min": None if soon is None else max(ROUND_MIN, soon // ROUND_MIN * ROUND_MIN),
    }


def _event(event: Mapping[str, Any]) -> dict[str, object] | None:
    """A decision, or many arrivals at once: a few at one place in one minute are a family that somebody knows."""
    n = int(event["n"])
    shown = {name: event[name] for name in ("at", "kind", "name", "exercise") if name in event}
    if event["kind"] == "arrivals":
        return {**shown, "n": coarse(n).told} if n >= SEVERAL else None
    if event["kind"] not in _EVENTS:
        return None
    detail = event.get("detail") or {}
    return {**shown, "n": 0, "detail": {name: detail[name] for name in _DETAIL if name in detail}}


def _mode(mode: Mapping[str, Any]) -> dict[str, object]:
    scopes = [{name: one[name] for name in _MODE if name in one} for one in mode.get("scopes", [])]
    return {name: value for name, value in mode.items() if name in _MODE} | {"scopes": scopes}

"""What of the live figures a caller sees: those of the own area, or those of a wall."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pingji.dashboard.access import area_in
from pingji.dashboard.context import Context
from pingji.dashboard.queries import decided_for
from pingji.data.areas import holds
from pingji.data.engine import reading
from pingji.data.scopes import Scope
from pingji.layers.masking import mask_name, mask_phone
from pingji.ops.access import Area, Caller, Permission

Audience = Literal["staff", "wall"]
Figures = dict[str, object]
_EVERYBODY = frozenset({"county", "mode", "grids"})  # everybody must know that there is an emergency
_COUNTY_ONLY = frozenset({"routine", "arrivals"})  # figures of the whole county
_NOWHERE = Area()


@dataclass(frozen=True, slots=True)
class View:
    """One way of seeing the figures; screens with the same view are sent the same bytes."""

    audience: Audience
    area: Area
    drafts: bool  # whether change sets that nobody has published yet are its business
    names: Area = _NOWHERE  # where whom to call at a place is told in full


WALL = View("wall", Area(), drafts=False)


def view_of(context: Context, caller: Caller, audience: Audience) -> View:
    """How a caller sees the figures. A wall is a public place, whoever opened it."""
    if audience == "wall" or not caller.may(Permission.SEE_FIGURES):
        return WALL
    county = context.county_or_none()
    if county is None:
        return View("staff", Area(), drafts=False)
    with reading(context.engine) as conn:
        area = area_in(conn, county.code, caller, Permission.SEE_FIGURES)
        names = area_in(conn, county.code, caller, Permission.SEE_CONTACTS)
    return View("staff", area, caller.may(Permission.SEE_GRIDS), names)


def seen(figures: Mapping[str, object], view: View, scopes: Mapping[str, Scope]) -> Figures:
    """The figures of a view of staff: exact inside the area, and nothing of what lies outside; contacts by `names`.

    Not even suppressed: whoever knows one part exactly works the others out of a total.
    """
    if view.area.whole:
        whole = {key: value for key, value in figures.items() if view.drafts or key != "drafts"}
        return whole if view.names.whole else {key: _called(key, value, view) for key, value in whole.items()}
    return {key: shown for key, value in figures.items() if (shown := _seen(key, value, view, scopes)) is not None}


def _seen(key: str, value: object, view: View, scopes: Mapping[str, Scope]) -> object:
    head, _, code = key.partition("/")
    if head in _EVERYBODY:
        return value
    if head in _COUNTY_ONLY:
        return None
    if head == "sheet":
        return value if code in scopes and holds(view.area, scopes[code]) else None
    if head == "place" and isinstance(value, Mapping):
        return contact_seen(view.names, code, value) if holds_place(view.area, code, value) else None
    if head == "events" and isinstance(value, list):
        return [event for event in value if decided_for(str(event.get("scope", "")), view.area, scopes)]
    if head == "drafts" and view.drafts and isinstance(value, list):
        return [draft for draft in value if all(view.area.holds(community=c) for c in draft["communities"])]
    return None


def _called(key: str, value: object, view: View) -> object:
    head, _, code = key.partition("/")
    return contact_seen(view.names, code, value) if head == "place" and isinstance(value, Mapping) else value


def contact_seen(names: Area, code: str, place: Mapping[str, object]) -> Mapping[str, object]:
    """A place with whom to call there, who is on duty and so needs no purpose; masked to who may see no names there."""
    if holds_place(names, code, place):
        return place
    masked = {"contact": mask_name(str(place["contact"])), "phone": mask_phone(str(place["phone"]))}
    return {**place, **masked}


def holds_place(area: Area, code: str, place: Mapping[str, object]) -> bool:
    """Whether a transfer point or shelter lies in an area."""
    return area.holds(township=str(place["township"]), community=str(place["community"]), places=[code])

"""Rules of people: sizes of grids, room for those assigned, duty-holders, rosters, and movements that can't be."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
from sqlalchemy import select

from pingji.data.checks.scene import Finding, Scene, place
from pingji.data.tables import movement, occupancy, operation


class _Row(NamedTuple):
    operation: str
    kind: str
    place: str
    person: str
    household: str
    device: str
    occurred_at: int


_ROLES = {
    "danger_zones": ("county_holder", "township_holder", "village_holder"),
    "grids": ("leader", "deputy"),
    "posts": ("holder", "deputy"),
    "communities": ("secretary", "first_secretary"),
}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def grids_of_fitting_size(scene: Scene) -> Iterator[Finding]:
    """Warning: a grid outside 300–500 households, or with more households than people."""
    if not len(scene.households.code):
        return
    low, high = scene.limits.households_low, scene.limits.households_high
    sizes = Counter(scene.households.grid.tolist())
    people: Counter[str] = Counter()
    for code, n in zip(scene.households.grid.tolist(), scene.households.residents.tolist(), strict=True):
        people[code] += n
    for grid in scene.features("grids"):
        n = sizes[grid.code]
        if not low <= n <= high:
            params = {"households": n, "low": low, "high": high}
            yield Finding("warning", "grid_size", "grids", grid.code, params, place(grid.geometry))
        if n > people[grid.code]:
            params = {"households": n, "residents": people[grid.code]}
            where = place(grid.geometry)
            yield Finding("warning", "more_households_than_people", "grids", grid.code, params, where)


def room_for_those_assigned(scene: Scene) -> Iterator[Finding]:
    """Warning: more people assigned to a transfer point or shelter than it holds."""
    homes = scene.households
    for layer, column in (("transfer_points", homes.transfer_point), ("shelters", homes.shelter)):
        codes, inverse = np.unique(column.astype(str), return_inverse=True)
        assigned = dict(zip(codes.tolist(), np.bincount(inverse, homes.residents).tolist(), strict=False))
        for feature in scene.features(layer):
            capacity, n = int(str(feature.values["capacity"])), int(assigned.get(feature.code, 0))
            if n > capacity:
                params = {"capacity": capacity, "assigned": n}
                yield Finding("warning", "over_capacity", layer, feature.code, params, place(feature.geometry))


def duty_holders_not_overloaded(scene: Scene) -> Iterator[Finding]:
    """Warning: one duty-holder with too many roles; a county's leader holds many zones, which is one role."""
    held: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    first: dict[tuple[str, str], tuple[str, str]] = {}
    for layer, roles in _ROLES.items():
        for feature in scene.features(layer):
            for role in roles:
                name, phone = str(feature.values[role]), str(feature.values[f"{role}_phone"])
                if name:
                    held[name, phone].add((role, "" if role == "county_holder" else feature.code))
                    first.setdefault((name, phone), (layer, feature.code))
    for person, roles_held in held.items():
        if len(roles_held) > scene.limits.max_roles:
            layer, code = first[person]
            params = {"name": person[0], "roles": len(roles_held), "most": scene.limits.max_roles}
            yield Finding("warning", "too_many_roles", layer, code, params)


def rosters_fresh(scene: Scene) -> Iterator[Finding]:
    """Warning: a post whose shift is over, or a grid whose term has ended."""
    limit = scene.today - timedelta(days=scene.limits.stale_days)
    for post in scene.features("posts"):
        days = [day for text in _DAY.findall(str(post.values["shift"])) if (day := _date(text)) is not None]
        if days and max(days) < limit:
            params = {"until": max(days).isoformat()}
            yield Finding("warning", "stale_roster", "posts", post.code, params, place(post.geometry))
    for grid in scene.features("grids"):
        end = grid.values["valid_to"]
        if isinstance(end, date) and end < scene.today:
            params = {"until": end.isoformat()}
            yield Finding("warning", "stale_roster", "grids", grid.code, params, place(grid.geometry))


def people_in_one_place(scene: Scene) -> Iterator[Finding]:
    """Error: two devices have a person arrive at two places, and none says that they left the first.

    A transfer point and then a shelter is the ordinary way, and the second arrival checks out of the first.
    """
    kinds = {
        (row.operation, row.place): row.kind
        for row in scene.conn.execute(
            select(occupancy.c.operation, occupancy.c.place, occupancy.c.kind).where(occupancy.c.county == scene.county)
        )
    }
    last: dict[tuple[str, str], tuple[str, str]] = {}
    for row in _movements(scene, "arrive", "leave"):
        key = (row.operation, row.person or f"household:{row.household}")
        if row.kind == "leave":
            last.pop(key, None)
            continue
        before, last[key] = last.get(key), (row.place, row.device)
        if before is None or before[0] == row.place or before[1] == row.device:
            continue
        way = (kinds.get((row.operation, before[0])), kinds.get((row.operation, row.place)))
        if way != ("transfer_point", "shelter"):
            params = {"first": before[0], "second": row.place, "operation": row.operation}
            yield Finding("error", "two_places", "people", row.person or row.household, params)


def arrivals_after_departures(scene: Scene) -> Iterator[Finding]:
    """Error: a person's first arrival is stated for a time before the first departure."""
    times: dict[tuple[str, str, str], dict[str, int]] = defaultdict(dict)
    for row in _movements(scene, "arrive", "depart"):
        key = (row.operation, row.household, row.person)
        times[key][row.kind] = min(row.occurred_at, times[key].get(row.kind, row.occurred_at))
    for (op, household, person), of in times.items():
        left = of.get("depart", times.get((op, household, ""), {}).get("depart"))
        if left is not None and "arrive" in of and of["arrive"] < left:
            params = {"seconds": round((left - of["arrive"]) / 1e6), "operation": op}
            yield Finding("error", "arrival_before_departure", "people", person or household, params)


def _movements(scene: Scene, *kinds: str) -> list[_Row]:
    c = movement.c
    superseded = select(c.supersedes).where(c.county == scene.county, c.supersedes != "")
    current = select(operation.c.id).where(operation.c.county == scene.county, operation.c.ended_at.is_(None))
    query = select(c.operation, c.kind, c.place, c.person, c.household, c.device, c.occurred_at).where(
        c.county == scene.county, c.kind.in_(kinds), c.operation.in_(current), c.id.not_in(superseded)
    )
    return [_Row(*row) for row in scene.conn.execute(query.order_by(c.clock, c.device, c.sequence))]


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None

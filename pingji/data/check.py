"""The check of a county: every validation rule, and what breaks it."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

from sqlalchemy import Connection

from pingji.data.checks import ground, hazard, people
from pingji.data.checks.scene import Finding, Limits, Scene

__all__ = ["RULES", "Finding", "Limits", "check"]

RULES: tuple[Callable[[Scene], Iterator[Finding]], ...] = (
    ground.communities_tile_the_county,
    ground.grids_tile_their_community,
    ground.households_in_their_grid,
    ground.everything_in_the_county,
    ground.layers_not_shifted,
    hazard.zones_complete,
    hazard.shelters_outside_zones,
    hazard.thresholds_in_order,
    hazard.routes_avoid_other_zones,
    people.people_in_one_place,
    people.arrivals_after_departures,
    people.grids_of_fitting_size,
    people.room_for_those_assigned,
    people.duty_holders_not_overloaded,
    people.rosters_fresh,
)


def check(conn: Connection, county: str, *, limits: Limits | None = None, today: date | None = None) -> list[Finding]:
    """Everything in a county that breaks a rule, errors first.

    Parameters
    ----------
    limits : Limits, optional
        Thresholds that a county may set for itself.
    today : date, optional
        The day by which rosters are fresh or stale; today's (UTC) when left out.
    """
    scene = Scene(conn, county, limits or Limits(), today or datetime.now(UTC).date())
    found = [finding for rule in RULES for finding in rule(scene)]
    return sorted(found, key=lambda finding: finding.severity)

"""Rules of hazards: a danger zone says how its people leave, and nobody is sheltered inside of one."""

from collections.abc import Iterator, Mapping

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from pingji.data.checks.scene import Finding, Scene, place

_NEEDED = ("route", "transfer_point", "county_holder", "township_holder", "village_holder")


def zones_complete(scene: Scene) -> Iterator[Finding]:
    """Error: a zone without route, transfer point or duty-holder, or with a transfer point that there isn't."""
    points = scene.by_code("transfer_points")
    for zone in scene.features("danger_zones"):
        missing = [name for name in _NEEDED if not zone.values[name]]
        if missing:
            params = {"fields": ", ".join(missing)}
            yield Finding("error", "zone_incomplete", "danger_zones", zone.code, params, place(zone.geometry))
        for name in ("transfer_point", "backup_transfer_point"):
            code = str(zone.values[name])
            if code and code not in points:
                params = {"field": name, "value": code}
                yield Finding("error", "unknown_reference", "danger_zones", zone.code, params, place(zone.geometry))


def shelters_outside_zones(scene: Scene) -> Iterator[Finding]:
    """Error: a shelter inside of a danger zone."""
    zones, shelters = scene.features("danger_zones"), scene.features("shelters")
    if not zones or not shelters:
        return
    tree = shapely.STRtree([zone.geometry for zone in zones])
    shapes = np.array([shelter.geometry for shelter in shelters], dtype=object)
    for i, j in tree.query(shapes, predicate="intersects").T.tolist():
        params = {"zone": zones[j].code}
        yield Finding("error", "shelter_in_zone", "shelters", shelters[i].code, params, place(shelters[i].geometry))


def thresholds_in_order(scene: Scene) -> Iterator[Finding]:
    """Error: a threshold to leave at once that lies below the one to prepare."""
    for layer in ("danger_zones", "gauges"):
        for feature in scene.features(layer):
            thresholds = feature.values["thresholds"]
            if not isinstance(thresholds, Mapping):
                continue
            for hours, pair in thresholds.items():
                if isinstance(pair, list) and len(pair) == 2 and None not in pair and pair[1] < pair[0]:
                    params = {"hours": hours, "prepare": pair[0], "immediate": pair[1]}
                    yield Finding("error", "thresholds", layer, feature.code, params, place(feature.geometry))


def routes_avoid_other_zones(scene: Scene) -> Iterator[Finding]:
    """Warning: a route that crosses another zone; told where the route is a line (WKT) or names roads by code."""
    zones = scene.features("danger_zones")
    lines = [_line(scene, str(zone.values["route"])) for zone in zones]
    drawn = [i for i, line in enumerate(lines) if line is not None]
    if not drawn:
        return
    tree = shapely.STRtree([zone.geometry for zone in zones])
    for k, j in tree.query([lines[i] for i in drawn], predicate="intersects").T.tolist():
        zone, other = zones[drawn[k]], zones[j]
        # A zone drawn inside or across its own neighbour is left through it; only farther zones are a danger.
        if zone.code == other.code or shapely.intersects(zone.geometry, other.geometry):
            continue
        params = {"zone": other.code}
        yield Finding("warning", "route_crosses_zone", "danger_zones", zone.code, params, place(zone.geometry))


def _line(scene: Scene, route: str) -> BaseGeometry | None:
    if route.upper().startswith(("LINESTRING", "MULTILINESTRING")):
        try:
            line: BaseGeometry = shapely.from_wkt(route)
        except shapely.errors.GEOSException:
            return None
        return line
    roads = scene.by_code("roads") if route else {}
    named = [roads[word].geometry for word in route.replace(",", " ").split() if word in roads]
    return shapely.union_all(named) if named else None

"""Where people go in the demo county: transfer points and shelters outside danger zones, and who is sent to which."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from pingji.data.demo.hazard import Zone
from pingji.geo.arrays import distances, points

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_TRANSFER_POINTS, _SHELTERS = 90, 70
_CLEAR_M = 60.0


@dataclass(frozen=True)
class Meeting:
    """Transfer points: which open squares they are, and each zone's first and second."""

    squares: Ints
    primary: Ints
    backup: Ints


@dataclass(frozen=True)
class Shelters:
    """Shelters: which squares they stand on, their room, and the shelter of each household in a zone (-1: none)."""

    squares: Ints
    school: NDArray[np.bool_]
    usable_area_m2: Floats
    standard_m2: Floats
    capacity: Ints
    assigned: Ints


def safe(squares: Floats, zones: list[Zone], water: shapely.Geometry) -> NDArray[np.bool_]:
    """Squares that lie clear of all zones and of water."""
    shapes = shapely.union_all([z.shape for z in zones])
    at = points(squares)
    return np.asarray((distances(at, shapes) > _CLEAR_M) & ~shapely.intersects(water, at))


def choose_transfer_points(rng: np.random.Generator, squares: Floats, ok: Ints, zones: list[Zone]) -> Meeting:
    """The nearest safe square of each zone, another one as backup, and some more to make up the number."""
    at = points(squares[ok])
    used: list[int] = []
    primary, backup = [], []
    for zone in zones:
        distance = distances(at, zone.shape)
        first = int(np.argmin(distance))
        shared = [k for k in used if distance[k] < max(1.3 * float(distance[first]), 1100.0)]
        first = min(shared, key=lambda k: distance[k]) if shared else first
        again = distance.copy()
        again[first] = np.inf
        known = [k for k in used if k != first and distance[k] < 4500.0]
        second = min(known, key=lambda k: distance[k]) if known else int(np.argmin(again))
        for k in (first, second):
            if k not in used:
                used.append(k)
        primary.append(used.index(first))
        backup.append(used.index(second))
    spare = np.setdiff1d(np.arange(len(ok)), used)
    used += rng.choice(spare, max(_TRANSFER_POINTS - len(used), 0), replace=False).tolist()
    return Meeting(ok[np.array(used)], np.array(primary), np.array(backup))


def choose_shelters(
    rng: np.random.Generator,
    squares: Floats,
    in_town: NDArray[np.bool_],
    ok: Ints,
    zones: list[Zone],
    homes_xy: Floats,
    zone_of: Ints,
    residents: Ints,
) -> Shelters:
    """Schools in towns and village halls near zones; households go to the nearest one that still has room."""
    centres = np.array([shapely.get_coordinates(z.shape.centroid)[0] for z in zones])
    near = np.hypot(*(squares[ok][:, None] - centres[None]).transpose(2, 0, 1)).min(axis=1)
    town = ok[in_town[ok]]
    town = rng.choice(town, 32, replace=False)
    rural = ok[~in_town[ok]][np.argsort(near[~in_town[ok]], kind="stable")]
    halls: list[int] = []
    for k in rural.tolist():
        if len(halls) == _SHELTERS - len(town):
            break
        if all(np.hypot(*(squares[k] - squares[h])) > 1500.0 for h in halls):
            halls.append(k)
    where = np.concatenate([town, np.array(halls, dtype=np.int64)])
    school = np.arange(len(where)) < len(town)
    usable = np.where(school, rng.uniform(700, 2300, len(where)), rng.uniform(180, 820, len(where))).round(0)
    standard = np.where(rng.random(len(where)) < 0.2, 2.0, 3.5)
    capacity = np.floor(usable / standard).astype(np.int64)

    assigned = np.full(len(zone_of), -1)
    room = capacity.copy()
    for z, centre in enumerate(centres):
        order = np.argsort(np.hypot(*(squares[where] - centre).T), kind="stable")
        for h in np.flatnonzero(zone_of == z).tolist():
            place = next(int(s) for s in order if room[s] >= residents[h])
            room[place] -= residents[h]
            assigned[h] = place
    return Shelters(where, school, usable, standard, capacity, assigned)

"""All households of the demo county in one order: where they are, how many live there, and who they are."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from pingji.data.demo import names
from pingji.data.demo.hamlets import Hamlet, buildings_of
from pingji.data.demo.slabs import Slab
from pingji.geo.arrays import points

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HOUSEHOLDS, RESIDENTS = 101_534, 243_469
_SIZES, _SIZE_SHARE = np.arange(1, 7), np.array([0.24, 0.37, 0.21, 0.115, 0.045, 0.02])


@dataclass(frozen=True)
class Homes:
    """Households, one entry each, grid by grid.

    Attributes
    ----------
    xy : float64, shape (n, 2)
        Metres.
    grid, building, cluster : int64
        Index of the grid, the building, and the hamlet or town grid that it lies in.
    door : list of str
    building_shape : object array
        Points in villages, polygons in towns; metres.
    building_grid, building_units, building_floors : int64
    """

    xy: Floats
    grid: Ints
    building: Ints
    cluster: Ints
    door: list[str]
    building_shape: NDArray[np.object_]
    building_grid: Ints
    building_units: Ints
    building_floors: Ints


def gather(hamlets: list[Hamlet], slabs: list[Slab]) -> Homes:
    """Households and buildings of villages and towns, sorted by grid."""
    xy, grid, building, cluster, doors = [], [], [], [], []
    shapes: list[shapely.Geometry] = []
    b_grid, b_units, b_floors = [], [], []
    for n, h in enumerate(hamlets):
        number = buildings_of(h)
        xy.append(h.houses)
        grid.append(np.full(len(number), h.grid))
        building.append(number + len(shapes))
        cluster.append(np.full(len(number), n))
        doors += [f"{k + 1}号" for k in range(len(number))]
        first = np.flatnonzero(np.diff(number, prepend=-1))
        shapes += points(h.houses[np.minimum(first + 1, len(number) - 1)] + 3.0).tolist()
        b_grid += [h.grid] * len(first)
        b_units += [1] * len(first)
        b_floors += [1] * len(first)
    for s in slabs:
        xy.append(s.homes)
        grid.append(np.full(len(s.homes), s.grid))
        building.append(np.full(len(s.homes), len(shapes)))
        cluster.append(np.full(len(s.homes), len(hamlets) + s.grid))
        doors += s.doors
        shapes.append(s.shape)
        b_grid.append(s.grid)
        b_units.append(s.units)
        b_floors.append(s.floors)
    all_grid = np.concatenate(grid)
    order = np.argsort(all_grid, kind="stable")
    return Homes(
        np.concatenate(xy)[order],
        all_grid[order],
        np.concatenate(building)[order],
        np.concatenate(cluster)[order],
        [doors[k] for k in order.tolist()],
        np.array(shapes, dtype=object),
        np.array(b_grid),
        np.array(b_units),
        np.array(b_floors),
    )


def sizes(rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    """Registered, resident and present persons of each household; residents add up exactly, nobody's is zero."""
    residents = rng.choice(_SIZES, HOUSEHOLDS, p=_SIZE_SHARE)
    while (short := RESIDENTS - int(residents.sum())) != 0:
        can = np.flatnonzero(residents < 6 if short > 0 else residents > 1)
        residents[rng.choice(can, min(abs(short), len(can)), replace=False)] += np.sign(short)
    registered = residents + rng.choice(4, HOUSEHOLDS, p=[0.62, 0.24, 0.1, 0.04]) - (rng.random(HOUSEHOLDS) < 0.05)
    away = rng.binomial(residents, 0.07)
    present = residents - away + (rng.random(HOUSEHOLDS) < 0.02) * 2
    return np.maximum(registered, 0), residents, present


@dataclass(frozen=True)
class Residents:
    """Everybody, household by household."""

    household: Ints
    number: Ints
    name: NDArray[np.object_]
    gender: NDArray[np.object_]
    birth_year: Ints
    vulnerability: NDArray[np.object_]


def populate(rng: np.random.Generator, residents: Ints, year: int = 2025) -> Residents:
    """A person for each resident, about one in eight of them with a vulnerability flag."""
    household = np.repeat(np.arange(len(residents)), residents)
    number = np.arange(len(household)) - np.repeat(np.cumsum(residents) - residents, residents) + 1
    n = len(household)
    head = np.clip(rng.normal(55, 13, len(residents)), 21, 88)[household]
    young = np.where(rng.random(n) < 0.75, rng.uniform(0, 34, n), rng.uniform(66, 92, n))
    age = np.where(number <= 2, np.clip(head + rng.normal(0, 2.5, n) * (number == 2), 18, 92), young).astype(int)
    woman = np.where(number == 1, rng.random(n) < 0.35, rng.random(n) < 0.55)
    flags = [
        ("elderly", (age >= 75) & (rng.random(n) < 0.85)),
        ("child", age < 7),
        ("pregnant", woman & (age >= 20) & (age < 40) & (rng.random(n) < 0.025)),
        ("critical", rng.random(n) < 0.006),
        ("disabled", rng.random(n) < 0.02),
    ]
    words = np.full(n, "", dtype=object)
    for word, on in flags:
        words[on] = np.where(words[on] == "", word, words[on] + " " + word)
    gender = np.where(woman, "f", "m").astype(object)
    return Residents(household, number, names.people(rng, n), gender, year - age, words)


def flags_of(people: Residents, count: int) -> list[str]:
    """Vulnerability flags of each household: those of its members."""
    found: list[set[str]] = [set() for _ in range(count)]
    marked = people.vulnerability != ""
    for h, words in zip(people.household[marked].tolist(), people.vulnerability[marked].tolist(), strict=True):
        found[h].update(words.split())
    return [" ".join(sorted(f)) for f in found]

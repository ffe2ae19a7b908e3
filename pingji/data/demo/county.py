"""The demo county as rows: everything that was made, under its columns."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from pingji.data.demo import duty, hamlets, hazard, homes, lanes, organisation, party, refuges, slabs
from pingji.data.demo.codes import grid_codes
from pingji.data.demo.columns import Columns, Writer
from pingji.data.demo.extracts import COUNTY
from pingji.data.demo.land import Land, shape_land
from pingji.data.demo.sites import CAPITAL

Ints = NDArray[np.int64]
Progress = Callable[[str, float], None]

_SMALL = {"钼矿社区": 210, "北大湖体育旅游经济开发区省级特殊村": 180, "朝鲜族村": 240, "水电社区": 0}


@dataclass(frozen=True)
class DemoCounty:
    """The demo county, 示范数据.

    Attributes
    ----------
    county : str
        Its code.
    rows : dict
        By table name, the columns (name → values, all of one length); `geom` holds shapely geometries in EPSG:4490
        lon/lat degrees.
    """

    county: str
    rows: dict[str, Columns]

    def count(self, table: str) -> int:
        """How many rows a table has."""
        return len(self.rows[table]["code" if "code" in self.rows[table] else "member"])


def make(seed: int, progress: Progress) -> DemoCounty:
    """Build everything, in the order in which one thing needs the other."""
    rng = np.random.default_rng(seed)
    progress("land", 0.0)
    land = shape_land(rng)
    division = land.division
    progress("settlements", 0.3)
    counts = _household_counts(rng, land)
    beds: list[shapely.Geometry] = [shapely.LineString(r.line) for r in land.roads]
    ground = hamlets.Ground(land.courses, [r.width_m for r in land.rivers], beds)
    urban = np.array([division.communities[c].urban for c in division.grid_community])
    rural = {int(g): division.grid_shape[g] for g in np.flatnonzero(~urban)}
    settled = hamlets.settle(rng, rural, counts, ground)
    built: list[slabs.Slab] = []
    for g in np.flatnonzero(urban).tolist():
        township = division.communities[int(division.grid_community[g])].township
        height = (2, 6) if township == CAPITAL else (1, 4)
        built += slabs.house(rng, g, division.block_shape[division.block_grid == g], counts[g], height)
    roads = lanes.reach_hamlets(rng, settled, land.roads)
    progress("households", 0.6)
    living = homes.gather(settled, built)
    registered, residents, present = homes.sizes(rng)
    people = homes.populate(rng, residents)
    progress("zones", 0.75)
    zones, zone_of = hazard.find_zones(
        rng, land.area, living, residents, land.courses, [r.width_m for r in land.rivers], len(settled)
    )
    blocks = shapely.get_coordinates(shapely.centroid(division.block_shape))
    squares = np.vstack([[h.centre for h in settled], blocks])
    in_town = np.arange(len(squares)) >= len(settled)
    ok = np.flatnonzero(refuges.safe(squares, zones, ground.water))
    meeting = refuges.choose_transfer_points(rng, squares, ok, zones)
    free = np.setdiff1d(ok, meeting.squares)
    shelters = refuges.choose_shelters(rng, squares, in_town, free, zones, living.xy, zone_of, residents)
    sponsors = party.sponsor(rng, living.grid)
    progress("rows", 0.85)
    w = Writer(rng, land, grid_codes(division.grid_shape, division.grid_community, division.communities))
    w.borders(living, residents)
    w.rivers_and_roads(roads)
    w.households(living, registered, residents, present, people, zone_of, meeting, shelters)
    w.zones(zones, zone_of, residents, meeting, squares)
    w.refuges(squares, meeting, shelters, zone_of, residents)
    w.party(living, sponsors)
    duty.write(w, squares, np.setdiff1d(free, shelters.squares), in_town, zones, living, zone_of, meeting)
    organisation.write(w)
    progress("done", 1.0)
    return DemoCounty(COUNTY, w.tables)


def _household_counts(rng: np.random.Generator, land: Land) -> dict[int, int]:
    """Households of each grid: 300–500 but for a few small communities; they add up exactly."""
    names = [land.division.communities[c].name for c in land.division.grid_community]
    small = {g: _SMALL[n] for g, n in enumerate(names) if _SMALL.get(n)}
    others = np.array([g for g in range(len(names)) if g not in small])
    left = homes.HOUSEHOLDS - sum(small.values())
    wish = rng.uniform(0.8, 1.22, len(others))
    counts = np.clip(np.round(wish * left / wish.sum()), 305, 495).astype(int)
    while (short := left - int(counts.sum())) != 0:
        can = np.flatnonzero((counts < 495) if short > 0 else (counts > 305))
        if not len(can):
            raise ValueError(f"{len(others)} grids can't hold {left} households")
        pick = rng.choice(can, min(abs(short), len(can)), replace=False)
        counts[pick] += int(np.sign(short))
    return small | dict(zip(others.tolist(), counts.tolist(), strict=True))

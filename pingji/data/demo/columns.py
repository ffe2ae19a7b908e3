"""From things in metres to the columns of the store: codes, names, labels, lon/lat."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from pingji.data.demo import names
from pingji.data.demo.codes import within
from pingji.data.demo.extracts import COUNTY, COUNTY_NAME, Frame
from pingji.data.demo.hazard import Zone
from pingji.data.demo.homes import Homes, Residents, flags_of
from pingji.data.demo.land import Land
from pingji.data.demo.party import Sponsors
from pingji.data.demo.refuges import Meeting, Shelters
from pingji.data.demo.roads import Road, street_node
from pingji.data.demo.sites import bend
from pingji.geo.arrays import points

Columns = dict[str, Sequence[Any]]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SOURCE = "demo"
LABEL = names.LABEL
# Rainfall thresholds of 江华县, mm, as [prepare, immediate]; a demonstration, not a recommendation.
THRESHOLDS = {"0.5": [25, 40], "1": [45, 60], "3": [70, 100], "6": [90, 130], "24": [130, 180]}


def lonlat(shapes: Any) -> NDArray[np.object_]:
    """Geometries in metres as EPSG:4490 lon/lat degrees."""
    array = np.empty(len(shapes), dtype=object)
    array[:] = list(shapes)
    return np.asarray(shapely.transform(array, Frame.lonlat))


def multi(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Polygons as multipolygons."""
    return np.array([shapely.MultiPolygon(list(shapely.get_parts(s))) for s in shapes], dtype=object)


class Writer:
    """Collects the tables; later ones refer to codes made by earlier ones."""

    def __init__(self, rng: np.random.Generator, land: Land, grid_code: list[str]) -> None:
        self.rng, self.land = rng, land
        self.tables: dict[str, Columns] = {}
        self.grid_code = grid_code
        self.places = land.division.communities
        self.town_name = {t.code: t.name.replace("特殊乡镇", "") for t in land.townships}
        self.household_code: list[str] = []
        self.person_name: NDArray[np.object_] = np.array([], dtype=object)
        self.zone_code: list[str] = []
        self.meeting_code: list[str] = []
        self.shelter_code: list[str] = []
        self.head_name: NDArray[np.object_] = np.array([], dtype=object)
        shapes = lonlat(land.division.community_shape)
        self.community_tree = shapely.STRtree(shapes)
        self.grid_tree = shapely.STRtree(lonlat(land.division.grid_shape))

    def add(self, table: str, **columns: Any) -> None:
        """A table's columns, with the label of where it comes from."""
        size = len(columns["code"])
        self.tables[table] = {**columns, "source": [SOURCE] * size}

    def people(self, count: int) -> tuple[list[str], list[str]]:
        """Names and phones of made-up duty-holders."""
        return names.people(self.rng, count).tolist(), names.phones(self.rng, count)

    def communities_at(self, xy: Floats) -> list[int]:
        """Index of the community of each point in metres."""
        at, found = self.community_tree.query(shapely.points(Frame.lonlat(xy)), predicate="intersects")
        index = np.zeros(len(xy), dtype=np.int64)
        index[at] = found
        return index.tolist()

    def grids_at(self, xy: Floats) -> list[str]:
        """Code of the grid of each point in metres."""
        at, found = self.grid_tree.query(shapely.points(Frame.lonlat(xy)), predicate="intersects")
        code = dict(zip(at.tolist(), found.tolist(), strict=True))
        return [self.grid_code[code[k]] for k in range(len(xy))]

    def borders(self, living: Homes, residents: Ints) -> None:
        """Areas, communities, grids."""
        division = self.land.division
        grids = lonlat(division.grid_shape)
        communities = lonlat(division.community_shape)
        town_of = np.array([p.township for p in self.places])
        town_shape = [shapely.coverage_union_all(communities[town_of == t.code]) for t in self.land.townships]
        county_shape = shapely.coverage_union_all(communities)
        self.add(
            "area",
            code=[COUNTY, *(t.code for t in self.land.townships)],
            name=[COUNTY_NAME, *(t.name for t in self.land.townships)],
            level=["county"] + ["township"] * len(town_shape),
            parent=[""] + [COUNTY] * len(town_shape),
            geom=multi(np.array([county_shape, *town_shape], dtype=object)),
        )
        n = len(self.places)
        secretary, secretary_phone = self.people(n)
        first, first_phone = self.people(n)
        joint = [p.urban and p.township == "220221100" for p in self.places]
        self.add(
            "communities",
            code=[p.code for p in self.places],
            name=[p.name for p in self.places],
            township=town_of.tolist(),
            kind=["community" if p.urban else "village" for p in self.places],
            committee=[f"{p.name}联合党委{LABEL}" if j else "" for p, j in zip(self.places, joint, strict=True)],
            secretary=secretary,
            secretary_phone=secretary_phone,
            first_secretary=[v if j else "" for v, j in zip(first, joint, strict=True)],
            first_secretary_phone=[v if j else "" for v, j in zip(first_phone, joint, strict=True)],
            geom=multi(communities),
        )
        leader, leader_phone = self.people(len(grids))
        deputy, deputy_phone = self.people(len(grids))
        self.add(
            "grids",
            code=self.grid_code,
            name=[
                f"{self.places[c].name}第{int(code[-3:])}网格"
                for code, c in zip(self.grid_code, division.grid_community, strict=True)
            ],
            community=[self.places[c].code for c in division.grid_community],
            leader=leader,
            leader_phone=leader_phone,
            deputy=deputy,
            deputy_phone=deputy_phone,
            household_count=np.bincount(living.grid, minlength=len(grids)).tolist(),
            resident_count=np.bincount(living.grid, weights=residents, minlength=len(grids)).astype(int).tolist(),
            valid_from=[date(2025, 1, 1)] * len(grids),
            reason=["示范划分"] * len(grids),
            geom=multi(grids),
        )

    def rivers_and_roads(self, roads: list[Road]) -> None:
        """Rivers, roads between places, streets."""
        rivers = self.land.rivers
        self.add(
            "rivers",
            code=[f"{COUNTY}R{k + 1:03d}" for k in range(len(rivers))],
            name=[r.name for r in rivers],
            kind=["river" if r.main else "stream" for r in rivers],
            width_m=[r.width_m for r in rivers],
            geom=lonlat(self.land.courses),
        )
        rows = [(r.kind, r.name, r.start, r.end, shapely.linestrings(r.line)) for r in roads]
        for town in self.land.towns:
            for s in town.streets:
                if s.road:
                    line = shapely.transform(shapely.segmentize(s.line, 45.0), bend)
                    ends = (street_node(town.township, s.nodes[0]), street_node(town.township, s.nodes[1]))
                    rows.append(("street", f"示范{s.number}街", *ends, line))
        lines = lonlat([r[4] for r in rows])
        self.add(
            "roads",
            code=[f"{COUNTY}L{k + 1:04d}" for k in range(len(rows))],
            name=[r[1] for r in rows],
            kind=[r[0] for r in rows],
            passability=["open"] * len(rows),
            from_node=[r[2] for r in rows],
            to_node=[r[3] for r in rows],
            geom=np.array([shapely.MultiLineString([line]) for line in lines], dtype=object),
        )

    def households(
        self,
        living: Homes,
        registered: Ints,
        residents: Ints,
        present: Ints,
        people: Residents,
        zone_of: Ints,
        meeting: Meeting,
        shelters: Shelters,
    ) -> None:
        """Buildings, households, persons."""
        rng, n = self.rng, len(living.grid)
        community_of = [self.places[c] for c in self.land.division.grid_community]
        order = np.lexsort((np.arange(len(living.building_grid)), living.building_grid))
        of = living.building_grid[order]
        building = within(self.grid_code, of, 4, "B")
        building_code = dict(zip(order.tolist(), building, strict=True))
        head, head_phone = self.people(len(order))
        deputy, deputy_phone = self.people(len(order))
        self.add(
            "buildings",
            code=building,
            name=[
                f"{int(code[-4:])}号楼" if u > 1 else ""
                for code, u in zip(building, living.building_units[order], strict=True)
            ],
            community=[community_of[g].code for g in of],
            grid=[self.grid_code[g] for g in of],
            head=head,
            head_phone=head_phone,
            deputy=deputy,
            deputy_phone=deputy_phone,
            units=living.building_units[order].tolist(),
            floors=living.building_floors[order].tolist(),
            geom=lonlat(living.building_shape[order]),
        )
        self.household_code = within(self.grid_code, living.grid, 4)
        self.meeting_code = [f"{COUNTY}T{k + 1:03d}" for k in range(len(meeting.squares))]
        self.shelter_code = [f"{COUNTY}S{k + 1:03d}" for k in range(len(shelters.squares))]
        self.zone_code = [f"{COUNTY}Z{k + 1:03d}" for k in range(int(zone_of.max()) + 1)]
        first = np.flatnonzero(people.number == 1)
        self.head_name = people.name[first]
        escort = np.full((4, n), "", dtype=object)
        threatened = np.flatnonzero(zone_of >= 0)
        # One escort and one deputy for about eight households of a zone.
        teams = np.unique(zone_of[threatened] * 10_000 + np.arange(len(threatened)) // 8, return_inverse=True)[1]
        for row, values in enumerate((*self.people(teams.max() + 1), *self.people(teams.max() + 1))):
            escort[row, threatened] = np.array(values, dtype=object)[teams]
        self.add(
            "households",
            code=self.household_code,
            name=self.head_name.tolist(),
            community=[community_of[g].code for g in living.grid],
            township=[community_of[g].township for g in living.grid],
            grid=[self.grid_code[g] for g in living.grid],
            zone=[self.zone_code[z] if z >= 0 else "" for z in zone_of],
            building=[building_code[b] for b in living.building.tolist()],
            door=living.door,
            phone=names.phones(rng, n),
            registered=registered.tolist(),
            residents=residents.tolist(),
            present=present.tolist(),
            vulnerability=flags_of(people, n),
            escort=escort[0].tolist(),
            escort_phone=escort[1].tolist(),
            escort_deputy=escort[2].tolist(),
            escort_deputy_phone=escort[3].tolist(),
            transfer_point=[self.meeting_code[meeting.primary[z]] if z >= 0 else "" for z in zone_of],
            shelter=[self.shelter_code[s] if s >= 0 else "" for s in shelters.assigned],
            geom=shapely.points(Frame.lonlat(living.xy)),
        )
        serial = rng.permutation(len(people.household)) % 10_000
        phone = names.phones(rng, len(serial))
        self.tables["person"] = {
            "code": [str(k) for k in people.number.tolist()],
            "household": [self.household_code[h] for h in people.household.tolist()],
            "name": people.name.tolist(),
            # Month 99, day 99: nobody has such a number.
            "id_number": [
                f"{COUNTY}{y}9999{s:04d}" for y, s in zip(people.birth_year.tolist(), serial.tolist(), strict=True)
            ],
            "phone": phone,
            "gender": people.gender.tolist(),
            "birth_year": people.birth_year.tolist(),
            "vulnerability": people.vulnerability.tolist(),
        }

    def zones(self, zones: list[Zone], zone_of: Ints, residents: Ints, meeting: Meeting, squares: Floats) -> None:
        """Danger zones with their duty-holders."""
        home = [self.places[self.land.division.grid_community[z.grid]] for z in zones]
        river = [self.land.rivers[z.river].name for z in zones]
        title: list[str] = []
        seen: dict[str, int] = {}
        for p, r in zip(home, river, strict=True):
            name = f"{self.town_name[p.township]}{p.name}{r.replace(LABEL, '')}"
            seen[name] = seen.get(name, 0) + 1
            title.append(f"{name}{'' if seen[name] == 1 else '二三四五六七八九'[seen[name] - 2]}段{LABEL}")
        places = self.communities_at(squares[meeting.squares])
        goals = points(squares[meeting.squares[meeting.primary]])
        far = [max(round(z.shape.centroid.distance(g), -2), 100.0) for z, g in zip(zones, goals, strict=True)]
        route = [
            f"沿村路离开{r.replace(LABEL, '')}，步行约{d:.0f}米，到{self.places[places[t]].name}转移点{LABEL}"
            for r, d, t in zip(river, far, meeting.primary.tolist(), strict=True)
        ]
        county, county_phone = self.people(8)
        towns = sorted(self.town_name)
        town, town_phone = self.people(len(towns))
        village, village_phone = self.people(len(zones))
        of_town = [towns.index(p.township) for p in home]
        inside = zone_of[zone_of >= 0]
        self.add(
            "danger_zones",
            code=self.zone_code,
            name=title,
            grade=[z.grade for z in zones],
            community=[p.code for p in home],
            township=[p.township for p in home],
            river=river,
            thresholds=[
                {k: [round(v * f) for v in pair] for k, pair in THRESHOLDS.items()}
                for f in ({"danger": 1.0, "high": 0.85, "extreme": 0.7}[z.grade] for z in zones)
            ],
            route=route,
            transfer_point=[self.meeting_code[t] for t in meeting.primary],
            backup_transfer_point=[self.meeting_code[t] for t in meeting.backup],
            county_holder=[county[t % 8] for t in of_town],
            county_holder_phone=[county_phone[t % 8] for t in of_town],
            township_holder=[town[t] for t in of_town],
            township_holder_phone=[town_phone[t] for t in of_town],
            village_holder=village,
            village_holder_phone=village_phone,
            household_count=np.bincount(inside, minlength=len(zones)).tolist(),
            resident_count=np.bincount(inside, weights=residents[zone_of >= 0], minlength=len(zones))
            .astype(int)
            .tolist(),
            geom=multi(lonlat([z.shape for z in zones])),
        )

    def refuges(self, squares: Floats, meeting: Meeting, shelters: Shelters, zone_of: Ints, residents: Ints) -> None:
        """Transfer points and shelters."""
        rng = self.rng
        place = [self.places[c] for c in self.communities_at(squares[meeting.squares])]
        contact, phone = self.people(len(place))
        load = np.zeros(len(place), dtype=np.int64)
        for z, t in enumerate(meeting.primary.tolist()):
            load[t] += residents[zone_of == z].sum()
        spots = ["文化广场", "村委会院内", "小学操场", "卫生室门前", "供销社院内"]
        self.add(
            "transfer_points",
            code=self.meeting_code,
            name=_numbered(f"{p.name}{'广场' if p.urban else spots[int(rng.integers(0, 5))]}转移点" for p in place),
            community=[p.code for p in place],
            township=[p.township for p in place],
            capacity=np.maximum(np.ceil(load * rng.uniform(0.95, 1.7, len(load)) / 50).astype(int) * 50, 100).tolist(),
            contact=contact,
            phone=phone,
            geom=shapely.points(Frame.lonlat(squares[meeting.squares])),
        )
        place = [self.places[c] for c in self.communities_at(squares[shelters.squares])]
        contact, phone = self.people(len(place))
        schools = ["小学", "中学", "体育馆", "文化馆"]
        area = shelters.usable_area_m2
        self.add(
            "shelters",
            code=self.shelter_code,
            name=_numbered(
                f"{p.name}{schools[int(rng.integers(0, 4))] if s else '村部'}安置点"
                for p, s in zip(place, shelters.school.tolist(), strict=True)
            ),
            community=[p.code for p in place],
            township=[p.township for p in place],
            category=np.where(area > 1500, "long", np.where(area > 500, "short", "temporary")).tolist(),
            address=[f"{self.town_name[p.township]}{p.name}{LABEL}" for p in place],
            usable_area_m2=area.tolist(),
            standard_m2=shelters.standard_m2.tolist(),
            capacity=shelters.capacity.tolist(),
            floor_elevation_m=rng.uniform(196, 320, len(place)).round(1).tolist(),
            in_hazard=[False] * len(place),
            medical=(rng.random(len(place)) < 0.35).tolist(),
            food=(rng.random(len(place)) < 0.7).tolist(),
            step_free=(rng.random(len(place)) < 0.4).tolist(),
            contact=contact,
            phone=phone,
            geom=shapely.points(Frame.lonlat(squares[shelters.squares])),
        )

    def party(self, living: Homes, sponsors: Sponsors) -> None:
        """Centre households, their members, and whom these look after."""
        n = len(sponsors.centre)
        code = within(self.grid_code, living.grid[sponsors.centre], 2, "P")
        community_of = [self.places[c].code for c in self.land.division.grid_community]
        self.add(
            "party_households",
            code=code,
            name=[f"{v.replace(LABEL, '')}党员中心户{LABEL}" for v in self.head_name[sponsors.centre].tolist()],
            community=[community_of[g] for g in living.grid[sponsors.centre]],
            grid=[self.grid_code[g] for g in living.grid[sponsors.centre]],
            household=[self.household_code[h] for h in sponsors.centre.tolist()],
            phone=names.phones(self.rng, n),
            geom=shapely.points(Frame.lonlat(living.xy[sponsors.centre])),
        )
        member = within(code, sponsors.member_centre, 2, "M")
        self.tables["party_member"] = {
            "code": member,
            "centre": [code[c] for c in sponsors.member_centre.tolist()],
            "household": [self.household_code[h] for h in sponsors.member.tolist()],
            "name": self.head_name[sponsors.member].tolist(),
            "phone": names.phones(self.rng, len(member)),
        }
        self.tables["party_link"] = {
            "member": [member[m] for m in sponsors.link_member.tolist()],
            "household": [self.household_code[h] for h in sponsors.link_household.tolist()],
        }


def _numbered(titles: Any) -> list[str]:
    """Names made different where they repeat, and labelled."""
    seen: dict[str, int] = {}
    out = []
    for title in titles:
        seen[title] = seen.get(title, 0) + 1
        out.append(f"{title}{'' if seen[title] == 1 else seen[title]}{LABEL}")
    return out

"""Which unit is meant by the names in a row: places by their names, numbers or codes, and units of their own."""

from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from pingji.data.organisation.ground import Ground
from pingji.data.organisation.workbook import cells
from pingji.data.organisation.workbook.cells import BadCell
from pingji.data.organisation.workbook.words import key, words
from pingji.data.tables import LAYER_TABLES, org_unit
from pingji.ops.organisation.kinds import Level, UnitKind
from pingji.ops.organisation.post import Unit

_CHAIN = (Level.TOWNSHIP, Level.COMMUNITY, Level.BRANCH, Level.GRID, Level.BUILDING, Level.STAIRWELL)
_COLUMNS = ("code", "name", "kind", "level", "place", "parent", "township", "community", "grid")


@dataclass
class Directory:
    """Every unit of a county by code and by name, and those that a workbook makes anew."""

    ground: Ground
    stored: dict[str, Unit]
    buildings: dict[str, tuple[str, str, str, int]]  # code: (name, community, grid, stairwells)
    made: dict[str, Unit] = field(default_factory=dict)
    names: dict[tuple[Level, str], list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for code, name in self.ground.townships.items():
            self._call(Level.TOWNSHIP, name, code)
        for code, (name, _) in self.ground.communities.items():
            self._call(Level.COMMUNITY, name, code)
        for code, (name, _) in self.ground.grids.items():
            self._call(Level.GRID, name, code)
        for unit in self.stored.values():
            if unit.kind is not UnitKind.JOINT_COMMITTEE:
                self._call(unit.level, unit.name, unit.code)
        for code, (name, *_) in self.buildings.items():
            self._call(Level.BUILDING, name, code)

    def _call(self, level: Level, name: str, code: str) -> None:
        for word in spellings(name):
            listed = self.names.setdefault((level, word), [])
            if code not in listed:
                listed.append(code)

    def unit(self, code: str) -> Unit | None:
        """The unit of a code."""
        if code in self.made or code in self.stored:
            return self.made.get(code) or self.stored[code]
        level = self.ground.level_of(code)
        if level is not None:
            township, community, grid = self.ground.placing(code)
            above = {Level.TOWNSHIP: self.ground.county, Level.COMMUNITY: township, Level.GRID: community}
            name = self.ground.name_of(code)
            return Unit(code, name, UnitKind.PLACE, level, code, above.get(level, ""), township, community, grid)
        if code in self.buildings:
            return self._building(code)
        home, _, n = code.rpartition("-")
        if home in self.buildings and n.isascii() and n.isdigit() and 1 <= int(n) <= self.buildings[home][3]:
            building = self._building(home)
            placed = (building.township, building.community, building.grid)
            name = f"{building.name}-{n}"
            return Unit(code, name, UnitKind.STAIRWELL, Level.STAIRWELL, code, home, *placed)
        return None

    def _building(self, code: str) -> Unit:
        name, community, grid, _ = self.buildings[code]
        township = self.ground.township_of(community)
        return Unit(code, name or code, UnitKind.PLACE, Level.BUILDING, code, grid, township, community, grid)

    def find(self, level: Level, written: str, inside: Unit | None) -> Unit:
        """The unit of a level that a name, a number or a code means, inside of another where one is known.

        Raises
        ------
        BadCell
            Nothing of this name, or several.
        """
        direct = self.unit(cells.text(written))
        if direct is not None and direct.level is level:
            return direct
        wanted = key(written)
        codes: list[str] = []
        for word in spellings(written):
            codes = [code for code in self.names.get((level, word), ()) if self._lies(code, inside)]
            if codes:
                break
        if not codes:
            codes = self._numbered(level, wanted, inside)
        if len(codes) > 1:
            raise BadCell("ambiguous_unit")
        found = self.unit(codes[0]) if codes else None
        if found is None:
            raise BadCell("unknown_unit")
        return found

    def _lies(self, code: str, inside: Unit | None) -> bool:
        if inside is None or inside.level is Level.COUNTY:
            return True
        unit = self.unit(code)
        if unit is None:
            return False
        codes = {Level.TOWNSHIP: unit.township, Level.COMMUNITY: unit.community, Level.GRID: unit.grid}
        if inside.level is Level.BRANCH:
            return unit.community == inside.community
        return codes.get(inside.level, unit.parent) == inside.code

    def _numbered(self, level: Level, wanted: str, inside: Unit | None) -> list[str]:
        """Grids, buildings and stairwells that a number means where it is known of what."""
        if inside is None:
            return []
        patterns = words().patterns
        if level is Level.GRID and inside.community and (found := patterns["grid_number"].match(wanted)):
            number = next(part for part in found.groups() if part)
            code = f"{inside.community}{int(number):03d}"
            return [code] if code in self.ground.grids else []
        if level is Level.BUILDING and inside.grid and (found := patterns["building_number"].match(wanted)):
            ending = f"B{int(found[1]):04d}"
            return [c for c, (_, _, grid, _) in self.buildings.items() if grid == inside.grid and c.endswith(ending)]
        if level is Level.STAIRWELL and (found := patterns["stairwell_number"].match(wanted)):
            code = f"{inside.code}-{int(found[1])}"
            return [code] if self.unit(code) is not None else []
        return []

    def make_branch(self, name: str, community: Unit) -> Unit:
        """A regional branch that nobody knew yet."""
        taken = {code for code in (*self.stored, *self.made) if code.startswith(f"{community.code}R")}
        n = next(n for n in range(1, 1000) if f"{community.code}R{n}" not in taken)
        placed = (community.township, community.code)
        kind = UnitKind.REGIONAL_BRANCH
        unit = Unit(f"{community.code}R{n}", name, kind, Level.BRANCH, "", community.code, *placed)
        return self._made(unit)

    def make_department(self, name: str) -> Unit:
        """A department that nobody knew yet."""
        county = self.ground.county
        taken = {code for code in (*self.stored, *self.made) if code.startswith(f"{county}D")}
        n = next(n for n in range(1, 10_000) if f"{county}D{n:03d}" not in taken)
        return self._made(Unit(f"{county}D{n:03d}", name, UnitKind.DEPARTMENT, Level.DEPARTMENT, "", county))

    def _made(self, unit: Unit) -> Unit:
        self.made[unit.code] = unit
        self._call(unit.level, unit.name, unit.code)
        return unit


def spellings(name: str) -> list[str]:
    """A name as it may be written: whole, without the endings of organisations, without those of places.

    >>> spellings("Kouqian")
    ['kouqian']
    """
    known = words()
    found = [key(name)]
    for endings in (known.endings, known.place_endings):
        for ending in endings:
            short = found[-1].removesuffix(ending)
            if short and short != found[-1]:
                found.append(short)
                break
    return [word for word in dict.fromkeys(found) if word]


def load_directory(conn: Connection, ground: Ground) -> Directory:
    """All units of a county."""
    u, b = org_unit.c, LAYER_TABLES["buildings"].c
    stored = {}
    for code, name, kind, level, *rest in conn.execute(
        select(*(u[n] for n in _COLUMNS)).where(u.county == ground.county)
    ):
        stored[code] = Unit(code, name or ground.name_of(code), UnitKind(kind), Level(level), *rest)
    homes = select(b.code, b.name, b.community, b.grid, b.units).where(b.county == ground.county, b.units != 1)
    buildings = {row[0]: (row[1], row[2], row[3], int(row[4])) for row in conn.execute(homes)}
    return Directory(ground, stored, buildings)

"""The organisation of the demo county: 85 departments, 9 joint committees, both chains, and what they lack."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from importlib.resources import files
from typing import Any

from pingji.data.demo.columns import SOURCE, Writer
from pingji.data.demo.extracts import COUNTY, COUNTY_NAME
from pingji.data.demo.names import LABEL
from pingji.ops.organisation.kinds import NATURE, Level, PostKind, UnitKind, seat

_K = PostKind
_FROM, _TO, _OVER = date(2024, 3, 1), date(2029, 2, 28), date(2025, 6, 30)
_BEGAN = date(2025, 1, 1)
_HALVES = ("东", "西")
_BRANCH_FROM = 4  # grids of a community that is divided into regional branches
_VACANT, _OLD, _NO_DEPUTY = 0.02, 0.01, 0.05


def departments() -> list[str]:
    """Names of departments such as a county has, 85 of them."""
    text = (files(__package__) / "extracts" / "departments_220221.csv").read_text(encoding="utf-8")
    return [row["name"] for row in csv.DictReader(text.splitlines())]


@dataclass
class _Sheets:
    """Rows of units and posts, as they come."""

    units: list[dict[str, Any]] = field(default_factory=list)
    posts: list[dict[str, Any]] = field(default_factory=list)

    def unit(self, code: str, name: str, kind: UnitKind, level: Level, **placed: str) -> None:
        self.units.append({"code": code, "name": f"{name}{LABEL}", "kind": kind.value, "level": level.value, **placed})

    def post(self, unit: str, kind: PostKind, **columns: str) -> None:
        nature = NATURE[kind]
        own = {"code": seat(unit, kind), "unit": unit, "kind": kind.value, "chain": nature.chain.value}
        self.posts.append({**own, "level": (nature.level or Level.COUNTY).value, **columns})


def write(w: Writer) -> None:
    """Units, posts and pairs; people of the layers keep their posts, and a few of them leave."""
    sheets = _Sheets()
    joint = [k for k, name in enumerate(w.tables["communities"]["committee"]) if name]
    pairs = _departments(sheets, joint)
    _county(sheets, w)
    _communities(sheets, w, joint, pairs)
    _grids(sheets, w)
    _buildings(sheets, w)
    _people(sheets, w)
    _gaps(sheets, w)
    _table(w, "org_unit", sheets.units, "name", "place", "parent", "township", "community", "grid")
    placed = ("title", "place", "township", "community", "grid", "department", "superior")
    people = ("holder", "holder_phone", "deputy", "deputy_phone")
    _table(w, "org_post", sheets.posts, *placed, *people, term_from=_FROM, term_to=_TO)
    size = len(sheets.posts)
    w.tables["org_post"] |= {"rank": [0] * size, "began_on": [_BEGAN] * size, "source": [SOURCE] * size}
    codes = w.tables["communities"]["code"]
    w.tables["org_pair"] = {
        "department": [d for d, _ in pairs],
        "community": [codes[c] for _, c in pairs],
    }


def _table(w: Writer, name: str, rows: list[dict[str, Any]], *texts: str, **others: Any) -> None:
    empty: dict[str, Any] = {**dict.fromkeys(texts, ""), **others}
    columns = list(rows[0]) + [c for c in empty if c not in rows[0]]
    w.tables[name] = {c: [row.get(c, empty.get(c)) for row in rows] for c in columns}


def _departments(sheets: _Sheets, joint: list[int]) -> list[tuple[str, int]]:
    """Every department with the community that it is paired with."""
    pairs = []
    for n, name in enumerate(departments(), start=1):
        code = f"{COUNTY}D{n:03d}"
        sheets.unit(code, f"{COUNTY_NAME}{name}", UnitKind.DEPARTMENT, Level.DEPARTMENT, parent=COUNTY)
        sheets.post(code, _K.DEPARTMENT_HEAD)
        pairs.append((code, joint[n % len(joint)]))
    return pairs


def _county(sheets: _Sheets, w: Writer) -> None:
    sheets.unit(COUNTY, f"{COUNTY_NAME}委员会", UnitKind.PARTY_COMMITTEE, Level.COUNTY, place=COUNTY)
    for kind in (_K.COUNTY_SECRETARY, _K.COUNTY_COMMANDER):
        sheets.post(COUNTY, kind, place=COUNTY)
    for code, name in sorted(w.town_name.items()):
        placed = {"place": code, "township": code}
        sheets.unit(code, f"{name}党委", UnitKind.PARTY_COMMITTEE, Level.TOWNSHIP, parent=COUNTY, **placed)
        for kind in (_K.TOWNSHIP_SECRETARY, _K.TEMPORARY_SECRETARY):
            sheets.post(code, kind, **placed)


def _communities(sheets: _Sheets, w: Writer, joint: list[int], pairs: list[tuple[str, int]]) -> None:
    """Communities, and joint committees with a first secretary who comes from one of the departments."""
    table = w.tables["communities"]
    for k, (code, name, township) in enumerate(zip(table["code"], table["name"], table["township"], strict=True)):
        placed = {"place": code, "township": township, "community": code}
        body = "党委" if table["kind"][k] == "community" else "党总支"
        sheets.unit(code, f"{name}{body}", UnitKind.COMMUNITY_PARTY, Level.COMMUNITY, parent=township, **placed)
        said = {"holder": table["secretary"][k], "holder_phone": table["secretary_phone"][k]}
        sheets.post(code, _K.COMMUNITY_SECRETARY, **placed, **said)
        if k not in joint:
            continue
        kind = UnitKind.JOINT_COMMITTEE
        sheets.unit(f"{code}J", f"{name}联合党委", kind, Level.COMMUNITY, parent=code, **placed)
        own = [department for department, community in pairs if community == k]
        others = [department for department, community in pairs if community != k]
        # The last community has no first secretary, and that of the one before comes from a department that is
        # paired with somebody else.
        department = "" if k == joint[-1] else others[0] if k == joint[-2] else own[0]
        said = {"holder": table["first_secretary"][k], "holder_phone": table["first_secretary_phone"][k]}
        if not department:
            said = {"holder": "", "holder_phone": ""}
            for column in ("first_secretary", "first_secretary_phone"):
                w.tables["communities"][column] = _without(table[column], k)
        sheets.post(code, _K.FIRST_SECRETARY, **placed, **said, department=department)


def _without(values: Any, k: int) -> list[str]:
    kept = list(values)
    kept[k] = ""
    return kept


def _grids(sheets: _Sheets, w: Writer) -> None:
    """Grid branches with four posts each beside the leader whom the layer keeps, and regional branches above some."""
    table = w.tables["grids"]
    of: dict[str, list[int]] = {}
    for k, community in enumerate(table["community"]):
        of.setdefault(community, []).append(k)
    township = dict(zip(w.tables["communities"]["code"], w.tables["communities"]["township"], strict=True))
    name_of = dict(zip(w.tables["communities"]["code"], w.tables["communities"]["name"], strict=True))
    for community, grids in of.items():
        inside = {"township": township[community], "community": community}
        branches = _branches(sheets, community, name_of[community], inside) if len(grids) >= _BRANCH_FROM else []
        for n, k in enumerate(sorted(grids, key=lambda k: table["code"][k])):
            code = table["code"][k]
            placed = {"place": code, **inside, "grid": code}
            parent = branches[n * len(branches) // len(grids)] if branches else community
            name = f"{table['name'][k]}党支部"
            sheets.unit(code, name, UnitKind.GRID_BRANCH, Level.GRID, parent=parent, **placed)
            for kind in (
                *(_K.GRID_SECRETARY, _K.COMPOUND_LEADER),
                *(_K.COMMITTEE_MEMBER, _K.ESCORT_CADRE, _K.COMMUNITY_CADRE),
            ):
                sheets.post(code, kind, **placed)


def _branches(sheets: _Sheets, community: str, name: str, inside: dict[str, str]) -> list[str]:
    codes = []
    for n, half in enumerate(_HALVES, start=1):
        code = f"{community}R{n}"
        title = f"{name}{half}片区域党支部"
        sheets.unit(code, title, UnitKind.REGIONAL_BRANCH, Level.BRANCH, parent=community, **inside)
        sheets.post(code, _K.REGIONAL_SECRETARY, **inside)
        codes.append(code)
    return codes


def _several(w: Writer) -> Iterator[tuple[str, str, str, int]]:
    """Buildings with several stairwells: code, community, grid, stairwells."""
    b = w.tables["buildings"]
    for code, community, grid, units in zip(b["code"], b["community"], b["grid"], b["units"], strict=True):
        if units > 1:
            yield code, community, grid, units


def _buildings(sheets: _Sheets, w: Writer) -> None:
    """A Party group for every block, and somebody for each of its stairwells."""
    township = dict(zip(w.tables["communities"]["code"], w.tables["communities"]["township"], strict=True))
    for code, community, grid, units in _several(w):
        inside = {"township": township[community], "community": community, "grid": grid}
        name = f"{int(code[-4:])}号楼党小组"
        kind = UnitKind.BUILDING_GROUP
        sheets.unit(code, name, kind, Level.BUILDING, parent=grid, place=code, **inside)
        sheets.post(code, _K.GROUP_LEADER, place=code, **inside)
        for n in range(1, units + 1):
            sheets.post(f"{code}-{n}", _K.STAIRWELL_HEAD, place=f"{code}-{n}", **inside)


def _people(sheets: _Sheets, w: Writer) -> None:
    """Holders and deputies of all posts that have none yet, but for a few; some terms are over."""
    size = len(sheets.posts)
    holders, deputies = (list(zip(*w.people(size), strict=True)) for _ in range(2))
    luck, old, alone = w.rng.random((3, size))
    for k, post in enumerate(sheets.posts):
        if "holder" not in post:
            post["holder"], post["holder_phone"] = ("", "") if luck[k] < _VACANT else holders[k]
        small = post["kind"] in (_K.STAIRWELL_HEAD.value, _K.DEPARTMENT_HEAD.value)
        if alone[k] >= _NO_DEPUTY and not small:
            post["deputy"], post["deputy_phone"] = deputies[k]
        if old[k] < _OLD and post["holder"]:
            post["term_to"] = _OVER


def _gaps(sheets: _Sheets, w: Writer) -> None:
    """What a reader must find: somebody with five posts, and blocks without a head."""
    cadres = [post for post in sheets.posts if post["kind"] == _K.COMMUNITY_CADRE.value][:5]
    for post in cadres[1:]:
        post["holder"], post["holder_phone"] = cadres[0]["holder"], cadres[0]["holder_phone"]
    b = w.tables["buildings"]
    blocks = [k for k, units in enumerate(b["units"]) if units > 1]
    gone = set(w.rng.choice(blocks, len(blocks) // 60, replace=False).tolist())
    for column in ("head", "head_phone"):
        b[column] = ["" if k in gone else value for k, value in enumerate(b[column])]

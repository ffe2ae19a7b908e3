"""A new set of grids from a file: read, checked, matched with today's, and kept as a change set; nothing half saved."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, select

from pingji.data import features
from pingji.data.errors import (
    BrokenGeometry,
    DuplicateGrid,
    EmptyFile,
    FileError,
    GridDoesNotFit,
    GridOnOthersGround,
    ImportRefused,
    OutsideCounty,
    UnknownCounty,
    UnknownGridCommunity,
)
from pingji.data.files import county as counties
from pingji.data.files.guard import require_file
from pingji.data.files.mapping import load_mapping
from pingji.data.files.reading import ImportOptions, read_rows, settle_shift
from pingji.data.files.rows import Row, Rows
from pingji.data.files.source import Note
from pingji.data.grids import drafts
from pingji.data.grids.ground import DESCRIBED, Ground, load_ground
from pingji.data.grids.intents import NothingWouldChange, carry_out
from pingji.data.grids.problems import problems_of
from pingji.data.grids.stored import plain
from pingji.data.sql import among
from pingji.data.tables import past_grids
from pingji.geo.coverage import Edit
from pingji.geo.coverage.errors import CoverageError, OutsideCommunity, WouldSelfIntersect
from pingji.geo.coverage.match import Match, ended, match
from pingji.ops.change_set import ChangeSet, Reason
from pingji.ops.errors import OpsError

_MASKED = "*"  # of a phone number: an export that comes back must not overwrite the real one
_SHOWN = 10  # codes that a note lists

Edits = Sequence[tuple[Mapping[str, Any], Edit, Mapping[str, Mapping[str, str]]]]  # intent, edit, values


class NothingNew(OpsError):
    """The grids of a file are those that stand today. `file`, `n`."""


@dataclass(frozen=True, slots=True)
class Recoded:
    """A row whose grid is not the one that its code names: the code that the file gives, and the one that it gets.

    `code` is empty for a new grid, which is numbered when it is published. `share` is what it has in common with the
    grid that it continues: of the ground and of the households, 0 to 1.
    """

    row: int
    given: str
    code: str
    how: Literal["overlap", "new"]
    share: float


@dataclass(frozen=True, slots=True)
class GridReport:
    """What a file of grids comes to."""

    file: str
    read: int
    kept: int
    dropped: int
    errors: Sequence[FileError]
    notes: Sequence[Note]
    unchanged: int = 0
    matched_by_code: int = 0
    matched_by_overlap: int = 0
    new: int = 0
    ended: Sequence[str] = ()
    recoded: Sequence[Recoded] = ()


@dataclass(frozen=True, slots=True, eq=False)
class GridPlan:
    """A checked file: the edits that would be kept, each with the intent that it came of."""

    county: str
    communities: Sequence[str]
    edits: Edits
    report: GridReport = field(repr=False)


def plan_grids(conn: Connection, path: Path, options: ImportOptions) -> GridPlan:
    """Read a file of grids and find out what it would change; nothing is written.

    Parameters
    ----------
    path : Path
        Shapefile (or a .zip of one), GeoPackage or GeoJSON with all grids of one community or of several.
    options : ImportOptions
        `mapping`, `crs`, `encoding`, `accept_offset`, `repair` and `county` count.

    Raises
    ------
    FileError
        What spoils the whole file. What is wrong with single rows is in the plan's report.
    """
    require_file(path)
    mapping = load_mapping(options.mapping) if options.mapping else None
    county = counties.county_code(conn, path.name, options.county, mapping)
    outline = counties.outline_of(conn, county)
    if outline is None:
        raise UnknownCounty(file=path.name, value=county)
    rows, skip = read_rows(features.table_of("grids"), [path], options, mapping, optional=("code",))
    places = _Places(conn, county)
    homes = _by_code(rows, places)
    # The same communities as they are today show a shift best; the county's outline, where no code says which.
    reference = places.ground(set(homes.values())) if len(homes) == len(rows.kept) else None
    reference = reference or outline
    settle_shift(rows, counties.shift_of(rows.kept, reference, "grids"), options, path.name)
    if not rows.errors:
        counties.drop_outside(rows, outline, skip)
        homes |= _by_place(rows, homes, places)
    if not rows.kept and not rows.errors:
        raise EmptyFile(file=path.name)
    if rows.errors:
        return GridPlan(county, (), (), _report(path.name, rows))
    return _planned(conn, county, path.name, rows, homes)


def keep_grids(
    conn: Connection, plan: GridPlan, *, id: str, name: str, reason: Reason, note: str, actor: str, at: int
) -> ChangeSet:
    """Keep a plan as a change set of its own, in the caller's transaction.

    Parameters
    ----------
    id : str
        Of the change set.
    at : int
        Microseconds since 1970 UTC.

    Raises
    ------
    ImportRefused, NothingNew
        The plan has errors, or no edit; nothing was written.
    """
    if plan.report.errors:
        raise ImportRefused(file=plan.report.file, value=len(plan.report.errors))
    if not plan.edits:
        raise NothingNew(file=plan.report.file, n=plan.report.kept)
    kept = drafts.begin(
        conn,
        plan.county,
        id=id,
        name=name,
        reason=reason,
        note=note,
        origin="import",
        author=actor,
        communities=plan.communities,
        at=at,
    )
    for n, (intent, edit, values) in enumerate(plan.edits, start=1):
        kept = drafts.append(
            conn,
            plan.county,
            kept,
            edit_id=f"{id}-{n}",
            intent=intent,
            edit=edit,
            values=values,
            actor=actor,
            at=at,
        )
    return kept


class _Places:
    """The communities of a county: their names, where they lie, and their grids of today."""

    def __init__(self, conn: Connection, county: str) -> None:
        found = features.load_features(conn, county, "communities", columns=("name",))
        self.shapes = {f.code: f.geometry for f in found}
        self.named = {str(f.values["name"]): f.code for f in found if f.values["name"]}
        self.tree = shapely.STRtree(list(self.shapes.values()))
        self.grids = features.load_features(conn, county, "grids", columns=("community",))
        self.of_grid = {f.code: str(f.values["community"]) for f in self.grids}

    def of_code(self, code: str) -> str:
        """The community of today's grid of a code, or the one whose code it begins with; empty where neither is."""
        if self.of_grid.get(code) in self.shapes:
            return self.of_grid[code]
        fitting = [known for known in self.shapes if code.startswith(known) and code != known]
        return max(fitting, key=len, default="")

    def of_name(self, written: str) -> str:
        """The community that a column of the file names, by code or by name; empty where none is."""
        return written if written in self.shapes else self.named.get(written, "")

    def of_shape(self, shape: BaseGeometry) -> str:
        """The community that has most of a shape; empty where none has any."""
        near = [list(self.shapes)[i] for i in self.tree.query(shape).tolist()]
        common = {code: shapely.intersection(self.shapes[code], shape).area for code in near}
        best = max(common, key=lambda code: common[code], default="")
        return best if common.get(best) else ""

    def ground(self, codes: Collection[str]) -> BaseGeometry | None:
        """The ground of the grids that some communities have today; None where they have none."""
        found = [f.geometry for f in self.grids if f.values["community"] in codes]
        return shapely.union_all(shapely.make_valid(found)) if found else None


def _by_code(rows: Rows, places: _Places) -> dict[int, str]:
    """The community of every row whose code or column tells it; codes that none has, or that come twice, are errors."""
    homes: dict[int, str] = {}
    seen: set[str] = set()
    for row in rows.kept:
        code = str(row.values.get("code", ""))
        where: dict[str, Any] = {"file": row.file, "row": row.row, "field": row.code_header, "value": code}
        if code and code in seen:
            rows.errors.append(DuplicateGrid(**where))
        seen.add(code)
        home = places.of_code(code) if code else places.of_name(str(row.values.get("community", "")))
        if home:
            homes[row.row] = home
        elif code:
            rows.errors.append(UnknownGridCommunity(**where))
    return homes


def _by_place(rows: Rows, known: Mapping[int, str], places: _Places) -> dict[int, str]:
    """The community of rows without code, by where they lie."""
    homes: dict[int, str] = {}
    for row in rows.kept:
        if row.row in known:
            continue
        home = places.of_shape(shapely.make_valid(row.geometry))
        if home:
            homes[row.row] = home
        else:
            rows.errors.append(OutsideCounty(file=row.file, row=row.row, field="geometry", value=_lonlat(row.geometry)))
    return homes


def _planned(conn: Connection, county: str, file: str, rows: Rows, homes: Mapping[int, str]) -> GridPlan:
    """What checked rows change: each community's grids matched with today's, and drawn anew."""
    ground = load_ground(conn, county, sorted(set(homes.values())))
    by_home: dict[str, list[Row]] = defaultdict(list)
    for row in rows.kept:
        by_home[homes[row.row]].append(row)
    listed: dict[str, list[dict[str, Any]]] = {}
    counts: Counter[str] = Counter()
    recoded: list[Recoded] = []
    gone: list[str] = []
    for home in ground.communities:
        mine = by_home[home]
        matches, over = _matched(ground, home, mine)
        counts.update(one.how for one in matches)
        gone += over
        listed[home] = [_grid(home, row, one) for row, one in zip(mine, matches, strict=True)]
        for row, one in zip(mine, matches, strict=True):
            if one.how != "code":
                recoded.append(Recoded(row.row, str(row.values.get("code", "")), one.code, one.how, one.share))
    try:
        edits, after = _edits(conn, ground, listed)
    except CoverageError as error:
        rows.errors.append(_refusal(error, rows.kept))
        return GridPlan(county, (), (), _report(file, rows))
    rows.notes += _notes(conn, county, file, recoded, after)
    changed = {code for _, edit, _ in edits for code in (*edit.gained_m2, *edit.lost_m2, *edit.added)}
    described = {code for _, _, values in edits for code in values}
    matched = {code for grids in listed.values() for one in grids if (code := one["code"])}
    report = _report(
        file,
        rows,
        unchanged=len(matched - changed - described),
        matched_by_code=counts["code"],
        matched_by_overlap=counts["overlap"],
        new=counts["new"],
        ended=gone,
        recoded=recoded,
    )
    touched = {after.coverage.community(code) or ground.coverage.community(code) for code in changed | described}
    touched |= {ground.coverage.community(code) for code in gone}
    return GridPlan(county, [home for home in ground.communities if home in touched], edits, report)


def _matched(ground: Ground, home: str, rows: Sequence[Row]) -> tuple[list[Match], list[str]]:
    """Which of a community's grids each row continues, and those that none does."""
    old = {code: ground.coverage[code] for code in ground.own() if ground.coverage.community(code) == home}
    shapes = [plain(row.geometry) for row in rows]
    given = [str(row.values.get("code", "")) for row in rows]
    people = ground.people.points[np.array(ground.people.communities, dtype=object) == home]
    matches = match(old, shapes, given, people)
    return matches, ended(old, matches)


def _grid(home: str, row: Row, one: Match) -> dict[str, Any]:
    """A row as an entry of the intent `redraw`; attributes only where the file has them, and in full."""
    said = {name: str(row.values.get(name, "")) for name in DESCRIBED}
    values = {name: text for name, text in said.items() if text and _MASKED not in text}
    geometry = shapely.geometry.mapping(plain(row.geometry))
    return {"code": one.code, "community": home, "geometry": geometry, "values": values}


def _edits(conn: Connection, ground: Ground, listed: Mapping[str, list[dict[str, Any]]]) -> tuple[Edits, Ground]:
    """One edit a community; where the file moves ground between its communities, one for all of them."""
    try:
        return _carried(conn, ground, list(listed.values()))
    except OutsideCommunity:
        if len(listed) == 1:
            raise
        return _carried(conn, ground, [[one for grids in listed.values() for one in grids]])


def _carried(conn: Connection, ground: Ground, groups: Sequence[list[dict[str, Any]]]) -> tuple[Edits, Ground]:
    edits: list[tuple[Mapping[str, Any], Edit, Mapping[str, Mapping[str, str]]]] = []
    for grids in groups:
        intent = {"kind": "redraw", "grids": grids}
        try:
            edit, values = carry_out(conn, ground.county, ground, intent)
        except NothingWouldChange:
            continue
        if not (edit.gained_m2 or edit.lost_m2 or edit.added or edit.removed or values):
            continue  # other vertices along the same borders: no ground changes hands
        edits.append((_slim(intent, edit), edit, values))
        ground = ground.with_edit(edit, values)
    return edits, ground


def _slim(intent: Mapping[str, Any], edit: Edit) -> dict[str, Any]:
    """The intent without the geometry of grids that stay as they are: done again, it leaves them as they are then."""
    grids = []
    for one in intent["grids"]:
        stays = one["code"] and one["code"] not in edit.after
        grids.append({key: value for key, value in one.items() if key != "geometry" or not stays})
    return {**intent, "grids": grids}


def _refusal(error: CoverageError, rows: Sequence[Row]) -> FileError:
    """A refusal of the kernel as an error of the file: in the row that lies where it was refused."""
    place = error.params.get("lonlat")
    codes = set(error.params.get("codes") or ())  # type: ignore[call-overload]
    found = [row for row in rows if str(row.values.get("code", "")) in codes]
    if isinstance(place, tuple):
        found = found or [row for row in rows if shapely.intersects_xy(row.geometry, *place)]
    row = found[0] if found else rows[0]
    said = f"{place[0]:.5f}, {place[1]:.5f}" if isinstance(place, tuple) else ", ".join(sorted(codes))
    if isinstance(error, OutsideCommunity):
        return GridOnOthersGround(file=row.file, row=row.row, field="geometry", value=said)
    if isinstance(error, WouldSelfIntersect):
        return BrokenGeometry(file=row.file, row=row.row, field="geometry", value=f"Self-intersection [{said}]")
    return GridDoesNotFit(file=row.file, row=row.row, field="geometry", value=said)


def _notes(conn: Connection, county: str, file: str, recoded: Sequence[Recoded], after: Ground) -> list[Note]:
    """What whoever imports should know of codes, and of what is wrong with the new grids."""
    notes = []
    given = {one.given for one in recoded if one.given}
    c = past_grids.c
    query = select(c.code).where(c.county == county, among(conn, c.code, given)).distinct()
    once = sorted(conn.scalars(query)) if given else []
    if once:
        notes.append(Note("codes_ended", {"file": file, "n": len(once), "codes": _some(once)}))
    others = sorted(given - set(once))
    if others:
        notes.append(Note("codes_not_kept", {"file": file, "n": len(others), "codes": _some(others)}))
    wrong = [problem for problem in problems_of(after) if problem.new and problem.severity == "error"]
    if wrong:
        notes.append(Note("draft_problems", {"file": file, "n": len(wrong)}))
    return notes


def _some(codes: Sequence[str]) -> str:
    return ", ".join(codes[:_SHOWN]) + (" …" if len(codes) > _SHOWN else "")


def _report(file: str, rows: Rows, **figures: Any) -> GridReport:
    return GridReport(file, rows.read, len(rows.kept), len(rows.dropped), rows.errors, rows.notes, **figures)


def _lonlat(shape: BaseGeometry) -> str:
    return f"{shape.centroid.x:.5f}, {shape.centroid.y:.5f}"

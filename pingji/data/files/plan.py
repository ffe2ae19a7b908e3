"""Imports: planned and checked first, then applied in one transaction, or not at all."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, Table, select

from pingji.data import derive, features, journal, notify
from pingji.data.errors import BadMapping, EmptyFile, FileError, GridsHaveHistory, ImportRefused, UnknownCounty
from pingji.data.files import county as counties
from pingji.data.files.guard import require_file
from pingji.data.files.mapping import FileMapping, load_mapping
from pingji.data.files.reading import ImportOptions, read_rows, settle_shift
from pingji.data.files.rows import Rows, drop_duplicates
from pingji.data.files.source import Note
from pingji.data.grids.holding import ended_codes, has_history
from pingji.geo.coverage import find_problems
from pingji.geo.gcj02 import OffsetFinding

_GROUND = {"communities", "grids", "area"}  # layers whose union is the county itself
_EXPECTED = {
    "danger_zones": ("route", "transfer_point", "county_holder", "township_holder", "village_holder"),
    "grids": ("leader",),
    "transfer_points": ("capacity",),
    "shelters": ("capacity",),
}


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did with every row that was read."""

    files: tuple[str, ...]
    read: int
    kept: int
    dropped: Mapping[str, int]
    drops: Sequence[FileError]
    errors: Sequence[FileError]
    notes: Sequence[Note]
    offset: OffsetFinding | None


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """A checked import: what would be written, and the report. `apply_import` refuses it while it has errors."""

    layer: str
    county: str
    rows: Sequence[Mapping[str, object]]
    areas: Sequence[Mapping[str, object]]
    replace: bool
    report: ImportReport = field(repr=False)


def plan_import(
    conn: Connection, layer: str, files: Sequence[Path], options: ImportOptions | None = None
) -> ImportPlan:
    """Read files for a layer and check every row; nothing is written.

    Raises
    ------
    FileError
        What spoils a whole file. What is wrong with single rows is in the plan's report.
    """
    options = options or ImportOptions()
    table = features.table_of(layer)
    first = files[0].name
    for path in files:
        require_file(path)
    mapping = _mapping_for(layer, options)
    county = counties.county_code(conn, first, options.county, mapping)
    outline = counties.outline_of(conn, county)
    if outline is None and layer not in _GROUND:
        raise UnknownCounty(file=first, value=county)
    if layer == "grids" and options.replace and has_history(conn, county):
        raise GridsHaveHistory(file=first)

    rows, skip = read_rows(table, files, options, mapping)
    drop_duplicates(rows, set() if options.replace else _codes_used(conn, county, table), skip)
    found = counties.shift_of(rows.kept, outline, layer) if outline is not None else None
    offset = settle_shift(rows, found, options, first)
    if outline is not None:
        counties.drop_outside(rows, outline, skip)
    if not rows.kept and not rows.errors:
        raise EmptyFile(file=first)

    areas: list[dict[str, object]] = []
    if outline is None and layer != "area" and not rows.errors:
        areas = counties.declared_areas(county, mapping.county_name if mapping else "", rows.kept)
        rows.notes.append(Note("area_made", {"county": county, "township": counties.township_code(county)}))
    if layer == "communities":
        township = counties.township_code(county) if areas else counties.only_township(conn, county)
        for row in rows.kept:
            row.values.setdefault("township", township)
    _note_incomplete(layer, rows)
    _note_coverage(layer, rows)
    ready = [{**row.values, "geom": row.geometry, "source": row.source} for row in rows.kept]
    return ImportPlan(layer, county, ready, areas, options.replace, _report(files, rows, offset))


def _mapping_for(layer: str, options: ImportOptions) -> FileMapping | None:
    mapping = load_mapping(options.mapping) if options.mapping else None
    if mapping is not None and layer not in mapping.layers:
        raise BadMapping(file=mapping.name, field=f"layers.{layer}", value=", ".join(mapping.layers))
    return mapping


def _codes_used(conn: Connection, county: str, table: Table) -> set[str]:
    """Codes that a row of the file can't have any more; those of ended grids are never given out again."""
    stored = set(conn.execute(select(table.c.code).where(table.c.county == county)).scalars())
    return stored | ended_codes(conn, county) if table.name == "grids" else stored


def _report(files: Sequence[Path], rows: Rows, offset: OffsetFinding | None) -> ImportReport:
    return ImportReport(
        tuple(file.name for file in files),
        rows.read,
        len(rows.kept),
        dict(Counter(reason for reason, _ in rows.dropped)),
        [error for _, error in rows.dropped if error is not None],
        rows.errors,
        rows.notes,
        offset,
    )


def apply_import(conn: Connection, plan: ImportPlan, *, actor: str = "", at: int | None = None, title: str = "") -> int:
    """Write a plan inside the caller's transaction, with its journal entry; how many rows it wrote.

    Parameters
    ----------
    title : str, optional
        What people call the layer, for the journal and the screens' news; the layer's name when left out.
    at : int, optional
        Microseconds since 1970 UTC, for the journal; now when left out.

    Raises
    ------
    ImportRefused
        The plan has errors; nothing was written.
    """
    if plan.report.errors:
        raise ImportRefused(file=plan.report.errors[0].params["file"], value=len(plan.report.errors))  # type: ignore[arg-type]
    removed = features.remove(conn, plan.county, plan.layer) if plan.replace else 0
    features.insert(conn, plan.county, "area", plan.areas)
    written = features.insert(conn, plan.county, plan.layer, plan.rows)
    derive.refresh(conn, plan.county)
    detail: dict[str, object] = {
        "layer": plan.layer,
        "name": title or plan.layer,
        "n": written,
        "file": ", ".join(plan.report.files),
        "read": plan.report.read,
        "removed": removed,
    }
    moment = time.time_ns() // 1000 if at is None else at
    journal.write(conn, plan.county, at=moment, actor=actor, action="import", scope=plan.county, detail=detail)
    notify.notify(conn, f"layer:{plan.county}:{plan.layer}")
    return written


def _note_incomplete(layer: str, rows: Rows) -> None:
    for column in _EXPECTED.get(layer, ()):
        missing = sum(1 for row in rows.kept if not row.values.get(column))
        if missing:
            rows.notes.append(Note("incomplete", {"layer": layer, "field": column, "n": missing}))


def _note_coverage(layer: str, rows: Rows) -> None:
    if layer not in {"communities", "grids"}:
        return
    for kind, n in Counter(p.kind for p in find_problems([row.geometry for row in rows.kept])).items():
        rows.notes.append(Note(f"coverage_{kind}", {"layer": layer, "n": n}))

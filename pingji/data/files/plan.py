"""Imports: planned and checked first, then applied in one transaction, or not at all."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, Table, select

from pingji.data import derive, features, journal, notify
from pingji.data.errors import BadMapping, EmptyFile, FileError, ImportRefused, ShiftUndecided, UnknownCounty
from pingji.data.files import county as counties
from pingji.data.files.guard import require_file
from pingji.data.files.mapping import FileMapping, LayerMapping, load_mapping, require_fields
from pingji.data.files.rows import Rows, build_rows, by_headers, drop_duplicates
from pingji.data.files.source import Note, read_source
from pingji.geo.coverage import find_problems
from pingji.geo.gcj02 import OffsetFinding, correct

_GROUND = {"communities", "grids", "area"}  # layers whose union is the county itself
_EXPECTED = {
    "danger_zones": ("route", "transfer_point", "county_holder", "township_holder", "village_holder"),
    "grids": ("leader",),
    "transfer_points": ("capacity",),
    "shelters": ("capacity",),
}


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What whoever imports has said. `accept_offset` `none` means: the coordinates are right as they are."""

    mapping: str | None = None
    crs: str | None = None
    encoding: str | None = None
    accept_offset: Literal["gcj02", "bd09", "none"] | None = None
    replace: bool = False
    repair: bool = False
    county: str | None = None


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
    mapping = load_mapping(options.mapping) if options.mapping else None
    if mapping is not None and layer not in mapping.layers:
        raise BadMapping(file=mapping.name, field=f"layers.{layer}", value=", ".join(mapping.layers))
    county = counties.county_code(conn, first, options.county, mapping)
    outline = counties.outline_of(conn, county)
    if outline is None and layer not in _GROUND:
        raise UnknownCounty(file=first, value=county)

    rows, skip = _read_all(table, files, options, mapping)
    stored: set[str] = set()
    if not options.replace:
        stored = set(conn.execute(select(table.c.code).where(table.c.county == county)).scalars())
    drop_duplicates(rows, stored, skip)
    offset = _settle_shift(rows, outline, layer, options, first)
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
    report = ImportReport(
        tuple(file.name for file in files),
        rows.read,
        len(rows.kept),
        dict(Counter(reason for reason, _ in rows.dropped)),
        [error for _, error in rows.dropped if error is not None],
        rows.errors,
        rows.notes,
        offset,
    )
    ready = [{**row.values, "geom": row.geometry, "source": row.source} for row in rows.kept]
    return ImportPlan(layer, county, ready, areas, options.replace, report)


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


def _read_all(
    table: Table, files: Sequence[Path], options: ImportOptions, mapping: FileMapping | None
) -> tuple[Rows, frozenset[str]]:
    rows = Rows()
    skip: frozenset[str] = frozenset()
    for path in files:
        source = read_source(path, crs=options.crs, encoding=options.encoding)
        layer: LayerMapping = mapping.layers[table.name] if mapping else by_headers(table, source)
        require_fields(layer, source.names, source.file)
        skip = layer.skip
        part = build_rows(table, source, layer, repair=options.repair)
        rows.read += part.read
        rows.kept += part.kept
        rows.errors += part.errors
        rows.dropped += part.dropped
        rows.notes += [*source.notes, *part.notes]
    return rows, skip


def _settle_shift(
    rows: Rows, outline: BaseGeometry | None, layer: str, options: ImportOptions, file: str
) -> OffsetFinding | None:
    """Notice a shift; correct it where that was asked, refuse where nobody has decided."""
    found = counties.shift_of(rows.kept, outline, layer) if outline is not None else None
    if options.accept_offset in ("gcj02", "bd09"):
        shapes = correct(np.array([row.geometry for row in rows.kept], dtype=object), options.accept_offset)
        rows.kept = [replace(row, geometry=shape) for row, shape in zip(rows.kept, shapes, strict=True)]
        rows.notes.append(Note("offset_corrected", {"file": file, "system": options.accept_offset.upper()}))
        if found is None or found.system != options.accept_offset:
            rows.notes.append(Note("offset_unproven", {"file": file, "system": options.accept_offset.upper()}))
    elif found is not None:
        params = {"file": file, "system": found.system.upper(), "metres": round(found.shift_m)}
        rows.notes.append(Note("offset_suspected", {**params, "confidence": round(100 * found.confidence)}))
        if options.accept_offset is None:
            rows.errors.append(ShiftUndecided(file=file, value=found.system))
    return found


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

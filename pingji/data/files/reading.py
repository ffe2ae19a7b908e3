"""Reading: files as checked rows of a layer, and what to do about shifted coordinates; it knows no store."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from sqlalchemy import Table

from pingji.data.errors import ShiftUndecided
from pingji.data.files.mapping import FileMapping, LayerMapping, require_fields
from pingji.data.files.rows import Rows, build_rows, by_headers
from pingji.data.files.source import Note, read_source
from pingji.geo.gcj02 import OffsetFinding, correct


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


def read_rows(
    table: Table,
    files: Sequence[Path],
    options: ImportOptions,
    mapping: FileMapping | None = None,
    *,
    optional: Collection[str] = (),
) -> tuple[Rows, frozenset[str]]:
    """All rows of files for one layer, each checked, and the reasons for which the mapping lets rows go.

    Parameters
    ----------
    optional : collection of str
        Columns that the layer needs and these files may lack, or leave blank.

    Raises
    ------
    FileError
        What spoils a whole file. What is wrong with single rows is among `errors`.
    """
    rows = Rows()
    skip: frozenset[str] = frozenset()
    for path in files:
        source = read_source(path, crs=options.crs, encoding=options.encoding)
        layer: LayerMapping = mapping.layers[table.name] if mapping else by_headers(table, source, optional=optional)
        require_fields(layer, source.names, source.file)
        skip = layer.skip
        part = build_rows(table, source, layer, repair=options.repair, optional=optional)
        rows.read += part.read
        rows.kept += part.kept
        rows.errors += part.errors
        rows.dropped += part.dropped
        rows.notes += [*source.notes, *part.notes]
    return rows, skip


def settle_shift(rows: Rows, found: OffsetFinding | None, options: ImportOptions, file: str) -> OffsetFinding | None:
    """Correct a shift where that was asked; refuse one that was noticed and nobody has decided about."""
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

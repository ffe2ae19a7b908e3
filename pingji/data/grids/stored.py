"""Polygons and edits as change sets keep them: exact to the byte, and one part is one polygon.

The table of grids holds multipolygons, edits give back polygons or multipolygons: whatever is compared or kept goes
through `plain` first, so that the same ground with the same vertices is the same bytes.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from pingji.geo.coverage import Edit
from pingji.geo.coverage.planar import Area

Described = Mapping[str, Mapping[str, str]]  # code → column → text


def plain(shape: BaseGeometry) -> Area:
    """A shape of one part as a polygon, of several as a multipolygon, its coordinates untouched.

    Examples
    --------
    >>> box = shapely.box(0, 0, 1, 1)
    >>> plain(shapely.MultiPolygon([box])).geom_type, plain(box) is box
    ('Polygon', True)
    """
    if isinstance(shape, shapely.MultiPolygon) and len(shape.geoms) == 1:
        return shape.geoms[0]
    if not isinstance(shape, shapely.Polygon | shapely.MultiPolygon):
        raise TypeError(f"a grid is a polygon or a multipolygon, not a {shape.geom_type}")
    return shape


def plain_edit(edit: Edit) -> Edit:
    """An edit with every polygon in its plain form; the kernel leaves multipolygons of one part behind."""
    return Edit(
        edit.kind,
        {code: plain(shape) for code, shape in edit.before.items()},
        {code: plain(shape) for code, shape in edit.after.items()},
        edit.lineage,
        dict(edit.gained_m2),
        dict(edit.lost_m2),
        dict(edit.communities),
    )


def same(one: BaseGeometry | None, other: BaseGeometry | None) -> bool:
    """Whether two grids have the same vertices in the same order, to the last bit; None is no grid.

    Examples
    --------
    >>> box = shapely.box(0, 0, 1, 1)
    >>> same(box, shapely.MultiPolygon([box])), same(box, None), same(box, shapely.box(0, 0, 1, 1.5))
    (True, False, False)
    """
    if one is None or other is None:
        return one is other
    return bool(shapely.equals_identical(plain(one), plain(other)))


def to_hex(shape: BaseGeometry) -> str:
    """WKB in hexadecimal, little-endian."""
    return str(shapely.to_wkb(plain(shape), hex=True, byte_order=1))


def from_hex(text: str) -> Area:
    """What `to_hex` wrote."""
    return plain(shapely.from_wkb(text))


def to_change(edit: Edit, values: Described, found: Described) -> dict[str, object]:
    """An edit, the attributes it gives, and those that were `found` in their place, as the JSON of a row."""
    return {
        "before": {code: to_hex(shape) for code, shape in edit.before.items()},
        "after": {code: to_hex(shape) for code, shape in edit.after.items()},
        "lineage": [list(pair) for pair in edit.lineage],
        "gained_m2": dict(edit.gained_m2),
        "lost_m2": dict(edit.lost_m2),
        "communities": dict(edit.communities),
        "values": {code: dict(given) for code, given in values.items()},
        "found": {code: dict(columns) for code, columns in found.items()},
    }


def from_change(kind: str, change: Mapping[str, Any]) -> tuple[Edit, Described, Described]:
    """What `to_change` wrote."""
    edit = Edit(
        kind,
        {code: from_hex(text) for code, text in change.get("before", {}).items()},
        {code: from_hex(text) for code, text in change.get("after", {}).items()},
        tuple((a, b) for a, b in change.get("lineage", ())),
        change.get("gained_m2", {}),
        change.get("lost_m2", {}),
        change.get("communities", {}),
    )
    return edit, change.get("values", {}), change.get("found", {})


def array_of(shapes: Iterable[BaseGeometry]) -> NDArray[np.object_]:
    """Shapes as an array, one element each."""
    found: Sequence[BaseGeometry] = list(shapes)
    out = np.empty(len(found), dtype=object)
    out[:] = found
    return out

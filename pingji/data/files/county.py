"""Counties as an import sees them: which one is meant, its outline, and the areas that a first import makes."""

from collections.abc import Iterable, Sequence

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, select

from pingji.data import features
from pingji.data.errors import OutsideCounty, UnknownCounty
from pingji.data.files.mapping import FileMapping
from pingji.data.files.rows import Row, Rows
from pingji.data.tables import area
from pingji.geo.crs import metric_crs, to_lonlat, to_metric
from pingji.geo.gcj02 import OffsetFinding, detect_offset

MARGIN_M = 2_000.0  # rivers and roads run on, outlines of different years differ


def county_code(conn: Connection, file: str, given: str | None, mapping: FileMapping | None) -> str:
    """The county to import into: the one that was said, the mapping's, or the store's only one."""
    if given:
        return given
    if mapping is not None and mapping.county:
        return mapping.county
    known = conn.execute(select(area.c.county).where(area.c.level == "county").distinct()).scalars().all()
    if len(known) != 1:
        raise UnknownCounty(file=file, value=", ".join(known))
    return str(known[0])


def outline_of(conn: Connection, county: str) -> BaseGeometry | None:
    """The county's outline, where the store has one."""
    found = features.load_features(conn, county, "area", columns=(), where=area.c.level == "county")
    return shapely.union_all([f.geometry for f in found]) if found else None


def only_township(conn: Connection, county: str) -> str:
    """The code of the county's one township; empty where it has none or several."""
    codes = conn.execute(select(area.c.code).where(area.c.county == county, area.c.level == "township")).scalars().all()
    return str(codes[0]) if len(codes) == 1 else ""


def declared_areas(county: str, name: str, rows: Sequence[Row]) -> list[dict[str, object]]:
    """Rows for `area` when a first import brings the ground itself: the county, and one township under it."""
    outline = shapely.union_all([row.geometry for row in rows])
    common = {"name": name or county, "geom": outline}
    return [
        {**common, "code": county, "level": "county", "parent": ""},
        {**common, "code": township_code(county), "level": "township", "parent": county},
    ]


def township_code(county: str) -> str:
    """The code of the one township that a county without townships gets.

    >>> township_code("25017")
    '25017001'
    """
    return f"{county}001"


def shift_of(rows: Iterable[Row], outline: BaseGeometry, layer: str) -> OffsetFinding | None:
    """Evidence that the rows are in GCJ-02 or BD-09."""
    shapes = [row.geometry for row in rows]
    if not shapes:
        return None
    if layer in {"communities", "grids", "area"}:
        whole = shapely.union_all(shapely.make_valid(shapes))
    else:
        whole = shapely.GeometryCollection(shapes)
    return detect_offset(whole, outline)


def drop_outside(rows: Rows, outline: BaseGeometry, skip: Iterable[str]) -> None:
    """Refuse rows beyond the county's outline: points and areas by where they are, lines when no part is inside."""
    crs = metric_crs(outline.centroid.x, outline.centroid.y)
    near = to_lonlat(shapely.buffer(to_metric(outline, crs), MARGIN_M), crs)
    shapely.prepare(near)
    kept = []
    for row in rows.kept:
        if shapely.intersects(near, row.geometry):
            kept.append(row)
        else:
            x, y = row.geometry.centroid.coords[0]
            place = f"{x:.5f}, {y:.5f}"
            error = OutsideCounty(file=row.file, row=row.row, field="geometry", value=place)
            rows.refuse("outside_county", error, skip)
    rows.kept = kept

"""Rules of the ground: communities and grids tile what they belong to, and everything lies in the county."""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import shapely

from pingji.data.checks.scene import Finding, Scene, place
from pingji.data.features import Feature
from pingji.data.tables import LAYER_TABLES
from pingji.geo.coverage import find_problems
from pingji.geo.crs import to_lonlat, to_metric
from pingji.geo.gcj02 import detect_offset

_POINTS = tuple(
    name for name, table in LAYER_TABLES.items() if getattr(table.c.geom.type, "geometry_type", "") == "POINT"
)


def communities_tile_the_county(scene: Scene) -> Iterator[Finding]:
    """Error: overlap, gap, or a community that leaves the county."""
    found = scene.features("communities")
    if found:
        yield from _coverage(scene, "communities", found, None)


def grids_tile_their_community(scene: Scene) -> Iterator[Finding]:
    """Error: overlap, gap, a grid that leaves its community or has none."""
    communities = scene.by_code("communities")
    groups: dict[str, list[Feature]] = defaultdict(list)
    for grid in scene.features("grids"):
        groups[str(grid.values["community"])].append(grid)
    for code, grids in groups.items():
        if code in communities:
            yield from _coverage(scene, "grids", grids, communities[code])
        else:
            for grid in grids:
                params = {"field": "community", "value": code}
                yield Finding("error", "unknown_reference", "grids", grid.code, params, place(grid.geometry))


def households_in_their_grid(scene: Scene) -> Iterator[Finding]:
    """Error: a household outside of its grid, or in none."""
    grids = scene.by_code("grids")
    if not grids:
        return
    homes = scene.households
    if not len(homes.code):
        return
    order = np.argsort(homes.grid, kind="stable")
    codes, starts = np.unique(homes.grid[order].astype(str), return_index=True)
    for code, members in zip(codes.tolist(), np.split(order, starts[1:]), strict=True):
        grid = grids.get(code)
        outside = members
        if grid is not None:
            shapely.prepare(grid.geometry)
            x, y = homes.lonlat[members].T
            outside = members[~shapely.intersects_xy(grid.geometry, x, y)]
        for i in outside.tolist():
            x, y = homes.lonlat[i]
            yield Finding("error", "household_outside_grid", "households", homes.code[i], {"grid": code}, (x, y))


def everything_in_the_county(scene: Scene) -> Iterator[Finding]:
    """Error: coordinates outside of the county; roads, rivers and areas run on, and may lie a little beyond."""
    if scene.outline is None:
        return
    ground = to_metric(scene.outline, scene.crs)
    inside = to_lonlat(ground.buffer(scene.limits.outside_m), scene.crs)
    around = to_lonlat(ground.buffer(scene.limits.beyond_m), scene.crs)
    shapely.prepare([inside, around])
    for layer in LAYER_TABLES:
        if layer == "households":
            homes = scene.households
            x, y = homes.lonlat.T
            for i in np.flatnonzero(~shapely.intersects_xy(inside, x, y)).tolist():
                yield Finding("error", "outside_county", layer, homes.code[i], {}, (float(x[i]), float(y[i])))
            continue
        found = scene.features(layer)
        shapes = np.array([feature.geometry for feature in found], dtype=object)
        near = inside if layer in _POINTS else around
        for i in np.flatnonzero(~shapely.intersects(near, shapes)).tolist() if len(found) else ():
            yield Finding("error", "outside_county", layer, found[i].code, {}, place(found[i].geometry))


def layers_not_shifted(scene: Scene) -> Iterator[Finding]:
    """Warning: points that stray as GCJ-02 or BD-09 would make them."""
    if scene.outline is None:
        return
    for layer in _POINTS:
        if layer == "households":
            lonlat = scene.households.lonlat
        else:
            lonlat = shapely.get_coordinates([feature.geometry for feature in scene.features(layer)])
        offset = detect_offset(shapely.MultiPoint(lonlat), scene.outline)
        if offset is not None:
            params = {"system": offset.system.upper(), "metres": round(offset.shift_m)}
            yield Finding("warning", "shifted", layer, "", params, place(scene.outline))


def _coverage(scene: Scene, layer: str, members: list[Feature], parent: Feature | None) -> Iterator[Finding]:
    outline = scene.outline if parent is None else parent.geometry
    shapes = [member.geometry for member in members]
    for problem in find_problems(shapes, outline, scene.limits.coverage_tolerance_m):
        codes = [members[i].code for i in problem.members]
        code = codes[0] if codes else parent.code if parent else scene.county
        params = {"others": ", ".join(codes[1:6]), "area_m2": round(problem.area_m2, 1)}
        params["parent"] = parent.code if parent else scene.county
        yield Finding("error", problem.kind, layer, code, params, place(problem.geometry))

"""Buildings that borders cut: the households of one house would belong to two grids."""

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from pingji.geo.coverage.measure import central_crs
from pingji.geo.crs import to_metric

CutBuilding = tuple[int, list[tuple[int, float]]]


def cut_buildings(
    shapes: Sequence[BaseGeometry] | NDArray[np.object_],
    buildings: Sequence[BaseGeometry] | NDArray[np.object_],
    tolerance_m: float = 0.1,
) -> list[CutBuilding]:
    """The buildings that lie in more than one polygon.

    Parameters
    ----------
    shapes : array of valid Polygon or MultiPolygon, EPSG:4490 lon/lat degrees
    buildings : array of valid geometry, EPSG:4490 lon/lat degrees
        Points and lines have no ground that could be cut.
    tolerance_m : float
        A border that runs along a wall may miss it by this much: a part of less mean width does not count.

    Returns
    -------
    list of (position of the building, [(position of the polygon, m2), ...])
        Buildings in their order; of each, the polygons with most of it first.

    Examples
    --------
    >>> grids = [shapely.box(126.5 + i / 100, 43.6, 126.51 + i / 100, 43.61) for i in range(2)]
    >>> house = shapely.box(126.5099, 43.604, 126.5102, 43.6041)
    >>> ((building, parts),) = cut_buildings(grids, [shapely.Point(126.51, 43.605), house])
    >>> building, [(grid, round(m2)) for grid, m2 in parts]
    (1, [(1, 179), (0, 90)])
    """
    grids, houses = np.asarray(shapes, dtype=object), np.asarray(buildings, dtype=object)
    solid = np.flatnonzero(shapely.area(houses) > 0) if len(houses) else np.empty(0, dtype=np.intp)
    if not len(solid) or not len(grids):
        return []
    tree = shapely.STRtree(grids)
    house, grid = tree.query(houses[solid], predicate="intersects")
    several = (np.bincount(house, minlength=len(solid)) > 1)[house]  # most lie inside one polygon: nothing to cut there
    house, grid = solid[house[several]], grid[several]
    if not len(house):
        return []
    pieces = to_metric(shapely.intersection(houses[house], grids[grid]), central_crs(houses[solid]))
    area, length = np.asarray(shapely.area(pieces)), np.asarray(shapely.length(pieces))
    part = np.flatnonzero(2 * area > tolerance_m * length)
    found: dict[int, list[tuple[int, float]]] = {}
    for i in part[np.lexsort((grid[part], -area[part], house[part]))].tolist():
        found.setdefault(int(house[i]), []).append((int(grid[i]), float(area[i])))
    return [(building, parts) for building, parts in found.items() if len(parts) > 1]

"""Metres of shapes that are stored in degrees: area, width, and the system to measure in."""

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from pingji.geo.crs import metric_crs, to_metric

_STRAIGHT_DEG = 2e-4  # over 20 m an edge bends by a hundredth of a millimetre


def central_crs(shapes: NDArray[np.object_]) -> CRS:
    """The metric system of the middle of shapes in lon/lat degrees.

    Examples
    --------
    >>> central_crs(np.array([shapely.box(126.5, 43.6, 126.6, 43.7)])).to_epsg()
    4551
    """
    west, south, east, north = shapely.total_bounds(shapes)
    return metric_crs(float((west + east) / 2), float((south + north) / 2))


def area_m2(shape: BaseGeometry, crs: CRS) -> float:
    """Area of one shape in lon/lat degrees, measured in `crs`."""
    return float(to_metric(shape, crs).area)


def ground_m2(shapes: NDArray[np.object_], crs: CRS) -> NDArray[np.float64]:
    """Areas of polygons whose long edges are straight in degrees, and so bent in metres, measured in `crs`.

    Two shapes that meet along a border measure the same whichever of them has a vertex there.

    Examples
    --------
    >>> long, more = shapely.box(126.5, 43.6, 126.6, 43.61), shapely.box(126.5, 43.6, 126.6, 43.61).segmentize(0.03)
    >>> one, other = ground_m2(np.array([long, more]), metric_crs(126.5, 43.6))
    >>> bool(abs(one - other) < 0.1)
    True
    """
    parts, shape = shapely.get_parts(shapes, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    if not len(rings):
        return np.zeros(len(shapes))
    # Ring by ring: the densifier mends polygons that it thinks invalid, and loses slivers so.
    dense = to_metric(np.asarray(shapely.segmentize(rings, _STRAIGHT_DEG), dtype=object), crs)
    xy, ring = shapely.get_coordinates(dense, return_index=True)
    xy = xy - xy[np.searchsorted(ring, np.arange(len(rings)))][ring]
    cross = (xy[:-1, 0] * xy[1:, 1] - xy[:-1, 1] * xy[1:, 0]) * (ring[:-1] == ring[1:])
    size = np.abs(np.bincount(ring[:-1], cross, len(rings))) / 2
    exterior = np.concatenate([[True], part[1:] != part[:-1]])
    return np.asarray(np.bincount(shape[part], np.where(exterior, size, -size), len(shapes)))


def metres_by_degree(lat_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    """Metres of a degree of longitude and of one of latitude, shape (n, 2), at latitudes in degrees, shape (n,).

    Examples
    --------
    >>> metres_by_degree(np.array([0.0, 60.0])).round(-1).tolist()
    [[111320.0, 110570.0], [55800.0, 111410.0]]
    """
    lat = np.radians(lat_deg)
    wide = 111_412.84 * np.cos(lat) - 93.5 * np.cos(3 * lat)
    tall = 111_132.95 - 559.82 * np.cos(2 * lat) + 1.175 * np.cos(4 * lat)
    return np.column_stack([wide, tall])


def width_m(shapes: NDArray[np.object_]) -> NDArray[np.float64]:
    """Mean width of each shape in lon/lat degrees: of a sliver it is about twice the area by the perimeter.

    Examples
    --------
    >>> width_m(np.array([shapely.box(126.5, 43.6, 126.5 + 1e-6, 43.7)])).round(2).tolist()
    [0.08]

    Notes
    -----
    Degrees are stretched to metres, shape by shape, and not projected: what is straight stays straight. In a
    projection the edge of a kilometre bends by centimetres, and two edges that are the same but for a node would
    enclose a sliver. Metres by degree: series of the meridian arc and the parallel, CGCS2000 ellipsoid.
    """
    if not len(shapes):
        return np.empty(0)
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    count = np.bincount(owner, minlength=len(shapes))
    metres = metres_by_degree(np.bincount(owner, xy[:, 1], len(shapes)) / np.maximum(count, 1))
    flat = shapely.set_coordinates(shapes.copy(), xy * metres[owner])
    area, length = np.asarray(shapely.area(flat)), np.asarray(shapely.length(flat))
    return np.divide(2 * area, length, out=np.zeros(len(shapes)), where=length > 0)

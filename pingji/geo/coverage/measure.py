"""Metres of shapes that are stored in degrees: area, width, and the system to measure in."""

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from pingji.geo.crs import metric_crs, to_metric


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


def width_m(shapes: NDArray[np.object_], crs: CRS) -> NDArray[np.float64]:
    """Mean width of each shape in lon/lat degrees: of a sliver it is about twice the area by the perimeter.

    Examples
    --------
    >>> shape = shapely.box(126.5, 43.6, 126.5 + 1e-6, 43.7)
    >>> width_m(np.array([shape]), central_crs(np.array([shape]))).round(2).tolist()
    [0.08]
    """
    if not len(shapes):
        return np.empty(0)
    metres = to_metric(shapes, crs)
    area, length = np.asarray(shapely.area(metres)), np.asarray(shapely.length(metres))
    return np.divide(2 * area, length, out=np.zeros(len(shapes)), where=length > 0)

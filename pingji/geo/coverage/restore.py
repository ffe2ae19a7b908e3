"""Back from metres to the stored degrees: a vertex that was not moved gets its own coordinates, to the last bit."""

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from pingji.geo.crs import to_lonlat


def exact(
    shapes: NDArray[np.object_], stored: NDArray[np.object_], metric: NDArray[np.object_], crs: CRS
) -> NDArray[np.object_]:
    """Shapes computed in metres, in lon/lat degrees.

    Parameters
    ----------
    shapes : array of geometry, metres in `crs`
        What was computed.
    stored, metric : array of geometry
        What it was computed from, in lon/lat degrees and in metres, vertex by vertex.
    crs : CRS

    Returns
    -------
    array of geometry, EPSG:4490 lon/lat degrees

    Examples
    --------
    >>> from pingji.geo.crs import metric_crs, to_metric
    >>> stored = np.array([shapely.box(126.5, 43.6, 126.51, 43.61)])
    >>> metric = to_metric(stored, metric_crs(126.5, 43.6))
    >>> bool(shapely.equals_identical(exact(metric, stored, metric, metric_crs(126.5, 43.6)), stored)[0])
    True
    """
    lonlat, xy = shapely.get_coordinates(stored), shapely.get_coordinates(metric)
    known = dict(zip(map(tuple, xy.tolist()), lonlat.tolist(), strict=True))
    wanted = shapely.get_coordinates(shapes)
    back = shapely.get_coordinates(to_lonlat(shapes, crs))
    found = [known.get((x, y)) for x, y in wanted.tolist()]
    hit = np.array([place is not None for place in found], dtype=bool)
    if hit.any():
        back[hit] = np.array([place for place in found if place is not None])
    return np.asarray(shapely.set_coordinates(shapes.copy(), back), dtype=object)

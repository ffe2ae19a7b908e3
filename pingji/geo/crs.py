"""Coordinate reference systems: lon/lat storage in EPSG:4490, and a metric system for each place."""

from functools import lru_cache
from typing import TypeVar

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer

STORAGE_CRS = CRS.from_epsg(4490)

_CHINA_BOX = (73.0, 3.0, 136.0, 54.0)  # lon/lat degrees, the belt that CGCS2000's 3-degree zones cover
_FIRST_ZONE_EPSG, _FIRST_MERIDIAN = 4534, 75  # EPSG:4534 is CM 75E; the series without zone prefix runs to 135E

Geometry = TypeVar("Geometry", bound=shapely.Geometry | NDArray[np.object_])


@lru_cache(maxsize=64)
def metric_crs(lon: float, lat: float) -> CRS:
    """The metric system to measure in at a place.

    Parameters
    ----------
    lon, lat : float
        A point of the place, degrees.

    Returns
    -------
    CRS
        CGCS2000 3-degree Gauss–Krüger by central meridian in China, UTM on WGS 84 elsewhere.

    Notes
    -----
    Source: EPSG registry, CGCS2000 3-degree Gauss-Kruger by central meridian, 4534 (75E) to 4554 (135E).

    Examples
    --------
    >>> metric_crs(126.4, 43.6).to_epsg(), metric_crs(-71.1, 42.4).to_epsg()
    (4551, 32619)
    """
    west, south, east, north = _CHINA_BOX
    if west <= lon <= east and south <= lat <= north:
        zone = int(np.clip(round((lon - _FIRST_MERIDIAN) / 3), 0, 20))
        return CRS.from_epsg(_FIRST_ZONE_EPSG + zone)
    zone = int((lon + 180) // 6) % 60 + 1
    return CRS.from_epsg((32600 if lat >= 0 else 32700) + zone)


@lru_cache(maxsize=64)
def _transformer(source: CRS, target: CRS) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)


def project(geometry: Geometry, source: CRS, target: CRS) -> Geometry:
    """Geometry (one, or an array of them) moved from one system to another, x before y in both.

    Examples
    --------
    >>> p = project(shapely.Point(126.5, 43.67), STORAGE_CRS, metric_crs(126.5, 43.67))
    >>> round(p.x), round(p.y)
    (540325, 4837278)
    """
    move = _transformer(source, target)

    def reproject(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(move.transform(coordinates[:, 0], coordinates[:, 1]))

    projected: Geometry = shapely.transform(geometry, reproject)  # type: ignore[type-var]
    return projected


def to_metric(geometry: Geometry, crs: CRS) -> Geometry:
    """Stored lon/lat degrees → metres in `crs`."""
    return project(geometry, STORAGE_CRS, crs)


def to_lonlat(geometry: Geometry, crs: CRS) -> Geometry:
    """Metres in `crs` → stored lon/lat degrees."""
    return project(geometry, crs, STORAGE_CRS)

"""GCJ-02 and BD-09, the shifted coordinates of Chinese web maps: to and from true lon/lat, and noticing them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from pingji.geo.crs import metric_crs, to_metric

Shift = Literal["gcj02", "bd09"]
LonLat = NDArray[np.float64]

_A = 6378245.0  # Krasovsky 1940 semi-major axis, m
_EE = 0.00669342162296594323  # and its eccentricity squared
_X_PI = np.pi * 3000.0 / 180.0
_CHINA_BOX = (72.004, 0.8293, 137.8347, 55.8271)  # outside of it the web maps do not shift

_MAX_RESIDUAL_M = 250.0  # two honest outlines of one county, differently generalised, lie this near to each other
_MIN_RESIDUAL_M = 100.0  # nearer than that, nothing is shifted by half a kilometre
_MIN_GAIN = 2.5  # a correction must bring the outline at least this much nearer to be evidence
_MIN_STRAYS = 3  # that many points outside of the county before a shift is thought of
_SAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class OffsetFinding:
    """Evidence that coordinates are shifted, and by what.

    `confidence` is 0 to 1; `evidence` is `outline` (two outlines compared) or `strays` (points that lie outside
    of the county and come inside when corrected).
    """

    system: Shift
    shift_m: float
    confidence: float
    evidence: Literal["outline", "strays"]
    before: float
    after: float


def gcj02_from_wgs84(lonlat: LonLat) -> LonLat:
    """True lon/lat degrees (WGS 84 or CGCS2000), shape (n, 2) → GCJ-02.

    Notes
    -----
    Source: the published reverse engineering of the algorithm (eviltransform).

    Examples
    --------
    >>> gcj02_from_wgs84(np.array([[126.4977, 43.6726], [-71.1, 42.4]])).round(4).tolist()
    [[126.5036, 43.6751], [-71.1, 42.4]]
    """
    points = np.asarray(lonlat, dtype=np.float64)
    lon, lat = points[:, 0], points[:, 1]
    x, y = lon - 105.0, lat - 35.0
    common = (20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)) * 2.0 / 3.0
    dlat = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x)) + common
    dlat += (20.0 * np.sin(y * np.pi) + 40.0 * np.sin(y / 3.0 * np.pi)) * 2.0 / 3.0
    dlat += (160.0 * np.sin(y / 12.0 * np.pi) + 320.0 * np.sin(y * np.pi / 30.0)) * 2.0 / 3.0
    dlon = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x)) + common
    dlon += (20.0 * np.sin(x * np.pi) + 40.0 * np.sin(x / 3.0 * np.pi)) * 2.0 / 3.0
    dlon += (150.0 * np.sin(x / 12.0 * np.pi) + 300.0 * np.sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    radians = np.radians(lat)
    magic = 1.0 - _EE * np.sin(radians) ** 2
    dlat = np.degrees(dlat / ((_A * (1.0 - _EE)) / (magic * np.sqrt(magic))))
    dlon = np.degrees(dlon / (_A / np.sqrt(magic) * np.cos(radians)))
    west, south, east, north = _CHINA_BOX
    shifted = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    return np.where(shifted[:, None], points + np.column_stack((dlon, dlat)), points)


def wgs84_from_gcj02(lonlat: LonLat) -> LonLat:
    """GCJ-02 lon/lat degrees, shape (n, 2) → true lon/lat, to better than 1e-9°.

    Examples
    --------
    >>> truth = np.array([[126.4977, 43.6726]])
    >>> bool(abs(wgs84_from_gcj02(gcj02_from_wgs84(truth)) - truth).max() < 1e-9)
    True
    """
    return _inverse(gcj02_from_wgs84, lonlat)


def bd09_from_gcj02(lonlat: LonLat) -> LonLat:
    """GCJ-02 lon/lat degrees, shape (n, 2) → BD-09."""
    points = np.asarray(lonlat, dtype=np.float64)
    x, y = points[:, 0], points[:, 1]
    z = np.hypot(x, y) + 0.00002 * np.sin(y * _X_PI)
    theta = np.arctan2(y, x) + 0.000003 * np.cos(x * _X_PI)
    return np.column_stack((z * np.cos(theta) + 0.0065, z * np.sin(theta) + 0.006))


def gcj02_from_bd09(lonlat: LonLat) -> LonLat:
    """BD-09 lon/lat degrees, shape (n, 2) → GCJ-02."""
    return _inverse(bd09_from_gcj02, lonlat)


def bd09_from_wgs84(lonlat: LonLat) -> LonLat:
    """True lon/lat degrees, shape (n, 2) → BD-09."""
    return bd09_from_gcj02(gcj02_from_wgs84(lonlat))


def wgs84_from_bd09(lonlat: LonLat) -> LonLat:
    """BD-09 lon/lat degrees, shape (n, 2) → true lon/lat.

    Examples
    --------
    >>> truth = np.array([[126.4977, 43.6726]])
    >>> bool(abs(wgs84_from_bd09(bd09_from_wgs84(truth)) - truth).max() < 1e-9)
    True
    """
    return wgs84_from_gcj02(gcj02_from_bd09(lonlat))


_CORRECTIONS: tuple[tuple[Shift, Callable[[LonLat], LonLat]], ...] = (
    ("gcj02", wgs84_from_gcj02),
    ("bd09", wgs84_from_bd09),
)


def correct(geometries: NDArray[np.object_], system: Shift) -> NDArray[np.object_]:
    """Geometries in a shifted system → true lon/lat."""
    moved: NDArray[np.object_] = shapely.transform(geometries, dict(_CORRECTIONS)[system])
    return moved


def shift_m(lon: float, lat: float, system: Shift) -> float:
    """How far a system shifts a place, metres.

    Examples
    --------
    >>> round(shift_m(126.4977, 43.6726, "gcj02")), round(shift_m(126.4977, 43.6726, "bd09"))
    (547, 1378)
    """
    here = np.array([[lon, lat]])
    there = gcj02_from_wgs84(here) if system == "gcj02" else bd09_from_wgs84(here)
    crs = metric_crs(lon, lat)
    a, b = (to_metric(shapely.Point(point), crs) for point in (here[0], there[0]))
    return float(shapely.distance(a, b))


def detect_offset(shapes: BaseGeometry, reference: BaseGeometry) -> OffsetFinding | None:
    """Whether `shapes` look shifted against the true outline of their county; None without evidence.

    Parameters
    ----------
    shapes : Geometry, lon/lat degrees
        The outline of the same county, or whatever a file holds (points, lines, a few polygons).
    reference : Polygon or MultiPolygon, EPSG:4490 lon/lat degrees
        The county's outline.

    Notes
    -----
    An outline of the same county is compared border to border. Anything less says nothing about a shift as long as
    it lies inside of the county; then only features that stray over the border, and come back when corrected, count.
    """
    if shapes.is_empty or reference.is_empty:
        return None
    covers = shapes.area / reference.area if reference.area else 0.0
    if 0.9 < covers < 1.1 and shapely.intersection(shapes, reference).area > 0.85 * reference.area:
        return _by_outline(shapes, reference)
    return _by_strays(shapes, reference)


def _by_outline(outline: BaseGeometry, reference: BaseGeometry) -> OffsetFinding | None:
    crs = metric_crs(reference.centroid.x, reference.centroid.y)
    border = to_metric(reference.boundary, crs)
    shapely.prepare(border)
    points = _spread(shapely.get_coordinates(outline.boundary))

    def residual(lonlat: LonLat) -> float:
        return float(np.median(shapely.distance(to_metric(shapely.points(lonlat), crs), border)))

    before = residual(points)
    after, system = min((residual(undo(points)), system) for system, undo in _CORRECTIONS)
    if after > _MAX_RESIDUAL_M or before < max(_MIN_RESIDUAL_M, _MIN_GAIN * after):
        return None
    shift = shift_m(reference.centroid.x, reference.centroid.y, system)
    confidence = float(np.clip(1.0 - after / before, 0.0, 0.99))
    return OffsetFinding(system, shift, confidence, "outline", before, after)


def _by_strays(shapes: BaseGeometry, reference: BaseGeometry) -> OffsetFinding | None:
    points = _spread(shapely.get_coordinates(shapes))
    shapely.prepare(reference)
    outside = ~shapely.intersects_xy(reference, points[:, 0], points[:, 1])
    strays = points[outside]
    if len(strays) < _MIN_STRAYS:
        return None
    crs = metric_crs(reference.centroid.x, reference.centroid.y)
    area = to_metric(reference, crs)
    shapely.prepare(area)

    def excess(lonlat: LonLat) -> float:
        return float(shapely.distance(to_metric(shapely.points(lonlat), crs), area).sum())

    before = excess(strays)
    after, system = min((excess(undo(points)), system) for system, undo in _CORRECTIONS)
    shift = shift_m(reference.centroid.x, reference.centroid.y, system)
    # Farther out than the shift itself explains: another mistake, and not for us to guess which.
    far = float(np.median(shapely.distance(to_metric(shapely.points(strays), crs), area))) > 1.2 * shift
    if far or after > 0.1 * before:
        return None
    confidence = float(np.clip(len(strays) / (len(strays) + 10.0), 0.0, 0.8))
    return OffsetFinding(system, shift, confidence, "strays", before / len(strays), after / len(strays))


def _inverse(forward: Callable[[LonLat], LonLat], shifted: LonLat) -> LonLat:
    target = np.asarray(shifted, dtype=np.float64)
    guess = target.copy()
    for _ in range(12):  # each round gains two digits or more
        step = target - forward(guess)
        guess = guess + step
        if not step.size or np.abs(step).max() < 1e-12:
            break
    return guess


def _spread(points: LonLat) -> LonLat:
    return points if len(points) <= _SAMPLES else points[np.linspace(0, len(points) - 1, _SAMPLES).astype(int)]

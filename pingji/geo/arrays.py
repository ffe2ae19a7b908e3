"""Shapely over arrays with the exact types that its stubs leave open: many in, many out."""

import numpy as np
import shapely
from numpy.typing import NDArray


def points(xy: NDArray[np.float64]) -> NDArray[np.object_]:
    """One point for each coordinate pair.

    Examples
    --------
    >>> len(points(np.zeros((3, 2))))
    3
    """
    return np.asarray(shapely.points(xy), dtype=object)


def distances(shapes: NDArray[np.object_], other: shapely.Geometry) -> NDArray[np.float64]:
    """Distance of each shape to one other.

    Examples
    --------
    >>> distances(points(np.array([[0.0, 3.0]])), shapely.Point(4, 0)).tolist()
    [5.0]
    """
    return np.asarray(shapely.distance(shapes, other), dtype=np.float64)


def near(shapes: NDArray[np.object_], other: shapely.Geometry, reach: float) -> NDArray[np.bool_]:
    """Whether each shape comes within `reach` of one other.

    Examples
    --------
    >>> near(points(np.zeros((1, 2))), shapely.Point(2, 0), 1.0).tolist()
    [False]
    """
    shapely.prepare(other)
    return np.asarray(shapely.dwithin(shapes, other, reach), dtype=bool)

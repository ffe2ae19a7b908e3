"""Lines cut where they cross, on a fine grid of coordinates, and the stored coordinates put back afterwards.

Where a river runs through a vertex of the outline but for the last digit, noding in floating point leaves edges of one
unit in the last place, and faces are lost. On a grid nothing is that near.
"""

from collections.abc import Iterable

import numpy as np
import shapely
from numpy.typing import NDArray

from pingji.geo.arrays import points
from pingji.geo.coverage.planar import Area, rebuilt
from pingji.geo.partitioning.model import as_array

PIXEL_DEG = 1e-10  # 0.01 mm, a tenth of what the coverage takes for "on the edge"

Node = tuple[float, float]
Stored = dict[Node, Node]


def faces_on_pixels(lines: Iterable[shapely.Geometry]) -> NDArray[np.object_]:
    """The faces that lines enclose once they are cut where they cross; loose ends enclose nothing.

    Examples
    --------
    >>> cross = shapely.LineString([(1, -1), (1, 2)])
    >>> [face.area for face in faces_on_pixels([shapely.box(0, 0, 2, 1).boundary, cross])]
    [1.0, 1.0]
    """
    noded = shapely.get_parts(shapely.union_all(as_array(list(lines)), grid_size=PIXEL_DEG))
    return np.asarray(shapely.get_parts(shapely.polygonize(noded)), dtype=object)


def stored_nodes(shapes: Iterable[shapely.Geometry]) -> Stored:
    """The stored vertex of each pixel that has one; of several that of the first shape.

    Examples
    --------
    >>> stored_nodes([shapely.Point(126.50000000000004, 43.5)])
    {(126.5, 43.5): (126.50000000000004, 43.5)}
    """
    xy = shapely.get_coordinates(list(shapes))
    # Rounded by the same code that nodes: a tie would else fall to either side.
    pixels = shapely.get_coordinates(shapely.set_precision(points(xy), PIXEL_DEG, mode="pointwise"))
    found: Stored = {}
    for pixel, node in zip(map(tuple, pixels.tolist()), map(tuple, xy.tolist()), strict=True):
        found.setdefault(pixel, node)
    return found


def as_stored(shape: Area, stored: Stored) -> Area:
    """A shape with the vertices that were on the way to the grid put back."""

    def change(ring: NDArray[np.float64]) -> NDArray[np.float64]:
        return put_back(ring, stored)

    return rebuilt(shape, change)


def put_back(xy: NDArray[np.float64], stored: Stored) -> NDArray[np.float64]:
    """Coordinates, shape (n, 2), with those put back that have a stored vertex."""
    return np.array([stored.get(node, node) for node in map(tuple, xy.tolist())])

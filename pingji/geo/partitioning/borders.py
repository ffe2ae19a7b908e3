"""The borders between faces: who lies on either side, how long they are, and what they run along."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from pingji.geo.arrays import points
from pingji.geo.crs import to_metric
from pingji.geo.partitioning.banks import TOUCH_DEG, Water
from pingji.geo.partitioning.model import Scene, as_array

FOLLOW_M = 5.0  # a border within this distance of a road runs on it
_ALONG = (0.1, 0.5, 0.9)  # places of an edge that are asked where it runs
OUTSIDE = -1


@dataclass(frozen=True, slots=True, eq=False)
class Borders:
    """Every edge of the faces once.

    Attributes
    ----------
    sides : int64, shape (n, 2)
        The faces on either side, the lower first; `OUTSIDE` where the outline is.
    ends : float64, shape (n, 4), EPSG:4490 lon/lat degrees
        Both ends: x, y, x, y.
    length_m : float64, shape (n,)
    barrier, on_roads, on_today : bool, shape (n,)
        Whether it is a river's line or bank; whether it runs on a road or water; whether it is one of today's borders.
    """

    sides: NDArray[np.int64]
    ends: NDArray[np.float64]
    length_m: NDArray[np.float64]
    barrier: NDArray[np.bool_]
    on_roads: NDArray[np.bool_]
    on_today: NDArray[np.bool_]

    @property
    def inner(self) -> NDArray[np.bool_]:
        """Which have a face on both sides."""
        return np.asarray(self.sides[:, 0] != OUTSIDE)


def borders_of(faces: NDArray[np.object_], scene: Scene, water: Water, walls: NDArray[np.object_], crs: CRS) -> Borders:
    """The borders of faces whose common edges match.

    Parameters
    ----------
    faces : array of Polygon, EPSG:4490 lon/lat degrees
    scene : Scene
    water : Water
    walls : array of lines
        What is a bank beside the rivers' own.
    crs : CRS
        To measure in.
    """
    ends, face = _edges(faces)
    turned = (ends[:, 0] > ends[:, 2]) | ((ends[:, 0] == ends[:, 2]) & (ends[:, 1] > ends[:, 3]))
    ends[turned] = ends[turned][:, [2, 3, 0, 1]]
    unique, which = np.unique(ends, axis=0, return_inverse=True)
    which = which.reshape(-1)
    sides = np.full((len(unique), 2), OUTSIDE, dtype=np.int64)
    order = np.lexsort((face, which))
    last = np.concatenate([which[order][1:] != which[order][:-1], [True]])
    sides[which[order], 1] = face[order]  # the higher one is written last
    twice = order[np.flatnonzero(~last)]
    sides[which[twice], 0] = face[twice]
    metres = shapely.get_coordinates(to_metric(points(unique.reshape(-1, 2)), crs)).reshape(-1, 4)
    length = np.hypot(metres[:, 2] - metres[:, 0], metres[:, 3] - metres[:, 1])
    middle = points((unique[:, :2] + unique[:, 2:]) / 2)
    banks = np.concatenate([water.lines, walls])
    barrier = _near(middle, banks, TOUCH_DEG)
    follow = as_array([*scene.roads.tolist(), *water.lines.tolist(), *scene.streams.tolist()])
    on_roads = barrier | on_lines(metres, to_metric(follow, crs) if len(follow) else follow, FOLLOW_M)
    old = shapely.boundary(as_array(list(scene.grids.values())))
    on_today = on_lines(metres, to_metric(old, crs) if len(old) else old, 1.0)
    return Borders(sides, unique, length, barrier, on_roads, on_today)


def on_lines(ends: NDArray[np.float64], lines: NDArray[np.object_], within_m: float) -> NDArray[np.bool_]:
    """Whether edges run along lines: at the middle and near both ends. All in metres of one system.

    Examples
    --------
    >>> road = np.array([shapely.LineString([(0, 0), (100, 0)])], dtype=object)
    >>> on_lines(np.array([[0.0, 1, 90, 2], [50, 0, 50, 40]]), road, 5.0).tolist()
    [True, False]
    """
    found = np.ones(len(ends), dtype=bool)
    for share in _ALONG:
        found &= _near(points(ends[:, :2] + share * (ends[:, 2:] - ends[:, :2])), lines, within_m)
    return found


def _near(places: NDArray[np.object_], lines: NDArray[np.object_], within: float) -> NDArray[np.bool_]:
    found = np.zeros(len(places), dtype=bool)
    if len(lines) and len(places):
        # One tree of short pieces: a county's road as one line would be searched from end to end for every place.
        found[shapely.STRtree(_pieces(lines)).query(places, predicate="dwithin", distance=within)[0]] = True
    return found


def _pieces(lines: NDArray[np.object_]) -> NDArray[np.object_]:
    parts = shapely.get_parts(lines)
    polygons = shapely.get_dimensions(parts) == 2
    parts = np.concatenate([parts[~polygons], shapely.get_parts(shapely.boundary(parts[polygons]))])
    xy, which = shapely.get_coordinates(parts, return_index=True)
    same = which[1:] == which[:-1]
    return np.asarray(shapely.linestrings(np.stack([xy[:-1][same], xy[1:][same]], axis=1)), dtype=object)


def _edges(faces: NDArray[np.object_]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    rings, face = shapely.get_rings(faces, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    ends = np.concatenate([xy[:-1][same], xy[1:][same]], axis=1) + 0.0
    return ends, face[ring[1:][same]].astype(np.int64)

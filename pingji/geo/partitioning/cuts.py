"""Crowded faces cut in two, again and again, by straight lines that pass between the buildings."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import shapely
from numpy.typing import NDArray

from pingji.geo.coverage.planar import polygons_of
from pingji.geo.partitioning.model import as_array

Pairs = NDArray[np.float64]
Shapes = TypeVar("Shapes", bound=shapely.Geometry | NDArray[np.object_])
MIDDLE = 0.3  # of the households, on each side: a cut may be anywhere between
DEEPEST = 12  # halvings
_SHORTEST_M = 0.02


@dataclass(frozen=True, slots=True)
class Flat:
    """Degrees stretched to metres about one latitude: good for a community, and what is straight stays straight.

    Examples
    --------
    >>> shapely.set_precision(Flat.at(60.0).metres(shapely.Point(1, 1)), 1).wkt
    'POINT (55660 110574)'
    """

    scale: Pairs

    @classmethod
    def at(cls, lat: float) -> "Flat":
        """Stretched as at a latitude, degrees."""
        return cls(np.array([111_320.0 * np.cos(np.radians(lat)), 110_574.0]))

    def metres(self, shapes: Shapes) -> Shapes:
        """From lon/lat degrees."""
        moved: Shapes = shapely.transform(shapes, lambda xy: xy * self.scale)  # type: ignore[type-var]
        return moved

    def degrees(self, shapes: Shapes) -> Shapes:
        """Back to lon/lat degrees."""
        moved: Shapes = shapely.transform(shapes, lambda xy: xy / self.scale)  # type: ignore[type-var]
        return moved


def cut_lines(
    face: shapely.Polygon, xy: Pairs, households: NDArray[np.int64], walls: NDArray[np.object_], most: int
) -> NDArray[np.object_]:
    """Lines that cut a face so that no piece has more than `most` households, unless they live at one place.

    Parameters
    ----------
    face : Polygon, metres
    xy : float64, shape (n, 2), metres
        Where households are.
    households : int64, shape (n,)
    walls : array of Polygon, metres
        Buildings in the face: a cut passes between them where there is a way.
    most : int

    Returns
    -------
    array of LineString, metres
        Each from border to border of the face, or of the piece that it cuts.

    Notes
    -----
    The metres must be degrees stretched (`Flat`): in a projection a long border that is straight as stored is bent, and
    cuts would end beside it.

    Examples
    --------
    >>> homes = np.array([[10.0, 5], [30, 5], [90, 5]])
    >>> ones, none = np.ones(3, dtype=np.int64), np.empty(0, dtype=object)
    >>> len(cut_lines(shapely.box(0, 0, 100, 10), homes, ones, none, 1))
    2
    """
    found: list[shapely.Geometry] = []
    _halve(face, xy, households, walls, most, found, DEEPEST)
    return as_array(found)


def _halve(
    face: shapely.Polygon,
    xy: Pairs,
    households: NDArray[np.int64],
    walls: NDArray[np.object_],
    most: int,
    found: list[shapely.Geometry],
    deeper: int,
) -> None:
    if households.sum() <= most or not deeper:
        return
    line = _between(face, xy, households, walls)
    if line is None:
        return
    pieces = polygons_of(shapely.polygonize([shapely.union(face.boundary, line)]))
    if len(pieces) < 2:
        return
    inside = line.intersection(face)
    found += [part for part in shapely.get_parts(inside).tolist() if part.length > _SHORTEST_M]
    homes = shapely.points(xy)
    for piece in pieces:
        shapely.prepare(piece)
        here = shapely.intersects(piece, homes)
        around = walls[shapely.intersects(piece, walls)] if len(walls) else walls
        _halve(piece, xy[here], households[here], around, most, found, deeper - 1)


def _between(
    face: shapely.Polygon, xy: Pairs, households: NDArray[np.int64], walls: NDArray[np.object_]
) -> shapely.LineString | None:
    """The line across the longer axis of where people live that passes the widest gap near the middle."""
    middle = np.average(xy, axis=0, weights=households)
    spread = np.cov((xy - middle).T, aweights=households, bias=True) if len(xy) > 1 else np.zeros((2, 2))
    axis = np.linalg.eigh(np.atleast_2d(spread))[1][:, -1]
    for along in (axis, np.array([-axis[1], axis[0]])):
        place = _gap((xy - middle) @ along, households, _extents(walls, middle, along))
        if place is not None:
            far = np.array([-along[1], along[0]]) * (face.length + shapely.Point(middle).distance(face))
            foot = middle + place * along
            return shapely.LineString([foot - far, foot + far])
    return None


def _extents(walls: NDArray[np.object_], middle: Pairs, along: Pairs) -> Pairs:
    """From where to where each building reaches along an axis."""
    if not len(walls):
        return np.empty((0, 2))
    xy, which = shapely.get_coordinates(walls, return_index=True)
    at = (xy - middle) @ along
    first = np.flatnonzero(np.concatenate([[True], which[1:] != which[:-1]]))
    return np.column_stack([np.minimum.reduceat(at, first), np.maximum.reduceat(at, first)])


def _gap(at: NDArray[np.float64], households: NDArray[np.int64], walls: Pairs) -> float | None:
    """Where to cut an axis: in the middle of the widest gap that leaves enough on both sides, None where all is one.

    Examples
    --------
    >>> _gap(np.array([0.0, 1, 5, 6]), np.ones(4, dtype=np.int64), np.array([[1.0, 4.0]]))
    4.5
    """
    order = np.argsort(at, kind="stable")
    at, below = at[order], np.cumsum(households[order])
    split = np.flatnonzero(np.diff(at) > 1e-3)
    if not len(split):
        return None
    share = below[split] / below[-1]
    central = split[(share >= MIDDLE) & (share <= 1 - MIDDLE)]
    if not len(central):
        central = split[[int(np.abs(share - 0.5).argmin())]]
    best, widest = 0.0, -1.0
    for i in central.tolist():
        low, high = _free(float(at[i]), float(at[i + 1]), walls)
        if high - low > widest:
            best, widest = (low + high) / 2, high - low
    return best


def _free(low: float, high: float, walls: Pairs) -> tuple[float, float]:
    """The widest part between two places that no building reaches into; all of it where they leave none."""
    inside = walls[(walls[:, 1] > low) & (walls[:, 0] < high)]
    reached, best = low, (low, low)
    for start, end in sorted(inside.tolist()):
        if start - reached > best[1] - best[0]:
            best = (reached, start)
        reached = max(reached, end)
    if high - reached > best[1] - best[0]:
        best = (reached, high)
    return best if best[1] > best[0] else (low, high)

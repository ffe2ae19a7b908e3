"""Faces that change hands: which neighbour a cut-off piece goes to, and polygons put together again."""

from collections.abc import Iterable, Mapping

import numpy as np
import shapely

from pingji.geo.coverage.errors import WouldEmpty, WouldFallApart
from pingji.geo.coverage.model import Coverage
from pingji.geo.coverage.planar import Area, joined, polygons_of, rings_of
from pingji.geo.coverage.settle import place

Segment = tuple[tuple[float, float], tuple[float, float]]


def segments(shape: Area) -> dict[Segment, float]:
    """Every edge of a shape, lower end first, with its length in degrees.

    Examples
    --------
    >>> len(segments(shapely.box(0, 0, 1, 1)))
    4
    """
    found: dict[Segment, float] = {}
    for ring in rings_of(shape):
        xy = shapely.get_coordinates(ring)
        length = np.hypot(*np.diff(xy, axis=0).T).tolist()
        ends = list(map(tuple, xy.tolist()))
        for a, b, size in zip(ends[:-1], ends[1:], length, strict=True):
            found[min(a, b), max(a, b)] = size
    return found


def common_length(one: Mapping[Segment, float], other: Mapping[Segment, float]) -> float:
    """Length of the edges that two shapes have in common."""
    return sum(one[edge] for edge in one.keys() & other.keys())


def reassembled(coverage: Coverage, faces: Mapping[str, Iterable[Area]]) -> dict[str, Area]:
    """The polygons that faces make, by code; none may vanish or fall apart.

    Raises
    ------
    WouldEmpty, WouldFallApart
    """
    after: dict[str, Area] = {}
    for code, members in faces.items():
        found = list(members)
        old = coverage[code]
        if not found:
            raise WouldEmpty(codes=(code,), lonlat=place(old), area_m2=0.0)
        whole = joined(found)
        parts = polygons_of(whole)
        if len(parts) > len(polygons_of(old)):
            least = min(parts, key=lambda part: part.area)
            raise WouldFallApart(codes=(code,), lonlat=place(least), parts=len(parts))
        after[code] = whole
    return after

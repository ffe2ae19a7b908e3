"""Which polygon of a new set continues which of the old one: by its code, else by the ground they have in common."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from pingji.geo.coverage.planar import Area, made_valid

How = Literal["code", "overlap", "new"]
LEAST_SHARE = 0.1  # a grid that keeps less than a tenth of another is not its continuation


@dataclass(frozen=True, slots=True)
class Match:
    """What one new polygon continues.

    Attributes
    ----------
    index : int
        Position among the new polygons.
    code : str
        The old polygon that it continues; empty where it is new.
    how : {"code", "overlap", "new"}
    share : float
        What the two have in common, of the larger of them: 1 where they are the same, 0 where they lie apart.
    """

    index: int
    code: str
    how: How
    share: float


def match(
    old: Mapping[str, Area],
    new: Sequence[Area],
    codes: Sequence[str],
    places: NDArray[np.object_] | None = None,
    weights: NDArray[np.float64] | None = None,
) -> list[Match]:
    """Match new polygons with old ones, one to one.

    Parameters
    ----------
    old : mapping of code to Polygon or MultiPolygon, EPSG:4490 lon/lat degrees
    new : sequence of Polygon or MultiPolygon, EPSG:4490 lon/lat degrees
    codes : sequence of str, shape (len(new),)
        The code that each new polygon came with; empty where it came with none.
    places : array of Point, EPSG:4490 lon/lat degrees, optional
        Where people live: a grid is its households before it is its ground.
    weights : float64, shape (len(places),), optional
        Households at each place; one each where left out.

    Returns
    -------
    list of Match
        One for each new polygon, in their order. The old codes that none continues have ended: see `ended`.

    Notes
    -----
    An equal code decides, whatever the ground. The others are paired by share, the largest first: greedy, which can
    differ from the best total only where one polygon has much in common with several, and a person looks there anyway.
    The share is that of the ground; with `places`, the mean of that of the ground and that of the households.
    Pairs that share less than `LEAST_SHARE` are not matched.

    Examples
    --------
    >>> west, east = shapely.box(126.5, 43.6, 126.51, 43.61), shapely.box(126.51, 43.6, 126.52, 43.61)
    >>> north = shapely.box(126.5, 43.61, 126.51, 43.62)
    >>> match({"001": west, "002": east, "003": west}, [east, west, north], ["", "001", ""])
    [Match(index=0, code='002', how='overlap', share=1.0), Match(index=1, code='001', how='code', share=1.0), \
Match(index=2, code='', how='new', share=0.0)]
    """
    names = list(old)
    shares = _shares(
        _valid(old.values()), _valid(new), np.empty(0, dtype=object) if places is None else places, weights
    )
    position = {code: i for i, code in enumerate(names)}
    found: dict[int, Match] = {}
    taken: set[int] = set()
    for i, code in enumerate(codes):
        at = position.get(code)
        if at is not None and at not in taken:
            taken.add(at)
            found[i] = Match(i, code, "code", round(shares.get((i, at), 0.0), 4))
    for (i, at), share in sorted(shares.items(), key=lambda pair: (-pair[1], pair[0])):
        if share >= LEAST_SHARE and i not in found and at not in taken:
            taken.add(at)
            found[i] = Match(i, names[at], "overlap", round(share, 4))
    return [found.get(i, Match(i, "", "new", 0.0)) for i in range(len(new))]


def ended(old: Iterable[str], matches: Iterable[Match]) -> list[str]:
    """The old codes that no new polygon continues.

    Examples
    --------
    >>> ended(["001", "002"], [Match(0, "002", "code", 1.0)])
    ['001']
    """
    kept = {one.code for one in matches}
    return [code for code in old if code not in kept]


def common(one: NDArray[np.object_], other: NDArray[np.object_]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Pairs of positions, shape (n, 2), of shapes that have ground in common, and how much in square degrees.

    Examples
    --------
    >>> pairs, area = common(np.array([shapely.box(0, 0, 2, 1)]), np.array([shapely.box(1, 0, 2, 1)]))
    >>> pairs.tolist(), area.tolist()
    ([[0, 0]], [1.0])
    """
    if not len(one) or not len(other):
        return np.empty((0, 2), dtype=np.intp), np.empty(0)
    pairs = np.asarray(shapely.STRtree(other).query(one, predicate="intersects")).T
    area = np.asarray(shapely.area(shapely.intersection(one[pairs[:, 0]], other[pairs[:, 1]])))
    return pairs[area > 0], area[area > 0]


def _shares(
    old: NDArray[np.object_], new: NDArray[np.object_], places: NDArray[np.object_], weights: NDArray[np.float64] | None
) -> dict[tuple[int, int], float]:
    """The share of every pair (new, old) that has some."""
    pairs, area = common(new, old)
    larger = np.maximum(shapely.area(new)[pairs[:, 0]], shapely.area(old)[pairs[:, 1]])
    ground = {(i, j): float(share) for (i, j), share in zip(pairs.tolist(), area / larger, strict=True)}
    if not len(places):
        return ground
    heavy = np.ones(len(places)) if weights is None else weights
    in_new, in_old = _owner(new, places), _owner(old, places)
    size_new = np.bincount(in_new[in_new >= 0], heavy[in_new >= 0], len(new))
    size_old = np.bincount(in_old[in_old >= 0], heavy[in_old >= 0], len(old))
    both: dict[tuple[int, int], float] = dict.fromkeys(ground, 0.0)
    for i, j, households in zip(in_new.tolist(), in_old.tolist(), heavy.tolist(), strict=True):
        if (i, j) in both:
            both[i, j] += households
    shares = {}
    for (i, j), share in ground.items():
        most = max(size_new[i], size_old[j])
        shares[i, j] = (share + both[i, j] / float(most)) / 2 if most else share
    return shares


def _owner(shapes: NDArray[np.object_], places: NDArray[np.object_]) -> NDArray[np.intp]:
    """The position of the first shape that each place lies in, -1 where none."""
    owner = np.full(len(places), -1, dtype=np.intp)
    if len(shapes):
        place, shape = shapely.STRtree(shapes).query(places, predicate="intersects")
        order = np.lexsort((-shape, place))
        owner[place[order]] = shape[order]  # the last one written is the first shape
    return owner


def _valid(shapes: Iterable[Area]) -> NDArray[np.object_]:
    found = [made_valid(shape) for shape in shapes]
    out = np.empty(len(found), dtype=object)
    out[:] = found
    return out

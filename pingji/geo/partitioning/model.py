"""What a proposal is made of, and what comes back: scene, grids, scores, and notes on what could not be."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray

from pingji.geo.coverage.planar import Area
from pingji.geo.errors import GeoError

Progress = Callable[[float, str], None]  # share done, 0 to 1, and the name of the step; may raise to cancel


class ImpossibleRange(GeoError):
    """No number of households is at least `low` and at most `high`."""


def _nothing() -> NDArray[np.object_]:
    return np.empty(0, dtype=object)


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A community and what lies in it. All geometry is in EPSG:4490 lon/lat degrees.

    Attributes
    ----------
    outline : Polygon or MultiPolygon
    homes : float64, shape (n, 2)
        Where households are. Those outside the outline are left out.
    households : int64, shape (n,)
        How many there are at each place.
    roads : array of LineString or MultiLineString
    rivers : array of lines or polygons
        Water that a grid does not lie over, unless a bridge joins its banks: where a road crosses.
    streams : array of lines or polygons
        Water to follow like a road, and no obstacle.
    buildings : array of Polygon, MultiPolygon or Point
        Points are never cut and are ignored.
    grids : mapping of code to Polygon or MultiPolygon
        Today's.
    """

    outline: Area
    homes: NDArray[np.float64]
    households: NDArray[np.int64]
    roads: NDArray[np.object_] = field(default_factory=_nothing)
    rivers: NDArray[np.object_] = field(default_factory=_nothing)
    streams: NDArray[np.object_] = field(default_factory=_nothing)
    buildings: NDArray[np.object_] = field(default_factory=_nothing)
    grids: Mapping[str, Area] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scores:
    """How good a candidate is. All but `grids` and `crossings` are shares from 0 to 1.

    Attributes
    ----------
    in_range : float
        Share of the grids that have `low` to `high` households.
    grids : int
    balance : float
        1 less the largest deviation from the mean number of households by the mean, at least 0: 1 is perfectly even.
    compactness : float
        Mean isoperimetric quotient of the grids, 4πA / P²: 1 is a circle, 0.785 a square.
    on_roads : float
        Share of the length of inner borders that runs on a road or on water.
    change : float
        Share of the households whose grid gets another code.
    crossings : int
        Grids with people on two banks that no bridge inside the grid joins.

    Notes
    -----
    Source of the quotient: D. D. Polsby and R. D. Popper, "The Third Criterion: Compactness as a procedural safeguard
    against partisan gerrymandering", Yale Law & Policy Review 9 (1991), 301–353.
    """

    in_range: float
    grids: int
    balance: float
    compactness: float
    on_roads: float
    change: float
    crossings: int

    @property
    def rank(self) -> tuple[float, float, float]:
        """What candidates are ordered by, the best first: no crossing, then most grids in range, then a plain sum.

        The sum counts balance, compactness and borders on roads for, change against, one as much as the other.
        """
        return (
            float(self.crossings),
            -round(self.in_range, 6),
            round(self.change - self.balance - self.compactness - self.on_roads, 9),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """One proposed grid: today's code where it continues one, else empty; its polygon as EPSG:4490 lon/lat degrees."""

    code: str
    polygon: Area
    households: int


@dataclass(frozen=True, slots=True)
class Note:
    """Why a candidate is not what was asked for.

    `key` is one of `nobody` (no household at all), `too_few` (fewer than `low` in the whole community), `cut_off` (a
    part without a bridge to the rest has fewer than `low`), `no_number` (no number of grids gives each `low` to
    `high`), `one_place` (more than `high` at one place or in one building).
    """

    key: str
    params: Mapping[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """One way to cut the community."""

    grids: tuple[Grid, ...]
    scores: Scores
    notes: tuple[Note, ...] = ()


def as_array(shapes: Sequence[shapely.Geometry]) -> NDArray[np.object_]:
    """Shapes as an array of objects, also where there is none, or where all are alike.

    Examples
    --------
    >>> len(as_array([])), len(as_array([shapely.Point(0, 0)]))
    (0, 1)
    """
    out = np.empty(len(shapes), dtype=object)
    out[:] = list(shapes)
    return out

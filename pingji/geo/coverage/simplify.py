"""Fewer vertices on the borders inside a community; the same borders on both sides, the outline as it is."""

from collections.abc import Sequence

import numpy as np
import shapely

from pingji.geo.coverage.model import Coverage, Edit
from pingji.geo.coverage.planar import Area
from pingji.geo.coverage.restore import exact
from pingji.geo.coverage.settle import one_community, settled
from pingji.geo.crs import to_metric


def simplify(coverage: Coverage, codes: Sequence[str], tolerance_m: float) -> Edit:
    """Simplify the borders between polygons.

    Parameters
    ----------
    coverage : Coverage
    codes : sequence of str
        Polygons of one community; only borders between two of them change.
    tolerance_m : float
        Vertices go whose triangle with the next ones is smaller than about this squared.

    Returns
    -------
    Edit
        Empty where no vertex goes. Every vertex that stays keeps its stored coordinates.

    Raises
    ------
    OutsideCommunity, StillInvalid

    Notes
    -----
    Source: Visvalingam & Whyatt 1993, by `shapely.coverage_simplify`.

    Examples
    --------
    >>> left = shapely.Polygon([(126.5, 43.6), (126.51, 43.6), (126.51001, 43.605), (126.51, 43.61), (126.5, 43.61)])
    >>> right = shapely.Polygon([(126.52, 43.6), (126.52, 43.61), (126.51, 43.61), (126.51001, 43.605), (126.51, 43.6)])
    >>> edit = simplify(Coverage.of(["001", "002"], [left, right]), ["001", "002"], 50.0)
    >>> [len(shape.exterior.coords) for shape in edit.after.values()]
    [5, 5]
    """
    codes = list(dict.fromkeys(codes))
    one_community(coverage, codes)
    shapes = coverage.shapes(codes)
    metric = to_metric(shapes, coverage.crs)
    fewer = np.asarray(shapely.coverage_simplify(metric, tolerance_m, simplify_boundary=False), dtype=object)
    less = np.flatnonzero(shapely.get_num_coordinates(fewer) < shapely.get_num_coordinates(metric))
    back = exact(fewer[less], shapes, metric, coverage.crs)
    after: dict[str, Area] = {codes[i]: shape for i, shape in zip(less.tolist(), back, strict=True)}
    return settled(coverage, "simplify", after) if after else Edit("simplify", {}, {})

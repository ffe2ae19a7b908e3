"""Make one polygon of neighbours."""

from collections.abc import Sequence

import numpy as np
import shapely

from pingji.geo.coverage.errors import CodeTaken, NotAdjacent
from pingji.geo.coverage.model import Coverage, Edit
from pingji.geo.coverage.planar import joined
from pingji.geo.coverage.settle import one_community, place, settled
from pingji.geo.crs import to_metric
from pingji.geo.regions import components, shared_borders


def merge(coverage: Coverage, codes: Sequence[str], into: str | None = None) -> Edit:
    """Join polygons that have borders in common.

    Parameters
    ----------
    coverage : Coverage
    codes : sequence of str
        Two or more of one community; each has a border in common with another, however the chain runs.
    into : str, optional
        The one of them that remains; the largest where left out.

    Returns
    -------
    Edit

    Raises
    ------
    NotAdjacent
        If some do not hang together: `codes` are those that are apart from `into`. A common corner is no border.
    OutsideCommunity
        If they belong to several communities.

    Examples
    --------
    >>> boxes = [shapely.box(126.5 + i / 100, 43.6, 126.51 + i / 100, 43.61) for i in range(3)]
    >>> coverage = Coverage.of(["001", "002", "003"], boxes)
    >>> edit = merge(coverage, ["002", "001"], into="001")
    >>> edit.replaced, edit.removed, edit.lineage
    (('001',), ('002',), (('002', '001'),))
    >>> merge(coverage, ["001", "003"])
    Traceback (most recent call last):
    pingji.geo.coverage.errors.NotAdjacent: codes=('003',), lonlat=(126.525, 43.605), distance_m=807.3
    """
    codes = list(dict.fromkeys(codes))
    shapes = coverage.shapes(codes)
    one_community(coverage, codes)
    kept = into if into is not None else codes[int(np.argmax(shapely.area(shapes)))]
    if kept not in codes:
        raise CodeTaken(codes=(kept,))
    if len(codes) < 2:
        raise NotAdjacent(codes=tuple(codes), lonlat=place(shapes[0]), distance_m=0.0)
    borders = shared_borders(shapes)
    part = components(len(codes), np.column_stack([borders.first, borders.second]))
    apart = part != part[codes.index(kept)]
    if apart.any():
        rest = shapely.union_all(shapes[~apart])
        lonely = np.flatnonzero(apart)
        gap = to_metric(shapes[lonely[0]], coverage.crs).distance(to_metric(rest, coverage.crs))
        names = tuple(codes[i] for i in lonely.tolist())
        raise NotAdjacent(codes=names, lonlat=place(shapes[lonely[0]]), distance_m=round(float(gap), 1))
    gone = [code for code in codes if code != kept]
    return settled(coverage, "merge", {kept: joined(shapes)}, gone, [(code, kept) for code in gone])

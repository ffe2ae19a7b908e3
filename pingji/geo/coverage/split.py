"""Cut one polygon of a coverage in two or more."""

from collections.abc import Sequence

import numpy as np
import shapely

from pingji.geo.coverage.drawing import carved, fitted, loose_end
from pingji.geo.coverage.errors import CodeTaken, LineDoesNotCross
from pingji.geo.coverage.model import Coverage, Edit
from pingji.geo.coverage.planar import joined
from pingji.geo.coverage.settle import settled

_ROUNDING = 1e-6  # of the area: halves of a grid that was cut in the middle are equal


def split(coverage: Coverage, code: str, line: shapely.LineString, codes: Sequence[str]) -> Edit:
    """Cut a polygon by a line.

    Parameters
    ----------
    coverage : Coverage
    code : str
        What is cut; the largest piece keeps this code, of equal ones the westernmost.
    line : LineString, EPSG:4490 lon/lat degrees
        From side to side, or a closed ring inside. Ends within 2 m of the border reach it. Other polygons that it
        runs over are not cut.
    codes : sequence of str
        Unused codes for the other pieces, given out from west to east, then from north to south.

    Returns
    -------
    Edit

    Raises
    ------
    LineDoesNotCross
        If the polygon would stay in one piece: `lonlat` is the end that is loose.
    CodeTaken
        If a code is in use, or there are fewer codes than new pieces.
    WouldSelfIntersect
        If the line crosses itself.

    Notes
    -----
    Parts of a multipart polygon that the line does not cut stay with the largest piece.

    Examples
    --------
    >>> boxes = [shapely.box(126.5 + i / 100, 43.6, 126.51 + i / 100, 43.61) for i in range(2)]
    >>> coverage = Coverage.of(["001", "002"], boxes)
    >>> edit = split(coverage, "001", shapely.LineString([(126.504, 43.60001), (126.504, 43.60999)]), ["003"])
    >>> edit.replaced, edit.added, edit.lineage
    (('001',), ('003',), (('001', '003'),))
    """
    shape = coverage[code]
    shapes = np.array([shape], dtype=object)
    path = fitted(line, shapes)
    parts = carved(shapes, [path], coverage.crs)
    faces = [face for members in parts.values() for face in members]
    uncut = [members[0] for members in parts.values() if len(members) == 1]
    pieces = [face for members in parts.values() if len(members) > 1 for face in members]
    if not pieces:
        raise LineDoesNotCross(codes=(code,), lonlat=loose_end(line, [shape]))
    largest = _keeper(pieces)
    others = sorted((p for p in pieces if p is not largest), key=lambda p: (p.centroid.x, -p.centroid.y))
    new = list(codes[: len(others)])
    taken = tuple(c for c in new if c in coverage)
    if taken or len(set(new)) < len(others):
        raise CodeTaken(codes=taken or tuple(new), wanted=len(faces) - 1)
    after = {code: joined([largest, *uncut]), **dict(zip(new, others, strict=True))}
    return settled(coverage, "split", after, lineage=[(code, c) for c in new])


def _keeper(pieces: Sequence[shapely.Polygon]) -> shapely.Polygon:
    """The largest piece; where rounding alone decides, the westernmost."""
    most = max(face.area for face in pieces)
    equal = [face for face in pieces if face.area > most * (1 - _ROUNDING)]
    return min(equal, key=lambda face: (face.centroid.x, -face.centroid.y))

"""Move a common border to where a line was drawn: what one side loses the other side gains."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import shapely
from shapely.geometry.base import BaseGeometry

from pingji.geo.coverage.assign import Segment, reassembled, segments
from pingji.geo.coverage.corners import Sides, extensions, shared
from pingji.geo.coverage.drawing import carved, fitted, loose_end, require_simple
from pingji.geo.coverage.errors import LineDoesNotCross, OutsideCommunity
from pingji.geo.coverage.measure import area_m2
from pingji.geo.coverage.model import Coverage, Edit
from pingji.geo.coverage.planar import Area
from pingji.geo.coverage.settle import one_community, place, settled

_NEAR_DEG = 3e-5  # no less than the 2 m by which ends may miss a border


def reshape(coverage: Coverage, line: shapely.LineString, codes: Sequence[str] | None = None) -> Edit:
    """Draw a border anew.

    Parameters
    ----------
    coverage : Coverage
    line : LineString, EPSG:4490 lon/lat degrees
        Crosses (or ends on, within 2 m) the present border at least twice; between it becomes the border.
    codes : sequence of str, optional
        The only polygons that may change; where left out, all of one community that the line runs over.

    Returns
    -------
    Edit

    Raises
    ------
    LineDoesNotCross
        If it cuts nothing off.
    OutsideCommunity
        If it cuts a piece off that has no neighbour in its community to go to.
    WouldSelfIntersect, WouldFallApart

    Notes
    -----
    The line cuts pieces off; of each polygon the largest piece stays, every other one goes to the neighbour with which
    it has most border in common. A piece that lies against several neighbours is cut where they meet, along the border
    between them drawn straight on (or the shortest way to the line), and each has the part that lies against it; not
    for less than about 2 m of a neighbour, which is a hand that went past the corner.

    Examples
    --------
    >>> boxes = [shapely.box(126.5 + i / 100, 43.6, 126.51 + i / 100, 43.61) for i in range(2)]
    >>> coverage = Coverage.of(["001", "002"], boxes)
    >>> bulge = shapely.LineString([(126.51, 43.602), (126.512, 43.605), (126.51, 43.608)])
    >>> edit = reshape(coverage, bulge)
    >>> {code: round(m2) for code, m2 in edit.gained_m2.items()}, {c: round(m2) for c, m2 in edit.lost_m2.items()}
    ({'001': 53823}, {'002': 53823})
    """
    require_simple(line)
    touched = _touched(coverage, line, codes)
    shapes = coverage.shapes(touched)
    path = fitted(line, shapes)
    core, loose = _pieces(coverage, touched, [path])
    if not loose:
        raise LineDoesNotCross(codes=tuple(touched), lonlat=loose_end(line, list(shapes)))
    sides = _sides(coverage, core, loose, codes)
    cuts = [cut for owner, piece in loose for cut in extensions(piece, _others(sides, owner), path)]
    if cuts:
        core, loose = _pieces(coverage, touched, [path, *cuts])
        sides = _sides(coverage, core, loose, codes)
    whole = {code: list(faces) for code, faces in core.items()}
    for owner, piece in loose:
        taker = _taker(coverage, piece, owner, _others(sides, owner))
        whole.setdefault(taker, [coverage[taker]]).append(piece)
    changed = {owner for owner, _ in loose} | (whole.keys() - core.keys())
    changed |= {code for code, faces in whole.items() if len(faces) > len(core.get(code, ()))}
    return settled(coverage, "reshape", reassembled(coverage, {code: whole[code] for code in sorted(changed)}))


def _pieces(
    coverage: Coverage, codes: Sequence[str], lines: list[BaseGeometry]
) -> tuple[dict[str, list[Area]], list[tuple[str, shapely.Polygon]]]:
    """What stays of each polygon that lines cut, part by part, and the pieces that come loose."""
    core: dict[str, list[Area]] = defaultdict(list)
    loose: list[tuple[str, shapely.Polygon]] = []
    for (i, _), faces in carved(coverage.shapes(codes), lines, coverage.crs).items():
        core[codes[i]].append(faces[0])
        loose += [(codes[i], face) for face in faces[1:]]
    return core, loose


def _touched(coverage: Coverage, line: shapely.LineString, codes: Sequence[str] | None) -> list[str]:
    """The polygons that the line may cut: of one community, that in which most of it runs."""
    if codes is not None:
        one_community(coverage, codes)
        return list(dict.fromkeys(codes))
    near = list(coverage.near(line, _NEAR_DEG))
    run: dict[str, float] = defaultdict(float)
    for code in near:
        run[coverage.community(code)] += line.intersection(coverage[code]).length
    if not run:
        raise LineDoesNotCross(codes=(), lonlat=loose_end(line, []))
    home = max(run, key=lambda name: run[name])
    return [code for code in near if coverage.community(code) == home]


def _sides(
    coverage: Coverage,
    core: Mapping[str, list[Area]],
    loose: Sequence[tuple[str, shapely.Polygon]],
    codes: Sequence[str] | None,
) -> dict[str, list[dict[Segment, float]]]:
    """The edges of everybody who may take a piece: what stays of those that were cut, and their neighbours."""
    sides = {code: [segments(face) for face in faces] for code, faces in core.items()}
    for owner, piece in loose if codes is None else ():
        home = coverage.community(owner)
        for code in coverage.near(piece):
            if code not in sides and coverage.community(code) == home:
                sides[code] = [segments(coverage[code])]
    return sides


def _others(sides: Sides, owner: str) -> Sides:
    return {code: parts for code, parts in sides.items() if code != owner}


def _taker(coverage: Coverage, piece: shapely.Polygon, owner: str, sides: Sides) -> str:
    """The neighbour that has most border in common with a piece that was cut off."""
    own = segments(piece)
    lengths = {code: shared(own, parts) for code, parts in sides.items()}
    best = max(lengths, key=lambda code: (lengths[code], code), default=None)
    if best is None or not lengths[best]:
        raise OutsideCommunity(codes=(owner,), lonlat=place(piece), area_m2=area_m2(piece, coverage.crs))
    return best

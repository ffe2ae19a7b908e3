"""Close narrow gaps and remove narrow overlaps, and say who gained what."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from pingji.geo.coverage.errors import StillInvalid, WouldEmpty
from pingji.geo.coverage.measure import width_m
from pingji.geo.coverage.model import Coverage, Edit
from pingji.geo.coverage.planar import ON_EDGE, Area, made_valid, nodes_of, polygonal, with_nodes
from pingji.geo.coverage.problems import CoverageProblem, find_problems
from pingji.geo.coverage.restore import exact
from pingji.geo.coverage.settle import exchange, place
from pingji.geo.crs import to_metric
from pingji.geo.regions import components

_SNAP_M = 1e-3  # vertices nearer than this are one; less than any survey, more than rounding
_HAIR_M = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class Repair:
    """What a repair does: the edit, and the problems that are too wide to be a slip of the pen.

    `left` has positions in `codes` as its members.
    """

    edit: Edit
    codes: tuple[str, ...]
    fixed: tuple[CoverageProblem, ...]
    left: tuple[CoverageProblem, ...]


def repair(
    coverage: Coverage,
    codes: Sequence[str] | None = None,
    outline: Area | None = None,
    gap_m: float = 2.0,
    overlap_m: float = 2.0,
) -> Repair:
    """Mend what is narrow enough to be an accident.

    Parameters
    ----------
    coverage : Coverage
    codes : sequence of str, optional
        The polygons of one community; nothing else is looked at. All where left out.
    outline : Polygon or MultiPolygon, EPSG:4490 lon/lat degrees, optional
        What they must fill; without it only what lies between them is mended.
    gap_m, overlap_m : float
        Gaps, and overlaps (or what leaves the outline), up to this mean width are mended; wider ones need a person.

    Returns
    -------
    Repair
        `edit.gained_m2` and `edit.lost_m2` say who gained and lost.

    Raises
    ------
    StillInvalid, WouldEmpty

    Notes
    -----
    `shapely.coverage_clean` with the longest common border decides; it runs on the broken polygons and the ring of
    sound ones around them, whose other borders come out as they were. Computed in metres; a vertex that stays keeps its
    stored coordinates.

    Examples
    --------
    >>> left, right = shapely.box(126.5, 43.6, 126.51001, 43.61), shapely.box(126.51, 43.6, 126.52, 43.61)
    >>> done = repair(Coverage.of(["001", "002"], [left, right]))
    >>> [p.kind for p in done.fixed], sorted(done.edit.lost_m2), done.left
    (['overlap'], ['001'], ())
    """
    names = tuple(dict.fromkeys(codes)) if codes is not None else coverage.codes
    given = coverage.shapes(names)
    problems = find_problems(given, outline, _HAIR_M)
    shapes = given.copy()
    for problem in problems:
        if problem.kind == "invalid":
            shapes[problem.members[0]] = made_valid(given[problem.members[0]])
    if any(problem.kind == "invalid" for problem in problems):
        problems += [p for p in find_problems(shapes, outline, _HAIR_M) if p not in problems]
    suspects, left = _repairable(coverage, shapes, problems, gap_m, overlap_m)
    wide = {id(problem) for problem in left}
    fixed = tuple(problem for problem in problems if id(problem) not in wide)
    if not len(suspects):
        return Repair(Edit("repair", {}, {}), names, (), tuple(left))
    barred = {i for problem in left if problem.kind != "gap" for i in problem.members} - set(suspects.tolist())
    mended = _mended(coverage, shapes, suspects, barred, outline, fixed, gap_m)
    changed = [i for i in mended if not shapely.equals_identical(mended[i], given[i])]
    after = {names[i]: mended[i] for i in changed}
    before = {names[i]: given[i] for i in changed}
    _noded(coverage, before, after, problems)
    gained, lost = exchange(coverage, {c: made_valid(shape) for c, shape in before.items()}, after)
    return Repair(Edit("repair", before, after, (), gained, lost), names, fixed, tuple(left))


def _repairable(
    coverage: Coverage, shapes: NDArray[np.object_], problems: list[CoverageProblem], gap_m: float, overlap_m: float
) -> tuple[NDArray[np.intp], list[CoverageProblem]]:
    """Positions to mend, and problems to leave; what overlaps too widely is left with all that hangs on it."""
    places = np.array([problem.geometry for problem in problems], dtype=object)
    width = width_m(places)
    left: list[CoverageProblem] = []
    stuck: set[int] = set()
    bad: set[int] = set()
    pairs: list[tuple[int, int]] = []
    for problem, size in zip(problems, width.tolist(), strict=True):
        limit = {"gap": gap_m, "overlap": overlap_m, "outside_parent": overlap_m, "invalid": np.inf}
        if size > limit.get(problem.kind, 0.0):
            left.append(problem)
            stuck.update(() if problem.kind == "gap" else problem.members)
        else:
            bad.update(problem.members)
        if problem.kind != "gap":
            pairs += [(problem.members[0], other) for other in problem.members[1:]]
    unmatched = ~shapely.is_empty(shapely.coverage_invalid_edges(shapes))
    bad.update(np.flatnonzero(unmatched).tolist())
    part = components(len(shapes), np.array(pairs, dtype=np.int64).reshape(-1, 2))
    lost = {int(part[i]) for i in stuck}
    keep = sorted(i for i in bad if int(part[i]) not in lost)
    left += [p for p in problems if p not in left and p.kind != "gap" and int(part[p.members[0]]) in lost]
    return np.array(keep, dtype=np.intp), left


def _mended(
    coverage: Coverage,
    shapes: NDArray[np.object_],
    suspects: NDArray[np.intp],
    barred: set[int],
    outline: Area | None,
    fixed: Sequence[CoverageProblem],
    gap_m: float,
) -> dict[int, Area]:
    """The suspects and the sound polygons around them, cleaned together; only those that come out otherwise."""
    if outline is not None:
        _fit_rim(shapes, fixed, outline)
    tree = shapely.STRtree(shapes)
    around = np.unique(np.concatenate([suspects, tree.query(shapes[suspects], predicate="intersects")[1]]))
    around = np.array([i for i in around.tolist() if i not in barred], dtype=np.intp)
    metric = to_metric(shapes[around], coverage.crs)
    clean: NDArray[np.object_] = shapely.coverage_clean(  # type: ignore[attr-defined]
        metric, gap_width=gap_m, snapping_distance=_SNAP_M
    )
    back = exact(clean, shapes[around], metric, coverage.crs)
    mended: dict[int, Area] = {}
    same = shapely.equals_identical(shapely.normalize(back), shapely.normalize(shapes[around]))
    for i, shape, unchanged in zip(around.tolist(), back, same.tolist(), strict=True):
        if shape.is_empty:
            raise WouldEmpty(codes=(), lonlat=place(shapes[i]), area_m2=0.0, member=i)
        mended[i] = shapes[i] if unchanged else shape
    return mended


def _fit_rim(shapes: NDArray[np.object_], fixed: Sequence[CoverageProblem], outline: Area) -> None:
    """Along the outline, which to a cleaner is the open side: cut off what leaves, add what is open to a neighbour."""
    rim = outline.boundary
    shapely.prepare(rim)
    for problem in fixed:
        if problem.kind == "outside_parent":
            i = problem.members[0]
            shapes[i] = polygonal(shapes[i].intersection(outline))
    for problem in fixed:
        if problem.kind == "gap" and problem.members and shapely.dwithin(rim, problem.geometry, ON_EDGE):
            edge = problem.geometry.boundary
            common = [edge.intersection(shapes[i]).length for i in problem.members]
            taker = problem.members[int(np.argmax(common))]
            shapes[taker] = polygonal(shapes[taker].union(problem.geometry))


def _noded(
    coverage: Coverage, before: dict[str, Area], after: dict[str, Area], problems: Sequence[CoverageProblem]
) -> None:
    """Nodes for the neighbours of what was mended, and the proof that nothing was torn."""
    nodes = np.array(sorted(nodes_of(after.values()) - nodes_of(before.values()))).reshape(-1, 2)
    if len(nodes):
        for code in coverage.at(nodes, ON_EDGE):
            old = after.get(code, coverage[code])
            new = with_nodes(old, nodes)
            if new is not old:
                before.setdefault(code, coverage[code])
                after[code] = new
    if not after:
        return
    shapes = np.array(list(after.values()), dtype=object)
    torn = ~shapely.is_valid(shapes) | ~shapely.is_empty(shapely.coverage_invalid_edges(shapes))
    if torn.any():
        i = int(np.flatnonzero(torn)[0])
        raise StillInvalid(codes=(list(after)[i],), lonlat=place(shapes[i]), area_m2=0.0)

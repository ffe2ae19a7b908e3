"""What every edit ends with: neighbours get the new nodes, the result is proved, gains and losses are measured."""

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from pingji.geo.coverage.chain import loose_edges
from pingji.geo.coverage.errors import OutsideCommunity, StillInvalid, WouldEmpty, WouldSelfIntersect
from pingji.geo.coverage.measure import area_m2, ground_m2, width_m
from pingji.geo.coverage.model import Coverage, Edit
from pingji.geo.coverage.planar import ON_EDGE, Area, faces_of, nodes_of, polygonal, with_nodes

_ROUNDING_M = 1e-3  # a node computed on an edge moves it by less
_LEAST_M2 = 1e-2  # below, ground that changes hands is rounding


def settled(
    coverage: Coverage,
    kind: str,
    after: Mapping[str, Area],
    removed: Iterable[str] = (),
    lineage: Sequence[tuple[str, str]] = (),
) -> Edit:
    """The edit that puts new polygons into a coverage, if it stays one.

    Parameters
    ----------
    coverage : Coverage
    kind : str
    after : mapping of code to Polygon or MultiPolygon, EPSG:4490 lon/lat degrees
        New shapes; their common edges match each other.
    removed : iterable of str
        Codes that end.
    lineage : sequence of (from code, into code)

    Returns
    -------
    Edit
        With the neighbours that get a node.

    Raises
    ------
    WouldEmpty, WouldSelfIntersect, StillInvalid

    Notes
    -----
    The proof is that of `chain.loose_edges`: where the borders after add up to those before, every point is covered as
    often as it was. It concerns what changes and nothing else, so it costs the same in any county.
    """
    before = {code: coverage[code] for code in (*(c for c in after if c in coverage), *removed)}
    for code, shape in after.items():
        usable(code, shape, before.get(code))
    old, full = noded(coverage, before, after)
    same_ground(coverage, full.values(), old.values(), tuple(old))
    matching(coverage, old, full)
    return written(coverage, kind, after, (old, full), lineage)


def noded(
    coverage: Coverage, before: Mapping[str, Area], after: Mapping[str, Area]
) -> tuple[dict[str, Area], dict[str, Area]]:
    """What changes, before and after, together with the neighbours that get a node of the new shapes."""
    old, full = dict(before), dict(after)
    nodes = np.array(sorted(nodes_of(after.values()) - nodes_of(before.values()))).reshape(-1, 2)
    for code in coverage.at(nodes, ON_EDGE) if len(nodes) else ():
        if code not in before:
            shape = with_nodes(coverage[code], nodes)
            if shape is not coverage[code]:
                old[code], full[code] = coverage[code], shape
    return old, full


def written(
    coverage: Coverage,
    kind: str,
    after: Mapping[str, Area],
    noded: tuple[Mapping[str, Area], Mapping[str, Area]],
    lineage: Sequence[tuple[str, str]] = (),
    communities: Mapping[str, str] | None = None,
) -> Edit:
    """The edit that this makes, with what everybody gains and loses; `noded` as the function of that name gives it."""
    before, full = noded
    gained, lost = exchange(coverage, {c: s for c, s in before.items() if c in after or c not in full}, after)
    home = coverage.community(next(iter(before))) if before else ""
    new = {code: (communities or {}).get(code, home) for code in full if code not in before}
    return Edit(kind, before, full, tuple(lineage), gained, lost, new)


def one_community(coverage: Coverage, codes: Sequence[str]) -> str:
    """The community of polygons that are edited together; raises OutsideCommunity where they have several."""
    names = {coverage.community(code) for code in codes}
    if len(names) > 1:
        raise OutsideCommunity(codes=tuple(codes), lonlat=place(coverage[codes[0]]), area_m2=0.0)
    return names.pop()


def place(shape: BaseGeometry) -> tuple[float, float]:
    """A point inside a shape, lon/lat degrees to a centimetre: what a map flies to."""
    point = shape.representative_point()
    return round(float(point.x), 7), round(float(point.y), 7)


def usable(code: str, shape: Area, old: Area | None) -> None:
    """Refuse a polygon that is empty or crosses itself."""
    if shape.is_empty or not shape.area:
        raise WouldEmpty(codes=(code,), lonlat=None if old is None else place(old), area_m2=0.0)
    if not shape.is_valid:
        found = re.search(r"\[(\S+) (\S+)\]", shapely.is_valid_reason(shape))
        where = (float(found[1]), float(found[2])) if found else place(shape)
        raise WouldSelfIntersect(codes=(code,), lonlat=where)


def same_ground(coverage: Coverage, after: Iterable[Area], before: Iterable[Area], codes: tuple[str, ...]) -> None:
    """Refuse polygons that do not cover every point as often as others did."""
    edges, _ = loose_edges(np.array(list(after), dtype=object), np.array(list(before), dtype=object))
    if len(edges):
        faces = faces_of(np.asarray(shapely.linestrings(edges), dtype=object))
        wide = faces[width_m(faces) > _ROUNDING_M]
        if len(wide):
            worst = max(wide.tolist(), key=lambda face: face.area)
            raise StillInvalid(codes=codes, lonlat=place(worst), area_m2=area_m2(worst, coverage.crs))


def matching(coverage: Coverage, before: Mapping[str, Area], after: Mapping[str, Area]) -> None:
    """Refuse borders whose nodes do not match: the ground may be right, but the next edit would tear them open."""
    around = [c for c in coverage.near(shapely.GeometryCollection(list(after.values()))) if c not in before]
    new = np.array([*after.values(), *(coverage[c] for c in around)], dtype=object)
    if shapely.coverage_is_valid(new):
        return
    old = np.array([*before.values(), *(coverage[c] for c in around)], dtype=object)
    if shapely.coverage_is_valid(old):
        torn = shapely.union_all(shapely.coverage_invalid_edges(new))
        raise StillInvalid(codes=tuple(before), lonlat=place(torn), area_m2=0.0)


def exchange(
    coverage: Coverage, before: Mapping[str, Area], after: Mapping[str, Area]
) -> tuple[dict[str, float], dict[str, float]]:
    """Square metres gained and lost by code; from pieces that change hands, so that both sides show the same."""
    codes = list(dict.fromkeys([*before, *after]))
    nothing = shapely.Polygon()
    pieces = []
    for code in codes:
        old, new = before.get(code, nothing), after.get(code, nothing)
        pieces += [polygonal(new.difference(old)), polygonal(old.difference(new))]
    areas = ground_m2(np.array(pieces, dtype=object), coverage.crs).tolist()
    gained = {code: m2 for code, m2 in zip(codes, areas[::2], strict=True) if m2 > _LEAST_M2}
    lost = {code: m2 for code, m2 in zip(codes, areas[1::2], strict=True) if m2 > _LEAST_M2}
    return gained, lost

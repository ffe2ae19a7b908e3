"""A coverage that is edited: polygons by code, an index built once, and edits that can be undone to the byte."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from pingji.geo.coverage.errors import CodeTaken, Stale, UnknownCode
from pingji.geo.coverage.measure import central_crs
from pingji.geo.coverage.planar import Area

_REINDEX = 4096  # changed polygons that are looked through one by one before a new index pays


@dataclass(frozen=True, slots=True, eq=False)
class Edit:
    """What one operation changes.

    Attributes
    ----------
    kind : str
        The operation: split, merge, reshape, move_vertex, insert_vertex, remove_vertex, give, simplify, repair.
    before, after : mapping of code to Polygon or MultiPolygon, EPSG:4490 lon/lat degrees
        The polygons that change, as they are and as they will be. A code that is only in one is removed or added;
        neighbours that only get a node on a straight border are in both.
    lineage : tuple of (from code, into code)
        Where a removed polygon went, and where an added one came from.
    gained_m2, lost_m2 : mapping of code to float
        Ground that a polygon has after and had not before, and the reverse. Codes that keep their ground are absent.
    communities : mapping of code to str
        The community of each added polygon.
    """

    kind: str
    before: Mapping[str, Area]
    after: Mapping[str, Area]
    lineage: tuple[tuple[str, str], ...] = ()
    gained_m2: Mapping[str, float] = field(default_factory=dict)
    lost_m2: Mapping[str, float] = field(default_factory=dict)
    communities: Mapping[str, str] = field(default_factory=dict)

    @property
    def replaced(self) -> tuple[str, ...]:
        """Codes that stay, with another polygon."""
        return tuple(code for code in self.before if code in self.after)

    @property
    def removed(self) -> tuple[str, ...]:
        """Codes that end."""
        return tuple(code for code in self.before if code not in self.after)

    @property
    def added(self) -> tuple[str, ...]:
        """Codes that begin."""
        return tuple(code for code in self.after if code not in self.before)

    def inverse(self) -> "Edit":
        """The edit that restores exactly what was."""
        back = tuple((into, from_) for from_, into in self.lineage)
        return replace(
            self, before=self.after, after=self.before, lineage=back, gained_m2=self.lost_m2, lost_m2=self.gained_m2
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Base:
    codes: tuple[str, ...]
    shapes: NDArray[np.object_]
    position: Mapping[str, int]
    tree: shapely.STRtree
    communities: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """Polygons by code, each in a community; never changed in place: `apply` gives another one.

    Every coverage made by `apply` shares the index of the one it came from and knows what changed since, so that an
    edit among 100,000 grids costs what it costs among ten.

    Examples
    --------
    >>> boxes = [shapely.box(126.5 + i / 100, 43.6, 126.51 + i / 100, 43.61) for i in range(3)]
    >>> coverage = Coverage.of(["a", "b", "c"], boxes)
    >>> len(coverage), coverage.near(shapely.Point(126.505, 43.605)), coverage["b"].equals(boxes[1])
    (3, ('a',), True)
    """

    crs: CRS
    base: _Base
    changed: Mapping[str, Area | None]
    named: Mapping[str, str]

    @classmethod
    def of(
        cls,
        codes: Sequence[str],
        polygons: Sequence[BaseGeometry] | NDArray[np.object_],
        communities: Sequence[str] | None = None,
        crs: CRS | None = None,
    ) -> Self:
        """A coverage of polygons.

        Parameters
        ----------
        codes : sequence of str, shape (n,)
        polygons : array of Polygon or MultiPolygon, shape (n,), EPSG:4490 lon/lat degrees
        communities : sequence of str, shape (n,), optional
            The community that each belongs to; all to one where left out.
        crs : CRS, optional
            Metric system to measure in; that of the middle where left out.

        Raises
        ------
        CodeTaken
            If a code occurs twice.
        """
        shapes = np.array(polygons, dtype=object)
        position = {code: i for i, code in enumerate(codes)}
        if len(position) != len(shapes) or len(codes) != len(shapes):
            twice = sorted({code for code in codes if codes.count(code) > 1}) if len(codes) < 10_000 else []
            raise CodeTaken(codes=tuple(twice))
        names = dict(zip(codes, communities if communities is not None else [""] * len(codes), strict=True))
        where = crs or central_crs(shapes)
        return cls(where, _Base(tuple(codes), shapes, position, shapely.STRtree(shapes), names), {}, {})

    def __getitem__(self, code: str) -> Area:
        shape = self.get(code)
        if shape is None:
            raise UnknownCode(codes=(code,))
        return shape

    def __contains__(self, code: object) -> bool:
        return isinstance(code, str) and self.get(code) is not None

    def __len__(self) -> int:
        ended = sum(1 for c, shape in self.changed.items() if shape is None and c in self.base.position)
        begun = sum(1 for c, shape in self.changed.items() if shape is not None and c not in self.base.position)
        return len(self.base.codes) - ended + begun

    def get(self, code: str) -> Area | None:
        """The polygon of a code, None where there is none."""
        if code in self.changed:
            return self.changed[code]
        at = self.base.position.get(code)
        return None if at is None else self.base.shapes[at]

    @property
    def codes(self) -> tuple[str, ...]:
        """All codes, in the order given, new ones last."""
        kept = [code for code in self.base.codes if self.changed.get(code, True) is not None]
        new = [c for c, shape in self.changed.items() if shape is not None and c not in self.base.position]
        return tuple(kept + new)

    @property
    def polygons(self) -> NDArray[np.object_]:
        """All polygons, in the order of `codes`."""
        return self.shapes(self.codes)

    def shapes(self, codes: Iterable[str]) -> NDArray[np.object_]:
        """The polygons of some codes."""
        found = [self[code] for code in codes]
        out = np.empty(len(found), dtype=object)
        out[:] = found
        return out

    def near(self, shape: BaseGeometry, reach_deg: float = 0.0) -> tuple[str, ...]:
        """The codes whose polygons touch a shape, or come within `reach_deg` degrees of it; costs their number."""
        hits = self.base.tree.query(shape, predicate="dwithin", distance=reach_deg)
        codes = [self.base.codes[i] for i in sorted(hits.tolist())]
        found = [code for code in codes if code not in self.changed]
        live = [(code, polygon) for code, polygon in self.changed.items() if polygon is not None]
        if live:
            close = shapely.dwithin(np.array([p for _, p in live], dtype=object), shape, reach_deg)
            found += [code for (code, _), hit in zip(live, close.tolist(), strict=True) if hit]
        return tuple(found)

    def at(self, nodes: NDArray[np.float64], reach_deg: float) -> tuple[str, ...]:
        """The codes whose polygons come within `reach_deg` degrees of any of many nodes, shape (n, 2)."""
        points = np.asarray(shapely.points(nodes), dtype=object)
        hits = np.unique(self.base.tree.query(points, predicate="dwithin", distance=reach_deg)[1])
        found = [code for code in map(self.base.codes.__getitem__, hits.tolist()) if code not in self.changed]
        live = [(code, polygon) for code, polygon in self.changed.items() if polygon is not None]
        if live:
            tree = shapely.STRtree([polygon for _, polygon in live])
            close = np.unique(tree.query(points, predicate="dwithin", distance=reach_deg)[1])
            found += [live[i][0] for i in close.tolist()]
        return tuple(found)

    def community(self, code: str) -> str:
        """The community of a polygon."""
        return self.named.get(code) or self.base.communities.get(code, "")

    def apply(self, edit: Edit) -> "Coverage":
        """The coverage after an edit.

        Raises
        ------
        Stale
            If a polygon is not the one any more that the edit was made for.
        """
        stale = [c for c, shape in edit.before.items() if not _identical(self.get(c), shape)]
        stale += [c for c in edit.added if self.get(c) is not None]
        if stale:
            raise Stale(codes=tuple(stale))
        changed = {**self.changed, **dict.fromkeys(edit.removed), **edit.after}
        after = Coverage(self.crs, self.base, changed, {**self.named, **edit.communities})
        if len(changed) <= _REINDEX:
            return after
        codes = after.codes
        return Coverage.of(codes, after.shapes(codes), [after.community(code) for code in codes], self.crs)

    def undo(self, edit: Edit) -> "Coverage":
        """The coverage before an edit, to the byte."""
        return self.apply(edit.inverse())


def _identical(one: Area | None, other: Area) -> bool:
    return one is other or (one is not None and bool(shapely.equals_identical(one, other)))

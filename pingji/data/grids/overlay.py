"""What the edits of a draft come to together: first state, last state, and where ground went."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pingji.data.grids.stored import Described, same
from pingji.geo.coverage import Edit
from pingji.geo.coverage.planar import Area

Link = tuple[str, str, str]  # from code, into code, kind of the edit that did it


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """The sum of edits; laid over the grids that it was made for, it gives the draft.

    Attributes
    ----------
    before : mapping of code to Polygon or MultiPolygon
        Published grids that the edits change, as they were found first.
    after : mapping of code to Polygon, MultiPolygon or None
        Their last state, and that of new grids; None where a grid ends. New grids that ended again are absent.
    communities : mapping of code to str
        Of new grids.
    values : mapping of code to mapping of column to text
        Attributes given, the last one of each column.
    found : mapping of code to mapping of column to text
        What published grids had in their place, as it was found first.
    lineage : tuple of (from code, into code, kind)
        From published grids into grids that stand at the end; codes that came and went in between are passed over.
    used : frozenset of str
        Every code that the edits ever had, also of grids that came and went.
    """

    before: Mapping[str, Area] = field(default_factory=dict)
    after: Mapping[str, Area | None] = field(default_factory=dict)
    communities: Mapping[str, str] = field(default_factory=dict)
    values: Described = field(default_factory=dict)
    found: Described = field(default_factory=dict)
    lineage: tuple[Link, ...] = ()
    used: frozenset[str] = frozenset()

    @property
    def codes(self) -> tuple[str, ...]:
        """Every code that the edits touch, attributes included."""
        return tuple(dict.fromkeys([*self.before, *self.after, *self.values]))

    @property
    def ended(self) -> tuple[str, ...]:
        """Published grids that end."""
        return tuple(code for code, shape in self.after.items() if shape is None)

    @property
    def added(self) -> tuple[str, ...]:
        """New grids."""
        return tuple(code for code in self.after if code not in self.before)


def overlay_of(edits: Iterable[tuple[Edit, Described, Described]]) -> Overlay:
    """The sum of edits, each with the attributes that it gives and that it found, in their order."""
    before: dict[str, Area] = {}
    after: dict[str, Area | None] = {}
    communities: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    had: dict[str, dict[str, str]] = {}
    links: list[Link] = []
    for edit, given, found in edits:
        before.update({code: shape for code, shape in edit.before.items() if code not in after})
        after.update(dict.fromkeys(edit.removed))
        after.update(edit.after)
        communities.update(edit.communities)
        links += [(from_, into, edit.kind) for from_, into in edit.lineage]
        for code, columns in given.items():
            values.setdefault(code, {}).update(columns)
        for code, columns in found.items():
            had[code] = {**columns, **had.get(code, {})}
    used, new = frozenset(after), set(after) - set(before)
    for code in [code for code, shape in before.items() if same(shape, after[code])]:
        del before[code], after[code]  # moved there and back: nothing has changed
    kept = {code: shape for code, shape in after.items() if shape is not None or code in before}
    gone = {code for code, shape in after.items() if shape is None}
    return Overlay(
        before,
        kept,
        {code: name for code, name in communities.items() if code in kept},
        {code: columns for code, columns in values.items() if code not in gone},
        {code: columns for code, columns in had.items() if code not in gone},
        _net(links, gone, new),
        used,
    )


def _net(links: list[Link], gone: set[str], new: set[str]) -> tuple[Link, ...]:
    """Links from what was published to what stands at the end.

    A grid that only existed in between hands on what went into it; one that stands and was published before hands on
    itself alone.
    """
    into: dict[str, dict[str, str]] = {}  # code that is new or ends → published codes that went into it, and how
    found: dict[tuple[str, str], str] = {}
    for from_, to, kind in links:
        sources = dict(into.get(from_, {})) if from_ in gone or from_ in new else {}
        if from_ not in new:
            sources[from_] = kind
        for source, how in sources.items():
            if to in gone or to in new:
                into.setdefault(to, {}).setdefault(source, how)
            if to not in gone and source != to:
                found.setdefault((source, to), how)
    return tuple((a, b, kind) for (a, b), kind in found.items())

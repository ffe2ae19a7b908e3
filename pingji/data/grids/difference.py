"""What a change set makes of the grids: which begin, end, change ground or only gain a node, and who gains what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pingji.data.grids.figures import Figures, figures_of, total_of
from pingji.data.grids.ground import Ground
from pingji.data.grids.overlay import Link, Overlay
from pingji.data.grids.stored import same
from pingji.geo.coverage import Coverage
from pingji.geo.coverage.planar import Area, made_valid
from pingji.geo.coverage.settle import exchange

State = Literal["changed", "new", "ended", "redescribed"]
Rows = Mapping[str, Mapping[str, Any]]

_KINDS = ("split", "merge")  # of lineage; whatever else hands ground on is a redrawing


@dataclass(frozen=True, slots=True, eq=False)
class Net:
    """What edits come to, grid by grid, in the order of codes.

    Attributes
    ----------
    new, ended : tuple of str
    changed : tuple of str
        Grids that keep their code and have other ground.
    redescribed : tuple of str
        Grids with the same ground and another name or other people on duty.
    noded : tuple of str
        Grids that only got vertices on borders that stay where they are: to people the same grids.
    gained_m2, lost_m2 : mapping of code to float
    """

    new: tuple[str, ...]
    ended: tuple[str, ...]
    changed: tuple[str, ...]
    redescribed: tuple[str, ...]
    noded: tuple[str, ...]
    gained_m2: Mapping[str, float]
    lost_m2: Mapping[str, float]

    @property
    def versions(self) -> tuple[str, ...]:
        """Grids of which a version begins or ends."""
        return tuple(sorted({*self.new, *self.ended, *self.changed, *self.redescribed}))


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One grid of the table of gains and losses."""

    code: str
    name: str
    community: str
    state: State
    before: Figures | None
    after: Figures | None
    gained_m2: float
    lost_m2: float
    from_: tuple[str, ...]
    into: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """Before and after, with figures of every grid on both sides."""

    before: Mapping[str, Figures]
    after: Mapping[str, Figures]
    rows: Sequence[Row]
    totals_before: Figures
    totals_after: Figures
    lineage: Sequence[Link]


def net_of(overlay: Overlay, rows: Rows, coverage: Coverage) -> Net:
    """What the edits of a draft come to.

    Parameters
    ----------
    overlay : Overlay
    rows : mapping of code to mapping of column to value
        Attributes of the published grids that the edits touch, as they are published.
    coverage : Coverage
        Gives the metric system.
    """
    both = [code for code in overlay.before if overlay.after.get(code) is not None]
    moved = [code for code in both if not same(overlay.before[code], overlay.after[code])]
    touched = {*moved, *overlay.ended, *overlay.added}
    before = {code: made_valid(shape) for code, shape in overlay.before.items() if code in touched}
    after = {c: made_valid(shape) for c, shape in overlay.after.items() if c in touched and shape is not None}
    gained, lost = exchange(coverage, before, after) if touched else ({}, {})
    changed = [code for code in moved if code in gained or code in lost]
    described = [
        code
        for code, given in overlay.values.items()
        if code in rows and any(str(rows[code].get(column, "")) != value for column, value in given.items())
    ]
    return Net(
        tuple(sorted(overlay.added)),
        tuple(sorted(overlay.ended)),
        tuple(sorted(changed)),
        tuple(sorted(set(described) - set(changed) - set(overlay.ended))),
        tuple(sorted(set(moved) - set(changed))),
        gained,
        lost,
    )


def lineage_of(overlay: Overlay) -> list[Link]:
    """Links from ended or cut grids into those that came of them, each a split, a merge or a redrawing."""
    return [(a, b, kind if kind in _KINDS else "redraw") for a, b, kind in overlay.lineage]


def difference_of(before: Ground, after: Ground, net: Net, overlay: Overlay) -> Difference:
    """Before and after of a change set.

    Parameters
    ----------
    before, after : Ground
        Of its communities, both with the people of today: gains and losses are those of borders, not of removals.
    net : Net
        Between the two.
    overlay : Overlay
    """
    figures = figures_of(before), figures_of(after)
    lineage = lineage_of(overlay)
    rows = [
        Row(
            code,
            str(own.rows.get(code, {}).get("name", "")),
            own.coverage.community(code),
            state,
            figures[0].get(code) if state != "new" else None,
            figures[1].get(code) if state != "ended" else None,
            net.gained_m2.get(code, 0.0),
            net.lost_m2.get(code, 0.0),
            tuple(a for a, b, _ in lineage if b == code),
            tuple(b for a, b, _ in lineage if a == code),
        )
        for state, codes, own in _states(net, before, after)
        for code in codes
    ]
    rows.sort(key=lambda row: (row.community, row.code))
    return Difference(*figures, rows, total_of(figures[0].values()), total_of(figures[1].values()), lineage)


def ground_moved(net: Net, overlay: Overlay) -> list[tuple[str, Area]]:
    """Every polygon, as it was and as it will be, on which people may change their grid, with its code."""
    codes = {*net.new, *net.ended, *net.changed}
    both = [*overlay.before.items(), *overlay.after.items()]
    return [(code, shape) for code, shape in both if code in codes and shape is not None]


def _states(net: Net, before: Ground, after: Ground) -> list[tuple[State, tuple[str, ...], Ground]]:
    return [
        ("new", net.new, after),
        ("ended", net.ended, before),
        ("changed", net.changed, after),
        ("redescribed", net.redescribed, after),
    ]

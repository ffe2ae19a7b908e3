"""What counts of people may be told in public: classes of ten, and nothing that subtracts back into one to four people.

The county's own figures are exact. Below it a count is told by its class (0–9, 10–19 …), and the remainder of a
township or zone also by whether it is zero. A zero and an exact total can give their neighbour away, so where they
would, the small cells beside each other are told alike. `docs/adr/0008-disclosure.md` argues it, attack by attack.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

SMALL = 5  # fewer people than that could be told apart by whoever knows the place
BASE = 10  # width of a class: wide enough that no class, and no difference of two, lies within one to four
_SPARE = SMALL - 1
_NO_LIMIT = 10**9


@dataclass(frozen=True, slots=True)
class Mark:
    """What is told of a count: that it is one of `low` … `high`."""

    low: int
    high: int

    @property
    def told(self) -> int | str:
        """As a screen shows it: 0, "1–9", "0–9", or "120+" for 120 to 129.

        >>> [Mark(0, 0).told, FEW.told, UNTOLD.told, coarse(123).told]
        [0, '1–9', '0–9', '120+']
        """
        if self.low == self.high:
            return self.low
        return f"{self.low}+" if self.low >= BASE else f"{self.low}–{self.high}"


NONE = Mark(0, 0)
FEW = Mark(1, BASE - 1)  # somebody, but few
UNTOLD = Mark(0, BASE - 1)  # few, or nobody


@dataclass(frozen=True, slots=True)
class Cell:
    """The balance of one township or zone in persons."""

    expected: int
    remainder: int


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of a cell; None is nothing."""

    expected: Mark | None
    remainder: Mark | None


@dataclass(frozen=True, slots=True)
class Apart:
    """Marks of the cells of one group. The parts of `cover`, one of them, must not be told: its slack hides another.

    Nor may anything else be told of those in `bare`.
    """

    marks: tuple[Mark, ...]
    cover: int | None = None
    bare: frozenset[int] = frozenset()


def coarse(n: int) -> Mark:
    """The class of a count.

    >>> coarse(0), coarse(9), coarse(10)
    (Mark(low=0, high=9), Mark(low=0, high=9), Mark(low=10, high=19))
    """
    low = _floor(n)
    return Mark(low, low + BASE - 1)


def apart(counts: Sequence[int]) -> Apart:
    """Marks of counts whose sum somebody may know, so that nobody works a count of 1 to 4 out of them.

    Examples
    --------
    Seven people in two of four places may lie in many ways; three people may not, and so no place says whether it
    has anybody.

    >>> [mark.told for mark in apart([2, 1, 0, 0]).marks]
    ['0–9', '0–9', '0–9', '0–9']
    >>> [mark.told for mark in apart([4, 3, 0, 36]).marks]
    ['1–9', '1–9', 0, '30+']
    """
    few = [i for i, n in enumerate(counts) if n < BASE]
    many = [i for i, n in enumerate(counts) if n >= BASE]
    plain = tuple(coarse(n) if n >= BASE else FEW if n else NONE for n in counts)
    if len(few) == 1:
        return _beside_many(counts, few[0], many, plain)
    total = sum(counts[i] for i in few)
    if total and _gives_away(total, sum(counts[i] > 0 for i in few), len(few)):
        return Apart(tuple(UNTOLD if n < BASE else mark for n, mark in zip(counts, plain, strict=True)))
    return Apart(plain)


def _gives_away(total: int, filled: int, cells: int) -> bool:
    """Whether to know which of some cells hold anybody, and how many all of them hold, is to know one of 1 to 4.

    A filled cell could hold as many as the total less one for each other filled cell. Where that is under 5 the cells
    are told alike; and where all cells would have to be filled for that, already one earlier: else to be told nothing
    would be to be told that none is empty.
    """
    enough = max(1, total - _SPARE + 1)
    return filled >= (enough if enough < cells else cells - 1) and enough <= cells


def _beside_many(counts: Sequence[int], few: int, many: Sequence[int], plain: tuple[Mark, ...]) -> Apart:
    """A single small cell is hidden by the class of a large one; with none it is the whole, which is told anyway."""
    if not many:
        return Apart(plain)
    cover = _cover(many, plain)
    slack = counts[few] + counts[cover] - plain[cover].low
    if slack == 0:
        return Apart(plain)
    if slack > _SPARE:
        return Apart(plain, cover if counts[few] else None)
    marks = tuple(UNTOLD if i == few else mark for i, mark in enumerate(plain))
    return Apart(marks, cover, frozenset({few, cover}))


def _cover(many: Sequence[int], plain: Sequence[Mark]) -> int:
    """The large cell of the lowest class: by what is told, for the choice itself tells too."""
    return min(many, key=lambda i: plain[i].low)


def told(
    county: Cell, townships: Mapping[str, Cell], zones: Mapping[str, Cell], inside: Mapping[str, str]
) -> dict[str, Told]:
    """What the public is told of townships and zones, by code, beside the exact figures of their county.

    A cell in which fewer than ten people are expected is left out; and where the classes of those listed would leave
    fewer than five people for all that are left out, what is expected is not told at all. `inside` names the
    township of a zone.

    Examples
    --------
    >>> townships, zones = {"t": Cell(84, 26), "u": Cell(53, 0)}, {"z": Cell(41, 15), "y": Cell(33, 11)}
    >>> cells = told(Cell(137, 26), townships, zones, {"z": "t", "y": "t"})
    >>> {code: (cell.remainder.told, cell.expected.told) for code, cell in cells.items()}
    {'t': ('20+', '80+'), 'u': (0, '50+'), 'z': ('10+', '40+'), 'y': ('10+', '30+')}
    """
    shown, cover = _group(county, townships)
    within: dict[str, list[str]] = {}
    for code in zones:
        within.setdefault(inside.get(code, ""), []).append(code)
    for township, codes in within.items():
        cells = {code: zones[code] for code in codes}
        above = shown[township].remainder if township in shown else None
        if township == cover or above is None:
            shown |= _alike(cells, None)
        elif above.low < BASE:
            shown |= _alike(cells, NONE if above == NONE else UNTOLD)
        else:
            shown |= _group(townships[township], cells)[0]
    for level in (townships, zones):
        if county.expected - sum(_floor(cell.expected) for cell in level.values()) < SMALL:
            shown |= _bare(shown, level)
    return shown | _bare(shown, _hinting(county, shown, {code: within.get(code, []) for code in townships}))


def _hinting(county: Cell, shown: Mapping[str, Told], within: Mapping[str, Sequence[str]]) -> Iterable[str]:
    """Cells whose classes of expected and missing tell, of the first who are accounted for, where they come from."""
    least = {code: _accounted_for(cell)[0] for code, cell in shown.items()}
    zones = {township: sum(least.get(code, 0) for code in codes) for township, codes in within.items()}
    floors = {township: max(least.get(township, 0), zones[township]) for township in within}
    spare = county.expected - county.remainder - sum(floors.values())
    if spare < _SPARE and any(floors.values()):
        return shown
    return [
        code
        for township, codes in within.items()
        if zones[township]
        and min(spare + floors[township], _accounted_for(shown.get(township))[1]) - zones[township] < _SPARE
        for code in codes
    ]


def _accounted_for(cell: Told | None) -> tuple[int, int]:
    """How many are accounted for at least and at most, as told."""
    if cell is None or cell.expected is None or cell.remainder is None:
        return 0, _NO_LIMIT
    return max(0, cell.expected.low - cell.remainder.high), cell.expected.high - cell.remainder.low


def _bare(shown: Mapping[str, Told], codes: Iterable[str]) -> dict[str, Told]:
    """The same cells without what is expected."""
    return {code: Told(None, shown[code].remainder) for code in codes if code in shown}


def _floor(n: int) -> int:
    return n // BASE * BASE


def _group(whole: Cell, cells: Mapping[str, Cell]) -> tuple[dict[str, Told], str | None]:
    """The cells of a whole told apart, and which of them covers another.

    Whoever belongs to the whole but to none of the cells is one cell more: nothing is told of it, and nothing must
    follow for it.
    """
    listed = [code for code, cell in cells.items() if cell.expected >= BASE]
    counts = [cells[code].remainder for code in listed]
    others = max(0, whole.remainder - sum(counts))
    inhabited = whole.expected > sum(cells[code].expected for code in listed)
    marked = apart([*counts, others] if inhabited or others else counts)
    shown = {
        code: Told(None if i in marked.bare else coarse(cells[code].expected), marked.marks[i])
        for i, code in enumerate(listed)
    }
    return shown, listed[marked.cover] if marked.cover is not None and marked.cover < len(listed) else None


def _alike(cells: Mapping[str, Cell], mark: Mark | None) -> dict[str, Told]:
    """Zones that are not told apart: all of them under one mark."""
    return {code: Told(coarse(cell.expected), mark) for code, cell in cells.items() if cell.expected >= BASE}

"""An attacker with all relations and the rule itself gets no count of one to four out of what is told."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pingji.ops.disclosure import BASE, FEW, NONE, SMALL, UNTOLD, Apart, Cell, Mark, Told, apart, coarse, told

Table = tuple[int, ...]
SECRET = set(range(1, SMALL))


def ways(total: int, cells: int) -> Iterator[Table]:
    """Every table of so many cells with that sum."""
    if cells == 1:
        yield (total,)
        return
    for first in range(total + 1):
        yield from ((first, *rest) for rest in ways(total - first, cells - 1))


def leaks(tables: Iterable[Table], seen: Callable[[Table], Hashable]) -> list[tuple[Hashable, int]]:
    """What an attacker finds who has every table that gives the same picture: cells that are 1 to 4 in all of them."""
    could_be: dict[Hashable, list[set[int]]] = {}
    for table in tables:
        values = could_be.setdefault(seen(table), [set() for _ in table])
        for i, n in enumerate(table):
            values[i].add(n)
    return [(key, i) for key, values in could_be.items() for i, ns in enumerate(values) if ns <= SECRET]


# ── One group under an exact total ──────────────────────────────────────────


def before(n: int) -> object:
    """What was told until now."""
    return "<5" if 0 < n < SMALL else n


def each_by_itself(n: int) -> Mark:
    """Classes, without a look at the neighbours."""
    return coarse(n) if n >= BASE else FEW if n else NONE


@pytest.mark.parametrize("cells", [2, 3])
@pytest.mark.parametrize("rule", [before, each_by_itself])
def test_cell_by_cell_gives_small_counts_away(cells: int, rule: Callable[[int], Hashable]) -> None:
    assert leaks(ways(12, cells), lambda table: tuple(rule(n) for n in table))


@pytest.mark.parametrize(("cells", "top"), [(2, 60), (3, 42), (4, 26), (5, 18), (6, 14)])
def test_a_group_gives_no_small_count_away_to_whoever_knows_total_and_rule(cells: int, top: int) -> None:
    for total in range(top):
        assert leaks(ways(total, cells), apart) == []


@pytest.mark.parametrize(("cells", "top"), [(3, 40), (4, 26)])
def test_nor_to_whoever_knows_every_large_count_but_the_one_that_covers(cells: int, top: int) -> None:
    def seen(table: Table) -> Hashable:
        marked = apart(table)
        known = tuple(n for i, n in enumerate(table) if n >= BASE and i != marked.cover)
        return marked, known

    for total in range(top):
        assert leaks(ways(total, cells), seen) == []


@pytest.mark.parametrize("total", range(0, 40))
def test_the_total_alone_tells_a_single_cell_and_nothing_hides_that(total: int) -> None:
    assert apart([total]) == Apart((each_by_itself(total),))


def test_zero_is_told_wherever_that_gives_nobody_away() -> None:
    assert apart([0, 0, 0]).marks == (NONE, NONE, NONE)
    assert apart([0, 0, 123]).marks == (NONE, NONE, coarse(123))
    assert apart([0, 4, 5, 0]).marks == (NONE, FEW, FEW, NONE)
    assert apart([0, 3, 123, 0]).marks == (UNTOLD, UNTOLD, coarse(123), UNTOLD)


@pytest.mark.parametrize(("cells", "top"), [(2, 40), (3, 36), (4, 24), (5, 18)])
@pytest.mark.parametrize("most", [5, 9])
def test_nor_a_count_of_which_nothing_is_told(cells: int, top: int, most: int) -> None:
    """The last cell is not listed: fewer than ten live there."""

    def seen(table: Table) -> Hashable:
        marked = apart(table)
        return marked.marks[:-1], {marked.cover} - {cells - 1} == set(), marked.bare - {cells - 1}

    for total in range(top):
        assert leaks((table for table in ways(total, cells) if table[-1] <= most), seen) == []


@given(st.lists(st.integers(0, 40), min_size=1, max_size=12))
def test_no_mark_is_wrong_and_nobody_looks_like_nobody(counts: list[int]) -> None:
    for n, mark in zip(counts, apart(counts).marks, strict=True):
        assert mark.low <= n <= mark.high
        assert (mark == NONE) <= (n == 0)
        assert mark in (NONE, FEW, UNTOLD) or mark == coarse(n)


# ── Townships, and their zones ──────────────────────────────────────────────


class Place(NamedTuple):
    """Who lives where: zones of each township as (code, township), people outside zones as a cell of their own."""

    zones: tuple[str, ...]
    rest: bool


SHAPES = [Place(("a", "a", "b"), False), Place(("a", "a", "b", "b"), False), Place(("a", "a", "b", "c"), False)]
SHAPES += [Place(("a", "b", "c"), True), Place(("a", "a", "b"), True)]


def picture(place: Place, table: Table, expected: int = 400) -> tuple[Table, dict[str, Told]]:
    """The true counts of all townships and zones, and what is told of them."""
    townships = sorted(set(place.zones))
    counts = dict.fromkeys(townships, 0)
    for township, n in zip(place.zones, table, strict=False):
        counts[township] += n
    if place.rest:
        counts[townships[0]] += table[-1]
    zones = {f"z{i}": Cell(expected, n) for i, n in enumerate(table[: len(place.zones)])}
    inside = {f"z{i}": township for i, township in enumerate(place.zones)}
    crowds = {t: Cell(expected * (place.zones.count(t) + (place.rest and t == "a")), n) for t, n in counts.items()}
    county = Cell(sum(c.expected for c in crowds.values()), sum(table))
    shown = told(county, crowds, zones, inside)
    return (*table, *counts.values()), shown


@pytest.mark.parametrize("place", SHAPES)
def test_a_hierarchy_gives_no_small_count_away_to_whoever_knows_total_and_rule(place: Place) -> None:
    width = len(place.zones) + place.rest
    for total in range(36 if width == 3 else 24):
        pictures = [picture(place, table) for table in ways(total, width)]
        told_of = {truth: tuple(shown.items()) for truth, shown in pictures}
        assert leaks(told_of, told_of.__getitem__) == []


# ── Larger counties: all relations solved by bounds ─────────────────────────


class Bounds(dict[str, list[int]]):
    """What an attacker knows of each cell: no less than, no more than."""

    def __init__(self, told_of: Mapping[str, Mark | None], total: int, unlisted: Iterable[str]) -> None:
        super().__init__({code: [mark.low, mark.high] if mark else [0, total] for code, mark in told_of.items()})
        self |= {"county": [total, total]} | {code: [0, BASE - 1] for code in unlisted}

    def solve(self, sums: Mapping[str, Sequence[str]]) -> None:
        """Narrows until nothing narrows further: on a tree of sums these are the exact bounds."""
        before: dict[str, list[int]] | None = None
        while before != self:
            before = {name: list(pair) for name, pair in self.items()}
            for whole, parts in sums.items():
                low, high = (sum(self[part][side] for part in parts) for side in (0, 1))
                self.narrow(whole, low, high)
                for part in parts:
                    others = [self[other] for other in parts if other != part]
                    low = self[whole][0] - sum(high for _, high in others)
                    self.narrow(part, low, self[whole][1] - sum(low for low, _ in others))

    def narrow(self, name: str, low: int, high: int) -> None:
        """No less, no more than that."""
        self[name] = [max(self[name][0], low), min(self[name][1], high)]


def attack(townships: Sequence[Sequence[Cell]], rule: Callable[[list[Cell]], list[Told | None]]) -> list[str]:
    """Counts below the county that an attacker knows to be 1 to 4, of people expected, accounted for or missing.

    `rule` tells of every township and then of every zone; None is a cell of which nothing is told. Everybody lives in
    a zone, and the attacker knows it. A cell in which all but a few of the county live is the county itself, whose
    own figures are exact.
    """
    zones = {f"{i}/{j}": cell for i, cells in enumerate(townships) for j, cell in enumerate(cells)}
    crowds = {f"{i}": _sum(cells) for i, cells in enumerate(townships)}
    sums = {"county": list(crowds)} | {i: [z for z in zones if z.startswith(f"{i}/")] for i in crowds}
    cells = crowds | zones
    whole = _sum(list(crowds.values()))
    shown = dict(zip(cells, rule(list(cells.values())), strict=True))
    listed = {code: told_of for code, told_of in shown.items() if told_of is not None}
    unlisted = set(cells) - set(listed)
    missing = Bounds({code: cell.remainder for code, cell in listed.items()}, whole.remainder, unlisted)
    expected = Bounds({code: cell.expected for code, cell in listed.items()}, whole.expected, unlisted)
    accounted = Bounds(dict.fromkeys(listed), whole.expected - whole.remainder, unlisted)
    for _ in range(3):
        for known in (missing, expected, accounted):
            known.solve(sums)
        for code in cells:
            (r, most_r), (e, most_e), (a, most_a) = missing[code], expected[code], accounted[code]
            missing.narrow(code, e - most_a, most_e - a)
            accounted.narrow(code, e - most_r, most_e - r)
            expected.narrow(code, r + a, most_r + most_a)
    about = {"missing": missing, "expected": expected, "accounted": accounted}
    return [
        f"{code} {what} {known[code]}"
        for what, known in about.items()
        for code in cells
        if known[code][0] >= 1 and known[code][1] < SMALL and whole.expected - cells[code].expected >= BASE
    ]


def _sum(cells: Sequence[Cell]) -> Cell:
    return Cell(sum(c.expected for c in cells), sum(c.remainder for c in cells))


def ours(cells: list[Cell], shape: Sequence[int]) -> list[Told | None]:
    """The rule, given townships and then the zones of each."""
    townships = {f"{i}": cell for i, cell in enumerate(cells[: len(shape)])}
    inside = {f"{i}/{j}": f"{i}" for i, zones in enumerate(shape) for j in range(zones)}
    zones = dict(zip(inside, cells[len(shape) :], strict=True))
    shown = told(_sum(list(townships.values())), townships, zones, inside)
    return [shown.get(code) for code in (*townships, *zones)]


def people(left: st.SearchStrategy[int], gone: st.SearchStrategy[int]) -> st.SearchStrategy[list[list[Cell]]]:
    """Counties of two to six townships with two to seven zones: who is missing and who is accounted for in each."""
    cell = st.builds(lambda n, a: Cell(n + a, n), left, gone)
    return st.lists(st.lists(cell, min_size=2, max_size=7), min_size=2, max_size=6)


busy = people(st.integers(0, 40), st.integers(0, 30))
nearly_done = people(st.sampled_from([0, 0, 0, 1, 2, 3, 10, 11]), st.integers(10, 30))
just_begun = people(st.integers(0, 30), st.sampled_from([0, 0, 0, 1]))
tiny = people(st.integers(0, 6), st.integers(0, 5))


@settings(max_examples=400, deadline=None)
@pytest.mark.parametrize("counties", [busy, nearly_done, just_begun, tiny])
@given(data=st.data())
def test_no_bounds_give_a_small_count_away(counties: st.SearchStrategy[list[list[Cell]]], data: st.DataObject) -> None:
    county = data.draw(counties)
    assert attack(county, lambda cells: ours(cells, [len(zones) for zones in county])) == []


def test_bounds_solve_what_was_told_cell_by_cell() -> None:
    """The attacker is worth something: classes alone, or today's "<5", are solved."""
    county = [[Cell(40, 3), Cell(30, 0)], [Cell(60, 0), Cell(20, 0)]]

    def by_itself(cells: list[Cell]) -> list[Told | None]:
        return [Told(coarse(cell.expected), each_by_itself(cell.remainder)) for cell in cells]

    assert attack(county, by_itself) == ["0 missing [3, 3]", "0/0 missing [3, 3]"]

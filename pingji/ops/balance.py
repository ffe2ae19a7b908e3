"""The balance sheet: expected = accounted for + remainder, exactly, always."""

from collections.abc import Mapping
from dataclasses import dataclass

from pingji.ops.position import ACCOUNTED, REMAINDER, Position


@dataclass(frozen=True)
class Sheet:
    """One side-by-side of persons or of households.

    `expected` is what was frozen at the press plus people off the plan, less those who went home by an organised
    return in recovery (`returned_home`).
    """

    accounted: Mapping[Position, int]
    remainder: Mapping[Position, int]
    off_plan: int
    returned_home: int

    @property
    def accounted_total(self) -> int:
        """Accounted for, all six ways."""
        return sum(self.accounted.values())

    @property
    def remainder_total(self) -> int:
        """Not yet accounted for, all six ways."""
        return sum(self.remainder.values())

    @property
    def expected(self) -> int:
        """The denominator."""
        return self.accounted_total + self.remainder_total


def sheet(counts: Mapping[Position, int], *, off_plan: int = 0, recovering: bool = False) -> Sheet:
    """The balance sheet of how many are in each position.

    Before recovery a person at home is in the danger zone, whoever sent them there: they count as returned.

    Examples
    --------
    >>> s = sheet({Position.SHELTERED_TOGETHER: 7, Position.HOME: 2})
    >>> s.expected, s.remainder_total, s.remainder[Position.RETURNED]
    (9, 2, 2)
    >>> sheet({Position.SHELTERED_TOGETHER: 7, Position.HOME: 2}, recovering=True).expected
    7
    """
    home = counts.get(Position.HOME, 0)
    remainder = {position: counts.get(position, 0) for position in REMAINDER}
    if not recovering:
        remainder[Position.RETURNED] += home
    return Sheet(
        accounted={position: counts.get(position, 0) for position in ACCOUNTED},
        remainder=remainder,
        off_plan=off_plan,
        returned_home=home if recovering else 0,
    )

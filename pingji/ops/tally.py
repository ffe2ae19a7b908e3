"""What changes in the counts when a person's whereabouts do."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pingji.ops.position import EVER_BITS, household_position
from pingji.ops.whereabouts import Whereabouts

Cell = tuple[str, str, str, str, str]  # off_plan, zone, grid, community, township
MICROSECONDS_A_MINUTE = 60_000_000

# Sources of the trend: arrivals by name at a place, clicks at a place, and each person's first arrival anywhere.
ROSTER, CLICKER, FIRST = "roster", "clicker", "first"
ANYWHERE = ""


@dataclass
class Changes:
    """Differences to add to the stored counts.

    tally : (unit, *cell, position) → n
    roster, arrived : place → n
    clicker : (place, device) → n
    trend : (place, source, minute) → n
    """

    tally: Counter[tuple[str, ...]] = field(default_factory=Counter)
    roster: Counter[str] = field(default_factory=Counter)
    arrived: Counter[str] = field(default_factory=Counter)
    clicker: Counter[tuple[str, str]] = field(default_factory=Counter)
    trend: Counter[tuple[str, str, int]] = field(default_factory=Counter)

    def count_person(self, cell: Cell, known: Whereabouts, sign: int) -> None:
        """Adds a person to the counts (sign 1), or takes the person out (sign −1)."""
        self.tally["persons", *cell, known.position.value] += sign
        for position, bit in EVER_BITS.items():
            if known.ever & bit:
                self.tally["persons_ever", *cell, position.value] += sign
        if known.at:
            self.roster[known.at] += sign
        self._count_arrivals(_arrivals(known), sign)

    def change_person(self, cell: Cell, old: Whereabouts, new: Whereabouts) -> None:
        """The same as taking `old` out and adding `new`, touching only what differs: this is where every batch goes."""
        if old.position is not new.position:
            self.tally["persons", *cell, old.position.value] -= 1
            self.tally["persons", *cell, new.position.value] += 1
        if old.ever != new.ever:
            for position, bit in EVER_BITS.items():
                if (old.ever ^ new.ever) & bit:
                    self.tally["persons_ever", *cell, position.value] += 1 if new.ever & bit else -1
        if old.at != new.at:
            for place, sign in ((old.at, -1), (new.at, 1)):
                if place:
                    self.roster[place] += sign
        if (before := _arrivals(old)) != (after := _arrivals(new)):
            self._count_arrivals(before, -1)
            self._count_arrivals(after, 1)

    def _count_arrivals(self, arrivals: Mapping[str, int], sign: int) -> None:
        for place, clock in arrivals.items():
            self.arrived[place] += sign
            self.trend[place, ROSTER, clock // MICROSECONDS_A_MINUTE] += sign
        if arrivals:
            self.trend[ANYWHERE, FIRST, min(arrivals.values()) // MICROSECONDS_A_MINUTE] += sign

    def count_household(self, cell: Cell, members: Sequence[Whereabouts], sign: int) -> None:
        """Adds a household of these members, or takes it out; one without members is none."""
        if members:
            self.tally["households", *cell, household_position([m.position for m in members]).value] += sign

    def count_clicks(self, place: str, device: str, clock: int, n: int) -> None:
        """Adds clicks of one device at one place."""
        self.clicker[place, device] += n
        self.trend[place, CLICKER, clock // MICROSECONDS_A_MINUTE] += n


def _arrivals(known: Whereabouts) -> dict[str, int]:
    """Place → clock of the first arrival there."""
    return {place: visit.arrived for place, visit in known.visits.items() if visit.arrived}

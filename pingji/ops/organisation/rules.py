"""The numbers that a county may change."""

from dataclasses import dataclass, fields, replace

from pingji.ops.organisation.errors import RuleOutOfRange

_MINUTE_US = 60_000_000
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Rules:
    """Minutes until a hand-over, posts in one hand, and the limits of the sponsor tree."""

    handover_min: int = 5
    posts_limit: int = 3
    centres_low: int = 1
    centres_high: int = 3
    members_low: int = 3
    members_high: int = 10
    households_low: int = 10
    households_high: int = 30

    @property
    def wait_us(self) -> int:
        """How long somebody has to answer, in microseconds."""
        return self.handover_min * _MINUTE_US

    def changed(self, **values: int) -> "Rules":
        """The rules with some numbers changed.

        >>> Rules().changed(handover_min=10).wait_us
        600000000

        Raises
        ------
        RuleOutOfRange
            A number below 1 or endless, or a lower limit above its upper one.
        """
        for name, value in values.items():
            if not 1 <= value <= _MOST:
                raise RuleOutOfRange(name=name, value=value, low=1, high=_MOST)
        new = replace(self, **values)
        for stem in ("centres", "members", "households"):
            low, high = getattr(new, f"{stem}_low"), getattr(new, f"{stem}_high")
            if low > high:
                raise RuleOutOfRange(name=f"{stem}_low", value=low, low=1, high=high)
        return new


NAMES = tuple(field.name for field in fields(Rules))

"""One line of the table: a figure, its target, its peer, and whether the target is met."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Figure:
    """A measured figure; `met` is None for what is printed beside without a target."""

    what: str
    measured: str
    target: str = ""
    peer: str = ""
    met: bool | None = None
    note: str = ""

    def plain(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def ms(seconds: float) -> str:
    """Seconds as text."""
    return f"{seconds * 1000:,.1f} ms" if seconds < 1 else f"{seconds:,.2f} s"

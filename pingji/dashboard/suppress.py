"""What the wall and anything else public may show: aggregates, with small cells suppressed."""

from collections.abc import Mapping

SMALL = 5
SUPPRESSED = "<5"

# Figures of a sheet or a place that are made of people; capacities are not.
_PEOPLE = frozenset({"expected", "accounted", "remainder", "off_plan", "roster", "clicker", "present", "arrived"})
_PEOPLE |= {"per_10min", "returned_home", "n"}
_PRIVATE = frozenset({"contact", "phone", "actor", "reason"})
_STAFF_ONLY = frozenset({"drafts"})  # whole keys


def public_figures(figures: Mapping[str, object], county: str) -> dict[str, object]:
    """The figures that a public screen gets.

    The county's own sheet stays exact: three people not yet found in a whole county must be seen as three, and name
    nobody. Below it every count of people from 1 to 4 becomes "<5", and the difference of two counts goes with them.
    Figures of 5 and more stay exact, so that a small one may still be worked out from two large ones.

    Change sets that are still drafts are nobody else's business.

    Examples
    --------
    >>> public_figures({"sheet/z": {"expected": 120, "remainder": 3, "parts": {"refused": 3}}}, "c")
    {'sheet/z': {'expected': 120, 'remainder': '<5', 'parts': {'refused': '<5'}}}
    """
    shown = {key: value for key, value in figures.items() if key not in _STAFF_ONLY}
    return {key: value if key == f"sheet/{county}" else _public(value) for key, value in shown.items()}


def _public(value: object) -> object:
    if isinstance(value, Mapping):
        shown = {key: _figure(key, inner) for key, inner in value.items() if key not in _PRIVATE}
        if SUPPRESSED in (shown.get("roster"), shown.get("clicker")):
            shown["difference"] = None
        return shown
    if isinstance(value, list):
        return [_public(inner) for inner in value]
    return value


def _figure(key: str, value: object) -> object:
    if key == "parts" and isinstance(value, Mapping):
        return {part: small(n) for part, n in value.items()}
    return small(value) if key in _PEOPLE else _public(value)


def small(n: object) -> object:
    """A count of people, or "<5" for 1 to 4."""
    return SUPPRESSED if isinstance(n, int) and 0 < n < SMALL else n

"""The sponsor tree 中心户 → 党员 → 群众 against its limits: warnings, never refusals."""

from dataclasses import dataclass

from pingji.ops.organisation.rules import Rules


@dataclass(frozen=True, slots=True)
class Warn:
    """Something to look at; its text is `organisation.warning.<key>`."""

    key: str
    n: int
    low: int
    high: int


def _limits(stem: str, n: int, low: int, high: int) -> tuple[Warn, ...]:
    if n < low:
        return (Warn(f"{stem}_few", n, low, high),)
    return (Warn(f"{stem}_many", n, low, high),) if n > high else ()


def of_grid(centres: int, rules: Rules) -> tuple[Warn, ...]:
    """A grid has 1–3 centres.

    >>> [warn.key for warn in of_grid(4, Rules())]
    ['centres_many']
    """
    return _limits("centres", centres, rules.centres_low, rules.centres_high)


def of_centre(members: int, rules: Rules) -> tuple[Warn, ...]:
    """A centre has 3–10 members."""
    return _limits("members", members, rules.members_low, rules.members_high)


def of_member(households: int, rules: Rules) -> tuple[Warn, ...]:
    """A member looks after 10–30 households."""
    return _limits("households", households, rules.households_low, rules.households_high)

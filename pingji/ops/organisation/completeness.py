"""The six roles of a grid 六位一体: which are filled, and of how many."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pingji.ops.organisation.kinds import ROLES, PostKind


@dataclass(frozen=True, slots=True)
class Role:
    """How many of a role a grid has, and needs."""

    have: int
    need: int

    @property
    def ok(self) -> bool:
        """Whether nobody is missing.

        >>> Role(3, 4).ok, Role(0, 0).ok, Role(2, 1).ok
        (False, True, True)
        """
        return self.have >= self.need


@dataclass(frozen=True, slots=True)
class BigGrid:
    """A grid with its six roles."""

    code: str
    roles: Mapping[PostKind, Role]

    @property
    def filled(self) -> int:
        """How many of the six roles nobody is missing in."""
        return sum(role.ok for role in self.roles.values())


def big_grid(code: str, have: Mapping[PostKind, int], buildings: int, stairwells: int) -> BigGrid:
    """The roles of a grid from how many of each are held.

    Parameters
    ----------
    buildings : int
        That are no houses.
    stairwells : int
        Of buildings that have several.

    Examples
    --------
    >>> big_grid("g", {PostKind.GRID_LEADER: 1}, buildings=0, stairwells=0).filled
    3
    """
    need = {PostKind.BUILDING_HEAD: buildings, PostKind.STAIRWELL_HEAD: stairwells}
    return BigGrid(code, {kind: Role(have.get(kind, 0), need.get(kind, 1)) for kind in ROLES})


def totals(grids: Iterable[BigGrid]) -> tuple[int, int, dict[PostKind, tuple[Role, int]]]:
    """How many grids, how many of them complete, and for each role the sums with the number of grids that have it."""
    seen = list(grids)
    by_role = {}
    for kind in ROLES:
        roles = [grid.roles[kind] for grid in seen]
        by_role[kind] = Role(sum(r.have for r in roles), sum(r.need for r in roles)), sum(r.ok for r in roles)
    return len(seen), sum(grid.filled == len(ROLES) for grid in seen), by_role

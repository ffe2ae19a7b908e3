"""A post with whoever holds it, and a unit."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from pingji.ops.organisation.kinds import NATURE, NEEDS_DEPUTY, ROLES, Chain, Level, PostKind, UnitKind

ORGANISATION, LAYER = "organisation", "layer"  # who keeps a post: we, or the columns of a layer


class Why(StrEnum):
    """What is wrong with how a post is filled, the gravest first."""

    NO_HOLDER = "no_holder"
    TERM_ENDED = "term_ended"
    NO_DEPUTY = "no_deputy"


@dataclass(frozen=True, slots=True)
class Unit:
    """A node of the tree. `place` is the code of the polygon that it is bound to, empty where there is none."""

    code: str
    name: str
    kind: UnitKind
    level: Level
    place: str = ""
    parent: str = ""
    township: str = ""
    community: str = ""
    grid: str = ""


@dataclass(frozen=True, slots=True)
class Term:
    """Who holds a post, and for how long."""

    holder: str = ""
    holder_phone: str = ""
    deputy: str = ""
    deputy_phone: str = ""
    term_from: date | None = None
    term_to: date | None = None
    department: str = ""
    title: str = ""

    @property
    def person(self) -> tuple[str, str]:
        """Who this is: name and phone."""
        return self.holder, self.holder_phone


@dataclass(frozen=True, slots=True)
class Post:
    """A seat of a unit. `ended` is the day on which this holder left it, None for the row that stands."""

    code: str
    unit: str
    kind: PostKind
    level: Level
    place: str = ""
    township: str = ""
    community: str = ""
    grid: str = ""
    chain: Chain = Chain.NEITHER
    rank: int = 0
    superior: str = ""
    term: Term = Term()
    kept_by: str = ORGANISATION
    ended: date | None = None

    @property
    def vacant(self) -> bool:
        """Whether nobody holds it."""
        return not self.term.holder

    @property
    def is_role(self) -> bool:
        """Whether it is one of the six."""
        return self.kind in ROLES

    def why(self, today: date) -> tuple[Why, ...]:
        """What is wrong with how it is filled; a term's last day still counts.

        >>> post = Post("g:grid_leader:1", "g", PostKind.GRID_LEADER, Level.GRID)
        >>> [why.value for why in post.why(date(2026, 1, 1))]
        ['no_holder', 'no_deputy']
        """
        found = []
        if self.vacant:
            found.append(Why.NO_HOLDER)
        elif self.term.term_to is not None and self.term.term_to < today:
            found.append(Why.TERM_ENDED)
        if not self.term.deputy and self.kind in NEEDS_DEPUTY:
            found.append(Why.NO_DEPUTY)
        return tuple(found)


def chain_of_kind(kind: PostKind) -> Chain:
    """The chain that posts of a kind command in."""
    return NATURE[kind].chain

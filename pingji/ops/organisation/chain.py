"""The two chains of command side by side, and which of them commands."""

from collections.abc import Iterable, Mapping

from pingji.ops.mode import Mode
from pingji.ops.organisation.kinds import DEPTH, LEVELS, Chain, Level
from pingji.ops.organisation.post import Post

Seats = Mapping[tuple[Level, str], Post]  # who commands, by level and place


def chain_of(mode: Mode) -> Chain:
    """The chain that commands in a mode: the emergency chain until everybody is back.

    >>> chain_of(Mode.STANDBY).value, chain_of(Mode.RECOVERY).value
    ('routine', 'emergency')
    """
    return Chain.EMERGENCY if mode in (Mode.EMERGENCY, Mode.RECOVERY) else Chain.ROUTINE


def commanding(posts: Iterable[Post], chain: Chain) -> dict[tuple[Level, str], Post]:
    """Who commands at each level and place: the post of the chain, else that of the other one.

    >>> from pingji.ops.organisation.kinds import PostKind
    >>> village = Post("v:community_secretary:1", "v", PostKind.COMMUNITY_SECRETARY, Level.COMMUNITY, "v",
    ...                chain=Chain.ROUTINE)
    >>> commanding([village], Chain.EMERGENCY)[Level.COMMUNITY, "v"].code
    'v:community_secretary:1'
    """
    levels = LEVELS[chain]
    found: dict[tuple[Level, str], Post] = {}
    for post in posts:
        if post.chain is Chain.NEITHER or post.level not in levels:
            continue
        key = (post.level, post.place or post.unit)
        other = found.get(key)
        if other is None or _order(post, chain) < _order(other, chain):
            found[key] = post
    return found


def _order(post: Post, chain: Chain) -> tuple[bool, int, str]:
    return post.chain is not chain, post.rank, post.code


def superior_of(post: Post, seats: Seats, county: str) -> str:
    """The code of the post above one: the named superior where it commands, else the next level up that has a post.

    Empty for whoever has nobody above.
    """
    if post.superior and any(seat.code == post.superior for seat in seats.values()):
        return post.superior
    above = (
        (Level.GRID, post.grid),
        (Level.COMMUNITY, post.community),
        (Level.TOWNSHIP, post.township),
        (Level.COUNTY, county),
    )
    for level, place in above:
        if place and DEPTH[level] < DEPTH[post.level] and (level, place) in seats:
            return seats[level, place].code
    return ""

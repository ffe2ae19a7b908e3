"""People who hold too many posts."""

from collections.abc import Iterable
from dataclasses import dataclass

from pingji.ops.organisation.post import Post


@dataclass(frozen=True, slots=True)
class Burden:
    """One person and all posts in their hand."""

    holder: str
    holder_phone: str
    posts: tuple[Post, ...]


def overloaded(posts: Iterable[Post], limit: int) -> list[Burden]:
    """Whoever holds more than `limit` posts, the most burdened first.

    A person is a name with a phone. Two people of one name and without a phone can't be told from one with two posts,
    so posts of a name without a phone add up within one unit only.

    >>> from pingji.ops.organisation.kinds import Level, PostKind
    >>> from pingji.ops.organisation.post import Term
    >>> posts = [Post(f"{n}:other:1", str(n), PostKind.OTHER, Level.GRID, term=Term("A", "1")) for n in range(4)]
    >>> len(overloaded(posts, 3)), len(overloaded(posts, 4))
    (1, 0)
    """
    hands: dict[tuple[str, str, str], list[Post]] = {}
    for post in posts:
        if not post.vacant:
            name, phone = post.term.person
            hands.setdefault((name, phone, "" if phone else post.unit), []).append(post)
    found = [Burden(name, phone, tuple(held)) for (name, phone, _), held in hands.items() if len(held) > limit]
    return sorted(found, key=lambda b: (-len(b.posts), b.holder, b.posts[0].code))

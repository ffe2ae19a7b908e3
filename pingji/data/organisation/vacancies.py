"""Posts that nobody holds, whose term has ended, or that have no deputy: counted, and listed."""

from collections import defaultdict
from collections.abc import Collection
from datetime import date

from sqlalchemy import Connection, and_, case, false, func, select

from pingji.data.organisation.ground import Ground, Reach
from pingji.data.organisation.posts import KEPT, Which, kept_where, lacks_deputy, own_where, standing
from pingji.data.tables import org_post
from pingji.ops.organisation.kinds import DEPTH, NATURE, Level, PostKind
from pingji.ops.organisation.post import Post, Why

POSTS = "posts"
_WHYS = (Why.NO_HOLDER, Why.TERM_ENDED, Why.NO_DEPUTY)


def counts_by_level(
    conn: Connection, ground: Ground, reach: Reach, day: date, kinds: Collection[PostKind] | None = None
) -> dict[Level, dict[str, int]]:
    """How many posts there are at each level, and what is wrong with how many of them."""
    found: dict[Level, dict[str, int]] = defaultdict(lambda: dict.fromkeys((POSTS, *(w.value for w in _WHYS)), 0))
    which = Which(reach, kinds=kinds)
    c = org_post.c
    wrong = (c.holder == "", and_(c.holder != "", c.term_to < day), lacks_deputy())
    sums = [func.sum(case((condition, 1), else_=0)) for condition in wrong]
    own = select(c.level, func.count(), *sums).where(own_where(conn, ground.county, which)).group_by(c.level)
    for level, *numbers in conn.execute(own):
        _add(found[Level(level)], numbers)
    for kept in KEPT:
        where = kept_where(conn, ground.county, which, kept)
        if where is None or not which.wants(kept.kind):
            continue
        k = kept.table.c
        no_deputy = k[kept.deputy] == "" if kept.deputy else k.code != ""
        numbers = [func.sum(case((condition, 1), else_=0)) for condition in (k[kept.stem] == "", false(), no_deputy)]
        row = conn.execute(select(func.count(), *numbers).where(where)).one()
        if row[0]:
            _add(found[NATURE[kept.kind].level or Level.COUNTY], list(row))
    return dict(found)


def by_place(conn: Connection, ground: Ground, reach: Reach, column: str) -> dict[str, tuple[int, int]]:
    """Posts, and posts without a holder, by the `grid` or `community` that they stand in."""
    found: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    c = org_post.c
    which = Which(reach)
    vacant = func.sum(case((c.holder == "", 1), else_=0))
    own = select(c[column], func.count(), vacant).where(own_where(conn, ground.county, which)).group_by(c[column])
    rows = list(conn.execute(own))
    for kept in KEPT:
        where = kept_where(conn, ground.county, which, kept)
        k = kept.table.c
        place = k.code if kept.layer in ("grids", "communities") and kept.layer.startswith(column[:4]) else None
        place = k[column] if place is None and column in k else place
        if where is None or place is None:
            continue
        vacant = func.sum(case((k[kept.stem] == "", 1), else_=0))
        rows += list(conn.execute(select(place, func.count(), vacant).where(where).group_by(place)))
    for code, posts, empty in rows:
        before = found[code]
        found[code] = before[0] + posts, before[1] + int(empty or 0)
    return dict(found)


def _add(counts: dict[str, int], numbers: list[int | None]) -> None:
    for name, n in zip((POSTS, *(why.value for why in _WHYS)), numbers, strict=True):
        counts[name] += int(n or 0)


def listed(
    conn: Connection,
    ground: Ground,
    reach: Reach,
    day: date,
    why: Why | None,
    kinds: Collection[PostKind] | None = None,
) -> list[Post]:
    """The posts that something is wrong with, the gravest and the highest first."""
    found: dict[str, Post] = {}
    for one in _WHYS if why is None else (why,):
        for post in standing(conn, ground, Which(reach, kinds=kinds, why=one, day=day)):
            found[post.code] = post
    return sorted(found.values(), key=lambda p: _gravity(p, day))


def _gravity(post: Post, day: date) -> tuple[int, int, str]:
    return _WHYS.index(post.why(day)[0]), DEPTH[post.level], post.code

"""Posts as they stand: those that we keep, and those that the columns of a layer keep, as one list."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, exists, or_, select

from pingji.data.organisation.ground import Ground, Reach
from pingji.data.sql import among
from pingji.data.tables import LAYER_TABLES, org_post
from pingji.ops.organisation.kinds import DEPTH, NATURE, NEEDS_DEPUTY, Chain, Level, PostKind, seat
from pingji.ops.organisation.post import LAYER, Post, Term, Why

_CHINA = timezone(timedelta(hours=8))
_NAMED = ("holder", "holder_phone", "deputy", "deputy_phone", "term_from", "term_to", "department", "title")
_PLACED = ("code", "unit", "kind", "level", "place", "township", "community", "grid", "chain", "rank", "superior")
POST_COLUMNS = tuple(org_post.c[name] for name in (*_PLACED, *_NAMED, "ended_on"))


def today() -> date:
    """The day in China."""
    return datetime.now(_CHINA).date()


@dataclass(frozen=True)
class Which:
    """Which posts a list is about; None: all."""

    reach: Reach
    levels: Collection[Level] | None = None
    kinds: Collection[PostKind] | None = None
    units: Collection[str] | None = None
    why: Why | None = None
    day: date | None = None  # needed for an ended term
    held: bool | None = None
    commanding: bool = False  # only those of a chain

    def wants(self, kind: PostKind) -> bool:
        """Whether posts of a kind can be among them."""
        level = NATURE[kind].level
        return (
            (self.kinds is None or kind in self.kinds)
            and (self.levels is None or level in self.levels)
            and (not self.commanding or NATURE[kind].chain is not Chain.NEITHER)
        )


@dataclass(frozen=True)
class Kept:
    """A post that a layer keeps: the columns of its people."""

    kind: PostKind
    layer: str
    stem: str
    deputy: str = ""

    @property
    def table(self) -> Table:
        """The layer's table."""
        return LAYER_TABLES[self.layer]


KEPT = (
    Kept(PostKind.COMMUNITY_SECRETARY, "communities", "secretary"),
    Kept(PostKind.FIRST_SECRETARY, "communities", "first_secretary"),
    Kept(PostKind.GRID_LEADER, "grids", "leader", "deputy"),
    Kept(PostKind.BUILDING_HEAD, "buildings", "head", "deputy"),
)


def standing(conn: Connection, ground: Ground, which: Which) -> list[Post]:
    """The posts that are meant, from the top of the tree down."""
    found = list(_own(conn, ground, which))
    for kept in KEPT:
        if which.wants(kept.kind):
            found += _of_layer(conn, ground, which, kept)
    return sorted(found, key=in_order)


def in_order(post: Post) -> tuple[int, str, int, str]:
    """From the top of the tree down."""
    return DEPTH[post.level], post.place or post.unit, post.rank, post.code


def hands(conn: Connection, ground: Ground) -> Iterator[tuple[str, str, str]]:
    """Every post of the county that is held, as unit, holder and phone: a person's posts are counted from these."""
    everywhere = Which(Reach(True), held=True)
    c = org_post.c
    for row in conn.execute(select(c.unit, c.holder, c.holder_phone).where(own_where(conn, ground.county, everywhere))):
        yield row[0], row[1], row[2]
    for kept in KEPT:
        where = kept_where(conn, ground.county, everywhere, kept)
        k = kept.table.c
        assert where is not None
        for row in conn.execute(select(k.code, k[kept.stem], k[f"{kept.stem}_phone"]).where(where)):
            yield row[0], row[1], row[2]


def find(conn: Connection, ground: Ground, code: str) -> Post | None:
    """The post of a code as it stands."""
    unit = code.rsplit(":", 2)[0]
    everywhere = Which(Reach(True), units=[unit])
    return next((post for post in standing(conn, ground, everywhere) if post.code == code), None)


def past(conn: Connection, county: str, unit: str) -> list[Post]:
    """Who held the posts of a unit before, the latest first."""
    c = org_post.c
    query = select(*POST_COLUMNS).where(c.county == county, c.unit == unit, c.ended_on.is_not(None))
    return [post_of(row) for row in conn.execute(query.order_by(c.ended_on.desc(), c.id.desc()))]


def lacks_deputy() -> ColumnElement[bool]:
    """Rows of `org_post` that need a deputy and have none."""
    c = org_post.c
    return and_(c.deputy == "", c.kind.in_(sorted(kind.value for kind in NEEDS_DEPUTY)))


def own_where(conn: Connection, county: str, which: Which) -> ColumnElement[bool]:
    """The rows of `org_post` that are meant."""
    c = org_post.c
    parts = [c.county == county, c.ended_on.is_(None), which.reach.where(conn, org_post)]
    if which.levels is not None:
        parts.append(c.level.in_([level.value for level in which.levels]))
    if which.kinds is not None:
        parts.append(c.kind.in_([kind.value for kind in which.kinds]))
    if which.units is not None:
        parts.append(among(conn, c.unit, which.units))
    if which.commanding:
        parts.append(c.chain != "")
    if which.held is not None:
        parts.append(c.holder != "" if which.held else c.holder == "")
    if which.why is Why.NO_HOLDER:
        parts.append(c.holder == "")
    elif which.why is Why.NO_DEPUTY:
        parts.append(lacks_deputy())
    elif which.why is Why.TERM_ENDED:
        parts.append(and_(c.holder != "", c.term_to < which.day))
    return and_(*parts)


def kept_where(conn: Connection, county: str, which: Which, kept: Kept) -> ColumnElement[bool] | None:
    """The rows of a layer that keep such a post, as far as they are meant; None where there can be none."""
    table, c = kept.table, kept.table.c
    holder = c[kept.stem]
    parts = [c.county == county, which.reach.where(conn, table), ~_overruled(county, kept)]
    if kept.kind is PostKind.BUILDING_HEAD:
        parts.append(c.units != 1)  # a house needs none
    if kept.kind is PostKind.FIRST_SECRETARY:
        parts.append(or_(c.committee != "", holder != ""))
    if which.units is not None:
        parts.append(among(conn, c.code, which.units))
    if which.held is not None:
        parts.append(holder != "" if which.held else holder == "")
    if which.why is Why.TERM_ENDED:
        return None
    if which.why is Why.NO_HOLDER:
        parts.append(holder == "")
    if which.why is Why.NO_DEPUTY and kept.deputy:
        parts.append(c[kept.deputy] == "")
    return and_(*parts)


def _overruled(county: str, kept: Kept) -> ColumnElement[bool]:
    """Whether we keep the post ourselves: that stands before what the layer says."""
    p = org_post.c
    same = p.code == kept.table.c.code + seat("", kept.kind)
    return exists(select(p.id).where(p.county == county, same, p.ended_on.is_(None)))


def _own(conn: Connection, ground: Ground, which: Which) -> Iterator[Post]:
    for row in conn.execute(select(*POST_COLUMNS).where(own_where(conn, ground.county, which))):
        yield post_of(row)


def _of_layer(conn: Connection, ground: Ground, which: Which, kept: Kept) -> Iterator[Post]:
    where = kept_where(conn, ground.county, which, kept)
    if where is None:
        return
    c = kept.table.c
    columns = [c.code, c[kept.stem], c[f"{kept.stem}_phone"]]
    columns += [c[kept.deputy], c[f"{kept.deputy}_phone"]] if kept.deputy else []
    columns += [c.community, c.grid] if kept.layer == "buildings" else []
    for code, *rest in conn.execute(select(*columns).where(where)):
        named = rest[: 4 if kept.deputy else 2]
        township, community, grid = ground.placing(code)
        if kept.layer == "buildings":
            community, grid = rest[4:]
            township = ground.township_of(community)
        yield Post(
            seat(code, kept.kind),
            code,
            kept.kind,
            _level(kept.kind),
            code,
            township,
            community,
            grid,
            NATURE[kept.kind].chain,
            term=Term(*named),
            kept_by=LAYER,
        )


def _level(kind: PostKind) -> Level:
    return NATURE[kind].level or Level.COUNTY


def post_of(row: Row[Any]) -> Post:
    """A post from a row of `POST_COLUMNS`."""
    code, unit, kind, level, place, township, community, grid, chain, rank, superior, *rest = tuple(row)
    *named, ended = rest
    return Post(
        code,
        unit,
        PostKind(kind),
        Level(level),
        place,
        township,
        community,
        grid,
        Chain(chain),
        rank,
        superior,
        Term(*named),
        ended=ended,
    )


def column_values(post: Post) -> dict[str, object]:
    """The columns of a post that stands."""
    term = {name: getattr(post.term, name) for name in _NAMED}
    return {name: str(getattr(post, name)) for name in _PLACED if name != "rank"} | term | {"rank": post.rank}

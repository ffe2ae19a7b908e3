"""Changing who holds a post: what was ends with its day, what comes begins with it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import Connection, and_, insert, update

from pingji.data.organisation import posts as seats
from pingji.data.organisation import tree
from pingji.data.organisation.ground import Ground
from pingji.data.sql import among
from pingji.data.tables import org_post
from pingji.ops.organisation.errors import TermBackwards, UnknownPost
from pingji.ops.organisation.kinds import NATURE, seat_parts
from pingji.ops.organisation.post import LAYER, ORGANISATION, Post, Term, Unit

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Change:
    """A post before and after; None where there was none, or will be none."""

    code: str
    before: Post | None
    after: Post | None


def new_post(conn: Connection, ground: Ground, code: str, term: Term) -> Post:
    """The post of a code, held by somebody: a new one, where the unit has none of this kind yet.

    Raises
    ------
    UnknownPost
        The code is none, or the kind does not belong to such a unit.
    UnknownUnit
    TermBackwards
    """
    parts = seat_parts(code)
    if parts is None:
        raise UnknownPost(post=code)
    return post_in(tree.unit_of(conn, ground, parts[0]), code, term)


def post_in(unit: Unit, code: str, term: Term) -> Post:
    """The same, of a unit that is known."""
    parts = seat_parts(code)
    if parts is None:
        raise UnknownPost(post=code)
    nature = NATURE[parts[1]]
    if nature.level not in (None, unit.level):
        raise UnknownPost(post=code)
    if term.term_from and term.term_to and term.term_to < term.term_from:
        raise TermBackwards(term_from=term.term_from.isoformat(), term_to=term.term_to.isoformat())
    placed = (unit.place, unit.township, unit.community, unit.grid)
    return Post(code, unit.code, parts[1], unit.level, *placed, nature.chain, term=term)


def apply(conn: Connection, ground: Ground, changes: Sequence[Change], day: date, source: str) -> None:
    """Carry changes out, in the caller's transaction."""
    c = org_post.c
    codes = [change.code for change in changes if change.before is not None and change.before.kept_by == ORGANISATION]
    for start in range(0, len(codes), _AT_ONCE):
        mine = and_(
            c.county == ground.county, c.ended_on.is_(None), among(conn, c.code, codes[start : start + _AT_ONCE])
        )
        conn.execute(update(org_post).where(mine).values(ended_on=day))
    rows = []
    for change in changes:
        before, after = change.before, change.after
        if before is not None and before.kept_by == LAYER:
            # What the layer said is past from now on; a post that a layer has can be empty, but not be gone.
            if not before.vacant:
                rows.append(_row(ground.county, before, None, day, source))
            after = after or replace(before, term=Term())
        if after is not None:
            rows.append(_row(ground.county, after, day, None, source))
    if rows:
        conn.execute(insert(org_post), rows)


def _row(county: str, post: Post, began: date | None, ended: date | None, source: str) -> dict[str, object]:
    values = seats.column_values(post)
    return {"county": county, **values, "began_on": began, "ended_on": ended, "source": source}

"""Two drafts of the same grids: what was published in the meantime, and edits carried out again on today's grids."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import shapely
from sqlalchemy import Connection, bindparam, select, update

from pingji.data.features import wkb
from pingji.data.grids import drafts
from pingji.data.grids.drafts import StoredEdit
from pingji.data.grids.ground import Ground, load_ground, stale
from pingji.data.grids.intents import carry_out
from pingji.data.grids.overlay import Overlay
from pingji.data.grids.stored import Described, plain, same, to_change
from pingji.data.sql import among
from pingji.data.tables import LAYER_TABLES, change_edit
from pingji.geo.coverage import Edit
from pingji.geo.coverage.planar import Area
from pingji.geo.errors import GeoError
from pingji.ops.change_set import ChangeSet, Status
from pingji.ops.errors import OpsError


@dataclass(frozen=True, slots=True, eq=False)
class Conflict:
    """One grid in three states: as the draft found it, as it was published since, as the draft has it. None: none.

    `by` is the change set that published it otherwise, None where a file did. `words` are the attributes that the
    draft gives and somebody else gave otherwise.
    """

    code: str
    base: Area | None
    theirs: Area | None
    mine: Area | None
    by: ChangeSet | None
    words: Sequence["Words"] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """One attribute in three states."""

    column: str
    base: str
    theirs: str
    mine: str


@dataclass(frozen=True, slots=True, eq=False)
class Again:
    """An edit carried out again: what it comes to now, or why it is refused."""

    stored: StoredEdit
    edit: Edit
    values: Described
    refused: Exception | None


def conflicts_of(conn: Connection, county: str, found: ChangeSet, overlay: Overlay) -> list[Conflict]:
    """The grids of a draft that were published otherwise since it was begun, both versions kept."""
    codes = stale(conn, county, overlay)
    if not codes:
        return []
    table = LAYER_TABLES["grids"]
    query = select(table.c.code, wkb(conn, table)).where(table.c.county == county, among(conn, table.c.code, codes))
    now = {code: plain(shapely.from_wkb(bytes(blob))) for code, blob in conn.execute(query)}
    theirs = drafts.found_attributes(conn, county, overlay.values)
    by = _publishers(conn, county, found, codes, now)
    return [
        Conflict(
            code,
            overlay.before.get(code, now.get(code)),  # a draft that gives words only leaves the shape alone
            now.get(code),
            overlay.after[code] if code in overlay.after else now.get(code),
            by.get(code),
            _words(overlay.found.get(code, {}), theirs.get(code, {}), overlay.values.get(code, {})),
        )
        for code in codes
    ]


def carried_out_again(conn: Connection, county: str, found: ChangeSet, stored: Sequence[StoredEdit]) -> list[Again]:
    """All edits of a draft that are not set aside, done again in their order on the grids as they stand now.

    Notes
    -----
    Edits that were undone are done again as well, after the others, so that they can still be done again. New grids
    keep the provisional codes that later edits know them by.
    """
    kept = [edit for edit in stored if not edit.set_aside]
    ever = frozenset(code for edit in stored for code in (*edit.edit.before, *edit.edit.after))
    ground = load_ground(conn, county, found.communities, Overlay(used=ever))
    home = _communities(ground, stored)
    done = []
    for one in kept:
        first = _first(ground, one, home)
        try:
            edit, values = _as_before(one.edit, *carry_out(conn, county, first, one.intent))
            ground = ground.with_edit(edit, values)
        except (GeoError, OpsError) as refused:
            done.append(Again(one, one.edit, one.values, refused))
        else:
            done.append(Again(one, edit, values, None))
    return done


def save_again(
    conn: Connection,
    county: str,
    found: ChangeSet,
    done: Sequence[Again],
    refusals: Mapping[int, Mapping[str, Any]],
    actor: str,
    at: int,
) -> ChangeSet:
    """Keep what came of it: edits with their new change, refused ones set aside with the refusal.

    Parameters
    ----------
    refusals : mapping of seq to mapping
        `key` and `params` of each edit that was refused.
    actor : str
        Who did it all again: an editor from now on, who may not publish what came of it.

    Raises
    ------
    SetMoved
    """
    in_force = done[: found.position]
    position = sum(1 for one in in_force if one.refused is None)
    after = replace(found, position=position, revision=found.revision + 1, updated_at=at)
    drafts.save(conn, county, after, found.revision)
    c = change_edit.c
    rows = [
        {
            "its_seq": one.stored.seq,
            "new_intent": _remembering(one, actor),
            "new_change": to_change(one.edit, one.values, drafts.found_attributes(conn, county, one.values)),
            "new_set_aside": one.refused is not None,
            "new_refusal": dict(refusals.get(one.stored.seq, {})),
        }
        for one in done
    ]
    if rows:
        statement = update(change_edit).where(
            c.county == county, c.change_set == found.id, c.seq == bindparam("its_seq")
        )
        names = ("intent", "change", "set_aside", "refusal")
        conn.execute(statement.values({name: bindparam(f"new_{name}") for name in names}), rows)
    return drafts.load(conn, county, found.id)


def _remembering(one: Again, actor: str) -> dict[str, Any]:
    """The intent of an edit with everybody who has done it again."""
    intent = dict(one.stored.intent)
    if one.refused is None:
        intent["again"] = list(dict.fromkeys([*intent.get("again", ()), actor]))
    return intent


def _words(base: Mapping[str, str], theirs: Mapping[str, str], mine: Mapping[str, str]) -> list[Words]:
    """Attributes that are not what a draft found, and not what it gives either."""
    return [
        Words(column, base[column], theirs.get(column, ""), mine[column])
        for column in mine
        if column in base and theirs.get(column, "") not in (base[column], mine[column])
    ]


def _publishers(
    conn: Connection, county: str, found: ChangeSet, codes: Sequence[str], now: Mapping[str, Area]
) -> dict[str, ChangeSet]:
    """The change set that brought each grid to where it is now, the latest one that touched it."""
    published = drafts.load_all(conn, county, status=Status.PUBLISHED)
    since = [one for one in published if (one.published_at or 0) >= found.created_at]
    by: dict[str, ChangeSet] = {}
    for one in sorted(since, key=lambda one: one.published_at or 0, reverse=True):
        theirs = drafts.overlay(drafts.in_force(one, drafts.edits(conn, county, one.id)))
        for code in codes:
            if code in theirs.codes and (code not in theirs.after or same(theirs.after[code], now.get(code))):
                by.setdefault(code, one)
    return by


def _communities(ground: Ground, stored: Sequence[StoredEdit]) -> dict[str, str]:
    """The community of every code that edits had; ended grids by the code that begins with it."""
    home: dict[str, str] = {}
    for one in stored:
        for code in (*one.edit.before, *one.edit.after, *one.values):
            begins = next((name for name in ground.communities if code.startswith(name)), "")
            home.setdefault(code, one.edit.communities.get(code) or ground.coverage.community(code) or begins)
    return home


def _first(ground: Ground, one: StoredEdit, home: Mapping[str, str]) -> Ground:
    """The ground with the edit's own community first: that is the one that a repair of a whole community means."""
    edit = one.edit
    named = [*edit.gained_m2, *edit.lost_m2, *edit.removed, *edit.added, *edit.before, *one.values]
    own = next((home[code] for code in named if home.get(code) in ground.names), ground.communities[0])
    order = [own, *(code for code in ground.communities if code != own)]
    return replace(
        ground,
        names={code: ground.names[code] for code in order},
        outlines={code: ground.outlines[code] for code in order},
    )


def _as_before(old: Edit, new: Edit, values: Described) -> tuple[Edit, Described]:
    """An edit whose new grids have the codes that they had before, as many as there were."""
    codes = dict(zip(new.added, old.added, strict=False))

    def given(code: str) -> str:
        return codes.get(code, code)

    edit = Edit(
        new.kind,
        new.before,
        {given(code): shape for code, shape in new.after.items()},
        tuple((given(a), given(b)) for a, b in new.lineage),
        {given(code): m2 for code, m2 in new.gained_m2.items()},
        {given(code): m2 for code, m2 in new.lost_m2.items()},
        {given(code): name for code, name in new.communities.items()},
    )
    return edit, {given(code): columns for code, columns in values.items()}

"""What a workbook would change: its lines as posts, beside those that stand."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import orjson
from sqlalchemy import Connection, func, select

from pingji.data.bulk import insert_rows
from pingji.data.organisation import changes
from pingji.data.organisation import posts as seats
from pingji.data.organisation.changes import Change, post_in
from pingji.data.organisation.committees import load_pairs, save_pairs
from pingji.data.organisation.ground import Ground, Reach
from pingji.data.organisation.posts import Which
from pingji.data.organisation.workbook import cells
from pingji.data.organisation.workbook.cells import BadCell
from pingji.data.organisation.workbook.naming import Directory, load_directory
from pingji.data.organisation.workbook.reading import Group, Line, SheetRead, read_workbook
from pingji.data.organisation.workbook.words import key, words
from pingji.data.tables import org_pair, org_post, org_unit
from pingji.ops.organisation.errors import TermBackwards, UnknownPost
from pingji.ops.organisation.kinds import NATURE, Level, PostKind, seat, seat_parts
from pingji.ops.organisation.post import Post, Term, Unit

_UNIT_FIELDS = (
    ("township", Level.TOWNSHIP),
    ("community", Level.COMMUNITY),
    ("branch", Level.BRANCH),
    ("grid", Level.GRID),
    ("building", Level.BUILDING),
    ("stairwell", Level.STAIRWELL),
)
_OFFICE_LEVELS = (Level.DEPARTMENT, Level.TOWNSHIP, Level.COMMUNITY, Level.BRANCH, Level.GRID)
SHOWN_LENGTH = 60


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong with one cell; its text is `organisation.import.<kind>`."""

    sheet: str
    row: int
    column: str
    value: str
    kind: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A post as a line wants it; `ends` where the line says that it is taken out of use."""

    line: Line
    unit: Unit
    kind: PostKind
    term: Term
    ends: bool = False
    code: str = ""


@dataclass(frozen=True, slots=True)
class Planned:
    """A change with the line that it comes from."""

    change: Change
    unit_name: str
    sheet: str
    row: int

    @property
    def what(self) -> str:
        """`added`, `changed` or `ended`."""
        if self.change.after is None:
            return "ended"
        return "added" if self.change.before is None else "changed"


@dataclass
class Plan:
    """Everything that a workbook comes to."""

    sheets: list[SheetRead]
    changes: list[Planned] = field(default_factory=list)
    units: list[Unit] = field(default_factory=list)
    pairs: list[tuple[str, str]] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    rows: int = 0
    unchanged: int = 0
    digest: str = ""

    @property
    def counts(self) -> dict[str, int]:
        """How much of everything."""
        by_kind = {kind: sum(p.what == kind for p in self.changes) for kind in ("added", "changed", "ended")}
        others = {"units": len(self.units), "pairs": len(self.pairs), "errors": len(self.errors)}
        return {"rows": self.rows, **by_kind, "unchanged": self.unchanged, **others}


def plan_workbook(conn: Connection, ground: Ground, path: Path, day: date) -> Plan:
    """Read a workbook and compare it with what stands; nothing is kept.

    Raises
    ------
    FileError
        What spoils the whole file.
    """
    plan = Plan(read_workbook(path))
    directory = load_directory(conn, ground)
    wanted: list[Wanted] = []
    for line in (line for sheet in plan.sheets for line in sheet.lines):
        plan.rows += 1
        if line.heading.is_pairing:
            plan.pairs += _paired(directory, line, plan.errors)
        else:
            wanted += _wanted(directory, line, plan.errors)
    plan.units = list(directory.made.values())
    _pair_anew(conn, ground, plan)
    _compare(conn, ground, wanted, plan)
    plan.digest = _digest(conn, ground, path, plan, day)
    return plan


def carry_out(conn: Connection, ground: Ground, plan: Plan, day: date) -> None:
    """Do what was planned, in the caller's transaction."""
    if plan.units:
        names = ("code", "name", "kind", "level", "place", "parent", "township", "community", "grid")
        columns = {name: [str(getattr(unit, name)) for unit in plan.units] for name in names}
        insert_rows(conn, org_unit, ground.county, columns)
    if plan.pairs:
        save_pairs(conn, ground.county, plan.pairs)
    changes.apply(conn, ground, [planned.change for planned in plan.changes], day, "import")


def _wanted(directory: Directory, line: Line, errors: list[RowError]) -> Iterator[Wanted]:
    """The posts that a line tells of."""
    found = 0
    for group in line.heading.groups:
        problems: list[RowError] = []
        try:
            one = _one(directory, line, group, problems)
        except _Spoiled:
            errors += [problem for problem in problems if problem not in errors]
            continue
        if one is not None:
            found += 1
            yield one


class _Spoiled(Exception):
    """A line with errors; they are on the list."""


def _one(directory: Directory, line: Line, group: Group, errors: list[RowError]) -> Wanted | None:
    if group.kind and line.at(group.holder) in (None, "") and line.at(group.phone) in (None, ""):
        return None  # a table with a column for each post says nothing of those that it leaves empty
    coded = cells.text(line.get("post_code"))
    parts = seat_parts(coded) if coded else None
    unit = directory.unit(parts[0]) if parts else _unit(directory, line, errors)
    if unit is None:
        _complain(errors, line, "post_code", coded, "unknown_unit")
        raise _Spoiled
    kind, title = _kind(line, group, unit, parts, errors)
    term = _term(directory, line, group, title, errors)
    if errors:
        raise _Spoiled
    said = key(line.get("remark")) + key(line.get("term")) + key(line.get("term_to"))
    ends = said.startswith(words().ended) or key(line.get("remark")).startswith(words().ended)
    return Wanted(line, unit, kind, term, ends, coded)


def _complain(errors: list[RowError], line: Line, field_: str | int | None, value: object, kind: str) -> None:
    column = line.heading.fields.get(field_) if isinstance(field_, str) else field_
    shown = cells.text(value)[:SHOWN_LENGTH]
    errors.append(RowError(line.sheet, line.row, line.heading.title(column), shown, kind))


def _unit(directory: Directory, line: Line, errors: list[RowError]) -> Unit:
    """The narrowest unit that a line names."""
    code = cells.text(line.get("unit_code"))
    if code:
        unit = directory.unit(code)
        if unit is None:
            _complain(errors, line, "unit_code", code, "unknown_unit")
            raise _Spoiled
        return unit
    found: Unit | None = None
    for field_, level in _UNIT_FIELDS:
        written = cells.text(line.get(field_))
        if not written or cells.is_empty(written):
            continue
        try:
            found = _named(directory, level, written, found)
        except BadCell as bad:
            _complain(errors, line, field_, written, bad.kind)
            raise _Spoiled from None
    office = cells.text(line.get("office"))
    if found is None and office and not cells.is_empty(office):
        found = _office(directory, office)
    if found is None:
        _complain(errors, line, "office", office, "no_unit")
        raise _Spoiled
    return found


def _named(directory: Directory, level: Level, written: str, inside: Unit | None) -> Unit:
    if level is Level.BRANCH and inside is not None and inside.level is Level.COMMUNITY:
        try:
            return directory.find(level, written, inside)
        except BadCell as bad:
            if bad.kind != "unknown_unit":
                raise
            return directory.make_branch(written, inside)
    return directory.find(level, written, inside)


def _office(directory: Directory, written: str) -> Unit:
    """A unit in a column that may hold any: a place or organisation of that name, else a department."""
    direct = directory.unit(written)
    if direct is not None:
        return direct
    for level in _OFFICE_LEVELS:
        try:
            return directory.find(level, written, None)
        except BadCell:
            continue
    return directory.make_department(written)


def _kind(
    line: Line, group: Group, unit: Unit, parts: tuple[str, PostKind, int] | None, errors: list[RowError]
) -> tuple[PostKind, str]:
    """What a post is, and its title where it is none of ours."""
    written = group.kind or cells.text(line.get("post"))
    title = cells.text(line.get("title"))
    if parts is not None:
        return parts[1], title
    if not written:
        _complain(errors, line, "post", "", "no_post")
        raise _Spoiled
    kind = words().kind(written, unit.level)
    level = NATURE[kind].level
    if level not in (None, unit.level):
        _complain(errors, line, "post" if not group.kind else group.holder, written, "wrong_level")
        raise _Spoiled
    return kind, title or (written if kind is PostKind.OTHER else "")


def _term(directory: Directory, line: Line, group: Group, title: str, errors: list[RowError]) -> Term:
    """Who holds the post, from its cells; every cell that is wrong is told."""

    def person(column: int | None) -> str:
        return _read(cells.name, line, column, errors)

    def phone(column: int | None) -> str:
        return _read(cells.phone, line, column, errors)

    ended = key(line.get("term_to")).startswith(words().ended) or key(line.get("term")).startswith(words().ended)
    first, last = (None, None) if ended else _days(line, errors)
    holder, deputy = person(group.holder), person(group.deputy)
    holder_phone, deputy_phone = phone(group.phone), phone(group.deputy_phone)
    department = cells.text(line.get("department"))
    office = ""
    if department and not cells.is_empty(department):
        found = directory.unit(department)
        try:
            found = found or directory.find(Level.DEPARTMENT, department, None)
        except BadCell:
            found = directory.make_department(department)
        office = found.code
    return Term(
        holder,
        holder_phone if holder else "",
        deputy,
        deputy_phone if deputy else "",
        first if holder else None,
        last if holder else None,
        office if holder else "",
        title,
    )


def _read(parse: object, line: Line, column: int | None, errors: list[RowError]) -> str:
    value = line.at(column)
    try:
        return str(parse(value))  # type: ignore[operator]
    except BadCell as bad:
        _complain(errors, line, column, value, bad.kind)
        return ""


def _days(line: Line, errors: list[RowError]) -> tuple[date | None, date | None]:
    first: date | None = None
    last: date | None = None
    for field_ in ("term", "term_from", "term_to"):
        value = line.get(field_)
        try:
            if field_ == "term" and value is not None:
                first, last = cells.term(value)
            elif field_ == "term_from" and value is not None:
                first = cells.day(value)
            elif field_ == "term_to" and value is not None:
                last = cells.day(value, last=True)
        except BadCell as bad:
            _complain(errors, line, field_, value, bad.kind)
    if first and last and last < first:
        _complain(errors, line, "term_to" if "term_to" in line.heading.fields else "term", last, "term_backwards")
    return first, last


def _paired(directory: Directory, line: Line, errors: list[RowError]) -> Iterator[tuple[str, str]]:
    """A department with its communities, however many stand in the cell."""
    office, places = cells.text(line.get("office")), cells.text(line.get("community"))
    if cells.is_empty(office) or cells.is_empty(places):
        return
    try:
        department = directory.find(Level.DEPARTMENT, office, None)
    except BadCell:
        department = directory.make_department(office)
    for place in (part.strip() for part in words().separators.split(places) if part.strip()):
        try:
            yield department.code, directory.find(Level.COMMUNITY, place, None).code
        except BadCell as bad:
            _complain(errors, line, "community", place, bad.kind)


def _pair_anew(conn: Connection, ground: Ground, plan: Plan) -> None:
    """Only the pairs of departments that are paired otherwise than before."""
    today: dict[str, set[str]] = defaultdict(set)
    for community, departments in load_pairs(conn, ground.county).items():
        for department in departments:
            today[department].add(community)
    new: dict[str, set[str]] = defaultdict(set)
    for department, community in plan.pairs:
        new[department].add(community)
    plan.pairs = sorted((d, c) for d, places in new.items() if places != today[d] for c in places)


def _compare(conn: Connection, ground: Ground, wanted: list[Wanted], plan: Plan) -> None:
    """Give each line its post, and keep those that differ from what stands."""
    units = sorted({one.unit.code for one in wanted})
    stand = seats.standing(conn, ground, Which(Reach(True), units=units)) if units else []
    by_code = {post.code: post for post in stand}
    seen: dict[str, Wanted] = {}
    for one, code in _seated(wanted, stand):
        if code in seen:
            _complain(plan.errors, one.line, "post_code", code, "twice")
            continue
        seen[code] = one
        before = by_code.get(code)
        try:
            after = None if one.ends else post_in(one.unit, code, one.term)
        except (UnknownPost, TermBackwards):
            _complain(plan.errors, one.line, "post_code", code, "wrong_level")
            continue
        if (before is None and after is None) or (before is not None and after is not None and _same(before, after)):
            plan.unchanged += 1
        else:
            if before is not None and after is not None:
                after = replace(after, rank=before.rank, superior=before.superior)
            plan.changes.append(Planned(Change(code, before, after), one.unit.name, one.line.sheet, one.line.row))


def _same(before: Post, after: Post) -> bool:
    return before.term == after.term


def _seated(wanted: list[Wanted], stand: list[Post]) -> Iterator[tuple[Wanted, str]]:
    """The code of each line's post: its own, that of whoever holds such a post already, else the next free one."""
    held: dict[tuple[str, PostKind, str], list[Post]] = defaultdict(list)
    for post in stand:
        held[post.unit, post.kind, post.term.title if post.kind is PostKind.OTHER else ""].append(post)
    lines: dict[tuple[str, PostKind, str], list[Wanted]] = defaultdict(list)
    for one in wanted:
        title = one.term.title if one.kind is PostKind.OTHER else ""
        lines[one.unit.code, one.kind, title].append(one)
    taken = {post.code for post in stand} | {one.code for one in wanted if one.code}
    for place, ones in lines.items():
        free = [post for post in held[place] if post.code not in {one.code for one in ones}]
        rest = []
        for one in ones:
            same = next((post for post in free if post.term.person == one.term.person), None)
            if one.code or same is None:
                rest.append(one)
            else:
                free.remove(same)
                yield one, same.code
        for one in rest:
            if one.code:
                yield one, one.code
            elif free:
                yield one, free.pop(0).code
            else:
                n = next(n for n in range(1, 10_000) if seat(place[0], place[1], n) not in taken)
                taken.add(seat(place[0], place[1], n))
                yield one, seat(place[0], place[1], n)


def _digest(conn: Connection, ground: Ground, path: Path, plan: Plan, day: date) -> str:
    """What this plan is known by: the file, what it changes, and the organisation that it was made for."""
    p, u, q = org_post.c, org_unit.c, org_pair.c
    state = [
        *conn.execute(
            select(func.max(p.id), func.count(), func.count(p.ended_on)).where(p.county == ground.county)
        ).one(),
        *conn.execute(select(func.count()).select_from(org_unit).where(u.county == ground.county)).one(),
        *conn.execute(select(func.count()).select_from(org_pair).where(q.county == ground.county)).one(),
    ]
    found = hashlib.sha256(path.read_bytes())
    told = [(planned.what, repr(planned.change.before), repr(planned.change.after)) for planned in plan.changes]
    found.update(orjson.dumps([state, day.isoformat(), told, [u.code for u in plan.units], plan.pairs]))
    return found.hexdigest()

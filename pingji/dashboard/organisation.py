"""The organisation as documents for the browser: names masked, texts left to the reader's language."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from pingji.data import features
from pingji.data.modes import load_states
from pingji.data.organisation import burden, calls, committees, completeness, sponsors, tree, vacancies
from pingji.data.organisation import posts as seats
from pingji.data.organisation.ground import Ground, Reach
from pingji.data.organisation.posts import Which
from pingji.data.organisation.rules import load_rules
from pingji.data.organisation.tree import Node
from pingji.data.scopes import Scope
from pingji.layers.masking import mask_name, mask_phone
from pingji.ops.mode import State as ModeState
from pingji.ops.mode import gravest
from pingji.ops.organisation import committees as rules_of_committees
from pingji.ops.organisation import sponsors as limits
from pingji.ops.organisation.chain import chain_of, commanding
from pingji.ops.organisation.completeness import totals
from pingji.ops.organisation.kinds import DEPTH, LEVELS, NATURE, ROLES, Chain, Level
from pingji.ops.organisation.post import Post, Unit, Why
from pingji.ops.organisation.rules import Rules

Document = dict[str, Any]
LISTED = 200  # posts of the next level that a chain lists
_MS = 1000
_PHASES = ("asked", "answered", "handed_over", "escalated", "withdrawn")
_SIMPLIFY_DEG = 0.0002
_COMMANDING = tuple(kind for kind, nature in NATURE.items() if nature.chain is not Chain.NEITHER)


@dataclass(frozen=True)
class Reader:
    """Reads the organisation of a county for somebody: within reach, on one snapshot, names masked or not."""

    conn: Connection
    ground: Ground
    reach: Reach
    personal: bool = False

    def name(self, name: str) -> str:
        """A name as this reader sees it."""
        return name if self.personal else mask_name(name)

    def phone(self, phone: str) -> str:
        """A phone as this reader sees it."""
        return phone if self.personal else mask_phone(phone)

    def posts(self, found: Sequence[Post]) -> list[Document]:
        """Posts as documents."""
        names = tree.units_named(self.conn, self.ground, {p.unit for p in found} | {p.term.department for p in found})
        command = self._commanders({post.unit for post in found})
        day = seats.today()
        return [self._post(post, names, post.code in command, day) for post in found]

    def _post(self, post: Post, names: Mapping[str, str], commands: bool, day: date) -> Document:
        term = post.term
        return {
            "code": post.code,
            "unit": post.unit,
            "unit_name": names.get(post.unit, post.unit),
            "kind": post.kind.value,
            "title": term.title,
            "level": post.level.value,
            "place": post.place,
            "township": post.township,
            "community": post.community,
            "grid": post.grid,
            "chain": post.chain.value,
            "role": post.is_role,
            "holder": self.name(term.holder),
            "holder_phone": self.phone(term.holder_phone),
            "deputy": self.name(term.deputy),
            "deputy_phone": self.phone(term.deputy_phone),
            "department": term.department,
            "department_name": names.get(term.department, "") if term.department else "",
            "term_from": _day(term.term_from),
            "term_to": _day(term.term_to),
            "superior": post.superior,
            "rank": post.rank,
            "kept_by": post.kept_by,
            "why": [why.value for why in post.why(day)],
            "commands": commands,
            **({"ended": _day(post.ended)} if post.ended else {}),
        }

    def _commanders(self, units: Collection[str]) -> set[str]:
        """The posts of some units that command now."""
        states = load_states(self.conn, self.ground.county)
        found = seats.standing(self.conn, self.ground, Which(Reach(True), units=sorted(units), commanding=True))
        by_chain: dict[Chain, list[Post]] = {}
        for post in found:
            state = state_at(states, self.ground.county, post.township, post.community)
            by_chain.setdefault(chain_of(state.mode), []).append(post)
        return {seat.code for chain, some in by_chain.items() for seat in commanding(some, chain).values()}


def state_at(states: Mapping[str, ModeState], county: str, township: str, community: str) -> ModeState:
    """The mode that holds at a place: its own, or that of a wider scope where that is graver."""
    return gravest([states[code] for code in (county, township, community) if code in states])


def units(nodes: Iterable[Node]) -> Document:
    """Units of one level of the tree."""
    return {"units": [unit(node) for node in nodes]}


def unit(node: Node) -> Document:
    """A unit with its counts."""
    return {**_unit(node.unit), "children": node.children, "posts": node.posts, "vacant": node.vacant}


def _unit(found: Unit) -> Document:
    return {name: str(value) for name, value in asdict(found).items()}


def unit_document(reader: Reader, code: str) -> Document:
    """A unit with its posts, those who held them before, and where it is on the map."""
    conn, ground = reader.conn, reader.ground
    found = tree.unit_of(conn, ground, code)
    path = [
        one for one in tree.path_of(conn, ground, found) if reader.reach.holds(one.township, one.community, one.grid)
    ]
    own = seats.standing(conn, ground, Which(Reach(True), units=[code]))
    return {
        "unit": unit(tree.nodes(conn, ground, [found], reader.reach)[0]),
        "path": [unit(node) for node in tree.nodes(conn, ground, path, reader.reach)],
        "posts": reader.posts(own),
        "past": reader.posts(seats.past(conn, ground.county, code)),
        "bounds": _bounds(reader, found),
    }


def _bounds(reader: Reader, found: Unit) -> list[float] | None:
    """The box of a unit's ground; a branch has that of its grids, a stairwell that of its building."""
    layer = {Level.COUNTY: "area", Level.TOWNSHIP: "area", Level.COMMUNITY: "communities", Level.GRID: "grids"}
    codes, name = [found.place], layer.get(found.level, "buildings")
    if found.level is Level.BRANCH:
        codes = [node.unit.place for node in tree.below(reader.conn, reader.ground, Reach(True), found.code)]
        name = "grids"
    if found.level is Level.STAIRWELL:
        codes = [found.place.rpartition("-")[0]]
    if found.level is Level.DEPARTMENT or not codes:
        return None
    where = features.table_of(name).c.code.in_(codes)
    shapes = [
        f.geometry for f in features.load_features(reader.conn, reader.ground.county, name, columns=(), where=where)
    ]
    if not shapes:
        return None
    boxes = list(zip(*(shape.bounds for shape in shapes), strict=True))
    return [round(v, 6) for v in (min(boxes[0]), min(boxes[1]), max(boxes[2]), max(boxes[3]))]


def chains(reader: Reader, scope: Scope) -> Document:
    """Both chains of a scope, and who commands at each level."""
    conn, ground = reader.conn, reader.ground
    community = scope.community or (scope.code if scope.level == Level.COMMUNITY else "")
    township = scope.township or (scope.code if scope.level == Level.TOWNSHIP else "")
    state = state_at(load_states(conn, ground.county), ground.county, township, community)
    own = Level(scope.level)
    counts = vacancies.counts_by_level(conn, ground, reader.reach, seats.today(), _COMMANDING)
    listed_below = False
    levels = []
    for level in LEVELS[Chain.ROUTINE]:
        above = DEPTH[level] <= DEPTH[own]
        if above:
            places = [code for code in (ground.county, township, community, scope.code) if code]
            units_here = [code for code in places if ground.level_of(code) is level]
            if level is Level.BRANCH:
                units_here = [tree.unit_of(conn, ground, scope.code).parent] if own is Level.GRID else []
            found = _visible(reader, Which(Reach(True), units=units_here, levels=[level], commanding=True))
        else:
            n = counts.get(level, {}).get("posts", 0)
            found = []
            if not listed_below and n:
                found = seats.standing(conn, ground, Which(reader.reach, levels=[level], commanding=True))[:LISTED]
                listed_below = True
        tally = counts.get(level, {})
        n = len(found) if above else tally.get("posts", 0)
        filled = sum(not p.vacant for p in found) if above else n - tally.get("no_holder", 0)
        shown = reader.posts(found)
        levels.append(
            {
                "level": level.value,
                "above": above,
                "posts": n,
                "filled": filled,
                "routine": [post for post in shown if post["chain"] == Chain.ROUTINE],
                "emergency": [post for post in shown if post["chain"] == Chain.EMERGENCY],
            }
        )
    centres = sponsors.count_centres(conn, ground, reader.reach)
    none: list[Document] = []
    last = {"level": Level.HOUSEHOLD.value, "above": False, "posts": 0, "filled": 0, "centres": centres}
    return {
        "scope": {"code": scope.code, "name": scope.name, "level": scope.level},
        "mode": state.mode.value,
        "exercise": state.exercise,
        "since": state.since // _MS,
        "operation": state.operation,
        "commands": chain_of(state.mode).value,
        "levels": [*levels, {**last, "routine": none, "emergency": none}],
    }


def _visible(reader: Reader, which: Which) -> list[Post]:
    found = seats.standing(reader.conn, reader.ground, which)
    return [p for p in found if reader.reach.holds(p.township, p.community, p.grid) or _is_above(reader, p)]


def _is_above(reader: Reader, post: Post) -> bool:
    """Whether a post stands above everything within reach: whoever answers for a grid knows whom to call."""
    reach, ground = reader.reach, reader.ground
    codes = {post.place, post.unit} - {""}
    return any(
        codes & {ground.county, *ground.placing(code)} for code in (*reach.townships, *reach.communities, *reach.grids)
    )


def completeness_document(reader: Reader) -> Document:
    """The six roles of every grid, and their sums."""
    ground = reader.ground
    found = completeness.big_grids(reader.conn, ground, reader.reach)
    grids, complete, by_role = totals(found)
    rows = []
    for big in found:
        name, community = ground.grids[big.code]
        rows.append(
            {
                "code": big.code,
                "name": name,
                "community": community,
                "community_name": ground.name_of(community),
                "township": ground.township_of(community),
                "filled": big.filled,
                "roles": {k.value: {"have": r.have, "need": r.need, "ok": r.ok} for k, r in big.roles.items()},
            }
        )
    summed = {k.value: {"have": role.have, "need": role.need, "grids": n} for k, (role, n) in by_role.items()}
    return {
        "roles": [kind.value for kind in ROLES],
        "grids": rows,
        "totals": {"grids": grids, "complete": complete, "roles": summed},
    }


def map_document(reader: Reader, figure: str, level: str) -> bytes:
    """One figure for every grid or community, as GeoJSON."""
    conn, ground, reach = reader.conn, reader.ground, reader.reach
    if figure == "completeness":
        found = {b.code: (b.filled, len(ROLES)) for b in completeness.big_grids(conn, ground, reach)}
    elif figure == "coverage":
        found = {s.grid: (s.covered, s.households) for s in sponsors.by_grid(conn, ground, reach)}
    else:
        both = vacancies.by_place(conn, ground, reach, level)
        found = {code: (empty, n) for code, (n, empty) in both.items() if code}
        if figure == "overloaded":
            held = (p for one in burden.overloaded(conn, ground, reach) for p in one.posts)
            busy = Counter(p.grid if level == "grid" else p.community for p in held)
            found = {code: (busy[code], n) for code, (_, n) in found.items()}
    if level == "community" and figure in ("completeness", "coverage"):
        found = _by_community(ground, found)
    table = features.table_of("grids" if level == "grid" else "communities")
    fields = ("code", "name", "community") if level == "grid" else ("code", "name", "township")

    def shown(row: Mapping[str, object]) -> Mapping[str, object]:
        code = str(row["code"])
        value, of = found.get(code, (0, 0))
        community = str(row.get("community") or code)
        placed = {"community": community, "township": ground.township_of(community)}
        share = round(value / of, 4) if of else None
        return {"code": code, "name": row["name"], **placed, "value": value, "of": of, "share": share}

    return features.geojson(
        conn,
        ground.county,
        table.name,
        fields=fields,
        where=reach.where(conn, table),
        simplify_deg=_SIMPLIFY_DEG,
        shown=shown,
    )


def _by_community(ground: Ground, by_grid: Mapping[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    values: Counter[str] = Counter()
    of: Counter[str] = Counter()
    for grid, (value, n) in by_grid.items():
        community = ground.grids[grid][1]
        values[community] += value
        of[community] += n
    return {community: (values[community], of[community]) for community in of}


def vacancies_document(
    reader: Reader, why: Why | None, kinds: Collection[Any] | None, limit: int, offset: int
) -> Document:
    """Posts that something is wrong with."""
    conn, ground, day = reader.conn, reader.ground, seats.today()
    by_level = vacancies.counts_by_level(conn, ground, reader.reach, day, kinds)
    found = vacancies.listed(conn, ground, reader.reach, day, why, kinds)
    names = ("posts", *(w.value for w in Why))
    return {
        "counts": {name: sum(counts[name] for counts in by_level.values()) for name in names},
        "by_level": {
            level.value: counts for level, counts in sorted(by_level.items(), key=lambda item: DEPTH[item[0]])
        },
        "total": len(found),
        "rows": reader.posts(found[offset : offset + limit]),
    }


def overloaded_document(reader: Reader) -> Document:
    """People who hold too many posts; of posts out of reach only the number is told."""
    people = []
    for one in burden.overloaded(reader.conn, reader.ground, reader.reach):
        visible = [p for p in one.posts if reader.reach.holds(p.township, p.community, p.grid)]
        person = {"holder": reader.name(one.holder), "holder_phone": reader.phone(one.holder_phone)}
        people.append({**person, "n": len(one.posts), "posts": reader.posts(visible)})
    return {"limit": load_rules(reader.conn, reader.ground.county).posts_limit, "people": people}


def committees_document(reader: Reader) -> Document:
    """Departments × communities."""
    conn, ground = reader.conn, reader.ground
    found = committees.committees_of(conn, ground, reader.reach)
    paired: dict[str, list[str]] = {}
    for one in found:
        for department in one.departments:
            paired.setdefault(department, []).append(one.community)
    offices = [d for d in tree.departments(conn, ground) if reader.reach.whole or d.code in paired]
    heads = {p.unit: p for p in seats.standing(conn, ground, Which(Reach(True), units=[d.code for d in offices]))}
    grids = {one.community: len(ground.grids_of.get(one.community, ())) for one in found}
    leaders = [p for one in found for p in (one.first, one.secretary) if p is not None]
    shown = {post["code"]: post for post in reader.posts(leaders)}
    return {
        "departments": [
            {
                "code": office.code,
                "name": office.name,
                "communities": paired.get(office.code, []),
                "head": reader.name(heads[office.code].term.holder) if office.code in heads else "",
                "head_phone": reader.phone(heads[office.code].term.holder_phone) if office.code in heads else "",
            }
            for office in offices
        ],
        "communities": [
            {
                "code": one.community,
                "name": ground.name_of(one.community),
                "township": ground.township_of(one.community),
                "committee": one.name,
                "grids": grids[one.community],
                "departments": list(one.departments),
                "first_secretary": shown[one.first.code] if one.first else None,
                "secretary": shown[one.secretary.code] if one.secretary else None,
                "warnings": [_committee_warning(key, one, shown) for key in one.warnings],
            }
            for one in found
        ],
        "totals": {
            "departments": len(offices),
            "communities": len(found),
            "pairs": sum(len(one.departments) for one in found),
            "grids": sum(grids.values()),
        },
    }


def _committee_warning(key: str, one: committees.Committee, shown: Mapping[str, Document]) -> Document:
    from_there = shown[one.first.code]["department_name"] if one.first else ""
    params = {"department": from_there} if key == rules_of_committees.NOT_PAIRED else {}
    return {"key": key, "params": params}


def sponsors_document(reader: Reader, grid: str | None) -> Document:
    """The sponsor tree by grid, and the centres of one."""
    conn, ground = reader.conn, reader.ground
    rules = load_rules(conn, ground.county)
    rows = []
    for one in sponsors.by_grid(conn, ground, reader.reach):
        name, community = ground.grids[one.grid]
        figures = {"centres": one.centres, "members": one.members, "households": one.households, "covered": one.covered}
        share = round(one.covered / one.households, 4) if one.households else None
        warnings = _warnings(limits.of_grid(one.centres, rules)) if one.households else []
        rows.append(
            {"grid": one.grid, "name": name, "community": community, **figures, "share": share, "warnings": warnings}
        )
    centres = sponsors.centres_of(conn, ground, grid) if grid else []
    return {"rules": rules_document(rules), "grids": rows, "centres": [centre(reader, c) for c in centres]}


def centre(reader: Reader, found: sponsors.Centre) -> Document:
    """A centre household with its figures."""
    rules = load_rules(reader.conn, reader.ground.county)
    return {
        "code": found.code,
        "name": reader.name(found.name),
        "phone": reader.phone(found.phone),
        "grid": found.grid,
        "community": found.community,
        "lonlat": list(found.lonlat),
        "members": found.members,
        "households": found.households,
        "warnings": _warnings(limits.of_centre(found.members, rules)),
    }


def centre_document(reader: Reader, found: sponsors.Centre) -> Document:
    """A centre with its members, and the households of each."""
    rules = load_rules(reader.conn, reader.ground.county)
    members = []
    for one in sponsors.members_of(reader.conn, reader.ground, found.code):
        linked = [{"code": h.code, "name": reader.name(h.name), "lonlat": list(h.lonlat)} for h in one.linked]
        own = {"code": one.code, "name": reader.name(one.name), "phone": reader.phone(one.phone)}
        warnings = _warnings(limits.of_member(len(linked), rules))
        members.append(
            {**own, "household": one.household, "households": len(linked), "warnings": warnings, "linked": linked}
        )
    return {"centre": centre(reader, found), "members": members}


def gaps_document(reader: Reader, scope: Scope) -> Document:
    """Households without a member, as points where the scope is small enough to draw them."""
    conn, ground = reader.conn, reader.ground
    figures = sponsors.by_grid(conn, ground, reader.reach)
    households, covered = sum(f.households for f in figures), sum(f.covered for f in figures)
    found = sponsors.gaps(conn, ground, reader.reach) if scope.level in (Level.COMMUNITY, Level.GRID) else []
    points = [
        {
            "type": "Feature",
            "id": code,
            "properties": {"code": code, "grid": grid, "community": community},
            "geometry": {"type": "Point", "coordinates": list(lonlat)},
        }
        for code, grid, community, lonlat in found
    ]
    share = round(covered / households, 4) if households else None
    sums = {"households": households, "covered": covered, "uncovered": households - covered, "share": share}
    return {"type": "FeatureCollection", "features": points, "totals": sums}


def rules_document(rules: Rules) -> Document:
    """The rules, by name."""
    return asdict(rules)


def _warnings(found: Iterable[limits.Warn]) -> list[Document]:
    return [{"key": one.key, "params": {"n": one.n, "low": one.low, "high": one.high}} for one in found]


def calls_document(
    reader: Reader,
    operations: Sequence[Any],
    operation: str | None,
    state: Any,
    limit: int,
    offset: int,
) -> Document:
    """Who was asked in an operation, who has answered, and whose list the others are on."""
    conn, ground, county = reader.conn, reader.ground, reader.ground.county
    listed = [
        {
            "id": o.id,
            "scope": o.scope,
            "scope_name": ground.name_of(o.scope) or o.scope,
            "exercise": o.exercise,
            "started_at": o.started_at // _MS,
            "open": o.is_open,
        }
        for o in sorted(operations, key=lambda o: (not o.is_open, -o.started_at))
    ]
    chosen = operation or (str(listed[0]["id"]) if listed else "")
    by_level = calls.counts_of(conn, county, chosen, reader.reach)
    counts = {state: sum(level.get(state, 0) for level in by_level.values()) for state in _PHASES}
    found = calls.calls_of(conn, county, chosen, reader.reach, state, limit, offset)
    lists = calls.escalated_by_superior(conn, county, chosen, reader.reach)
    above = calls.posts_of(conn, ground, [superior for superior, _ in lists if superior])
    shown = {post["code"]: post for post in reader.posts(list(above.values()))}
    nobody = {"kind": "", "unit_name": "", "holder": ""}
    return {
        "operations": listed,
        "operation": chosen or None,
        "counts": counts,
        "by_level": {level: {s: n.get(s, 0) for s in _PHASES} for level, n in by_level.items()},
        "handover_min": load_rules(conn, county).handover_min,
        "total": sum(counts.values()) if state is None else counts[state.value],
        "calls": call_documents(reader, found),
        "lists": [
            {
                "superior": superior,
                "title": shown.get(superior, nobody)["kind"],
                "unit_name": shown.get(superior, nobody)["unit_name"],
                "holder": shown.get(superior, nobody)["holder"],
                "n": n,
            }
            for superior, n in lists
        ],
    }


def call_documents(reader: Reader, found: Sequence[calls.Asked]) -> list[Document]:
    """Calls with their posts; of a post that was taken out of use since, what the call knows."""
    posts = calls.posts_of(reader.conn, reader.ground, [asked.call.post for asked in found])
    gone = [Post(a.call.post, a.unit, a.kind, a.level) for a in found if a.call.post not in posts]
    shown = {post["code"]: post for post in reader.posts([*posts.values(), *gone])}
    return [_call(asked, shown[asked.call.post]) for asked in found]


def _call(asked: calls.Asked, post: Document) -> Document:
    call = asked.call
    times = ("asked_at", "deadline", "answered_at", "handed_over_at", "escalated_at", "handed_back_at")
    return {
        "post": post | {"superior": asked.superior},
        "operation": asked.operation,
        "exercise": asked.exercise,
        "state": call.state.value,
        "acting": call.acting.value,
        "answered_by": call.answered_by,
        **{name: None if (at := getattr(call, name)) is None else at // _MS for name in times},
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None

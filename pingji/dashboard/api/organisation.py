"""`/api/v1/organisation`: the tree, its posts, who commands, what is missing, and calls. See `docs/organisation.md`."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Annotated, Literal

import orjson
from fastapi import APIRouter, Query, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from pingji.dashboard import organisation as documents
from pingji.dashboard.access import Routes, Who, area_in, area_of, needs
from pingji.dashboard.api.common import NO_CONTROLS
from pingji.dashboard.api.deliver import sent, workshop
from pingji.dashboard.commands import organisation as commands
from pingji.dashboard.context import Context
from pingji.dashboard.organisation import Reader
from pingji.dashboard.organisation_words import book_words, masked
from pingji.data import audit
from pingji.data.engine import reading, writing
from pingji.data.operations import operations_of
from pingji.data.organisation import calls, sponsors, tree
from pingji.data.organisation.ground import load_ground
from pingji.data.organisation.rules import load_rules
from pingji.data.organisation.workbook.writing import write_workbook
from pingji.data.scopes import Scope
from pingji.ops.access import Caller, OutsideYourArea, Permission
from pingji.ops.organisation.handover import Acting, State
from pingji.ops.organisation.kinds import PostKind
from pingji.ops.organisation.post import Term, Why

Code = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=NO_CONTROLS)]
Line = Annotated[str, StringConstraints(max_length=100, pattern=NO_CONTROLS)]
Phone = Annotated[str, StringConstraints(max_length=32, pattern=r"^[0-9+ -]*$")]
Limit = Annotated[int, Query(ge=1, le=2000)]
Offset = Annotated[int, Query(ge=0, le=1_000_000)]
Number = Annotated[int, Field(ge=1, le=10_000)]
Figure = Literal["completeness", "vacancies", "overloaded", "coverage"]
SEE, EDIT = Permission.SEE_ORGANISATION, Permission.EDIT_ORGANISATION


class RulesIn(BaseModel):
    """Numbers to change."""

    model_config = ConfigDict(extra="forbid")

    handover_min: Number | None = None
    posts_limit: Number | None = None
    centres_low: Number | None = None
    centres_high: Number | None = None
    members_low: Number | None = None
    members_high: Number | None = None
    households_low: Number | None = None
    households_high: Number | None = None


class AnswerIn(BaseModel):
    """Who answers for a post, and in which operation."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    operation: Code | None = None
    who: Annotated[Literal["holder", "deputy"] | None, Field(alias="as")] = None


class HandBackIn(BaseModel):
    """The operation in which the holder takes over again."""

    model_config = ConfigDict(extra="forbid")

    operation: Code | None = None


class PostIn(BaseModel):
    """Who holds a post from today on."""

    model_config = ConfigDict(extra="forbid")

    holder: Line
    holder_phone: Phone = ""
    deputy: Line = ""
    deputy_phone: Phone = ""
    department: Code | None = None
    term_from: date | None = None
    term_to: date | None = None
    title: Line = ""


@contextmanager
def reader(context: Context, who: Caller, scope: str | None = None) -> Iterator[tuple[Reader, Scope]]:
    """The organisation as a caller may read it, within a scope."""
    with reading(context.engine) as conn:
        area = area_in(conn, context.county_code, who, SEE)
        ground = load_ground(conn, context.county_code)
        found = ground.scope(scope)
        reach = ground.reach(area, found)
        if scope and reach.nothing:
            raise OutsideYourArea(scope=scope)
        yield Reader(conn, ground, reach), found


def router(context: Context) -> APIRouter:
    """The routes of the organisation."""
    routes = Routes(prefix="/organisation", tags=["organisation"])
    _tree(routes, context)
    _figures(routes, context)
    _calls(routes, context)
    _changes(routes, context)
    return routes


def _tree(routes: APIRouter, context: Context) -> None:
    @routes.get("/units")
    @needs(SEE)
    def units(who: Who, parent: Code | None = None) -> Response:
        """What hangs on a unit; the tops of the caller's area where none is named."""
        with reader(context, who) as (at, _):
            if parent is None:
                return _json(documents.units(tree.tops(at.conn, at.ground, at.reach)))
            _require(at, parent)
            return _json(documents.units(tree.below(at.conn, at.ground, at.reach, parent)))

    @routes.get("/units/{code}")
    @needs(SEE)
    def unit(who: Who, code: Code) -> Response:
        """A unit with its posts and their past."""
        with reader(context, who) as (at, _):
            _require(at, code)
            return _json(documents.unit_document(at, code))

    @routes.get("/chains")
    @needs(SEE)
    def chains(who: Who, scope: Code | None = None) -> Response:
        """Both chains of a scope, and who commands now."""
        with reader(context, who, scope) as (at, found):
            return _json(documents.chains(at, found))


def _figures(routes: APIRouter, context: Context) -> None:
    @routes.get("/completeness")
    @needs(SEE)
    def completeness(who: Who, scope: Code | None = None) -> Response:
        """The six roles of every grid."""
        with reader(context, who, scope) as (at, _):
            return _json(documents.completeness_document(at))

    @routes.get("/map")
    @needs(SEE)
    def figure_map(who: Who, figure: Figure, level: Literal["grid", "community"] = "grid") -> Response:
        """One figure for every grid or community, to be coloured."""
        with reader(context, who) as (at, _):
            return Response(documents.map_document(at, figure, level), media_type="application/geo+json")

    @routes.get("/vacancies")
    @needs(SEE)
    def vacancies(
        who: Who,
        scope: Code | None = None,
        why: Why | None = None,
        kind: PostKind | None = None,
        limit: Limit = 200,
        offset: Offset = 0,
    ) -> Response:
        """Posts without holder, without deputy, or whose term has ended."""
        with reader(context, who, scope) as (at, _):
            kinds = None if kind is None else [kind]
            return _json(documents.vacancies_document(at, why, kinds, limit, offset))

    @routes.get("/overloaded")
    @needs(SEE)
    def overloaded(who: Who, scope: Code | None = None) -> Response:
        """People who hold too many posts."""
        with reader(context, who, scope) as (at, _):
            return _json(documents.overloaded_document(at))

    @routes.get("/committees")
    @needs(SEE)
    def committees(who: Who) -> Response:
        """Joint committees: departments × communities."""
        with reader(context, who) as (at, _):
            return _json(documents.committees_document(at))

    @routes.get("/sponsors")
    @needs(SEE)
    def sponsor_tree(who: Who, scope: Code | None = None, grid: Code | None = None) -> Response:
        """The sponsor tree by grid, and the centres of one grid."""
        with reader(context, who, scope) as (at, _):
            if grid is not None and not at.reach.holds(*at.ground.placing(at.ground.scope(grid).code)):
                raise OutsideYourArea(scope=grid)
            return _json(documents.sponsors_document(at, grid))

    @routes.get("/sponsors/{centre}")
    @needs(SEE)
    def sponsor_centre(who: Who, centre: Code) -> Response:
        """A centre household with its members and their households."""
        with reader(context, who) as (at, _):
            found = sponsors.find_centre(at.conn, at.ground, centre)
            if not at.reach.whole and (found is None or not _holds(at, found.community, found.grid)):
                raise OutsideYourArea(scope=centre)
            return _json(documents.centre_document(at, sponsors.centre_of(at.conn, at.ground, centre)))

    @routes.get("/gaps")
    @needs(SEE)
    def gaps(who: Who, scope: Code | None = None) -> Response:
        """Households without a Party member who looks after them."""
        with reader(context, who, scope) as (at, found):
            return _json(documents.gaps_document(at, found))

    @routes.get("/rules")
    @needs(SEE)
    def rules(who: Who) -> Response:
        """The numbers that a county may change."""
        with reading(context.engine) as conn:
            return _json(documents.rules_document(load_rules(conn, context.county_code)))


def _calls(routes: APIRouter, context: Context) -> None:
    @routes.get("/calls")
    @needs(SEE)
    def call_list(
        who: Who,
        operation: Code | None = None,
        scope: Code | None = None,
        state: State | None = None,
        limit: Limit = 500,
        offset: Offset = 0,
    ) -> Response:
        """Who was asked, and who has answered."""
        with reader(context, who, scope) as (at, _):
            found = operations_of(at.conn, at.ground.county)
            return _json(documents.calls_document(at, found, operation, state, limit, offset))

    @routes.post("/calls/{post}/answer")
    @needs(Permission.COUNT, Permission.SWITCH, EDIT)
    def answer(who: Who, post: Code, body: AnswerIn) -> Response:
        """A post has been heard."""
        area = area_of(context, who, Permission.COUNT, Permission.SWITCH, EDIT)
        acting = Acting(body.who) if body.who else None
        operation = commands.answer_call(context, area, post, body.operation, acting, who.name)
        return _call(context, who, operation, post)

    @routes.post("/calls/{post}/hand-back")
    @needs(Permission.COUNT, Permission.SWITCH, EDIT)
    def hand_back(who: Who, post: Code, body: HandBackIn) -> Response:
        """The holder takes over from the deputy."""
        area = area_of(context, who, Permission.COUNT, Permission.SWITCH, EDIT)
        return _call(context, who, commands.hand_back(context, area, post, body.operation, who.name), post)


def _changes(routes: APIRouter, context: Context) -> None:
    @routes.put("/rules")
    @needs(EDIT)
    def change_rules(who: Who, body: RulesIn) -> Response:
        """Change numbers of the county's organisation."""
        _require_whole(context, who, EDIT)
        values = body.model_dump(exclude_none=True)
        return _json(documents.rules_document(commands.change_rules(context, values, who.name)))

    @routes.put("/posts/{code}")
    @needs(EDIT)
    def set_post(who: Who, code: Code, body: PostIn) -> Response:
        """Who holds a post from today on; what was is kept."""
        area = area_of(context, who, EDIT)
        words = {name: " ".join(text.split()) for name, text in body if isinstance(text, str)}
        days = {"term_from": body.term_from, "term_to": body.term_to}
        term = Term(**{**words, **days, "department": body.department or ""})  # type: ignore[arg-type]
        post = commands.set_post(context, area, code, term, who.name)
        with reading(context.engine) as conn:
            ground = load_ground(conn, context.county_code)
            return _json(Reader(conn, ground, ground.reach(area)).posts([post])[0])

    @routes.get("/export")
    @needs(Permission.EXPORT, EDIT)
    def export(who: Who, scope: Code | None = None) -> FileResponse:
        """The organisation as a workbook; names and phones are masked."""
        with workshop() as folder:
            with reading(context.engine) as conn:  # nobody who counts waits for a workbook
                area = area_in(conn, context.county_code, who, Permission.EXPORT, EDIT)
                ground = load_ground(conn, context.county_code)
                found = ground.scope(scope)
                if ground.reach(area, found).nothing:
                    raise OutsideYourArea(scope=found.code)
                path = folder / f"organisation_{found.code}.xlsx"
                words = book_words(context.settings.language)
                write_workbook(conn, ground, ground.reach(area, found), path, words, masked)
            with writing(context.engine) as conn:
                audit.record(conn, action="export", object="organisation.xlsx", scope=found.code)
            return sent(path)


def _call(context: Context, who: Caller, operation: str, post: str) -> Response:
    with reading(context.engine) as conn:
        ground = load_ground(conn, context.county_code)
        asked = calls.find_call(conn, ground.county, operation, post)
        at = Reader(conn, ground, ground.reach(area_in(conn, ground.county, who, *who.permissions)))
        return _json(documents.call_documents(at, [asked])[0])


def _require(at: Reader, code: str) -> None:
    """A unit lies within reach; whoever may not look there does not learn whether it exists."""
    if at.reach.whole:
        return
    found = tree.find_unit(at.conn, at.ground, code)
    if found is None or not at.reach.holds(found.township, found.community, found.grid):
        raise OutsideYourArea(scope=code)


def _holds(at: Reader, community: str, grid: str) -> bool:
    return at.reach.holds(at.ground.township_of(community), community, grid)


def _require_whole(context: Context, who: Caller, permission: Permission) -> None:
    if not area_of(context, who, permission).whole:
        raise OutsideYourArea(scope=context.county_code)


def _json(document: object) -> Response:
    return Response(orjson.dumps(document), media_type="application/json")

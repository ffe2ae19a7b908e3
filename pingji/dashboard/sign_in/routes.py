"""`/sign-in` and `/sign-out`: by a password, a second factor, a new password."""

from typing import Any

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from pingji.dashboard.access import Routes, public
from pingji.dashboard.context import Context, now_us
from pingji.dashboard.sign_in import field_posts, provider_routes
from pingji.dashboard.sign_in.doorkeeper import Doorkeeper
from pingji.dashboard.sign_in.rendering import form_expired, onward, page, qr_code, refused
from pingji.dashboard.sign_in.visit import Visit
from pingji.data.access import entering, second_factor
from pingji.data.access.accounts import find_account
from pingji.data.access.entering import Entered
from pingji.data.engine import writing
from pingji.ops.sign_in import PasswordsDiffer, SignInError

ISSUER = "Pingji"


def router(context: Context) -> Routes:
    """All routes of the sign-in."""
    door = Doorkeeper(context)
    routes = Routes(include_in_schema=False)
    _by_password(routes, door)
    _second(routes, door)
    _enrol(routes, door)
    _new_password(routes, door)
    _out(routes, door)
    field_posts.add(routes, door)
    provider_routes.add(routes, door)
    return routes


def entered(visit: Visit, done: Entered) -> RedirectResponse:
    """In, or on to what is still owed."""
    response = onward(visit.onward(done))
    visit.keep_session(response, done)
    return response


def _by_password(routes: Routes, door: Doorkeeper) -> None:
    by_provider = bool(door.settings.oidc_issuer and door.settings.oidc_client_id)

    @routes.get("/sign-in")
    @public
    async def sign_in(request: Request) -> Response:
        """The form; who is in already goes on."""
        visit = door.visit(request)
        if visit.known.pending:
            return onward(visit.link("/sign-in/second"))
        if visit.known.must_change:
            return onward(visit.link("/sign-in/new-password"))
        if visit.known.caller is not None and visit.known.caller.door in ("session", "device"):
            return onward(visit.next)
        return page(visit, "sign_in", login="", by_provider=by_provider)

    @routes.post("/sign-in")
    @public
    async def with_password(request: Request) -> Response:
        """A name and a password."""
        visit = door.visit(request)
        fields = await visit.form()
        login = fields.get("login", "")
        if not fields:
            return form_expired(visit, "sign_in", login="", by_provider=by_provider)
        try:
            return entered(visit, await door.enter(visit, login, fields.get("password", "")))
        except SignInError as error:
            return refused(visit, "sign_in", error, login=login, by_provider=by_provider)


def _second(routes: Routes, door: Doorkeeper) -> None:
    @routes.get("/sign-in/second")
    @public
    async def second(request: Request) -> Response:
        """The form for the code."""
        visit = door.visit(request)
        if not visit.known.pending:
            return onward(visit.link("/sign-in"))
        if not (await door.in_thread(door.account, visit)).second_factor:
            return onward(visit.link("/sign-in/enrol"))
        return page(visit, "second")

    @routes.post("/sign-in/second")
    @public
    async def with_code(request: Request) -> Response:
        """A code of the app, or a recovery code."""
        visit = door.visit(request)
        if not visit.known.pending:
            return onward(visit.link("/sign-in"))
        fields = await visit.form()
        if not fields:
            return form_expired(visit, "second")
        code = fields.get("code", "")
        try:
            work = entering.enter_second
            done = await door.attempt(visit, work, door.engine, visit.account, code, now_us(), visit.browser)
            return entered(visit, done)
        except SignInError as error:
            return refused(visit, "second", error)


def _enrol(routes: Routes, door: Doorkeeper) -> None:
    def fresh(visit: Visit, *, again: bool) -> dict[str, Any]:
        """The secret as text and as QR code; after a wrong code the same one, for the app has it by now."""
        with writing(door.engine) as conn:
            known = find_account(conn, visit.account)
            kept = second_factor.unproved(conn, known.id) if again else ""
            secret = kept or second_factor.begin(conn, known.id)
        uri = second_factor.uri_of(secret, known.login, ISSUER)
        return {"secret": " ".join(secret[i : i + 4] for i in range(0, len(secret), 4)), "qr": qr_code(uri)}

    async def owes(visit: Visit) -> bool:
        """Whether this session is one that has to set up its factor: nobody else's is touched here."""
        return visit.known.pending and not (await door.in_thread(door.account, visit)).second_factor

    @routes.get("/sign-in/enrol")
    @public
    async def enrol(request: Request) -> Response:
        """How to set up the second factor that is asked for."""
        visit = door.visit(request)
        if not await owes(visit):
            return onward(visit.link("/sign-in"))
        return page(visit, "enrol", **await door.in_thread(fresh, visit, again=False))

    @routes.post("/sign-in/enrol")
    @public
    async def with_first_code(request: Request) -> Response:
        """The first code: the factor is on."""
        visit = door.visit(request)
        if not await owes(visit):
            return onward(visit.link("/sign-in"))
        fields = await visit.form()
        if not fields:
            return form_expired(visit, "enrol", **await door.in_thread(fresh, visit, again=True))
        try:
            work = entering.enter_enrolled
            code = fields.get("code", "")
            done, codes = await door.attempt(visit, work, door.engine, visit.account, code, now_us(), visit.browser)
        except SignInError as error:
            return refused(visit, "enrol", error, **await door.in_thread(fresh, visit, again=True))
        response = page(visit, "recovery", codes=codes, onward=visit.onward(done))
        visit.keep_session(response, done)
        return response


def _new_password(routes: Routes, door: Doorkeeper) -> None:
    @routes.get("/sign-in/new-password")
    @public
    async def new_password(request: Request) -> Response:
        """The form for whoever came in by a one-time password."""
        visit = door.visit(request)
        if visit.known.pending or not visit.known.must_change:
            return onward(visit.link("/sign-in"))
        return page(visit, "new_password")

    @routes.post("/sign-in/new-password")
    @public
    async def with_new_password(request: Request) -> Response:
        """A password of one's own."""
        visit = door.visit(request)
        if visit.known.pending or not visit.known.must_change:
            return onward(visit.link("/sign-in"))
        fields = await visit.form()
        if not fields:
            return form_expired(visit, "new_password")
        new = fields.get("new", "")
        try:
            if new != fields.get("again", ""):
                raise PasswordsDiffer()
            work = entering.change_password
            done = await door.attempt(
                visit,
                work,
                door.engine,
                visit.account,
                None,
                new,
                now_us(),
                visit.browser,
                require_second=door.require_second,
            )
            return entered(visit, done)
        except SignInError as error:
            return refused(visit, "new_password", error)


def _out(routes: Routes, door: Doorkeeper) -> None:
    async def sign_out(request: Request) -> Response:
        """End the session; the guard has seen to it that one of our pages asked."""
        visit = door.visit(request)
        if visit.known.digest:
            await door.in_thread(entering.leave, door.engine, visit.known.digest)
            door.context.on_access()
        response = onward(visit.link("/sign-in"))
        visit.drop_session(response)
        return response

    routes.post("/sign-out")(public(sign_out))
    routes.post("/sign-in/out")(public(sign_out))  # for whoever is not quite in yet

"""`/sign-in/device` and `/sign-in/wall`: a phone at a field post by a one-time code, a wall without a keyboard."""

from fastapi import Request
from starlette.responses import Response

from pingji.dashboard.access import Routes, public
from pingji.dashboard.context import now_us
from pingji.dashboard.guard import TOKEN
from pingji.dashboard.sign_in.doorkeeper import Doorkeeper
from pingji.dashboard.sign_in.rendering import form_expired, onward, page, refused
from pingji.data.access import entering, tokens
from pingji.data.access.secret import digest_of
from pingji.data.engine import reading
from pingji.ops.sign_in import SignInError, WrongLink

CODE_MAX = 32


def add(routes: Routes, door: Doorkeeper) -> None:
    """The routes of devices and walls."""
    _device(routes, door)
    _wall(routes, door)


def _device(routes: Routes, door: Doorkeeper) -> None:
    @routes.get("/sign-in/device")
    @public
    async def device(request: Request) -> Response:
        """Asks first: whatever looks at a link before a person does must not use its code up."""
        visit = door.visit(request)
        return page(visit, "device", code=request.query_params.get("code", "")[:CODE_MAX])

    @routes.post("/sign-in/device")
    @public
    async def with_code(request: Request) -> Response:
        """The code becomes a session of this device."""
        visit = door.visit(request)
        fields = await visit.form()
        code = fields.get("code", "")[:CODE_MAX]
        if not fields:
            return form_expired(visit, "device", code="")
        try:
            work = entering.enter_device
            done = await door.attempt(visit, work, door.engine, code, now_us(), visit.browser)
        except SignInError as error:
            return refused(visit, "device", error, code=code)
        response = onward(visit.next)
        visit.keep_session(response, done)
        return response


def _wall(routes: Routes, door: Doorkeeper) -> None:
    def find(secret: str) -> tokens.Token | None:
        with reading(door.engine) as conn:
            return tokens.token_of_digest(conn, digest_of(secret))

    @routes.get("/sign-in/wall")
    @public
    async def wall(request: Request) -> Response:
        """A wall's link, opened once in its browser: the token moves into a cookie, out of the address."""
        visit = door.visit(request)
        secret = request.query_params.get("token", "")
        at = now_us()
        found = await door.in_thread(find, secret)
        good = found is not None and found.kind == tokens.WALL and found.revoked_at is None and at < found.expires_at
        if found is None or not good:
            return refused(visit, "wrong_link", WrongLink())
        response = onward("/wall")
        lasts = (found.expires_at - at) // 1_000_000
        response.set_cookie(TOKEN, secret, max_age=lasts, httponly=True, samesite="lax", secure=visit.secure, path="/")
        return response

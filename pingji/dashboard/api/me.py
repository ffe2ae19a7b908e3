"""`/api/v1/me`: who the caller is, and that somebody is still there."""

from fastapi import APIRouter, Request, Response

from pingji.dashboard.access import Routes, Who, needs
from pingji.dashboard.context import Context
from pingji.dashboard.guard import Callers, Known


def router(context: Context, callers: Callers) -> APIRouter:
    """The routes of the caller's own presence."""
    routes = Routes(tags=["me"])

    @routes.get("/me")
    @needs()
    async def me(who: Who) -> dict[str, object]:
        """The caller's name, roles and where they hold."""
        grants = [{"role": grant.role.value, "scope": grant.scope} for grant in sorted(who.grants)]
        return {"name": who.name, "door": who.door, "grants": grants, "permissions": sorted(who.permissions)}

    @routes.post("/me/active", status_code=204)
    @needs()
    async def active(request: Request) -> Response:
        """Somebody touched the screen: the session is not idle."""
        known: Known = request.scope["state"]["known"]
        if known.digest:
            await callers.touch(known.digest)
        return Response(status_code=204)

    return routes

"""The same service without asking who calls, what they may, and without masks. Only here, to measure what those cost.

`python -m bench.unguarded PORT`, with the settings of `pingji serve` in the environment.
"""

import sys
from typing import Any

import uvicorn
from starlette.types import Receive, Scope, Send

from pingji.layers import masking


def _as_it_is(text: str) -> str:
    return text


# Before anything imports them by name.
masking.mask_name = masking.mask_phone = _as_it_is

from fastapi.routing import APIRoute  # noqa: E402

from pingji import logs  # noqa: E402
from pingji.dashboard import access, app  # noqa: E402
from pingji.dashboard.guard import Callers, Known  # noqa: E402
from pingji.ops.access import EVERYWHERE, Caller, Grant, Role  # noqa: E402
from pingji.settings import Settings  # noqa: E402

ANYBODY = Known(Caller("bench", "bench", tuple(Grant(role, EVERYWHERE) for role in Role), "system"))


class Open:
    """In the guard's place: whoever calls may do everything."""

    def __init__(self, inner: Any, callers: Callers, public_url: str = "") -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope.setdefault("state", {}).update(caller=ANYBODY.caller, known=ANYBODY, still=_still)
        await self._inner(scope, receive, send)


async def _still() -> Known:
    return ANYBODY


async def _unasked(self: access.Ruled, scope: Scope, receive: Receive, send: Send) -> None:
    await APIRoute.handle(self, scope, receive, send)


def main() -> None:
    app.Guard = Open  # type: ignore[misc, assignment]
    access.Ruled.handle = _unasked  # type: ignore[method-assign]
    settings = Settings()
    logs.configure(settings.log_format, settings.log_level)  # a line a request, as in service
    uvicorn.run(app.create_app(settings), port=int(sys.argv[1]), log_config=None, access_log=False, ws="none")


if __name__ == "__main__":
    main()

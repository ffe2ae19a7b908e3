"""What somebody tried who may not: into the audit, beside what was done."""

import re

from fastapi import Request
from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool

from pingji.dashboard.guard import SAFE
from pingji.dashboard.logs import template
from pingji.data import audit
from pingji.data.engine import writing
from pingji.ops.access import AccessError, SignInNeeded

_CODE = re.compile(r"(?=.*[0-9])[!-~]{1,64}|\*")


class Refusals:
    """Writes down refused acts; looking where one may not changes nothing, and a screen asks for much."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def note(self, request: Request, error: AccessError) -> None:
        """One refusal, by a caller that is known."""
        if request.method not in SAFE and not isinstance(error, SignInNeeded):
            await run_in_threadpool(self._write, f"{request.method} {template(request.scope)}", error)

    def _write(self, what: str, error: AccessError) -> None:
        scope = str(error.params.get("scope", ""))
        scope = scope if _CODE.fullmatch(scope) else ""  # somebody may have sent a name for a code
        detail = {"permission": str(error.params.get("permission", ""))}
        with writing(self._engine) as conn:
            audit.record(conn, action="refused", object=what, scope=scope, outcome=audit.REFUSED, detail=detail)

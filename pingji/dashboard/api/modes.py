"""`/api/v1/modes`: the one key, its recall, and the mode of a scope."""

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from pingji.dashboard import commands, queries
from pingji.dashboard.api.common import NO_CONTROLS, NO_NUL, actor_name
from pingji.dashboard.context import Context
from pingji.data.engine import reading
from pingji.ops.mode import Mode, Press

Id = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=NO_CONTROLS)]
Text = Annotated[str, StringConstraints(max_length=500, pattern=NO_NUL)]


class PressIn(BaseModel):
    """One press of the key; sent twice with one id it does nothing more."""

    model_config = ConfigDict(extra="forbid")

    press_id: Id
    scope: Id
    to: Literal["routine", "standby", "emergency", "recovery"]
    level: Annotated[int, Field(ge=1, le=4)] | None = None
    exercise: bool = False
    reason: Text = ""
    actor: Text | None = None


class RecallIn(BaseModel):
    """Take a press back."""

    model_config = ConfigDict(extra="forbid")

    press_id: Id
    reason: Text = ""
    actor: Text | None = None


def router(context: Context) -> APIRouter:
    """The routes of the mode."""
    routes = APIRouter(tags=["modes"])

    @routes.post("/modes")
    def press_key(body: PressIn, x_actor: Annotated[str | None, Header()] = None) -> dict[str, object]:
        """Switch the mode of a scope, in one transaction."""
        press = Press(body.press_id, body.scope, Mode(body.to), body.level, body.exercise, body.reason)
        state, pressed = commands.switch_mode(context, press, actor_name(body.actor, x_actor))
        return {"pressed": pressed, **queries.mode_of_state(body.scope, "", state)}

    @routes.post("/modes/recall")
    def recall(body: RecallIn, x_actor: Annotated[str | None, Header()] = None) -> dict[str, object]:
        """Take the latest press of its scope back, as long as nobody has been counted since."""
        state = commands.recall(context, body.press_id, body.reason, actor_name(body.actor, x_actor))
        return queries.mode_of_state("", "", state)

    @routes.get("/modes")
    def modes(scope: Annotated[str | None, Query(max_length=64)] = None) -> dict[str, object]:
        """The mode of a scope (the county where none is named), and of every scope that is not in routine."""
        with reading(context.engine) as conn:
            return queries.modes(conn, context.county, scope)

    return routes

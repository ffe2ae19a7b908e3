"""`/api/v1/modes`: the one key, its recall, and the mode of a scope."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from pingji.dashboard import commands, queries
from pingji.dashboard.access import Routes, Who, needs, require_scope
from pingji.dashboard.api.common import NO_CONTROLS, NO_NUL
from pingji.dashboard.context import Context
from pingji.data.engine import reading
from pingji.data.modes import scope_of_press
from pingji.ops.access import Permission
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


class RecallIn(BaseModel):
    """Take a press back."""

    model_config = ConfigDict(extra="forbid")

    press_id: Id
    reason: Text = ""


def router(context: Context) -> APIRouter:
    """The routes of the mode."""
    routes = Routes(tags=["modes"])

    @routes.post("/modes")
    @needs(Permission.SWITCH)
    def press_key(body: PressIn, who: Who) -> dict[str, object]:
        """Switch the mode of a scope, in one transaction."""
        with reading(context.engine) as conn:
            require_scope(conn, context.county, who, body.scope, Permission.SWITCH)
        press = Press(body.press_id, body.scope, Mode(body.to), body.level, body.exercise, body.reason)
        state, pressed = commands.switch_mode(context, press, who.name)
        return {"pressed": pressed, **queries.mode_of_state(body.scope, "", state)}

    @routes.post("/modes/recall")
    @needs(Permission.SWITCH)
    def recall(body: RecallIn, who: Who) -> dict[str, object]:
        """Take the latest press of its scope back, as long as nobody has been counted since."""
        with reading(context.engine) as conn:
            pressed = scope_of_press(conn, context.county_code, body.press_id)
            require_scope(conn, context.county, who, pressed, Permission.SWITCH)
        state = commands.recall(context, body.press_id, body.reason, who.name)
        return queries.mode_of_state("", "", state)

    @routes.get("/modes")
    @needs()
    def modes(scope: Annotated[str | None, Query(max_length=64)] = None) -> dict[str, object]:
        """The mode of a scope (the county where none is named), and of every scope that is not in routine."""
        with reading(context.engine) as conn:
            return queries.modes(conn, context.county, scope)

    return routes

"""`/api/v1/names`: names and phones in full, for a purpose, each look written into the audit."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from pingji.dashboard.access import Routes, Who, area_in, needs
from pingji.dashboard.api.common import NO_CONTROLS, NO_NUL
from pingji.dashboard.context import Context
from pingji.data import names
from pingji.data.engine import writing
from pingji.layers.catalog import by_name
from pingji.ops.access import Permission

Code = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=NO_CONTROLS)]


class NamesIn(BaseModel):
    """Whose names, and what for."""

    model_config = ConfigDict(extra="forbid")

    layer: Code
    codes: Annotated[list[Code], Field(min_length=1, max_length=50)]
    purpose: Literal["search", "contact", "verify", "register", "other"]
    note: Annotated[str, StringConstraints(max_length=200, pattern=NO_NUL)] = ""


def router(context: Context) -> APIRouter:
    """The route of names."""
    routes = Routes(tags=["names"])

    @routes.post("/names")
    @needs(Permission.SEE_NAMES)
    def see_names(body: NamesIn, who: Who) -> dict[str, object]:
        """Names and phones of some features, and of the people of households, in full.

        All of them lie in the caller's area, or nothing is shown. What was looked at and why is in the audit before
        the answer leaves.
        """
        layer = by_name(body.layer)
        columns = [field.column for field in layer.fields if field.kind in ("person", "phone")]
        with writing(context.engine) as conn:
            area = area_in(conn, context.county_code, who, Permission.SEE_NAMES)
            return names.reveal(
                conn, context.county_code, layer.name, columns, body.codes, area, purpose=body.purpose, note=body.note
            )

    return routes

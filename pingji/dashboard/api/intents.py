"""What may be asked of grids, as requests say it: the form is checked here, the ground in the kernel."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from pingji.dashboard.api.common import NO_NUL
from pingji.dashboard.api.sets import Code, Id, Revision

MAX_POSITIONS = 10_000
MAX_GRIDS = 2_000

Lon = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Lat = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Position = tuple[Lon, Lat]
Line = Annotated[list[Position], Field(min_length=2, max_length=MAX_POSITIONS)]
Ring = Annotated[list[Position], Field(min_length=4, max_length=MAX_POSITIONS)]
Rings = Annotated[list[Ring], Field(min_length=1, max_length=500)]
Codes = Annotated[list[Code], Field(min_length=1, max_length=MAX_GRIDS)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=NO_NUL)]
Positions = Annotated[list[Annotated[int, Field(ge=0, le=MAX_GRIDS)]], Field(min_length=1, max_length=MAX_GRIDS)]
Metres = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PolygonIn(_Model):
    """A GeoJSON polygon."""

    type: Literal["Polygon"]
    coordinates: Rings


class MultiPolygonIn(_Model):
    """A GeoJSON multipolygon."""

    type: Literal["MultiPolygon"]
    coordinates: Annotated[list[Rings], Field(min_length=1, max_length=500)]


Area = Annotated[PolygonIn | MultiPolygonIn, Field(discriminator="type")]


class Split(_Model):
    """Cut a grid along a line."""

    kind: Literal["split"]
    code: Code
    line: Line


class Merge(_Model):
    """Make one grid of neighbours."""

    kind: Literal["merge"]
    codes: Annotated[list[Code], Field(min_length=2, max_length=MAX_GRIDS)]
    into: Code | None = None


class Reshape(_Model):
    """Draw a border anew."""

    kind: Literal["reshape"]
    line: Line
    codes: Codes | None = None


class MoveVertex(_Model):
    """Move a vertex of a common border."""

    kind: Literal["move_vertex"]
    at: Position
    to: Position


class InsertVertex(_Model):
    """Add a vertex to a border, and move it where `to` says."""

    kind: Literal["insert_vertex"]
    at: Position
    to: Position | None = None


class RemoveVertex(_Model):
    """Take a vertex of a border out."""

    kind: Literal["remove_vertex"]
    at: Position


class Give(_Model):
    """Give a building, or ground, to a grid."""

    kind: Literal["give"]
    to: Code
    building: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=NO_NUL)] | None = None
    ground: Area | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.building is None) == (self.ground is None):
            raise ValueError("a building or ground, one of them")
        return self


class Simplify(_Model):
    """Thin out the borders between grids."""

    kind: Literal["simplify"]
    codes: Codes
    tolerance_m: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]


class Repair(_Model):
    """Close narrow gaps and remove narrow overlaps of the community."""

    kind: Literal["repair"]
    gap_m: Metres = 2.0
    overlap_m: Metres = 2.0


class Described(_Model):
    """Attributes of a grid; what is left out stays."""

    name: Words | None = None
    leader: Words | None = None
    leader_phone: Words | None = None
    deputy: Words | None = None
    deputy_phone: Words | None = None


class Describe(_Model):
    """Give a grid its name and its people."""

    kind: Literal["describe"]
    code: Code
    values: Described


class Proposal(_Model):
    """Accept a proposal, whole or the grids at these positions."""

    kind: Literal["proposal"]
    proposal: Id
    candidate: Annotated[int, Field(ge=0, le=1000)]
    grids: (
        Annotated[list[Annotated[int, Field(ge=0, le=MAX_GRIDS)]], Field(min_length=1, max_length=MAX_GRIDS)] | None
    ) = None


class RedrawnGrid(_Model):
    """One grid of a redrawing: an empty code is a new grid, no geometry leaves a grid as it is."""

    code: Annotated[str, StringConstraints(max_length=32)] = ""
    geometry: Area | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.code and self.geometry is None:
            raise ValueError("a new grid needs a geometry")
        return self


class Redraw(_Model):
    """Put other polygons in the place of the community's grids."""

    kind: Literal["redraw"]
    grids: Annotated[list[RedrawnGrid], Field(min_length=1, max_length=MAX_GRIDS)]


Intent = Annotated[
    Split
    | Merge
    | Reshape
    | MoveVertex
    | InsertVertex
    | RemoveVertex
    | Give
    | Simplify
    | Repair
    | Describe
    | Proposal
    | Redraw,
    Field(discriminator="kind"),
]


class EditIn(_Model):
    """An edit, sent any number of times under one id."""

    revision: Revision
    edit_id: Id
    community: Code
    intent: Intent


class PreviewIn(_Model):
    """An edit that is only looked at."""

    community: Code
    intent: Intent

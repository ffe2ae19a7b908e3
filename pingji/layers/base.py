"""What a layer is: its fields, who may see them, and its two looks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

Geometry = Literal["polygon", "line", "point"]
Kind = Literal["text", "number", "person", "phone", "choice", "flags", "date", "yes_no", "reference", "thresholds"]
Audience = Literal["public", "staff"]  # public: also the wall; staff: the desk and the tablet
Shape = Literal["circle", "square", "diamond", "triangle", "house", "star", "flag"]


@dataclass(frozen=True)
class Field:
    """One attribute that a popup, a table or an export shows.

    `kind` says how it is shown: a `person` is masked to the family name and a `phone` to 138****1234 unless the
    caller may see personal data; the texts of a `choice` or of `flags` are under `choice.<layer>.<column>.<value>`;
    a `reference` holds the code of a feature of the layer `refers` and is shown by that feature's name.
    """

    column: str
    kind: Kind = "text"
    audience: Audience = "staff"
    choices: tuple[str, ...] = ()
    refers: str = ""


@dataclass(frozen=True)
class Look:
    """How a layer is drawn in one mode; lengths in CSS pixels.

    `colour_by` names a field whose values pick a colour from `colours` (`""` there is the colour of an empty value);
    `sort_by` one whose values pick a width from `weights` and the first zoom from `zooms`; `live` names the live
    figure that colours the layer while people are being counted (`sheet` or `place`). A larger `order` lies on top,
    a larger `label_rank` is written first where names would collide.
    """

    shown: bool = True
    order: int = 0
    stroke: str = "#5b6470"
    weight: float = 1.0
    fill: str = "#ffffff"
    fill_opacity: float = 0.0
    radius: float = 4.0
    dash: str = ""
    hatch: bool = False
    shape: Shape = "circle"
    min_zoom: float = 0
    label_zoom: float = 99  # from this zoom on the name is written
    label_rank: int = 0
    colour_by: str = ""
    colours: Mapping[str, str] = field(default_factory=dict)
    sort_by: str = ""
    weights: Mapping[str, float] = field(default_factory=dict)
    zooms: Mapping[str, float] = field(default_factory=dict)
    live: Literal["", "sheet", "place"] = ""


@dataclass(frozen=True)
class Layer:
    """One layer of the map. `name` is also its table, its route and the stem of its text keys (`layer.<name>`)."""

    name: str
    geometry: Geometry
    fields: tuple[Field, ...]
    routine: Look
    emergency: Look
    by_box: bool = False  # only ever asked for by bounding box, from `min_zoom` on: too many for one document
    audience: Audience = "public"  # `staff`: the layer as a whole stays off the wall

    @cached_property
    def columns(self) -> Mapping[Audience, tuple[str, ...]]:
        """The columns that each audience may see at all, in the order in which they are shown."""
        public = tuple(field.column for field in self.fields if field.audience == "public")
        return {"staff": tuple(field.column for field in self.fields), "public": public}

    @cached_property
    def personal(self) -> tuple[tuple[str, Kind], ...]:
        """The columns that hold a person's name or phone, and which of them."""
        return tuple((field.column, field.kind) for field in self.fields if field.kind in ("person", "phone"))


CODE = Field("code", audience="public")
NAME = Field("name", audience="public")
COMMUNITY = Field("community", "reference", "public", refers="communities")
TOWNSHIP = Field("township", "reference", "public", refers="townships")
GRID = Field("grid", "reference", "public", refers="grids")
ZONE = Field("zone", "reference", "public", refers="danger_zones")
TRANSFER_POINT = Field("transfer_point", "reference", "public", refers="transfer_points")
SHELTER = Field("shelter", "reference", "public", refers="shelters")


def person(column: str) -> tuple[Field, Field]:
    """A person and their phone: columns `<column>` and `<column>_phone`."""
    return Field(column, "person"), Field(f"{column}_phone", "phone")

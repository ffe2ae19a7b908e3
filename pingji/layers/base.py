"""What a layer is: its fields, who may see them, and its two looks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Geometry = Literal["polygon", "line", "point"]
Kind = Literal["text", "number", "person", "phone", "choice", "flags", "date", "yes_no"]
Audience = Literal["public", "staff"]  # public: also the wall; staff: the desk and the tablet


@dataclass(frozen=True)
class Field:
    """One attribute that a popup, a table or an export shows.

    `kind` says how it is shown: a `person` is masked to the family name and a `phone` to 138****1234 unless the
    caller may see personal data; the texts of a `choice` are under `choice.<layer>.<column>.<value>`.
    """

    column: str
    kind: Kind = "text"
    audience: Audience = "staff"


@dataclass(frozen=True)
class Look:
    """How a layer is drawn in one mode; lengths in CSS pixels.

    `colour_by` names a field whose values pick a colour from `colours`; `live` names the live figure that colours
    the layer while people are being counted (`sheet` or `place`).
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
    shape: Literal["circle", "square", "diamond", "triangle", "house"] = "circle"
    min_zoom: int = 0
    label_zoom: int = 99  # from this zoom on the name is written
    colour_by: str = ""
    colours: Mapping[str, str] = field(default_factory=dict)
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

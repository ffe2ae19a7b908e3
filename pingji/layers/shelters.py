"""Shelters 安置点/应急避难场所, with the standard that their capacity was reckoned by."""

from pingji.layers.base import CODE, COMMUNITY, NAME, TOWNSHIP, Field, Layer, Look
from pingji.layers.palette import CHALK, INK, NIGHT

LAYER = Layer(
    name="shelters",
    geometry="point",
    fields=(
        NAME,
        CODE,
        Field("category", "choice", "public", choices=("temporary", "short", "long")),
        TOWNSHIP,
        COMMUNITY,
        Field("address", audience="public"),
        Field("usable_area_m2", "number", "public"),
        Field("standard_m2", "number", "public"),
        Field("capacity", "number", "public"),
        Field("floor_elevation_m", "number", "public"),
        Field("in_hazard", "yes_no", "public"),
        Field("medical", "yes_no", "public"),
        Field("food", "yes_no", "public"),
        Field("step_free", "yes_no", "public"),
        Field("contact", "person"),
        Field("phone", "phone"),
    ),
    routine=Look(
        order=72,
        stroke=INK,
        weight=1.4,
        fill="#FFFFFF",
        fill_opacity=1,
        radius=5.4,
        shape="house",
        min_zoom=10,
        label_zoom=13.5,
        label_rank=35,
    ),
    emergency=Look(
        order=82,
        stroke=CHALK,
        weight=1.6,
        fill=NIGHT,
        fill_opacity=1,
        radius=7,
        shape="house",
        label_zoom=11.25,
        label_rank=85,
        live="place",
    ),
)

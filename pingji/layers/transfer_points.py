"""Transfer points 转移点: where people assemble and are counted."""

from pingji.layers.base import CODE, COMMUNITY, NAME, TOWNSHIP, Field, Layer, Look
from pingji.layers.palette import CHALK, INK, NIGHT

LAYER = Layer(
    name="transfer_points",
    geometry="point",
    fields=(
        NAME,
        CODE,
        TOWNSHIP,
        COMMUNITY,
        Field("capacity", "number", "public"),
        Field("contact", "person"),
        Field("phone", "phone"),
    ),
    routine=Look(
        order=70,
        stroke=INK,
        weight=1.6,
        fill="#FFFFFF",
        fill_opacity=1,
        radius=4.2,
        min_zoom=11.5,
        label_zoom=14.5,
        label_rank=32,
    ),
    emergency=Look(
        order=84,
        stroke=CHALK,
        weight=1.8,
        fill=NIGHT,
        fill_opacity=1,
        radius=6,
        label_zoom=11.25,
        label_rank=90,
        live="place",
    ),
)

"""Grids 网格: the gap-free partition of each community that people answer for."""

from pingji.layers.base import CODE, COMMUNITY, NAME, Field, Layer, Look, person
from pingji.layers.palette import HAIRLINE, INK_SOFT
from pingji.ops.change_set import Reason

LAYER = Layer(
    name="grids",
    geometry="polygon",
    fields=(
        NAME,
        CODE,
        COMMUNITY,
        Field("household_count", "number", "public"),
        Field("resident_count", "number", "public"),
        *person("leader"),
        *person("deputy"),
        Field("valid_from", "date"),
        Field("valid_to", "date"),
        Field("reason", "choice", choices=tuple(reason.value for reason in Reason)),
    ),
    routine=Look(order=30, stroke=INK_SOFT, weight=0.7, label_zoom=12.5, label_rank=50),
    emergency=Look(order=30, stroke=HAIRLINE, weight=0.5, label_zoom=14, label_rank=20, live="sheet"),
)

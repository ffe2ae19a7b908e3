"""Party-member centre households 党员中心户, who link Party members and households."""

from pingji.layers.base import CODE, COMMUNITY, GRID, Field, Layer, Look
from pingji.layers.palette import CHALK_SOFT, NIGHT, ORGANISATION

LAYER = Layer(
    name="party_households",
    geometry="point",
    fields=(
        Field("name", "person"),
        CODE,
        COMMUNITY,
        GRID,
        Field("household"),
        Field("phone", "phone"),
    ),
    routine=Look(
        order=66,
        stroke="#FFFFFF",
        weight=0.8,
        fill=ORGANISATION,
        fill_opacity=1,
        radius=4.6,
        shape="star",
        min_zoom=12,
        label_zoom=16.5,
        label_rank=25,
    ),
    emergency=Look(
        shown=False,
        order=58,
        stroke=NIGHT,
        weight=0.8,
        fill=CHALK_SOFT,
        fill_opacity=1,
        radius=4.2,
        shape="star",
        min_zoom=13,
        label_zoom=17,
        label_rank=8,
    ),
    audience="staff",
)

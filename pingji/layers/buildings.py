"""Buildings 楼栋, never cut by a grid border."""

from pingji.layers.base import CODE, COMMUNITY, GRID, NAME, Field, Layer, Look, person
from pingji.layers.palette import CHALK_SOFT, HAIRLINE, INK_SOFT

LAYER = Layer(
    name="buildings",
    geometry="polygon",
    fields=(
        NAME,
        CODE,
        COMMUNITY,
        GRID,
        *person("head"),
        *person("deputy"),
        Field("units", "number", "public"),
        Field("floors", "number", "public"),
    ),
    routine=Look(
        order=34,
        stroke=INK_SOFT,
        weight=0.8,
        fill="#CFCBBE",
        fill_opacity=0.9,
        shape="square",
        radius=3,
        min_zoom=15,
        label_zoom=17,
        label_rank=15,
    ),
    emergency=Look(
        order=34,
        stroke=CHALK_SOFT,
        weight=0.6,
        fill=HAIRLINE,
        fill_opacity=0.9,
        shape="square",
        radius=3,
        min_zoom=15,
        label_zoom=17.5,
        label_rank=15,
    ),
    by_box=True,
)

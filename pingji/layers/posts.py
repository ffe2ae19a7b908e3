"""Posts: checkpoints 卡口, vanguard posts 先锋岗 and stations 驿站, and who stands there this shift."""

from pingji.layers.base import CODE, COMMUNITY, NAME, Field, Layer, Look, person
from pingji.layers.palette import CHALK_SOFT, NIGHT, ORGANISATION

LAYER = Layer(
    name="posts",
    geometry="point",
    fields=(
        NAME,
        CODE,
        Field("kind", "choice", "public", choices=("checkpoint", "vanguard", "station")),
        COMMUNITY,
        *person("holder"),
        *person("deputy"),
        Field("shift"),
    ),
    routine=Look(
        order=58,
        stroke="#FFFFFF",
        weight=1,
        fill=ORGANISATION,
        fill_opacity=1,
        radius=4.2,
        shape="flag",
        min_zoom=12.5,
        label_zoom=15.5,
        label_rank=22,
    ),
    emergency=Look(
        order=56,
        stroke=NIGHT,
        weight=1,
        fill=CHALK_SOFT,
        fill_opacity=1,
        radius=4.2,
        shape="flag",
        min_zoom=12,
        label_zoom=15,
        label_rank=35,
    ),
)

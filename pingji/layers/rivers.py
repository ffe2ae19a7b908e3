"""Rivers and lakes 河流."""

from pingji.layers.base import CODE, NAME, Field, Layer, Look
from pingji.layers.palette import WATER, WATER_NIGHT

KINDS = {"river": 2.4, "stream": 1.3, "lake": 1.0}
FIRST_ZOOMS = {"stream": 10.5}

LAYER = Layer(
    name="rivers",
    geometry="line",
    fields=(
        NAME,
        CODE,
        Field("kind", "choice", "public", choices=("river", "stream", "lake")),
        Field("width_m", "number", "public"),
    ),
    routine=Look(
        order=20,
        stroke=WATER,
        weight=2,
        fill="#C3D8E3",
        fill_opacity=1,
        sort_by="kind",
        weights=KINDS,
        zooms=FIRST_ZOOMS,
        label_zoom=11,
        label_rank=20,
    ),
    emergency=Look(
        order=20,
        stroke=WATER_NIGHT,
        weight=2.4,
        fill="#1B3446",
        fill_opacity=1,
        sort_by="kind",
        weights=KINDS,
        zooms=FIRST_ZOOMS,
        label_zoom=11,
        label_rank=30,
    ),
)

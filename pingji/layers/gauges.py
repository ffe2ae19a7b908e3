"""Rain and water-level gauges 雨量/水位站."""

from pingji.layers.base import CODE, NAME, ZONE, Field, Layer, Look

LAYER = Layer(
    name="gauges",
    geometry="point",
    fields=(
        NAME,
        CODE,
        Field("kind", "choice", "public", choices=("rain", "level")),
        Field("river", "reference", "public", refers="rivers"),
        ZONE,
        Field("thresholds", "thresholds", "public"),
    ),
    routine=Look(
        order=60,
        stroke="#FFFFFF",
        weight=1,
        fill="#4F7F9C",
        fill_opacity=1,
        radius=4.4,
        shape="triangle",
        min_zoom=11,
        label_zoom=14,
        label_rank=18,
    ),
    emergency=Look(
        order=68,
        stroke="#0D131A",
        weight=1,
        fill="#7FB2D1",
        fill_opacity=1,
        radius=4.8,
        shape="triangle",
        min_zoom=9.5,
        label_zoom=13,
        label_rank=60,
    ),
)

"""Roads 道路 and whether one can pass them."""

from pingji.layers.base import CODE, NAME, Field, Layer, Look
from pingji.layers.palette import UNLOCATED

WIDTHS = {"national": 2.2, "county": 1.6, "township": 1.1, "village": 0.8, "street": 0.8}
FIRST_ZOOMS = {"township": 10.5, "village": 12.5, "street": 13}

LAYER = Layer(
    name="roads",
    geometry="line",
    fields=(
        NAME,
        CODE,
        Field("kind", "choice", "public", choices=("national", "county", "township", "village", "street")),
        Field("passability", "choice", "public", choices=("open", "closed", "flooded")),
    ),
    routine=Look(
        order=24,
        stroke="#C9C4B6",
        weight=1,
        sort_by="kind",
        weights=WIDTHS,
        zooms=FIRST_ZOOMS,
        label_zoom=13.5,
        label_rank=12,
    ),
    emergency=Look(
        order=26,
        stroke="#6F8092",
        weight=1.2,
        colour_by="passability",
        colours={"": "#6F8092", "open": "#6F8092", "closed": UNLOCATED, "flooded": UNLOCATED},
        sort_by="kind",
        weights=WIDTHS,
        zooms=FIRST_ZOOMS,
        label_zoom=13,
        label_rank=25,
    ),
)

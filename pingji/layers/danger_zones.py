"""Flash-flood danger zones 山洪灾害危险区, in the three grades whose colours the field has fixed."""

from pingji.layers.base import CODE, COMMUNITY, NAME, TOWNSHIP, TRANSFER_POINT, Field, Layer, Look, person
from pingji.layers.palette import GRADES

LAYER = Layer(
    name="danger_zones",
    geometry="polygon",
    fields=(
        NAME,
        CODE,
        Field("grade", "choice", "public", choices=("danger", "high", "extreme")),
        TOWNSHIP,
        COMMUNITY,
        Field("river", "reference", "public", refers="rivers"),
        Field("household_count", "number", "public"),
        Field("resident_count", "number", "public"),
        Field("thresholds", "thresholds", "public"),
        Field("route", audience="public"),
        TRANSFER_POINT,
        Field("backup_transfer_point", "reference", "public", refers="transfer_points"),
        *person("county_holder"),
        *person("township_holder"),
        *person("village_holder"),
    ),
    routine=Look(
        order=38,
        stroke="#6B665A",
        weight=0.8,
        fill_opacity=0.28,
        hatch=True,
        colour_by="grade",
        colours=GRADES,
        dash="4 3",
        label_zoom=13,
        label_rank=45,
    ),
    emergency=Look(
        order=50,
        stroke="#FFFFFF",
        weight=2,
        fill_opacity=0.3,
        hatch=True,
        colour_by="grade",
        colours=GRADES,
        label_zoom=9,
        label_rank=95,
        live="sheet",
    ),
)

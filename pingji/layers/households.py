"""Households 户: registered, resident and present persons kept apart, with escort, deputy and destination."""

from pingji.layers.base import (
    CODE,
    COMMUNITY,
    GRID,
    SHELTER,
    TRANSFER_POINT,
    ZONE,
    Field,
    Layer,
    Look,
    person,
)
from pingji.layers.palette import CHALK, INK, PAPER

VULNERABILITY = ("elderly", "child", "pregnant", "critical", "disabled")

LAYER = Layer(
    name="households",
    geometry="point",
    fields=(
        Field("name", "person"),
        CODE,
        Field("door"),
        Field("phone", "phone"),
        Field("registered", "number"),
        Field("residents", "number"),
        Field("present", "number"),
        Field("vulnerability", "flags", choices=VULNERABILITY),
        *person("escort"),
        *person("escort_deputy"),
        TRANSFER_POINT,
        SHELTER,
        ZONE,
        COMMUNITY,
        GRID,
        Field("building", "reference", refers="buildings"),
    ),
    routine=Look(
        shown=False,
        order=62,
        stroke=INK,
        weight=1,
        fill=PAPER,
        fill_opacity=1,
        radius=2.6,
        min_zoom=15.5,
        label_zoom=18,
        label_rank=5,
    ),
    emergency=Look(
        order=62,
        stroke=CHALK,
        weight=1.2,
        fill="#0D131A",
        fill_opacity=1,
        radius=2.8,
        min_zoom=15.5,
        label_zoom=18,
        label_rank=5,
    ),
    by_box=True,
    audience="staff",
)

"""Communities and administrative villages 社区/村: the ground that grids partition."""

from pingji.layers.base import CODE, NAME, TOWNSHIP, Field, Layer, Look, person

LAYER = Layer(
    name="communities",
    geometry="polygon",
    fields=(
        NAME,
        CODE,
        Field("kind", "choice", "public", choices=("community", "village")),
        TOWNSHIP,
        Field("committee", audience="public"),
        *person("secretary"),
        *person("first_secretary"),
    ),
    routine=Look(
        order=10,
        stroke="#7C776A",
        weight=1.6,
        fill="#FBF9F4",
        fill_opacity=1.0,
        colour_by="kind",
        colours={"community": "#DDE6EA", "village": "#FBF9F4"},
        label_zoom=9.5,
        label_rank=60,
    ),
    emergency=Look(
        order=10, stroke="#3D4B59", weight=0.8, fill="#131C26", fill_opacity=1.0, label_zoom=11, label_rank=10
    ),
)

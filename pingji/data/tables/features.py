"""Tables of the map's layers and of the areas (county, townships) above them.

Columns that are marked *derived* are filled by `data.derive` from geometry after every import, never by hand.
"""

from sqlalchemy import BigInteger, Boolean, Column, Date, Float, Index, Table, false

from pingji.data.tables.base import layer_table, mapping, number, sealed, text

# level: county | township. `parent` is the county's code for a township.
area = layer_table("area", "MULTIPOLYGON", text("level", required=True), text("parent"))

communities = layer_table(
    "communities",
    "MULTIPOLYGON",
    text("township", index=True),
    text("kind"),  # community 社区 | village 行政村
    text("committee"),  # joint Party committee 联合党委, empty where there is none
    sealed("communities.secretary"),
    sealed("communities.secretary_phone"),
    sealed("communities.first_secretary"),
    sealed("communities.first_secretary_phone"),
)

grids = layer_table(
    "grids",
    "MULTIPOLYGON",
    text("community", index=True),
    sealed("grids.leader"),
    sealed("grids.leader_phone"),
    sealed("grids.deputy"),
    sealed("grids.deputy_phone"),
    number("household_count"),  # derived
    number("resident_count"),  # derived
    Column("valid_from", Date),
    Column("valid_to", Date),
    Column("began_at", BigInteger, nullable=False, server_default="0"),  # of this version; 0: as long as anybody knows
    text("reason"),
    text("change_set"),  # that began this version; empty where it was imported
)

buildings = layer_table(
    "buildings",
    "GEOMETRY",
    text("community"),
    text("grid"),  # derived
    sealed("buildings.head"),
    sealed("buildings.head_phone"),
    sealed("buildings.deputy"),
    sealed("buildings.deputy_phone"),
    number("units"),
    number("floors"),
)

households = layer_table(
    "households",
    "POINT",
    text("community"),  # derived where empty
    text("township"),  # derived where empty
    text("grid"),  # derived
    text("zone"),  # derived: the danger zone of the highest grade that it lies in
    text("building"),
    text("door"),
    sealed("households.phone"),
    number("registered"),
    number("residents"),
    number("present"),
    text("vulnerability"),  # space-separated flags: elderly child pregnant critical disabled
    sealed("households.escort"),
    sealed("households.escort_phone"),
    sealed("households.escort_deputy"),
    sealed("households.escort_deputy_phone"),
    text("transfer_point"),
    text("shelter"),
    Index("ix_households_county_grid", "county", "grid"),
    Index("ix_households_county_zone", "county", "zone"),
    Index("ix_households_county_community", "county", "community"),
    of_person=True,
)

party_households = layer_table(
    "party_households",
    "POINT",
    text("community"),
    text("grid"),  # derived
    text("household"),
    sealed("party_households.phone"),
    of_person=True,
)

danger_zones = layer_table(
    "danger_zones",
    "MULTIPOLYGON",
    text("grade", required=True),  # danger 危险 | high 高危险 | extreme 极高危险
    text("community"),
    text("township"),
    text("river"),
    mapping("thresholds"),  # {"1": [prepare_mm, immediate_mm], ...} by period in hours
    text("route"),
    text("transfer_point"),
    text("backup_transfer_point"),
    sealed("danger_zones.county_holder"),
    sealed("danger_zones.county_holder_phone"),
    sealed("danger_zones.township_holder"),
    sealed("danger_zones.township_holder_phone"),
    sealed("danger_zones.village_holder"),
    sealed("danger_zones.village_holder_phone"),
    number("household_count"),  # derived
    number("resident_count"),  # derived
)

institutions = layer_table(
    "institutions",
    "POINT",
    text("kind", required=True),  # care_home | school | site | hotel | hospital
    text("community"),  # derived where empty
    text("township"),  # derived where empty
    text("grid"),  # derived
    text("zone"),  # derived, independently of the household lists
    number("head_count"),
    number("immobile_count"),
    sealed("institutions.contact"),
    sealed("institutions.phone"),
    text("transfer_point"),
    text("shelter"),
)

transfer_points = layer_table(
    "transfer_points",
    "POINT",
    text("community"),
    text("township"),
    number("capacity"),
    sealed("place.contact"),
    sealed("place.phone"),
)

shelters = layer_table(
    "shelters",
    "GEOMETRY",
    text("community"),
    text("township"),
    text("category"),  # class of GB 51143: temporary | short | long
    text("address"),
    Column("usable_area_m2", Float, nullable=False, server_default="0"),
    Column("standard_m2", Float, nullable=False, server_default="3.5"),  # m² per person that capacity was made with
    number("capacity"),
    Column("floor_elevation_m", Float),
    Column("in_hazard", Boolean, nullable=False, server_default=false()),  # derived
    Column("medical", Boolean, nullable=False, server_default=false()),
    Column("food", Boolean, nullable=False, server_default=false()),
    Column("step_free", Boolean, nullable=False, server_default=false()),
    sealed("place.contact"),
    sealed("place.phone"),
)

rivers = layer_table("rivers", "GEOMETRY", text("kind"), Column("width_m", Float))

roads = layer_table(
    "roads",
    "MULTILINESTRING",
    text("kind"),  # national | county | township | village | street
    text("passability"),  # open | closed | flooded; empty = open
    text("from_node"),
    text("to_node"),
)

gauges = layer_table("gauges", "POINT", text("kind", required=True), text("river"), text("zone"), mapping("thresholds"))

posts = layer_table(
    "posts",
    "POINT",
    text("kind", required=True),  # checkpoint 卡口 | vanguard 先锋岗 | station 驿站
    text("community"),
    sealed("posts.holder"),
    sealed("posts.holder_phone"),
    sealed("posts.deputy"),
    sealed("posts.deputy_phone"),
    text("shift"),
)

LAYER_TABLES: dict[str, Table] = {
    str(t.name): t
    for t in (
        communities,
        grids,
        buildings,
        households,
        party_households,
        danger_zones,
        institutions,
        transfer_points,
        shelters,
        rivers,
        roads,
        gauges,
        posts,
    )
}

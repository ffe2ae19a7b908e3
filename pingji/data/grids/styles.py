"""The look that exported grids have in QGIS: one style file, inside of a GeoPackage and beside a Shapefile."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

_STYLE = Path(__file__).with_name("grids.qml")
_NAME = "pingji"

# The table that QGIS itself makes when a style is saved into a GeoPackage.
_TABLE = """
CREATE TABLE layer_styles (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    f_table_catalog TEXT(256),
    f_table_schema TEXT(256),
    f_table_name TEXT(256),
    f_geometry_column TEXT(256),
    styleName TEXT(30),
    styleQML TEXT,
    styleSLD TEXT,
    useAsDefault BOOLEAN,
    description TEXT,
    owner TEXT(30),
    ui TEXT(30),
    update_time DATETIME DEFAULT CURRENT_TIMESTAMP
)
"""
_CONTENTS = """
INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change, srs_id)
VALUES ('layer_styles', 'attributes', 'layer_styles', '', ?, 0)
"""
_ROW = """
INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName, styleQML,
                          styleSLD, useAsDefault, description, owner, update_time)
VALUES ('', '', ?, ?, ?, ?, '', 1, '', '', ?)
"""


def style() -> str:
    """The style as QGIS reads it."""
    return _STYLE.read_text(encoding="utf-8")


def put_beside(path: Path) -> Path:
    """Write the style beside a file, under its name: QGIS takes it up when the file is opened."""
    beside = path.with_suffix(".qml")
    beside.write_text(style(), encoding="utf-8")
    return beside


def embed(path: Path, layer: str) -> None:
    """Write the style into a GeoPackage, as the default of one of its layers."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    with closing(sqlite3.connect(path)) as file, file:
        column = "SELECT column_name FROM gpkg_geometry_columns WHERE table_name = ?"
        (geometry,) = file.execute(column, (layer,)).fetchone()
        file.execute(_TABLE)
        file.execute(_CONTENTS, (now,))
        file.execute(_ROW, (layer, geometry, _NAME, style(), now))

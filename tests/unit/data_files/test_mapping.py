"""Mappings: templates, translations, filters, and mistakes that are named."""

from pathlib import Path

import pytest

from pingji.data.errors import BadMapping, MissingColumn
from pingji.data.files.aliases import aliases
from pingji.data.files.mapping import load_mapping, require_fields
from pingji.data.tables import LAYER_TABLES


def write(tmp_path: Path, text: str) -> str:
    path = tmp_path / "m.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_templates_pad_cut_and_count(tmp_path: Path) -> None:
    name = write(
        tmp_path,
        """
        [layers.grids]
        drop = { KIND = ["water*"] }
        [layers.grids.columns]
        code = "22{TRACT:0>6}{row:03d}"
        community = "{GEOID:.5}"
        name = "{NAME}"
        leader = "nobody"
        [layers.grids.translate.name]
        "<Null>" = ""
        """,
    )
    grids = load_mapping(name).layers["grids"]
    fields = {"TRACT": 12.0, "GEOID": "1234567", "NAME": "<Null>", "KIND": "land"}
    values = grids.values(fields, 7)
    assert values == {"code": "22000012007", "community": "12345", "name": "", "leader": "nobody"}
    assert grids.passes(fields)
    assert not grids.passes({**fields, "KIND": "waterway"})
    with pytest.raises(MissingColumn) as caught:
        require_fields(grids, ("TRACT", "NAME", "KIND"), "a.shp")
    assert caught.value.params["field"] == "GEOID"


@pytest.mark.parametrize(
    "text",
    [
        "not toml",
        "[layers.grids.columns]\nno_such_column = 'x'",
        "[layers.grids]\nno_such_key = 1",
        "[layers.grids]\nskip = ['everything']",
        "[layers.grids.columns]\ncode = '{0.__class__}'",
        "[layers.grids.columns]\ncode = '{unclosed'",
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadMapping):
        load_mapping(write(tmp_path, text))


def test_an_unknown_mapping_tells_which_there_are() -> None:
    with pytest.raises(BadMapping) as caught:
        load_mapping("atlantis")
    assert "cambridge" in str(caught.value.params["value"])


def test_aliases_name_real_columns() -> None:
    columns = {column.name for table in LAYER_TABLES.values() for column in table.c} | {"lon", "lat", "wkt"}
    assert set(aliases().columns) <= columns
    assert aliases().column("capacity", ["NAME", "Capacity"]) == "Capacity"

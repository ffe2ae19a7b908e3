import json

import pytest

from pingji.dashboard.texts import LANGUAGES, catalogue, t
from pingji.data.tables.features import LAYER_TABLES
from pingji.layers.base import Layer, Look
from pingji.layers.catalog import LAYERS, UnknownLayer, by_name, describe
from pingji.layers.palette import GRADES

WARM = {colour.upper() for colour in GRADES.values()}


def looks(layer: Layer) -> tuple[Look, Look]:
    return layer.routine, layer.emergency


def test_every_table_of_the_map_is_one_layer() -> None:
    assert {layer.name for layer in LAYERS} == set(LAYER_TABLES)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_fields_and_styled_columns_exist_in_the_table(layer: Layer) -> None:
    columns = set(LAYER_TABLES[layer.name].columns.keys())
    named = {field.column for field in layer.fields}
    for look in looks(layer):
        named |= {column for column in (look.colour_by, look.sort_by) if column}
    assert named <= columns


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_every_title_field_and_choice_has_a_text(layer: Layer, language: str) -> None:
    texts = catalogue(language)
    keys = {f"layer.{layer.name}.title"} | {f"field.{field.column}" for field in layer.fields}
    keys |= {f"choice.{layer.name}.{f.column}.{value}" for f in layer.fields for value in f.choices}
    assert keys <= set(texts)
    assert all(texts[key].strip() for key in keys)


def test_nothing_but_danger_grades_is_yellow_orange_or_red() -> None:
    for layer in LAYERS:
        for look in looks(layer):
            used = {colour.upper() for colour in (look.stroke, look.fill, *look.colours.values())}
            assert layer.name == "danger_zones" or not used & WARM


def test_routine_and_emergency_are_not_a_colour_swap() -> None:
    routine = [layer.name for layer in sorted(LAYERS, key=lambda one: one.routine.order) if layer.routine.shown]
    emergency = [layer.name for layer in sorted(LAYERS, key=lambda one: one.emergency.order) if layer.emergency.shown]
    assert routine != emergency
    assert by_name("grids").emergency.weight < by_name("grids").routine.weight
    assert by_name("danger_zones").emergency.order > by_name("grids").emergency.order


def test_layers_of_people_are_asked_for_by_box_and_stay_off_the_wall() -> None:
    for name in ("households", "buildings"):
        assert by_name(name).by_box
        assert all(look.min_zoom >= 15 for look in looks(by_name(name)))
    public = {one["name"] for one in describe(LAYERS, lambda key: key, "public")}
    assert public == {layer.name for layer in LAYERS} - {"households", "party_households"}


def test_description_is_json_and_holds_no_personal_field_for_the_public() -> None:
    described = describe(LAYERS, lambda key: t(key, "en"), "public")
    assert json.loads(json.dumps(described)) == described
    kinds = {
        field["kind"]
        for one in described
        for field in one["fields"]  # type: ignore[attr-defined]
    }
    assert not kinds & {"person", "phone"}


def test_unknown_layer_is_named() -> None:
    with pytest.raises(UnknownLayer, match="volcanoes"):
        by_name("volcanoes")

"""The list of layers, found by looking into this package: a layer is one module here with a `LAYER`."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from importlib import import_module
from pkgutil import iter_modules

import pingji.layers
from pingji.layers.base import Audience, Field, Layer
from pingji.layers.masking import visible_fields


def _find() -> tuple[Layer, ...]:
    modules = (
        import_module(f"pingji.layers.{found.name}")
        for found in iter_modules(pingji.layers.__path__)
        if found.name != "catalog"
    )
    layers = (layer for module in modules if isinstance(layer := getattr(module, "LAYER", None), Layer))
    return tuple(sorted(layers, key=lambda layer: layer.routine.order))


LAYERS: tuple[Layer, ...] = _find()


class UnknownLayer(KeyError):
    """A layer name that no module has."""


def by_name(name: str) -> Layer:
    """The layer called `name`.

    Raises
    ------
    UnknownLayer
        Where there is no such layer.

    Examples
    --------
    >>> by_name("grids").geometry
    'polygon'
    """
    for layer in LAYERS:
        if layer.name == name:
            return layer
    raise UnknownLayer(name)


def describe(
    layers: Iterable[Layer], text: Callable[[str], str], audience: Audience = "staff"
) -> list[dict[str, object]]:
    """What a browser needs to draw the layers, as JSON-ready objects in drawing order.

    Parameters
    ----------
    layers : the layers, of which those that `audience` may see come back
    text : text key → text in the reader's language
    audience : who looks

    Returns
    -------
    list of dict
        `name`, `title`, `geometry`, `by_box`, the two looks as `routine` and `emergency`, and `fields`, each with
        `column`, `label`, `kind`, `refers` and `choices` (value → text).
    """
    return [
        {
            "name": layer.name,
            "title": text(f"layer.{layer.name}.title"),
            "geometry": layer.geometry,
            "by_box": layer.by_box,
            "routine": asdict(layer.routine),
            "emergency": asdict(layer.emergency),
            "fields": [_describe_field(layer, field, text) for field in visible_fields(layer, audience)],
        }
        for layer in layers
        if audience == "staff" or layer.audience == "public"
    ]


def _describe_field(layer: Layer, field: Field, text: Callable[[str], str]) -> dict[str, object]:
    return {
        "column": field.column,
        "label": text(f"field.{field.column}"),
        "kind": field.kind,
        "refers": field.refers,
        "choices": {value: text(f"choice.{layer.name}.{field.column}.{value}") for value in field.choices},
    }

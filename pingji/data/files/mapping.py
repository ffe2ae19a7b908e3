"""Mappings: TOML files that say which source fields become which of our columns."""

import fnmatch
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Formatter
from typing import Any, Literal

from pingji.data.errors import BadMapping, MissingColumn, UnknownMapping
from pingji.data.features import table_of

Skip = Literal["no_geometry", "no_code", "duplicate", "outside_county", "broken_geometry", "wrong_geometry"]
Conversion = Literal["", "centroid", "inside", "boundary", "polygonize"]

_FOLDER = Path(__file__).with_name("mappings")
_SKIPS = {"no_geometry", "no_code", "duplicate", "outside_county", "broken_geometry", "wrong_geometry"}
_CONVERSIONS = {"", "centroid", "inside", "boundary", "polygonize"}
_ROW = "row"  # the row's number, for sources without any identifier


@dataclass(frozen=True, slots=True)
class LayerMapping:
    """How the rows of a file become rows of one layer.

    `columns` are templates over source fields, `"{GEOID10:.11}"`, or constants; `translate` turns a finished value into
    ours by patterns, first match first; `keep` and `drop` filter rows by patterns; `dissolve` unites rows of one code.
    `source` is stored beside the file's name with every row: what whoever reads the figures has to know.
    """

    columns: Mapping[str, str]
    translate: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    keep: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    drop: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dissolve: bool = False
    geometry: Conversion = ""
    skip: frozenset[str] = frozenset()
    source: str = ""

    def fields(self) -> set[str]:
        """The source fields that it needs."""
        used = {name for text in self.columns.values() for name in template_fields(text)}
        return (used | set(self.keep) | set(self.drop)) - {_ROW}

    def header(self, column: str) -> str:
        """What the file itself calls a column of ours, so that whoever mends the file finds it; ours where it has none.

        >>> LayerMapping({"capacity": "{ROOM}", "code": "S{row}"}).header("capacity")
        'ROOM'
        """
        named = template_fields(self.columns.get(column, ""))
        return named[0] if len(named) == 1 and named[0] != _ROW else column

    def passes(self, fields: Mapping[str, object]) -> bool:
        """Whether a row is wanted."""
        kept = all(_matches(fields.get(name), patterns) for name, patterns in self.keep.items())
        return kept and not any(_matches(fields.get(name), patterns) for name, patterns in self.drop.items())

    def values(self, fields: Mapping[str, object], row: int) -> dict[str, object]:
        """Our columns of a row; a template of one bare field keeps that field's type."""
        texts = {name: as_text(value) for name, value in fields.items()} | {_ROW: row}
        out: dict[str, object] = {}
        for column, template in self.columns.items():
            bare = template[1:-1] if template.startswith("{") and template.endswith("}") else ""
            value: object = fields[bare] if bare in fields else template.format_map(texts)
            for pattern, meant in self.translate.get(column, {}).items():
                if fnmatch.fnmatchcase(as_text(value), pattern):
                    value = meant
                    break
            out[column] = value
        return out


@dataclass(frozen=True, slots=True)
class FileMapping:
    """A whole mapping file: the county it is for, where it says so, and its layers."""

    name: str
    county: str = ""
    county_name: str = ""
    layers: Mapping[str, LayerMapping] = field(default_factory=dict)


def load_mapping(name: str) -> FileMapping:
    """A mapping by the name of one that is shipped (`cambridge`) or by the path of a TOML file.

    Raises
    ------
    UnknownMapping, BadMapping
    """
    shipped = _FOLDER / f"{name}.toml"
    path = shipped if shipped.is_file() and "/" not in name else Path(name)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        known = ", ".join(sorted(file.stem for file in _FOLDER.glob("*.toml")))
        raise UnknownMapping(file=name, value=known) from error
    except (tomllib.TOMLDecodeError, UnicodeError) as error:
        raise BadMapping(file=name, value=str(error)) from error
    county = table.get("county", {})
    layers = {layer: _layer(name, layer, entry) for layer, entry in table.get("layers", {}).items()}
    return FileMapping(name, str(county.get("code", "")), str(county.get("name", "")), layers)


def require_fields(mapping: LayerMapping, names: tuple[str, ...], file: str) -> None:
    """Refuse a file that lacks a field which the mapping needs.

    Raises
    ------
    MissingColumn
    """
    for missing in sorted(mapping.fields() - set(names)):
        raise MissingColumn(file=file, field=missing, value=", ".join(names))


def template_fields(template: str) -> list[str]:
    """The fields that a template names.

    >>> template_fields("{STATE}-{TRACT:0>6}")
    ['STATE', 'TRACT']
    """
    return [name for _, name, _, _ in Formatter().parse(template) if name]


def as_text(value: object) -> str:
    """A field's value as text: nothing is empty, and 1094.0 is a number somebody's tool widened.

    >>> as_text(None), as_text(1094.0), as_text(" x ")
    ('', '1094', 'x')
    """
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _layer(file: str, layer: str, entry: Mapping[str, Any]) -> LayerMapping:
    where = f"layers.{layer}"
    known = {"columns", "translate", "keep", "drop", "dissolve", "geometry", "skip", "source"}
    for key in set(entry) - known:
        raise BadMapping(file=file, field=f"{where}.{key}", value=", ".join(sorted(known)))
    columns = {name: str(template) for name, template in entry.get("columns", {}).items()}
    allowed = set(table_of(layer).c.keys()) - {"id", "county", "geom", "revision", "source"}
    for name in set(columns) - allowed:
        raise BadMapping(file=file, field=f"{where}.columns.{name}", value=", ".join(sorted(allowed)))
    for name, template in columns.items():
        try:
            bad = [part for part in template_fields(template) if not part.isidentifier()]
        except ValueError:
            bad = [template]
        if bad:
            raise BadMapping(file=file, field=f"{where}.columns.{name}", value=bad[0])
    if not set(entry.get("skip", ())) <= _SKIPS or entry.get("geometry", "") not in _CONVERSIONS:
        raise BadMapping(file=file, field=f"{where}.skip", value=", ".join(sorted(_SKIPS | _CONVERSIONS - {""})))
    return LayerMapping(
        columns,
        entry.get("translate", {}),
        {name: tuple(patterns) for name, patterns in entry.get("keep", {}).items()},
        {name: tuple(patterns) for name, patterns in entry.get("drop", {}).items()},
        bool(entry.get("dissolve", False)),
        entry.get("geometry", ""),
        frozenset(entry.get("skip", ())),
        str(entry.get("source", "")),
    )


def _matches(value: object, patterns: tuple[str, ...]) -> bool:
    text = as_text(value)
    return any(fnmatch.fnmatchcase(text, pattern) for pattern in patterns)

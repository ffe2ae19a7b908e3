"""How a command says what went wrong."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from pingji.dashboard.texts import UnknownText, catalogue, t
from pingji.data.errors import BrokenGeometry, DataError

_REASONS = {
    "self-intersection": "crosses_itself",
    "too few points": "too_few_points",
    "at least": "too_few_points",
    "points of linearring do not form": "not_closed",
    "hole": "hole_outside",
    "nested": "hole_outside",
    "duplicate rings": "hole_outside",
    "disconnected": "crosses_itself",
    "coordinate": "no_number",
}


def error_text(error: DataError, language: str) -> str:
    """The text of an error; its key is the name of its class, below `error` or `problem`."""
    key = error_key(error)
    try:
        said = in_words(error.params, language)
        if isinstance(error, BrokenGeometry):
            said["value"] = _reason(str(said["value"]), language)
        return t(f"error.{key}", language, **said, where=_where(said, language))
    except UnknownText:
        return t(f"problem.{key}.detail", language, **error.params)


def in_words(params: Mapping[str, object], language: str) -> dict[str, object]:
    """Values for a text, with layers and fields named as people name them.

    >>> in_words({"layer": "grids", "field": "leader", "n": 3}, "en")["layer"]
    'Grids'
    """
    known = catalogue(language)
    words = {"layer": "layer.{}.title", "field": "field.{}", "fields": "field.{}"}
    out = dict(params)
    for name in words.keys() & params.keys():
        parts = [part.strip() for part in str(params[name]).split(",")]
        out[name] = ", ".join(known.get(words[name].format(part), part) for part in parts)
    return out


def _where(params: Mapping[str, object], language: str) -> str:
    """Row and field, as far as they are known, to follow the name of a file."""
    known = "_".join(name for name in ("row", "field") if params.get(name))
    return " " + t(f"files.where.{known}", language, **params) if known else ""


def _reason(geos: str, language: str) -> str:
    """What is wrong with a ring, in words; GEOS says it in English, with the place in brackets."""
    place = f" {geos[geos.index('[') :]}" if "[" in geos else ""
    found = [key for words, key in _REASONS.items() if words.lower() in geos.lower()]
    return t(f"files.broken.{found[0]}", language) + place if found else geos


def error_key(error: DataError) -> str:
    """The key of an error's text.

    >>> from pingji.data.errors import NoCode
    >>> error_key(NoCode(file="a.csv"))
    'no_code'
    """
    name = type(error).__name__
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


def fail(error: DataError, language: str, *, hint: str = "") -> NoReturn:
    """Say what went wrong on stderr and leave with 2."""
    console = Console(stderr=True)
    console.print(f"[red]{escape(error_text(error, language))}[/red]")
    if hint:
        console.print(t(hint, language))
    raise typer.Exit(2) from error


@contextmanager
def readable_problems(language: str) -> Iterator[None]:
    """Whatever the store refuses in this block is said in the user's language, with status 2."""
    try:
        yield
    except DataError as error:
        fail(error, language)

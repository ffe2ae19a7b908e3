"""How a command says what went wrong."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from pingji.dashboard.texts import UnknownText, catalogue, t
from pingji.data.errors import DataError


def error_text(error: DataError, language: str) -> str:
    """The text of an error; its key is the name of its class, below `error` or `problem`."""
    key = error_key(error)
    try:
        said = in_words(error.params, language)
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
    known = [t(f"files.where.{name}", language, **params) for name in ("row", "field") if params.get(name)]
    return " " + ", ".join(known) if known else ""


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

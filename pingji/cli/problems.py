"""How a command says what went wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from pingji.dashboard.texts import UnknownText, t
from pingji.data.errors import DataError


def error_text(error: DataError, language: str) -> str:
    """The text of an error; its key is the name of its class, below `error` or `problem`."""
    key = error_key(error)
    try:
        return t(f"error.{key}", language, **error.params)
    except UnknownText:
        return t(f"problem.{key}.detail", language, **error.params)


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

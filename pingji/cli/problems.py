"""How a command says what went wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from pingji.dashboard.file_texts import error_key, error_text, in_words
from pingji.dashboard.texts import t
from pingji.data.errors import DataError

__all__ = ["error_key", "error_text", "fail", "in_words", "readable_problems"]


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

"""What every command prints through: texts of the user's language."""

from typing import NoReturn

import typer
from rich.console import Console

from pingji.dashboard.texts import t

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def say(key: str, language: str, **params: object) -> None:
    """Print one text."""
    out.print(t(key, language, **params))


def fail(key: str, language: str, **params: object) -> NoReturn:
    """Print what is wrong and what to do, and leave with status 1."""
    err.print(t(key, language, **params), style="red")
    raise typer.Exit(1)

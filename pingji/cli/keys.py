"""`pingji keys status|rotate`: what the personal data in the store is sealed with."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table
from sqlalchemy import Engine

from pingji.cli.console import out, say
from pingji.cli.problems import readable_problems
from pingji.dashboard.texts import t
from pingji.data import schema
from pingji.data.engine import open_engine
from pingji.data.sealing import keys_of
from pingji.data.sealing.reseal import seal_open
from pingji.data.sealing.rotation import held_keys
from pingji.data.sealing.rotation import rotate as rotate_keys
from pingji.data.sealing.settling import ensure_key
from pingji.settings import Settings

app = typer.Typer(help="Keys of the personal data in the store.", no_args_is_help=True)
Yes = Annotated[bool, typer.Option("--yes", help="Ask nothing.")]


def prepare(engine: Engine, language: str) -> None:
    """See to it that a store has a key and that nothing personal in it is open; say what that took."""
    if ensure_key(engine):
        say("keys.cli.made", language, file=keys_of(engine).where)
    rows = seal_open(engine)
    if rows:
        say("keys.cli.sealed", language, n=rows)


@app.command()
def status() -> None:
    """Show which keys the store is sealed with, whether they are at hand, and what isn't sealed."""
    settings = Settings()
    language = settings.language
    with readable_problems(language):
        engine = open_engine(settings.database_url)
        schema.require_current(engine)
        held, plain = held_keys(engine)
        where = keys_of(engine).where
        engine.dispose()
    table = Table(*(t(f"keys.cli.column.{name}", language) for name in ("id", "use", "at_hand", "values", "since")))
    for key in held:
        use = t("keys.cli.in_use" if key.in_use else "keys.cli.old", language)
        at_hand = t("keys.cli.yes" if key.at_hand else "keys.cli.no", language)
        day = datetime.fromtimestamp(key.made_at / 1e6, UTC).date().isoformat()
        table.add_row(key.id, use, at_hand, f"{key.values:,}", day)
    out.print(table)
    say("keys.cli.where", language, file=where)
    if plain:
        say("keys.cli.open", language, n=plain)


@app.command()
def rotate(yes: Yes = False) -> None:
    """Seal everything with a new key while the store is in use; after an interruption, run it again."""
    settings = Settings()
    language = settings.language
    if not yes:
        typer.confirm(t("keys.cli.backups_first", language), abort=True)
    with readable_problems(language):
        engine = open_engine(settings.database_url)
        schema.require_current(engine)
        with out.status(t("keys.cli.rotating", language)):
            done = rotate_keys(engine)
        in_file = keys_of(engine).file is not None
        engine.dispose()
    say("keys.cli.rotated", language, id=done.key, n=done.rows, old=", ".join(done.removed))
    if not in_file:
        say("keys.cli.environment", language)

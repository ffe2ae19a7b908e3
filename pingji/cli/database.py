"""`pingji db upgrade|backup|restore`."""

from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine

from pingji.cli.console import say
from pingji.cli.keys import prepare
from pingji.cli.problems import readable_problems
from pingji.data import audit, schema
from pingji.data import backup as backups
from pingji.data.audit.verify import head_of
from pingji.data.engine import open_engine, reading, writing
from pingji.data.health import mark_backup
from pingji.data.sealing import keys_of
from pingji.settings import Settings

app = typer.Typer(help="The store: tables, backup, restore.", no_args_is_help=True)
File = Annotated[Path, typer.Argument(help="The backup's file.")]


@app.command()
def upgrade() -> None:
    """Bring the tables to this program's version."""
    settings = Settings()
    with readable_problems(settings.language):
        engine = open_engine(settings.database_url)
        schema.upgrade(engine)
        prepare(engine, settings.language)
        engine.dispose()
    say("cli.db.upgraded", settings.language)


@app.command()
def backup(file: File) -> None:
    """Write the whole store to one file, while it is in use."""
    settings = Settings()
    with readable_problems(settings.language):
        engine = open_engine(settings.database_url)
        backups.backup(engine, file)
        mark_backup(settings.backup_dir or file.parent, file)
        with writing(engine) as conn:
            audit.record(conn, action="backup", object=file.name)
    say("cli.db.backed_up_sealed", settings.language, file=file, keys=keys_of(engine).where)


@app.command()
def restore(file: File) -> None:
    """Put a backup in place of the store; a damaged file changes nothing."""
    settings = Settings()
    with readable_problems(settings.language):
        engine = open_engine(settings.database_url)
        before = _head(engine)
        backups.restore(file, settings.database_url)
        if schema.is_current(engine):  # a backup of an older release has to be brought up to date first
            with writing(engine) as conn:
                audit.record(conn, action="restore", object=file.name, detail={"replaced_head": before})
        engine.dispose()
    say("cli.db.restored", settings.language, file=file)


def _head(engine: Engine) -> str:
    """Where the audit ended that a restore replaces: it takes away what was added since the backup."""
    if not schema.is_current(engine):
        return ""
    with reading(engine) as conn:
        return str(head_of(conn) or "")

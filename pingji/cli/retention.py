"""`pingji retention run`: people in operations that ended long ago become unknown."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from pingji.cli.console import out, say
from pingji.cli.problems import readable_problems
from pingji.dashboard.context import Context, NoCounty, now_us
from pingji.dashboard.texts import t
from pingji.data import retention, schema
from pingji.data.engine import open_engine, reading
from pingji.data.writer import Writer
from pingji.settings import Settings

app = typer.Typer(help="How long movements of persons are kept.", no_args_is_help=True)
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would become anonymous, and when.")]


@app.callback()
def _group() -> None:
    """How long movements of persons are kept."""


@app.command()
def run(dry_run: DryRun = False) -> None:
    """Make the movements of operations that ended PINGJI_RETENTION_DAYS ago anonymous; their counts stay."""
    settings = Settings()
    language, days = settings.language, settings.retention_days
    with readable_problems(language):
        engine = open_engine(settings.database_url)
        schema.require_current(engine)
        try:
            county = Context(settings, engine, Writer(engine, on_commit=lambda: None)).county_code
        except NoCounty:
            say("retention.cli.nothing", language, days=days)
            return
        if dry_run:
            with reading(engine) as conn:
                _show(retention.schedule(conn, county, days), language, days)
            return
        done = retention.run(engine, county, now_us(), days)
        engine.dispose()
    say("retention.cli.done" if done else "retention.cli.nothing", language, n=done, days=days)


def _show(found: list[retention.Due], language: str, days: int) -> None:
    if not found:
        say("retention.cli.nothing", language, days=days)
        return
    names = ("operation", "scope", "ended", "due", "persons", "movements")
    table = Table(*(t(f"retention.cli.column.{name}", language) for name in names))
    now = now_us()
    for due in found:
        one = due.operation
        when = _day(due.at) if due.at > now else t("retention.cli.now", language)
        table.add_row(one.id, one.scope, _day(one.ended_at or 0), when, f"{due.persons:,}", f"{due.movements:,}")
    out.print(table)


def _day(at: int) -> str:
    return datetime.fromtimestamp(at / 1e6, UTC).date().isoformat()

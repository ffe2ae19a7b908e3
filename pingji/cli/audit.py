"""`pingji audit verify|anchor|list|export`: the audit for whoever may reach the store itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from hashlib import file_digest
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy import Engine

from pingji.cli.console import err, say
from pingji.cli.problems import readable_problems
from pingji.dashboard.audit_words import action_text, breach_text, outcome_text, words
from pingji.dashboard.texts import t
from pingji.data import schema
from pingji.data.audit import Entry, readers
from pingji.data.audit import search as searching
from pingji.data.audit.export import export as write_file
from pingji.data.audit.search import Wanted
from pingji.data.audit.verify import anchor_of, head_of
from pingji.data.audit.verify import verify as verify_chain
from pingji.data.engine import open_engine, reading, writing
from pingji.ops.day import end_of, local
from pingji.settings import Settings

app = typer.Typer(help="The audit: check, anchor, list, export.", no_args_is_help=True)

Since = Annotated[str | None, typer.Option(help="First day, e.g. 2026-11-22.")]
Until = Annotated[str | None, typer.Option(help="Last day.")]
Actor = Annotated[str, typer.Option(help="Who: a whole name.")]
Action = Annotated[str, typer.Option(help="What: the code of an action, e.g. names_seen.")]
Object = Annotated[str, typer.Option(help="On what: a whole code or login.")]
Words = Annotated[str, typer.Option("--text", help="Words anywhere in an entry.")]
Outcome = Annotated[str, typer.Option(help="done or refused.")]
_DAY_US = 86_400_000_000


@app.command("verify")
def verify_command(
    anchor: Annotated[str, typer.Option(help="SEQ:HASH, as `pingji audit anchor` printed it earlier.")] = "",
) -> None:
    """Check the whole chain; exits with 1 where it was tampered with."""
    with _store() as (engine, language):
        kept = anchor_of(anchor) if anchor else None
        with reading(engine) as conn:
            verdict = verify_chain(conn, kept)
        if verdict.breach is not None:
            err.print(t("cli.audit.broken", language, what=breach_text(verdict.breach, language)), style="red")
            err.print(t("cli.audit.advice", language))
        elif kept is None:
            say("cli.audit.whole", language, n=verdict.entries, head=verdict.head)
        else:
            say("cli.audit.whole_anchored", language, n=verdict.entries, head=verdict.head, anchor=kept)
        readers.tell_check(engine, verdict, kept)
    if not verdict.whole:
        raise typer.Exit(1)


@app.command("anchor")
def anchor_command() -> None:
    """Print where the chain ends, to be kept where nobody who can write the store can reach it."""
    with _store() as (engine, language):
        with reading(engine) as conn:
            head = head_of(conn)
        if head is None:
            err.print(t("cli.audit.broken", language, what=t("audit.breach.head", language, seq="?", until="?")))
            raise typer.Exit(1)
        typer.echo(str(head))


@app.command("list")
def list_command(
    since: Since = None,
    until: Until = None,
    actor: Actor = "",
    action: Action = "",
    object: Object = "",
    text: Words = "",
    outcome: Outcome = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many, the newest.")] = 50,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, one entry a line.")] = False,
) -> None:
    """List entries, newest first."""
    with _store() as (engine, language):
        asked = _wanted(since, until, actor, action, object, text, outcome, language)
        with reading(engine) as conn:
            found = searching.search(conn, asked, limit=limit)
        readers.read_by(engine, asked)
    if json:
        for entry in found:
            typer.echo(orjson.dumps({name: getattr(entry, name) for name in Entry.__slots__}))
    elif found:
        Console().print(_table(found, language))
    else:
        say("cli.audit.none", language)


@app.command("export")
def export_command(
    file: Annotated[Path, typer.Argument(help=".csv or .xlsx")],
    since: Since = None,
    until: Until = None,
    actor: Actor = "",
    action: Action = "",
    object: Object = "",
    text: Words = "",
    outcome: Outcome = "",
) -> None:
    """Write entries to a file, oldest first; says its SHA-256, which the audit keeps too."""
    with _store() as (engine, language):
        asked = _wanted(since, until, actor, action, object, text, outcome, language)
        with reading(engine) as conn:
            n = write_file(conn, asked, file, words(language))
        with file.open("rb") as made:
            digest = file_digest(made, "sha256").hexdigest()
        with writing(engine) as conn:
            readers.exported_by(conn, asked, file.name, n, digest)
        say("cli.audit.exported", language, n=n, file=file, digest=digest)


@contextmanager
def _store() -> Iterator[tuple[Engine, str]]:
    settings = Settings()
    with readable_problems(settings.language):
        engine = open_engine(settings.database_url)
        try:
            schema.require_current(engine)
            yield engine, settings.language
        finally:
            engine.dispose()


def _wanted(
    since: str | None,
    until: str | None,
    actor: str,
    action: str,
    object: str,
    text: str,
    outcome: str,
    language: str,
) -> Wanted:
    first, last = _day(since, language), _day(until, language)
    begins = None if first is None else end_of(first) + 1 - _DAY_US
    return Wanted(begins, None if last is None else end_of(last), actor, action, object, text, outcome)


def _day(given: str | None, language: str) -> date | None:
    if given is None:
        return None
    try:
        day = date.fromisoformat(given)
    except ValueError:
        day = date.min
    if not 2000 <= day.year <= 2999:
        err.print(t("cli.audit.bad_day", language, given=given), style="red")
        raise typer.Exit(2)
    return day


def _table(found: list[Entry], language: str) -> Table:
    table = Table()
    for name in ("seq", "time", "actor", "what", "object", "purpose", "result", "address"):
        table.add_column(t(f"audit.column.{name}", language), overflow="fold")
    for entry in found:
        when = local(entry.at).isoformat(" ", "seconds")[:19]
        what, result = action_text(entry.action, language), outcome_text(entry.outcome, language)
        cells = (str(entry.seq), when, entry.actor, what, entry.object, entry.purpose, result, entry.address)
        table.add_row(*(escape(cell) for cell in cells))
    return table

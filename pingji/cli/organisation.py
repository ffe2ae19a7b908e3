"""`pingji organisation`: posts and vacancies, and the workbook of the organisation."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.markup import escape
from rich.table import Table

from pingji.cli.grids import Desk, desk
from pingji.dashboard.commands.organisation import apply_import, preview_import
from pingji.dashboard.organisation import Reader
from pingji.dashboard.organisation_words import book_words, error_document, masked, plan_document
from pingji.dashboard.texts import t
from pingji.data import audit
from pingji.data.engine import writing
from pingji.data.organisation import posts as seats
from pingji.data.organisation import vacancies
from pingji.data.organisation.ground import EVERYWHERE, load_ground
from pingji.data.organisation.posts import Which
from pingji.data.organisation.workbook.plan import Plan
from pingji.data.organisation.workbook.writing import write_workbook
from pingji.data.origin import origin
from pingji.ops.organisation.post import Post, Why

app = typer.Typer(help="Organisation: list, vacancies, import, export.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="Workbook (.xlsx) with a line for each post.")]
Out = Annotated[Path, typer.Argument(help="Workbook (.xlsx) to write.")]
Scope = Annotated[str | None, typer.Option(help="Only this township, community or grid.")]
County = Annotated[str | None, typer.Option(help="County code.")]
Limit = Annotated[int, typer.Option(min=1, help="How many lines to print.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_SHOWN = 20


@app.command("list")
def list_command(scope: Scope = None, limit: Limit = 200, county: County = None, json: Json = False) -> None:
    """List the posts of the county, a township, a community or a grid."""
    with desk(county) as at, at.read() as conn:
        ground = load_ground(conn, at.county)
        reach = ground.reach(EVERYWHERE, ground.scope(scope))
        found = seats.standing(conn, ground, Which(reach))
        _show(at, Reader(conn, ground, reach), found, limit, json)


@app.command("vacancies")
def vacancies_command(
    scope: Scope = None,
    why: Annotated[Why | None, typer.Option(help=", ".join(Why))] = None,
    limit: Limit = 200,
    county: County = None,
    json: Json = False,
) -> None:
    """List posts without holder, without deputy, or whose term has ended."""
    with desk(county) as at, at.read() as conn:
        ground = load_ground(conn, at.county)
        reach = ground.reach(EVERYWHERE, ground.scope(scope))
        found = vacancies.listed(conn, ground, reach, seats.today(), why)
        _show(at, Reader(conn, ground, reach), found, limit, json)


@app.command("import")
def import_command(
    file: File,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    county: County = None,
    json: Json = False,
) -> None:
    """Read a workbook: say what it changes, and change it; all rows, or none."""
    with desk(county) as at:
        plan = preview_import(at.context, file) if dry_run else apply_import(at.context, file, None, origin().name)
        if json:
            typer.echo(orjson.dumps(plan_document(plan), option=orjson.OPT_INDENT_2).decode())
        else:
            _show_plan(at, plan)
        if plan.errors:
            at.console.print(f"[red]{t('cli.organisation.refused', at.language, n=len(plan.errors))}[/red]")
            raise typer.Exit(1)
        if not json:
            done = t("cli.organisation.applied", at.language, file=file.name)
            at.console.print(escape(t("cli.organisation.dry_run", at.language) if dry_run else done))


@app.command("export")
def export_command(
    file: Out,
    scope: Scope = None,
    unmasked: Annotated[bool, typer.Option("--unmasked", help="Write names and phones in full.")] = False,
    county: County = None,
) -> None:
    """Write the organisation as a workbook that can be imported again where it is unmasked."""
    with desk(county) as at:
        with writing(at.context.engine) as conn:
            ground = load_ground(conn, at.county)
            found = ground.scope(scope)
            action = "export_personal" if unmasked else "export"
            audit.record(conn, action=action, object="organisation.xlsx", scope=found.code)
            reach = ground.reach(EVERYWHERE, found)
            mask = _plain if unmasked else masked
            n = write_workbook(conn, ground, reach, file, book_words(at.language), mask)
        at.console.print(escape(t("cli.organisation.exported", at.language, n=n, file=file.name)))


def _plain(text: str, phone: bool) -> str:
    return text


def _show(at: Desk, reader: Reader, found: Sequence[Post], limit: int, json: bool) -> None:
    rows = reader.posts(found[:limit])
    if json:
        typer.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
        return
    columns = ("unit", "post", "holder", "phone", "deputy", "term_to", "why")
    table = Table(*(t(f"cli.organisation.{name}", at.language) for name in columns))
    for row in rows:
        kind = row["title"] or t(f"org.post.{row['kind']}", at.language)
        why = " ".join(t(f"cli.organisation.{one}", at.language) for one in row["why"])
        cells = (row["unit_name"], kind, row["holder"], row["holder_phone"], row["deputy"], row["term_to"] or "", why)
        table.add_row(*(escape(str(cell)) for cell in cells))
    at.console.print(table)
    at.console.print(t("cli.organisation.listed", at.language, shown=len(rows), n=len(found)))


def _show_plan(at: Desk, plan: Plan) -> None:
    at.console.print(t("cli.organisation.counts", at.language, **plan.counts))
    if plan.errors:
        names = ("sheet", "row", "column", "problem", "remedy")
        table = Table(*(t(f"cli.organisation.{name}", at.language) for name in names))
        tail = "" if at.language == "zh_CN" else "_en"
        for error in plan.errors[:_SHOWN]:
            said = error_document(error)
            cells = (error.sheet, str(error.row), error.column, said[f"text{tail}"], said[f"remedy{tail}"])
            table.add_row(*(escape(cell) for cell in cells))
        at.console.print(table)
        return
    names = ("change", "unit", "post", "sheet", "row")
    table = Table(*(t(f"cli.organisation.{name}", at.language) for name in names))
    for planned in plan.changes[:_SHOWN]:
        post = planned.change.after or planned.change.before
        assert post is not None
        kind = post.term.title or t(f"org.post.{post.kind.value}", at.language)
        what = t(f"cli.organisation.{planned.what}", at.language)
        table.add_row(*(escape(cell) for cell in (what, planned.unit_name, kind, planned.sheet, str(planned.row))))
    if plan.changes:
        at.console.print(table)

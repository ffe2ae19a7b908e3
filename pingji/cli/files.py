"""Commands on files: `pingji import LAYER FILE…`, `pingji export LAYER FILE` and `pingji check`."""

from pathlib import Path
from typing import Annotated, Literal, cast

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from pingji.cli.check import check_command, layer_title
from pingji.cli.problems import error_text, fail, in_words
from pingji.dashboard.texts import t
from pingji.data import audit, schema
from pingji.data.engine import open_engine, reading, writing
from pingji.data.errors import DataError
from pingji.data.files import ImportOptions, ImportPlan, apply_import, export, plan_import
from pingji.data.files.county import county_code
from pingji.data.files.plan import ImportReport
from pingji.settings import Settings

_SHOWN = 20  # errors in a table; the rest is counted


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("import", help="Import files into a layer: all rows, or none.")(import_command)
    app.command("export", help="Write a layer to .gpkg, .geojson, .shp, .csv or .xlsx.")(export_command)
    app.command("check", help="Check a county against every validation rule.")(check_command)


def import_command(
    layer: Annotated[str, typer.Argument(help="Layer, e.g. grids.")],
    files: Annotated[list[Path], typer.Argument(help="Shapefile, .zip, GeoPackage, GeoJSON(.gz), CSV, KML, XLSX.")],
    mapping: Annotated[str | None, typer.Option(help="Name of a shipped mapping, or a TOML file.")] = None,
    county: Annotated[str | None, typer.Option(help="County code.")] = None,
    crs: Annotated[str | None, typer.Option(help="Coordinate system of the file, e.g. EPSG:4551.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of its texts, e.g. GBK.")] = None,
    accept_offset: Annotated[
        str | None, typer.Option(help="gcj02 | bd09: correct that shift; none: there is none.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Delete the layer's old rows first.")] = False,
    repair: Annotated[bool, typer.Option("--repair", help="Repair rings that cross themselves.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check only, save nothing.")] = False,
) -> None:
    """Import files into a layer: all rows, or none."""
    settings = Settings()
    language, console = settings.language, Console()
    if accept_offset not in (None, "gcj02", "bd09", "none"):
        raise typer.BadParameter("gcj02, bd09, none", param_hint="--accept-offset")
    shift = cast(Literal["gcj02", "bd09", "none"] | None, accept_offset)
    options = ImportOptions(mapping, crs, encoding, shift, replace, repair, county or settings.county)
    engine = open_engine(settings.database_url)
    try:
        schema.upgrade(engine)
        with _progress(console) as progress, writing(engine) as conn:
            step = progress.add_task(t("files.step.read", language), total=None)
            plan = plan_import(conn, layer, files, options)
            refused = bool(plan.report.errors)
            if not refused and not dry_run:
                progress.update(step, description=t("files.step.save", language, n=len(plan.rows)))
                apply_import(conn, plan, actor="cli", title=layer_title(layer, language))
    except DataError as error:
        fail(error, language, hint="files.nothing_saved")
    finally:
        engine.dispose()
    show_report(console, plan, language)
    if refused:
        console.print(f"[red]{t('files.refused', language, n=len(plan.report.errors))}[/red]")
        raise typer.Exit(1)
    key = "files.checked" if dry_run else "files.saved"
    title = layer_title(layer, language)
    console.print(f"[green]{t(key, language, n=len(plan.rows), layer=title, county=plan.county)}[/green]")


def export_command(
    layer: Annotated[str, typer.Argument(help="Layer, e.g. grids.")],
    file: Annotated[Path, typer.Argument(help=".gpkg, .geojson, .shp, .csv or .xlsx")],
    county: Annotated[str | None, typer.Option(help="County code.")] = None,
    unmasked: Annotated[bool, typer.Option("--unmasked", help="Write phone numbers in full.")] = False,
) -> None:
    """Write a layer to a file."""
    settings = Settings()
    language, console = settings.language, Console()
    engine = open_engine(settings.database_url)
    try:
        schema.require_current(engine)
        with _progress(console) as progress, reading(engine) as conn:
            progress.add_task(t("files.step.write", language), total=None)
            code = county_code(conn, file.name, county or settings.county, None)
            n = export(conn, code, layer, file, unmasked=unmasked)
        with writing(engine) as conn:
            action = "export_personal" if unmasked else "export"
            audit.record(conn, action=action, object=file.name, scope=code, detail={"layer": layer, "features": n})
    except DataError as error:
        fail(error, language)
    finally:
        engine.dispose()
    title = layer_title(layer, language)
    console.print(f"[green]{t('files.exported', language, n=n, layer=title, file=file.name)}[/green]")


def show_report(console: Console, plan: ImportPlan, language: str) -> None:
    """What was read, kept and dropped, with reasons."""
    report = plan.report
    # Not the table's title: that would be folded to the table's width.
    files = ", ".join(report.files)
    console.print(escape(t("files.report", language, layer=layer_title(plan.layer, language), files=files)))
    summary = Table()
    for column in ("read", "kept", "dropped", "errors"):
        summary.add_column(t(f"files.column.{column}", language), justify="right")
    summary.add_row(*(str(n) for n in (report.read, report.kept, sum(report.dropped.values()), len(report.errors))))
    console.print(summary)
    for reason, n in report.dropped.items():
        console.print("· " + t(f"files.dropped.{reason}", language, n=n))
    for note in report.notes:
        text = t(f"files.note.{note.key}", language, **in_words(note.params, language))
        console.print(f"[yellow]· {escape(text)}[/yellow]")
    _show_errors(console, report, language)


def _show_errors(console: Console, report: ImportReport, language: str) -> None:
    if not report.errors:
        return
    table = Table()
    for column in ("file", "row", "field", "problem"):
        table.add_column(t(f"files.column.{column}", language), overflow="fold")
    for error in report.errors[:_SHOWN]:
        said = in_words(error.params, language)
        where = (str(said[name]) for name in ("file", "row", "field"))
        table.add_row(*(escape(cell) for cell in where), escape(error_text(error, language)))
    console.print(table)
    if len(report.errors) > _SHOWN:
        console.print(t("files.more", language, n=len(report.errors) - _SHOWN))


def _progress(console: Console) -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True)

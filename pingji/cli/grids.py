"""`pingji grids`: grids and their change sets from the command line."""

from collections.abc import Iterator, Sized
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, NoReturn, TypeVar, cast

import orjson
import typer
from rich.console import Console
from rich.markup import escape
from sqlalchemy import Connection

from pingji.cli import grid_tables as tables
from pingji.cli.problems import fail
from pingji.dashboard import errors, workbench
from pingji.dashboard.commands.grid_files import import_grids
from pingji.dashboard.commands.grid_steps import Taken, take_step
from pingji.dashboard.context import Context
from pingji.dashboard.grid_words import day_or_today, register_words, report_document
from pingji.dashboard.texts import t
from pingji.data import audit, schema
from pingji.data.engine import open_engine, reading, writing
from pingji.data.errors import DataError
from pingji.data.files.reading import ImportOptions
from pingji.data.grids import drafts, ground, history, outgoing
from pingji.data.grids.incoming import NothingNew
from pingji.data.writer import Writer
from pingji.geo.errors import GeoError
from pingji.ops.access import Area
from pingji.ops.change_set import NameNeeded, Reason, Status, Step
from pingji.ops.errors import OpsError
from pingji.settings import Settings

Kind = TypeVar("Kind", Reason, Status)
app = typer.Typer(help="Grids: list, import, export, change sets, history.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="Shapefile, .zip, GeoPackage or GeoJSON.")]
Out = Annotated[Path, typer.Argument(help=".gpkg, .shp, .geojson, or .xlsx for the register.")]
Id = Annotated[str, typer.Argument(help="Id of the change set.")]
Actor = Annotated[str, typer.Option(help="Who acts: a person's name.")]
NoteText = Annotated[str, typer.Option(help="A text beside it.")]
County = Annotated[str | None, typer.Option(help="County code.")]
Community = Annotated[str | None, typer.Option(help="Only this community.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@dataclass(frozen=True)
class Desk:
    """What a command works with."""

    context: Context
    county: str
    language: str
    console: Console

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A snapshot."""
        with reading(self.context.engine) as conn:
            yield conn


@contextmanager
def desk(county: str | None) -> Iterator[Desk]:
    """The store of the settings; whatever is refused inside is said in the user's language, with status 2."""
    settings = Settings()
    settings = settings.model_copy(update={"county": county or settings.county})
    language = settings.language
    try:
        engine = open_engine(settings.database_url)
        try:
            schema.require_current(engine)
            context = Context(settings, engine, Writer(engine, on_commit=lambda: None))
            yield Desk(context, context.county_code, language, Console())
        finally:
            engine.dispose()
    except DataError as error:
        fail(error, language)
    except (OpsError, GeoError) as error:
        text = errors.detail(errors.key_of(error)[1], language, errors.params_of(error))
        if isinstance(error, NameNeeded):
            text += " " + t("grid_files.cli.actor_needed", language)
        _refuse(text)


@app.command("list")
def list_command(community: Community = None, county: County = None, json: Json = False) -> None:
    """List the grids that stand today."""
    with desk(county) as at:
        with at.read() as conn:
            listing = outgoing.listing_of(conn, at.county, day_or_today(None), [community] if community else ())
        shown = outgoing.masked(listing).entries
        if json:
            _print([outgoing.fields_of(entry) for entry in shown])
        else:
            tables.show_grids(at.console, at.language, shown)


@app.command("import")
def import_command(
    file: File,
    name: Annotated[str, typer.Option(help="What the change set is called.")] = "",
    reason: Annotated[str, typer.Option(help=", ".join(Reason))] = Reason.REDIGITISATION.value,
    note: NoteText = "",
    actor: Actor = "",
    crs: Annotated[str | None, typer.Option(help="Coordinate system of the file, e.g. EPSG:4551.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of its texts, e.g. GBK.")] = None,
    accept_offset: Annotated[str | None, typer.Option(help="gcj02 | bd09: correct that shift; none: no shift.")] = None,
    mapping: Annotated[str | None, typer.Option(help="Name of a shipped mapping, or a TOML file.")] = None,
    repair: Annotated[bool, typer.Option("--repair", help="Repair rings that cross themselves.")] = False,
    county: County = None,
    json: Json = False,
) -> None:
    """Keep a whole new set of grids as a change set: all rows, or none."""
    with desk(county) as at:
        if accept_offset not in (None, "gcj02", "bd09", "none"):
            _refuse(t("grid_files.cli.offset_unknown", at.language, given=accept_offset))
        shift = cast(Literal["gcj02", "bd09", "none"] | None, accept_offset)
        options = ImportOptions(mapping, crs, encoding, shift, repair=repair, county=at.county)
        kind = _one_of(Reason, "reason", reason, at.language)
        try:
            kept, report = import_grids(
                at.context, file, options, name=name or file.stem, reason=kind, note=note, actor=actor
            )
        except NothingNew as same:  # no mistake of anybody's
            at.console.print(escape(errors.detail("nothing_new", at.language, same.params)))
            return
        if json:
            found = [{**error.params, "kind": type(error).__name__} for error in report.errors]
            document = {"set": kept.id if kept else None, "report": report_document(report, at.language)}
            _print({**document, "errors": found})
        else:
            tables.show_report(at.console, at.language, report)
        if kept is None:
            text = t("grid_files.cli.refused", at.language, n=len(report.errors))
            Console(stderr=True).print(f"[red]{text}[/red]")
            raise typer.Exit(1)
        if not json:
            said = {"name": kept.name, "id": kept.id, "edits": kept.position, "communities": len(kept.communities)}
            _good(at, t("grid_files.cli.imported", at.language, **said))


@app.command("export")
def export_command(
    file: Out,
    day: Annotated[
        str | None, typer.Option("--date", help="As they stood at the end of this day, e.g. 2026-01-31.")
    ] = None,
    community: Community = None,
    unmasked: Annotated[bool, typer.Option("--unmasked", help="Write phone numbers in full.")] = False,
    encoding: Annotated[str, typer.Option(help="Of the texts of a Shapefile: utf-8 or gbk.")] = "utf-8",
    county: County = None,
) -> None:
    """Write the grids of any day, with a style for QGIS, or as the register."""
    with desk(county) as at:
        if encoding.lower() not in ("utf-8", "gbk"):
            _refuse(t("grid_files.cli.encoding_unknown", at.language, given=encoding))
        shown = _day(day, at.language)
        with at.read() as conn:
            listing = outgoing.listing_of(conn, at.county, shown, [community] if community else ())
            exercise = outgoing.exercise_open(conn, at.county)
        words = register_words(at.context.county.name, shown, at.language, exercise=exercise)
        written = listing if unmasked else outgoing.masked(listing)
        n = outgoing.write_grids(file, written, words, encoding=encoding.upper())
        with writing(at.context.engine) as conn:
            action = "export_personal" if unmasked else "export"
            audit.record(conn, action=action, object=file.name, scope=community or at.county, detail={"features": n})
        _good(at, t("grid_files.cli.exported", at.language, n=n, file=file.name))


@app.command("sets")
def sets_command(
    status: Annotated[str | None, typer.Option(help=", ".join(Status))] = None,
    community: Community = None,
    county: County = None,
    json: Json = False,
) -> None:
    """List change sets, the newest first."""
    with desk(county) as at:
        wanted = _one_of(Status, "status", status, at.language) if status else None
        with at.read() as conn:
            found = workbench.sets(conn, at.county, wanted, community, Area(whole=True))
            _require_known(conn, at.county, community, found)
        if json:
            _print(found)
        else:
            tables.show_sets(at.console, at.language, found)


@app.command("show")
def show_command(id: Id, county: County = None, json: Json = False) -> None:
    """Show a change set with its edits."""
    with desk(county) as at:
        with at.read() as conn:
            found = workbench.set_document(conn, at.county, workbench.draft_of(conn, at.county, id))
        if json:
            _print(found)
        else:
            tables.show_set(at.console, at.language, found)


@app.command("submit")
def submit_command(id: Id, actor: Actor = "", note: NoteText = "", county: County = None) -> None:
    """Hand a draft in for review."""
    with desk(county) as at:
        done = _step(at, id, Step.SUBMIT, note, actor)
        _good(at, t("grid_files.cli.submitted", at.language, name=done.change_set.name))


@app.command("publish")
def publish_command(id: Id, actor: Actor = "", note: NoteText = "", county: County = None) -> None:
    """Publish a change set that is in review; whoever edited in it can't."""
    with desk(county) as at:
        done = _step(at, id, Step.PUBLISH, note, actor)
        _good(at, t("grid_files.cli.published", at.language, name=done.change_set.name, n=len(done.codes)))
        for provisional, code in sorted(done.codes.items()):
            at.console.print(t("grid_files.cli.code_given", at.language, provisional=provisional, code=code))


@app.command("return")
def return_command(id: Id, actor: Actor = "", note: NoteText = "", county: County = None) -> None:
    """Give a change set that is in review back to those who edit it."""
    with desk(county) as at:
        done = _step(at, id, Step.RETURN, note, actor)
        _good(at, t("grid_files.cli.returned", at.language, name=done.change_set.name))


@app.command("discard")
def discard_command(id: Id, actor: Actor = "", note: NoteText = "", county: County = None) -> None:
    """Give a change set up: its edits stay on record and change no grid."""
    with desk(county) as at:
        done = _step(at, id, Step.DISCARD, note, actor)
        _good(at, t("grid_files.cli.discarded", at.language, name=done.change_set.name))


def _step(at: Desk, id: str, step: Step, note: str, actor: str) -> Taken:
    with at.read() as conn:
        found = drafts.load(conn, at.county, id)
    return take_step(at.context, id, found.revision, step, note, actor)


@app.command("history")
def history_command(community: Community = None, county: County = None, json: Json = False) -> None:
    """List what was published, the newest first."""
    with desk(county) as at:
        with at.read() as conn:
            found = history.publications(conn, at.county, community)
            _require_known(conn, at.county, community, found)
        rows = [
            {
                "at": tables.at_text(one.change_set.published_at),
                "id": one.change_set.id,
                "name": one.change_set.name,
                "reason": one.change_set.reason.value,
                "author": one.change_set.author,
                "reviewer": one.change_set.reviewer,
                "communities": list(one.change_set.communities),
                "grids": one.grids,
            }
            for one in found
        ]
        if json:
            _print(rows)
            return
        cells = [
            {
                **row,
                "reason": tables.reason_text(str(row["reason"]), at.language),
                "communities": len(one.change_set.communities),
            }
            for row, one in zip(rows, found, strict=True)
        ]
        columns = ("at", "name", "reason", "author", "reviewer", "communities", "grids", "id")
        tables.show(at.console, at.language, columns, ([row[name] for name in columns] for row in cells))


@app.command("lineage")
def lineage_command(
    code: Annotated[str, typer.Argument(help="Code of a grid, also of one that has ended.")],
    county: County = None,
    json: Json = False,
) -> None:
    """Show what a grid came from, what came of it, and its versions."""
    with desk(county) as at:
        with at.read() as conn:
            links = history.descents(conn, at.county, code)
            codes = {code, *(link.from_ for link in links), *(link.into for link in links)}
            versions = history.versions_of(conn, at.county, sorted(codes))
            names = history.set_names(
                conn, at.county, {v.change_set for v in versions} | {one.change_set for one in links}
            )
        stood = [
            {
                "code": v.code,
                "name": v.name,
                "valid_from": v.valid_from,
                "valid_to": v.valid_to,
                "reason": v.reason,
                "set": names.get(v.change_set, ""),
            }
            for v in versions
        ]
        came = [
            {
                "from": one.from_,
                "into": one.into,
                "kind": one.kind,
                "at": tables.at_text(one.at),
                "set": names.get(one.change_set, ""),
            }
            for one in links
        ]
        if json:
            _print({"versions": stood, "links": came})
            return
        columns = ("code", "name", "valid_from", "valid_to", "reason", "set")
        said = [{**one, "reason": tables.reason_text(str(one["reason"]), at.language)} for one in stood]
        tables.show(at.console, at.language, columns, ([one[name] for name in columns] for one in said))
        if came:
            links_of = ("from", "into", "kind", "at", "set")
            tables.show(at.console, at.language, links_of, ([one[name] for name in links_of] for one in came))


def _day(text: str | None, language: str) -> date:
    try:
        return day_or_today(date.fromisoformat(text) if text is not None else None)
    except ValueError:
        _refuse(t("grid_files.cli.date_unknown", language, given=text))


def _one_of(kinds: type[Kind], option: str, text: str, language: str) -> Kind:
    try:
        return kinds(text)
    except ValueError:
        _refuse(t(f"grid_files.cli.{option}_unknown", language, given=text, known=", ".join(kinds)))


def _require_known(conn: Connection, county: str, community: str | None, found: Sized) -> None:
    """Nothing found may be a mistyped code: then say so."""
    if community is not None and not found and not ground.community_names(conn, county, [community]):
        raise ground.UnknownCommunity(community=community)


def _refuse(text: str) -> NoReturn:
    """Say what is wrong on stderr, and leave with status 2."""
    Console(stderr=True).print(f"[red]{escape(text)}[/red]")
    raise typer.Exit(2)


def _good(at: Desk, text: str) -> None:
    at.console.print(f"[green]{escape(text)}[/green]")


def _print(document: object) -> None:
    typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2))

"""Tables of `pingji grids`: grids, change sets, what an import did, and where grids came from."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pingji.cli.problems import error_text, in_words
from pingji.dashboard.file_texts import note_text
from pingji.dashboard.texts import catalogue, grid_label, t
from pingji.data.grids.incoming import GridReport
from pingji.data.grids.register import Entry
from pingji.ops.day import local
from pingji.ops.grids import is_provisional

_SHOWN = 20  # errors and recoded rows; the rest is counted
_NAMED = 6  # grids of an edit
_COUNTS = ("read", "kept", "unchanged", "matched_by_code", "matched_by_overlap", "new", "ended")
_WHOLE = {"code", "id", "from", "into"}  # never folded: they are copied
_NUMBERS = {*_COUNTS, "households", "residents", "grids", "communities", "edits", "row", "seq", "share"}


def show(console: Console, language: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table; a line that says so where it would be empty."""
    filled = [[_cell(value, language) for value in row] for row in rows]
    if not filled:
        console.print(t("grid_files.cli.none", language))
        return
    table = Table()
    for name in columns:
        title = t(f"grid_files.column.{name}", language)
        side: Literal["left", "right"] = "right" if name in _NUMBERS else "left"
        table.add_column(title, justify=side, overflow="fold", no_wrap=name in _WHOLE)
    for row in filled:
        table.add_row(*row)
    console.print(table)


def show_grids(console: Console, language: str, entries: Sequence[Entry]) -> None:
    """Grids, one a line."""
    columns = ("code", "name", "community", "households", "residents", "light", "leader")
    show(
        console,
        language,
        columns,
        (
            (
                e.code,
                e.name,
                e.community_name or e.community,
                e.households,
                e.residents,
                t(f"grid_files.light.{e.light}", language),
                e.leader,
            )
            for e in entries
        ),
    )


def show_sets(console: Console, language: str, sets: Iterable[Mapping[str, Any]]) -> None:
    """Change sets, one a line."""
    columns = ("id", "name", "status", "reason", "author", "reviewer", "communities", "edits", "at")
    show(
        console,
        language,
        columns,
        (
            (
                one["id"],
                one["name"],
                t(f"grid_files.status.{one['status']}", language),
                reason_text(str(one["reason"]), language),
                one["author"],
                one["reviewer"],
                len(one["communities"]),
                one["position"],
                at_text(one["updated_at"] * 1000),
            )
            for one in sets
        ),
    )


def show_set(console: Console, language: str, one: Mapping[str, Any]) -> None:
    """One change set with its edits in force."""
    show_sets(console, language, [one])
    for text in (one["note"], one["review_note"]):
        if text:
            console.print(escape(str(text)))
    edits = [edit for edit in one["edits"] if edit["in_force"]]
    rows = ((e["seq"], _done(e, language), e["actor"], at_text(e["at"] * 1000)) for e in edits)
    show(console, language, ("seq", "what", "actor", "at"), rows)


def show_report(console: Console, language: str, report: GridReport) -> None:
    """What a file of grids came to: figures, notes, rows with another code, errors."""
    counts = {name: getattr(report, name) for name in _COUNTS} | {"ended": len(report.ended)}
    if not report.errors:  # of a file that is refused only the reasons matter
        show(console, language, _COUNTS, [[counts[name] for name in _COUNTS]])
    for note in report.notes:
        console.print(f"[yellow]· {escape(note_text(note, language))}[/yellow]")
    if report.ended:
        listed = ", ".join(report.ended[:_SHOWN]) + (" …" if len(report.ended) > _SHOWN else "")
        console.print(f"{t('grid_files.column.ended', language)}: {listed}")
    if report.recoded:
        rows = [
            (one.row, one.given, one.code, f"{one.share:.0%}" if one.how == "overlap" else "")
            for one in report.recoded[:_SHOWN]
        ]
        show(console, language, ("row", "given", "code", "share"), rows)
    if report.errors:
        table = Table()
        for column in ("file", "row", "field", "problem"):
            table.add_column(t(f"files.column.{column}", language), overflow="fold")
        for error in report.errors[:_SHOWN]:
            said = in_words(error.params, language)
            where = (escape(str(said[name])) for name in ("file", "row", "field"))
            table.add_row(*where, escape(error_text(error, language)))
        console.print(table)


def reason_text(reason: str, language: str) -> str:
    """A kind of reason in words; nothing where there is none."""
    return catalogue(language).get(f"choice.grids.reason.{reason}", reason)


def at_text(at_us: int | None) -> str:
    """A moment in China, to the minute; empty for none, and for what was there from the beginning."""
    if not at_us:
        return ""
    return local(at_us).strftime("%Y-%m-%d %H:%M")


def _done(edit: Mapping[str, Any], language: str) -> str:
    """What an edit did, and to which grids."""
    named = [grid_label(code, language) if is_provisional(code) else code for code in edit["codes"][:_NAMED]]
    more = "…" if len(edit["codes"]) > _NAMED else ""
    return t(f"grids.done.{edit['kind']}", language, codes=t("grids.label.joiner", language).join(named) + more)


def _cell(value: object, language: str) -> str:
    if value is None or value == "":
        return t("grid_files.cli.never", language)
    return f"{value:,}" if isinstance(value, int) else escape(str(value))

"""`python -m bench`: every promise about speed as one table, each with its peer measured in the same run."""

import json
import os
import platform
import tempfile
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bench.figures import Figure
from bench.setting import Setting

Rows = Callable[[Setting, bool], Iterator[Figure]]
ROWS = ("screen", "access", "ingest", "switch", "desk", "balance", "fanout", "coverage", "save", "proposal")
console = Console(width=None if os.isatty(1) else 200)


def main(
    quick: Annotated[bool, typer.Option(help="Fewer repetitions: a look, not a measurement.")] = False,
    only: Annotated[list[str] | None, typer.Option(help=f"Of {', '.join(ROWS)}; may be repeated.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures there, too.")] = None,
) -> None:
    """Measure."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="pingji-bench-") as folder:
        setting = Setting(Path(folder))
        try:
            for name in only or ROWS:
                rows: Rows = import_module(f"bench.{name}").rows
                console.print(f"[dim]{name} …[/dim]")
                for figure in _told(name, rows, setting, quick):
                    console.print(f"  {figure.what}: {figure.measured}", highlight=False)
                    figures.append(figure)
        finally:
            setting.close()
    _show(figures)
    if json_file:
        machine = {"cores": os.cpu_count(), "python": platform.python_version(), "quick": quick}
        json_file.write_text(
            json.dumps({**machine, "figures": [f.plain() for f in figures]}, ensure_ascii=False, indent=1)
        )
    raise typer.Exit(int(any(figure.met is False for figure in figures)))


def _told(name: str, rows: Rows, setting: Setting, quick: bool) -> Iterator[Figure]:
    """The figures of one row; a failure is a line of the table, not the end of the others."""
    try:
        yield from rows(setting, quick)
    except Exception as error:
        console.print_exception(max_frames=4)
        yield Figure(name, f"failed: {type(error).__name__}", met=False, note=str(error)[:200])


def _show(figures: list[Figure]) -> None:
    table = Table(title=f"Pingji, {os.cpu_count()} cores, server and clients together", show_lines=True)
    for column in ("what", "measured", "target", "peer, same run", "met?", "note"):
        table.add_column(column, overflow="fold")
    for f in figures:
        met = {True: "[green]yes[/green]", False: "[red]NO[/red]", None: ""}[f.met]
        table.add_row(f.what, f.measured, f.target, f.peer, met, f.note)
    console.print(table)


if __name__ == "__main__":
    typer.run(main)

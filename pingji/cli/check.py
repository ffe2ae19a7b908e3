"""The command `pingji check`: every validation rule, as a table or as JSON."""

from collections import Counter
from dataclasses import asdict
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pingji.cli.problems import fail, in_words
from pingji.dashboard.texts import catalogue, t
from pingji.data import schema
from pingji.data.check import Finding, check
from pingji.data.engine import open_engine, reading
from pingji.data.errors import DataError
from pingji.data.files.county import county_code
from pingji.settings import Settings

_SHOWN = 200


def check_command(
    json: Annotated[bool, typer.Option("--json", help="Print findings as JSON.")] = False,
    county: Annotated[str | None, typer.Option(help="County code.")] = None,
) -> None:
    """Check a county against every validation rule; exits with 1 where there are errors."""
    settings = Settings()
    language, console = settings.language, Console()
    engine = open_engine(settings.database_url)
    try:
        schema.require_current(engine)
        with reading(engine) as conn:
            code = county_code(conn, str(engine.url.database), county or settings.county, None)
            found = check(conn, code)
    except DataError as error:
        fail(error, language)
    finally:
        engine.dispose()
    errors = sum(finding.severity == "error" for finding in found)
    if json:
        findings = [{**asdict(f), "text": finding_text(f, language)} for f in found]
        document = {"county": code, "errors": errors, "warnings": len(found) - errors, "findings": findings}
        typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    else:
        _show(console, code, found, language)
    if errors:
        raise typer.Exit(1)


def finding_text(finding: Finding, language: str) -> str:
    """What a finding says."""
    params = in_words(finding.params, language)
    return t(f"check.{finding.rule}", language, layer=finding.layer, code=finding.code, **params)


def layer_title(layer: str, language: str) -> str:
    """What people call a layer; `people` and what else has no title stays as it is."""
    return catalogue(language).get(f"layer.{layer}.title", layer)


def _show(console: Console, county: str, found: list[Finding], language: str) -> None:
    table = Table(title=t("check.title", language, county=county))
    for column in ("severity", "layer", "code", "problem", "place"):
        table.add_column(t(f"check.column.{column}", language), overflow="fold")
    for finding in found[:_SHOWN]:
        where = "" if finding.lonlat is None else f"{finding.lonlat[0]:.5f}, {finding.lonlat[1]:.5f}"
        colour = "red" if finding.severity == "error" else "yellow"
        severity = f"[{colour}]{t(f'check.severity.{finding.severity}', language)}[/{colour}]"
        text = escape(finding_text(finding, language))
        table.add_row(severity, layer_title(finding.layer, language), escape(finding.code), text, where)
    if found:
        console.print(table)
    for (severity, layer, rule), n in Counter((f.severity, f.layer, f.rule) for f in found).items():
        of_rule = {"severity": t(f"check.severity.{severity}", language), "rule": t(f"check.rule.{rule}", language)}
        console.print("· " + t("check.count", language, **of_rule, layer=layer_title(layer, language), n=n))
    by = Counter(finding.severity for finding in found)
    console.print(
        t("check.summary", language, errors=by["error"], warnings=by["warning"], shown=min(len(found), _SHOWN))
    )

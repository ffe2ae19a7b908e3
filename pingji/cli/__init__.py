"""The command line: `pingji serve`, `demo`, `import`, `export`, `check`, `grids`, `simulate`, `db`."""

import os
import sys

import typer
from pydantic import ValidationError

from pingji.cli import audit, database, demo, files, grids, keys, organisation, retention, serve, simulate, token, user
from pingji.cli.console import err
from pingji.cli.who import machine_user
from pingji.dashboard.texts import LANGUAGES, t
from pingji.data.origin import acting

app = typer.Typer(name="pingji", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command("serve")(serve.serve)
app.command("demo")(demo.demo)
app.command("simulate")(simulate.simulate)
app.add_typer(database.app, name="db")
app.add_typer(grids.app, name="grids")
app.add_typer(organisation.app, name="organisation")
app.add_typer(audit.app, name="audit")
app.add_typer(keys.app, name="keys")
app.add_typer(retention.app, name="retention")
app.add_typer(user.app, name="user")
app.add_typer(token.app, name="token")
files.register(app)


@app.callback()
def begin(context: typer.Context) -> None:
    """平急一张图: one map for routine and emergency."""
    if context.invoked_subcommand not in ("serve", "demo"):  # what a server does by itself is nobody's command
        context.with_resource(acting(machine_user()))


def main() -> None:
    """The entry point; what goes wrong is said in the user's language."""
    try:
        app()
    except ValidationError as error:  # only settings are read without a request around them
        for wrong in error.errors(include_url=False):
            name = f"PINGJI_{'_'.join(map(str, wrong['loc'])).upper()}"
            text = t("cli.setting_invalid", _language(), name=name, value=wrong["input"], what=wrong["msg"])
            err.print(text, style="red")
        sys.exit(2)


def _language() -> str:
    """The user's language where the settings themselves can't be read."""
    asked = os.environ.get("PINGJI_LANGUAGE", LANGUAGES[0])
    return asked if asked in LANGUAGES else LANGUAGES[0]

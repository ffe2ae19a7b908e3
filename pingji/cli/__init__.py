"""The command line: `pingji serve`, `demo`, `import`, `export`, `check`, `simulate`, `db`."""

import typer

from pingji.cli import database, files, serve, simulate

app = typer.Typer(name="pingji", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command("serve")(serve.serve)
app.command("demo")(serve.demo)
app.command("simulate")(simulate.simulate)
app.add_typer(database.app, name="db")
files.register(app)


def main() -> None:
    """The entry point; what goes wrong is said in the user's language."""
    app()

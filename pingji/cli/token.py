"""`pingji token`: tokens of programs and walls."""

from typing import Annotated, Literal

import typer

from pingji.cli.managing import day_text, grants_text, managing
from pingji.data.access.managing import TOKEN_DAYS_MAX
from pingji.ops.access import Role

app = typer.Typer(help="Tokens of programs and walls: add, list, revoke.", no_args_is_help=True)


@app.command()
def add(
    name: Annotated[str, typer.Option(help="What the journal calls it.")],
    scope: Annotated[str, typer.Option(help="Code of the county, township, community, grid or place.")],
    kind: Annotated[Literal["api", "wall"], typer.Option(help="A program, or a wall screen.")] = "api",
    role: Annotated[Role, typer.Option(help="Its role; a wall's is wall.")] = Role.WALL,
    days: Annotated[int, typer.Option(min=1, max=TOKEN_DAYS_MAX, help="Days until it ends.")] = 90,
) -> None:
    """Make a token; prints its secret, which is kept nowhere."""
    with managing() as desk:
        [grant] = desk.grants([role], scope)
        made, secret = desk.manager.make_token(kind, name, grant, days)
    desk.say("accounts.cli.token", name=made.name, until=day_text(made.expires_at), secret=secret)
    if kind == "wall":
        desk.say("accounts.cli.wall_link", url=f"{desk.public_url.rstrip('/')}/sign-in/wall?token={secret}")


@app.command("list")
def list_command() -> None:
    """List tokens that are not revoked."""
    with managing(look=True) as desk:
        found = desk.manager.all_tokens()
    rows = [(one.id, one.kind, one.name, grants_text(one.grants), day_text(one.expires_at)) for one in found]
    desk.table(rows, "id", "kind", "name", "rights", "until")


@app.command()
def revoke(token_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the token.")]) -> None:
    """End a token at once."""
    with managing() as desk:
        found = desk.manager.revoke(token_id)
    desk.say("accounts.cli.revoked", name=found.name)

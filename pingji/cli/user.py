"""`pingji user`: accounts from the machine itself, for the day when nobody can sign in."""

from typing import Annotated

import typer

from pingji.cli.managing import Desk, day_text, grants_text, managing
from pingji.data.access.accounts import find_account
from pingji.ops.access import EVERYWHERE, Role

app = typer.Typer(help="Accounts: add, disable, enable, reset, list, grant, revoke-grant.", no_args_is_help=True)

Login = Annotated[str, typer.Argument(help="What the person types to sign in.")]
Roles = Annotated[list[Role], typer.Option("--role", help="A role; may be given several times.")]
Scope = Annotated[str, typer.Option(help="Code of the county, township, community, grid or place; * is everywhere.")]


@app.command()
def add(
    login: Login,
    role: Roles,
    name: Annotated[str, typer.Option(help="The person's name, as journal and audit show it.")] = "",
    scope: Scope = EVERYWHERE,
) -> None:
    """Add an account; prints its one-time password."""
    with managing() as desk:
        made, once = desk.manager.add(login, name or login, desk.grants(role, scope))
    _say_password(desk, "accounts.cli.added", made.login, once)


@app.command()
def disable(login: Login) -> None:
    """Close an account: its sessions end at once."""
    with managing() as desk:
        known = desk.manager.disable(login)
    desk.say("accounts.cli.disabled", login=known.login)


@app.command()
def enable(login: Login) -> None:
    """Open an account again that was disabled, or that wrong tries have locked."""
    with managing() as desk:
        known = desk.manager.enable(login)
    desk.say("accounts.cli.enabled", login=known.login)


@app.command()
def reset(
    login: Login,
    second_factor: Annotated[bool, typer.Option(help="Take the second factor off too: the phone is lost.")] = False,
) -> None:
    """Print a one-time password in place of a forgotten one."""
    with managing() as desk:
        known, once = desk.manager.reset(login)
        if second_factor:
            desk.manager.drop_second_factor(login)
    _say_password(desk, "accounts.cli.reset", known.login, once)


@app.command()
def grant(login: Login, role: Roles, scope: Scope = EVERYWHERE) -> None:
    """Give an account roles within a scope, beside those that it has."""
    with managing() as desk:
        known = find_account(desk.manager.conn, login)
        after = desk.manager.grant(login, {*known.grants, *desk.grants(role, scope)})
    desk.say("accounts.cli.granted", login=after.login, grants=grants_text(after.grants))


@app.command("revoke-grant")
def revoke_grant(login: Login, role: Roles, scope: Scope = EVERYWHERE) -> None:
    """Take roles within a scope from an account."""
    with managing() as desk:
        known = find_account(desk.manager.conn, login)
        gone = {(one.value, scope) for one in role}
        after = desk.manager.grant(login, [g for g in known.grants if (g.role.value, g.scope) not in gone])
    desk.say("accounts.cli.granted", login=after.login, grants=grants_text(after.grants) or "-")


@app.command("list")
def list_command() -> None:
    """List the accounts."""
    with managing(look=True) as desk:
        found = desk.manager.all_accounts()
        at = desk.manager.at
    rows = [
        (
            one.login,
            one.name,
            grants_text(one.grants),
            day_text(one.signed_in_at),
            "disabled" if one.disabled_at else "locked" if one.standing.locked_until > at else "",
        )
        for one in found
    ]
    desk.table(rows, "login", "name", "rights", "signed_in", "state")


def _say_password(desk: Desk, key: str, login: str, once: str) -> None:
    desk.say(key, login=login)
    desk.say("accounts.cli.one_time", password=once)

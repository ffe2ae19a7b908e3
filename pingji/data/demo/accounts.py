"""Accounts of the demo county, one for each role: so that every screen can be tried by whoever it is for."""

from collections.abc import Mapping

from sqlalchemy import Connection, delete, select, update

from pingji.data.access.accounts import add_account, set_grants, set_password
from pingji.data.access.lookup import make_token
from pingji.data.access.passwords import hash_password
from pingji.data.tables import LAYER_TABLES, account, token
from pingji.ops.access import Grant, Role

DAY_US = 86_400_000_000
LOGINS: dict[Role, str] = {role: role.value.replace("_", "-") for role in Role if role not in (Role.WALL, Role.FIELD)}


def make_accounts(conn: Connection, county: str, names: Mapping[Role, str], password: str, at: int) -> dict[Role, str]:
    """One account a role, all with one password that is new at each start; role → what to type as login.

    Parameters
    ----------
    names : mapping of Role to str
        What the accounts are called.
    at : int
        Microseconds since 1970 UTC.
    """
    kept = hash_password(password)
    known = {row.login: row.id for row in conn.execute(select(account.c.login, account.c.id))}
    for role, login in LOGINS.items():
        grants = [Grant(role, _scope(conn, county, role))]
        if login in known:
            id = known[login]
            set_grants(conn, id, grants)
        else:
            id, _ = add_account(conn, login=login, name=names[role], grants=grants, at=at)
        set_password(conn, id, kept, must_change=False)
        conn.execute(update(account).where(account.c.id == id).values(failed=0, locked_until=0, disabled_at=None))
    return dict(LOGINS)


def make_tokens(conn: Connection, county: str, names: Mapping[str, str], at: int) -> dict[str, str]:
    """Fresh tokens of the exercise's player and of the wall, instead of those of the last start; kind → secret."""
    conn.execute(delete(token).where(token.c.created_by == "demo"))
    grants = {"api": [Grant(Role.DUTY_OFFICER, county)], "wall": [Grant(Role.WALL, county)]}
    return {
        kind: make_token(
            conn, kind=kind, name=names[kind], grants=grants[kind], created_by="demo", at=at, expires_at=at + 7 * DAY_US
        )[1]
        for kind in grants
    }


def _scope(conn: Connection, county: str, role: Role) -> str:
    """The whole county, but for those who answer for one community or one shelter."""
    tables = {Role.COMMUNITY_STAFF: "grids", Role.SHELTER_DESK: "shelters"}
    if role not in tables:
        return county
    table = LAYER_TABLES[tables[role]]
    column = table.c.community if role is Role.COMMUNITY_STAFF else table.c.code
    return str(conn.scalars(select(column).where(table.c.county == county).order_by(column).limit(1)).one())

"""The first start: without an account nobody could make one."""

import time
from typing import NamedTuple

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from pingji.data import audit
from pingji.data.access.accounts import LoginTaken, add_account, any_account
from pingji.data.engine import reading, writing
from pingji.ops.access import EVERYWHERE, Grant, Role

LOGIN = "admin"


class FirstAdministrator(NamedTuple):
    """What is said once, where the program was started."""

    login: str
    password: str


def ensure_administrator(engine: Engine) -> FirstAdministrator | None:
    """An administrator with a one-time password where there is no account at all, else None."""
    with reading(engine) as conn:
        if any_account(conn):
            return None
    try:
        with writing(engine) as conn:
            grants = [Grant(Role.ADMINISTRATOR, EVERYWHERE)]
            _, once = add_account(conn, login=LOGIN, name=LOGIN, grants=grants, at=time.time_ns() // 1000)
            audit.record(conn, action="account_added", object=LOGIN, detail={"first": True})
    except (IntegrityError, LoginTaken):  # another process came between our look and our write
        return None
    return FirstAdministrator(LOGIN, once or "")

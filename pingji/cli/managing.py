"""What `pingji user` and `pingji token` share: the store, and how they say what went wrong."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

import typer
from rich.markup import escape
from rich.table import Table
from sqlalchemy import select

from pingji.cli.console import err, out
from pingji.dashboard import errors
from pingji.dashboard.texts import t
from pingji.data import schema
from pingji.data.access.granting import UnknownGrantScope
from pingji.data.access.managing import Manager
from pingji.data.engine import open_engine, reading, writing
from pingji.data.errors import DataError
from pingji.data.places import places_named
from pingji.data.scopes import ZONE, find_scope
from pingji.data.tables import area
from pingji.ops.access import EVERYWHERE, Grant, Role
from pingji.ops.errors import OpsError
from pingji.settings import Settings

_CHINA = timezone(timedelta(hours=8))


@dataclass(frozen=True)
class Desk:
    """What a command works with."""

    manager: Manager
    language: str
    public_url: str

    def say(self, key: str, **params: object) -> None:
        """One text."""
        out.print(t(key, self.language, **params), markup=False)

    def grants(self, roles: Sequence[str], scope: str) -> list[Grant]:
        """Roles within a scope, which has to be one.

        Raises
        ------
        UnknownGrantScope
        """
        conn, county = self.manager.conn, self.manager.county
        if scope != EVERYWHERE:
            found = find_scope(conn, county, scope) if county else None
            if (found is None or found.level == ZONE) and scope not in places_named(conn, county, [scope]):
                raise UnknownGrantScope(scope=scope)
        return [Grant(Role(role), scope) for role in roles]

    def table(self, rows: Sequence[Sequence[str]], *columns: str) -> None:
        """Rows under headings, which are texts."""
        table = Table(*(t(f"accounts.cli.{name}", self.language) for name in columns), box=None)
        for row in rows:
            table.add_row(*(escape(cell) for cell in row))
        out.print(table)


@contextmanager
def managing(*, look: bool = False) -> Iterator[Desk]:
    """The store of the settings, in one transaction; whatever is refused is said, with status 2."""
    settings = Settings()
    try:
        engine = open_engine(settings.database_url)
        try:
            schema.require_current(engine)
            with reading(engine) if look else writing(engine) as conn:
                query = select(area.c.code).where(area.c.level == "county").order_by(area.c.id).limit(1)
                county = settings.county or conn.scalar(query) or ""
                manager = Manager(conn, time.time_ns() // 1000, county)
                yield Desk(manager, settings.language, settings.public_url or f"http://{settings.host}:{settings.port}")
        finally:
            engine.dispose()
    except (DataError, OpsError) as error:
        known = next((kind for kind in type(error).__mro__ if kind in errors.STATUS), None)
        if known is None:
            raise
        err.print(errors.detail(errors.STATUS[known][1], settings.language, error.params), style="red", markup=False)
        raise typer.Exit(2) from error


def grants_text(grants: Sequence[Grant]) -> str:
    """Grants as a table shows them."""
    return ", ".join(f"{grant.role.value}:{grant.scope}" for grant in grants)


def day_text(at: int) -> str:
    """A day and a time in China; nothing for never."""
    if not at:
        return ""
    return datetime.fromtimestamp(at / 1_000_000, UTC).astimezone(_CHINA).strftime("%Y-%m-%d %H:%M")

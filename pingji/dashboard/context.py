"""What one process works with: settings, store, writer, and the hub that feeds its screens."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Engine, select

from pingji.data.engine import reading
from pingji.data.scopes import COUNTY, Scope
from pingji.data.tables import area
from pingji.data.writer import Writer
from pingji.ops.errors import OpsError
from pingji.settings import Settings


class NoCounty(OpsError):
    """The store holds no county yet: make the demo, or import one."""


def now_us() -> int:
    """Microseconds since 1970 UTC."""
    return time.time_ns() // 1000


@dataclass(frozen=True)
class Context:
    """Handed to every door; it holds no figures, so that any number of processes can serve one store."""

    settings: Settings
    engine: Engine
    writer: Writer
    on_change: Callable[[], None] = lambda: None  # called after a commit of this process that the writer did not make
    on_access: Callable[[], None] = lambda: None  # called after accounts, sessions or tokens of this process changed
    _code: list[str] = field(default_factory=list, repr=False)

    def county_or_none(self) -> Scope | None:
        """The county that is served: the one that the settings name, else the first in the store."""
        a = area.c
        query = select(a.code, a.name).where(a.level == COUNTY).order_by(a.id)
        if self.settings.county:
            query = query.where(a.code == self.settings.county)
        with reading(self.engine) as conn:
            row = conn.execute(query.limit(1)).one_or_none()
        return Scope(row.code, row.code, COUNTY, row.name) if row else None

    @property
    def county_code(self) -> str:
        """The code of the county that is served; asked once, since it is needed for every movement."""
        if not self._code:
            self._code.append(self.county.code)
        return self._code[0]

    @property
    def county(self) -> Scope:
        """The county that is served.

        Raises
        ------
        NoCounty
            Where the store has none.
        """
        county = self.county_or_none()
        if county is None:
            raise NoCounty()
        return county

"""What the audit hears of somebody who is only just coming in, or would like to: nobody acts yet."""

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import Connection

from pingji.data import audit
from pingji.data.origin import acting, origin


def tell_as(
    conn: Connection,
    ident: str,
    name: str,
    action: str,
    *,
    outcome: str = audit.DONE,
    detail: Mapping[str, object] | None = None,
) -> None:
    """One entry under a name that the request does not have yet."""
    with acting(replace(origin(), id=ident, name=name)):
        audit.record(conn, action=action, object=name, outcome=outcome, detail=detail)

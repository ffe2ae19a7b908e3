"""Who acts in this request or command, and where from: what the audit and the logs write beside what was done.

A context variable, because it belongs to the whole of a request: the guard and the command line set it, everything
below reads it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an act comes from."""

    id: str = ""  # of the account, token or session
    name: str = ""  # as people read it
    door: str = "system"  # session | token | device | cli | system
    address: str = ""  # the client's IP address, or the machine's user for the command line
    request: str = ""  # the request's id, the same as in the logs


_SYSTEM = Origin()
_origin: ContextVar[Origin] = ContextVar("origin", default=_SYSTEM)


def origin() -> Origin:
    """Who acts now."""
    return _origin.get()


@contextmanager
def acting(who: Origin) -> Iterator[None]:
    """What is done inside is done by `who`."""
    token = _origin.set(who)
    try:
        yield
    finally:
        _origin.reset(token)

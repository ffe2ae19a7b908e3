"""One entry of the audit, and the hash that chains it to the one before."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson

from pingji.data.tables.audit import audit

DONE, REFUSED = "done", "refused"
NO_HASH = "0" * 64  # what the first entry follows
COLUMNS = tuple(str(column.name) for column in audit.c)


@dataclass(frozen=True, slots=True)
class Entry:
    """One act. `at` in microseconds since 1970 UTC; the columns are those of `data.tables.audit`, in their order."""

    seq: int
    at: int
    actor: str
    actor_id: str
    door: str
    address: str
    request: str
    action: str
    object: str
    scope: str
    purpose: str
    outcome: str
    detail: dict[str, Any]
    previous: str
    hash: str


def hash_of(values: dict[str, Any]) -> str:
    """The hash of an entry: SHA-256 over all of its columns but the hash itself, as JSON with sorted keys.

    The hash of the entry before is one of the columns, so that each hash stands for all entries up to it.

    >>> hash_of({"seq": 1, "detail": {"b": 1, "a": 2}}) == hash_of({"detail": {"a": 2, "b": 1}, "seq": 1})
    True
    """
    return sha256(orjson.dumps(values, option=orjson.OPT_SORT_KEYS)).hexdigest()

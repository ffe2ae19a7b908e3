"""Measurements of the store and its machine, for the health page; each is taken by itself and may fail by itself."""

import ctypes
import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from cryptography import x509
from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from pingji.data import schema
from pingji.data.audit.search import VERIFIED, latest_of
from pingji.data.engine import reading
from pingji.data.errors import DataError
from pingji.data.tables.access import account
from pingji.ops.health import Room

MARK = "last-backup.json"
_TIME_ERROR = 5  # ntp_adjtime's answer where nothing keeps the clock true


@dataclass(frozen=True, slots=True)
class Store:
    """What the store said of itself; `ms` is None where it said nothing."""

    ms: float | None = None
    current: bool = False
    kind: str = ""
    version: str = ""
    revision: str = ""
    size_mb: float = 0.0
    offset_s: float | None = None  # its clock, less this machine's
    verified_at: int | None = None  # microseconds since 1970 UTC
    whole: bool | None = None
    locked: int = 0


def ask(engine: Engine) -> Store:
    """Ask the store how it is; one that doesn't answer is an answer too."""
    try:
        began = time.perf_counter()
        with reading(engine) as conn:
            conn.execute(text("SELECT 1"))
            ms = (time.perf_counter() - began) * 1000
            kind = engine.dialect.name
            version, size = _about(conn, kind)
            offset = _offset(conn) if kind == "postgresql" else None
        revision = schema.current_revision(engine) or ""
    except (SQLAlchemyError, DataError, OSError):
        return Store(kind=engine.dialect.name)
    found = Store(ms, schema.is_current(engine), kind, version, revision, size, offset)
    return replace(found, **_kept(engine)) if found.current else found


def _kept(engine: Engine) -> dict[str, Any]:
    """What only a store with this program's tables can tell."""
    now = time.time_ns() // 1000
    with reading(engine) as conn:
        locked = conn.execute(select(func.count()).where(account.c.locked_until > now)).scalar_one()
        checked = latest_of(conn, VERIFIED)
    if not checked:
        return {"locked": locked}
    return {"locked": locked, "verified_at": checked[0].at, "whole": bool(checked[0].detail.get("whole"))}


def _about(conn: Connection, kind: str) -> tuple[str, float]:
    """Its version, and its size in MB."""
    if kind == "postgresql":
        query = "SELECT current_setting('server_version'), pg_database_size(current_database())"
    else:
        query = "SELECT sqlite_version(), (SELECT page_count * page_size FROM pragma_page_count, pragma_page_size)"
    version, size = conn.execute(text(query)).one()
    return str(version).partition(" ")[0], round(int(size) / 1e6, 1)


def _offset(conn: Connection) -> float:
    """Seconds that the server's clock is ahead; half of the way there and back belongs to each."""
    before = time.time()
    theirs = float(conn.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
    return theirs - (before + time.time()) / 2


def clock_synchronised() -> bool | None:
    """Whether the kernel's clock is kept true by NTP or the like; None where it can't be told."""
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None, use_errno=True)
        answer = library.ntp_adjtime(ctypes.create_string_buffer(512))  # struct timex, modes 0: it only asks
        return None if answer < 0 else int(answer) != _TIME_ERROR
    return None


def room(folder: Path) -> Room | None:
    """Room on the disk of a folder, or of the nearest one above that exists."""
    for place in (folder, *folder.resolve().parents):
        with suppress(OSError):
            found = shutil.disk_usage(place)
            return Room(found.free, found.total)
    return None


def certificate_days(file: Path) -> float | None:
    """Days until a certificate (PEM) is over; None where it can't be read."""
    try:
        until = x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        return None
    return (until - datetime.now(UTC)).total_seconds() / 86_400


def mark_backup(folder: Path, file: Path) -> None:
    """Note beside the backups that one was made."""
    note = {"at": time.time(), "file": file.name, "bytes": file.stat().st_size}
    unfinished = folder / f".{MARK}.{os.getpid()}"
    unfinished.write_bytes(orjson.dumps(note))
    unfinished.replace(folder / MARK)


def backup_age_s(folder: Path) -> float | None:
    """Seconds since the latest backup that `pingji db backup` noted there."""
    try:
        return max(0.0, time.time() - float(orjson.loads((folder / MARK).read_bytes())["at"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None

"""A store's backup as one file, made while the store is in use, and its return: all of it or nothing."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.engine import URL

from pingji.data.engine import open_engine, writing
from pingji.data.errors import BackupFailed, BackupToolMissing, NotABackup
from pingji.data.notify import notify
from pingji.data.sealing import Keyring, keys_of
from pingji.data.tables import metadata
from pingji.data.tables.audit import REFUSING_FUNCTION

_OURS = ("alembic_version", "area", "movement", "whereabouts")  # what makes a file a backup of ours
_KEYS = "sealing_key"
_SQLITE_MAGIC = b"SQLite format 3\0"
_POSTGRESQL_MAGIC = b"PGDMP"


def backup(engine: Engine, path: Path) -> None:
    """Write the store as it is at this moment into one file; writers aren't held up.

    Raises
    ------
    BackupFailed
        Nothing is left at `path` that wasn't there before.
    BackupToolMissing
        PostgreSQL's pg_dump isn't installed.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if engine.dialect.name == "sqlite":
            _dump_sqlite(str(engine.url.database), unfinished)
        else:
            tables = [f"--table=public.{name}" for name in (*metadata.tables, "alembic_version")]
            _run("pg_dump", engine.url, "--format=custom", "--no-owner", f"--file={unfinished}", *tables)
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(path)
    except (OSError, sqlite3.Error) as e:
        raise BackupFailed(file=str(path), reason=str(e)) from e
    finally:
        unfinished.unlink(missing_ok=True)


def restore(path: Path, url: str) -> None:
    """Replace what a store holds by what a backup of the same kind of store holds, in one transaction.

    Raises
    ------
    NotABackup
        The file isn't a backup of ours for this kind of store, or is damaged; the store is as it was.
    KeyMissing
        What is personal in it was sealed with a key that isn't at hand; the store is as it was.
    BackupFailed
        The store couldn't be written; it is as it was.
    BackupToolMissing
        PostgreSQL's pg_restore isn't installed.
    """
    engine = open_engine(url)
    try:
        if engine.dialect.name == "sqlite":
            _restore_sqlite(path, str(engine.url.database), keys_of(engine))
        else:
            _restore_postgresql(path, engine)
    finally:
        engine.dispose()


def _dump_sqlite(database: str, target: Path) -> None:
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # so that the one file is all there is


def _restore_sqlite(path: Path, database: str, keys: Keyring) -> None:
    with _reading_backup(path) as source:
        keys.require(_keys_in_sqlite(source))
        try:
            # Into the existing file rather than over it: SQLite makes that one transaction, open connections of
            # other processes see it, and no write-ahead log of the old file can be applied to the new one.
            with closing(sqlite3.connect(database, timeout=10)) as target:
                source.backup(target)
                target.execute("PRAGMA journal_mode = WAL")
        except sqlite3.Error as e:
            raise BackupFailed(file=str(path), reason=str(e)) from e


@contextmanager
def _reading_backup(path: Path) -> Iterator[sqlite3.Connection]:
    _require_magic(path, _SQLITE_MAGIC)
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as source:
        try:
            names = {name for (name,) in source.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            (verdict,) = source.execute("PRAGMA integrity_check(1)").fetchone()
        except sqlite3.Error as e:
            raise NotABackup(file=str(path), reason=str(e)) from e
        if verdict != "ok":
            raise NotABackup(file=str(path), reason=verdict)
        if missing := [name for name in _OURS if name not in names]:
            raise NotABackup(file=str(path), reason=f"no table {missing[0]}")
        yield source


def _keys_in_sqlite(source: sqlite3.Connection) -> list[str]:
    """Ids of the keys that a backup is sealed with; none in one from before there were keys."""
    if source.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (_KEYS,)).fetchone() is None:
        return []
    return [id for (id,) in source.execute(f"SELECT id FROM {_KEYS}")]


def _keys_in_postgresql(path: Path) -> list[str]:
    """The same: the first column of the rows between COPY and its end."""
    try:
        dumped = _run("pg_restore", None, "--data-only", f"--table={_KEYS}", "--file=-", str(path)).splitlines()
    except BackupFailed as e:
        raise NotABackup(**e.params) from e
    begin = next((n for n, line in enumerate(dumped) if line.startswith("COPY ")), None)
    if begin is None:
        return []
    rows = dumped[begin + 1 : dumped.index("\\.", begin)]
    return [row.partition("\t")[0] for row in rows]


def _restore_postgresql(path: Path, engine: Engine) -> None:
    _require_magic(path, _POSTGRESQL_MAGIC)
    try:
        contents = _run("pg_restore", None, "--list", str(path))
    except BackupFailed as e:
        raise NotABackup(**e.params) from e
    if missing := [name for name in _OURS if f" TABLE public {name} " not in contents]:
        raise NotABackup(file=str(path), reason=f"no table {missing[0]}")
    keys_of(engine).require(_keys_in_postgresql(path))
    _make_ready(engine)
    try:
        _run(
            "pg_restore",
            engine.url,
            "--clean",
            "--if-exists",
            "--no-owner",
            "--single-transaction",
            "--exit-on-error",
            str(path),
        )
    except BackupFailed as e:
        # The list stands at the front: a file cut short is only noticed here, and rolled back.
        damaged = "archive" in str(e.params["reason"]) or "end of file" in str(e.params["reason"])
        raise (NotABackup(**e.params) if damaged else e) from e
    keys_of(engine).forget()
    with writing(engine) as connection:
        notify(connection, "restore")


def _make_ready(engine: Engine) -> None:
    """What a backup of tables does not carry: the extension and our function.

    By the driver: what the store holds by now may be sealed with a key that is lost, which is a reason to restore.
    """
    with engine.connect() as connection:
        driver: Any = connection.connection
        driver.execute("CREATE EXTENSION IF NOT EXISTS postgis")
        driver.execute(REFUSING_FUNCTION)
        driver.commit()


def _require_magic(path: Path, magic: bytes) -> None:
    try:
        with path.open("rb") as file:
            found = file.read(len(magic))
    except OSError as e:
        raise NotABackup(file=str(path), reason=e.strerror or str(e)) from e
    if found != magic:
        raise NotABackup(file=str(path), reason="another kind of file")


def _run(program: str, url: URL | None, *arguments: str) -> str:
    """Run one of PostgreSQL's programs; its password goes by environment, where `ps` doesn't show it."""
    environment = dict(os.environ, LC_ALL="C.UTF-8")
    target: list[str] = []
    if url is not None:
        if url.password:
            environment["PGPASSWORD"] = str(url.password)
        plain = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
        target = ["--dbname", plain.render_as_string(hide_password=False)]
    done = subprocess.run(
        [_program(program), *target, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise BackupFailed(file=arguments[-1], reason=done.stderr.strip()[:2000])
    return done.stdout


def _program(name: str) -> str:
    # Debian's wrapper on the path picks by cluster, which a remote server isn't: the newest one reads them all.
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda p: int(p.parts[-3]))
    found = str(versions[-1]) if versions else shutil.which(name)
    if found is None:
        raise BackupToolMissing(program=name)
    return found

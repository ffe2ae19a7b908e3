"""A PostgreSQL cluster with PostGIS of our own: started here, thrown away after."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

MISSING = (
    "PostgreSQL with PostGIS is missing, and these tests never skip: run `make test`, or "
    "`apt-get install postgresql postgresql-15-postgis-3` (the package of your Debian's PostgreSQL version)"
)
_INITDB = ("-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions")
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
_DURABLE = ("fsync=on", "synchronous_commit=on", "full_page_writes=on", "shared_buffers=256MB")


@dataclass(frozen=True)
class Cluster:
    """A running cluster, reached by a socket in `folder`: no port to collide with anybody's."""

    folder: Path

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}&port=5432"

    def execute(self, statement: str) -> None:
        with psycopg.connect(
            host=str(self.folder), port=5432, user="postgres", dbname="postgres", autocommit=True
        ) as c:
            c.execute(statement.encode())

    @contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        """The URL of a fresh database."""
        name = f"t{uuid4().hex}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        try:
            yield self.url(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def running_cluster(*, durable: bool = False, settings: tuple[str, ...] = ()) -> Iterator[Cluster]:
    """Start a cluster and stop it at the end; `durable` is what a benchmark of commits needs."""
    programs = _programs()
    # Root is refused by PostgreSQL, and user postgres can't enter a home of mode 700: hence a folder of its own.
    folder = Path(tempfile.mkdtemp(prefix="pingji-pg-"))
    spawn: dict[str, Any] = {"cwd": "/", "env": dict(os.environ, LC_ALL="C.UTF-8", HOME=str(folder))}
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        spawn |= {"user": "postgres", "group": "postgres", "extra_groups": []}
    chosen = (*(_DURABLE if durable else _FAST), "max_connections=150", "listen_addresses=", *settings)
    options = [word for setting in chosen for word in ("-c", setting)]
    try:
        subprocess.run(
            [programs / "initdb", "-D", folder / "data", *_INITDB],
            check=True,
            stdout=subprocess.DEVNULL,
            **spawn,
        )
        with (folder / "log").open("w") as log:
            server = subprocess.Popen(
                [str(programs / "postgres"), "-D", str(folder / "data"), "-k", str(folder), "-p", "5432", *options],
                stdout=log,
                stderr=subprocess.STDOUT,
                **spawn,
            )
        try:
            cluster = Cluster(folder)
            _wait(cluster, server)
            yield cluster
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: int(p.parts[-3]))
    for program in reversed(found):
        if (Path("/usr/share/postgresql") / program.parts[-3] / "extension" / "postgis.control").exists():
            return program.parent
    raise RuntimeError(MISSING)


def _wait(cluster: Cluster, server: "subprocess.Popen[Any]") -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            cluster.execute("SELECT 1")
            return
        except psycopg.OperationalError as e:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL didn't start: {(cluster.folder / 'log').read_text()[-2000:]}") from e
            time.sleep(0.02)

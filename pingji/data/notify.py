"""How a process learns that somebody committed: PostgreSQL's LISTEN, or SQLite's `data_version`."""

import logging
import os
import selectors
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from threading import Event, Thread
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, text

log = logging.getLogger(__name__)

_CHANNEL = "pingji"
_POLL_S = 0.1
_RETRY_S = 1.0


def notify(connection: Connection, topic: str) -> None:
    """Tell every process, when this transaction commits. `topic` names ids, never data (PostgreSQL: < 8 kB).

    Nothing to do on SQLite: there the commit itself is what other processes see.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_notify(:channel, :topic)"), {"channel": _CHANNEL, "topic": topic})


class Listener:
    """One thread that calls `on_change` after commits of any process, several at once in one call.

    Parameters
    ----------
    engine : Engine
        PostgreSQL: needs a direct connection of its own, not one behind transaction pooling.
    on_change : callable
        Runs on the thread and may be called once too often: on starting, and after a lost connection, because
        something may have happened unheard.

    Notes
    -----
    SQLite doesn't show a process the commits of its own connections in time: call `poke` after those.
    """

    def __init__(self, engine: Engine, on_change: Callable[[], None]) -> None:
        self._engine = engine
        self._on_change = on_change
        self._stopping = Event()
        self._wake_read, self._wake_write = -1, -1
        self._thread: Thread | None = None

    def start(self) -> None:
        """Begin to listen; does nothing when listening already."""
        if self._thread is not None:
            return
        self._stopping.clear()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._thread = Thread(target=self._run, name="pingji-listener", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and give back its connection."""
        if self._thread is None:
            return
        self._stopping.set()
        self.poke()
        self._thread.join()
        self._thread = None
        os.close(self._wake_read)
        os.close(self._wake_write)

    def poke(self) -> None:
        """Call `on_change` soon, for a commit of this process."""
        if self._thread is None:
            return
        with suppress(BlockingIOError):  # the pipe is full of pokes: one more changes nothing
            os.write(self._wake_write, b".")

    def _run(self) -> None:
        once = self._listen if self._engine.dialect.name == "postgresql" else self._poll
        while not self._stopping.is_set():
            try:
                once()
            except (psycopg.Error, sqlite3.Error, OSError) as e:
                log.warning("listener lost the database, trying again: %s", e)
                self._stopping.wait(_RETRY_S)

    def _listen(self) -> None:
        with closing(self._connect()) as connection, selectors.DefaultSelector() as selector:
            connection.execute(f"LISTEN {_CHANNEL}")
            selector.register(connection.fileno(), selectors.EVENT_READ)
            selector.register(self._wake_read, selectors.EVENT_READ)
            self._call()
            while not self._stopping.is_set():
                ready = {key.fd for key, _ in selector.select()}
                poked = self._wake_read in ready
                if poked:
                    self._drain()
                heard = list(connection.notifies(timeout=0)) if connection.fileno() in ready else []
                if poked or heard:
                    self._call()

    def _connect(self) -> "psycopg.Connection[Any]":
        _, arguments = self._engine.dialect.create_connect_args(self._engine.url)
        # A server that vanished without a word is noticed in about 15 s.
        patience = {"connect_timeout": 5, "keepalives_idle": 5, "keepalives_interval": 3, "keepalives_count": 3}
        return psycopg.connect(**{**patience, **arguments}, autocommit=True, application_name="pingji-listener")

    def _poll(self) -> None:
        with (
            closing(sqlite3.connect(str(self._engine.url.database), check_same_thread=False)) as connection,
            selectors.DefaultSelector() as selector,
        ):
            selector.register(self._wake_read, selectors.EVENT_READ)
            seen = self._data_version(connection)
            self._call()
            while not self._stopping.is_set():
                poked = bool(selector.select(_POLL_S))
                if poked:
                    self._drain()
                now = self._data_version(connection)
                if poked or now != seen:
                    seen = now
                    self._call()

    @staticmethod
    def _data_version(connection: sqlite3.Connection) -> int:
        (version,) = connection.execute("PRAGMA data_version").fetchone()
        return int(version)

    def _drain(self) -> None:
        with suppress(BlockingIOError):
            while os.read(self._wake_read, 4096):
                pass

    def _call(self) -> None:
        if self._stopping.is_set():
            return
        try:
            self._on_change()
        except Exception:  # whatever a subscriber does wrong, the next change must still be heard
            log.exception("a subscriber to changes failed")

"""The group-committing writer: one thread a process that turns many waiting requests into one durable commit."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Thread
from typing import cast

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from pingji.data.engine import writing
from pingji.data.ingest import Outcome, record
from pingji.data.notify import notify
from pingji.ops.movement import Movement

log = logging.getLogger(__name__)
MAX_GROUP = 4_000  # movements in one transaction: past that a commit costs little beside the work
LINGER_S = 0.010  # at most that long after a group of several, and only while more keep coming
LINGER_STEP_S = 0.002
_ATTEMPTS = 3  # two processes may deadlock on PostgreSQL; the whole transaction can be done again, since ids dedupe


@dataclass(frozen=True)
class _Request:
    county: str
    movements: Sequence[Movement]
    done: "Future[Outcome] | asyncio.Future[Outcome]" = field(default_factory=Future)
    loop: asyncio.AbstractEventLoop | None = None  # of an asyncio future, which only its own loop may complete


class Writer:
    """Takes movements from any thread and acknowledges them when they are on disk.

    Parameters
    ----------
    engine : Engine
    on_commit : callable
        Called on the writer's thread after each commit.
    """

    def __init__(self, engine: Engine, on_commit: Callable[[], None]) -> None:
        self._engine = engine
        self._on_commit = on_commit
        self._queue: SimpleQueue[_Request | None] = SimpleQueue()
        self._thread: Thread | None = None
        self.commits = 0  # of this process, as are these: for whoever keeps it running
        self.written = 0
        self.latest_group = 0

    @property
    def waiting(self) -> int:
        """How many requests wait to be written."""
        return self._queue.qsize()

    def start(self) -> None:
        """Begin to write."""
        self._thread = Thread(target=self._run, name="pingji-writer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what is waiting, then end."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None

    def submit(self, county: str, movements: Sequence[Movement]) -> "Future[Outcome]":
        """Hand over movements; the future has their outcome once it is durable, or the error that kept them out."""
        done: Future[Outcome] = Future()
        done.set_running_or_notify_cancel()  # a waiter that gives up must not take its neighbours' answers
        self._queue.put(_Request(county, movements, done))
        return done

    async def write(self, county: str, movements: Sequence[Movement]) -> Outcome:
        """The same from an event loop; whoever gives up waiting doesn't take back what was handed over."""
        loop = asyncio.get_running_loop()
        request = _Request(county, movements, loop.create_future(), loop)
        self._queue.put(request)
        return await asyncio.shield(cast("asyncio.Future[Outcome]", request.done))

    def _run(self) -> None:
        crowded = False
        while (first := self._queue.get()) is not None:
            if crowded:
                self._linger()
            group, stopping = self._gather(first)
            crowded = len(group) > 1
            try:
                self._write_group(group)
            except Exception:  # the writer must outlive whatever one group holds
                log.exception("a group of movements could not be written")
            if stopping:
                return

    def _linger(self) -> None:
        """Let those who speak at once come together: each waits for one commit anyway, and fewer commits are cheaper.

        Not for one device alone, which would only wait longer.
        """
        until = time.monotonic() + LINGER_S
        waiting = -1
        while self._queue.qsize() != waiting and time.monotonic() < until:
            waiting = self._queue.qsize()
            time.sleep(LINGER_STEP_S)

    def _gather(self, first: _Request) -> tuple[list[_Request], bool]:
        """Whatever else is waiting for the same county."""
        group, size = [first], len(first.movements)
        while size < MAX_GROUP:
            try:
                request = self._queue.get_nowait()
            except Empty:
                break
            if request is None:
                return group, True
            group.append(request)
            size += len(request.movements)
        return group, False

    def _write_group(self, group: list[_Request]) -> None:
        try:
            outcomes = self._write(group)
        except Exception as error:  # handed to whoever waits, never lost
            if len(group) == 1:
                _answer([(group[0], error)])
                return
            # One request may be poison to the others' transaction: each gets its own.
            for request in group:
                self._write_group([request])
            return
        self.commits += 1
        self.latest_group = sum(len(request.movements) for request in group)
        self.written += self.latest_group
        try:
            self._on_commit()
        finally:  # it is durable: whatever the screens' wake-up comes to, who waits must hear so
            _answer(list(zip(group, outcomes, strict=True)))

    def _write(self, group: list[_Request]) -> list[Outcome]:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                received_at = time.time_ns() // 1000
                with writing(self._engine) as conn:
                    outcomes = _record_all(conn, group, received_at)
                    notify(conn, "movements")
                return outcomes
            except OperationalError:
                if attempt == _ATTEMPTS:
                    raise
        raise AssertionError("unreachable")


def _answer(answers: Sequence[tuple[_Request, Outcome | Exception]]) -> None:
    """Complete what is waited for; a loop is woken once for all that wait on it, which is most of a wake-up's cost."""
    by_loop: dict[asyncio.AbstractEventLoop | None, list[tuple[_Request, Outcome | Exception]]] = {}
    for request, answer in answers:
        by_loop.setdefault(request.loop, []).append((request, answer))
    for loop, mine in by_loop.items():
        if loop is None:
            _complete(mine)
        elif not loop.is_closed():
            loop.call_soon_threadsafe(_complete, mine)


def _complete(answers: Sequence[tuple[_Request, Outcome | Exception]]) -> None:
    for request, answer in answers:
        if request.done.done():
            continue  # its loop is shutting down and cancelled it
        if isinstance(answer, Exception):
            request.done.set_exception(answer)
        else:
            request.done.set_result(answer)


def _record_all(conn: Connection, group: Sequence[_Request], received_at: int) -> list[Outcome]:
    """One outcome a request; the requests of one county are recorded together."""
    outcomes: dict[int, Outcome] = {}
    for county in dict.fromkeys(request.county for request in group):
        mine = [request for request in group if request.county == county]
        whole = record(conn, county, [m for request in mine for m in request.movements], received_at)
        outcomes.update({id(r): part for r, part in zip(mine, _share(whole, mine), strict=True)})
    return [outcomes[id(request)] for request in group]


def _share(whole: Outcome, requests: Sequence[_Request]) -> list[Outcome]:
    """The outcome of a group, divided among its requests; an id that two of them sent is a duplicate to the later."""
    accepted, refused = set(whole.accepted), dict(whole.refused)
    parts = []
    for request in requests:
        part = Outcome()
        for m in request.movements:
            if m.id in accepted:
                accepted.remove(m.id)
                part.accepted.append(m.id)
            elif m.id in refused:
                part.refused.append((m.id, refused[m.id]))
            else:
                part.duplicates.append(m.id)
        parts.append(part)
    return parts

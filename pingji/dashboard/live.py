"""The live hub: one reader a process, and one bounded queue a screen.

A commit wakes the hub; it reads the figures once, and sends each screen only what changed. Notifications carry no
data, so a lost one costs only delay: the hub reads every two seconds anyway.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import orjson

from pingji.dashboard import queries
from pingji.dashboard.context import Context, now_us
from pingji.dashboard.guard import Known
from pingji.dashboard.suppress import public_figures
from pingji.dashboard.views import View, seen
from pingji.data.engine import reading
from pingji.data.scopes import Scope

log = logging.getLogger(__name__)

Still = Callable[[], Awaitable[Known]]  # whether the caller of a screen may still look
HEARTBEAT_S = 3.0
REREAD_S = 2.0
PAUSE_S = 0.02  # between two readings under load: what changes meanwhile goes out together
SHARE = 2  # and at least this many times as long as a reading took: counting comes before showing
ROUTINE_S = 30.0
SETTLE_S = 1.0  # after an import or a publication the maps ask for what is new, and they go first
QUEUE = 64  # messages that a slow screen may lag behind before it gets a fresh snapshot


def encode(kind: str, values: Mapping[str, object], removed: list[str]) -> bytes:
    """One message of the stream."""
    message = {"kind": kind, "at": time.time_ns() // 1_000_000, "values": values, "removed": removed}
    return b"data: " + orjson.dumps(message) + b"\n\n"


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    """Until the event is set, or the time is over.

    Not `asyncio.wait_for`: up to Python 3.11 it swallows a cancellation that comes together with the event, and a
    server that shuts down while people are counted would wait for ever.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


def _last_data(figures: Mapping[str, object]) -> object:
    """What tells one state of the map's data from the next: the last import, and the last publication of grids."""
    events = figures.get("events")
    imported = [e["at"] for e in events if e["kind"] == "import"][:1] if isinstance(events, list) else None
    return imported, figures.get("grids")


@dataclass(eq=False)
class _Screen:
    view: View
    queue: "asyncio.Queue[bytes | None]" = field(default_factory=lambda: asyncio.Queue(QUEUE))


class Hub:
    """Feeds the screens of one process. Made and used on the event loop; `wake` may be called from any thread."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._screens: set[_Screen] = set()
        self._all: dict[str, object] = {}  # everything; nobody is shown this
        self._figures: dict[View, dict[str, object]] = {}  # what each view that a screen has was shown last
        self._sent: dict[View, float] = {}  # when each view was last sent anything
        self._scopes: dict[str, Scope] = {}
        self._ready = asyncio.Event()
        self._changed = asyncio.Event()
        self._imported = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._routine: dict[str, object] = {}
        self.read_seconds = 0.0
        self.read_at: float | None = None  # by the monotonic clock

    @property
    def screens(self) -> int:
        """How many screens are connected."""
        return len(self._screens)

    async def start(self) -> None:
        """Begin to read and send."""
        self._loop = asyncio.get_running_loop()
        self._tasks = [asyncio.create_task(self._run()), asyncio.create_task(self._run_routine())]

    async def stop(self) -> None:
        """Send every screen away."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for screen in self._screens:
            self._offer(screen, None)

    def wake(self) -> None:
        """Something was committed."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._changed.set)

    async def messages(self, view: View, still: Still | None = None) -> AsyncIterator[bytes]:
        """The stream of one screen: a snapshot, then what changes, and a heartbeat.

        `still` tells whether its caller may still look; where not, the stream says so and ends.
        """
        await self._ready.wait()
        screen = _Screen(view)
        if view.audience == "staff" and not view.area.whole and not self._scopes:
            self._scopes = await asyncio.to_thread(self._placement)
        if view not in self._figures:
            self._figures[view] = self._shown(view)
            self._sent[view] = time.monotonic()
        self._screens.add(screen)
        asked = time.monotonic()
        try:
            yield b"retry: 1000\n" + encode("snapshot", self._figures[view], [])
            while (message := await screen.queue.get()) is not None:
                if still is not None and time.monotonic() - asked >= HEARTBEAT_S:
                    asked = time.monotonic()
                    if (await still()).caller is None:
                        yield encode("signed_out", {}, [])
                        return
                yield message
        finally:
            self._screens.discard(screen)

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            try:
                await self._refresh()
            except Exception:  # a screen must see "stale", not a dead hub: no heartbeat until reading works again
                log.exception("the live figures could not be read")
                await asyncio.sleep(1)
                continue
            now = time.monotonic()
            beat = encode("heartbeat", {}, [])
            # By view: where one township counts, the screens of the others have nothing new, and are not stale.
            silent = [view for view in self._figures if now - self._sent.get(view, 0.0) >= HEARTBEAT_S]
            self._broadcast(dict.fromkeys(silent, beat))
            await asyncio.sleep(max(PAUSE_S, SHARE * self.read_seconds))
            oldest = min((self._sent.get(view, 0.0) for view in self._figures), default=time.monotonic())
            heartbeat_in = oldest + HEARTBEAT_S - time.monotonic()
            await _set_within(self._changed, max(0.0, min(REREAD_S, heartbeat_in)))

    async def _run_routine(self) -> None:
        """The figures of quiet times by themselves: they take longer to read and nobody waits for them."""
        while True:
            self._imported.clear()  # before reading: what comes in meanwhile is read in the next round
            try:
                self._routine = await asyncio.to_thread(self._read_routine)
                self._changed.set()
            except Exception:  # as above; the next round tries again
                log.exception("the routine figures could not be read")
            await _set_within(self._imported, ROUTINE_S)
            if self._imported.is_set():
                await asyncio.sleep(SETTLE_S)

    def _read_routine(self) -> dict[str, object]:
        county = self._context.county_or_none()
        if county is None:
            return {}
        with reading(self._context.engine) as conn:
            return queries.routine(conn, county)

    async def _refresh(self) -> None:
        before, self._all = self._all, await asyncio.to_thread(self._read)
        if _last_data(before) != _last_data(self._all):
            self._imported.set()
        watched = {screen.view for screen in self._screens}
        self._figures = {view: shown for view, shown in self._figures.items() if view in watched}
        messages: dict[View, bytes] = {}
        for view, shown in self._figures.items():
            after = self._shown(view)
            values = {key: value for key, value in after.items() if shown.get(key) != value}
            removed = [key for key in shown if key not in after]
            self._figures[view] = after
            if values or removed:
                messages[view] = encode("delta", values, removed)
        self._ready.set()
        self._broadcast(messages)

    def _shown(self, view: View) -> dict[str, object]:
        """The figures as a view has them."""
        if view.audience == "staff":
            return seen(self._all, view, self._scopes)
        county = self._all.get("county")
        return public_figures(self._all, str(county["code"]) if isinstance(county, dict) else "")

    def _placement(self) -> dict[str, Scope]:
        county = self._context.county_or_none()
        if county is None:
            return {}
        with reading(self._context.engine) as conn:
            return queries.placement(conn, county)

    def _read(self) -> dict[str, object]:
        began = time.perf_counter()
        county = self._context.county_or_none()
        if county is None:
            return {"county": None}
        with reading(self._context.engine) as conn:
            target = self._context.settings.evacuation_target_min
            figures = queries.situation_figures(conn, county, now_us(), target)
            if any(view.audience == "staff" and not view.area.whole for view in list(self._figures)):
                self._scopes = queries.placement(conn, county)
        self.read_seconds = time.perf_counter() - began
        self.read_at = time.monotonic()
        return {"county": {"code": county.code, "name": county.name}, "routine": self._routine, **figures}

    def _broadcast(self, messages: Mapping[View, bytes]) -> None:
        self._sent = {view: self._sent.get(view, 0.0) for view in self._figures}
        self._sent.update(dict.fromkeys(messages, time.monotonic()))
        for screen in self._screens:
            if (message := messages.get(screen.view)) is not None:
                self._offer(screen, message)

    def _offer(self, screen: _Screen, message: bytes | None) -> None:
        """Never wait for a slow screen: throw its backlog away and start it afresh."""
        try:
            screen.queue.put_nowait(message)
        except asyncio.QueueFull:
            while not screen.queue.empty():
                screen.queue.get_nowait()
            fresh = encode("snapshot", self._figures[screen.view], []) if message is not None else None
            screen.queue.put_nowait(fresh)

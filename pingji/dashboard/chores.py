"""What the server does by itself while nobody asks: hands posts over, anonymises what is due, forgets old sessions."""

import asyncio
import logging
import time
from collections.abc import Callable

from pingji.dashboard.context import Context, now_us
from pingji.data import retention
from pingji.data.access.sessions import clear_expired
from pingji.data.engine import writing
from pingji.data.organisation.handover import hand_over_due

log = logging.getLogger(__name__)

HAND_OVER_S = 5.0  # a deputy hears at most so much later than due
DAILY_S = 86_400.0
FIRST_DAILY_S = 60.0  # a server that has just started has other things to do


class Chores:
    """Two loops on the event loop, their work on threads. Several processes may do the same chores at once."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin."""
        loops = ((self.hand_over, HAND_OVER_S, HAND_OVER_S), (self.daily, FIRST_DAILY_S, DAILY_S))
        self._tasks = [asyncio.create_task(_every(*loop)) for loop in loops]

    async def stop(self) -> None:
        """End; what is under way is finished."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def hand_over(self) -> None:
        """Posts whose holders have not answered in time go to their deputies."""
        county = self._context.county_or_none()
        if county is None:
            return
        with writing(self._context.engine) as conn:
            done = hand_over_due(conn, county.code, now_us())
        if not done.nothing:
            self._context.on_change()

    def daily(self) -> None:
        """What has been kept long enough."""
        with writing(self._context.engine) as conn:
            clear_expired(conn, now_us())
        county = self._context.county_or_none()
        if county is not None:
            retention.run(self._context.engine, county.code, now_us(), self._context.settings.retention_days)


async def _every(work: Callable[[], None], first_s: float, then_s: float) -> None:
    await asyncio.sleep(first_s)
    while True:
        began = time.monotonic()
        try:
            await asyncio.to_thread(work)
        except Exception:  # the store may be away for a while; the next round tries again
            log.exception("a chore failed")
        await asyncio.sleep(max(0.0, then_s - (time.monotonic() - began)))

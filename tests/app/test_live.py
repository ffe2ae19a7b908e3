"""The stream of the screens: a snapshot, what changes, a sign of life; and nothing private on the wall."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import Engine

from pingji.dashboard import commands
from pingji.dashboard.context import Context, now_us
from pingji.dashboard.live import QUEUE, Hub, _set_within
from pingji.dashboard.views import WALL, View
from pingji.data.notify import Listener
from pingji.data.writer import Writer
from pingji.ops.access import Area
from pingji.ops.mode import Mode, Press
from pingji.settings import Settings
from tests import world
from tests.world import ALL_PERSONS, COUNTY, again, households_in, people_in

HOME = households_in("Z1")[2]  # three people
STAFF = View("staff", Area(whole=True), drafts=True, names=Area(whole=True))


@pytest.fixture
def county(engine: Engine) -> Engine:
    return world.filled(engine)


class Screen:
    """One client of the stream."""

    def __init__(self, hub: Hub, view: View) -> None:
        self._stream = hub.messages(view)
        self.values: dict[str, Any] = {}

    async def next(self, within_s: float = 10) -> dict[str, Any]:
        raw = await asyncio.wait_for(anext(self._stream), within_s)
        (line,) = [part for part in raw.decode().split("\n") if part.startswith("data: ")]
        message: dict[str, Any] = json.loads(line.removeprefix("data: "))
        if message["kind"] == "snapshot":
            self.values = {}
        self.values |= message["values"]
        for key in message["removed"]:
            del self.values[key]
        return message

    async def until(self, true: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        async with asyncio.timeout(15):
            while not true(self.values):
                await self.next(15)
        return self.values

    async def close(self) -> None:
        await self._stream.aclose()  # type: ignore[attr-defined]


@asynccontextmanager
async def served(engine: Engine) -> AsyncIterator[tuple[Context, Hub]]:
    listener = Listener(engine, lambda: hub.wake())
    writer = Writer(engine, on_commit=listener.poke)
    context = Context(Settings(), engine, writer, on_change=listener.poke)
    hub = Hub(context)
    writer.start()
    await hub.start()
    listener.start()
    try:
        yield context, hub
    finally:
        await asyncio.to_thread(listener.stop)
        await hub.stop()
        await asyncio.to_thread(writer.stop)


def live(engine: Engine, journey: Callable[[Context, Hub], Awaitable[None]]) -> None:
    async def run() -> None:
        async with served(engine) as (context, hub):
            await journey(context, hub)

    asyncio.run(run())


async def press(context: Context, **said: Any) -> None:
    asked = Press(said.get("id", "p"), COUNTY, Mode.EMERGENCY, 2, False, "secret reason")
    await asyncio.to_thread(commands.switch_mode, context, asked, "secret actor")


async def tell(context: Context, kind: str, **said: Any) -> None:
    now = now_us()
    m = again(world.say(kind, 0, **said), clock=now, occurred_at=now)
    outcome = await asyncio.wrap_future(context.writer.submit(COUNTY, [m]))
    assert outcome.accepted == [m.id]


def test_a_snapshot_then_what_changes(county: Engine) -> None:
    async def journey(context: Context, hub: Hub) -> None:
        screen = Screen(hub, STAFF)
        first = await screen.next()
        assert first["kind"] == "snapshot"
        assert {"mode", "county", "routine", "events", "place/T1"} <= set(first["values"])
        assert not [key for key in first["values"] if key.startswith("sheet/")]
        await press(context)
        values = await screen.until(lambda v: f"sheet/{COUNTY}" in v)
        assert values[f"sheet/{COUNTY}"]["expected"] == ALL_PERSONS
        began = time.monotonic()
        await tell(context, "arrive", household=HOME, place="T1")
        values = await screen.until(lambda v: v["place/T1"]["roster"] == 3)
        assert time.monotonic() - began < 2  # woken, not found by the reading every two seconds and more
        assert values[f"sheet/{COUNTY}"]["remainder"] == ALL_PERSONS - 3
        assert values["place/T1"]["phone"] == "13900001111"
        assert values["arrivals"]["actual"][-1] == 3
        delta = await tell_and_wait(context, screen)
        assert "place/T4" not in delta["values"]
        await screen.close()

    async def tell_and_wait(context: Context, screen: Screen) -> dict[str, Any]:
        await tell(context, "arrive", person=people_in(households_in("Z1")[4])[0], place="T1")
        while (message := await screen.next())["kind"] != "delta" or "place/T1" not in message["values"]:
            pass
        return message

    live(county, journey)


def test_a_heartbeat_while_nothing_happens(county: Engine) -> None:
    async def journey(context: Context, hub: Hub) -> None:
        screen = Screen(hub, WALL)
        await screen.next()
        await heartbeat(screen)
        began = time.monotonic()
        await heartbeat(screen)
        assert 2.5 < time.monotonic() - began <= 4

    async def heartbeat(screen: Screen) -> None:
        while (await screen.next(4))["kind"] != "heartbeat":
            pass

    live(county, journey)


def leaks(value: Any, key: str = "") -> list[str]:
    """Where a public figure still counts 1 to 4 people, or names anybody."""
    plain = {"level", "capacity", "full_in_min", "at", "start", "step_min", "since", "difference", "zoom", "expected_s"}
    found: list[str] = []
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in ("contact", "phone", "actor", "reason", "person", "household"):
                found.append(name)
            found += leaks(inner, name)
    elif isinstance(value, list):
        for inner in value:
            found += leaks(inner, key)
    elif isinstance(value, int) and not isinstance(value, bool) and 0 < value < 5 and key not in plain:
        found.append(key)
    return found


def test_the_wall_names_nobody_and_suppresses_small_cells(county: Engine) -> None:
    async def journey(context: Context, hub: Hub) -> None:
        staff, wall = Screen(hub, STAFF), Screen(hub, WALL)
        await staff.next()
        await wall.next()
        await press(context)
        await tell(context, "arrive", household=HOME, place="T1")
        await tell(context, "arrive", person="visitor:x", place="T2")
        await tell(context, "count", place="T1", count=2)
        await staff.until(lambda v: v["place/T1"]["clicker"] == 2)
        await wall.until(
            lambda v: v.get(f"sheet/{COUNTY}", {}).get("accounted") == 4
        )  # the county's own sheet is exact
        assert wall.values["place/T1"] | {"roster": "0–9", "clicker": "0–9"} == wall.values["place/T1"]
        assert wall.values["place/T2"]["roster"] == "0–9"
        below = {k: v for k, v in wall.values.items() if k.startswith(("sheet/", "place/")) and k != f"sheet/{COUNTY}"}
        assert {k: found for k, v in below.items() if (found := leaks(v))} == {}
        assert leaks(wall.values["events"]) == []
        text = json.dumps(wall.values)
        for secret in ("secret reason", "secret actor", "13900001111", "Zhao", "Wang", HOME, "visitor:x"):
            assert secret not in text
        assert wall.values["place/T1"]["differs"] is True
        assert "difference" not in wall.values["place/T1"]
        assert staff.values["place/T1"]["difference"] == -1
        assert staff.values["sheet/Z1"]["parts"]["at_transfer_point"] == 3

    live(county, journey)


def test_a_slow_screen_gets_a_fresh_start_and_holds_up_nobody(county: Engine) -> None:
    async def journey(context: Context, hub: Hub) -> None:
        slow, quick = Screen(hub, STAFF), Screen(hub, STAFF)
        await slow.next()
        await quick.next()
        await press(context)
        for n in range(1, QUEUE + 6):
            await tell(context, "count", place="T1", count=1)
            await quick.until(lambda v, n=n: v["place/T1"]["clicker"] == n)  # type: ignore[misc]
        kinds = []
        while slow.values["place/T1"]["clicker"] != QUEUE + 5:
            kinds.append((await slow.next())["kind"])
        assert kinds[0] == "snapshot"
        assert len(kinds) < QUEUE
        assert slow.values == quick.values

    live(county, journey)


def test_screens_that_leave_are_forgotten(county: Engine) -> None:
    async def journey(context: Context, hub: Hub) -> None:
        screen = Screen(hub, WALL)
        await screen.next()
        assert hub.screens == 1
        await screen.close()
        assert hub.screens == 0

    live(county, journey)


def test_before_there_is_a_county(engine: Engine) -> None:
    async def journey(context: Context, hub: Hub) -> None:
        for view in (STAFF, WALL):
            message = await Screen(hub, view).next()
            assert message["values"] == {"county": None}

    live(engine, journey)


def test_a_hub_stops_even_when_something_changes_at_that_moment() -> None:
    async def scenario() -> bool:
        event = asyncio.Event()

        async def watch() -> None:
            while True:
                event.clear()
                await _set_within(event, 5)

        task = asyncio.create_task(watch())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        event.set()  # the waiter is about to wake ...
        await asyncio.sleep(0)
        task.cancel()  # ... when it is told to stop
        await asyncio.wait([task], timeout=2)
        return task.cancelled()

    assert asyncio.run(scenario())

"""The one key: from the press to the last of twenty screens that show the county's emergency."""

import asyncio
import time
import uuid
from collections.abc import Iterator

from bench.figures import Figure, ms
from bench.screens import Screens, post
from bench.setting import COUNTY, STORES, Server, Setting

SCREENS, TARGET_S = 20, 1.0


def rows(setting: Setting, quick: bool) -> Iterator[Figure]:
    for store in STORES:
        with setting.server(store) as server:
            taken = [asyncio.run(_press(server)) for _ in range(2 if quick else 5)]
            server.press("emergency")
            people = server.get("/api/v1/balance")["persons"]["expected"]
        worst, answered = max(last for last, _ in taken), max(answer for _, answer in taken)
        yield Figure(
            f"one-key switch of the county, press → last of {SCREENS} screens, {store}",
            f"worst of {len(taken)}: {ms(worst)}",
            f"≤ {ms(TARGET_S)}",
            f"the press's own answer {ms(answered)}",
            worst <= TARGET_S,
            f"{people:,} people on the roll call",
        )


async def _press(server: Server) -> tuple[float, float]:
    """(last screen, answer), in seconds after an emergency was pressed; the county is in routine before and after."""
    heard: dict[int, float] = {}
    mark = f'"sheet/{COUNTY}":'.encode()

    def hear(screen: int, message: bytes, at: float) -> None:
        if b'"mode":"emergency"' in message and mark in message:
            heard.setdefault(screen, at)

    screens = Screens(server, SCREENS, hear)
    await screens.open()
    try:
        began = time.monotonic()
        await _switch(server, "emergency")
        answered = time.monotonic() - began
        while len(heard) < SCREENS:
            if time.monotonic() - began > 30:
                raise TimeoutError(f"{SCREENS - len(heard)} screens heard nothing")
            await asyncio.sleep(0.005)
        return max(heard.values()) - began, answered
    finally:
        await screens.close()
        await _switch(server, "recovery")
        await _switch(server, "routine")


async def _switch(server: Server, to: str) -> None:
    body = {"press_id": str(uuid.uuid4()), "scope": COUNTY, "to": to, "exercise": to != "routine", "reason": "bench"}
    await post(server, "/api/v1/modes", {**body, "level": 2 if to == "emergency" else None})

"""Three hundred screens on one process, while movements flow: from an acknowledgement to the last screen."""

import asyncio
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from uuid_utils import uuid7

from bench.figures import Figure, ms, percentile
from bench.load import Plan, finish, start
from bench.screens import Screens, post
from bench.setting import Server, Setting, cpu_seconds

SCREENS, TARGET_S = 300, 1.0
FLOW_PER_S = 100  # single movements beside the watched place


def rows(setting: Setting, quick: bool) -> Iterator[Figure]:
    seconds = 6 if quick else 20
    with setting.server() as server:
        server.press("emergency")
        watched, *others = server.transfer_points()
        flow = start(
            Plan(server.port, server.token, 10, FLOW_PER_S * seconds // 10, 1, "count", others, per_second=FLOW_PER_S)
        )
        before, began = cpu_seconds(server.process.pid), time.monotonic()
        late, missed = asyncio.run(_watch(server, watched, seconds))
        busy = (cpu_seconds(server.process.pid) - before) / (time.monotonic() - began)
        finish(flow)
    yield Figure(
        f"{SCREENS} signed-in screens on one process, acknowledgement → last screen",
        f"latest {ms(max(late))}, p95 {ms(percentile(late, 0.95))}",
        f"no screen later than {ms(TARGET_S)}",
        "polling at 1 s: up to 1 s + a request, by construction",
        max(late) <= TARGET_S and not missed,
        f"{len(late):,} receipts, {missed} missed, {FLOW_PER_S} other movements/s, server {busy:.0%} of a core",
    )


async def _watch(server: Server, place: str, seconds: float) -> tuple[list[float], int]:
    """How late each screen heard of each count at one place, and how many never did."""
    heard: list[list[tuple[float, int]]] = [[] for _ in range(SCREENS)]
    pattern = re.compile(rf'"place/{re.escape(place)}":\{{[^}}]*?"clicker":(\d+)'.encode())

    def hear(screen: int, message: bytes, at: float) -> None:
        if found := pattern.search(message):
            heard[screen].append((at, int(found[1])))

    screens = Screens(server, SCREENS, hear)
    await screens.open()
    acknowledged: list[tuple[float, int]] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        await post(server, "/api/v1/movements", {"movements": [_tap(place, len(acknowledged))]})
        acknowledged.append((time.monotonic(), len(acknowledged) + 1))
        await asyncio.sleep(0.23)
    await asyncio.sleep(3)
    await screens.close()
    late, missed = [], 0
    for messages in heard:
        for at, count in acknowledged:
            first = next((receipt for receipt, n in messages if n >= count), None)
            if first is None:
                missed += 1
            else:
                late.append(max(0.0, first - at))
    return late, missed


def _tap(place: str, n: int) -> dict[str, object]:
    at = datetime.now(UTC).isoformat()
    return {
        "id": str(uuid7()),
        "device": "watched",
        "sequence": n,
        "occurred_at": at,
        "kind": "count",
        "place": place,
        "count": 1,
    }

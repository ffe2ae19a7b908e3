"""Screens without a browser: many live streams in one event loop, each telling when it heard of what."""

import asyncio
import json
import re
import time
from collections.abc import Callable

Heard = Callable[[int, bytes, float], None]  # screen, one message, time.monotonic() of its receipt


class Screens:
    """Live streams of one server; `heard` is called for every message of every screen."""

    def __init__(self, port: int, n: int, heard: Heard) -> None:
        self._port, self._n, self._heard = port, n, heard
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Connect all; returns when each has its snapshot."""
        ready = [asyncio.Event() for _ in range(self._n)]
        for n, event in enumerate(ready):
            self._tasks.append(asyncio.create_task(self._follow(n, event)))
            if n % 20 == 19:
                await asyncio.sleep(0.05)
        await asyncio.wait_for(asyncio.gather(*(event.wait() for event in ready)), 60)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _follow(self, n: int, ready: asyncio.Event) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 24)
        path = "/api/v1/live?audience=staff"
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nAccept: text/event-stream\r\n\r\n".encode()
        )
        try:
            while line := await reader.readline():
                if line.startswith(b"data: "):
                    ready.set()
                    self._heard(n, line, time.monotonic())
        finally:
            writer.close()


async def post(port: int, path: str, body: object) -> bytes:
    """One request on a connection of its own, while streams are open."""
    payload = json.dumps(body).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Content-Length: {len(payload)}\r\n\r\n".encode() + payload)
    answer = await reader.read()
    writer.close()
    if not re.match(rb"HTTP/1.1 20[0-9]", answer):
        raise RuntimeError(answer[:400].decode("utf-8", "replace"))
    return answer

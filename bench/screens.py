"""Screens without a browser: many live streams in one event loop, each telling when it heard of what."""

import asyncio
import json
import re
import time
from collections.abc import Callable

from bench.setting import Server, new_sessions

Heard = Callable[[int, bytes, float], None]  # screen, one message, time.monotonic() of its receipt


class Screens:
    """Live streams of one server, each signed in by a session of its own; `heard` is called for every message."""

    def __init__(self, server: Server, n: int, heard: Heard) -> None:
        self._port, self._n, self._heard = server.port, n, heard
        self._cookies = new_sessions(server.store, n)
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
        head = f"GET /api/v1/live?audience=staff HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
        head += f"Cookie: {self._cookies[n]}\r\nAccept: text/event-stream\r\n\r\n"
        writer.write(head.encode())
        try:
            while line := await reader.readline():
                if line.startswith(b"data: "):
                    ready.set()
                    self._heard(n, line, time.monotonic())
        finally:
            writer.close()


async def post(server: Server, path: str, body: object) -> bytes:
    """One request on a connection of its own, while streams are open."""
    payload = json.dumps(body).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nConnection: close\r\n"
    head += f"Authorization: Bearer {server.token}\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Content-Length: {len(payload)}\r\n\r\n".encode() + payload)
    answer = await reader.read()
    writer.close()
    if not re.match(rb"HTTP/1.1 20[0-9]", answer):
        raise RuntimeError(answer[:400].decode("utf-8", "replace"))
    return answer

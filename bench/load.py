"""The load generator: `python -m bench.load` sends what it reads from standard input over many kept connections.

It runs in a process of its own and does as little as it can, since it shares two cores with the server: requests are
encoded before the clock starts, answers are only measured and searched for a mark.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
import uvloop
from uuid_utils import uuid7

ROOT = Path(__file__).parent.parent
ALL_TAKEN = b'"duplicates":[],"refused":[]'


@dataclass(frozen=True)
class Plan:
    """What to send: each device says its movements in batches, or asks a path where it has none."""

    port: int
    token: str
    devices: int
    requests: int  # a device
    batch: int = 0
    kind: str = "count"
    places: Sequence[str] = ()
    persons: Sequence[str] = ()  # dealt out to the devices in order, so that families stay together
    path: str = "/healthz"
    per_second: float = 0  # requests of all devices together; 0 = as fast as the answers come


@dataclass(frozen=True)
class Result:
    """How it went; `client_cpu_s` is the generator's own share."""

    requests: int
    movements: int
    seconds: float
    p50_s: float
    p99_s: float
    bad: int
    client_cpu_s: float


def run(plan: Plan) -> Result:
    """Send a plan from another process."""
    return finish(start(plan))


def start(plan: Plan) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "bench.load"]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin
    process.stdin.write(json.dumps(asdict(plan)).encode())
    process.stdin.close()
    return process


def finish(process: "subprocess.Popen[bytes]") -> Result:
    assert process.stdout
    answer = process.stdout.read()
    if process.wait() != 0:
        raise RuntimeError("the load generator failed")
    return Result(**json.loads(answer))


def encode(plan: Plan, path: str, body: bytes | None = None) -> bytes:
    """One request on a kept connection."""
    head = f"{'GET' if body is None else 'POST'} {path} HTTP/1.1\r\nHost: 127.0.0.1:{plan.port}\r\n"
    head += f"Authorization: Bearer {plan.token}\r\n"
    if body is None:
        return f"{head}\r\n".encode()
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def bodies(plan: Plan, device: int) -> Iterator[bytes]:
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 1))
    each = plan.requests * plan.batch
    sequence = time.time_ns() // 1000
    for request in range(plan.requests):
        movements = []
        for n in range(request * plan.batch, (request + 1) * plan.batch):
            index = device * each + n
            subject: dict[str, object] = {"count": 1}
            if plan.kind != "count":
                subject = {"person": plan.persons[index % len(plan.persons)]}
            head = {"id": str(uuid7()), "device": f"bench-{device}", "sequence": sequence + n, "occurred_at": at}
            movements.append({**head, "kind": plan.kind, "place": plan.places[index % len(plan.places)], **subject})
        yield orjson.dumps({"movements": movements})


class Device(asyncio.Protocol):
    """One connection: the next request follows the answer to the one before."""

    def __init__(self, requests: list[bytes], mark: bytes, pause_s: float, taken: list[float]) -> None:
        self._requests = iter(requests)
        self._mark, self._pause, self._taken = mark, pause_s, taken
        self._buffer = b""
        self._sent = 0.0
        self.bad = 0
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def send(self) -> None:
        request = next(self._requests, None)
        if request is None:
            if not self.done.done():
                self.done.set_result(None)
            return
        self._sent = time.perf_counter()
        self._transport.write(request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        at = self._buffer.lower().find(b"content-length:", 0, end) + 15
        if len(self._buffer) < end + 4 + int(self._buffer[at : self._buffer.find(b"\r", at)]):
            return
        now = time.perf_counter()
        self._taken.append(now - self._sent)
        if not self._buffer.startswith(b"HTTP/1.1 200") or self._mark not in self._buffer:
            self.bad += 1
        self._buffer = b""
        if self._pause:
            asyncio.get_running_loop().call_later(max(0, self._sent + self._pause - now), self.send)
        else:
            self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("closed"))


async def _drive(plan: Plan) -> Result:
    loop, taken = asyncio.get_running_loop(), list[float]()
    pause = plan.devices / plan.per_second if plan.per_second else 0.0
    made = []
    for device in range(plan.devices):
        if plan.batch:
            requests = [encode(plan, "/api/v1/movements", body) for body in bodies(plan, device)]
        else:
            requests = [encode(plan, plan.path)] * plan.requests
        mark = ALL_TAKEN if plan.batch else b""

        def factory(requests: list[bytes] = requests, mark: bytes = mark) -> Device:
            return Device(requests, mark, pause, taken)

        _, protocol = await loop.create_connection(factory, "127.0.0.1", plan.port)
        made.append(protocol)
    began, cpu = time.perf_counter(), time.process_time()
    for n, protocol in enumerate(made):
        loop.call_later(pause * n / len(made), protocol.send) if pause else protocol.send()
    await asyncio.gather(*(protocol.done for protocol in made))
    seconds = time.perf_counter() - began
    taken.sort()
    return Result(
        requests=len(taken),
        movements=len(taken) * plan.batch,
        seconds=seconds,
        p50_s=taken[len(taken) // 2],
        p99_s=taken[int(len(taken) * 0.99)],
        bad=sum(protocol.bad for protocol in made),
        client_cpu_s=time.process_time() - cpu,
    )


def main() -> None:
    plan = Plan(**json.load(sys.stdin))
    print(json.dumps(asdict(uvloop.run(_drive(plan)))))


if __name__ == "__main__":
    main()

"""What a benchmark runs on: the demo county, built once a run and copied; stores, and a server in its own process."""

import base64
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pingji.data import schema
from pingji.data.access.accounts import add_account, set_password
from pingji.data.access.sessions import begin_session
from pingji.data.demo import build_county, save_county
from pingji.data.engine import open_engine, writing
from pingji.ops.access import Grant, Role
from tests.app.callers import token_of
from tests.cluster import Cluster, running_cluster

COUNTY = "220221"
ROOT = Path(__file__).parent.parent
SERVE = ("pingji.cli", "serve", "--port")
STORES = ("sqlite", "postgis")
TESTER = "bench"  # somebody with every role

# Stores are copied, and other processes read them: one key for all.
os.environ.setdefault("PINGJI_KEY", base64.b64encode(bytes(range(64))).decode())


@dataclass
class Server:
    """A running `pingji serve` on a store of its own."""

    url: str
    store: str
    process: "subprocess.Popen[bytes]"
    token: str  # of somebody with every role
    _others: dict[str, str] = field(default_factory=dict)

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def bearer(self, name: str = TESTER) -> dict[str, str]:
        """The header that tells who asks: of a request, or of everything that a browser's context asks."""
        if name != TESTER and name not in self._others:
            self._others[name] = new_token(self.store, name)
        return {"Authorization": f"Bearer {self._others.get(name, self.token)}"}

    def get(self, path: str) -> Any:
        request = urllib.request.Request(self.url + path, headers=self.bearer())
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def post(self, path: str, body: object, actor: str = TESTER) -> Any:
        headers = {"Content-Type": "application/json", **self.bearer(actor)}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def press(self, to: str, *, exercise: bool = True) -> None:
        body = {"press_id": str(uuid.uuid4()), "scope": COUNTY, "to": to, "exercise": exercise, "reason": "bench"}
        self.post("/api/v1/modes", {**body, "level": 2 if to == "emergency" else None})

    def transfer_points(self) -> list[str]:
        return [p["code"] for p in self.get("/api/v1/places") if p["kind"] == "transfer_point"]


class Setting:
    """Builds the county once, and hands out copies of it on either store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stack = ExitStack()
        self._copies = 0

    def close(self) -> None:
        self._stack.close()

    @cached_property
    def _sqlite(self) -> Path:
        file = self.folder / "county.db"
        self._fill(f"sqlite:///{file}")
        return file

    @cached_property
    def _cluster(self) -> Cluster:
        cluster = self._stack.enter_context(running_cluster(durable=True))
        cluster.execute("CREATE DATABASE county")
        self._fill(cluster.url("county"))
        return cluster

    @cached_property
    def _county(self) -> Any:
        return build_county()

    def _fill(self, url: str) -> None:
        engine = open_engine(url)
        schema.upgrade(engine)
        save_county(engine, self._county)
        engine.dispose()

    @contextmanager
    def store(self, kind: str) -> Iterator[str]:
        """The URL of a store with the demo county in routine."""
        if kind == "postgis":
            with self._cluster.database("county") as url:
                yield url
            return
        self._copies += 1
        file = self.folder / f"copy{self._copies}.db"
        shutil.copy(self._sqlite, file)
        try:
            yield f"sqlite:///{file}"
        finally:
            for suffix in ("", "-wal", "-shm"):
                Path(f"{file}{suffix}").unlink(missing_ok=True)

    @contextmanager
    def server(self, kind: str = "sqlite") -> Iterator[Server]:
        """A server on a fresh copy of the county."""
        with self.store(kind) as url, serving(url) as server:
            yield server


@contextmanager
def serving(store: str, program: Sequence[str] = SERVE) -> Iterator[Server]:
    """`pingji serve` on a store, or another program that takes a port, ready to answer."""
    port = free_port()
    # One caller plays a whole county here.
    env = {"PINGJI_RATE_LIMIT": "0", **os.environ, "PINGJI_DATABASE_URL": store, "PINGJI_COUNTY": COUNTY}
    env.pop("PINGJI_TOKEN", None)
    token = new_token(store)
    command = [sys.executable, "-m", *program, str(port)]
    with tempfile.TemporaryFile() as log:  # a line a request, as in service, but not among the figures
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=log)
        server = Server(f"http://127.0.0.1:{port}", store, process, token)
        try:
            wait_for(f"{server.url}/readyz", process)
            yield server
        finally:
            process.terminate()
            process.wait(20)


def new_token(store: str, name: str = TESTER) -> str:
    """A token of somebody who may do everything."""
    engine = open_engine(store)
    token = token_of(engine, name)
    engine.dispose()
    return token


def new_sessions(store: str, n: int) -> list[str]:
    """Cookies of as many sessions of a duty officer, as browsers have them that signed in."""
    engine = open_engine(store)
    now, grants = time.time_ns() // 1000, [Grant(Role.DUTY_OFFICER, COUNTY)]
    with writing(engine) as conn:
        account, _ = add_account(conn, login=f"bench-{now}", name=f"Bench {now}", grants=grants, at=now)
        set_password(conn, account, "", must_change=False)
        secrets = [begin_session(conn, account, at=now, lifetime_us=3_600_000_000) for _ in range(n)]
    engine.dispose()
    return [f"pingji_session={secret}" for secret in secrets]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, process: "subprocess.Popen[bytes]", patience_s: float = 60) -> None:
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            if process.poll() is not None:
                raise RuntimeError(f"{process.args} ended with {process.returncode}") from None
            time.sleep(0.1)
    raise TimeoutError(url)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process: what it cost, however busy the machine is otherwise."""
    import psutil

    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)

"""The sample of nginx in front of a real Pingji: messages of the live stream come as they are sent."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from pingji.dashboard.live import HEARTBEAT_S
from pingji.data import schema
from pingji.data.engine import open_engine
from tests import world
from tests.app.callers import token_of
from tests.certificate import self_signed

SAMPLE = Path(__file__).parents[2] / "deploy" / "nginx" / "pingji.conf"
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
START_S = 60
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed (apt-get install nginx-light)")


@dataclass(frozen=True)
class Proxied:
    url: str
    headers: dict[str, str]
    context: Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def configuration(room: Path, behind: int, plain: int, tls: int) -> str:
    """The sample as it is, with other ports, and a certificate of our own."""
    certificate, key = self_signed(days=30, host="127.0.0.1")
    (room / "cert.pem").write_bytes(certificate)
    (room / "key.pem").write_bytes(key)
    sample = SAMPLE.read_text(encoding="utf-8")
    for found, wanted in (
        ("server 127.0.0.1:8050;", f"server 127.0.0.1:{behind};"),
        ("/etc/ssl/pingji/fullchain.pem", str(room / "cert.pem")),
        ("/etc/ssl/pingji/privkey.pem", str(room / "key.pem")),
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("listen 443 ssl http2;", f"listen 127.0.0.1:{tls} ssl http2;"),
    ):
        assert found in sample
        sample = sample.replace(found, wanted)
    sample = re.sub(r"\n\s*listen \[::\][^\n]*", "", sample)
    folders = "\n".join(
        f"{kind}_temp_path {room}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.geteuid() == 0 else ""
    return (
        f"{user}pid {room}/pid; error_log {room}/error.log; daemon off;\n"
        f"events {{ worker_connections 512; }}\nhttp {{\n{folders}\n{sample}\n}}\n"
    )


def wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(f"{url}/readyz", verify=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(log.read_text()[-3000:])


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    assert NGINX is not None
    room = tmp_path_factory.mktemp("proxied")
    engine = open_engine(f"sqlite:///{room}/pingji.db")
    schema.upgrade(engine)
    world.filled(engine)
    headers = {"Authorization": f"Bearer {token_of(engine, 'tester')}"}
    engine.dispose()
    behind, plain, tls = free_port(), free_port(), free_port()
    environment = {**os.environ, "PINGJI_DATABASE_URL": f"sqlite:///{room}/pingji.db"}
    environment |= {"PINGJI_PUBLIC_URL": f"https://127.0.0.1:{tls}", "PINGJI_LOG_FORMAT": "json"}
    serve = [sys.executable, "-m", "pingji.cli", "serve", "--port", str(behind)]
    config = room / "nginx.conf"
    config.write_text(configuration(room, behind, plain, tls), encoding="utf-8")
    subprocess.run([NGINX, "-t", "-c", str(config)], check=True, capture_output=True)
    with (room / "log").open("wb") as log:
        app = subprocess.Popen(serve, env=environment, stdout=log, stderr=log)
        front = subprocess.Popen([NGINX, "-c", str(config)], stdout=log, stderr=log)
        try:
            wait_for(f"http://127.0.0.1:{behind}", app, room / "log")
            wait_for(f"https://127.0.0.1:{tls}", front, room / "log")
            yield Proxied(f"https://127.0.0.1:{tls}", headers, room)
        finally:
            for process in (front, app):
                process.send_signal(signal.SIGTERM)
                process.wait(20)


def test_the_stream_comes_through_as_it_is_sent(proxied: Proxied) -> None:
    times: list[float] = []
    with (
        httpx.Client(verify=False, timeout=HEARTBEAT_S + 5) as client,
        client.stream("GET", f"{proxied.url}/api/v1/live", headers=proxied.headers) as answer,
    ):
        assert answer.status_code == 200
        for line in answer.iter_lines():
            if line.startswith("data:"):
                times.append(time.monotonic())
            if len(times) == 4:  # a snapshot, then heartbeats or what changed
                break
    assert max(after - before for before, after in pairwise(times)) < HEARTBEAT_S + 1


def test_what_comes_by_the_proxy(proxied: Proxied) -> None:
    with httpx.Client(verify=False) as client:
        answer = client.get(f"{proxied.url}/api/v1/balance", headers={**proxied.headers, "X-Forwarded-For": "6.6.6.6"})
        assert answer.status_code == 200
        assert answer.headers["strict-transport-security"]
        assert len(answer.headers["x-request-id"]) == 32  # nginx's own
        assert client.get(f"{proxied.url}/metrics", headers=proxied.headers).status_code == 200  # from this machine
    written = (proxied.context / "log").read_text()
    assert answer.headers["x-request-id"] in written
    assert "6.6.6.6" not in written


def test_plain_http_is_sent_to_tls(proxied: Proxied) -> None:
    listening = re.search(r"listen 127.0.0.1:(\d+);", (proxied.context / "nginx.conf").read_text())
    assert listening
    answer = httpx.get(f"http://127.0.0.1:{listening[1]}/wall", follow_redirects=False)
    assert answer.status_code == 301
    assert answer.headers["location"].startswith("https://")

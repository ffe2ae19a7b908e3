"""The way out: where it leads and where it never does, what is signed, and that an alarm is told once."""

import hashlib
import hmac
import json
import socket
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from pingji.dashboard import alarms
from pingji.dashboard.alarms import Watch, tell
from pingji.dashboard.outbound import (
    OutboundFailed,
    OutboundRefused,
    Target,
    allowed_networks,
    find,
    send,
    signature,
)
from pingji.ops.health import Check, Light
from pingji.settings import Settings

HERE = allowed_networks("127.0.0.1")
SECRET = "shared"


class Receiver(BaseHTTPRequestHandler):
    """Keeps what it was sent; its path says how it answers."""

    got: list[tuple[str, dict[str, str], bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.got.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        if self.path == "/redirect":
            self.send_response(307)
            self.send_header("location", "/elsewhere")
            self.end_headers()
            return
        if self.path == "/slow":
            self._drip(b"H")
            return
        self.send_response(500 if self.path == "/broken" else 200)
        self.end_headers()
        try:
            if self.path == "/endless":
                while True:
                    self.wfile.write(b"x" * 65_536)
            if self.path == "/drip":
                self._drip(b"x")
        except OSError:
            pass

    def _drip(self, piece: bytes) -> None:
        """Piece by piece, until nobody listens any more."""
        try:
            for _ in range(100):
                self.wfile.write(piece)
                time.sleep(0.1)
        except OSError:
            pass

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[tuple[str, dict[str, str], bytes]]]]:
    """A real server on this machine: its address, and what it got."""
    handler = type("Mine", (Receiver,), {"got": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", handler.got  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()


REFUSED = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://localhost/",
    "http://2130706433/",  # 127.0.0.1 as one number
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://0/",
    "http://0.0.0.0/",
    "http://10.0.0.8/",
    "http://172.16.3.4/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:10.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[fd00::1]/",
    "http://[fe80::1]/",
    "http://[fe80::1%25lo]/",
]


@pytest.mark.parametrize("url", REFUSED)
def test_inner_addresses_in_every_spelling(url: str) -> None:
    with pytest.raises((OutboundRefused, OutboundFailed)):
        find(url)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "file:///etc/passwd",
            "ftp://8.8.8.8/",
            "gopher://8.8.8.8/",
            "//8.8.8.8/",
            "8.8.8.8",
            "",
            "http://",
            "http:///x",
        ),
        *("http://user:word@8.8.8.8/", "http://8.8.8.8@127.0.0.1/", "http://8.8.8.8:99999/", "http://8.8.8.8/\r\nx: y"),
        *("http://8.8.8.8 /", "http://[/"),
    ],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises((OutboundRefused, OutboundFailed)):
        find(url)


def answers(monkeypatch: pytest.MonkeyPatch, *rounds: list[str]) -> list[str]:
    """A resolver of our own: the names that it was asked for; each time the next of these answers."""
    asked: list[str] = []
    left = list(rounds)

    def resolve(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        asked.append(host)
        found = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked


def test_a_name_that_leads_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, ["127.0.0.1"])
    with pytest.raises(OutboundRefused):
        find("https://innocent.example/")


def test_one_inner_address_among_good_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, ["93.184.216.34", "10.0.0.1"])
    with pytest.raises(OutboundRefused):
        find("https://innocent.example/")


def test_a_name_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answers(monkeypatch, ["93.184.216.34"], ["127.0.0.1"])
    target = find("https://innocent.example/hook?x=1")
    assert asked == ["innocent.example"]
    assert target == Target("https", "innocent.example", 443, "/hook?x=1", "93.184.216.34")


def test_where_one_may_go(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find("http://10.20.0.5:8080/x", allowed_networks("10.20.0.0/16")).address == "10.20.0.5"
    assert find("http://93.184.216.34/").port == 80
    answers(monkeypatch, ["::ffff:10.20.0.5"])
    assert find("http://inner.example/", allowed_networks("10.20.0.5")).address.startswith("::ffff:")


def test_a_message_arrives_signed(receiver: tuple[str, list[Any]]) -> None:
    url, got = receiver
    assert send(find(f"{url}/hook", HERE), {"light": "red"}, SECRET, at=1_700_000_000) == 200
    [(path, headers, body)] = got
    assert (path, json.loads(body)) == ("/hook", {"light": "red"})
    expected = hmac.new(SECRET.encode(), b"1700000000." + body, hashlib.sha256).hexdigest()
    assert headers["x-pingji-signature"] == expected == signature(SECRET, "1700000000", body)
    assert headers["x-pingji-timestamp"] == "1700000000"
    assert headers["host"] == url.removeprefix("http://")


@pytest.mark.parametrize("path", ["/redirect", "/broken"])
def test_anything_but_taken_is_a_failure(receiver: tuple[str, list[Any]], path: str) -> None:
    url, got = receiver
    with pytest.raises(OutboundFailed):
        send(find(url + path, HERE), {}, SECRET)
    assert [one[0] for one in got] == [path]  # and nobody went where it was sent on to


@pytest.mark.parametrize("path", ["/endless", "/drip"])
def test_nothing_is_read_of_an_answer(receiver: tuple[str, list[Any]], path: str) -> None:
    url, _ = receiver
    began = time.monotonic()
    send(find(url + path, HERE), {}, SECRET, timeout_s=1.0)
    assert time.monotonic() - began < 5


def test_an_answer_that_never_comes_has_its_time(receiver: tuple[str, list[Any]]) -> None:
    began = time.monotonic()
    with pytest.raises(OutboundFailed):
        send(find(f"{receiver[0]}/slow", HERE), {}, SECRET, timeout_s=0.5)
    assert time.monotonic() - began < 5


def test_nobody_there() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(OutboundFailed):
        send(find(f"http://127.0.0.1:{port}/", HERE), {}, SECRET)


def test_no_proxy_of_the_environment(receiver: tuple[str, list[Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert send(find(receiver[0], HERE), {}, SECRET) == 200


GOOD, BAD = Check("database", Light.GREEN, "ok"), Check("database", Light.RED, "down")


def test_an_alarm_is_told_once_and_its_end_too() -> None:
    watch = Watch()
    looks = [GOOD, GOOD, BAD, GOOD, BAD, BAD, BAD, BAD, GOOD, GOOD, GOOD]
    told = [[check.light.value for check in watch.changed([one])] for one in looks]
    assert told == [[], [], [], [], [], ["red"], [], [], [], ["green"], []]


def settings_for(url: str, **more: Any) -> Settings:
    return Settings(webhook_url=url, webhook_secret=SECRET, **more)


def test_what_an_alarm_says(receiver: tuple[str, list[Any]]) -> None:
    url, got = receiver
    values = {"kind": "sqlite", "version": "3", "revision": "6", "size_mb": 1.0}
    assert tell(settings_for(url, webhook_allow="127.0.0.1"), Check("database", Light.RED, "down", values))
    said = json.loads(got[0][2])
    assert (said["check"], said["light"], said["state"]) == ("database", "red", "down")
    assert said["text"].startswith("\u6570\u636e\u5e93")


def test_an_alarm_that_nobody_takes_ends_nothing(receiver: tuple[str, list[Any]]) -> None:
    url, got = receiver
    assert not tell(settings_for(url), BAD)  # not listed
    assert not tell(settings_for(f"{url}/broken", webhook_allow="127.0.0.1"), BAD)
    assert not tell(settings_for(url, webhook_allow="nonsense"), BAD)
    assert not tell(Settings(webhook_url=url), BAD)  # nothing goes out unsigned
    assert len(got) == 1


def test_a_round_tells_of_what_is_wrong(
    serve: Callable[..., Any], county_url: str, receiver: tuple[str, list[Any]], tmp_path: Any
) -> None:
    """The app's own watch, by hand instead of by the clock: no backup was ever made."""
    url, got = receiver
    hook = {"webhook_url": url, "webhook_secret": SECRET, "webhook_allow": "127.0.0.1", "backup_dir": tmp_path}
    client = serve(county_url, **hook)
    watch = client.app.state.alarms
    for _ in range(alarms.TWICE + 1):
        watch.round()
    said = {one["check"]: one["state"] for one in (json.loads(body) for _, _, body in got)}
    assert said["backup"] == "never"
    assert len(got) == len(said)  # each once

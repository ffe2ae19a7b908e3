"""A real server in a process of its own, and pages in one real Chromium."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from pingji.data import schema
from pingji.data.demo import save_county
from pingji.data.engine import open_engine
from pingji.ops.access import Grant
from tests.app.callers import EVERYTHING, token_of
from tests.browser import waiting
from tests.demo import county

COUNTY = "220221"
TESTER = "tester"  # somebody with every role
AUTHOR = "Zhang San"
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
START_S = 90
OUTAGE = ("ERR_CONNECTION", "ERR_EMPTY_RESPONSE", "ERR_INCOMPLETE_CHUNKED", "ERR_NETWORK", "502", "503")


class Server:
    """`pingji serve` on one store and one port: it can be killed and started again."""

    def __init__(self, file: Path, log: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.file = file
        self.log = log
        self._environment = {**os.environ, "PINGJI_DATABASE_URL": f"sqlite:///{file}", "PINGJI_COUNTY": COUNTY}
        self._process: subprocess.Popen[bytes] | None = None
        self._tokens: dict[tuple[str, tuple[Grant, ...]], str] = {}

    def bearer(self, name: str = TESTER, *grants: Grant) -> dict[str, str]:
        """The header of somebody with these grants; with none, of somebody who may do everything."""
        key = (name, grants or EVERYTHING)
        if key not in self._tokens:
            engine = open_engine(f"sqlite:///{self.file}")
            self._tokens[key] = token_of(engine, *key)
            engine.dispose()
        return {"Authorization": f"Bearer {self._tokens[key]}"}

    def start(self) -> None:
        """Returns when it answers."""
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "pingji.cli", "serve", "--port", str(self.port)]
            self._process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            if self._process.poll() is not None:
                break
            try:
                if httpx.get(f"{self.url}/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise AssertionError(f"the server did not start:\n{self.log.read_text()}")

    def kill(self) -> None:
        """As a power cut does it."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def get(self, path: str, **params: Any) -> Any:
        """What the API answers somebody who may ask everything."""
        url = f"{self.url}/api/v1/{path}"
        return httpx.get(url, params=params, headers=self.bearer(), timeout=20).raise_for_status().json()

    def post(self, path: str, body: Mapping[str, Any], actor: str = TESTER) -> Any:
        """Posts as somebody who may do everything, and expects success."""
        headers = self.bearer(actor)
        response = httpx.post(f"{self.url}/api/v1/{path}", json=dict(body), headers=headers, timeout=20)
        assert response.is_success, response.text
        return response.json()

    def draft(self, community: str, name: str = "draft", actor: str = AUTHOR) -> dict[str, Any]:
        """A new change set of one community."""
        body = {"id": str(uuid.uuid4()), "name": name, "reason": "correction", "note": ""}
        return dict(self.post("grids/sets", {**body, "communities": [community]}, actor))

    def edit(self, draft: Mapping[str, Any], intent: Mapping[str, Any], actor: str = AUTHOR) -> dict[str, Any]:
        """The change set after an edit."""
        [community] = draft["communities"]
        body = {"revision": draft["revision"], "edit_id": str(uuid.uuid4()), "community": community["code"]}
        answer = self.post(f"grids/sets/{draft['id']}/edits", {**body, "intent": intent}, actor)
        return dict(answer["set"])

    def step(self, draft: Mapping[str, Any], name: str, actor: str) -> dict[str, Any]:
        """The change set after a step towards every map."""
        body = {"revision": draft["revision"], "step": name, "note": ""}
        return dict(self.post(f"grids/sets/{draft['id']}/steps", body, actor))

    def switch(self, to: str, **more: Any) -> None:
        """Presses the key for the whole county, unless it is in that mode."""
        if self.get("modes")["mode"] != to:
            press = {"press_id": str(uuid.uuid4()), "scope": COUNTY, "to": to, "reason": "test", **more}
            self.post("modes", press)

    def exercise(self) -> None:
        """An exercise of the whole county is under way."""
        self.switch("emergency", level=2, exercise=True)

    def routine(self) -> None:
        """Nothing is under way."""
        if self.get("modes")["mode"] == "emergency":
            self.switch("recovery", level=None, exercise=True)
        self.switch("routine", exercise=True)


@pytest.fixture(scope="session")
def demo_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo county on the embedded store, made once a run."""
    file = tmp_path_factory.mktemp("demo") / "pingji.db"
    engine = open_engine(f"sqlite:///{file}")
    schema.upgrade(engine)
    save_county(engine, county())
    engine.dispose()
    return file


@pytest.fixture(scope="module")
def server(demo_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One running Pingji a module, on a store of its own."""
    room = tmp_path_factory.mktemp("server")
    running = Server(Path(shutil.copy(demo_file, room / "pingji.db")), room / "log")
    running.start()
    yield running
    running.kill()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium a run."""
    waiting.install()
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, server: Server) -> Iterator[OpenPage]:
    """Opens pages of the product, each in a browser of its own; none may leave its origin or complain.

    `as_` names who reads it, `grants` says what for: without grants, everything. Nobody is signed in where it is None.
    `drawn` is there once the page is.
    """
    pages: list[Page] = []
    outside: list[str] = []
    complaints: list[str] = []

    def open_one(
        path: str,
        width: int = 1920,
        height: int = 1080,
        provoked: tuple[str, ...] = (),
        as_: str | None = TESTER,
        grants: tuple[Grant, ...] = (),
        drawn: str = "#page",
        **options: Any,
    ) -> Page:
        if as_ is not None:
            options["extra_http_headers"] = server.bearer(as_, *grants)
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        page = context.new_page()
        pages.append(page)
        page.on("request", lambda request: None if _ours(request.url, server.url) else outside.append(request.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: hear(message, (*OUTAGE, *provoked)))
        page.goto(server.url + path)
        page.wait_for_selector(drawn)
        return page

    def hear(message: ConsoleMessage, expected: tuple[str, ...]) -> None:
        if message.type == "error" and not any(word in message.text for word in expected):
            complaints.append(message.text)

    yield open_one
    for page in pages:
        page.context.close()
    assert outside == []
    assert complaints == []


@pytest.fixture
def community(server: Server) -> str:
    """The community with most grids."""
    server.routine()
    return str(max(server.get("grids/communities"), key=lambda one: one["grids"])["code"])


@pytest.fixture
def draft(server: Server, community: str) -> str:
    """A change set of its own for each test."""
    return str(server.draft(community)["id"])


def _ours(url: str, origin: str) -> bool:
    return url.startswith((origin, "data:", "blob:"))

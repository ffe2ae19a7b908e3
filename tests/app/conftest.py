"""A served county: the app on each store, spoken to over HTTP without a network."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from pingji.dashboard.app import create_app
from pingji.data.engine import open_engine
from pingji.settings import Settings
from tests import world
from tests.app.callers import KEPT, Client

Serve = Callable[..., Client]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Serve a store with settings; started, and stopped at the end."""
    for name in os.environ:
        if name.startswith("PINGJI_") and name not in KEPT:  # a command that was run here may have left its settings
            monkeypatch.delenv(name)
    with ExitStack() as stack:

        def start(url: str, **settings: object) -> Client:
            app = create_app(Settings(database_url=url, **settings))  # type: ignore[arg-type]
            return stack.enter_context(Client(app, url)).everybody()

        yield start


@pytest.fixture
def county_url(store_url: str) -> str:
    """A store with the small county in it."""
    engine = open_engine(store_url)
    world.filled(engine)
    engine.dispose()
    return store_url


@pytest.fixture
def client(serve: Serve, county_url: str) -> Client:
    """The small county, served to somebody with every role."""
    return serve(county_url)

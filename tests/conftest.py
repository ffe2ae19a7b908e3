"""The two stores, each migrated: tests that take `engine` run on both."""

import base64
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from pingji.data import schema
from pingji.data.engine import open_engine
from tests.cluster import Cluster, running_cluster

# One key for every store of a run, also in the processes that tests start: stores are copied from templates.
os.environ["PINGJI_KEY"] = base64.b64encode(bytes(range(64))).decode()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with running_cluster() as running:
        yield running


@pytest.fixture(scope="session")
def postgis_template(cluster: Cluster) -> str:
    cluster.execute("CREATE DATABASE pingji_template")
    migrate(cluster.url("pingji_template"))
    return "pingji_template"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "pingji.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(params=["sqlite", "postgis"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A store without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
    else:
        with request.getfixturevalue("cluster").database() as url:
            yield url


@pytest.fixture(params=["sqlite", "postgis"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated store without any row."""
    if request.param == "sqlite":
        file = shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "pingji.db")
        yield f"sqlite:///{file}"
    else:
        template = request.getfixturevalue("postgis_template")
        with request.getfixturevalue("cluster").database(template) as url:
            yield url


@pytest.fixture
def engine(store_url: str) -> Iterator[Engine]:
    opened = open_engine(store_url)
    yield opened
    opened.dispose()


def migrate(url: str) -> None:
    opened = open_engine(url)
    schema.upgrade(opened)
    opened.dispose()

"""A real restore: what comes back serves the same figures, also on another machine and from an older release."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from pingji.data import audit, schema
from pingji.data.audit.verify import verify
from pingji.data.backup import backup, restore
from pingji.data.engine import open_engine, reading, writing
from pingji.data.errors import DatabaseNotMigrated
from tests import world
from tests.app.callers import Client
from tests.app.conftest import Serve, serve
from tests.app.phone import press, say, send
from tests.store.test_upgrade import contents

__all__ = ["serve"]  # the fixture

FIRST_RELEASE, SECOND_RELEASE = "0001", "0002"
LOOKED_AT = ("balance", "places", "journal", "modes", "layers/grids", "grids/communities")


@pytest.fixture
def elsewhere(store_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty store of the same kind on another machine."""
    if store_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path / 'elsewhere' / 'pingji.db'}"
    else:
        with request.getfixturevalue("cluster").database() as url:
            yield url


@pytest.fixture
def busy(store_url: str) -> Engine:
    """The small county with an emergency under way, people counted, and an audit."""
    engine = open_engine(store_url)
    world.filled(engine)
    world.press(engine, "emergency")
    world.write(engine, world.Field(7).movements(200))
    with writing(engine) as conn:
        for n in range(5):
            audit.record(conn, action="test", object=str(n))
    return engine


def figures(client: Client) -> dict[str, Any]:
    """What the screens ask for; how old something is depends on when one asks."""
    found = {}
    for path in LOOKED_AT:
        answer = client.get(f"/api/v1/{path}")
        assert answer.status_code == 200, (path, answer.text)
        found[path] = without_ages(answer.json())
    return found


def without_ages(value: Any) -> Any:
    if isinstance(value, dict):
        aged = ("as_of",)
        return {k: without_ages(v) for k, v in value.items() if k not in aged}
    return [without_ages(v) for v in value] if isinstance(value, list) else value


def test_the_same_figures_on_another_machine(serve: Serve, busy: Engine, elsewhere: str, tmp_path: Path) -> None:
    backup(busy, tmp_path / "one.backup")
    before = figures(serve(busy.url.render_as_string(hide_password=False)))
    restore(tmp_path / "one.backup", elsewhere)
    client = serve(elsewhere)
    assert figures(client) == before
    assert before["balance"]
    # And it goes on: counts are taken, and the chain of the audit is whole.
    assert send(client, say("count", place="S1", count=3))["accepted"]
    assert press(client, "again", "recovery").status_code == 200
    other = open_engine(elsewhere)
    with reading(other) as conn:
        assert verify(conn).whole
    other.dispose()
    busy.dispose()


def test_what_was_done_after_the_backup_is_gone_and_nothing_else(busy: Engine, tmp_path: Path) -> None:
    backup(busy, tmp_path / "one.backup")
    with reading(busy) as conn:
        before = contents(conn)
    world.write(busy, world.Field(8).movements(50))
    with writing(busy) as conn:
        audit.record(conn, action="late")
    restore(tmp_path / "one.backup", busy.url.render_as_string(hide_password=False))
    with reading(busy) as conn:
        assert contents(conn) == before
        assert verify(conn).whole
    busy.dispose()


@pytest.mark.parametrize("release", [FIRST_RELEASE, SECOND_RELEASE])
def test_a_backup_of_an_older_release(
    serve: Serve, empty_url: str, elsewhere_empty: str, tmp_path: Path, release: str
) -> None:
    old = open_engine(empty_url)
    schema.upgrade(old)
    world.filled(old)
    world.press(old, "emergency")
    world.write(old, world.Field(7).movements(100))
    schema.downgrade(old, release)
    backup(old, tmp_path / "old.backup")
    old.dispose()
    restore(tmp_path / "old.backup", elsewhere_empty)
    new = open_engine(elsewhere_empty)
    with pytest.raises(DatabaseNotMigrated):
        schema.require_current(new)
    schema.upgrade(new)
    schema.require_current(new)
    new.dispose()
    client = serve(elsewhere_empty)
    assert client.get("/api/v1/modes").json()["mode"] == "emergency"
    assert figures(client)["balance"]


@pytest.fixture
def elsewhere_empty(empty_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    if empty_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path / 'elsewhere' / 'pingji.db'}"
    else:
        with request.getfixturevalue("cluster").database() as url:
            yield url

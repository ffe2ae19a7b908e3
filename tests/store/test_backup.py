"""Backup while in use, and restore of all or nothing."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select, text

from pingji.data import backup as backups
from pingji.data import schema
from pingji.data.backup import backup, restore
from pingji.data.engine import open_engine, reading, writing
from pingji.data.errors import BackupFailed, BackupToolMissing, NotABackup
from pingji.data.spatial import in_box, loaded, stored
from pingji.data.tables import LAYER_TABLES, headcount
from tests.shapes import POINT

households = LAYER_TABLES["households"]
KEY = {"county": "220221", "operation": "o", "place": "p"}


@pytest.fixture
def filled(engine: Engine) -> Engine:
    with writing(engine) as connection:
        connection.execute(insert(headcount), {**KEY, "device": "before", "n": 7})
        rows = [{"county": "220221", "code": str(i), "geom": stored([POINT])[0]} for i in range(500)]
        connection.execute(insert(households), rows)
    return engine


def url_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def devices(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return list(connection.execute(select(headcount.c.device).order_by(headcount.c.device)).scalars())


def add_after(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(insert(headcount), {**KEY, "device": "after", "n": 1})


def test_round_trip_into_the_same_store(filled: Engine, tmp_path: Path) -> None:
    file = tmp_path / "backups" / "one.backup"
    with writing(filled) as connection:  # in use: an open transaction holds nothing up and isn't in the backup
        connection.execute(insert(headcount), {**KEY, "device": "open", "n": 1})
        backup(filled, file)
    add_after(filled)
    restore(file, url_of(filled))
    assert devices(filled) == ["before"]
    assert schema.is_current(filled)
    with writing(filled) as connection:
        found = connection.execute(select(households.c.geom).where(in_box(households, POINT.bounds))).scalars().all()
        assert len(found) == 500
        assert loaded(found)[0].equals(POINT)
        fresh = {"county": "220221", "code": "new", "geom": stored([POINT])[0]}
        connection.execute(insert(households), fresh)  # keys go on where they were
    assert list(file.parent.iterdir()) == [file]


def test_into_an_empty_store(filled: Engine, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    file = tmp_path / "one.backup"
    backup(filled, file)
    if filled.dialect.name == "sqlite":
        other = open_engine(f"sqlite:///{tmp_path / 'other.db'}")
        restore(file, url_of(other))
        assert devices(other) == ["before"]
        other.dispose()
    else:
        with request.getfixturevalue("cluster").database() as url:
            restore(file, url)
            other = open_engine(url)
            assert devices(other) == ["before"]
            other.dispose()


def cut(file: Path, part: float) -> None:
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * part)])


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 4000] = bytes(4000)
    file.write_bytes(data)


@pytest.mark.parametrize(
    "damage",
    [
        lambda f: f.unlink(),
        lambda f: f.write_bytes(b""),
        lambda f: f.write_bytes(b"not a backup at all" * 1000),
        lambda f: cut(f, 0.0001),
        lambda f: cut(f, 0.5),
        lambda f: cut(f, 0.97),
        flip,
    ],
    ids=["missing", "empty", "text", "cut at once", "cut in half", "cut at the end", "zeros inside"],
)
def test_damage_is_noticed_and_the_store_stays(filled: Engine, tmp_path: Path, damage: Callable[[Path], None]) -> None:
    file = tmp_path / "one.backup"
    backup(filled, file)
    damage(file)
    add_after(filled)
    with pytest.raises((NotABackup, BackupFailed)):
        restore(file, url_of(filled))
    assert devices(filled) == ["after", "before"]


def test_somebody_elses_sqlite_file_is_refused(engine: Engine, tmp_path: Path) -> None:
    other = open_engine(f"sqlite:///{tmp_path / 'other.db'}")
    with writing(other) as connection:
        connection.execute(text("CREATE TABLE photos (id INTEGER)"))
    other.dispose()
    with pytest.raises(NotABackup):
        restore(tmp_path / "other.db", url_of(engine))
    assert schema.is_current(engine)


def test_a_failed_backup_leaves_the_last_one(filled: Engine, tmp_path: Path) -> None:
    file = tmp_path / "one.backup"
    file.mkdir()
    with pytest.raises(BackupFailed):
        backup(filled, file)
    assert list(tmp_path.glob(".one*")) == []


def test_missing_programs_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "glob", lambda *_: iter(()))
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(BackupToolMissing) as caught:
        backups._program("pg_dump")
    assert caught.value.params == {"program": "pg_dump"}

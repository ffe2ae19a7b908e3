"""Opening a store, and transactions on it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from pingji.data.engine import open_engine, reading, writing
from pingji.data.errors import DatabaseUnreachable, UnsupportedDatabase
from pingji.data.sql import upsert
from pingji.data.tables import headcount

KEY = {"county": "220221", "operation": "o", "place": "p", "device": "d"}


def count(engine: Engine) -> int | None:
    with reading(engine) as connection:
        return connection.execute(select(headcount.c.n)).scalar_one_or_none()


def test_writing_commits(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(insert(headcount), {**KEY, "n": 3})
    assert count(engine) == 3


def test_writing_rolls_back_when_the_block_raises(engine: Engine) -> None:
    def fail() -> None:
        with writing(engine) as connection:
            connection.execute(insert(headcount), {**KEY, "n": 3})
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert count(engine) is None


def test_reading_sees_one_snapshot(engine: Engine) -> None:
    with reading(engine) as reader:
        before = reader.execute(select(func.count()).select_from(headcount)).scalar_one()
        with writing(engine) as connection:
            connection.execute(insert(headcount), {**KEY, "n": 3})
        assert reader.execute(select(func.count()).select_from(headcount)).scalar_one() == before == 0


def test_reading_refuses_to_write_and_the_next_writer_may(engine: Engine) -> None:
    with pytest.raises(DBAPIError), reading(engine) as reader:
        reader.execute(insert(headcount), {**KEY, "n": 3})
    with writing(engine) as connection:
        connection.execute(insert(headcount), {**KEY, "n": 4})
    assert count(engine) == 4


def test_threads_that_count_at_once_lose_nothing(engine: Engine) -> None:
    def click(_: int) -> None:
        with writing(engine) as connection:
            statement = upsert(connection, headcount).values(**KEY, n=1)
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=list(headcount.primary_key), set_={"n": headcount.c.n + statement.excluded.n}
                )
            )

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(click, range(200)))
    assert count(engine) == 200


def test_reading_first_and_writing_later_works_under_load(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(insert(headcount), {**KEY, "n": 0})

    def raise_by_one(_: int) -> None:
        with writing(engine) as connection:
            connection.execute(select(headcount.c.n)).scalar_one()
            connection.execute(update(headcount).values(n=headcount.c.n + 1))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(raise_by_one, range(100)))
    assert count(engine) == 100


def test_upsert_can_leave_a_row_alone(engine: Engine) -> None:
    with writing(engine) as connection:
        for n in (1, 2):
            connection.execute(upsert(engine.dialect, headcount).values(**KEY, n=n).on_conflict_do_nothing())
    assert count(engine) == 1


def test_sqlite_is_durable_and_strict(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'new' / 'deep' / 'store.db'}")
    with writing(engine) as connection:
        pragmas = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    engine.dispose()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10000}


@pytest.mark.parametrize("url", ["mysql://localhost/x", "sqlite://", "sqlite:///:memory:", "no url", ""])
def test_another_database_is_refused(url: str) -> None:
    with pytest.raises(UnsupportedDatabase):
        open_engine(url)


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseUnreachable) as caught:
        open_engine(f"sqlite:///{tmp_path}/file/pingji.db")
    assert "file/pingji.db" in str(caught.value.params["url"])


def test_a_silent_server_is_named_without_its_password() -> None:
    engine = open_engine("postgresql://someone:secret@127.0.0.1:1/nowhere")
    with pytest.raises(DatabaseUnreachable) as caught, reading(engine):
        pass
    assert "nowhere" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_postgres_urls_mean_psycopg() -> None:
    assert open_engine("postgresql://h/d").dialect.driver == "psycopg"


def test_replace_keeps_the_count_of_rows(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(insert(headcount), {**KEY, "n": 1})
        assert connection.execute(delete(headcount)).rowcount == 1

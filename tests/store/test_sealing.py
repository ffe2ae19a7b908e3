"""Personal columns on both stores: nothing of a person in the file, everything of them through the product."""

import base64
import logging
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shapely
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Date,
    Engine,
    Float,
    Integer,
    String,
    Table,
    func,
    insert,
    select,
    text,
    type_coerce,
    update,
)

from pingji.data import features, schema
from pingji.data.backup import _program, backup, restore
from pingji.data.bulk import insert_rows
from pingji.data.engine import open_engine, reading, writing
from pingji.data.grids.history import versions_of
from pingji.data.sealing import KeyMissing, Sealed, SealedValues, keys_of
from pingji.data.sealing.column import equal
from pingji.data.sealing.keyring import UNREADABLE, Keyring
from pingji.data.sealing.keys import BadKey, new_key, read_file
from pingji.data.sealing.reseal import reseal, seal_open, sealed_tables, tally
from pingji.data.sealing.rotation import NoNewKey, held_keys, rotate
from pingji.data.sealing.settling import ensure_key
from pingji.data.spatial import stored
from pingji.data.tables import LAYER_TABLES, change_edit, metadata, movement, past_grids, person, sealing_key
from pingji.layers.catalog import LAYERS
from tests import publishing, world

COUNTY = world.COUNTY
CANARY = "Canary"
households = LAYER_TABLES["households"]
# What is about somebody by its name; a new column that sounds so has to be sealed.
PERSONAL = re.compile(r"phone|holder|deputy|leader|head$|escort|secretary|contact|id_number|totp")


def text_key() -> str:
    return base64.b64encode(new_key().secret).decode()


def reopened(engine: Engine, key: str = "", file: Path | None = None) -> Engine:
    url = engine.url.render_as_string(hide_password=False)
    return open_engine(url, Keyring(text=key, file=file) if key or file else None)


def raw(engine: Engine, table: Table, column: str) -> list[str]:
    with reading(engine) as conn:
        return list(conn.scalars(select(type_coerce(table.c[column], String)).order_by(*table.primary_key.columns)))


def on_disk(engine: Engine, tmp_path: Path) -> bytes:
    """All that a thief of the store holds: the file with its log, or a dump."""
    if engine.dialect.name == "sqlite":
        file = Path(str(engine.url.database))
        return b"".join(path.read_bytes() for path in sorted(file.parent.glob(f"{file.name}*")))
    out = tmp_path / "dump.sql"
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    subprocess.run([_program("pg_dump"), "--dbname", url, "--file", str(out)], check=True)
    return out.read_bytes()


def a_row(table: Table) -> dict[str, Any]:
    """A row that the table takes, with a canary wherever a person may be named."""
    row: dict[str, Any] = {}
    for column in table.c:
        kind = column.type
        if isinstance(kind, Sealed):
            row[column.name] = f"{CANARY} {table.name} {column.name}"
        elif isinstance(kind, SealedValues):
            row[column.name] = {"values": {"G": {"leader": f"{CANARY} {table.name} {column.name}"}}, "grids": []}
        elif column.name == "geom":
            wanted = {"MULTIPOLYGON": shapely.MultiPolygon([shapely.box(126, 43, 127, 44)])}
            row["geom"] = stored([wanted.get(kind.geometry_type, shapely.Point(126.5, 43.5))])[0]  # type: ignore[attr-defined]
        elif column.nullable or column.server_default is not None or (column.name == "id" and _counted(column.type)):
            continue
        elif isinstance(kind, JSON):
            row[column.name] = {}
        elif isinstance(kind, Boolean):
            row[column.name] = False
        elif isinstance(kind, BigInteger | Integer | Float):
            row[column.name] = 1
        elif not isinstance(kind, Date):
            row[column.name] = "x1"
    return row


def _counted(kind: object) -> bool:
    return isinstance(kind, Integer) and not isinstance(kind, BigInteger)


@pytest.fixture
def seeded(engine: Engine) -> Engine:
    """The small county with an emergency, a published change of duty-holders, and a row with canaries in each table."""
    publishing.fill(engine)
    intent = {"kind": "describe", "code": publishing.G1, "values": {"leader": f"{CANARY} drawn"}}
    publishing.published(engine, intent, at=world.T0)
    publishing.published(engine, {**intent, "values": {"leader": f"{CANARY} second"}}, at=world.T0 + 1)
    world.press(engine, "emergency")
    visitor = {"person": "visitor:9", "place": "T1", "note": f"{CANARY} said it"}
    assert world.write(engine, [world.say("arrive", 5, **visitor)]).accepted
    with writing(engine) as conn:
        for of in sealed_tables():
            conn.execute(insert(of.table), a_row(of.table))
        columns = {"household": ["B1"], "code": ["1"], "name": [f"{CANARY} bulk"], "id_number": [f"{CANARY} bulk"]}
        insert_rows(conn, person, COUNTY, columns)
    return engine


def test_no_person_is_in_the_file(seeded: Engine, tmp_path: Path) -> None:
    found = on_disk(seeded, tmp_path)
    assert b"220221101001001H03" in found  # it is the right file: codes are no secret
    assert CANARY.encode() not in found
    assert not any(name in found for name in (b"Wang 14", b"13812345678", b"Li 131", b"18812345678", b"13900001111"))


def test_everything_of_them_is_there_through_the_product(seeded: Engine) -> None:
    with reading(seeded) as conn:
        for of in sealed_tables():
            for column in of.columns:
                values = [str(value) for value in conn.scalars(select(column))]
                assert any(f"{CANARY} {of.table.name} {column.name}" in value for value in values), column
        (one,) = conn.execute(
            select(person.c.name, person.c.id_number, person.c.phone).where(person.c.household == "B1")
        )
        assert tuple(one) == (f"{CANARY} bulk", f"{CANARY} bulk", "")
        home = features.load_features(conn, COUNTY, "households", columns=["name", "phone", "escort"])[3]
        assert dict(home.values) == {"name": "Wang 3", "phone": "13812345678", "escort": ""}
        assert f"{CANARY} said it" in set(conn.scalars(select(movement.c.note)))
        # Past grids are copied inside the database: the seal of a version that ended still opens.
        leaders = [version.leader for version in versions_of(conn, COUNTY, [publishing.G1])]
        assert leaders[-2:] == [f"{CANARY} drawn", f"{CANARY} second"]
        found = [edit["values"] for edit in conn.scalars(select(change_edit.c.change)) if edit.get("values")]
        assert {publishing.G1: {"leader": f"{CANARY} second"}} in found


def test_whatever_is_personal_by_its_name_or_its_layer_is_sealed() -> None:
    open_columns = {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.c
        if PERSONAL.search(column.name) and isinstance(column.type, String)
    }
    assert open_columns == set()
    for layer in LAYERS:
        table = LAYER_TABLES[layer.name]
        for field in layer.fields:
            if field.kind in ("person", "phone"):
                assert isinstance(table.c[field.column].type, Sealed), f"{layer.name}.{field.column}"


def test_equal_is_equal_within_a_column_and_nowhere_else(engine: Engine) -> None:
    with writing(engine) as conn:
        rows = [{"county": COUNTY, "household": "H", "code": str(n), "name": "Li", "phone": "Li"} for n in range(2)]
        conn.execute(insert(person), rows)
    names, phones = raw(engine, person, "name"), raw(engine, person, "phone")
    assert names[0] == names[1]
    assert phones[0] == phones[1] != names[0]
    assert raw(engine, person, "id_number") == ["", ""]  # nothing is nothing, sealed or not
    with reading(engine) as conn:
        query = select(func.count()).select_from(person)
        assert conn.scalar(query.where(person.c.name == "Li")) == 2
        assert conn.scalar(query.where(person.c.name.in_(["Li", "Wang"]))) == 2
        assert conn.scalar(query.where(person.c.name != "")) == 2
        assert conn.scalar(query.where(person.c.name == "L")) == 0


@pytest.mark.parametrize("ask", ["startswith", "icontains", "like", "__gt__", "__add__"])
def test_what_a_seal_can_not_answer_is_refused(ask: str) -> None:
    with pytest.raises(TypeError, match="sealed"):
        getattr(person.c.name, ask)("Li")


def test_what_is_not_sealed_reads_as_it_is(engine: Engine) -> None:
    with writing(engine) as conn:
        conn.execute(text("INSERT INTO person (county, household, code, name) VALUES ('1', 'H', '1', 's1.Wang')"))
    with reading(engine) as conn:
        assert conn.scalar(select(person.c.name)) == "s1.Wang"


def test_a_changed_or_moved_seal_is_no_name_and_no_page_breaks(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    with writing(engine) as conn:
        conn.execute(insert(person), {"county": "1", "household": "H", "code": "1", "name": "Li", "phone": "138"})
        conn.execute(text("UPDATE person SET id_number = phone, phone = name"))
        conn.execute(text("UPDATE person SET name = 's1.00000000.' || substr(name, 13)"))
    with caplog.at_level(logging.ERROR), reading(engine) as conn:
        row = conn.execute(select(person.c.name, person.c.phone, person.c.id_number)).one()
    assert tuple(row) == (UNREADABLE,) * 3
    assert {"person.name", "person.phone", "person.id_number"} <= set(re.findall(r"person\.\w+", caplog.text))
    assert "Li" not in caplog.text


# -- the key ------------------------------------------------------------------------------------------------------


def test_a_new_store_makes_its_key_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PINGJI_KEY")
    url = f"sqlite:///{tmp_path / 'one.db'}"
    engine = open_engine(url)
    schema.upgrade(engine)
    assert ensure_key(engine)
    file = tmp_path / "one.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not ensure_key(engine)
    assert not ensure_key(open_engine(url))
    (key,) = read_file(file)
    with reading(engine) as conn:
        assert conn.execute(select(sealing_key.c.id, sealing_key.c.in_use)).all() == [(key.id, True)]
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_a_transaction_that_is_rolled_back_leaves_the_store_without_a_key(engine: Engine) -> None:
    class Enough(Exception):
        pass

    def first() -> None:
        with writing(engine) as conn:
            assert conn.scalar(select(func.count()).select_from(sealing_key)) == 1
            raise Enough

    with pytest.raises(Enough):
        first()
    with reading(engine) as conn:
        assert conn.scalar(select(func.count()).select_from(sealing_key)) == 0
    world.filled(engine)
    with reading(engine) as conn:
        assert conn.scalar(select(func.count()).select_from(sealing_key)) == 1


@pytest.mark.parametrize("work", [reading, writing])
def test_another_key_is_refused_before_anything_is_read_or_written(engine: Engine, tmp_path: Path, work: Any) -> None:
    world.filled(engine)
    before = raw(engine, households, "name")
    for wrong in (reopened(engine, text_key()), reopened(engine, file=tmp_path / "none.key")):
        with pytest.raises(KeyMissing) as caught, work(wrong) as conn:
            conn.execute(select(households.c.name))
        assert set(caught.value.params) == {"source", "ids", "found"}
        wrong.dispose()
    assert raw(engine, households, "name") == before
    assert not (tmp_path / "none.key").exists()  # a new key in the place of a lost one would hide that it is lost


def test_a_file_that_is_no_key_is_named(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "bad.key"
    for content in ("no key at all", base64.b64encode(bytes(32)).decode(), "\ud7ff"):
        file.write_text(content, encoding="utf-8")
        with pytest.raises(BadKey), writing(reopened(engine, file=file)):
            pass


def test_a_key_that_is_in_the_way_of_nothing_is_read_but_not_used(engine: Engine) -> None:
    old, new = text_key(), text_key()
    first = reopened(engine, old)
    world.filled(first)
    both = reopened(engine, f"{new} {old}")
    with writing(both) as conn:
        conn.execute(insert(person), {"county": COUNTY, "household": "N", "code": "1", "name": "New"})
    with reading(first) as conn:  # the store says which key is in use, not the order of the environment
        assert conn.scalar(select(person.c.name).where(person.c.household == "N")) == "New"
    first.dispose()
    both.dispose()


# -- a store from before ------------------------------------------------------------------------------------------


@pytest.fixture
def before_keys(empty_url: str) -> Iterator[Engine]:
    """A filled store of the release that knew no keys, brought up to date."""
    engine = open_engine(empty_url)
    schema.upgrade(engine)
    publishing.fill(engine)
    intent = {"kind": "describe", "code": publishing.G1, "values": {"leader": f"{CANARY} drawn"}}
    publishing.published(engine, intent, at=world.T0)
    schema.downgrade(engine, "0005")
    yield engine
    engine.dispose()


def test_the_way_back_opens_everything(before_keys: Engine) -> None:
    with reading(before_keys) as conn:
        names = set(conn.scalars(text("SELECT name FROM households")))
        assert {"Wang 0", "Wang 14"} <= names
        assert not any(name.startswith("s1.") for name in names)
        assert CANARY in str(conn.execute(text("SELECT change FROM change_edit")).all())


def test_an_old_store_works_and_is_sealed_once(before_keys: Engine, tmp_path: Path) -> None:
    schema.upgrade(before_keys)
    with reading(before_keys) as conn:
        assert features.load_features(conn, COUNTY, "households", columns=["name"])[0].values == {"name": "Wang 0"}
        assert [hit.name for hit in features.find(conn, COUNTY, "Wang 7")][:1] == ["Wang 7"]
    ensure_key(before_keys)
    assert b"Wang 14" in on_disk(before_keys, tmp_path)
    rows = seal_open(before_keys)
    assert rows > 4 * world.HOUSEHOLDS_A_COMMUNITY
    assert seal_open(before_keys) == 0
    found = on_disk(before_keys, tmp_path)
    assert b"Wang 14" not in found
    assert CANARY.encode() not in found
    with reading(before_keys) as conn:
        assert set(tally(conn)) == {keys_of(conn).writing.id}  # type: ignore[union-attr]
        assert features.load_features(conn, COUNTY, "households", columns=["name"])[0].values == {"name": "Wang 0"}
        assert versions_of(conn, COUNTY, [publishing.G1])[-1].leader == f"{CANARY} drawn"


# -- rotation -----------------------------------------------------------------------------------------------------


@pytest.fixture
def keyed(engine: Engine, tmp_path: Path) -> Iterator[Engine]:
    """The seeded store with its key in a file."""
    opened = reopened(engine, file=tmp_path / "my.key")
    publishing.fill(opened)
    intent = {"kind": "describe", "code": publishing.G1, "values": {"leader": f"{CANARY} drawn"}}
    publishing.published(opened, intent, at=world.T0)
    yield opened
    opened.dispose()


def people(engine: Engine) -> list[tuple[Any, ...]]:
    with reading(engine) as conn:
        found = conn.execute(select(person.c.name, person.c.phone).order_by(person.c.household, person.c.code)).all()
        found += conn.execute(select(households.c.name, households.c.phone).order_by(households.c.code)).all()
        for table in (past_grids, LAYER_TABLES["grids"]):
            found += conn.execute(select(table.c.leader, table.c.code).order_by(table.c.code)).all()
        return [tuple(row) for row in found]


def test_a_rotation_leaves_nothing_under_the_old_key(keyed: Engine, tmp_path: Path) -> None:
    before, sealed = people(keyed), raw(keyed, households, "name")
    other = reopened(keyed, file=tmp_path / "my.key")  # a server that has the old key in its hands
    assert people(other) == before
    (old,) = read_file(tmp_path / "my.key")
    done = rotate(keyed)
    (new,) = read_file(tmp_path / "my.key")
    assert (done.key, done.removed) == (new.id, (old.id,))
    assert new.id != old.id
    assert people(keyed) == people(other) == before
    assert not set(raw(keyed, households, "name")) & set(sealed)
    held, plain = held_keys(keyed)
    assert ([key.id for key in held], plain) == ([new.id], 0)
    with reading(other) as conn:
        edits = conn.scalars(select(change_edit.c.change)).all()
        assert {publishing.G1: {"leader": f"{CANARY} drawn"}} in [edit["values"] for edit in edits]
    with writing(other) as conn:
        conn.execute(insert(person), {"county": COUNTY, "household": "N", "code": "1", "name": "After"})
    assert old.id not in "".join(raw(keyed, person, "name"))
    assert stat.S_IMODE((tmp_path / "my.key").stat().st_mode) == 0o600
    other.dispose()


def test_names_are_found_under_both_keys_meanwhile(keyed: Engine) -> None:
    seen: list[int] = []

    def look(table: str, _rows: int) -> None:
        with reading(keyed) as conn:
            seen.append(len([hit for hit in features.find(conn, COUNTY, "Wang 7") if hit.layer == "households"]))
            query = select(func.count()).select_from(person).where(equal(conn, person.c.name, "Li 71"))
            seen.append(conn.scalar(query) or 0)

    rotate(keyed, look)
    assert len(seen) > 10
    assert set(seen) == {4}


SCRIPT = """
import sys
from pathlib import Path
from pingji.data.engine import open_engine
from pingji.data.sealing import reseal
from pingji.data.sealing.keyring import Keyring
from pingji.data.sealing.rotation import rotate
reseal.PAGE = 7
engine = open_engine(sys.argv[1], Keyring(file=Path(sys.argv[2])))
rotate(engine, lambda table, rows: print(table, rows, flush=True))
print("done", flush=True)
"""


@pytest.mark.parametrize("pages", [0, 3, 12])
def test_a_rotation_that_is_killed_is_carried_on(keyed: Engine, tmp_path: Path, pages: int) -> None:
    before, file = people(keyed), tmp_path / "my.key"
    (old,) = read_file(file)
    url = keyed.url.render_as_string(hide_password=False)
    with subprocess.Popen([sys.executable, "-c", SCRIPT, url, str(file)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for _ in range(pages + 1):
            line = child.stdout.readline()
            assert line
            assert line != "done\n"
        os.kill(child.pid, signal.SIGKILL)
    assert [key.id for key in read_file(file)][1:] == [old.id]
    begun = read_file(file)[0].id
    assert people(keyed) == before
    fresh = reopened(keyed, file=file)
    assert people(fresh) == before
    done = rotate(fresh)
    assert (done.key, done.removed) == (begun, (old.id,))
    assert [key.id for key in read_file(file)] == [begun]
    assert people(fresh) == people(keyed) == before
    fresh.dispose()


def test_a_key_that_was_put_into_the_file_by_hand_is_taken(keyed: Engine, tmp_path: Path) -> None:
    file = tmp_path / "my.key"
    file.write_text(f"{text_key()}\n{file.read_text()}")
    wanted = read_file(file)[0].id
    assert people(keyed)  # nothing changes before it is asked for
    assert rotate(keyed).key == wanted
    assert [key.id for key in read_file(file)] == [wanted]


def test_keys_of_the_environment(engine: Engine) -> None:
    old, new = text_key(), text_key()
    first = reopened(engine, old)
    world.filled(first)
    with pytest.raises(NoNewKey):
        rotate(first)
    both = reopened(engine, f"{new} {old}")
    rotate(both)
    only = reopened(engine, new)
    with reading(only) as conn:
        assert features.load_features(conn, COUNTY, "households", columns=["name"])[0].values == {"name": "Wang 0"}
    for opened in (first, both, only):
        opened.dispose()


def test_sealing_again_with_the_same_key_changes_nothing(seeded: Engine) -> None:
    before = raw(seeded, households, "name")
    assert reseal(seeded) == 0
    assert raw(seeded, households, "name") == before


# -- backup -------------------------------------------------------------------------------------------------------


def test_a_backup_without_its_key_is_refused_and_the_store_stays(keyed: Engine, tmp_path: Path) -> None:
    file, url = tmp_path / "one.backup", keyed.url.render_as_string(hide_password=False)
    backup(keyed, file)
    os.environ["PINGJI_KEY"], kept = text_key(), os.environ["PINGJI_KEY"]
    try:
        with pytest.raises(KeyMissing):
            restore(file, url)
    finally:
        os.environ["PINGJI_KEY"] = kept
    assert people(keyed)


def test_a_backup_comes_back_where_the_key_of_the_store_was_lost(
    keyed: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, file, key = people(keyed), tmp_path / "one.backup", tmp_path / "my.key"
    backup(keyed, file)
    shutil.copy(key, tmp_path / "copy.key")
    rotate(keyed)
    monkeypatch.delenv("PINGJI_KEY")
    monkeypatch.setenv("PINGJI_KEY_FILE", str(tmp_path / "copy.key"))
    restore(file, keyed.url.render_as_string(hide_password=False))
    opened = reopened(keyed)
    assert people(opened) == before
    opened.dispose()


def test_an_update_seals_as_an_insert_does(engine: Engine) -> None:
    world.filled(engine)
    with writing(engine) as conn:
        conn.execute(update(households).values(escort=f"{CANARY} by update"))
    assert all(value.startswith("s1.") for value in raw(engine, households, "escort"))

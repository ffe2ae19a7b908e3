"""Values that are stored already: sealed where they are open, sealed again with a new key, or opened for good.

All go through a table in the order of its key, a page and a transaction at a time: whoever reads or writes meanwhile
waits for one page at most, and after a kill the next run does what is left.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Row,
    String,
    Table,
    and_,
    bindparam,
    func,
    inspect,
    or_,
    select,
    tuple_,
    type_coerce,
    update,
)

from pingji.data.engine import reading, writing
from pingji.data.sealing.column import Sealed, SealedValues
from pingji.data.sealing.keyring import MARK, Keyring, keys_of
from pingji.data.tables import metadata
from pingji.data.tables.sealing import sealing_key

PAGE = 2_000
_ID = len(MARK) + 8  # characters up to the end of a key's id

Tell = Callable[[str, int], None]  # a table, and how many rows of it were written by now


def silent(_table: str, _rows: int) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True, slots=True)
class SealedTable:
    """A table with sealed columns."""

    table: Table
    columns: Sequence[Column[Any]]

    @property
    def key(self) -> Sequence[Column[Any]]:
        """The columns of its primary key."""
        return list(self.table.primary_key.columns)


def sealed_tables() -> Iterator[SealedTable]:
    """Every table that has something personal."""
    for table in metadata.sorted_tables:
        columns = [column for column in table.c if isinstance(column.type, Sealed | SealedValues)]
        if columns:
            yield SealedTable(table, columns)


def covered() -> str:
    """The names of all sealed columns: another set of them than last time is a reason to look again."""
    return " ".join(f"{of.table.name}.{column.name}" for of in sealed_tables() for column in of.columns)


def seal_open(engine: Engine, tell: Tell = silent) -> int:
    """Seal whatever is still open, once for each set of columns; how many rows were written.

    On SQLite the pages that held open values are wiped, too.
    """
    c, wanted = sealing_key.c, covered()
    with reading(engine) as conn:
        held = conn.execute(select(c.covers).where(c.in_use)).scalar()
    if held is None or held == wanted:
        return 0
    rows = reseal(engine, tell)
    if rows:
        wipe(engine)
    with writing(engine) as conn:
        conn.execute(update(sealing_key).where(c.in_use).values(covers=wanted))
    return rows


def reseal(engine: Engine, tell: Tell = silent) -> int:
    """Seal every value with the key in use, whether it is open or under another key; how many rows were written."""
    total = 0
    for of in sealed_tables():
        after: tuple[Any, ...] | None = None
        while True:
            with writing(engine) as conn:
                rows, after = _page(conn, of, after, _sealing(keys_of(conn)))
            total += rows
            tell(of.table.name, total)
            if after is None:
                break
    return total


def open_all(conn: Connection) -> int:
    """Open every sealed value of the tables that are there, in the caller's transaction; how many rows."""
    there, total = inspect(conn), 0
    for of in sealed_tables():
        if not there.has_table(of.table.name):
            continue
        names = {column["name"] for column in there.get_columns(of.table.name)}
        known = SealedTable(of.table, [column for column in of.columns if column.name in names])
        after: tuple[Any, ...] | None = None
        while known.columns:
            rows, after = _page(conn, known, after, _opening(keys_of(conn)))
            total += rows
            if after is None:
                break
    keys_of(conn).forget()
    return total


def tally(conn: Connection) -> dict[str, int]:
    """How many values are sealed with each key, by its id; those that are open under an empty one."""
    found: dict[str, int] = {}
    for of in sealed_tables():
        for column in of.columns:
            if isinstance(column.type, Sealed):
                raw = type_coerce(column, String)
                id = func.substr(raw, 1, _ID)
                for begin, n in conn.execute(select(id, func.count()).where(raw != "").group_by(id)):
                    name = begin.removeprefix(MARK) if begin.startswith(MARK) else ""
                    found[name] = found.get(name, 0) + n
    return found


def wipe(engine: Engine) -> None:
    """Rewrite an embedded store's file, so that what was open before isn't left in it; PostgreSQL needs VACUUM FULL."""
    if engine.dialect.name != "sqlite":
        return
    _alone(engine, "VACUUM")
    checkpoint(engine)


def wipe_as_it_goes(conn: Connection) -> None:
    """Let an embedded store overwrite what this connection's statements replace, not only let go of it."""
    if conn.dialect.name == "sqlite":
        conn.exec_driver_sql("PRAGMA secure_delete = ON")


def checkpoint(engine: Engine) -> None:
    """Move an embedded store's log into its file and empty it, where nobody reads just now: it has older pages."""
    if engine.dialect.name == "sqlite":
        _alone(engine, "PRAGMA wal_checkpoint(TRUNCATE)")


def _alone(engine: Engine, statement: str) -> None:
    """Outside of a transaction."""
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("PRAGMA query_only = 0")
        cursor.execute(statement)
        cursor.close()
    finally:
        raw.close()


@dataclass(frozen=True, slots=True)
class _Change:
    """What becomes of a value, by its column's type; and which rows need it."""

    text: Callable[[str, str], str]
    document: Callable[[SealedValues, Any], Any]
    needed: Callable[[ColumnElement[str]], ColumnElement[bool]]

    def value(self, kind: object, value: Any) -> Any:
        """Of a column of either kind."""
        if isinstance(kind, Sealed):
            return self.text(kind.label, value)
        assert isinstance(kind, SealedValues)
        return self.document(kind, value)


def _sealing(ring: Keyring) -> _Change:
    assert ring.writing is not None
    current = f"{MARK}{ring.writing.id}."

    def text(label: str, value: str) -> str:
        return value if value.startswith(current) else ring.seal(label, ring.open(label, value))

    def document(kind: SealedValues, value: Any) -> Any:
        return kind.sealed(kind.opened(value, ring), ring)

    return _Change(text, document, lambda raw: and_(raw != "", raw.not_like(f"{current}%")))


def _opening(ring: Keyring) -> _Change:
    return _Change(ring.open, lambda kind, value: kind.opened(value, ring), lambda raw: raw.like(f"{MARK}%"))


def _page(
    conn: Connection, of: SealedTable, after: tuple[Any, ...] | None, change: _Change
) -> tuple[int, tuple[Any, ...] | None]:
    """Change the rows of one page that need it: how many, and the key of the last one, or None at the end."""
    raw = [_raw(column) for column in of.columns]
    query = select(*of.key, *raw).order_by(*of.key).limit(PAGE).with_for_update()
    texts = [column for column, kept in zip(raw, of.columns, strict=True) if isinstance(kept.type, Sealed)]
    if len(texts) == len(raw):  # documents can't be asked: each is looked at
        query = query.where(or_(*(change.needed(column) for column in texts)))
    if after is not None:
        query = query.where(tuple_(*of.key) > tuple_(*after))
    rows = conn.execute(query).all()
    if not rows:
        return 0, None
    changed = [found for row in rows if (found := _changed(of, row, change)) is not None]
    if changed:
        theirs = (column == bindparam(f"its_{i}", type_=column.type) for i, column in enumerate(of.key))
        new = {column.name: bindparam(f"new_{column.name}", type_=_plain(column)) for column in of.columns}
        conn.execute(update(of.table).where(*theirs).values(new), changed)
    return len(changed), tuple(rows[-1][: len(of.key)])


def _changed(of: SealedTable, row: Row[Any], change: _Change) -> dict[str, Any] | None:
    """The parameters of a row's update; None where it stays."""
    its, values = row[: len(of.key)], row[len(of.key) :]
    new = [change.value(column.type, value) for column, value in zip(of.columns, values, strict=True)]
    if all(one == other for one, other in zip(new, values, strict=True)):
        return None
    return {f"its_{i}": value for i, value in enumerate(its)} | {
        f"new_{column.name}": value for column, value in zip(of.columns, new, strict=True)
    }


def _plain(column: Column[Any]) -> String | JSON:
    return String() if isinstance(column.type, Sealed) else JSON()


def _raw(column: Column[Any]) -> ColumnElement[Any]:
    """A column as it is stored."""
    return type_coerce(column, _plain(column))

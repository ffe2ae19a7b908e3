"""The audit: what an entry holds, that nothing but adding is possible, and that tampering is found."""

from collections.abc import Callable
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from threading import Thread

import orjson
import pytest
from click.testing import Result
from sqlalchemy import Connection, Engine, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from typer.testing import CliRunner

from pingji.cli import app
from pingji.cli.who import machine_user
from pingji.data import audit, journal
from pingji.data.audit.entry import COLUMNS, NO_HASH, hash_of
from pingji.data.audit.verify import (
    Anchor,
    Breach,
    NotAnAnchor,
    Tampering,
    Verdict,
    anchor_of,
    head_of,
    verify,
)
from pingji.data.engine import open_engine, reading, writing
from pingji.data.origin import Origin, acting
from pingji.data.tables.audit import audit as entries
from pingji.data.tables.audit import audit_head
from tests.world import COUNTY, filled

WANG = Origin("a1", "Wang", "session", "10.0.0.7", "r-1")


def rows(engine: Engine) -> list[dict[str, object]]:
    with reading(engine) as conn:
        found = conn.execute(select(entries).order_by(entries.c.seq)).all()
    return [dict(zip(COLUMNS, row, strict=True)) for row in found]


def fill(engine: Engine, n: int) -> None:
    with writing(engine) as conn:
        for i in range(n):
            audit.record(conn, action="names_seen", object=f"o{i}", purpose="because", detail={"n": i}, at=1000 + i)


def test_an_entry_says_who_what_why_and_where_from(engine: Engine) -> None:
    with acting(WANG), writing(engine) as conn:
        seq = audit.record(
            conn, action="names_seen", object="H1", scope=COUNTY, purpose="roll call", detail={"n": 3}, at=7
        )
    (row,) = rows(engine)
    kept = row.pop("hash"), row
    assert kept[0] == hash_of(kept[1])
    assert row == {
        "seq": seq,
        "at": 7,
        "actor": "Wang",
        "actor_id": "a1",
        "door": "session",
        "address": "10.0.0.7",
        "request": "r-1",
        "action": "names_seen",
        "object": "H1",
        "scope": COUNTY,
        "purpose": "roll call",
        "outcome": "done",
        "detail": {"n": 3},
        "previous": NO_HASH,
    }


def test_entries_are_chained_and_the_head_is_the_last(engine: Engine) -> None:
    fill(engine, 3)
    found = rows(engine)
    assert [row["seq"] for row in found] == [1, 2, 3]
    assert [row["previous"] for row in found] == [NO_HASH, found[0]["hash"], found[1]["hash"]]
    with reading(engine) as conn:
        assert tuple(conn.execute(select(audit_head.c.seq, audit_head.c.hash)).one()) == (3, found[2]["hash"])


def test_what_is_rolled_back_leaves_no_entry(engine: Engine) -> None:
    with pytest.raises(IntegrityError), writing(engine) as conn:
        _recorded_and_broken(conn)
    fill(engine, 1)
    assert [row["action"] for row in rows(engine)] == ["names_seen"]


def _recorded_and_broken(conn: Connection) -> None:
    audit.record(conn, action="import")
    conn.execute(insert(entries), {"seq": 1, "at": 1, "action": "x", "outcome": "done", "previous": "", "hash": ""})


def test_odd_texts_are_kept_in_part_rather_than_refused(engine: Engine) -> None:
    odd = {"a\x00": "x\ud800", "phone": "13812341234", "id": "220221199001011234", "big": 1 << 70, "nan": float("nan")}
    with writing(engine) as conn:
        audit.record(
            conn, action="sign_in_failed", object="\x00' OR 1=1\n" + "x" * 900, detail=odd | {"many": list(range(99))}
        )
    (row,) = rows(engine)
    assert row["hash"] == hash_of({name: value for name, value in row.items() if name != "hash"})
    assert str(row["object"]).startswith("?' OR 1=1 xx")
    assert len(str(row["object"])) == 200
    assert row["detail"] == {
        "a?": "x?",
        "phone": "138****1234",
        "id": "220221********1234",
        "big": str(1 << 70),
        "nan": None,
        "many": {"n": 99},
    }


@pytest.mark.parametrize(
    "statement",
    [
        update(entries).values(actor="Li"),
        delete(entries).where(entries.c.seq == 2),
        delete(entries),
        delete(audit_head),
        update(audit_head).values(seq=1),
    ],
    ids=lambda statement: " ".join(str(statement).split()[:4]),
)
def test_nothing_is_changed_or_taken_away(engine: Engine, statement: object) -> None:
    fill(engine, 3)
    before = rows(engine)
    with pytest.raises(IntegrityError, match="append-only"), writing(engine) as conn:
        conn.execute(statement)  # type: ignore[call-overload]
    assert rows(engine) == before


def test_postgresql_refuses_to_truncate(engine: Engine) -> None:
    fill(engine, 1)
    for table in ("audit", "audit_head") if engine.dialect.name == "postgresql" else ():
        with pytest.raises(IntegrityError, match="append-only"), writing(engine) as conn:
            conn.execute(text(f"TRUNCATE {table}"))
    if engine.dialect.name == "sqlite":  # which has no TRUNCATE; replacing a row is its way around
        with pytest.raises(IntegrityError, match="append-only"), writing(engine) as conn:
            conn.execute(text("INSERT OR REPLACE INTO audit SELECT * FROM audit"))
    assert len(rows(engine)) == 1


def test_the_journal_writes_into_the_audit(engine: Engine) -> None:
    with acting(WANG), writing(engine) as conn:
        detail = {"from": "routine", "to": "emergency", "level": 2, "reason": "rain", "scope_name": "County"}
        journal.write(
            conn, COUNTY, at=5, actor="Wang", action="press", scope=COUNTY, operation="op", exercise=True, detail=detail
        )
        journal.write(conn, COUNTY, at=6, actor="Li", action="publish")
    press, publish = rows(engine)
    assert (press["at"], press["actor"], press["action"], press["scope"], press["purpose"]) == (
        5,
        "Wang",
        "press",
        COUNTY,
        "rain",
    )
    told = {"from": "routine", "to": "emergency", "level": 2, "operation": "op", "exercise": True}
    assert press["detail"] == told
    assert (publish["actor"], publish["detail"], publish["scope"]) == ("Wang", {"named": "Li"}, COUNTY)


def append_many(url: str, n: int) -> None:
    engine = open_engine(url)
    for i in range(n):
        with acting(WANG), writing(engine) as conn:
            audit.record(conn, action="count", detail={"n": i})
    engine.dispose()


def test_many_at_once_make_one_chain(store_url: str) -> None:
    processes = [get_context("spawn").Process(target=append_many, args=(store_url, 25)) for _ in range(3)]
    threads = [Thread(target=append_many, args=(store_url, 25)) for _ in range(5)]
    for one in (*processes, *threads):
        one.start()
    for one in (*processes, *threads):
        one.join(120)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    engine = open_engine(store_url)
    found = rows(engine)
    assert [row["seq"] for row in found] == list(range(1, 201))
    assert [row["previous"] for row in found] == [NO_HASH, *(row["hash"] for row in found[:-1])]
    engine.dispose()


def test_without_its_head_the_county_can_still_act(engine: Engine) -> None:
    fill(engine, 2)
    disarm(engine)
    with writing(engine) as conn:
        conn.execute(delete(audit_head))
    fill(engine, 1)
    assert [row["action"] for row in rows(engine)] == ["names_seen", "names_seen", "audit_head_lost", "names_seen"]


def disarm(engine: Engine) -> None:
    """Take the triggers away, as somebody would who owns the database."""
    with writing(engine) as conn:
        if engine.dialect.name == "postgresql":
            conn.execute(text("DROP FUNCTION audit_append_only() CASCADE"))
        else:
            for name in ("audit_no_update", "audit_no_delete", "audit_head_step", "audit_head_no_delete"):
                conn.execute(text(f"DROP TRIGGER {name}"))


def verified(engine: Engine, anchor: Anchor | None = None, batch: int = 3) -> Verdict:
    with reading(engine) as conn:
        return verify(conn, anchor, batch=batch)


@pytest.mark.parametrize("n", [0, 1, 3, 4, 10])
def test_an_untouched_chain_is_whole(engine: Engine, n: int) -> None:
    fill(engine, n)
    verdict = verified(engine)
    assert (verdict.whole, verdict.entries, verdict.head.seq) == (True, n, n)


def forged(row: dict[str, object], **changed: object) -> dict[str, object]:
    """An entry with other contents and a hash that fits them."""
    new = {name: value for name, value in row.items() if name != "hash"} | changed
    return new | {"hash": hash_of(new)}


def put(conn: Connection, row: dict[str, object]) -> None:
    conn.execute(update(entries).where(entries.c.seq == row["seq"]).values(**row))


def change(conn: Connection, row: dict[str, object]) -> None:
    conn.execute(update(entries).where(entries.c.seq == 5).values(actor="Nobody"))


def change_detail(conn: Connection, row: dict[str, object]) -> None:
    conn.execute(update(entries).where(entries.c.seq == 5).values(detail={"n": 4, "more": 1}))


def change_with_hash(conn: Connection, row: dict[str, object]) -> None:
    put(conn, forged(row, actor="Nobody"))


def drop_one(conn: Connection, row: dict[str, object]) -> None:
    conn.execute(delete(entries).where(entries.c.seq.in_([5, 6])))


def drop_first(conn: Connection, row: dict[str, object]) -> None:
    conn.execute(delete(entries).where(entries.c.seq == 1))


def swap(conn: Connection, row: dict[str, object]) -> None:
    other = conn.execute(select(entries).where(entries.c.seq == 6)).one()
    put(conn, dict(zip(COLUMNS, other, strict=True)) | {"seq": 5})
    put(conn, row | {"seq": 6})


def cut_end(conn: Connection, row: dict[str, object]) -> None:
    conn.execute(delete(entries).where(entries.c.seq > 7))


def cut_end_and_head(conn: Connection, row: dict[str, object]) -> None:
    cut_end(conn, row)
    conn.execute(update(audit_head).values(seq=7))


def cut_all(conn: Connection, row: dict[str, object]) -> None:
    conn.execute(delete(entries))


def add_at_end(conn: Connection, row: dict[str, object]) -> None:
    last = conn.execute(select(entries).where(entries.c.seq == 10)).one()
    conn.execute(insert(entries), forged(row, seq=11, previous=last.hash))


def add_before(conn: Connection, row: dict[str, object]) -> None:
    conn.execute(insert(entries), forged(row, seq=0))


def renumber(conn: Connection, row: dict[str, object]) -> None:
    """Take one out and close the gap, as if it had never been."""
    conn.execute(delete(entries).where(entries.c.seq == 5))
    for seq in range(6, 11):
        conn.execute(update(entries).where(entries.c.seq == seq).values(seq=seq - 1))
    conn.execute(update(audit_head).values(seq=9))


def take_head(conn: Connection, row: dict[str, object]) -> None:
    conn.execute(delete(audit_head))


def change_head(conn: Connection, row: dict[str, object]) -> None:
    conn.execute(update(audit_head).values(hash="f" * 64))


ATTACKS = [
    (change, Breach(5, Tampering.CHANGED)),
    (change_detail, Breach(5, Tampering.CHANGED)),
    (change_with_hash, Breach(5, Tampering.EXCHANGED)),
    (drop_one, Breach(5, Tampering.MISSING, 6)),
    (drop_first, Breach(1, Tampering.MISSING, 1)),
    (swap, Breach(5, Tampering.CHANGED)),
    (cut_end, Breach(8, Tampering.CUT, 10)),
    (cut_end_and_head, Breach(7, Tampering.HEAD)),
    (cut_all, Breach(1, Tampering.CUT, 10)),
    (add_at_end, Breach(11, Tampering.INSERTED)),
    (add_before, Breach(0, Tampering.INSERTED)),
    (renumber, Breach(5, Tampering.CHANGED)),
    (take_head, Breach(10, Tampering.HEAD)),
    (change_head, Breach(10, Tampering.HEAD)),
]


@pytest.mark.parametrize(("attack", "breach"), ATTACKS, ids=[attack.__name__ for attack, _ in ATTACKS])
def test_tampering_is_found(engine: Engine, attack: Callable[..., None], breach: Breach) -> None:
    fill(engine, 10)
    disarm(engine)
    with writing(engine) as conn:
        attack(conn, rows(engine)[4])
    assert verified(engine).breach == breach
    assert verified(engine, batch=1000).breach == breach


@pytest.mark.parametrize("column", sorted(set(COLUMNS) - {"seq"}))
def test_every_cell_counts(engine: Engine, column: str) -> None:
    fill(engine, 3)
    disarm(engine)
    value = {"at": 5, "detail": {"n": 99}}.get(column, "0" * 64)
    with writing(engine) as conn:
        conn.execute(update(entries).where(entries.c.seq == 2).values({column: value}))
    assert verified(engine).breach == Breach(2, Tampering.CHANGED)


@pytest.mark.parametrize("value", ["'{not json'", "x'ff00'", "CAST(x'c328' AS TEXT)", "'[]'"])
@pytest.mark.parametrize("column", ["detail", "actor"])
def test_what_cannot_be_read_was_changed(engine: Engine, column: str, value: str) -> None:
    fill(engine, 8)
    disarm(engine)
    if engine.dialect.name == "postgresql":  # it keeps no such thing: JSON at least is another one
        column, value = "detail", "'[]'"
    with writing(engine) as conn:
        conn.execute(text(f"UPDATE audit SET {column} = {value} WHERE seq = 5"))
    assert verified(engine).breach == Breach(5, Tampering.CHANGED)


def rewrite_all(engine: Engine) -> None:
    """What somebody with every right can do: change an entry, and make all hashes after it fit."""
    previous = NO_HASH
    found = rows(engine)
    with writing(engine) as conn:
        for row in found:
            new = forged(row, previous=previous, actor="Nobody" if row["seq"] == 5 else row["actor"])
            put(conn, new)
            previous = str(new["hash"])
        conn.execute(update(audit_head).values(hash=previous))


def test_only_an_anchor_outside_finds_a_chain_that_was_made_anew(engine: Engine) -> None:
    fill(engine, 10)
    with reading(engine) as conn:
        anchor = head_of(conn)
    assert anchor == anchor_of(str(anchor))
    fill(engine, 5)
    assert verified(engine, anchor).whole
    disarm(engine)
    rewrite_all(engine)
    assert verified(engine).whole
    assert verified(engine, anchor).breach == Breach(10, Tampering.ANCHOR)


def test_an_anchor_past_the_end_says_that_a_backup_or_less_was_put_back(engine: Engine) -> None:
    fill(engine, 3)
    assert verified(engine, Anchor(4, "a" * 64)).breach == Breach(4, Tampering.ANCHOR)
    assert verified(engine, Anchor(0, NO_HASH)).whole


@pytest.mark.parametrize(
    "given", ["", "7", "7:abc", ":" + "a" * 64, "x:" + "a" * 64, "7:" + "g" * 64, "-1:" + "a" * 64]
)
def test_an_anchor_that_is_none(given: str) -> None:
    with pytest.raises(NotAnAnchor):
        anchor_of(given)


def test_a_lost_head_stays_visible(engine: Engine) -> None:
    fill(engine, 2)
    disarm(engine)
    with writing(engine) as conn:
        conn.execute(delete(audit_head))
    fill(engine, 1)
    assert verified(engine).breach == Breach(3, Tampering.HEAD)


# ── The command line ─────────────────────────────────────────────────────


@pytest.fixture
def run(store_url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("PINGJI_DATABASE_URL", store_url)
    monkeypatch.setenv("PINGJI_LANGUAGE", "en")
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def test_verify_by_command(run: Callable[..., Result], engine: Engine) -> None:
    fill(engine, 5)
    anchor = run("audit", "anchor").output.strip()
    assert anchor == f"5:{rows(engine)[-1]['hash']}"
    whole = run("audit", "verify", "--anchor", anchor)
    assert (whole.exit_code, "goes through the anchor" in whole.output) == (0, True)
    assert run("audit", "verify", "--anchor", "5:" + "0" * 64).exit_code == 1
    assert run("audit", "verify", "--anchor", "nonsense").exit_code == 2
    disarm(engine)
    with writing(engine) as conn:
        conn.execute(delete(entries).where(entries.c.seq == 2))
    broken = run("audit", "verify")
    assert broken.exit_code == 1
    assert "Entries 2 to 2 were deleted." in broken.output
    told = [row["detail"] for row in rows(engine) if row["action"] == "audit_verified"]
    assert [(one["whole"], one.get("kind")) for one in told] == [(True, None), (False, "anchor"), (False, "missing")]  # type: ignore[index, attr-defined]


def test_list_and_export_by_command(run: Callable[..., Result], engine: Engine, tmp_path: Path) -> None:
    fill(engine, 5)
    found = [orjson.loads(line) for line in run("audit", "list", "--object", "o3", "--json").output.splitlines()]
    assert [(one["seq"], one["object"]) for one in found if one["action"] == "names_seen"] == [(4, "o3")]
    assert "names" in run("audit", "list", "--action", "names_seen").output
    assert "No entry fits." in run("audit", "list", "--actor", "Nobody").output
    file = tmp_path / "audit.csv"
    done = run("audit", "export", file, "--action", "names_seen")
    assert done.exit_code == 0
    assert sha256(file.read_bytes()).hexdigest() in done.output.replace("\n", "")
    assert len(file.read_text("utf-8-sig").splitlines()) == 6
    assert run("audit", "export", tmp_path / "audit.pdf").exit_code == 2
    assert run("audit", "list", "--since", "soon").exit_code == 2
    who = {row["actor"] for row in rows(engine) if row["action"] in ("audit_read", "audit_exported")}
    assert who == {machine_user().name}


def test_a_restore_is_told_with_the_head_that_it_replaced(
    run: Callable[..., Result], engine: Engine, tmp_path: Path
) -> None:
    fill(engine, 2)
    assert run("db", "backup", tmp_path / "one.backup").exit_code == 0
    fill(engine, 3)
    before = run("audit", "anchor").output.strip()
    assert run("db", "restore", tmp_path / "one.backup").exit_code == 0
    assert [row["action"] for row in rows(engine)] == ["names_seen", "names_seen", "restore"]
    assert rows(engine)[-1]["detail"] == {"replaced_head": before}
    assert verified(engine).whole
    assert run("audit", "verify", "--anchor", before).exit_code == 1


def test_an_export_by_command_says_whether_it_held_numbers_in_full(
    run: Callable[..., Result], engine: Engine, tmp_path: Path
) -> None:
    filled(engine)
    assert run("export", "shelters", tmp_path / "a.csv").exit_code == 0
    assert run("export", "shelters", tmp_path / "b.csv", "--unmasked").exit_code == 0
    assert run("grids", "export", tmp_path / "c.geojson", "--unmasked").exit_code == 0
    told = [(row["action"], row["object"], row["scope"], row["door"]) for row in rows(engine)]
    assert told == [
        ("export", "a.csv", COUNTY, "cli"),
        ("export_personal", "b.csv", COUNTY, "cli"),
        ("export_personal", "c.geojson", COUNTY, "cli"),
    ]

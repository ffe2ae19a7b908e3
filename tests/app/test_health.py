"""Health over HTTP: each thing with a light, a word and what to do; and what is told when the store is gone."""

import os
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from pingji.data import health as measured
from pingji.data import schema
from pingji.data.audit.readers import verified_by
from pingji.data.engine import open_engine, writing
from pingji.ops import health
from pingji.ops.access import EVERYWHERE, Grant, Role
from pingji.ops.health import GIGABYTE, Check, Light, Room
from tests.app.callers import Client
from tests.app.conftest import Serve
from tests.app.phone import assert_problem
from tests.certificate import self_signed


def checks(client: Client) -> dict[str, dict[str, Any]]:
    answer = client.get("/api/v1/health")
    assert answer.status_code == 200, answer.text
    return {check["name"]: check for check in answer.json()["checks"]}


def test_a_store_that_is_well(client: Client) -> None:
    found = checks(client)
    assert {name for name, check in found.items() if check["light"] == "green"} >= {"database", "stream", "writer"}
    assert found["database"]["values"]["kind"] in ("sqlite", "postgresql")
    assert 0 < found["database"]["values"]["ms"] < 5_000
    assert found["database"]["values"]["size_mb"] > 0
    assert {"audit", "sign_ins", "disk", "clock", "certificate", "backup"} <= set(found)


def test_in_both_languages_with_what_to_do(client: Client) -> None:
    for check in checks(client).values():
        assert any("\u4e00" <= c <= "\u9fff" for c in check["text"])
        assert check["text_en"].isascii()
        assert bool(check["do"]) == bool(check["do_en"]) == (check["light"] != "green")


def test_who_may_see_it(client: Client) -> None:
    for role, status in ((Role.DUTY_OFFICER, 200), (Role.ADMINISTRATOR, 200), (Role.WALL, 403), (Role.FIELD, 403)):
        headers = client.bearer(role.value, Grant(role, EVERYWHERE))
        for path in ("/api/v1/health", "/metrics"):
            assert client.get(path, headers=headers).status_code == status, (role, path)


def test_the_audit_says_when_it_was_checked(client: Client, store_url: str) -> None:
    assert checks(client)["audit"]["state"] == "never"
    engine = open_engine(store_url)
    assert verified_by(engine).whole
    engine.dispose()
    assert checks(client)["audit"]["light"] == "green"


def test_locked_accounts_are_counted(client: Client, store_url: str) -> None:
    engine = open_engine(store_url)
    add = text(
        "INSERT INTO account (id, login, name, created_at, locked_until) VALUES (:id, :id, :id, 0, 4000000000000000)"
    )
    with writing(engine) as conn:
        for n in range(health.LOCKED_MANY):
            conn.execute(add, {"id": f"l{n}"})
    engine.dispose()
    found = checks(client)["sign_ins"]
    assert (found["light"], found["values"]) == ("red", {"n": health.LOCKED_MANY})


def test_backups_are_watched(serve: Serve, county_url: str, tmp_path: Path) -> None:
    client = serve(county_url, backup_dir=tmp_path)
    assert checks(client)["backup"]["state"] == "never"
    file = tmp_path / "one.backup"
    file.write_bytes(b"x")
    measured.mark_backup(tmp_path, file)
    found = checks(client)
    assert found["backup"]["light"] == "green"
    assert "backup_disk" in found
    (tmp_path / measured.MARK).write_text("{}")
    assert checks(client)["backup"]["state"] == "never"


def test_a_store_that_is_gone(tmp_path: Path) -> None:
    assert measured.ask(open_engine("postgresql://nobody@127.0.0.1:1/none")).ms is None
    assert health.database(None, False, {}).light is Light.RED


def test_a_store_of_another_version(engine: Engine) -> None:
    schema.downgrade(engine, "0002")
    found = measured.ask(engine)
    assert found.ms is not None
    assert not found.current
    assert health.database(found.ms, found.current, {}).state == "other_version"


def test_an_answer_even_where_the_guard_cannot_reach_the_store(client: Client, store_url: str) -> None:
    headers = client.bearer("late")
    engine = open_engine(store_url)
    with writing(engine) as conn:
        conn.execute(text("ALTER TABLE token RENAME TO elsewhere"))
    answer = client.get("/api/v1/health", headers=headers)
    with writing(engine) as conn:
        conn.execute(text("ALTER TABLE elsewhere RENAME TO token"))
    engine.dispose()
    assert answer.status_code in (500, 503)
    assert_problem(answer, answer.status_code)
    assert answer.headers["x-request-id"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("check", "light", "state"),
    [
        (health.database(3.0, True, {}), Light.GREEN, "ok"),
        (health.database(900.0, True, {}), Light.AMBER, "slow"),
        (health.stream(None, 0), Light.RED, "never"),
        (health.stream(60.0, 3), Light.RED, "late"),
        (health.writer(10_000), Light.AMBER, "busy"),
        (health.disk("disk", Room(100 * GIGABYTE, 1000 * GIGABYTE)), Light.GREEN, "ok"),
        (health.disk("disk", Room(20 * GIGABYTE, 1000 * GIGABYTE)), Light.RED, "full"),
        (health.disk("disk", Room(10 * GIGABYTE, 100 * GIGABYTE)), Light.AMBER, "low"),
        (health.disk("disk", Room(GIGABYTE // 4, GIGABYTE)), Light.RED, "full"),
        (health.disk("disk", None), Light.GREY, "unknown"),
        (health.clock(0.1, True), Light.GREEN, "ok"),
        (health.clock(-2.0, True), Light.AMBER, "drift"),
        (health.clock(9.0, None), Light.RED, "drift"),
        (health.clock(None, False), Light.AMBER, "free"),
        (health.clock(None, None), Light.GREY, "unknown"),
        (health.certificate(None, watched=False), Light.GREY, "unwatched"),
        (health.certificate(None, watched=True), Light.RED, "unreadable"),
        (health.certificate(-1.0, watched=True), Light.RED, "over"),
        (health.certificate(3.0, watched=True), Light.RED, "soon"),
        (health.certificate(20.0, watched=True), Light.AMBER, "soon"),
        (health.certificate(80.0, watched=True), Light.GREEN, "ok"),
        (health.backup(30 * 3600.0, watched=True), Light.AMBER, "old"),
        (health.backup(80 * 3600.0, watched=True), Light.RED, "old"),
        (health.audit(86_400.0, False), Light.RED, "broken"),
        (health.audit(30 * 86_400.0, True), Light.AMBER, "old"),
        (health.sign_ins(1), Light.AMBER, "locked"),
    ],
)
def test_lights(check: Check, light: Light, state: str) -> None:
    assert (check.light, check.state) == (light, state)


def test_days_of_a_certificate(tmp_path: Path) -> None:
    file = tmp_path / "cert.pem"
    file.write_bytes(self_signed(days=10)[0])
    days = measured.certificate_days(file)
    assert days is not None
    assert 9 < days <= 10
    file.write_text("no certificate")
    assert measured.certificate_days(file) is None
    assert measured.certificate_days(tmp_path / "none") is None


def test_age_of_a_backup(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    before = time.time()
    measured.mark_backup(tmp_path, tmp_path / "a")
    age = measured.backup_age_s(tmp_path)
    assert age is not None
    assert age <= time.time() - before + 0.1
    assert os.listdir(tmp_path).count(measured.MARK) == 1

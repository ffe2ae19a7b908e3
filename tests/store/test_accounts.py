"""Accounts in the store: what holds under haste, and the commands from the machine itself."""

import re
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from time import perf_counter

import pytest
from sqlalchemy import Engine, func, select
from typer.testing import CliRunner

from pingji.cli import app
from pingji.data.access import accounts, entering, first, lookup, passwords, sessions, tokens
from pingji.data.access.accounts import LastAdministrator
from pingji.data.access.entering import Browser
from pingji.data.access.managing import Manager
from pingji.data.engine import reading, writing
from pingji.data.tables import account, session, token
from pingji.data.tables.audit import audit
from pingji.ops.access import EVERYWHERE, Grant, Role
from pingji.ops.sign_in import MINUTE_US, WrongSignIn
from tests import world

AT = world.T0
PASSWORD = "mild otter 47 lamps"


def person(engine: Engine, login: str, role: Role = Role.LEADER) -> str:
    with writing(engine) as conn:
        grants = [Grant(role, EVERYWHERE)]
        return accounts.add_account(conn, login=login, name=login, grants=grants, at=AT, password=PASSWORD)[0]


def test_nothing_that_opens_anything_is_kept(engine: Engine) -> None:
    ident = person(engine, "li")
    with writing(engine) as conn:
        secret = lookup.begin_session(conn, ident, at=AT, lifetime_us=MINUTE_US)
        _, of_wall = lookup.make_token(
            conn, kind="wall", name="Hall", grants=[], created_by="", at=AT, expires_at=AT + MINUTE_US
        )
        kept = [*conn.execute(select(account)), *conn.execute(select(session)), *conn.execute(select(token))]
    text = str(kept)
    assert "$argon2id$" in text
    for open_one in (PASSWORD, secret, of_wall):
        assert open_one not in text


def test_two_administrators_cannot_disable_each_other_at_once(engine: Engine) -> None:
    both = [person(engine, login, Role.ADMINISTRATOR) for login in ("one", "two")]

    def disable(other: str) -> bool:
        try:
            with writing(engine) as conn:
                Manager(conn, AT).disable(other)
        except LastAdministrator:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(disable, both)) == [False, True]


def test_many_first_starts_make_one_administrator(engine: Engine) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: first.ensure_administrator(engine), range(8)))
    assert len([one for one in made if one is not None]) == 1
    with reading(engine) as conn:
        assert conn.scalar(select(func.count()).select_from(account)) == 1


def test_one_code_lets_one_device_in(engine: Engine) -> None:
    with writing(engine) as conn:
        _, code = Manager(conn, AT).make_code("Post", Grant(Role.FIELD, EVERYWHERE), 10)

    def enter(_: int) -> bool:
        try:
            entering.enter_device(engine, code, AT + 1, Browser())
        except WrongSignIn:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(enter, range(8))) == 1
    with reading(engine) as conn:
        assert len(sessions.devices(conn, AT + 2)) == 1


def test_the_name_of_a_post_is_free_again_after_its_shift(engine: Engine) -> None:
    def code(at: int) -> str:
        with writing(engine) as conn:
            return Manager(conn, at).make_code("Post", Grant(Role.FIELD, EVERYWHERE), 10)[1]

    entering.enter_device(engine, code(AT), AT, Browser())
    with pytest.raises(accounts.NameTaken):
        code(AT + MINUTE_US)
    assert code(AT + 24 * 60 * MINUTE_US)


def test_an_unknown_login_takes_as_long_as_a_wrong_password() -> None:
    kept = passwords.hash_password(PASSWORD)
    passwords.matches("", "warm up")

    def taken(hashed: str) -> float:
        begun = perf_counter()
        assert not passwords.matches(hashed, "another password")
        return perf_counter() - begun

    pairs = [(taken(kept), taken("")) for _ in range(9)]
    known, unknown = (median(times) for times in zip(*pairs, strict=True))
    assert 0.4 < known / unknown < 2.5


def test_expired_sessions_and_codes_are_forgotten(engine: Engine) -> None:
    ident = person(engine, "li")
    with writing(engine) as conn:
        lookup.begin_session(conn, ident, at=AT, lifetime_us=MINUTE_US)
        Manager(conn, AT).make_code("Post", Grant(Role.FIELD, EVERYWHERE), 1)
        later = AT + 2 * MINUTE_US
        assert sessions.clear_expired(conn, later) == 1
        tokens.clear_expired(conn, later)
        assert tokens.tokens_of(conn) == []


@pytest.fixture
def run(store_url: str, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setenv("PINGJI_DATABASE_URL", store_url)
    monkeypatch.setenv("PINGJI_LANGUAGE", "en")
    runner = CliRunner()
    return lambda *words: runner.invoke(app, list(words))


def test_the_commands(engine: Engine, run: object) -> None:
    with writing(engine) as conn:
        world.fill(conn)

    def do(*words: str, status: int = 0) -> str:
        result = run(*words)  # type: ignore[operator]
        assert result.exit_code == status, result.output
        return str(result.output)

    added = do("user", "add", "Li", "--name", "Li Hua", "--role", "leader", "--role", "auditor", "--scope", world.C1)
    [once] = re.findall(r"[2-9A-Z]{5}-[2-9A-Z]{5}-[2-9A-Z]{4}", added)
    entered = entering.enter(engine, "li", once, AT, Browser(), require_second=False)
    assert entered.must_change
    assert "taken" in do("user", "add", "li", "--role", "leader", status=2)
    assert "nowhere" in do("user", "grant", "li", "--role", "leader", "--scope", "nowhere", status=2)
    do("user", "grant", "li", "--role", "commander", "--scope", "T1")
    do("user", "revoke-grant", "li", "--role", "leader", "--scope", world.C1)
    with reading(engine) as conn:
        known = accounts.find_account(conn, "li")
    assert known.grants == (Grant(Role.AUDITOR, world.C1), Grant(Role.COMMANDER, "T1"))

    do("user", "disable", "li")
    assert "disabled" in do("user", "list")
    with reading(engine) as conn:
        assert lookup.caller_of_session(conn, entered.secret, AT, 0) is None
    do("user", "enable", "li")
    assert once not in do("user", "reset", "li", "--second-factor")
    assert "nobody" in do("user", "disable", "nobody", status=2)

    wall = do("token", "add", "--kind", "wall", "--name", "Hall", "--scope", world.COUNTY)
    secret = wall.partition("token=")[2].split()[0]
    with reading(engine) as conn:
        found = conn.execute(select(token.c.id, token.c.expires_at)).one()
        caller = lookup.caller_of_token(conn, secret, found.expires_at - 1)
    assert caller is not None
    assert caller.roles == {Role.WALL}
    assert "Hall" in do("token", "list")
    do("token", "revoke", found.id)
    assert "Hall" not in do("token", "list")
    do("token", "revoke", found.id, status=2)
    do("token", "add", "--kind", "wall", "--name", "W", "--role", "leader", "--scope", world.COUNTY, status=2)
    with reading(engine) as conn:
        told = list(conn.execute(select(audit.c.action, audit.c.door).where(audit.c.action != "sign_in")))
    assert {door for _, door in told} == {"cli"}
    assert {action for action, _ in told} >= {"account_added", "password_reset", "token_made", "token_revoked"}

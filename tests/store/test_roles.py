"""Two roles of one database: the app serves with the lesser one, and what that must not do is refused by PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import ProgrammingError

from pingji.dashboard.app import create_app
from pingji.data import audit, schema
from pingji.data.engine import open_engine, writing
from pingji.data.tables import metadata
from pingji.settings import Settings
from tests import publishing, world
from tests.app.callers import Client
from tests.app.phone import say
from tests.cluster import Cluster

ROLES = (Path(__file__).parents[2] / "deploy" / "roles.sql").read_text(encoding="utf-8")


def as_role(url: str, role: str) -> str:
    return make_url(url).set(username=role).render_as_string(hide_password=False)


def run_roles(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(ROLES.encode())


@pytest.fixture
def database(cluster: Cluster) -> Iterator[str]:
    """A database made as docs/operations.md says: roles, tables by the owner, roles again. The superuser's URL."""
    with cluster.database() as url:
        run_roles(url)
        owner = open_engine(as_role(url, "pingji_owner"))
        schema.upgrade(owner)
        world.filled(owner)
        owner.dispose()
        run_roles(url)
        yield url


@pytest.fixture
def app(database: str) -> Iterator[Engine]:
    engine = open_engine(as_role(database, "pingji_app"))
    yield engine
    engine.dispose()


def test_the_app_works_with_the_lesser_role(database: str) -> None:
    url = as_role(database, "pingji_app")
    with Client(create_app(Settings(database_url=url)), url).everybody() as client:
        assert client.get("/readyz").status_code == 200
        begin = {"press_id": "p", "scope": world.COUNTY, "to": "emergency", "level": 2, "reason": "rain"}
        assert client.post("/api/v1/modes", json=begin).status_code == 200
        sent = client.post("/api/v1/movements", json={"movements": [say("arrive", person="220221p1", place="S1")]})
        assert sent.status_code == 200
        assert client.get("/api/v1/balance").status_code == 200
        assert client.get("/api/v1/health").json()["checks"][0]["light"] == "green"


def test_starting_again_needs_no_more(app: Engine) -> None:
    schema.upgrade(app)  # what `pingji serve` does at every start
    assert schema.is_current(app)


def test_a_year_of_work_with_the_lesser_role(app: Engine) -> None:
    publishing.published(app, publishing.cut(publishing.G1, 126.05), at=world.T0 + world.MINUTE)
    world.press(app, "emergency", at=world.T0 + 2 * world.MINUTE)
    world.write(app, world.Field(7).movements(50))
    with writing(app) as conn:
        audit.record(conn, action="test")


REFUSED = {
    "new table": "CREATE TABLE mine (id int)",
    "other columns": "ALTER TABLE grids ADD COLUMN mine int",
    "no table": "DROP TABLE person",
    "no trigger": "ALTER TABLE audit DISABLE TRIGGER ALL",
    "no function": "CREATE OR REPLACE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN RETURN NEW; END $$",
    "audit changed": "UPDATE audit SET actor = 'somebody else'",
    "audit deleted": "DELETE FROM audit",
    "audit emptied": "TRUNCATE audit",
    "head replaced": "DELETE FROM audit_head",
    "head doubled": "INSERT INTO audit_head (id, seq, hash) VALUES (2, 1, '')",
    "movement changed": "UPDATE movement SET count = 0",
    "movement moved": "UPDATE movement SET place = 'S2'",
    "movement deleted": "DELETE FROM movement",
    "movement emptied": "TRUNCATE movement",
    "journal changed": "UPDATE journal SET actor = 'somebody else'",
    "journal deleted": "DELETE FROM journal",
    "key deleted": "DELETE FROM sealing_key",
    "other version": "UPDATE alembic_version SET version_num = '0001'",
    "files read": "COPY person FROM '/etc/passwd'",
    "programs run": "COPY person TO PROGRAM 'cat'",
    "files listed": "SELECT pg_ls_dir('/')",
    "become owner": "SET ROLE pingji_owner",
    "new role": "CREATE ROLE mine SUPERUSER",
    "extension": "CREATE EXTENSION dblink",
    "passwords": "SELECT * FROM pg_authid",
    "temporary": "CREATE TEMP TABLE mine (id int)",
}


@pytest.mark.parametrize("statement", REFUSED.values(), ids=REFUSED)
def test_what_the_app_must_not_do(app: Engine, statement: str) -> None:
    with pytest.raises(ProgrammingError) as caught, writing(app) as conn:
        conn.execute(text(statement))
    assert isinstance(caught.value.orig, InsufficientPrivilege), caught.value.orig


def test_only_whose_it_was_may_become_unknown(app: Engine) -> None:
    with writing(app) as conn:
        conn.execute(text("UPDATE movement SET person = '', household = '', device = '', note = ''"))


def test_every_table_is_the_owners(database: str) -> None:
    with psycopg.connect(database) as connection:
        rows: list[tuple[Any, ...]] = connection.execute(
            "SELECT tablename, tableowner FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
    owners = dict(rows)
    assert {owners[name] for name in (*metadata.tables, "alembic_version")} == {"pingji_owner"}


def test_other_people_of_the_server_see_nothing(database: str, cluster: Cluster) -> None:
    cluster.execute("DROP ROLE IF EXISTS stranger")
    cluster.execute("CREATE ROLE stranger LOGIN")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(as_role(database, "stranger")).close()
    cluster.execute("DROP ROLE stranger")


def test_it_may_be_repeated(database: str) -> None:
    run_roles(database)
    run_roles(database)


def test_a_store_from_before_the_roles_is_taken_over(cluster: Cluster, postgis_template: str) -> None:
    with cluster.database(postgis_template) as url:
        run_roles(url)
        engine = open_engine(as_role(url, "pingji_app"))
        with pytest.raises(ProgrammingError), writing(engine) as conn:
            conn.execute(text("DELETE FROM audit"))
        schema.require_current(engine)
        engine.dispose()

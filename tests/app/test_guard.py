"""The token in front of everything, and the refusal to serve an open address without one."""

import pytest
import typer
from starlette.testclient import TestClient

from pingji.cli import serve as serve_command
from pingji.settings import Settings
from tests.app.conftest import Serve
from tests.app.phone import assert_problem

TOKEN = "let-me in;"


@pytest.fixture
def guarded(serve: Serve, county_url: str) -> TestClient:
    return serve(county_url, token=TOKEN)


def test_nobody_without_the_token(guarded: TestClient) -> None:
    for path in ("/", "/wall", "/api/v1/balance", "/api/v1/live", "/metrics", "/api/docs", "/x"):
        assert_problem(guarded.get(path), 401, "token_required")
        assert_problem(guarded.get(path, headers={"authorization": "Bearer wrong"}), 401)
        assert_problem(guarded.get(f"{path}?token=wrong"), 401)
        assert_problem(guarded.get(path, headers={"cookie": "pingji_token=wrong"}), 401)


def test_health_is_open(guarded: TestClient) -> None:
    assert guarded.get("/healthz").status_code == 200
    assert guarded.get("/readyz").status_code == 200


def test_by_header(guarded: TestClient) -> None:
    headers = {"authorization": f"Bearer {TOKEN}"}
    assert guarded.get("/api/v1/balance", headers=headers).status_code == 200


def test_by_link_once_and_then_by_cookie(guarded: TestClient) -> None:
    answer = guarded.get("/wall", params={"token": TOKEN})
    assert (answer.status_code, answer.headers["location"]) == (303, "/wall")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert guarded.get("/wall").status_code == 200


def test_odd_cookies_of_others_lock_nobody_out(guarded: TestClient) -> None:
    odd = {"cookie": "a@b=1; x,y=2; ; =; \xff", "authorization": f"Bearer {TOKEN}"}
    raw = [(k.encode(), v.encode("latin-1")) for k, v in odd.items()]
    assert guarded.get("/api/v1/balance", headers=raw).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5"])
def test_an_open_address_needs_a_token(host: str, tmp_path: object) -> None:
    settings = Settings(host=host, token=None, database_url=f"sqlite:///{tmp_path}/never.db")
    with pytest.raises(typer.Exit):
        serve_command.run(settings)

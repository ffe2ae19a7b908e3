"""Sign-in by an OpenID Connect provider: a small real one, that can be told to lie."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from sqlalchemy import select

from pingji.dashboard.context import now_us
from pingji.data.access import accounts
from pingji.data.engine import open_engine, reading, writing
from pingji.data.tables import account
from pingji.ops.access import Grant, Role
from tests import world
from tests.app.callers import Client
from tests.app.conftest import Serve

CLIENT = "pingji-test"
SESSION = "pingji_session"


@dataclass
class Provider:
    """Its address, its key, whom it vouches for, and how it lies."""

    issuer: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "1"}))
    signs_with: Any = None
    algorithm: str = "RS256"
    claims: dict[str, Any] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)  # the last authorization request
    redeemed: list[dict[str, str]] = field(default_factory=list)

    def metadata(self) -> dict[str, object]:
        places = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        return {"issuer": self.issuer, **{name: f"{self.issuer}/{path}" for name, path in places.items()}}

    def id_token(self) -> str:
        now = int(time.time())
        said = {"iss": self.issuer, "aud": CLIENT, "sub": "u-1", "iat": now, "exp": now + 60}
        said |= {"nonce": self.asked["nonce"], "preferred_username": "sun", "name": "Sun Li"}
        said = {name: value for name, value in {**said, **self.claims}.items() if value is not None}
        key = self.signs_with or self.key
        return jwt.encode({"alg": self.algorithm, "kid": "1"}, said, key, algorithms=[self.algorithm])

    def redeem(self, form: dict[str, str]) -> tuple[int, dict[str, object]]:
        self.redeemed.append(form)
        proof = create_s256_code_challenge(form.get("code_verifier", ""))
        good = form.get("code") == "good-code" and form.get("redirect_uri") == self.asked.get("redirect_uri")
        if not good or proof != self.asked.get("code_challenge"):
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "at", "token_type": "Bearer", "id_token": self.id_token()}


@pytest.fixture
def provider() -> Iterator[Provider]:
    """A provider on a port of its own."""
    told = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = {
                "/.well-known/openid-configuration": told.metadata,
                "/keys": lambda: {"keys": [told.key.as_dict()]},
            }
            self._answer(200, known[self.path]())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            self._answer(*told.redeem(dict(parse_qsl(body))))

        def _answer(self, status: int, body: object) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield told
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def site(serve: Serve, county_url: str, provider: Provider) -> Client:
    return at_provider(serve, county_url, provider)


def at_provider(serve: Serve, url: str, provider: Provider, **more: object) -> Client:
    client = serve(url, rate_limit=0, oidc_issuer=provider.issuer, oidc_client_id=CLIENT, **more)
    client.headers.pop("authorization")
    return client


def go(site: Client, provider: Provider, **params: str) -> str:
    """To the provider; the state that comes back with the browser."""
    there = site.get("/sign-in/oidc", params=params)
    assert there.status_code == 303
    where = urlsplit(there.headers["location"])
    assert f"{where.scheme}://{where.netloc}{where.path}" == f"{provider.issuer}/authorize"
    provider.asked = {name: values[0] for name, values in parse_qs(where.query).items()}
    return provider.asked["state"]


def come_back(site: Client, state: str, code: str = "good-code", **params: str) -> Any:
    return site.get("/sign-in/oidc/back", params={"state": state, "code": code, **params})


def test_a_newcomer_has_an_account_without_rights(site: Client, provider: Provider, county_url: str) -> None:
    assert "/sign-in/oidc" in site.get("/sign-in").text
    answer = come_back(site, go(site, provider, next="/account"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert provider.asked["code_challenge_method"] == "S256"
    assert provider.asked["scope"].split()[0] == "openid"
    me = site.get("/api/v1/me").json()
    assert (me["name"], me["grants"]) == ("Sun Li", [])
    assert site.get("/api/v1/balance").status_code == 403
    with reading(engine := open_engine(county_url)) as conn:
        row = conn.execute(select(account.c.password, account.c.subject)).one()
    engine.dispose()
    assert tuple(row) == ("", f"{provider.issuer}|u-1")
    assert come_back(site, go(site, provider)).status_code == 303  # the same account again
    assert site.get("/api/v1/me").json()["name"] == "Sun Li"


def test_what_was_granted_here_stays(site: Client, provider: Provider, county_url: str) -> None:
    come_back(site, go(site, provider))
    engine = open_engine(county_url)
    with writing(engine) as conn:
        known = accounts.find_account(conn, "sun")
        accounts.set_grants(conn, known.id, [Grant(Role.LEADER, world.COUNTY)])
    come_back(site, go(site, provider))
    assert [g["role"] for g in site.get("/api/v1/me").json()["grants"]] == ["leader"]
    with writing(engine) as conn:
        accounts.disable(conn, known.id, now_us())
    engine.dispose()
    assert come_back(site, go(site, provider)).status_code == 401


def test_roles_from_a_claim_where_one_is_named(serve: Serve, county_url: str, provider: Provider) -> None:
    site = at_provider(serve, county_url, provider, oidc_role_claim="realm.roles")
    for roles, expected in (
        (["leader", "field:T1", "king"], [("field", "T1"), ("leader", world.COUNTY)]),
        (["field:T1"], [("field", "T1")]),
        ([], []),
    ):
        provider.claims = {"realm": {"roles": roles}}
        assert come_back(site, go(site, provider)).status_code == 303
        found = [(g["role"], g["scope"]) for g in site.get("/api/v1/me").json()["grants"]]
        assert sorted(found) == expected
        site.cookies.delete(SESSION)


def test_nobody_takes_an_account_by_calling_himself_like_it(site: Client, provider: Provider, county_url: str) -> None:
    engine = open_engine(county_url)
    with writing(engine) as conn:
        accounts.add_account(
            conn,
            login="sun",
            name="Sun Li",
            grants=[Grant(Role.COMMANDER, world.COUNTY)],
            at=now_us(),
            password="x" * 20,
        )
    engine.dispose()
    assert come_back(site, go(site, provider)).status_code == 303
    me = site.get("/api/v1/me").json()
    assert (me["name"], me["grants"]) == ("Sun Li-2", [])


def refused(site: Client, state: str, **params: str) -> None:
    answer = come_back(site, state, **params)
    assert answer.status_code == 401
    assert SESSION not in site.cookies


@pytest.mark.parametrize(
    "lie",
    [
        {"aud": "somebody-else"},
        {"aud": None},
        {"aud": [CLIENT, "other"], "azp": "other"},
        {"iss": "https://evil.example"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": 1_000_000_000},
        {"exp": None},
        {"iat": 4_000_000_000},
        {"sub": None},
        {"sub": ""},
    ],
    ids=str,
)
def test_a_token_that_says_something_else(site: Client, provider: Provider, lie: dict[str, Any]) -> None:
    provider.claims = lie
    refused(site, go(site, provider))


def test_a_token_signed_by_somebody_else(site: Client, provider: Provider) -> None:
    provider.signs_with = RSAKey.generate_key(2048, {"kid": "1"})
    refused(site, go(site, provider))
    assert provider.id_token()  # it was there, and not believed
    provider.signs_with, provider.algorithm = ECKey.generate_key("P-256", {"kid": "1"}), "ES256"
    refused(site, go(site, provider))
    assert provider.id_token()


def test_a_token_signed_with_what_everybody_knows(site: Client, provider: Provider) -> None:
    public = provider.key.as_pem(private=False)
    provider.signs_with, provider.algorithm = OctKey.import_key(public.hex()), "HS256"
    refused(site, go(site, provider))
    assert provider.id_token()


def test_a_key_that_changed_is_asked_for_anew(site: Client, provider: Provider) -> None:
    assert come_back(site, go(site, provider)).status_code == 303
    provider.key = RSAKey.generate_key(2048, {"kid": "1"})
    assert come_back(site, go(site, provider)).status_code == 303


def test_a_state_works_once_and_only_in_its_browser(site: Client, provider: Provider) -> None:
    state = go(site, provider)
    assert come_back(site, state).status_code == 303
    site.cookies.delete(SESSION)
    refused(site, state)  # replayed: the cookie is gone too
    kept = {name: value for name, value in site.cookies.items() if name == "pingji_oidc"}
    assert kept == {}

    state = go(site, provider)
    own = site.cookies["pingji_oidc"]
    site.cookies.delete("pingji_oidc")
    refused(site, state)  # another browser
    site.cookies.set("pingji_oidc", own, domain="testserver.local", path="/sign-in/oidc")
    refused(site, "made-up")
    assert len(provider.redeemed) == 1  # none of them reached the provider


def test_a_state_is_used_up_even_with_its_cookie(site: Client, provider: Provider) -> None:
    state = go(site, provider)
    own = site.cookies["pingji_oidc"]
    assert come_back(site, state).status_code == 303
    site.cookies.clear()
    site.cookies.set("pingji_oidc", own, domain="testserver.local", path="/sign-in/oidc")
    refused(site, state)
    assert len(provider.redeemed) == 1


def test_what_the_provider_refuses_is_refused(site: Client, provider: Provider) -> None:
    refused(site, go(site, provider), error="access_denied")
    refused(site, go(site, provider), code="another-code")
    refused(site, go(site, provider), iss="https://evil.example")


def test_a_provider_that_is_not_there_or_not_itself(serve: Serve, county_url: str, provider: Provider) -> None:
    issuer, provider.issuer = provider.issuer, "https://evil.example"
    site = serve(county_url, rate_limit=0, oidc_issuer=issuer, oidc_client_id=CLIENT)
    assert site.get("/sign-in/oidc").status_code == 401
    away = serve(county_url, rate_limit=0, oidc_issuer="http://127.0.0.1:9", oidc_client_id=CLIENT)
    assert away.get("/sign-in/oidc").status_code == 401
    open_line = serve(county_url, rate_limit=0, oidc_issuer="http://id.example", oidc_client_id=CLIENT)
    assert open_line.get("/sign-in/oidc").status_code == 401

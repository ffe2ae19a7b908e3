"""Security headers: on every answer, strict, and cheap."""

import asyncio
import base64
import hashlib
import re
import time

import pytest
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from pingji.dashboard.headers import SecurityHeaders, policy
from pingji.settings import Settings
from tests.app.conftest import Serve

PAGES = ("/", "/wall", "/shelters", "/grids")
ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def rules(policy: str) -> dict[str, list[str]]:
    return {words[0]: words[1:] for words in (rule.split() for rule in policy.split(";")) if words}


@pytest.mark.parametrize(
    "path", [*PAGES, "/api/docs", "/api/openapi.json", "/api/v1/nowhere", "/assets/13_page.js", "/healthz"]
)
def test_on_every_answer(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert {name: headers.get(name) for name in ALWAYS} == ALWAYS
    assert "geolocation=(self)" in headers["permissions-policy"]
    found = rules(headers["content-security-policy"])
    assert found["default-src"] == ["'none'"]
    for name in ("object-src", "base-uri", "frame-ancestors"):
        assert found[name] == ["'none'"]
    assert found["script-src"][0] == found["connect-src"][0] == found["form-action"][0] == "'self'"
    assert "unsafe" not in headers["content-security-policy"]
    assert "http" not in headers["content-security-policy"]  # no other host without a basemap's key


@pytest.mark.parametrize("path", PAGES)
def test_a_page_names_its_scripts_and_its_nonce_only(client: TestClient, path: str) -> None:
    first, second = client.get(path), client.get(path)
    inline = re.findall(r"<script>(.*?)</script>", first.text, re.DOTALL)
    assert inline  # Dash writes its clientside callbacks into the page
    found = rules(first.headers["content-security-policy"])
    assert all(source == "'self'" or source.startswith("'sha256-") for source in found["script-src"])
    nonces = [rules(r.headers["content-security-policy"])["style-src"][1] for r in (first, second)]
    assert nonces[0] != nonces[1]
    for response, nonce in zip((first, second), nonces, strict=True):
        value = nonce.removeprefix("'nonce-").removesuffix("'")
        assert f'src="/static/nonce.js" nonce="{value}"' in response.text


def test_hashes_are_those_of_the_page(client: TestClient) -> None:
    page = client.get("/wall")
    text = re.sub(r"<!--.*?-->", "", page.text, flags=re.DOTALL)  # where Dash speaks to Internet Explorer
    scripts = re.findall(r"<script(?: id=\"_dash-renderer\"[^>]*)?>(.*?)</script>", text, re.DOTALL)
    wanted = {f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts}
    assert wanted == set(rules(page.headers["content-security-policy"])["script-src"][1:])


def test_data_stays_in_no_cache(client: TestClient) -> None:
    assert client.get("/api/v1/modes").headers["cache-control"] == "no-store"
    assert client.get("/api/v1/nowhere").headers["cache-control"] == "no-store"
    assert "no-store" not in client.get("/assets/13_page.js").headers.get("cache-control", "")


def test_https_is_promised_where_people_come_by_it(serve: Serve, county_url: str) -> None:
    plain = serve(county_url).get("/healthz").headers
    assert "strict-transport-security" not in plain
    secure = serve(county_url, public_url="https://pingji.example").get("/healthz").headers
    assert secure["strict-transport-security"].startswith("max-age=31536000")
    assert "upgrade-insecure-requests" in secure["content-security-policy"]


def test_the_basemap_is_the_only_other_host() -> None:
    found = rules(policy([], tianditu=True))
    assert {source for sources in found.values() for source in sources if "//" in source} == {
        "https://*.tianditu.gov.cn"
    }
    assert found["img-src"][-1] == "https://*.tianditu.gov.cn"


def test_they_cost_little() -> None:
    """Measured against the same app without them; the limit leaves room for a busy machine."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": b""})

    async def nothing(_: Message) -> None: ...

    async def receive() -> Message:
        return {"type": "http.request"}

    scope = {"type": "http", "path": "/api/v1/balance", "headers": []}

    def fastest(one: object, n: int = 2000) -> float:
        async def run() -> float:
            began = time.perf_counter()
            for _ in range(n):
                await one(scope, receive, nothing)  # type: ignore[operator]
            return (time.perf_counter() - began) / n

        return min(asyncio.run(run()) for _ in range(5))

    added = fastest(SecurityHeaders(app, Settings(), tuple)) - fastest(app)
    assert added < 20e-6

"""Who speaks in tests of the app: tokens of people with the roles that a test needs."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

from fastapi import FastAPI
from sqlalchemy import Engine
from starlette.testclient import TestClient

from pingji.data.access.lookup import make_token
from pingji.data.engine import open_engine, writing
from pingji.ops.access import EVERYWHERE, Grant, Role

KEPT = ("PINGJI_KEY",)  # of the settings that a test is run with, what another process needs to read its store
AT, UNTIL = 1_700_000_000_000_000, 4_000_000_000_000_000
EVERYTHING = tuple(Grant(role, EVERYWHERE) for role in Role)


def token_of(engine: Engine, name: str, grants: Iterable[Grant] = EVERYTHING) -> str:
    with writing(engine) as conn:
        _, secret = make_token(
            conn, kind="api", name=name, grants=tuple(grants), created_by="test", at=AT, expires_at=UNTIL
        )
    return secret


class Client(TestClient):
    """Speaks as somebody with every role; `actor` in a body, a query or `X-Actor` makes it somebody else.

    What a request says of itself is not believed by the server: the name becomes a token of that name here.
    """

    def __init__(self, app: FastAPI, url: str) -> None:
        super().__init__(app, raise_server_exceptions=False, follow_redirects=False)
        self.engine = open_engine(url)
        self._tokens: dict[tuple[str, tuple[Grant, ...]], str] = {}

    def close(self) -> None:
        super().close()
        self.engine.dispose()

    def bearer(self, name: str = "tester", *grants: Grant) -> dict[str, str]:
        """The header of somebody with these grants; with none, of somebody who may do everything."""
        key = (name, grants or EVERYTHING)
        if key not in self._tokens:
            self._tokens[key] = token_of(self.engine, *key)
        return {"authorization": f"Bearer {self._tokens[key]}"}

    def everybody(self) -> "Client":
        """From now on somebody with every role."""
        self.headers.update(self.bearer())
        return self

    def request(self, method: str, url: Any, **sent: Any) -> Any:
        name = None
        for part in ("json", "params"):
            if isinstance(sent.get(part), dict) and "actor" in sent[part]:
                sent[part] = dict(sent[part])
                name = sent[part].pop("actor")
        headers = sent.get("headers")
        if isinstance(headers, dict) and (header := next((h for h in headers if h.lower() == "x-actor"), None)):
            sent["headers"] = {k: v for k, v in headers.items() if k != header}
            name = name or unquote(headers[header])
        if name:
            sent["headers"] = {**self.bearer(str(name)), **(sent.get("headers") or {})}
        return super().request(method, url, **sent)

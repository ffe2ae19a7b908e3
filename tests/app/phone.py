"""What a phone would send."""

from datetime import UTC, datetime
from itertools import count
from typing import Any

from starlette.testclient import TestClient

_n = count(1)


def say(kind: str, **statement: Any) -> dict[str, Any]:
    n = next(_n)
    entry = {"id": f"01900000-0000-7000-8000-{n:012x}", "device": "phone", "sequence": n, "kind": kind}
    return {**entry, "occurred_at": datetime.now(UTC).isoformat(), **statement}


def send(client: TestClient, *entries: Any) -> dict[str, Any]:
    response = client.post("/api/v1/movements", json={"movements": list(entries)})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def press(client: TestClient, press_id: str = "p", to: str = "emergency", **said: Any) -> Any:
    body = {"press_id": press_id, "scope": "220221", "to": to, "reason": "rain", **said}
    if to == "emergency":
        body.setdefault("level", 2)
    return client.post("/api/v1/modes", json=body)


def assert_problem(response: Any, status: int, key: str = "") -> dict[str, Any]:
    """RFC 9457, in both languages."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert set(body) - {"params"} == {"type", "title", "title_en", "status", "detail", "detail_en", "instance"}
    assert body["status"] == status
    assert any("\u4e00" <= c <= "\u9fff" for c in body["detail"])
    assert body["detail_en"]
    if key:
        assert body["type"] == f"/problems/{key}"
    return body

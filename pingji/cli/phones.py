"""Phones as they behave in the field: devices with sequences, that send in batches, again and again until heard."""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
from uuid_utils import uuid7

MAX_BATCH = 1_000
Json = dict[str, Any]


class Api:
    """The public API, as a phone or a script sees it."""

    def __init__(self, url: str, token: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=30)

    def get(self, path: str, **params: Any) -> Any:
        """One answer, or the problem that the server told; waits where it says that this was too much at once."""
        while True:
            response = self._http.get(f"/api/v1/{path}", params=params)
            if response.status_code != 429:
                return response.raise_for_status().json()
            time.sleep(float(response.headers.get("Retry-After", 1)))

    def post(self, path: str, body: Json) -> httpx.Response:
        """One answer, whatever its status."""
        return self._http.post(f"/api/v1/{path}", json=body)

    def wait_until_ready(self, patience_s: float) -> None:
        """Until the service answers with a county.

        Raises
        ------
        TimeoutError
            Where it does not in time.
        """
        until = time.monotonic() + patience_s
        while time.monotonic() < until:
            try:
                if self._http.get("/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.2)
        raise TimeoutError(str(self._http.base_url))


class Phone:
    """One device: what it has said and not yet seen acknowledged stays in its queue."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.queue: list[Json] = []
        self.refused: list[Json] = []
        self._sequence = time.time_ns() // 1000  # rises over restarts of the simulator

    def say(self, kind: str, **statement: object) -> None:
        """One statement, made now."""
        self._sequence += 1
        entry = {"id": str(uuid7()), "device": self.name, "sequence": self._sequence, "kind": kind}
        self.queue.append({**entry, "occurred_at": datetime.now(UTC).isoformat(), **statement})


def upload(api: Api, phones: Sequence[Phone]) -> int:
    """Send what the phones hold; what is not acknowledged stays queued. Returns how many were acknowledged."""
    acknowledged = 0
    for batch in _batches([entry for phone in phones for entry in phone.queue]):
        try:
            response = api.post("movements", {"movements": batch})
        except httpx.TransportError:
            continue  # no signal: the next round tries again with the same ids
        if response.status_code in (401, 403):
            response.raise_for_status()  # it will never be heard
        if response.status_code != 200:
            continue
        answer = response.json()
        done = {*answer["accepted"], *answer["duplicates"]}
        refused = {entry["id"]: entry for entry in answer["refused"]}
        acknowledged += len(done)
        for phone in phones:
            phone.refused += [refused[entry["id"]] for entry in phone.queue if entry["id"] in refused]
            phone.queue = [entry for entry in phone.queue if entry["id"] not in done and entry["id"] not in refused]
    return acknowledged


def _batches(entries: Sequence[Json]) -> Iterator[list[Json]]:
    for start in range(0, len(entries), MAX_BATCH):
        yield list(entries[start : start + MAX_BATCH])


def chunks(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Items in pieces of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


Properties = Mapping[str, Any]

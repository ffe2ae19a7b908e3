"""`POST /api/v1/movements`: what phones send, sense and nonsense."""

import gzip
import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from pingji.ops.movement import Reason
from tests.app.phone import assert_problem, press, say, send
from tests.world import ALL_PERSONS, households_in, people_in

HOME = households_in("Z1")[3]
PERSON = people_in(HOME)[0]


@pytest.fixture
def open_client(client: TestClient) -> TestClient:
    assert press(client).status_code == 200
    return client


def post(client: TestClient, body: bytes, **headers: str) -> Any:
    return client.post("/api/v1/movements", content=body, headers={"content-type": "application/json", **headers})


def test_a_batch_is_counted_once(open_client: TestClient) -> None:
    batch = [say("arrive", household=HOME, place="T1"), say("count", place="T1", count=3)]
    ids = [entry["id"] for entry in batch]
    assert send(open_client, *batch) == {"accepted": ids, "duplicates": [], "refused": []}
    assert send(open_client, *batch) == {"accepted": [], "duplicates": ids, "refused": []}
    persons = open_client.get("/api/v1/balance").json()["persons"]
    assert persons["accounted"]["at_transfer_point"] == 4
    assert persons["expected"] == ALL_PERSONS == persons["accounted_total"] + persons["remainder_total"]


def test_ids_come_back_as_they_were_spelt(open_client: TestClient) -> None:
    entry = say("notify", person=PERSON, id="01900000-ABCD-7000-8000-0123456789AB")
    assert send(open_client, entry)["accepted"] == [entry["id"]]
    assert send(open_client, {**entry, "id": entry["id"].lower()})["duplicates"] == [entry["id"].lower()]


BAD: dict[str, Any] = {
    "not an object": 7,
    "an empty object": {},
    "uuid 4": {"id": "01900000-0000-4000-8000-000000000001"},
    "no uuid": {"id": "x" * 10_000},
    "number as id": {"id": 12},
    "naive time": {"occurred_at": "2026-07-01T08:00:00"},
    "no time": {"occurred_at": "yesterday"},
    "a time past the calendar": {"occurred_at": 10**30},
    "unknown kind": {"kind": "teleport"},
    "unknown field": {"speed": 3},
    "sequence as text": {"sequence": "1"},
    "huge sequence": {"sequence": 2**63},
    "huger sequence": {"sequence": 10**40},
    "huge count": {"kind": "count", "place": "T1", "count": 10**12},
    "true as count": {"kind": "count", "place": "T1", "count": True},
    "NUL in a note": {"note": "a\x00b"},
    "NUL in a person": {"person": "a\x00b"},
    "NUL in a device": {"device": "\x00"},
    "half an emoji": {"note": "\ud83d"},
    "half an emoji as id": {"id": "\ud83d"},
    "half an emoji as field": {"\ud83d": 1},
    "a long note": {"note": "x" * 501},
    "a list as place": {"place": ["T1"]},
    "supersedes nonsense": {"supersedes": "that one"},
}


def test_one_bad_entry_never_blocks_the_others(open_client: TestClient) -> None:
    bad = [b if not isinstance(b, dict) or not b else {**say("notify", person=PERSON), **b} for b in BAD.values()]
    good = say("notify", person=PERSON)
    body = json.dumps({"movements": [*bad, good]}).encode()  # escapes lone surrogates, as JavaScript does
    answer = post(open_client, body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["accepted"] == [good["id"]]
    refused = answer.json()["refused"]
    assert [r["reason"] for r in refused] == ["malformed"] * len(bad)
    assert all(r["detail"] and r["detail_en"] and len(r["id"]) <= 64 for r in refused)


def test_a_phone_that_lost_its_clock_is_still_heard(open_client: TestClient) -> None:
    for when in ("1970-01-01T00:00:00+08:00", "0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00"):
        assert send(open_client, say("arrive", household=HOME, place="T1", occurred_at=when))["refused"] == []
    assert open_client.get("/api/v1/balance").json()["persons"]["accounted"]["at_transfer_point"] == 4
    (place,) = (p for p in open_client.get("/api/v1/places").json() if p["code"] == "T1")
    assert (place["roster"], place["arrived"]) == (4, 4)


def test_refusals_name_their_reason_in_both_languages(open_client: TestClient) -> None:
    (refused,) = send(open_client, say("arrive", person=PERSON))["refused"]
    assert refused["reason"] == Reason.PLACE_REQUIRED
    assert refused["detail"] != refused["detail_en"]


def test_too_many_and_too_much(open_client: TestClient) -> None:
    exactly = [say("notify", person=PERSON) for _ in range(1_000)]
    assert len(send(open_client, *exactly)["accepted"]) == 1_000
    too_many = post(open_client, json.dumps({"movements": [*exactly, say("notify", person=PERSON)]}).encode())
    assert_problem(too_many, 413, "batch_too_large")
    assert_problem(post(open_client, b" " * (4 << 20) + b" "), 413, "batch_too_large")


def test_gzip(open_client: TestClient) -> None:
    body = gzip.compress(json.dumps({"movements": [say("notify", person=PERSON)]}).encode())
    assert len(post(open_client, body, **{"content-encoding": "gzip"}).json()["accepted"]) == 1
    bomb = gzip.compress(b"[" * (64 << 20))
    assert_problem(post(open_client, bomb, **{"content-encoding": "gzip"}), 413, "batch_too_large")
    assert_problem(post(open_client, body[:-9], **{"content-encoding": "gzip"}), 400, "bad_request")
    assert_problem(post(open_client, b"plain", **{"content-encoding": "gzip"}), 400, "bad_request")


NO_BATCH = (
    b"",
    b"not json",
    b"[]",
    b"{}",
    b'{"movements": 1}',
    b'{"movements": {}}',
    b"\xff\xfe",
    b"[" * 100_000,
    b'"\\ud800',
)


def test_what_is_no_batch(open_client: TestClient) -> None:
    for body in (*NO_BATCH, b"[" * 100_000):
        assert_problem(post(open_client, body), 400, "bad_request")


def test_nothing_to_count_in(client: TestClient) -> None:
    (refused,) = send(client, say("notify", person=PERSON))["refused"]
    assert refused["reason"] == "no_operation"


def test_an_empty_batch(open_client: TestClient) -> None:
    assert send(open_client) == {"accepted": [], "duplicates": [], "refused": []}

"""The audit over HTTP: who may read it, that reading it is in it, paging, filters, exports, and tampering."""

import csv
import hashlib
import io
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import text, update

import pingji
from pingji.dashboard.texts import LANGUAGES, catalogue
from pingji.data import audit
from pingji.data.audit.entry import COLUMNS, hash_of
from pingji.data.engine import open_engine, writing
from pingji.data.origin import Origin, acting
from pingji.data.tables.audit import audit as entries
from pingji.ops.access import EVERYWHERE, Grant, Role
from tests.app.callers import Client
from tests.app.conftest import Serve
from tests.app.phone import assert_problem
from tests.world import COUNTY, NEAR

DAY = 86_400_000_000
NOON = 1_700_020_800_000_000  # 2023-11-15 12:00 in the county
PATHS = ("/api/v1/audit", "/api/v1/audit/state", "/api/v1/audit/verify", "/api/v1/audit/export?format=csv")
WANG, LI = (Origin(f"id-{name}", name, "session", "10.0.0.7", "r-1") for name in ("Wang", "Li"))
AUDITOR = Grant(Role.AUDITOR, EVERYWHERE)


@pytest.fixture
def filled(county_url: str) -> str:
    """Twelve entries on three days."""
    engine = open_engine(county_url)
    with writing(engine) as conn:
        for n in range(12):
            with acting(LI if n % 3 == 0 else WANG):
                audit.record(
                    conn,
                    action="names_seen" if n % 2 else "export",
                    object=f"H{n}",
                    scope=COUNTY,
                    purpose="=1+1" if n == 0 else f"roll call {n}",
                    outcome="refused" if n == 5 else "done",
                    detail={"n": n},
                    at=NOON + n // 4 * DAY,
                )
    engine.dispose()
    return county_url


@pytest.fixture
def auditor(serve: Serve, filled: str) -> Client:
    client = serve(filled)
    client.headers.update(client.bearer("Auditor", AUDITOR))
    return client


def get(client: Client, query: str = "") -> Any:
    response = client.get(f"/api/v1/audit{query}")
    assert response.status_code == 200, response.text
    return response.json()


def objects(answer: dict[str, Any]) -> list[str]:
    """Of the entries that were there before anybody read them."""
    return [one["object"] for one in answer["entries"] if one["object"].startswith("H")]


def tamper(url: str) -> None:
    engine = open_engine(url)
    with writing(engine) as conn:
        on = " ON audit" if engine.dialect.name == "postgresql" else ""
        conn.execute(text(f"DROP TRIGGER {'audit_append_only' if on else 'audit_no_update'}{on}"))
        conn.execute(update(entries).where(entries.c.seq == 5).values(actor="Nobody"))
    engine.dispose()


@pytest.mark.parametrize("path", PATHS)
def test_only_auditors_read_it(auditor: Client, path: str) -> None:
    assert auditor.get(path).status_code == 200
    for role in set(Role) - {Role.AUDITOR}:
        headers = auditor.bearer(f"a {role}", Grant(role, EVERYWHERE))
        assert_problem(auditor.get(path, headers=headers), 403, "not_permitted")
    assert_problem(auditor.get(path, headers={"authorization": "Bearer nobody"}), 401, "sign_in_needed")


def test_an_auditor_of_a_township_reads_no_chain_of_the_whole(auditor: Client) -> None:
    of_township = auditor.bearer("Part", Grant(Role.AUDITOR, NEAR))
    of_county = auditor.bearer("Whole", Grant(Role.AUDITOR, COUNTY))
    for path in PATHS:
        assert_problem(auditor.get(path, headers=of_township), 403, "outside_your_area")
        assert auditor.get(path, headers=of_county).status_code == 200


def test_an_entry_says_everything_in_the_readers_language(auditor: Client) -> None:
    one = next(e for e in get(auditor, "?object=H5")["entries"] if e["object"] == "H5" and e["action"] == "names_seen")
    assert one["text"] == catalogue("zh_CN")["audit.action.names_seen"]
    told = {name: one[name] for name in ("actor", "actor_id", "door", "address", "request", "scope", "purpose")}
    assert told == {
        "actor": "Wang",
        "actor_id": "id-Wang",
        "door": "session",
        "address": "10.0.0.7",
        "request": "r-1",
        "scope": COUNTY,
        "purpose": "roll call 5",
    }
    assert (one["outcome"], one["detail"], one["at"]) == ("refused", {"n": 5}, (NOON + DAY) / 1000)
    english = get(auditor, "?object=H5&lang=en")["entries"]
    assert {e["text"] for e in english if e["object"] == "H5" and e["action"] == "names_seen"} == {
        "Saw names and phones"
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("since=2023-11-16&until=2023-11-16", [7, 6, 5, 4]),
        ("until=2023-11-15", [3, 2, 1, 0]),
        ("since=2023-11-17&until=2023-11-17", [11, 10, 9, 8]),
        ("actor=Li", [9, 6, 3, 0]),
        ("action=export", [10, 8, 6, 4, 2, 0]),
        ("outcome=refused", [5]),
        ("text=CALL%201", [11, 10, 1]),
        ("text=nothing%20has%20this", []),
        ("text=%25", []),
        ("text=%22n%22:7", [7]),
        ("actor=Li&action=names_seen&until=2023-11-16", [3]),
        ("actor=%27%20OR%201=1%20--", []),
    ],
)
def test_filters(auditor: Client, query: str, found: list[int]) -> None:
    assert objects(get(auditor, f"?{query}")) == [f"H{n}" for n in found]


def test_pages_follow_each_other(auditor: Client) -> None:
    seen, before = [], ""
    while True:
        answer = get(auditor, f"?until=2023-12-01&limit=5{before}")
        seen += objects(answer)
        if answer["next"] is None:
            break
        before = f"&before={answer['next']}"
    assert seen == [f"H{n}" for n in reversed(range(12))]


def test_reading_is_in_the_audit_once_for_a_search(auditor: Client) -> None:
    for before in ("", "&before=9", "&before=5", ""):
        get(auditor, f"?actor=Li&limit=2{before}")
    get(auditor, "?actor=Wang")
    get(auditor, "?actor=Wang&text=13812341234")
    told = get(auditor, "?action=audit_read")["entries"]
    assert [e["detail"] for e in told] == [
        {"actor": "Wang", "text": "138****1234"},
        {"actor": "Wang"},
        {"actor": "Li"},
    ]
    assert {(e["actor"], e["door"]) for e in told} == {("Auditor", "token")}
    assert all(e["address"] for e in told)
    assert "13812341234" not in auditor.get("/api/v1/audit?action=audit_read").text
    other = auditor.bearer("Other", AUDITOR)
    assert auditor.get("/api/v1/audit?actor=Wang", headers=other).status_code == 200
    assert [e["actor"] for e in get(auditor, "?action=audit_read")["entries"]][:1] == ["Other"]


def test_a_check_says_that_all_is_whole_and_is_remembered(auditor: Client) -> None:
    assert get(auditor, "/state")["verified"] is None
    verdict = get(auditor, "/verify")
    assert (verdict["whole"], verdict["entries"], verdict["by"], verdict["breach"]) == (True, 12, "Auditor", None)
    state = get(auditor, "/state")
    assert (state["entries"], state["since"]) == (13, NOON // 1000)
    remembered = {name: state["verified"][name] for name in ("by", "whole", "entries", "breach")}
    assert remembered == {"by": "Auditor", "whole": True, "entries": 12, "breach": None}
    assert set(state["actors"]) == {"Li", "Wang", "Auditor"}
    assert {one["action"] for one in state["actions"]} == {"names_seen", "export", "audit_verified"}
    assert get(auditor, f"/verify?anchor={verdict['head']}")["whole"] is True


def test_a_check_finds_tampering(auditor: Client, filled: str) -> None:
    head = get(auditor, "/state")["head"]
    tamper(filled)
    verdict = get(auditor, "/verify?lang=en")
    assert verdict["whole"] is False
    assert verdict["breach"] == {"seq": 5, "kind": "changed", "until": 0}
    assert verdict["text"] == "Entry 5 was changed: its content is not that of its hash."
    assert get(auditor, "/state")["verified"]["breach"] == verdict["breach"]
    wrong = head.replace(head[-1], "0" if head[-1] != "0" else "1")
    assert get(auditor, f"/verify?anchor={wrong}")["whole"] is False
    assert_problem(auditor.get("/api/v1/audit/verify?anchor=nonsense"), 422, "not_an_anchor")


def test_an_export_is_the_chain_itself(auditor: Client) -> None:
    response = auditor.get("/api/v1/audit/export?format=csv&lang=en")
    assert "attachment" in response.headers["content-disposition"]
    lines = list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))
    headings = {name: catalogue("en")[f"audit.column.{name}"] for name in COLUMNS}
    rows = [{name: line[heading] for name, heading in headings.items()} for line in lines]
    assert [row["seq"] for row in rows] == [str(n) for n in range(1, 13)]
    assert rows[0]["purpose"] == "'=1+1"
    assert lines[1]["Time"] == "2023-11-15 12:00:00+08:00"
    for row, after in pairwise(rows[1:]):
        values = {**row, "seq": int(row["seq"]), "at": int(row["at"]), "detail": {"n": int(row["object"][1:])}}
        assert hash_of({name: values[name] for name in COLUMNS if name != "hash"}) == row["hash"] == after["previous"]
    (told,) = get(auditor, "?action=audit_exported")["entries"]
    assert told["detail"] == {"n": 12, "sha256": hashlib.sha256(response.content).hexdigest()}


def test_a_sheet_has_what_was_filtered_and_no_formula(auditor: Client) -> None:
    response = auditor.get("/api/v1/audit/export?format=xlsx&until=2023-11-15")
    sheet = openpyxl.load_workbook(io.BytesIO(response.content)).active
    assert sheet is not None
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0][:3] == tuple(catalogue("zh_CN")[f"audit.column.{name}"] for name in ("seq", "time", "actor"))
    assert [row[0] for row in rows[1:]] == [1, 2, 3, 4]
    assert rows[1][6] == "'=1+1"
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}
    (told,) = get(auditor, "?action=audit_exported")["entries"]
    assert told["detail"]["n"] == 4


def test_a_search_for_a_word_does_not_find_itself(auditor: Client) -> None:
    for _ in range(2):
        assert get(auditor, "?text=nobody%20wrote%20this")["entries"] == []
    (told,) = get(auditor, "?text=nobody%20wrote%20this&action=audit_read")["entries"]
    assert told["detail"] == {"text": "nobody wrote this"}


@pytest.mark.parametrize(
    "query",
    [
        "?since=yesterday",
        "?since=0001-01-01",
        "?until=9999-12-31",
        "?limit=0",
        "?limit=501",
        "?before=99999999999999999999",
        "?actor=%00",
        "?lang=xx",
        "/export",
        "/export?format=exe",
    ],
)
def test_odd_questions_are_refused(auditor: Client, query: str) -> None:
    assert auditor.get(f"/api/v1/audit{query}").status_code == 422


def test_a_switch_is_in_the_audit_with_who_why_and_where(client: Client) -> None:
    body = {"press_id": "p1", "scope": COUNTY, "to": "emergency", "level": 2, "reason": "rain", "actor": "Zhao"}
    assert client.post("/api/v1/modes", json=body).status_code == 200
    (one,) = get(client, "?action=press")["entries"]
    assert (one["actor"], one["purpose"], one["scope"], one["door"]) == ("Zhao", "rain", COUNTY, "token")
    assert one["detail"]["to"] == "emergency"


SAID = re.compile(r"""\baction ?= ?"(\w+)"|\baction ?=[^\n]* else "(\w+)"|tell(?:_as)?\(\s*(?:[\w.()]+,\s*)*"(\w+)\"""")
NAMED = re.compile(r"""^(?:ACTION|READ, VERIFIED|EXPORTED|VERIFIED|HEAD_LOST)\b[^=]*= (.*)""", re.MULTILINE)


def actions_in_the_code() -> set[str]:
    found: set[str] = set()
    for path in Path(pingji.__file__).parent.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        if re.search(r"\b(?:audit|journal|telling)\b", source):
            found |= {name for names in SAID.findall(source) for name in names if name}
            found |= {name for line in NAMED.findall(source) for name in re.findall(r'"(\w+)"', line)}
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_action_that_is_recorded_has_a_text(language: str) -> None:
    found = actions_in_the_code()
    assert {"press", "recall", "publish", "sign_in_failed", "escalated", "audit_read", "audit_exported"} <= found
    assert {name for name in found if f"audit.action.{name}" not in catalogue(language)} == set()

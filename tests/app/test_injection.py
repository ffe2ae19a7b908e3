"""What is smuggled into texts, addresses and names of files stays what it is: a text."""

import re
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import func, select, update

from pingji.data.engine import reading, writing
from pingji.data.tables import LAYER_TABLES, area, metadata
from pingji.ops.access import Grant, Role
from tests import world
from tests.app.callers import Client
from tests.app.conftest import Serve
from tests.app.phone import assert_problem, press, say, send
from tests.world import C1, COUNTY

API = "/api/v1"
SQL = ("' OR 1=1 --", "%", "_", "' UNION SELECT password FROM account --", "\\", '"; DROP TABLE person; --', "x' || 'y")
BRACES = ("{0.__class__}", "{x}", "{{7*7}}", "{scope.__init__.__globals__}", "{", "}", "%s%n", "${7*7}")
FILLED = re.compile(r"<class|__globals__[^}]|<function|\{49\}")  # what a text of ours would be that is filled twice
TELLING = re.compile(r"root:x:0|\[build-system\]|BEGIN |SQLite format|Traceback")
CRLF = ("a\r\nSet-Cookie: pingji_session=x", "a\nX-Evil: 1", "a\x00b", "a\r\r\nX: y")
CLIMBS = (
    "../../../pyproject.toml",
    "..%2f..%2f..%2fpyproject.toml",
    "%2e%2e/%2e%2e/%2e%2e/pyproject.toml",
    "..%5c..%5cpyproject.toml",
    "%252e%252e%252fpyproject.toml",
    "....//....//pyproject.toml",
    "%2fetc%2fpasswd",
    "//etc/passwd",
    "%00",
    "a%00.js",
    "..%c0%af..%c0%afetc/passwd",
    "C:%5cwindows%5cwin.ini",
)


def rows(client: Client) -> dict[str, int]:
    told = ("audit", "audit_head", "token", "session")
    with reading(client.engine) as conn:
        tables = [table for table in metadata.sorted_tables if table.name not in told]
        return {t.name: conn.scalars(select(func.count()).select_from(t)).one() for t in tables}


@pytest.mark.parametrize("text", SQL)
def test_sql_is_a_text_that_nothing_matches(client: Client, text: str) -> None:
    before = rows(client)
    given = quote(text, safe="")
    asked = [
        ("search?q={}", 200),
        ("balance?scope={}", 404),
        ("people?household={}", 200),
        ("layers/grids?communities={}", 200),
        ("layers/{}", 404),
        ("modes?scope={}", 404),
        ("grids/communities/{}", 404),
        ("grids/sets?community={}", 200),
        ("grids/sets/{}", 404),
        ("grids/of?household={}", 404),
        ("grids/lineage?code={}", 404),
        ("grids/history?community={}", 404),
        ("organisation/units/{}", 404),
        ("organisation/units?parent={}", 404),
        ("organisation/sponsors/{}", 404),
        ("organisation/calls?operation={}", 200),
        ("audit?actor={}", 200),
        ("audit?object={}", 200),
    ]
    for path, status in asked:
        answer = client.get(f"{API}/{path.format(given)}")
        assert answer.status_code in (status, 422), (path, answer.text)  # 422: longer than any code
        if answer.status_code != 200:
            continue
        found = answer.json()
        found = found if isinstance(found, list) else next(v for v in found.values() if isinstance(v, list))
        if not path.startswith("organisation/calls"):
            assert found == [], (path, answer.text)
    names = {"layer": "households", "codes": [text], "purpose": "other"}
    assert client.post(f"{API}/names", json=names).status_code == 403
    status = client.post(f"{API}/places/{given}/status", json={"status": "open"})
    assert status.status_code in (404, 409), status.text
    assert rows(client) == before


def test_sql_in_what_is_kept_comes_back_as_it_was(client: Client) -> None:
    assert press(client, reason="'; DROP TABLE journal; --").status_code == 200
    for n, text in enumerate(SQL):
        movement = say("arrive", person=f"visitor:{n}", place="T1", note=text)
        assert send(client, movement)["accepted"] == [movement["id"]]
        begun = {"name": text, "reason": "correction", "communities": [C1], "id": f"set{n}", "note": text}
        made = client.post(f"{API}/grids/sets", json=begun).json()
        assert (made["name"], made["note"]) == (text, text)
    assert client.get(f"{API}/journal").json()[0]["detail"]["reason"] == "'; DROP TABLE journal; --"
    assert rows(client)["change_set"] == len(SQL)


def test_a_percent_sign_finds_only_names_that_have_one(client: Client) -> None:
    communities = LAYER_TABLES["communities"]
    with writing(client.engine) as conn:
        conn.execute(update(communities).where(communities.c.code == C1).values(name="100% _here"))
    for text in ("%", "_", "0% _"):
        found = client.get(f"{API}/search", params={"q": text}).json()
        assert [one["code"] for one in found] == [C1], text


@pytest.mark.parametrize("climb", CLIMBS)
@pytest.mark.parametrize("root", ["/static/", "/assets/", "/api/", "/_dash-component-suites/dash/", "/sign-in/"])
def test_no_path_climbs_out(county_url: str, serve: Serve, root: str, climb: str) -> None:
    if "postgresql" in county_url:
        pytest.skip("files are the same on both stores")
    client = serve(county_url)
    answer = client.get(root + climb)
    assert not TELLING.search(answer.text), answer.text[:300]
    # 200: the frame of a page that there is not, which the guard has let nobody into the data of.
    assert answer.status_code in (303, 307, 404) or "_dash-config" in answer.text, (root, climb, answer.text[:300])


@pytest.mark.parametrize("text", BRACES)
def test_braces_in_names_are_braces(client: Client, text: str) -> None:
    """Texts are filled by `str.format`; what they are filled with is not filled again."""
    communities, shelters = LAYER_TABLES["communities"], LAYER_TABLES["shelters"]
    with writing(client.engine) as conn:
        for table in (communities, shelters, area, LAYER_TABLES["grids"], LAYER_TABLES["danger_zones"]):
            conn.execute(update(table).values(name=text))
    assert press(client, reason=text).status_code == 200
    assert client.post(f"{API}/places/T1/status", json={"status": "diverting", "reason": text}).status_code == 200
    begun = {"name": text, "reason": "correction", "communities": [C1], "id": "s", "note": text}
    assert client.post(f"{API}/grids/sets", json=begun, params={}).status_code == 200
    given = quote(text, safe="")
    paths = ["journal", "modes", "scopes", "places", "audit", "grids/sets/s", f"grids/communities/{C1}?set=s"]
    paths += ["organisation/chains", "layers/grids", f"search?q={given}", "client", f"balance?scope={C1}"]
    for path in paths:
        answer = client.get(f"{API}/{path}")
        assert answer.status_code == 200, (path, answer.text)
        assert not FILLED.search(answer.text), path
    assert text in [place["name"] for place in client.get(f"{API}/places").json()]
    refused = [
        client.get(f"{API}/balance", params={"scope": text}),
        client.get(f"{API}/layers/{given}"),
        client.get(f"{API}/layers/grids", params={"bbox": text}),
        client.post(f"{API}/places/T1/status", json={"status": text[:32]}),
        press(client, press_id="again", level=2, reason=text),  # nothing to change: the text names the scope
    ]
    for answer in refused:
        body = assert_problem(answer, answer.status_code)
        assert not FILLED.search(answer.text)
        assert body["detail_en"]
    files = [f"grids/export?format={form}&community={C1}" for form in ("xlsx", "geojson")]
    for path in [*files, "layers/shelters/export?format=csv"]:
        answer = client.get(f"{API}/{path}")
        assert answer.status_code == 200, (path, answer.text)
        assert text in "".join(_texts(answer.content)).replace("&quot;", '"'), path


def _texts(content: bytes) -> list[str]:
    if not content.startswith(b"PK"):
        return [content.decode()]
    with zipfile.ZipFile(BytesIO(content)) as book:
        return [book.read(name).decode("utf-8", "replace") for name in book.namelist()]


ODD_NAMES = ("../../evil.gpkg", "..\\..\\evil.gpkg", "/etc/passwd", "..", ".", "evil.gpkg/..", ".bashrc", "a" * 100)


@pytest.mark.parametrize("name", [*ODD_NAMES, "\u6751" * 100, "{0.__class__}.gpkg", "%2e%2e%2fevil.gpkg"])
@pytest.mark.parametrize("route", ["grids/import", "organisation/import/preview"])
def test_a_file_is_named_by_nobody(client: Client, tmp_path: Path, route: str, name: str) -> None:
    before = rows(client)
    answer = client.post(f"{API}/{route}", params={"filename": name}, content=b"not a file of any kind")
    body = assert_problem(answer, 422)
    assert "/tmp" not in answer.text
    assert "pingji-" not in answer.text
    assert "<class" not in body["detail_en"]
    assert rows(client) == before
    assert not list(tmp_path.rglob("evil*"))


@pytest.mark.parametrize("text", CRLF)
def test_no_header_is_split(client: Client, text: str) -> None:
    given = quote(text, safe="")
    answers: list[Any] = [
        client.get(f"{API}/layers/{given}/export?format=geojson"),
        client.get(f"{API}/grids/export?format=geojson&community={given}"),
        client.get(f"{API}/organisation/export?scope={given}"),
        client.get(f"/sign-in?next=/{given}"),
        client.get(f"/sign-in/wall?token={given}"),
        client.get(f"/sign-in/device?code={given}"),
        client.get(f"/{given}", headers={"accept": "text/html"}),
        client.post(f"{API}/grids/import?filename={given}", content=b"x"),
    ]
    del client.headers["authorization"]
    answers.append(client.get(f"/grids?x={given}", headers={"accept": "text/html"}))
    for answer in answers:
        assert answer.status_code < 500, (answer.request.url, answer.text)
        assert "x-evil" not in answer.headers
        assert "pingji_session=x" not in answer.headers.get("set-cookie", "")
        assert not any("\r" in value or "\n" in value for value in answer.headers.values())


@pytest.mark.parametrize("sent", [b"a\tb", b"13812345678", b"<script>", b"x" * 5000, b"a b; c", b"\xff\xfe"])
def test_a_request_id_that_is_none_is_replaced(client: Client, sent: bytes) -> None:
    answer = client.get(f"{API}/me", headers=[(b"x-request-id", sent), *_own(client)])
    assert answer.status_code == 200
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])


def _own(client: Client) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in client.bearer().items()]


def test_an_export_is_named_by_codes_only(client: Client) -> None:
    editor = client.bearer("Editor\u6751", Grant(Role.GIS_EDITOR, COUNTY))
    for path in (f"grids/export?format=xlsx&community={C1}", "layers/grids/export?format=csv"):
        answer = client.get(f"{API}/{path}", headers=editor)
        assert re.fullmatch(r'attachment; filename="[\w.-]+"', answer.headers["content-disposition"])
    assert world.C1 in client.get(f"{API}/grids/export?format=xlsx&community={C1}").headers["content-disposition"]


def test_an_address_is_not_markup(client: Client) -> None:
    """Dash writes the address that was asked for into its page."""
    evil = '/x"><script>alert(1)</script>'
    answer = client.get(quote(evil), headers={"accept": "text/html"}, params={"q": '"><script>alert(1)</script>'})
    assert "<script>alert" not in answer.text
    sign_in = client.get("/sign-in", params={"next": '/"><script>alert(1)</script>', "lang": '"><script>alert(1)'})
    assert "<script>alert" not in sign_in.text

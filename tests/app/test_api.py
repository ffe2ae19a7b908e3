"""Every route of the contract: its shape, and its problems."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.testclient import TestClient

from pingji.ops.position import ACCOUNTED, REMAINDER
from tests import world
from tests.app.conftest import Serve
from tests.app.phone import assert_problem, press, say, send
from tests.world import ALL_HOUSEHOLDS, ALL_PERSONS, FAR, households_in, people_in

API = "/api/v1"
HOME = households_in("Z1")[4]  # one person, listed by name
PERSON = people_in(HOME)[0]
NUL = "a%00b"


def get(client: TestClient, path: str, **params: Any) -> Any:
    response = client.get(API + path, params=params)
    assert response.status_code == 200, response.text
    return response.json()


def test_the_balance_before_during_and_below(client: TestClient) -> None:
    quiet = get(client, "/balance")
    assert (quiet["open"], quiet["persons"]["expected"]) == (False, 0)
    press(client)
    send(client, say("arrive", person="visitor:a", place="T3"), say("disperse", household=HOME))
    found = get(client, "/balance", scope="220221")
    assert {"scope", "as_of", "exercise", "persons", "households", "cumulative"} <= set(found)
    for unit, expected in (("persons", ALL_PERSONS + 1), ("households", ALL_HOUSEHOLDS + 1)):
        sheet = found[unit]
        assert set(sheet["accounted"]) == {p.value for p in ACCOUNTED}
        assert set(sheet["remainder"]) == {p.value for p in REMAINDER}
        assert sum(sheet["accounted"].values()) == sheet["accounted_total"] == 2
        assert sum(sheet["remainder"].values()) == sheet["remainder_total"]
        assert sheet["expected"] == expected == sheet["accounted_total"] + sheet["remainder_total"]
        assert sheet["off_plan"] == 1
    assert found["cumulative"]["at_transfer_point"] == 1
    assert get(client, "/balance", scope=FAR)["persons"]["expected"] == world.PERSONS["Z3"] + 1
    assert get(client, "/balance", scope="Z2")["level"] == "zone"
    assert_problem(client.get(f"{API}/balance?scope=999"), 404, "unknown_scope")


def test_places_keep_two_counts_apart(client: TestClient) -> None:
    press(client)
    send(client, say("arrive", person=PERSON, place="T1"), say("count", place="T1", count=30))
    places = {p["code"]: p for p in get(client, "/places")}
    assert set(places) == {*world.POINTS, *world.SHELTERS}
    assert {k: places["T1"][k] for k in ("kind", "status", "capacity", "roster", "clicker", "difference")} == {
        "kind": "transfer_point",
        "status": "full",  # 30 of 20: shown as it is
        "capacity": 20,
        "roster": 1,
        "clicker": 30,
        "difference": 29,
    }
    assert places["S2"]["status"] == "closed"


def test_a_shared_shelter_shows_the_people_of_both(client: TestClient) -> None:
    for code, zone in ((world.C2, "Z2"), (world.C3, "Z3")):
        assert press(client, press_id=code, scope=code).status_code == 200
        send(client, say("arrive", household=households_in(zone)[3], place="S3"))
    (shelter,) = (p for p in get(client, "/places") if p["code"] == "S3")
    assert (shelter["roster"], shelter["arrived"]) == (8, 8)
    assert shelter["expected"] == world.PERSONS["Z2"] + world.PERSONS["Z3"]


def test_a_place_is_put_into_a_state(client: TestClient) -> None:
    path = f"{API}/places/T1/status"
    assert_problem(client.post(path, json={"status": "diverting"}), 409, "nothing_open")
    press(client)
    assert client.post(path, json={"status": "diverting"}, headers={"x-actor": "%E7%8E%8B"}).status_code == 200
    assert next(p for p in get(client, "/places") if p["code"] == "T1")["status"] == "diverting"
    assert get(client, "/journal")[0]["actor"] == "王"
    assert_problem(client.post(path, json={"status": "saturated"}), 422, "status_not_allowed")
    assert_problem(client.post(f"{API}/places/T9/status", json={"status": "open"}), 404, "unknown_place")


def test_people_have_ids_to_count_by_and_masked_names(client: TestClient) -> None:
    press(client)
    send(client, say("arrive", person=PERSON, place="T1"))
    one, *inmates = get(client, "/people", household=[HOME, world.CARE_HOME])
    assert {k: one[k] for k in ("id", "household", "position", "place")} == {
        "id": PERSON,
        "household": HOME,
        "position": "at_transfer_point",
        "place": "T1",
    }
    assert "Li" not in one["name"].removeprefix("L")
    assert len(inmates) == world.CARE_HOME_PEOPLE
    assert_problem(client.get(f"{API}/people"), 422, "invalid")


def test_the_key(client: TestClient) -> None:
    first = press(client).json()
    assert (first["pressed"], first["mode"], first["level"], first["exercise"]) == (True, "emergency", 2, False)
    assert press(client).json() == {**first, "pressed": False}
    assert_problem(press(client, level=3), 409, "press_id_reused")
    assert_problem(press(client, "q"), 409, "nothing_to_change")
    assert_problem(press(client, "q", scope=world.C1), 409, "covered_by_wider_scope")
    assert_problem(press(client, "q", scope="Z1"), 404, "unknown_scope")
    assert_problem(press(client, "q", to="standby"), 409, "transition_not_allowed")
    assert_problem(press(client, "q", to="recovery", reason=" "), 422, "reason_required")
    assert_problem(press(client, "q", exercise=True, level=3), 409, "real_emergency_open")
    assert_problem(press(client, "q", level=None), 422, "level_required")
    for wrong in (
        {"level": 5},
        {"to": "war"},
        {"speed": 1},
        {"exercise": 10**40},
        {"reason": "a\x00b"},
        {"scope": "\x00"},
    ):
        assert_problem(press(client, "q", **wrong), 422, "invalid")
    state = get(client, "/modes")
    assert (state["mode"], state["allowed"]) == ("emergency", ["emergency", "recovery"])
    assert [s["scope"] for s in state["scopes"]] == ["220221"]
    assert get(client, "/modes", scope=world.C1)["mode"] == "routine"
    recalled = client.post(f"{API}/modes/recall", json={"press_id": "p", "reason": "by mistake"})
    assert recalled.json()["mode"] == "routine"
    assert_problem(client.post(f"{API}/modes/recall", json={"press_id": "none"}), 404, "no_such_press")
    assert [e["action"] for e in get(client, "/journal")] == ["recall", "press"]


def test_two_hands_on_the_key(client: TestClient) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda n: press(client, f"p{n % 2}").status_code, range(4)))
    assert sorted(answers) == [200, 200, 409, 409]
    assert get(client, "/balance")["persons"]["expected"] == ALL_PERSONS


def test_an_exercise_says_so_and_ends_without_a_trace(client: TestClient) -> None:
    press(client, "drill", exercise=True)
    send(client, say("arrive", household=HOME, place="T1"), say("count", place="T1", count=9))
    assert get(client, "/balance")["exercise"] is True
    press(client, "real")
    found = get(client, "/balance")
    assert found["exercise"] is False
    assert (found["persons"]["accounted_total"], found["persons"]["expected"]) == (0, ALL_PERSONS)
    assert all(p["present"] == p["arrived"] == 0 for p in get(client, "/places"))


def test_layers_are_masked_and_many_points_need_a_box(client: TestClient) -> None:
    assert get(client, "/layers/households")["features"] == []
    box = "126.0,43.0,126.8,43.2"
    homes = get(client, "/layers/households", bbox=box)
    assert len(homes["features"]) == 4 * world.HOUSEHOLDS_A_COMMUNITY
    for audience in ("staff", "wall"):
        for layer in ("households", "shelters", "transfer_points", "institutions", "grids", "communities"):
            text = client.get(f"{API}/layers/{layer}?bbox={box}&audience={audience}").text
            assert "13812345678" not in text
            assert "18812345678" not in text
            if audience == "wall":
                assert "13900001111" not in text
                assert not re.search(r"Wang \d|Zhao", text)
    for bad in ("1,2,3", "a,b,c,d", "3,2,1,0", "nan,nan,nan,nan", "0,0,inf,0", "-181,0,0,0"):
        assert_problem(client.get(f"{API}/layers/grids?bbox={bad}"), 400, "bad_request")
    assert_problem(client.get(f"{API}/layers/castles"), 404, "unknown_layer")
    assert_problem(client.get(f"{API}/layers/grids?limit=0"), 422, "invalid")


def test_what_a_page_starts_with(client: TestClient) -> None:
    start = get(client, "/client", lang="en")
    assert start["county"]["bounds"] == [126.0, 43.0, 126.8, 43.2]
    assert {"language", "county", "texts", "layers", "tianditu_key"} <= set(start)
    assert get(client, "/client", lang="xx")["language"] == "zh_CN"
    assert [s["code"] for s in get(client, "/scopes")][:3] == ["220221", world.NEAR, FAR]
    assert any(hit["code"] == HOME for hit in get(client, "/search", q=HOME))
    assert not re.search(r"Wang \d", client.get(f"{API}/search?q=Wang").text)


def test_characters_that_no_database_holds(client: TestClient) -> None:
    press(client)
    paths = (f"/balance?scope={NUL}", f"/modes?scope={NUL}", f"/people?household={NUL}", f"/search?q={NUL}")
    for path in (*paths, f"/layers/{NUL}", "/search?q=%ED%A0%80", "/journal?limit=99999999999999999999999"):
        assert client.get(API + path).status_code < 500, path
    assert client.post(f"{API}/places/{NUL}/status", json={"status": "open"}).status_code in (404, 422)
    half = b'{"press_id": "\\ud83d", "scope": "220221", "to": "standby", "\\ud83d": 1}'
    for path in ("/modes", "/modes/recall"):
        answer = client.post(API + path, content=half, headers={"content-type": "application/json"})
        assert_problem(answer, 422, "invalid")
        deep = client.post(API + path, content=b"[" * 200_000, headers={"content-type": "application/json"})
        assert 400 <= assert_problem(deep, deep.status_code)["status"] < 500
    odd = press(client, "z", to="emergency", level=1)
    assert odd.status_code == 200
    status = client.post(f"{API}/places/T1/status", json={"status": "open"})
    assert status.status_code == 200


def test_problems_of_the_address(client: TestClient) -> None:
    assert_problem(client.get(f"{API}/nonsense"), 404, "not_found")
    assert_problem(client.get("/api/nonsense"), 404, "not_found")
    assert_problem(client.delete(f"{API}/balance"), 405, "method_not_allowed")
    wrong_method = client.get(f"{API}/movements")  # or "no such address": nothing is read there
    assert_problem(wrong_method, wrong_method.status_code)
    assert wrong_method.status_code in (404, 405)


def test_a_defect_is_told_as_a_problem(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("pingji.dashboard.queries.balance", fail)
    body = assert_problem(client.get(f"{API}/balance"), 500, "unexpected")
    assert "ZeroDivision" not in str(body)


def test_health_and_metrics(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready"}
    assert "pingji_live_screens" in client.get("/metrics").text


def test_the_documentation_stays_within_the_origin(client: TestClient) -> None:
    page = client.get("/api/docs").text
    links = re.findall(r"""(?:src|href)=["']([^"']+)""", page)
    assert links
    for link in links:
        assert link.startswith("/")
        assert not link.startswith("//")
        assert client.get(link).status_code == 200, link
    assert not re.search(r"https?://(?!127\.0\.0\.1)", page)
    paths = client.get("/api/openapi.json").json()["paths"]
    contract = ("movements", "modes", "modes/recall", "balance", "places", "people", "layers/{name}", "live")
    assert {f"{API}/{name}" for name in contract} | {"/healthz", "/readyz"} <= set(paths)


def test_the_first_run_with_nothing_in_the_store(serve: Serve, store_url: str) -> None:
    empty = serve(store_url)
    assert empty.get("/healthz").status_code == 200
    assert_problem(empty.get("/readyz"), 503, "no_county")
    assert get(empty, "/client")["county"] is None
    for path in ("/balance", "/places", "/modes", "/scopes", "/search?q=a", "/layers/grids", "/people?household=a"):
        assert_problem(empty.get(API + path), 409, "no_county")
    assert_problem(press(empty), 409, "no_county")
    assert_problem(empty.post(f"{API}/movements", json={"movements": [say("notify", person="a")]}), 409, "no_county")
    assert empty.get("/").status_code == empty.get("/wall").status_code == 200


def test_two_apps_share_nothing(serve: Serve, county_url: str, tmp_path: Any) -> None:
    other = tmp_path / "other.db"
    from tests.conftest import migrate

    migrate(f"sqlite:///{other}")
    full, empty = serve(county_url), serve(f"sqlite:///{other}", tianditu_key="k")
    press(full)
    assert get(full, "/modes")["mode"] == "emergency"
    assert_problem(empty.get(f"{API}/modes"), 409, "no_county")
    assert (get(full, "/client")["tianditu_key"], get(empty, "/client")["tianditu_key"]) == ("", "k")
    assert full.get("/").status_code == empty.get("/").status_code == 200

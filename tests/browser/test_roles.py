"""A journey for each role, signed in as people are: what it finds on its screens, and what is not there."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from pingji.dashboard.guard import PAGES
from pingji.data.access.accounts import add_account
from pingji.data.engine import open_engine, reading, writing
from pingji.data.tables.access import session, token
from pingji.data.tables.audit import audit
from pingji.ops.access import PERMISSIONS, Grant, Role
from tests.browser.conftest import COUNTY, OpenPage, Server
from tests.browser.test_wall import SOON, settled

PASSWORD = "mild otter 47 lamps"
ENDED = 9_000  # ms: the stream asks every 3 s whether its caller may still look, and is believed for 2 s
LANDED = {Role.AUDITOR: "/audit"}
STAFF = [role for role in Role if role is not Role.WALL]
KEYS = "() => Object.keys(pingji.live.values)"


@dataclass(frozen=True)
class Town:
    """Where the scoped roles of these journeys work."""

    community: str
    name: str
    shelter: str
    shelter_name: str


@pytest.fixture(scope="module")
def town(server: Server) -> Town:
    """A community with a shelter and people in danger zones."""
    server.exercise()
    features = server.get("layers/shelters")["features"]
    zones = {one["properties"]["community"] for one in server.get("layers/danger_zones")["features"]}
    found = next(one["properties"] for one in features if one["properties"]["community"] in zones)
    names = {one["code"]: one["name"] for one in server.get("scopes")}
    code = found["community"]
    return Town(code, names[code], found["code"], found["name"])


@pytest.fixture(scope="module", autouse=True)
def accounts(server: Server, town: Town) -> Iterator[None]:
    """An account of each role; the login is the role."""
    scopes = {Role.COMMUNITY_STAFF: town.community, Role.SHELTER_DESK: town.shelter}
    engine = open_engine(f"sqlite:///{server.file}")
    with writing(engine) as conn:
        for role in STAFF:
            grants = [Grant(role, scopes.get(role, COUNTY))]
            at = time.time_ns() // 1000
            add_account(conn, login=role.value, name=name_of(role), grants=grants, at=at, password=PASSWORD)
    yield
    engine.dispose()


def name_of(role: Role) -> str:
    return role.value.replace("_", " ").title()


def signed_in(
    open_page: OpenPage,
    role: Role,
    path: str = "/",
    width: int = 1366,
    height: int = 768,
    provoked: tuple[str, ...] = (),
    clock: bool = False,
) -> Page:
    """The screen that a role comes to through the sign-in, in English."""
    address = f"/sign-in?lang=en&next={quote(english(path), safe='')}"
    page = open_page(address, width, height, provoked, as_=None, drawn="form")
    if clock:
        page.clock.install()
    page.fill("[name=login]", role.value)
    page.fill("[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_selector("#page")
    page.wait_for_function("() => window.pingji?.caller")
    return page


def english(path: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}lang=en"


def stream_keys(page: Page) -> set[str]:
    page.wait_for_function("() => window.pingji?.live.values.mode", timeout=SOON)
    return set(page.evaluate(KEYS))


def rows(server: Server, action: str) -> list[dict[str, object]]:
    engine = open_engine(f"sqlite:///{server.file}")
    with reading(engine) as conn:
        found = [dict(row) for row in conn.execute(select(audit).where(audit.c.action == action)).mappings()]
    engine.dispose()
    return found


def end_sessions(server: Server) -> None:
    """What being idle for too long comes to."""
    engine = open_engine(f"sqlite:///{server.file}")
    with writing(engine) as conn:
        conn.execute(update(session).values(seen_at=1))
    engine.dispose()


@pytest.mark.parametrize("role", STAFF)
def test_each_role_opens_its_screens_and_is_shown_no_way_to_others(
    open_page: OpenPage, server: Server, role: Role
) -> None:
    page = signed_in(open_page, role, provoked=("403",))
    expect(page).to_have_url(re.compile(re.escape(server.url + LANDED.get(role, "/")) + r"(\?.*)?$"))
    expect(page.locator(".account-name")).to_have_text(name_of(role))
    own = {path for path, wanted in PAGES.items() if not wanted or PERMISSIONS[role] & set(wanted)}
    for path in PAGES:
        answer = page.request.get(server.url + path, headers={"Accept": "text/html"}, max_redirects=0)
        refused = 303 if path == "/" and role is Role.AUDITOR else 403  # who has no desk is sent to the own screen
        assert answer.status == (200 if path in own else refused), path
    page.click(".account-button")
    here = page.evaluate("location.pathname")
    shown = page.eval_on_selector_all(".account-menu a:not([hidden])", "all => all.map(one => one.pathname)")
    assert set(shown) - {here} == own - {here}


@pytest.mark.parametrize("role", [Role.COMMANDER, Role.DUTY_OFFICER])
def test_who_commands_has_the_key_and_the_places(open_page: OpenPage, server: Server, role: Role) -> None:
    server.exercise()
    page = signed_in(open_page, role)
    settled(page, "emergency")
    expect(page.locator(".desk-mode .button-key")).to_be_visible()
    assert {f"sheet/{COUNTY}", "routine", "arrivals"} <= stream_keys(page)
    page.goto(server.url + english("/shelters"))
    expect(page.locator(".card .act:not([hidden])").first).to_be_visible(timeout=SOON)
    page.goto(server.url + english("/grids"))
    page.wait_for_function("() => document.querySelectorAll('.grids-tool').length > 0")
    expect(page.locator("[data-tool=cut]")).to_have_count(0)


def test_a_leader_looks_and_changes_nothing(open_page: OpenPage, server: Server) -> None:
    server.exercise()
    page = signed_in(open_page, Role.LEADER, "/shelters", 1024, 768)
    expect(page.locator(".card").first).to_be_visible(timeout=SOON)
    expect(page.locator(".card .act:not([hidden])")).to_have_count(0)
    page.goto(server.url + english("/"))
    settled(page, "emergency")
    expect(page.locator(".figure-first b")).to_have_text(re.compile(r"[1-9][\d,]*"))
    expect(page.locator(".desk-mode .button-key")).to_be_hidden()
    expect(page.locator(".desk-mode .button-quiet")).to_be_hidden()
    community = server.get("grids/communities")[0]["code"]
    page.goto(f"{server.url}/grids?lang=en&community={community}")
    page.wait_for_function("() => window.pingji?.grids?.state.grids.size > 0", timeout=SOON)
    expect(page.locator(".grids-tool[data-tool]")).to_have_count(3)  # select, box, measure
    expect(page.locator("[data-tab=proposals]")).to_be_hidden()
    for panel, words in (("sets", "New change set"), ("sets", "Import grids"), ("sets", "Submit")):
        page.evaluate("name => pingji.grids.panel(name).show()", panel)
        expect(page.locator(f"[data-slot=grids-{panel}]")).to_be_visible()
        expect(page.get_by_role("button", name=words)).to_have_count(0)
    page.keyboard.press("c")  # the key of a tool that is not there
    assert page.evaluate("pingji.grids.state.tool") == "select"


def test_a_community_has_its_own_part_of_everything(open_page: OpenPage, server: Server, town: Town) -> None:
    server.exercise()
    page = signed_in(open_page, Role.COMMUNITY_STAFF)
    settled(page, "emergency")
    keys = stream_keys(page)
    sheets = {key.removeprefix("sheet/") for key in keys if key.startswith("sheet/")}
    grids = server.get("layers/grids", communities=town.community)["features"]
    inside = {one["properties"]["code"] for one in grids}
    zones = {
        one["properties"]["code"]
        for one in server.get("layers/danger_zones")["features"]
        if one["properties"]["community"] == town.community
    }
    assert town.community in sheets
    assert sheets <= {town.community} | inside | zones
    places = {key.removeprefix("place/") for key in keys if key.startswith("place/")}
    assert town.shelter in places
    communities = {place["code"]: place["community"] for place in server.get("places")}
    assert {communities[code] for code in places} == {town.community}
    assert not {"routine", "arrivals", "drafts"} & keys

    expect(page.locator(".desk-brand .county")).to_have_text(town.name)
    expected = server.get("balance", scope=town.community)["persons"]["expected"]
    expect(page.locator(".figure-lines .figure-value").first).to_contain_text(f"/ {expected:,}")
    expect(page.locator(".desk-mode .button-key")).to_be_hidden()
    events = page.evaluate("() => (pingji.live.values.events || []).map(one => one.scope).filter(Boolean)")
    assert set(events) <= {COUNTY, town.community} | inside | zones | places


def test_a_part_is_told_in_a_sentence_that_base_figures_are_of_the_county(
    open_page: OpenPage, server: Server, town: Town
) -> None:
    server.routine()
    page = signed_in(open_page, Role.COMMUNITY_STAFF)
    settled(page, "routine")
    expect(page.locator("[data-slot=figures] .empty")).to_contain_text(town.name)
    assert "—" not in page.inner_text("[data-slot=figures]")


def test_a_shelter_desk_has_its_one_shelter(open_page: OpenPage, server: Server, town: Town) -> None:
    server.exercise()
    page = signed_in(open_page, Role.SHELTER_DESK, "/shelters", 1024, 768)
    expect(page.locator(".card")).to_have_count(1, timeout=SOON)
    expect(page.locator(".card .act")).to_be_visible()
    expect(page.locator(".shelter-head .county")).to_have_text(town.shelter_name)
    keys = stream_keys(page)
    assert {key for key in keys if key.startswith("place/")} == {f"place/{town.shelter}"}
    assert not any(key.startswith("sheet/") for key in keys)
    page.goto(server.url + english("/"))
    settled(page, "emergency")
    expect(page.locator("[data-slot=figures] .empty")).to_contain_text("Only the places")


def test_names_are_seen_for_a_purpose_for_a_minute_and_the_audit_knows(
    open_page: OpenPage, server: Server, town: Town
) -> None:
    server.routine()
    page = signed_in(open_page, Role.COMMUNITY_STAFF)
    settled(page, "routine")
    page.wait_for_function("() => pingji.map.views[0].layer('shelters').status === 'ready'", timeout=SOON)
    page.evaluate("code => pingji.map.views[0].go('grids', code)", town.community + "001")
    card = page.locator(".map-card")
    masked = card.locator("dd.kind-person").first
    expect(masked).to_have_text(re.compile(r"\*$"), timeout=SOON)
    before = len(rows(server, "names_seen"))
    card.get_by_role("button", name="Show names and phones").click()
    card.locator("[name=purpose]").select_option("other")
    card.get_by_role("button", name="Show", exact=True).click()
    assert card.locator(".names-list").count() == 0  # no purpose without its words
    card.locator("[name=note]").fill("drill")
    card.get_by_role("button", name="Show", exact=True).click()
    shown = card.locator(".names-list dd").first
    expect(shown).to_be_visible(timeout=SOON)
    assert "*" not in card.locator(".names-list").inner_text()
    expect(card.locator(".names-seen")).to_have_text(re.compile(r"In the audit; masked again in \d\d? s"))
    card.get_by_role("button", name="Mask now").click()
    expect(card.locator(".names-list")).to_have_count(0)
    entries = rows(server, "names_seen")
    assert len(entries) == before + 1
    assert entries[-1]["actor"] == name_of(Role.COMMUNITY_STAFF)
    assert "other" in str(entries[-1]["purpose"])


def test_who_draws_does_not_publish_and_who_publishes_does_not_draw(open_page: OpenPage, server: Server) -> None:
    server.routine()
    community = server.get("grids/communities")[2]["code"]
    features = server.get(f"grids/communities/{community}")["grids"]["features"]
    code = features[0]["id"]
    editor = signed_in(open_page, Role.GIS_EDITOR, f"/grids?community={community}")
    editor.wait_for_function("() => window.pingji?.grids?.state.grids.size > 0", timeout=SOON)
    editor.evaluate("() => pingji.grids.panel('sets').show()")
    editor.locator("[data-slot=grids-sets] .button-key").click()
    expect(editor.locator("dialog[open] [name=actor]")).to_have_count(0)  # nobody types who they are
    editor.click("dialog button[type=submit]")
    editor.wait_for_function("() => pingji.grids.state.set")
    words = {"kind": "describe", "code": code, "values": {"leader": "Li Si"}}
    editor.evaluate("intent => void pingji.grids.act(intent)", words)
    editor.wait_for_function("() => pingji.grids.state.set.position === 1")
    editor.locator(".gp-current .button-key").click()
    expect(editor.locator("dialog[open]")).to_contain_text(name_of(Role.GIS_EDITOR))
    editor.click("dialog button[type=submit]")
    expect(editor.locator(".gp-current .gp-status")).to_have_attribute("data-status", "review", timeout=SOON)
    id_ = editor.evaluate("pingji.grids.state.set.id")
    editor.evaluate("id => pingji.grids.review.open(id)", id_)
    expect(editor.locator(".gp-review-head")).to_be_visible(timeout=SOON)
    expect(editor.locator(".gp-review-foot button")).to_have_count(0)

    path = f"/grids?community={community}&set={id_}&review=1"
    reviewer = signed_in(open_page, Role.GIS_REVIEWER, path)
    expect(reviewer.locator(".gp-review-foot .button-key")).to_be_enabled(timeout=SOON)
    expect(reviewer.locator("[data-tool=cut]")).to_have_count(0)
    reviewer.locator(".gp-review-foot .button-key").click()
    reviewer.click("dialog button[type=submit]")
    expect(reviewer.locator(".gp-review")).to_have_count(0, timeout=SOON)
    done = server.get(f"grids/sets/{id_}")
    assert (done["status"], done["author"], done["reviewer"]) == (
        "published",
        name_of(Role.GIS_EDITOR),
        name_of(Role.GIS_REVIEWER),
    )


def test_an_auditor_is_not_asked_to_wait_for_figures(open_page: OpenPage) -> None:
    page = signed_in(open_page, Role.AUDITOR, provoked=("403",))
    assert page.evaluate("location.pathname") == "/audit"
    expect(page.locator("[data-connection]:not([hidden])")).to_have_count(0)
    assert page.evaluate("() => pingji.live.none && document.body.dataset.stale !== 'true'")
    assert page.evaluate("() => fetch('/api/v1/layers/grids').then(one => one.status)") == 403


def test_a_wall_says_that_its_token_is_over_and_comes_back_by_itself(open_page: OpenPage, server: Server) -> None:
    server.routine()
    page = open_page("/wall", provoked=("401",), as_="Wall 1", grants=(Grant(Role.WALL, COUNTY),))
    page.clock.install()
    settled(page, "routine")

    def revoke(at: int | None) -> None:
        engine = open_engine(f"sqlite:///{server.file}")
        with writing(engine) as conn:
            conn.execute(update(token).where(token.c.name == "Wall 1").values(revoked_at=at))
        engine.dispose()

    revoke(time.time_ns() // 1000)
    over = page.locator(".session-over.is-wall")
    expect(over).to_be_visible(timeout=ENDED)
    expect(page.locator("body")).to_have_attribute("data-stale", "true")
    revoke(None)
    until = time.monotonic() + SOON / 1000
    while over.count() and time.monotonic() < until:  # what was found to be over is believed for 2 s
        page.clock.fast_forward(31_000)
        page.wait_for_timeout(500)
    expect(over).to_have_count(0)
    settled(page, "routine")


def test_signing_out_in_one_tab_ends_the_others(open_page: OpenPage, server: Server) -> None:
    server.routine()
    page = signed_in(open_page, Role.COMMANDER, provoked=("401",))
    settled(page, "routine")
    other = page.context.new_page()
    other.goto(server.url + english("/shelters"))
    other.wait_for_function("() => window.pingji?.caller")
    other.click(".account-button")
    other.click("[data-sign-out]")
    expect(other).to_have_url(re.compile("/sign-in"))
    expect(page.locator(".session-over")).to_be_visible(timeout=ENDED)
    expect(page.locator("body")).to_have_attribute("data-stale", "true")
    expect(page).to_have_url(re.compile(r"/sign-in\?next=%2F"), timeout=ENDED)


def test_nothing_typed_is_lost_when_a_session_ends(open_page: OpenPage, server: Server) -> None:
    server.routine()
    page = signed_in(open_page, Role.COMMANDER, provoked=("401",), clock=True)
    settled(page, "routine")
    page.click(".desk-mode .button-key")
    page.fill("dialog textarea", "a long reason")
    end_sessions(server)
    over = page.locator(".session-over")
    expect(over).to_contain_text("was not sent", timeout=ENDED)
    page.clock.fast_forward(60_000)
    expect(over).to_be_visible()
    assert page.input_value("dialog textarea") == "a long reason"
    over.get_by_role("button").click()
    expect(page).to_have_url(re.compile(r"/sign-in\?next="))


def test_an_idle_screen_says_so_a_minute_before_and_goes_on_by_a_touch(open_page: OpenPage, server: Server) -> None:
    server.routine()
    page = signed_in(open_page, Role.DUTY_OFFICER, clock=True)
    settled(page, "routine")
    page.clock.fast_forward(14 * 60_000 + 5_000)
    notice = page.locator(".session-idle")
    expect(notice).to_contain_text("Signing out in 1 min")
    expect(notice).to_contain_text(re.compile(r"5\d s left"))
    with page.expect_request("**/api/v1/me/active") as told:
        notice.get_by_role("button").click()
    assert told.value.method == "POST"
    expect(notice).to_have_count(0)
    assert page.evaluate("pingji.session.over") is False

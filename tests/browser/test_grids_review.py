"""The workbench's panels: a draft on its way to every map, conflicts of two browsers, past days, repairs, proposals."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import httpx
import pytest
import shapely
from playwright.sync_api import Page, expect
from shapely.geometry import mapping, shape

from pingji.geo.gcj02 import gcj02_from_wgs84
from tests.browser.conftest import AUTHOR, OpenPage, Server
from tests.browser.test_wall import FAINT, KEY_LIKE, SOON

OTHER, REVIEWER = "Li Qiang", "Wang Fang"
LONG = 30_000  # a proposal divides a whole community
SHOWN = "() => pingji.grids.state.community && !pingji.grids.state.busy"
SIZES = [(1920, 1080, False), (1366, 768, False), (1024, 768, True)]


@pytest.fixture(scope="module")
def communities(server: Server) -> list[str]:
    """Each journey takes a community of its own."""
    return [one["code"] for one in server.get("grids/communities")]


def workbench(open_page: OpenPage, path: str, actor: str = AUTHOR, provoked: tuple[str, ...] = ()) -> Page:
    """The workbench, open to somebody of that name."""
    page = open_page(f"/grids?lang=en&{path}", 1366, 768, provoked, as_=actor)
    page.wait_for_function(SHOWN, timeout=SOON)
    return page


def grids_of(server: Server, community: str) -> dict[str, Any]:
    found = server.get(f"grids/communities/{community}")["grids"]["features"]
    return {one["id"]: shape(one["geometry"]) for one in found}


def cut(code: str, polygon: Any) -> dict[str, Any]:
    """A cut from south to north through the middle: it may go through buildings."""
    _, south, _, north = polygon.bounds
    x = polygon.representative_point().x
    return {"kind": "split", "code": code, "line": [[x, south - 0.001], [x, north + 0.001]]}


def neighbours(polygons: dict[str, Any]) -> tuple[str, str]:
    """Two grids with a border in common."""
    codes = sorted(polygons)
    pairs = [(a, b) for a in codes for b in codes if a < b]
    return next((a, b) for a, b in pairs if shapely.intersection(polygons[a], polygons[b]).length > 1e-4)


def merge(polygons: dict[str, Any]) -> dict[str, Any]:
    one, other = neighbours(polygons)
    return {"kind": "merge", "codes": [one, other], "into": one}


def panel(page: Page, name: str) -> None:
    page.click(f"[data-tab={name}]")


def submit_dialog(page: Page) -> None:
    page.locator("dialog[open] button[type=submit]").click()


def test_a_draft_is_repaired_submitted_and_published_by_a_second_person(
    open_page: OpenPage, server: Server, communities: list[str]
) -> None:
    server.routine()
    community = communities[0]
    watching = open_page("/?lang=en", 1366, 768)
    watching.wait_for_function("() => pingji.map?.views[0]?.layer('grids')?.status === 'ready'", timeout=SOON)
    code, polygon = next(iter(sorted(grids_of(server, community).items())))

    page = workbench(open_page, f"community={community}")
    panel(page, "sets")
    page.get_by_role("button", name="New change set").click()
    page.fill("dialog [name=name]", "Cut for size")
    page.select_option("dialog [name=reason]", "split_for_size")
    submit_dialog(page)
    expect(page.locator(".gp-set-name")).to_have_text("Cut for size", timeout=SOON)
    submit = page.get_by_role("button", name="Submit for review")
    expect(submit).to_be_disabled()  # nothing has been edited

    page.evaluate("intent => pingji.grids.act(intent)", cut(code, polygon))
    expect(page.locator(".gp-edit-what").first).to_contain_text("Cut", timeout=SOON)
    panel(page, "problems")
    place = page.locator(".gp-problem-place", has_text="cuts building").first
    place.click()
    expect(page.locator(".gp-problem.is-chosen")).to_have_count(1)
    page.get_by_role("button", name=re.compile("^Repair all")).click()
    expect(page.locator(".gp-problem", has_text="cuts building")).to_have_count(0, timeout=SOON)

    panel(page, "sets")
    expect(submit).to_be_enabled()
    submit.click()
    submit_dialog(page)
    expect(page.locator(".gp-current .gp-status")).to_have_text("In review", timeout=SOON)
    address = page.evaluate("location.search")

    address = f"{address.removeprefix('?')}&review=1"
    own = workbench(open_page, address, AUTHOR)
    expect(own.locator(".gp-review-foot .button-key")).to_be_disabled(timeout=SOON)
    expect(own.locator(".gp-hold")).to_contain_text(f"Somebody else has to publish: {AUTHOR}")
    review = workbench(open_page, address, REVIEWER)
    expect(review.locator(".gp-table tbody tr")).not_to_have_count(0, timeout=SOON)
    expect(review.locator(".gp-state[data-state=new]")).to_have_count(1)
    publish = review.locator(".gp-review-foot .button-key")
    publish.click()
    expect(review.locator("dialog[open]")).to_contain_text(REVIEWER)
    submit_dialog(review)
    expect(review.locator(".gp-given b")).to_be_visible(timeout=SOON)
    expect(review.locator(".gp-review")).to_have_count(0)
    given = review.locator(".gp-given b").inner_text()
    assert re.fullmatch(rf"{community}\d{{3}}", given)
    watching.wait_for_function(
        "code => Boolean(pingji.map.views[0].feature('grids', code))", arg=given, timeout=SOON
    )  # without a reload
    assert given in grids_of(server, community)


def test_two_maps_move_as_one_and_the_table_leads_to_a_grid(
    open_page: OpenPage, server: Server, communities: list[str]
) -> None:
    server.routine()
    community = communities[1]
    polygons = grids_of(server, community)
    one, other = neighbours(polygons)
    draft = server.edit(server.draft(community, "Drawn"), merge(polygons))
    page = workbench(open_page, f"community={community}&set={draft['id']}&review=1")
    expect(page.locator(".gp-table tbody tr")).to_have_count(2, timeout=SOON)
    ended = page.locator(f"tr[data-code='{other}']")
    expect(ended.locator(".gp-state")).to_have_attribute("data-state", "ended")
    expect(ended.locator(".gp-relatives")).to_contain_text(one[-3:])
    hatched = ".gp-side-{} path[fill^='url(#gp-hatch']"
    expect(page.locator(hatched.format("before"))).to_have_count(2)
    expect(page.locator(hatched.format("after"))).to_have_count(1)
    label = ".gp-side-{} .gp-map-label"
    before = page.locator(label.format("before")).first.bounding_box()
    page.mouse.move(900, 300)
    page.mouse.down()
    page.mouse.move(960, 340, steps=4)
    page.mouse.up()
    after = page.locator(label.format("before")).first.bounding_box()
    assert before is not None
    assert after is not None
    assert (after["x"] - before["x"], after["y"] - before["y"]) == pytest.approx((60, 40), abs=3)
    page.keyboard.press("Escape")
    expect(page.locator(".gp-review")).to_have_count(0)


def test_the_later_of_two_editors_of_one_draft_sees_both_and_loses_nothing(
    open_page: OpenPage, server: Server, communities: list[str]
) -> None:
    server.routine()
    community = communities[2]
    polygons = grids_of(server, community)
    draft = server.draft(community, "Drawn")
    page = workbench(open_page, f"community={community}&set={draft['id']}", OTHER, provoked=("409",))
    first, second = sorted(polygons)[0], sorted(polygons)[-1]
    server.edit(draft, cut(first, polygons[first]), AUTHOR)
    page.evaluate("intent => void pingji.grids.act(intent)", cut(second, polygons[second]))
    dialog = page.locator("dialog[open]")
    expect(dialog.locator(".gp-conflict-words")).to_contain_text(AUTHOR, timeout=SOON)
    for version in ("base", "theirs", "mine"):
        expect(dialog.locator(f".gp-version[data-version={version}] svg path").first).to_be_attached()
    submit_dialog(page)
    page.wait_for_function("() => pingji.grids.state.set.position === 2", timeout=SOON)
    edits = server.get(f"grids/sets/{draft['id']}")["edits"]
    assert [(one["actor"], one["in_force"]) for one in edits] == [(AUTHOR, True), (OTHER, True)]


def test_a_draft_overtaken_by_a_publication_is_compared_and_redone(
    open_page: OpenPage, server: Server, communities: list[str]
) -> None:
    server.routine()
    community = communities[3]
    polygons = grids_of(server, community)
    renamed = merge(polygons)["into"]  # stands in both

    def leader(name: str) -> dict[str, Any]:
        return {"kind": "describe", "code": renamed, "values": {"leader": name}}

    mine = server.edit(server.draft(community, "Mine", OTHER), leader("Zhou Wei"), OTHER)
    mine = server.edit(mine, merge(polygons), OTHER)
    theirs = server.edit(server.draft(community, "Theirs"), merge(polygons))
    theirs = server.edit(theirs, leader("Sun Mei"))
    server.step(server.step(theirs, "submit", AUTHOR), "publish", REVIEWER)

    page = workbench(open_page, f"community={community}&set={mine['id']}", OTHER)
    panel(page, "sets")
    expect(page.get_by_role("button", name="Submit for review")).to_be_disabled()
    page.get_by_role("button", name="Compare and redo").click()
    dialog = page.locator("dialog[open]")
    expect(dialog.locator(".gp-conflict-head").first).to_contain_text("Theirs", timeout=SOON)
    expect(dialog.locator(".gp-version")).not_to_have_count(0)
    expect(dialog.locator(".gp-conflict-values dd").nth(1)).to_have_text("Sun Mei")
    expect(dialog.locator(".gp-conflict-values dd").nth(2)).to_have_text("Zhou Wei")
    submit_dialog(page)
    expect(page.get_by_text("your words stand in the register")).to_be_visible(timeout=SOON)
    aside = page.locator(".gp-edit[data-state=aside]")  # what was merged can't be merged again
    expect(aside).to_have_count(1, timeout=SOON)
    expect(aside.locator(".gp-edit-why")).to_have_text(re.compile(r"\w{3,}"))
    expect(aside.get_by_role("button", name="Try again")).to_be_visible()
    assert len(server.get(f"grids/sets/{mine['id']}")["edits"]) == 2


def test_a_past_day_is_shown_read_only_with_the_lineage_of_a_grid(
    open_page: OpenPage, server: Server, communities: list[str]
) -> None:
    server.routine()
    community = communities[4]
    polygons = grids_of(server, community)
    one, other = neighbours(polygons)
    draft = server.edit(server.draft(community, "Drawn"), merge(polygons))
    server.step(server.step(draft, "submit", AUTHOR), "publish", REVIEWER)
    yesterday = (datetime.now(UTC).astimezone(ZoneInfo("Asia/Shanghai")) - timedelta(days=1)).date().isoformat()

    page = workbench(open_page, f"community={community}")
    assert not page.evaluate("code => pingji.grids.state.grids.has(code)", other)
    panel(page, "history")
    expect(page.locator(".gp-change b").first).to_have_text("Drawn", timeout=SOON)
    page.fill(".gp-day [name=date]", yesterday)
    expect(page.locator(".gp-past")).to_contain_text(yesterday, timeout=SOON)
    page.wait_for_function("code => pingji.grids.state.grids.has(code)", arg=other, timeout=SOON)
    assert page.evaluate("pingji.grids.whyNot()")
    link = page.locator(".gp-export").first.get_attribute("href")
    assert link is not None
    assert f"date={yesterday}" in link
    page.locator(".gp-past button").click()
    expect(page.locator(".gp-past")).to_have_count(0, timeout=SOON)
    page.evaluate("code => pingji.grids.select([code])", one)
    expect(page.locator(".gp-lineage-link.is-merge")).to_have_count(1, timeout=SOON)
    expect(page.locator(".gp-lineage-words")).to_contain_text(f"{other[-3:]} merged into {one[-3:]}")
    expect(page.locator(".gp-version-bar.is-now.is-chosen")).to_have_count(1)
    expect(page.locator(".gp-duty-phone").first).to_contain_text("****")


def test_an_exercise_holds_publishing_back_and_says_so_while_drafts_go_on(
    open_page: OpenPage, server: Server, communities: list[str]
) -> None:
    server.routine()
    community = communities[5]
    polygons = grids_of(server, community)
    waiting = server.step(server.edit(server.draft(community, "Waiting"), merge(polygons)), "submit", AUTHOR)
    draft = server.draft(community, "Draft")
    page = workbench(open_page, f"community={community}&set={draft['id']}")
    panel(page, "sets")
    expect(page.locator(".gp-notice[data-kind=held]")).to_have_count(0)
    server.exercise()
    try:
        review = workbench(open_page, f"community={community}&set={waiting['id']}&review=1", REVIEWER)
        expect(review.locator(".gp-review-foot .button-key")).to_be_disabled(timeout=SOON)
        expect(review.locator(".gp-hold")).to_contain_text("exercise")
        expect(page.locator(".gp-notice[data-kind=held]")).to_contain_text("drafts go on", timeout=SOON)
        page.evaluate("intent => void pingji.grids.act(intent)", merge(polygons))
        expect(page.locator(".gp-edit-what")).to_have_count(1, timeout=SOON)
        body = {"revision": waiting["revision"], "step": "publish", "note": ""}
        steps = f"{server.url}/api/v1/grids/sets/{waiting['id']}/steps"
        refused = httpx.post(steps, json=body, headers=server.bearer(REVIEWER))
        assert refused.status_code == 409
    finally:
        server.routine()


def test_a_proposal_is_watched_looked_at_and_accepted(
    open_page: OpenPage, server: Server, communities: list[str]
) -> None:
    server.routine()
    community = communities[6]
    draft = server.draft(community, "Drawn")
    page = workbench(open_page, f"community={community}&set={draft['id']}")
    panel(page, "proposals")
    page.fill(".gp-request [name=high]", "450")
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".gp-progress")).to_be_visible()
    cards = page.locator(".gp-card")
    expect(cards.first).to_be_visible(timeout=LONG)
    expect(cards.first.locator(".gp-score b").first).to_have_text(re.compile(r"^\d+%$"))
    expect(page.locator(".leaflet-gp-proposal-pane path")).not_to_have_count(0)
    panel(page, "sets")  # what is only proposed must not cover the grids of the draft
    expect(page.locator(".leaflet-gp-proposal-pane path")).to_have_count(0)
    panel(page, "proposals")
    page.get_by_role("button", name="Accept all").click()
    page.wait_for_function("() => pingji.grids.state.set.position === 1", timeout=LONG)
    [accepted] = server.get(f"grids/sets/{draft['id']}")["edits"]
    assert accepted["kind"] == "proposal"
    expect(page.locator(".gp-card")).to_have_count(0)


def test_a_proposal_can_be_stopped(open_page: OpenPage, server: Server, communities: list[str]) -> None:
    server.routine()
    page = workbench(open_page, f"community={communities[6]}")
    panel(page, "proposals")
    page.get_by_role("button", name="Start").click()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".gp-progress")).to_have_count(0)
    expect(page.get_by_role("button", name="Start")).to_be_enabled()


def test_a_shifted_file_is_asked_about_and_becomes_a_change_set(
    open_page: OpenPage, server: Server, communities: list[str], tmp_path: Path
) -> None:
    server.routine()
    community = communities[8]
    document = server.get("grids/export", format="geojson", community=community)
    polygons = {one["properties"]["code"]: shape(one["geometry"]) for one in document["features"]}
    one, other = neighbours(polygons)
    polygons[one] = shapely.union(polygons[one], polygons.pop(other))
    document["features"] = [
        {**each, "geometry": mapping(shapely.transform(polygons[code], gcj02_from_wgs84))}
        for each in document["features"]
        if (code := each["properties"]["code"]) in polygons
    ]
    file = tmp_path / "shifted.geojson"
    file.write_text(json.dumps(document), encoding="utf-8")

    page = workbench(open_page, f"community={community}", provoked=("422",))
    panel(page, "sets")
    page.get_by_role("button", name="Import grids").click()
    page.set_input_files("dialog [name=file]", file)
    submit_dialog(page)
    page.get_by_role("button", name="Correct from GCJ02").click()
    ended = page.locator(".gp-report dt", has_text="Ended")
    expect(ended.locator("xpath=following-sibling::dd[1]")).to_have_text("1", timeout=SOON)
    submit_dialog(page)
    expect(page.locator(f"tr[data-code='{other}'] .gp-state[data-state=ended]")).to_be_visible(timeout=SOON)
    expect(page.locator(f"tr[data-code='{one}'] .gp-state[data-state=changed]")).to_be_visible()
    assert page.evaluate("pingji.grids.state.set.origin") == "import"


def test_a_file_that_is_what_stands_today_is_good_news(
    open_page: OpenPage, server: Server, communities: list[str], tmp_path: Path
) -> None:
    server.routine()
    file = tmp_path / "today.geojson"
    today = server.get("grids/export", format="geojson", community=communities[9])
    file.write_text(json.dumps(today), encoding="utf-8")
    page = workbench(open_page, f"community={communities[9]}", provoked=("409",))
    panel(page, "sets")
    page.get_by_role("button", name="Import grids").click()
    page.set_input_files("dialog [name=file]", file)
    submit_dialog(page)
    expect(page.locator(".toast")).to_contain_text("those that stand today", timeout=SOON)
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert page.evaluate("pingji.grids.state.set") is None


@pytest.mark.parametrize("language", ["zh_CN", "en"])
@pytest.mark.parametrize(("width", "height", "touch"), SIZES)
def test_panels_are_whole_readable_and_large_enough_to_touch(
    open_page: OpenPage, server: Server, communities: list[str], language: str, width: int, height: int, touch: bool
) -> None:
    server.routine()
    community = communities[7]
    polygons = grids_of(server, community)
    code = sorted(polygons)[0]
    draft = server.edit(server.draft(community, "Drawn"), cut(code, polygons[code]))
    page = open_page(
        f"/grids?lang={language}&community={community}&set={quote(draft['id'])}", width, height, has_touch=touch
    )
    page.wait_for_function(SHOWN, timeout=SOON)
    for name in ("sets", "problems", "proposals", "history"):
        page.evaluate("name => pingji.grids.panel(name).show()", name)
        slot = page.locator(f"[data-slot=grids-{name}]")
        expect(slot).to_be_visible()
        assert KEY_LIKE.findall(slot.inner_text()) == []
        assert page.evaluate(TOO_WIDE, name) == []
        if touch:
            assert page.evaluate(TOO_SMALL, name) == []
    page.evaluate("id => pingji.grids.review.open(id)", draft["id"])
    expect(page.locator(".gp-table tbody tr")).not_to_have_count(0, timeout=SOON)
    assert KEY_LIKE.findall(page.locator(".gp-review").inner_text()) == []
    assert page.evaluate(FAINT, 4.5) == []
    page.evaluate("pingji.grids.review.close()")


TOO_WIDE = """name => [...document.querySelectorAll(`[data-slot=grids-${name}] *`)].filter(e => !e.closest('svg')
  && !e.closest('.gp-lineage-scroll') && e.clientWidth > 0 && e.getBoundingClientRect().right > innerWidth + 1)
  .map(e => e.className)"""
TOO_SMALL = """name => [...document.querySelectorAll(`[data-slot=grids-${name}] :is(button, a, select, input)`)]
  .filter(e => e.clientHeight > 0 && e.type !== 'checkbox' && e.getBoundingClientRect().height < 43.5)
  .map(e => e.className + e.getBoundingClientRect().height)"""

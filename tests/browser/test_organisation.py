"""The organisation's screen: tree, colours, to-do lists, committees, sponsors, an import, and calls while they run."""

import io
import uuid
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest
from playwright.sync_api import Locator, Page, expect

from pingji.ops.access import Grant, Role
from tests.browser.conftest import COUNTY, OpenPage, Server
from tests.browser.test_wall import FAINT, KEY_LIKE, SOON

COLOURED = "() => pingji.organisation && document.querySelectorAll('.og-legend-rows li').length >= 5"
# How many pixels of the map's own canvas have been painted.
PAINTED = """() => { const c = document.querySelector('.leaflet-pingji-organisation-pane canvas');
  const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
  let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n; }"""
CENTRE = "() => { const c = pingji.map.views[0].map.getCenter(); return [c.lng, c.lat]; }"
SIZES = [(1920, 1080), (1366, 768), (1024, 768)]


def screen(open_page: OpenPage, query: str = "", **options: Any) -> Page:
    """The screen with its tree and its colours."""
    page = open_page(f"/organisation?lang=en{query}", **{"width": 1366, "height": 768, **options})
    expect(page.locator(".og-node").first).to_be_visible(timeout=SOON)
    page.wait_for_function(COLOURED, timeout=SOON)
    return page


def tab(page: Page, name: str) -> Locator:
    page.click(f"[data-org-tab={name}]")
    panel = page.locator(f"[data-slot=org-{name}]")
    expect(panel).not_to_have_attribute("aria-busy", "true", timeout=SOON)
    return panel


def number(text: str) -> int:
    return int(text.replace(",", ""))


def ratio(of: Locator) -> tuple[int, int]:
    """A count with its denominator, as printed."""
    value, _, whole = of.inner_text().partition("/")
    return number(value.strip()), number(whole.strip())


def column(server: Server, name: str) -> str:
    """A heading or a post as a county's workbook writes it: Chinese words live in the texts."""
    return str(server.get("client", lang="zh_CN")["texts"][name])


@pytest.fixture
def quiet(server: Server) -> Server:
    """Nothing is under way."""
    server.routine()
    return server


def test_the_tree_opens_by_keyboard_and_shows_both_chains(open_page: OpenPage, quiet: Server) -> None:
    page = screen(open_page)
    county = page.locator(f'.og-node[data-code="{COUNTY}"]')
    expect(county).to_have_attribute("aria-expanded", "true")
    counts = quiet.get("organisation/vacancies", limit=1)["counts"]
    expect(county.locator("> .og-row b")).to_have_text(f"{counts['posts'] - counts['no_holder']:,}", timeout=SOON)

    county.focus()
    page.keyboard.press("ArrowDown")
    township = page.locator(".og-node:focus")
    expect(township).to_have_attribute("aria-level", "2")
    page.keyboard.press("ArrowRight")
    expect(township).to_have_attribute("aria-expanded", "true")
    expect(township.locator(".og-node").first).to_be_visible(timeout=SOON)
    page.keyboard.press("ArrowRight")
    community = page.locator(".og-node:focus")
    expect(community).to_have_attribute("aria-level", "3")
    code = community.get_attribute("data-code")
    page.keyboard.press("Enter")
    expect(community).to_have_attribute("aria-selected", "true")
    unit = page.locator("[data-slot=org-unit]")
    expect(unit.locator(".og-unit-kind i")).to_have_text(str(code), timeout=SOON)

    expect(unit.locator('.og-chain-head[data-chain="routine"] .og-mark')).to_have_text("in force")
    expect(unit.locator('.og-chain-head[data-chain="emergency"] .og-mark')).to_have_count(0)
    seats = unit.locator('.og-level[data-level="community"] .og-seat[data-commands="true"]')
    expect(seats).to_have_count(1)
    expect(seats).to_contain_text("Community secretary")
    assert "*" in seats.locator(".og-person b").inner_text()  # masked
    assert f"unit={code}" in page.url

    page.keyboard.press("ArrowLeft")
    expect(township).to_have_attribute("aria-level", "2")
    page.keyboard.press("ArrowLeft")
    expect(township).to_have_attribute("aria-expanded", "false")
    page.reload()
    expect(page.locator(f'.og-node[data-code="{code}"]')).to_have_attribute("aria-selected", "true", timeout=SOON)


def test_the_map_is_coloured_by_what_is_complete_and_the_legend_adds_up(open_page: OpenPage, quiet: Server) -> None:
    page = screen(open_page)
    totals = quiet.get("organisation/completeness")["totals"]
    rows = page.locator(".og-legend-rows li")
    shown = [number(text) for text in rows.locator("b").all_inner_texts()]
    assert shown[0] == totals["complete"]
    assert sum(shown) == totals["grids"]
    page.wait_for_function(f"({PAINTED})() > 20000", timeout=SOON)

    page.click(".og-figure [data-value=vacancies]")
    counts = quiet.get("organisation/map", figure="vacancies", level="grid")["features"]
    whole = [sum(one["properties"][name] for one in counts) for name in ("value", "of")]
    expect(page.locator(".og-legend-total b")).to_have_text(f"{whole[0]:,}", timeout=SOON)
    assert ratio(page.locator(".og-legend-total .og-ratio")) == tuple(whole)
    full = sum(one["properties"]["value"] == 0 for one in counts)
    assert number(rows.first.locator("b").inner_text()) == full
    page.click(".og-figure [data-value=community]")
    communities = len(quiet.get("organisation/map", figure="vacancies", level="community")["features"])
    expect(page.locator(".og-legend-foot")).to_have_text(f"{communities} communities in all", timeout=SOON)


def test_a_vacancy_leads_to_its_place_and_the_list_stays(open_page: OpenPage, quiet: Server) -> None:
    page = screen(open_page)
    found = quiet.get("organisation/vacancies", why="no_holder")
    panel = tab(page, "vacancies")
    expect(page.locator("[data-org-tab=vacancies] .og-badge")).to_have_text(f"{found['counts']['no_holder']:,}")
    post = found["rows"][1]
    row = panel.locator(f'[data-post="{post["code"]}"]')
    row.click()
    expect(row).to_have_class("og-todo is-chosen")
    expect(page.locator(f'.og-node[data-code="{post["unit"]}"]')).to_have_attribute(
        "aria-selected", "true", timeout=SOON
    )
    west, south, east, north = quiet.get(f"organisation/units/{post['unit']}")["bounds"]
    page.wait_for_function(
        f"() => {{ const [x, y] = ({CENTRE})(); return x > {west} && x < {east} && y > {south} && y < {north}; }}",
        timeout=SOON,
    )
    expect(panel).to_be_visible()
    assert panel.locator(".og-todo").count() == min(found["total"], 100)


def test_who_holds_too_many_posts_is_listed_with_them(open_page: OpenPage, quiet: Server) -> None:
    page = screen(open_page)
    found = quiet.get("organisation/overloaded")
    assert found["people"], "the demo has somebody with five posts"
    panel = tab(page, "burdens")
    expect(panel.locator(".og-burden")).to_have_count(len(found["people"]))
    first = panel.locator(".og-burden").first
    assert ratio(first.locator(".og-person-head .og-ratio")) == (found["people"][0]["n"], found["limit"])
    expect(first.locator(".og-todo")).to_have_count(found["people"][0]["n"])


def test_the_committees_are_a_table_of_departments_and_communities(open_page: OpenPage, quiet: Server) -> None:
    page = screen(open_page)
    found = quiet.get("organisation/committees")
    page.click(".og-open-committees")
    rows = page.locator(".og-matrix tbody tr")
    expect(rows).to_have_count(85, timeout=SOON)
    expect(page.locator(".og-names th")).to_have_count(9 + 1)
    assert page.locator(".og-matrix .og-dot").count() == found["totals"]["pairs"]
    warned = [one for one in found["communities"] if one["warnings"]]
    expect(page.locator('.og-names th[data-warned="true"]')).to_have_count(len(warned))
    expect(page.locator(".og-committees-foot li")).to_have_count(sum(len(one["warnings"]) for one in warned))
    page.fill(".og-committees input", found["departments"][7]["name"])
    expect(rows).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(".og-committees")).to_be_hidden()


def test_a_centre_shows_its_members_and_households(open_page: OpenPage, quiet: Server) -> None:
    page = screen(open_page)
    found = quiet.get("organisation/sponsors")
    grid = max(found["grids"], key=lambda one: one["members"])
    panel = tab(page, "sponsors")
    totals = quiet.get("organisation/gaps")["totals"]
    assert ratio(panel.locator(".og-total .og-ratio")) == (totals["covered"], totals["households"])
    panel.locator(f'[data-key="sponsor-{grid["grid"]}"]').click()
    centres = panel.locator(".og-centre")
    expect(centres).to_have_count(grid["centres"], timeout=SOON)
    centres.first.click()
    opened = panel.locator(".og-centre[aria-expanded=true]")
    expect(opened).to_have_count(1, timeout=SOON)
    code = str(opened.get_attribute("data-key")).removeprefix("centre-")
    members = quiet.get(f"organisation/sponsors/{code}")["members"]
    expect(panel.locator(".og-member")).to_have_count(len(members))
    panel.locator(".og-member summary").first.click()
    expect(panel.locator(".og-member[open] .og-linked li")).to_have_count(members[0]["households"])


def test_a_unit_is_found_by_name_and_the_organisation_goes_out_as_a_workbook(
    open_page: OpenPage, quiet: Server
) -> None:
    page = screen(open_page)
    grid = quiet.get("organisation/map", figure="completeness", level="grid")["features"][3]["properties"]
    page.fill(".og-search input", grid["name"])
    page.locator(".og-hit", has_text=grid["code"]).click(timeout=SOON)
    expect(page.locator(f'.og-node[data-code="{grid["code"]}"]')).to_have_attribute(
        "aria-selected", "true", timeout=SOON
    )
    roles = page.locator(".og-six li")
    expect(roles).to_have_count(6, timeout=SOON)
    expect(page.locator('.og-six li[data-ok="true"]')).to_have_count(grid["value"])
    # Chromium leaves a test's own headers out of downloads: the link's address is asked as its reader would.
    address = page.get_by_role("link", name="Export").get_attribute("href")
    answer = httpx.get(f"{quiet.url}{address}", headers=quiet.bearer(), timeout=20).raise_for_status()
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets[0]
    assert sheet.max_row - 1 == quiet.get("organisation/vacancies", limit=1)["counts"]["posts"]


def workbook(path: Path, server: Server, rows: list[list[str]]) -> Path:
    """A workbook in the words that a county uses, with a title over its headings."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["2026"])
    names = ("community", "grid", "post", "holder", "phone", "deputy", "deputy_phone")
    sheet.append([column(server, f"organisation.book.column.{name}") for name in names])
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


def test_an_import_is_previewed_with_its_errors_and_then_applied(
    open_page: OpenPage, quiet: Server, tmp_path: Path
) -> None:
    feature = quiet.get("organisation/map", figure="completeness", level="grid")["features"][0]["properties"]
    grid = feature["code"]
    community = quiet.get(f"organisation/units/{grid}")["path"]
    named = next(one["code"] for one in community if one["level"] == "community")
    leader = column(quiet, "org.post.grid_leader")
    good = [named, grid, leader, "Ouyang", "13900001234", "Duanmu", "13900005678"]
    wrong = ["Atlantis", "", leader, "Shangguan", "13900009999", "", ""]

    page = screen(open_page, f"&unit={grid}")
    page.get_by_role("button", name="Import", exact=True).click()
    dialog = page.locator("dialog[open]")
    dialog.locator("input[type=file]").set_input_files(workbook(tmp_path / "wrong.xlsx", quiet, [good, wrong]))
    errors = dialog.locator(".og-errors tbody tr")
    expect(errors).to_have_count(1, timeout=SOON)
    expect(errors.locator("td").nth(1)).to_have_text("4")
    expect(errors).to_contain_text("Atlantis")
    expect(errors.locator(".og-remedy")).not_to_be_empty()
    apply = dialog.get_by_role("button", name="Import as previewed")
    expect(apply).to_be_disabled()

    dialog.locator("input[type=file]").set_input_files(workbook(tmp_path / "good.xlsx", quiet, [good]))
    expect(dialog.locator('[data-count="errors"] dd')).to_have_text("0", timeout=SOON)
    expect(dialog.locator("tr[data-change=changed], tr[data-change=added]")).to_have_count(1)
    assert "5678" in dialog.locator(".og-import-report").inner_text()
    apply.click()
    expect(dialog).to_have_count(0, timeout=SOON)
    expect(page.locator(".toast")).to_contain_text("Imported")
    card = page.locator(f'.og-post[data-post="{grid}:grid_leader:1"]')
    expect(card).to_contain_text("139****1234", timeout=SOON)
    expect(card).not_to_contain_text("Ouyang")  # masked
    expect(page.locator("[data-slot=org-unit] details", has_text="earlier")).to_have_count(1)


def test_a_post_is_not_emptied_by_silence(open_page: OpenPage, quiet: Server) -> None:
    grid = quiet.get("organisation/map", figure="completeness", level="grid")["features"][5]["properties"]["code"]
    page = screen(open_page, f"&unit={grid}")
    card = page.locator(f'.og-post[data-post="{grid}:grid_leader:1"]')
    card.locator("button").click(timeout=SOON)
    dialog = page.locator("dialog[open]")
    save = dialog.locator("button[type=submit]")
    save.click()
    expect(dialog).to_be_visible()  # the browser asks for the name
    assert quiet.get(f"organisation/units/{grid}")["past"] == []
    dialog.locator("[name=holder_none]").check()
    dialog.locator("[name=deputy]").fill("<img src=x onerror=alert(1)>")
    dialog.locator("[name=deputy_phone]").fill("13900001111")
    save.click()
    expect(dialog).to_have_count(0, timeout=SOON)
    expect(card).to_have_attribute("data-vacant", "true", timeout=SOON)
    assert page.locator("#page img[src=x]").count() == 0
    assert len(quiet.get(f"organisation/units/{grid}")["past"]) == 1


def test_who_was_called_and_who_answered_is_seen_while_it_runs(open_page: OpenPage, quiet: Server) -> None:
    township = quiet.get("organisation/units", parent=COUNTY)["units"][1]["code"]

    def press(to: str, **more: Any) -> None:
        body = {"press_id": str(uuid.uuid4()), "scope": township, "to": to, "exercise": True, "reason": "drill"}
        quiet.post("modes", {**body, **more})

    page = screen(open_page)
    panel = tab(page, "calls")
    badge = page.locator("[data-org-tab=calls] .og-badge")
    expect(badge).to_be_empty()
    press("emergency", level=2)
    try:
        found = quiet.get("organisation/calls", limit=1)
        whole = sum(found["counts"][name] for name in ("asked", "answered", "handed_over", "escalated"))
        assert whole > 5
        expect(badge).to_have_text(f"0/{whole:,}", timeout=SOON)  # nobody asked for it: the mode did
        expect(panel.locator(".og-calls-head [data-kind=exercise]")).to_be_visible(timeout=SOON)
        assert ratio(panel.locator(".og-total .og-ratio").first) == (0, whole)

        panel.locator(".og-option[data-value=asked]").click()
        call = panel.locator(".og-call[data-state=asked]").first
        expect(call.locator(".og-remaining")).to_contain_text("left", timeout=SOON)
        post = call.get_attribute("data-post")
        call.get_by_role("button", name="Holder answered").click()
        expect(badge).to_have_text(f"1/{whole:,}", timeout=SOON)
        panel.locator(".og-option[data-value=answered]").click()
        answered = panel.locator(".og-call")
        expect(answered).to_have_count(1, timeout=SOON)
        assert answered.get_attribute("data-post") == post
        expect(answered).to_contain_text("tester")  # who said so

        page.locator(f'.og-node[data-code="{township}"] > .og-row').click()
        expect(page.locator('.og-chain-head[data-chain="emergency"] .og-mark')).to_have_text("in force", timeout=SOON)
        expect(page.locator('.og-level[data-level="township"] .og-seat[data-commands="true"]')).to_contain_text(
            "Temporary secretary"
        )
    finally:
        press("recovery")
        press("routine")
    expect(badge).to_be_empty(timeout=SOON)


def test_who_may_only_look_is_offered_nothing_to_change(open_page: OpenPage, quiet: Server) -> None:
    leader = Grant(Role.LEADER, COUNTY)
    page = screen(open_page, as_="Sun Li", grants=(leader,))
    expect(page.locator("[data-slot=org-actions] > *")).to_have_count(1)  # the table of committees
    expect(page.locator(".og-post").first).to_be_visible(timeout=SOON)
    expect(page.locator(".og-post button")).to_have_count(0)
    expect(page.locator(".names-show")).to_have_count(0)


def test_whoever_answers_for_a_community_sees_only_that(open_page: OpenPage, quiet: Server) -> None:
    community = quiet.get("organisation/committees")["communities"][0]
    staff = Grant(Role.COMMUNITY_STAFF, community["code"])
    page = screen(open_page, as_="Zhou Min", grants=(staff,))
    expect(page.locator(".og-node[data-level=township]")).to_have_count(0)
    expect(page.locator(f'.og-node[data-code="{community["code"]}"]')).to_have_attribute(
        "aria-selected", "true", timeout=SOON
    )
    expect(page.locator(".og-legend-foot")).to_have_text(f"{community['grids']} grids in all")
    expect(page.get_by_role("button", name="Import", exact=True)).to_have_count(0)  # a workbook may name any unit
    expect(page.locator(".og-failed")).to_have_count(0)


@pytest.mark.parametrize("mode", ["routine", "emergency"])
@pytest.mark.parametrize("language", ["zh_CN", "en"])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_it_fits_and_is_legible(
    open_page: OpenPage, server: Server, width: int, height: int, language: str, mode: str
) -> None:
    server.exercise() if mode == "emergency" else server.routine()
    page = open_page(f"/organisation?lang={language}", width, height)
    expect(page.locator("body")).to_have_attribute("data-mode", mode, timeout=SOON)
    expect(page.locator(".og-chains")).to_be_visible(timeout=SOON)
    page.wait_for_function(COLOURED, timeout=SOON)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth && scrollY === 0")
    for name in ("unit", "vacancies", "burdens", "sponsors", "calls"):
        panel = tab(page, name)
        assert page.evaluate("p => p.scrollWidth <= p.clientWidth", panel.element_handle()), name
        assert KEY_LIKE.findall(panel.inner_text()) == [], name
        page.wait_for_function("() => !document.getAnimations().some(a => a.playState === 'running')", timeout=SOON)
        assert page.evaluate(FAINT, 4.5) == [], name

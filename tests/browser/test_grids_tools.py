"""The rarer tools of the workbench by hand: simplify, repair, a drawn block, part of a proposal, a corner of three."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import shapely
from playwright.sync_api import expect
from shapely.geometry import mapping, shape
from sqlalchemy import update

from pingji.data.engine import open_engine, writing
from pingji.data.tables import LAYER_TABLES, change_set, grid_lineage, past_grids
from tests.browser.bench import Bench, Place, bench, border, neighbours, nodes
from tests.browser.conftest import AUTHOR, OpenPage, Server

LONG = 30_000  # a proposal divides a whole community
AGO = timedelta(days=40)
METRE = 1e-5  # of a degree, about


def state(server: Server, community: str, draft: str) -> Any:
    return server.get(f"grids/communities/{community}", set=draft)


def shapes(server: Server, community: str, draft: str) -> dict[str, Any]:
    found = state(server, community, draft)["grids"]["features"]
    return {one["id"]: shape(one["geometry"]) for one in found}


def new_problems(server: Server, community: str, draft: str) -> list[Any]:
    return [one for one in state(server, community, draft)["problems"] if one["new"]]


def harm(problem: Any) -> bool:
    """Something that was not wrong before, and keeps a draft from being published."""
    return bool(problem["new"] and problem["severity"] == "error")


def corners(polygons: dict[str, Any]) -> int:
    return int(shapely.get_num_coordinates(list(polygons.values())).sum())


def look(server: Server, community: str, draft: str, intent: dict[str, Any]) -> Any:
    """What an intent would do, None where it is refused or does harm."""
    found = server.post(f"grids/sets/{draft}/preview", {"community": community, "intent": intent})
    return None if "refused" in found or any(harm(one) for one in found["problems"]) else found


def draw(at: Bench, line: list[Place]) -> None:
    """Clicks a line's points where they are, without snapping."""
    at.page.keyboard.down("Alt")
    for point in line:
        at.click(at.at(point))
    at.page.keyboard.up("Alt")


def test_borders_are_simplified(open_page: OpenPage, server: Server, community: str, draft: str) -> None:
    at = bench(open_page, community, draft)
    before = shapes(server, community, draft)
    at.tool("s", "simplify")
    at.page.click("[data-control=tolerance_m-10]")
    expect(at.page.locator("[data-control=tolerance_m-10]")).to_have_attribute("aria-pressed", "true")
    expect(at.page.locator("[data-slot=grids-figures]")).to_have_attribute("data-of", "preview")
    at.page.click("[data-control=finish]")
    at.position(1)
    after = shapes(server, community, draft)
    assert set(after) == set(before)
    assert corners(after) < corners(before)
    kinds = {one["kind"] for one in new_problems(server, community, draft)}
    assert not kinds & {"gap", "overlap", "invalid", "outside_parent"}
    assert shapely.coverage_is_valid(list(after.values()))
    at.page.keyboard.press("Control+z")
    at.position(0)
    assert shapes(server, community, draft) == before


def test_a_gap_is_closed_by_the_repair_form(open_page: OpenPage, server: Server, community: str) -> None:
    """A redrawn grid leaves a gap of a metre and a half: too wide for half a metre, closed up to two."""
    draft = server.draft(community)
    polygons = shapes(server, community, draft["id"])
    at = bench(open_page, community, draft["id"])
    a, b = neighbours(at.rings)
    narrower = mapping(shapely.difference(polygons[a], polygons[b].buffer(1.5 * METRE)))
    grids = [{"code": code, "geometry": narrower if code == a else mapping(polygons[code])} for code in polygons]
    server.edit(draft, {"kind": "redraw", "grids": grids})
    at.position(1)
    assert "gap" in {one["kind"] for one in new_problems(server, community, draft["id"])}

    at.tool("f", "repair")
    at.page.click("[data-control='gap_m-0.5']")
    at.page.wait_for_function("() => pingji.grids.state.preview?.refusal")
    at.page.click("[data-control=gap_m-2]")
    expect(at.page.locator("[data-slot=grids-figures]")).to_have_attribute("data-of", "preview")
    at.page.click("[data-control=finish]")
    at.position(2)
    kinds = {one["kind"] for one in new_problems(server, community, draft["id"])}
    assert not kinds & {"gap", "overlap", "invalid"}
    repaired = shapes(server, community, draft["id"])
    assert shapely.union_all(list(repaired.values())).equals(shapely.union_all(list(polygons.values())))


def test_a_drawn_block_is_given(open_page: OpenPage, server: Server, community: str, draft: str) -> None:
    at = bench(open_page, community, draft)
    before = shapes(server, community, draft)
    a, b = neighbours(at.rings)
    block = next(
        box
        for x, y in border(at.rings, a, b)[1:-1]
        for half in (10 * METRE, 6 * METRE)
        for box in [shapely.box(x - half, y - half, x + half, y + half)]
        if look(server, community, draft, {"kind": "give", "to": b, "ground": mapping(box)})
    )
    ring = [list(place) for place in block.exterior.coords[:-1]]
    at.near(ring[0])
    at.tool("g", "give")
    at.page.click("[data-control=what-ground]")
    draw(at, ring)
    at.page.click("[data-control=finish]")
    at.page.evaluate("void pingji.grids.fit(false)")
    at.click(at.middle(b))
    at.position(1)
    after = shapes(server, community, draft)
    taken = after[b].difference(before[b])
    assert taken.area == pytest.approx(block.difference(before[b]).area, rel=0.1)
    assert taken.difference(block.buffer(METRE)).area < METRE**2
    assert after[a].area < before[a].area
    assert new_problems(server, community, draft) == []


def circle(rings: dict[str, list[Place]], corner: tuple[float, ...], of: str, radius_m: float) -> list[Place]:
    """A line from a grid, around a corner of three through the other two, and back into it."""
    narrow = math.cos(math.radians(corner[1]))
    ring = rings[of][:-1]
    n = ring.index(list(corner))
    ends = [ring[n - 1], ring[(n + 1) % len(ring)]]
    first, last = (math.atan2(y - corner[1], (x - corner[0]) * narrow) for x, y in ends)
    inside = shapely.Polygon(rings[of])

    def place(angle: float) -> Place:
        r = radius_m * METRE * 0.9
        return [corner[0] + r * math.cos(angle) / narrow, corner[1] + r * math.sin(angle)]

    way = (last - first) % (2 * math.pi)
    if inside.contains(shapely.Point(place(first + way / 2))):
        way -= 2 * math.pi
    turn = math.copysign(0.3, way)
    steps = 6
    return [place(first - turn + (way + 2 * turn) * i / steps) for i in range(steps + 1)]


def test_a_border_is_drawn_anew_across_a_corner_of_three(
    open_page: OpenPage, server: Server, community: str, draft: str
) -> None:
    at = bench(open_page, community, draft)
    rings = at.rings
    line, three = next(
        (line, owners)
        for corner, owners in nodes(rings)
        if len(owners) == 3
        for of in sorted(owners)
        for radius in (12, 20, 30)
        for line in [circle(rings, corner, of, radius)]
        for found in [look(server, community, draft, {"kind": "reshape", "line": line})]
        if found and set(found["gained_m2"]) | set(found["lost_m2"]) >= owners
    )
    before, whole = shapes(server, community, draft), state(server, community, draft)["totals"]
    at.near(line[len(line) // 2])
    at.tool("r", "reshape")
    draw(at, line)
    expect(at.page.locator("[data-slot=grids-figures]")).to_have_attribute("data-of", "preview")
    at.page.keyboard.press("Enter")
    at.position(1)
    after, total = shapes(server, community, draft), state(server, community, draft)["totals"]
    moved = {code for code in before if after[code].symmetric_difference(before[code]).area > METRE**2}
    assert moved == three
    assert total["area_m2"] == pytest.approx(whole["area_m2"], abs=0.01)
    assert total["households"] == whole["households"]
    assert new_problems(server, community, draft) == []


def test_a_finger_removes_a_vertex(open_page: OpenPage, community: str, draft: str) -> None:
    at = bench(open_page, community, draft, width=1024, height=768, has_touch=True)
    a, b = neighbours(at.rings)
    line = border(at.rings, a, b)
    vertex = line[len(line) // 2]
    at.near(vertex)
    at.page.locator("[data-tool=vertices]").tap()
    spot, middle = at.at(vertex), at.middle(a)
    away = math.dist(spot, middle)
    at.page.touchscreen.tap(*(s + (m - s) / away * 45 for s, m in zip(spot, middle, strict=True)))
    at.page.wait_for_selector(".marker-icon:not(.is-crowded)")
    remove = at.page.locator("[data-control=remove]")
    expect(remove).to_be_disabled()
    at.page.touchscreen.tap(*spot)
    expect(remove).to_be_enabled()
    remove.tap()
    at.position(1)
    assert vertex not in at.rings[a] + at.rings[b]


def test_one_grid_of_a_proposal_is_accepted(open_page: OpenPage, server: Server) -> None:
    server.routine()
    community = min(server.get("grids/communities"), key=lambda one: (one["grids"] < 3, one["households"]))["code"]
    draft = server.draft(community)["id"]
    at = bench(open_page, community, draft)
    before = shapes(server, community, draft)
    at.page.click("[data-tab=proposals]")
    at.page.click(".gp-request [type=submit]")
    card = at.page.locator(".gp-card[data-looked=true]")
    card.wait_for(timeout=LONG)
    card.locator(".gp-chooser summary").click()
    boxes = card.locator(".gp-pick input")
    count = boxes.count()
    assert count > 1
    for n in range(1, count):
        boxes.nth(n).uncheck()
    card.locator(".button-key").click()
    at.position(1)
    [edit] = server.get(f"grids/sets/{draft}")["edits"]
    assert edit["intent"]["grids"] == [0]
    after = shapes(server, community, draft)
    touched = {code for code in after if code not in before or not after[code].equals(before[code])}
    assert touched
    assert shapely.coverage_is_valid(list(after.values()))
    assert shapely.union_all(list(after.values())).area == pytest.approx(
        shapely.union_all(list(before.values())).area, rel=1e-9
    )


def set_back(server: Server, published: str) -> None:
    """Lets a publication lie weeks back, as if the county had worked with it since."""
    micro = round(AGO.total_seconds()) * 1_000_000
    then = (datetime.now(ZoneInfo("Asia/Shanghai")) - AGO).date()
    now, old, link, drawn = LAYER_TABLES["grids"].c, past_grids.c, grid_lineage.c, change_set.c
    engine = open_engine(f"sqlite:///{server.file}")
    with writing(engine) as conn:
        began = {"began_at": now.began_at - micro, "valid_from": then}
        conn.execute(update(now.began_at.table).where(now.change_set == published).values(**began))
        ended = {"ended_at": old.ended_at - micro, "valid_to": then}
        conn.execute(update(past_grids).where(old.ended_by == published).values(**ended))
        conn.execute(update(grid_lineage).where(link.change_set == published).values(at=link.at - micro))
        at = {name: drawn[name] - micro for name in ("created_at", "updated_at", "submitted_at", "published_at")}
        conn.execute(update(change_set).where(drawn.id == published).values(**at))
    engine.dispose()


def cuts(code: str, polygon: Any) -> list[dict[str, Any]]:
    """Straight cuts from south to north, from the middle outwards."""
    west, south, east, north = polygon.bounds
    places = [west + (east - west) * share for share in (0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8, 0.15, 0.85)]
    return [{"kind": "split", "code": code, "line": [[x, south - METRE], [x, north + METRE]]} for x in places]


def test_the_grids_of_last_month_are_shown(open_page: OpenPage, server: Server, community: str) -> None:
    draft = server.draft(community)
    before = shapes(server, community, draft["id"])
    a, b = neighbours({one: [list(place) for place in before[one].exterior.coords] for one in before})
    split, code = next(
        (intent, one)
        for one in sorted(before, key=lambda one: -before[one].area)
        if one not in (a, b)
        for intent in cuts(one, before[one])
        if look(server, community, draft["id"], intent)
    )
    edited = server.edit(server.edit(draft, split), {"kind": "merge", "codes": [a, b], "into": a})
    server.step(server.step(edited, "submit", AUTHOR), "publish", "Wang Fang")
    server.kill()
    set_back(server, draft["id"])
    server.start()
    [new] = {one["id"] for one in server.get(f"grids/communities/{community}")["grids"]["features"]} - set(before)

    day = (datetime.now(UTC).astimezone(ZoneInfo("Asia/Shanghai")) - AGO).date()
    page = open_page(f"/grids?community={community}")
    page.click("[data-tab=history]")
    expect(page.locator(".gp-change time", has_text=day.isoformat())).to_have_count(1)
    holds = "code => pingji.grids.state.grids.has(code)"
    for shown, there in ((day - timedelta(days=1), False), (day, True)):
        page.fill(".gp-day [name=date]", shown.isoformat())
        page.wait_for_function(f"() => pingji.grids.state.at && location.search.includes('{shown}')")
        assert page.evaluate(holds, new) is there
        assert page.evaluate(holds, b) is not there
        expect(page.locator(".gp-past")).to_contain_text(shown.isoformat())
        assert page.evaluate("pingji.grids.editable()") is False
    was = "code => pingji.grids.state.grids.get(code).geometry"
    page.fill(".gp-day [name=date]", (day - timedelta(days=1)).isoformat())
    page.wait_for_function("code => !pingji.grids.state.grids.has(code)", arg=new)
    assert shape(page.evaluate(was, code)).equals(before[code])
    page.click("[data-tool=cut]")
    expect(page.locator("[data-tool=cut]")).to_have_attribute("aria-pressed", "false")

"""The grid workbench with a real mouse and a real finger: tools draw intents, the server decides, the page shows it."""

import uuid
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.bench import (
    GIVEABLE,
    SHOWN,
    Bench,
    bench,
    border,
    drag,
    nearest,
    neighbours,
    nodes,
    toward,
)
from tests.browser.conftest import OpenPage, Server
from tests.browser.test_desk import CUT
from tests.browser.test_wall import FAINT, KEY_LIKE


def test_from_the_choice_of_a_community_to_a_cut_grid(open_page: OpenPage, server: Server, community: str) -> None:
    """Choose, cut with a line: live figures while it is drawn, two grids after, one again when it is undone."""
    name = next(one["name"] for one in server.get("grids/communities") if one["code"] == community)
    page = open_page("/grids")
    page.click(".grids-empty button")
    page.keyboard.type(name)
    page.keyboard.press("Enter")
    page.wait_for_function(SHOWN)
    expect(page.locator(".grids-chooser")).to_contain_text(name)
    assert f"community={community}" in page.url
    at = Bench(page)
    before, rings = at.figures, at.rings
    page.keyboard.press("c")  # the first tool that edits asks for a change set
    page.click("dialog button[type=submit]")
    expect(page.locator("[data-tool=cut]")).to_have_attribute("aria-pressed", "true")
    assert "set=" in page.url

    code = sorted(rings)[-1]
    ring = rings[code]
    ends = [at.at(ring[1]), at.at(ring[len(ring) // 2 + 1])]
    at.click(ends[0])
    page.mouse.move(*ends[1], steps=6)
    figures = page.locator("[data-slot=grids-figures]")
    expect(figures).to_have_attribute("data-of", "preview")
    expect(figures.locator(".grids-card")).to_have_count(2)
    shown = page.evaluate("() => pingji.grids.state.preview.changed.features.map(one => one.properties.households)")
    assert sum(shown) >= before[code][0]  # neighbours that only get a vertex are in it too
    page.mouse.dblclick(*ends[1])
    at.position(1)
    after = at.figures
    new = set(after) - set(before)
    assert len(new) == 1
    assert [a + b for a, b in zip(after[code], after[new.pop()], strict=True)] == before[code]
    expect(page.locator(".toast")).to_contain_text("已切分")

    page.keyboard.press("Control+z")
    at.position(0)
    assert at.figures == before
    assert at.rings == rings  # to the last digit
    page.keyboard.press("Control+Shift+z")
    at.position(1)
    assert at.figures == after
    page.click(".grids-step >> nth=0")
    at.position(0)


def test_a_vertex_of_several_grids_takes_them_all_along(open_page: OpenPage, community: str, draft: str) -> None:
    at = bench(open_page, community, draft)
    before = at.rings
    node, codes = nodes(before)[0]
    assert len(codes) >= 3
    at.near(list(node))
    at.tool("n", "vertices")
    at.page.evaluate("code => pingji.grids.select([code])", sorted(codes)[0])
    middle = at.middle(sorted(codes)[0])
    x, y = at.at(list(node))
    step = [(middle[0] - x) / 4, (middle[1] - y) / 4]
    size = (step[0] ** 2 + step[1] ** 2) ** 0.5
    inward = [x + step[0] / size * 12, y + step[1] / size * 12]
    at.click(inward)
    at.page.wait_for_selector(".marker-icon:not(.is-crowded)")
    at.page.mouse.move(x, y)
    at.page.mouse.down()
    at.page.mouse.move((x + inward[0]) / 2, (y + inward[1]) / 2, steps=4)
    at.page.mouse.move(*inward, steps=4)
    expect(at.page.locator("[data-slot=grids-figures]")).to_have_attribute("data-of", "preview")
    at.page.mouse.up()
    at.position(1)
    after = at.rings
    assert not any(list(node) in ring for ring in after.values())
    known = {tuple(vertex) for ring in before.values() for vertex in ring}
    moved, follow = next((vertex, owners) for vertex, owners in nodes(after) if vertex not in known)
    assert follow == codes
    assert abs(at.at(list(moved))[0] - inward[0]) < 3
    at.page.keyboard.press("Control+z")
    at.position(0)
    assert at.rings == before


def test_four_grids_follow_their_vertex_and_all_is_undone_to_the_last_byte(
    open_page: OpenPage, server: Server, community: str, draft: str
) -> None:
    """A corner of four grids is dragged, the border over a corner of three drawn anew; undone, nothing is different."""
    at = bench(open_page, community, draft)
    asked = {"path": f"grids/communities/{community}", "set": draft}
    untouched = server.get(**asked)["grids"]
    rings = at.rings
    node, four = nodes(rings)[0]
    assert len(four) == 4
    triple, three = next((vertex, owners) for vertex, owners in nodes(rings) if len(owners) == 3)

    a, b, c = sorted(three)
    starts, ends = border(rings, a, b), border(rings, a, c)
    line = [at.at(nearest(starts, triple)), at.at(nearest(ends, triple))]
    at.tool("r", "reshape")
    at.click(line[0])
    at.click(line[1])
    at.page.keyboard.press("Enter")
    at.position(1)
    after = at.rings
    assert {code for code in rings if after[code] != rings[code]} >= {a}

    at.near(list(node))
    at.tool("n", "vertices")
    x, y = at.at(list(node))
    aim = toward([x, y], at.middle(sorted(four)[0]), 12)
    at.click(aim)
    at.page.wait_for_selector(".marker-icon:not(.is-crowded)")
    drag(at, [x, y], aim)
    at.position(2)
    moved = at.rings
    assert not any(list(node) in ring for ring in moved.values())
    known = {tuple(vertex) for ring in after.values() for vertex in ring}
    assert [owners for vertex, owners in nodes(moved) if vertex not in known and owners == four] == [four]

    for n in (1, 0):
        at.page.keyboard.press("Control+z")
        at.position(n)
    assert server.get(**asked)["grids"] == untouched
    assert at.rings == rings


def test_a_hole_is_cut_dragged_and_filled_again(open_page: OpenPage, community: str, draft: str) -> None:
    """A line that ends where it began cuts an island out of a grid."""
    at = bench(open_page, community, draft)
    before, figures = at.rings, at.figures
    code = max(before, key=lambda one: len(before[one]))
    x, y = at.middle(code)
    corners = [[x - 18, y - 18], [x + 18, y - 18], [x + 18, y + 18], [x - 18, y + 18]]
    at.tool("c", "cut")
    at.page.keyboard.down("Alt")
    for corner in corners:
        at.click(corner)
    at.page.keyboard.up("Alt")
    at.click([x - 16, y - 17])  # near where it began is meant to be there
    at.page.keyboard.press("Enter")
    at.position(1)
    [island] = set(at.rings) - set(before)
    parts = "code => pingji.grids.state.grids.get(code).geometry.coordinates"
    outer, hole = at.page.evaluate(parts, code)
    assert sorted(map(tuple, hole[:-1])) == sorted(map(tuple, at.rings[island][:-1]))
    assert outer == before[code]

    corner = hole[0]
    at.near(corner)
    at.tool("n", "vertices")
    spot = at.at(corner)
    at.click(toward(spot, at.middle(island), 30))
    at.page.wait_for_selector(".marker-icon:not(.is-crowded)")
    drag(at, spot, toward(spot, at.middle(island), 14))
    at.position(2)
    outer, hole = at.page.evaluate(parts, code)
    assert corner not in hole
    assert sorted(map(tuple, hole[:-1])) == sorted(map(tuple, at.rings[island][:-1]))

    at.tool("v", "select")
    at.page.evaluate("codes => pingji.grids.select(codes)", [code, island])
    at.tool("m", "merge")
    at.page.click(f"[data-control='into-{code}']")
    at.page.click("[data-control=finish]")
    at.position(3)
    [ring] = at.page.evaluate(parts, code)
    assert sorted(ring[:-1]) == sorted(before[code][:-1])
    assert at.figures == figures


def test_vertices_are_added_and_removed(open_page: OpenPage, community: str, draft: str) -> None:
    at = bench(open_page, community, draft)
    before = at.rings
    a, b = neighbours(before)
    line = border(before, a, b)
    vertex = line[len(line) // 2]
    at.near(vertex)
    at.tool("n", "vertices")
    middle = at.middle(a)
    x, y = at.at(vertex)
    length = ((middle[0] - x) ** 2 + (middle[1] - y) ** 2) ** 0.5
    at.click([x + (middle[0] - x) / length * 30, y + (middle[1] - y) / length * 30])
    at.page.wait_for_selector(".marker-icon:not(.is-crowded)")
    at.click([x, y])
    expect(at.page.locator("[data-control=remove]")).to_be_enabled()
    at.page.keyboard.press("Delete")
    at.position(1)
    assert vertex not in at.rings[a] + at.rings[b]
    at.page.wait_for_selector(".marker-icon-middle:not(.is-crowded)")
    spot = at.page.locator(".marker-icon-middle:not(.is-crowded)").evaluate_all(
        f"""icons => icons.map(icon => icon.getBoundingClientRect())
        .map(box => [box.x + box.width / 2, box.y + box.height / 2])
        .sort((p, q) => Math.hypot(p[0] - {x}, p[1] - {y}) - Math.hypot(q[0] - {x}, q[1] - {y}))[0]"""
    )
    at.page.mouse.move(*spot)
    at.page.mouse.down()
    at.page.mouse.move(spot[0] + 10, spot[1] + 10, steps=5)
    at.page.mouse.up()
    at.position(2)
    assert len(at.rings[a]) == len(before[a])
    assert len(at.rings[b]) == len(before[b])


def test_merging_keeps_the_code_that_was_chosen(open_page: OpenPage, community: str, draft: str) -> None:
    at = bench(open_page, community, draft)
    before = at.figures
    a, b = neighbours(at.rings)
    at.tool("m", "merge")
    at.click(at.middle(a))
    at.click(at.middle(b))
    assert at.chosen == {a, b}
    at.page.click(f"[data-control='into-{b}']")
    expect(at.page.locator("[data-slot=grids-figures] .grids-card")).to_have_count(1)
    at.page.click("[data-control=finish]")
    at.position(1)
    after = at.figures
    assert a not in after
    assert after[b] == [x + y for x, y in zip(before[a], before[b], strict=True)]
    at.page.click(".toast button")
    at.position(0)
    assert at.figures == before


def test_a_new_border_is_drawn_across_the_old_one(open_page: OpenPage, community: str, draft: str) -> None:
    at = bench(open_page, community, draft)
    before = at.rings
    a, b = neighbours(before)
    line = border(before, a, b)
    ends = [at.at(line[1]), at.at(line[-2])]
    middle, into = at.at(line[len(line) // 2]), at.middle(a)
    bend = [middle[0] + (into[0] - middle[0]) / 3, middle[1] + (into[1] - middle[1]) / 3]
    at.tool("r", "reshape")
    at.click(ends[0])
    at.click(bend)
    at.click(ends[1])
    at.page.keyboard.press("Enter")
    at.position(1)
    lost, gained = (at.page.evaluate(f"() => pingji.grids.state.last.{name}_m2") for name in ("lost", "gained"))
    assert lost[a] == pytest.approx(gained[b], rel=1e-6)
    others = set(before) - {a, b}
    assert {code: ring for code, ring in at.rings.items() if code in others} == {c: before[c] for c in others}


def test_a_building_is_given_to_the_neighbour(open_page: OpenPage, community: str, draft: str) -> None:
    at = bench(open_page, community, draft)
    before = at.figures
    at.near(list(nodes(at.rings)[0][0]))
    at.page.wait_for_function("() => pingji.grids.view.layer('buildings').features.length > 0")
    place, a, b = at.page.evaluate(GIVEABLE)
    at.tool("g", "give")
    at.click(at.at(place))
    expect(at.page.locator("[data-control=cancel]")).to_be_visible()
    at.page.evaluate("void pingji.grids.fit(false)")  # the receiving grid may lie outside the window
    at.click(at.middle(b))
    at.position(1)
    after = at.figures
    assert after[a][0] <= before[a][0]
    assert [p + q for p, q in zip(after[a], after[b], strict=True)] == [
        p + q for p, q in zip(before[a], before[b], strict=True)
    ]
    assert at.page.evaluate("() => pingji.grids.state.problems.filter(one => one.severity === 'error').length") == 0


def test_the_register_is_changed_beside_the_list(open_page: OpenPage, community: str, draft: str) -> None:
    at = bench(open_page, community, draft)
    code = sorted(at.rings)[0]
    at.page.click(f".grids-row[data-code='{code}']")
    at.page.fill(".grids-words input[name=leader]", "Wang Wu")
    at.page.keyboard.press("Enter")
    at.position(1)
    expect(at.page.locator(f".grids-row[data-code='{code}']")).to_contain_text("Wang Wu")


def test_what_did_not_arrive_is_sent_again_once(open_page: OpenPage, community: str, draft: str) -> None:
    """The answer is lost on its way back: sent again, it is still one edit."""
    at = bench(open_page, community, draft, provoked=("ERR_FAILED",))
    a, b = neighbours(at.rings)
    lost: list[str] = []

    def lose(route: Any) -> None:
        route.fetch()
        lost.append(route.request.post_data)
        route.abort()

    at.page.route("**/edits", lose, times=1)
    at.tool("m", "merge")
    at.click(at.middle(a))
    at.click(at.middle(b))
    at.page.keyboard.press("Enter")
    expect(at.page.locator("[role=alert] p")).to_contain_text("还没有保存")
    assert len(lost) == 1
    at.page.click(".grids-notice-card button.is-main")
    at.position(1)
    assert at.page.evaluate("() => pingji.grids.state.set.length") == 1
    assert (a in at.rings) != (b in at.rings)


def test_what_is_refused_says_why_and_keeps_the_drawing(open_page: OpenPage, community: str, draft: str) -> None:
    at = bench(open_page, community, draft, provoked=("422",))
    code = sorted(at.rings)[0]
    x, y = at.middle(code)
    at.tool("c", "cut")
    at.click([x - 8, y])
    at.click([x + 8, y])
    at.page.keyboard.press("Enter")
    expect(at.page.locator("[role=alert] p")).not_to_be_empty()
    expect(at.page.locator("[data-control=back]")).to_be_visible()  # the line is still there to go on with
    assert at.page.evaluate("() => pingji.grids.state.set.position") == 0
    at.page.keyboard.press("Escape")
    expect(at.page.locator("[data-control=back]")).to_have_count(0)
    at.page.keyboard.press("Escape")
    expect(at.page.locator("[data-tool=select]")).to_have_attribute("aria-pressed", "true")


def test_choosing_by_click_by_box_and_by_list(open_page: OpenPage, community: str, draft: str) -> None:
    at = bench(open_page, community, draft)
    codes = sorted(at.rings)
    at.click(at.middle(codes[0]))
    assert at.chosen == {codes[0]}
    at.page.keyboard.down("Shift")
    at.click(at.middle(codes[1]))
    at.page.keyboard.up("Shift")
    assert at.chosen == set(codes[:2])
    at.page.click(f".grids-row[data-code='{codes[-1]}']")
    assert at.chosen == {codes[-1]}
    expect(at.page.locator(".grids-row[aria-selected=true]")).to_have_count(1)
    places = [at.middle(code) for code in codes]
    at.tool("b", "box")
    at.page.mouse.move(min(p[0] for p in places) - 20, min(p[1] for p in places) - 20)
    at.page.mouse.down()
    at.page.mouse.move(max(p[0] for p in places) + 20, max(p[1] for p in places) + 20, steps=6)
    at.page.mouse.up()
    assert at.chosen == set(codes)


def test_two_hands_on_one_draft_lose_nothing(open_page: OpenPage, server: Server, community: str, draft: str) -> None:
    """The draft went on elsewhere: this page catches up and offers to send the same intent again."""
    at = bench(open_page, community, draft, provoked=("409",))
    a, b = neighbours(at.rings)
    other = next(code for code in sorted(at.rings) if code not in (a, b))
    at.tool("m", "merge")
    at.click(at.middle(a))
    at.click(at.middle(b))
    expect(at.page.locator("[data-slot=grids-figures]")).to_have_attribute("data-of", "preview")
    words = {"kind": "describe", "code": other, "values": {"leader": "Li Si"}}
    edit = {"edit_id": str(uuid.uuid4()), "community": community, "intent": words}
    server.post(f"grids/sets/{draft}/edits", {**edit, "revision": 1}, "Li Si")
    at.page.keyboard.press("Enter")
    at.page.click("dialog button[type=submit]")
    at.position(2)
    assert len(at.rings) == len(server.get(f"grids/communities/{community}")["grids"]["features"]) - 1


def test_what_another_hand_did_appears_by_itself(
    open_page: OpenPage, server: Server, community: str, draft: str
) -> None:
    at = bench(open_page, community, draft)
    a, b = neighbours(at.rings)
    intent = {"kind": "merge", "codes": [a, b], "into": a}
    edit = {"edit_id": str(uuid.uuid4()), "community": community, "intent": intent}
    server.post(f"grids/sets/{draft}/edits", {**edit, "revision": 1}, "Li Si")
    at.position(1)
    assert b not in at.rings


def test_a_finger_cuts_and_drags(open_page: OpenPage, community: str, draft: str) -> None:
    at = bench(open_page, community, draft, width=1024, height=768, has_touch=True)
    rings = at.rings
    code = sorted(rings)[-1]
    ring = rings[code]
    at.page.locator("[data-tool=cut]").tap()
    for vertex in (ring[1], ring[len(ring) // 2 + 1]):
        at.page.touchscreen.tap(*at.at(vertex))
    assert at.page.evaluate("() => pingji.grids.state.set.position") == 0  # two taps in two places are no double tap
    at.page.locator("[data-control=finish]").tap()
    at.position(1)
    assert len(at.rings) == len(rings) + 1

    node, codes = nodes(at.rings)[0]
    at.near(list(node))
    at.page.locator("[data-tool=vertices]").tap()
    x, y = at.at(list(node))
    owner = sorted(codes)[0]
    middle = at.middle(owner)
    length = ((middle[0] - x) ** 2 + (middle[1] - y) ** 2) ** 0.5
    unit = [(middle[0] - x) / length, (middle[1] - y) / length]
    at.page.touchscreen.tap(x + unit[0] * 45, y + unit[1] * 45)
    at.page.wait_for_selector(".marker-icon:not(.is-crowded)")
    finger = at.page.context.new_cdp_session(at.page)
    for kind, way in [("touchStart", 0), *(("touchMove", d) for d in (10, 16, 22, 26)), ("touchEnd", None)]:
        points = [] if way is None else [{"x": x + unit[0] * way, "y": y + unit[1] * way}]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    at.position(2)
    assert not any(list(node) in ring for ring in at.rings.values())


@pytest.mark.parametrize("language", ["zh_CN", "en"])
@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1366, 768), (1024, 768)])
def test_nothing_is_cut_faint_or_untranslated(
    open_page: OpenPage, community: str, draft: str, width: int, height: int, language: str
) -> None:
    page = open_page(f"/grids?community={community}&set={draft}&lang={language}", width, height)
    page.wait_for_function(SHOWN)
    page.wait_for_function("() => pingji.live.values.mode !== undefined")
    page.evaluate("pingji.grids.select([...pingji.grids.state.grids.keys()].slice(0, 1))")
    expect(page.locator(".grids-words")).to_be_visible()
    assert page.evaluate(CUT) == []
    assert page.evaluate(FAINT, 4.5) == []
    assert KEY_LIKE.findall(page.inner_text("#page")) == []

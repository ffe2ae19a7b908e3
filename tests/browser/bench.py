"""The grid workbench on a page, with what a person does there, and what can be said of its grids' rings."""

import math
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage

SHOWN = "() => window.pingji?.grids?.state.grids.size > 0 && pingji.grids.view?.canvases?.ink"
IDLE = "() => !pingji.grids.state.busy"

# Where a place, or the middle of a grid, is on the screen.
PLACE = """([lon, lat]) => { const { map } = pingji.grids.view, box = map.getContainer().getBoundingClientRect();
  const at = map.latLngToContainerPoint([lat, lon]); return [at.x + box.left, at.y + box.top]; }"""
MIDDLE = """code => { const { map } = pingji.grids.view, box = map.getContainer().getBoundingClientRect();
  const at = map.latLngToContainerPoint(pingji.mapkit.latLngOf(pingji.grids.shape(code)));
  return [at.x + box.left, at.y + box.top]; }"""

# Every grid's outer ring, as the page holds it.
RINGS = """() => Object.fromEntries([...pingji.grids.state.grids].map(([code, { geometry }]) =>
  [code, geometry.coordinates[0]]))"""
FIGURES = """() => Object.fromEntries([...pingji.grids.state.grids].map(([code, { properties }]) =>
  [code, [properties.households, properties.residents]]))"""

# A building that its neighbour can have: where it is, whose it is, and who can have it.
GIVEABLE = """async () => { const { grids } = pingji, kit = pingji.mapkit, all = [...grids.shapes().values()];
  for (const one of grids.view.layer('buildings').features) {
    const home = all.find(shape => kit.contains(shape, ...one.anchor)), [lat, lon] = kit.latLngOf(one);
    if (!home || !grids.view.map.getBounds().pad(-0.2).contains([lat, lon])) continue;
    for (const shape of all.filter(shape => shape !== home)) {
      const intent = { kind: 'give', building: one.code, to: shape.code };
      const found = await grids.ask('POST', `/grids/sets/${grids.state.set.id}/preview`,
        { community: grids.state.community.code, intent }).catch(() => null);
      if (found && !found.refused) return [[lon, lat], home.code, shape.code];
    }
  }
}"""

Place = list[float]


class Bench:
    """The workbench on a page, with what a person does there."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def click(self, place: Place, **options: Any) -> None:
        self.page.mouse.move(*place)
        self.page.mouse.click(*place, **options)

    def tool(self, key: str, name: str) -> None:
        self.page.keyboard.press(key)
        expect(self.page.locator(f"[data-tool={name}]")).to_have_attribute("aria-pressed", "true")

    def at(self, lonlat: Place) -> Place:
        place: Place = self.page.evaluate(PLACE, lonlat)
        return place

    def middle(self, code: str) -> Place:
        place: Place = self.page.evaluate(MIDDLE, code)
        return place

    def near(self, lonlat: Place) -> None:
        """Looks at a place closely."""
        self.page.evaluate(
            "([lon, lat]) => void pingji.grids.view.map.setView([lat, lon], 18, {animate: false})", lonlat
        )

    def position(self, n: int) -> None:
        """Waits until the draft stands at its n-th edit."""
        self.page.wait_for_function(f"() => pingji.grids.state.set?.position === {n} && !pingji.grids.state.busy")

    @property
    def rings(self) -> dict[str, list[Place]]:
        found: dict[str, list[Place]] = self.page.evaluate(RINGS)
        return found

    @property
    def figures(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = self.page.evaluate(FIGURES)
        return found

    @property
    def chosen(self) -> set[str]:
        return set(self.page.evaluate("() => [...pingji.grids.state.selected]"))


def bench(open_page: OpenPage, community: str, draft: str, **options: Any) -> Bench:
    page = open_page(f"/grids?community={community}&set={draft}", **options)
    page.wait_for_function(SHOWN)
    return Bench(page)


def nodes(rings: dict[str, list[Place]]) -> list[tuple[tuple[float, ...], set[str]]]:
    """Vertices with the grids that have them, those of most grids first."""
    found: dict[tuple[float, ...], set[str]] = {}
    for code, ring in rings.items():
        for vertex in ring:
            found.setdefault(tuple(vertex), set()).add(code)
    return sorted(found.items(), key=lambda item: -len(item[1]))


def border(rings: dict[str, list[Place]], a: str, b: str) -> list[Place]:
    """The vertices that two grids share, in order."""
    theirs = {tuple(vertex) for vertex in rings[b]}
    ring = rings[a][:-1]
    first = next(i for i, v in enumerate(ring) if tuple(v) in theirs and tuple(ring[i - 1]) not in theirs)
    turned = ring[first:] + ring[:first]
    return [vertex for vertex in turned if tuple(vertex) in theirs]


def neighbours(rings: dict[str, list[Place]]) -> tuple[str, str]:
    """Two grids with a long border in common."""
    codes = sorted(rings)
    pairs = [(a, b) for a in codes for b in codes if a < b]
    shared = {pair: {tuple(v) for v in rings[pair[0]]} & {tuple(v) for v in rings[pair[1]]} for pair in pairs}
    return max(pairs, key=lambda pair: len(shared[pair]))


def drag(at: Bench, start: Place, end: Place) -> None:
    at.page.mouse.move(*start)
    at.page.mouse.down()
    at.page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=4)
    at.page.mouse.move(*end, steps=4)
    at.page.mouse.up()


def toward(start: Place, end: Place, pixels: float) -> Place:
    """The place so many pixels from one towards another."""
    length = ((end[0] - start[0]) ** 2 + (end[1] - start[1]) ** 2) ** 0.5
    return [a + (b - a) / length * pixels for a, b in zip(start, end, strict=True)]


def nearest(line: list[Place], place: tuple[float, ...]) -> Place:
    """The vertex of a border next to a place, but not there."""
    away = {tuple(v): math.dist(v, place) for v in line}
    return list(min((far, v) for v, far in away.items() if far > 0)[1])

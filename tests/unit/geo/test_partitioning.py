"""Proposals of grids: what every candidate keeps, whatever the community looks like, and what cannot be."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pingji.geo.coverage import Coverage, find_problems, redraw
from pingji.geo.crs import to_lonlat, to_metric
from pingji.geo.partitioning import Candidate, ImpossibleRange, Scene, crossings, propose
from tests.coverages import BLOCKS, real
from tests.neighbourhoods import CRS, SOUTH, WEST, neighbourhood


def shapes(candidate: Candidate) -> list[shapely.Geometry]:
    return [grid.polygon for grid in candidate.grids]


def array(*some: shapely.Geometry) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    out = np.empty(len(some), dtype=object)
    out[:] = some
    return out


def metres(shape: shapely.Geometry) -> shapely.Geometry:
    """A shape drawn in metres from the corner of the made communities, as it is stored."""
    return to_lonlat(shapely.transform(shape, lambda xy: xy + np.array([WEST, SOUTH])), CRS)


def at(*xy: tuple[float, float]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return shapely.get_coordinates(metres(shapely.MultiPoint(xy)))


def holds(scene: Scene, candidate: Candidate) -> None:
    """What is true of every candidate."""
    grids = shapes(candidate)
    assert find_problems(grids, parent=scene.outline) == []
    assert shapely.coverage_is_valid(grids)
    stored = set(map(tuple, shapely.get_coordinates(scene.outline).tolist()))
    assert stored <= set(map(tuple, shapely.get_coordinates(grids).tolist()))
    tree = shapely.STRtree(grids)
    building, grid = tree.query(scene.buildings, predicate="intersects")
    common = shapely.area(shapely.intersection(scene.buildings[building], np.array(grids, dtype=object)[grid]))
    whole = np.isclose(common, shapely.area(scene.buildings[building]), rtol=1e-6)
    assert (whole | (common < 1e-6 * shapely.area(scene.buildings[building]))).all()
    assert sum(g.households for g in candidate.grids) == scene.households.sum()
    for one in candidate.grids:
        inside = shapely.intersects(one.polygon, shapely.points(scene.homes))
        assert scene.households[inside].sum() == one.households
    assert candidate.scores.crossings == 0
    assert len({g.code for g in candidate.grids if g.code}) == sum(1 for g in candidate.grids if g.code)


def one_bank_or_a_bridge(scene: Scene, candidate: Candidate) -> None:
    """The rule for rivers, asked in another way: sides of the river, and points where roads cross."""
    banks = shapely.get_parts(shapely.polygonize([shapely.union_all([scene.outline.boundary, *scene.rivers])]))
    banks = [bank for bank in banks if scene.outline.buffer(1e-9).contains(bank)]
    bridges = shapely.get_parts(shapely.intersection(shapely.union_all(scene.roads), shapely.union_all(scene.rivers)))
    homes = shapely.points(scene.homes[scene.households > 0])
    for grid in shapes(candidate):
        mine = homes[shapely.intersects(grid, homes)]
        sides = sum(bool(shapely.intersects(bank, mine).any()) for bank in banks)
        assert sides <= 1 or shapely.contains_properly(grid, bridges).any()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    households=st.integers(0, 2_500),
    blocks=st.integers(2, 6),
    bridges=st.integers(0, 2),
    seed=st.integers(0, 10_000),
    low=st.integers(50, 300),
)
def test_every_candidate_tiles_the_outline_and_cuts_nothing(
    households: int, blocks: int, bridges: int, seed: int, low: int
) -> None:
    scene = neighbourhood(households, blocks, bridges, seed)
    found = propose(scene, low, low * 5 // 3)
    assert 1 <= len(found) <= 5
    for candidate in found:
        holds(scene, candidate)
        one_bank_or_a_bridge(scene, candidate)
        if candidate.scores.in_range < 1 and len(candidate.grids) == 1:
            assert candidate.notes
    assert [c.scores.rank for c in found] == sorted(c.scores.rank for c in found)


def test_six_thousand_households_in_range_on_roads_and_never_over_the_river() -> None:
    scene = neighbourhood(6_000, seed=1)
    found = propose(scene)
    assert len(found) >= 3
    for candidate in found:
        holds(scene, candidate)
        one_bank_or_a_bridge(scene, candidate)
    best = found[0].scores
    assert (best.in_range, best.grids) == (1.0, len(found[0].grids))
    assert best.on_roads > 0.9
    assert best.compactness > 0.5


def test_the_same_scene_gives_the_same_bytes() -> None:
    scene = neighbourhood(2_000, 6, seed=3)

    def written() -> list[list[bytes]]:
        return [[grid.polygon.wkb for grid in candidate.grids] for candidate in propose(scene)]

    assert written() == written()


def test_scores_say_what_the_polygons_say() -> None:
    scene = neighbourhood(3_000, 8, seed=4)
    candidate = propose(scene)[0]
    flat = [to_metric(shape, CRS) for shape in shapes(candidate)]
    quotient = np.mean([4 * np.pi * shape.area / shape.length**2 for shape in flat])
    assert candidate.scores.compactness == pytest.approx(quotient, rel=1e-3)
    inner = shapely.union_all([s.boundary for s in flat]).difference(to_metric(scene.outline, CRS).boundary.buffer(0.1))
    near = shapely.union_all(to_metric(np.concatenate([scene.roads, scene.rivers]), CRS)).buffer(5.0)
    assert candidate.scores.on_roads == pytest.approx(inner.intersection(near).length / inner.length, abs=0.02)
    sizes = np.array([grid.households for grid in candidate.grids])
    assert candidate.scores.balance == pytest.approx(1 - np.abs(sizes - sizes.mean()).max() / sizes.mean())
    homes = shapely.points(scene.homes)
    stay = 0
    for grid in candidate.grids:
        if grid.code:
            both = shapely.intersects(grid.polygon, homes) & shapely.intersects(scene.grids[grid.code], homes)
            stay += int(scene.households[both].sum())
    assert candidate.scores.change == pytest.approx(1 - stay / scene.households.sum(), abs=0.01)


def test_grids_that_are_right_already_can_stay_as_they_are() -> None:
    scene = neighbourhood(2_400, 6, seed=5)
    today = {f"{i:03d}": grid.polygon for i, grid in enumerate(propose(scene)[0].grids)}
    again = min(propose(replace(scene, grids=today)), key=lambda candidate: candidate.scores.change)
    assert again.scores.change < 0.05


def test_a_grid_across_an_unbridged_river_is_counted_and_one_with_a_bridge_is_not() -> None:
    scene = neighbourhood(1_000, 5, bridges=1, seed=2)
    bridge = shapely.intersection(shapely.union_all(scene.roads), scene.rivers[0])
    assert isinstance(bridge, shapely.Point)
    assert crossings(scene, [scene.outline]) == 0
    west, south, east, north = scene.outline.bounds
    beside = [shapely.box(west, south, bridge.x - 1e-5, north), shapely.box(bridge.x - 1e-5, south, east, north)]
    assert crossings(scene, beside) == 1
    on_the_border = [shapely.box(west, south, bridge.x, north), shapely.box(bridge.x, south, east, north)]
    assert crossings(scene, on_the_border) == 2


def test_a_river_that_is_an_area_divides_and_its_bridge_joins() -> None:
    thin = neighbourhood(1_600, 6, bridges=1, seed=7)
    river = to_lonlat(to_metric(thin.rivers[0], CRS).buffer(10.0, cap_style="flat"), CRS)
    scene = replace(thin, rivers=array(river), grids={})
    for candidate in propose(scene):
        holds(scene, candidate)
        assert crossings(thin, shapes(candidate)) == 0
    west, south, _, north = scene.outline.bounds
    assert crossings(scene, [shapely.box(west, south, west + 0.002, north)]) == 1


def test_a_building_over_a_street_and_one_over_the_river_stay_whole() -> None:
    scene = neighbourhood(1_600, 6, bridges=0, seed=8)
    street, river = scene.roads[0], scene.rivers[0]
    middle = [to_metric(line, CRS).interpolate(0.4, normalized=True) for line in (street, river)]
    over = to_lonlat(array(*(point.buffer(25, quad_segs=2) for point in middle)), CRS)
    scene = replace(scene, buildings=np.concatenate([scene.buildings, over]))
    for candidate in propose(scene):
        holds(scene, candidate)


def test_two_hundred_households_are_one_grid_that_says_so() -> None:
    scene = neighbourhood(200, 3, bridges=2, seed=1)
    (only,) = propose(scene)
    holds(scene, only)
    assert [(note.key, note.params["households"]) for note in only.notes] == [("too_few", 200)]
    assert (only.scores.grids, only.scores.in_range) == (1, 0.0)


def test_nobody_at_all_is_one_grid_that_says_so() -> None:
    scene = neighbourhood(0, 3, seed=1)
    (only,) = propose(scene)
    assert [note.key for note in only.notes] == ["nobody"]
    assert find_problems(shapes(only), parent=scene.outline) == []


def test_no_number_of_grids_fits_five_hundred_and_fifty() -> None:
    scene = neighbourhood(550, 4, river=False)
    found = propose(scene)
    assert {note.key for candidate in found for note in candidate.notes} == {"no_number"}


def test_a_bank_with_few_people_and_no_bridge_is_a_grid_of_its_own_with_the_reason() -> None:
    outline, river = metres(shapely.box(0, 0, 900, 600)), metres(shapely.LineString([(-9, 550), (909, 551)]))
    south = [(50.0 + 100 * (i % 9), 40.0 + 80 * (i // 9)) for i in range(54)]
    scene = Scene(outline, at(*south, (100, 580), (400, 580)), np.full(56, 15), rivers=array(river))
    best = propose(scene)[0]
    holds(scene, best)
    assert [(note.key, note.params["households"]) for note in best.notes] == [("cut_off", 30)]
    assert sorted(g.households for g in best.grids)[0] == 30


def test_ground_behind_a_river_where_nobody_lives_goes_with_a_neighbour() -> None:
    outline, river = metres(shapely.box(0, 0, 900, 600)), metres(shapely.LineString([(-9, 550), (909, 551)]))
    south = [(50.0 + 100 * (i % 9), 40.0 + 80 * (i // 9)) for i in range(54)]
    scene = Scene(outline, at(*south), np.full(54, 15), rivers=array(river))
    best = propose(scene)[0]
    holds(scene, best)
    assert (best.scores.in_range, best.notes) == (1.0, ())


def test_a_river_through_a_vertex_of_the_outline_but_for_the_last_digit_loses_no_ground() -> None:
    outline = metres(shapely.Polygon([(0, 0), (600, 30), (800, 400), (430, 610), (-20, 500)]))
    corner = shapely.get_coordinates(outline)[1]
    for ulps in range(-3, 4):
        through = corner + ulps * np.spacing(corner)
        ends = shapely.get_coordinates(metres(shapely.MultiPoint([(-40, 300), (900, -200)])))
        river = shapely.LineString([ends[0], through, ends[1]])
        homes = at(*((60.0 * i + 40, 60.0 * j + 120) for i in range(8) for j in range(4)))
        scene = Scene(outline, homes, np.full(len(homes), 20), rivers=array(river), grids={"001": outline})
        for candidate in propose(scene):
            assert find_problems(shapes(candidate), parent=outline) == []


def test_a_river_a_few_centimetres_inside_the_outline_leaves_no_spikes() -> None:
    """Grids with spikes thinner than what a coverage snaps together could not be accepted."""
    river = metres(
        shapely.LineString([(-9, 599.97), (300, 599.96), (320, 610), (470, 610), (500, 599.96), (909, 599.97)])
    )
    homes = at(*((50.0 + 100 * (i % 9), 40.0 + 80 * (i // 9)) for i in range(54)))
    halves = {"001": metres(shapely.box(0, 0, 450, 600)), "002": metres(shapely.box(450, 0, 900, 600))}
    outline = shapely.coverage_union_all(list(halves.values()))
    scene = Scene(outline, homes, np.full(54, 15), rivers=array(river), grids=halves)
    today = Coverage.of(list(halves), list(halves.values()))
    for candidate in propose(scene):
        accepted = redraw(today, {grid.code: grid.polygon for grid in candidate.grids}, list(halves))
        today.apply(accepted)


def test_a_candidate_takes_its_place_among_the_grids_around_it() -> None:
    scene = neighbourhood(1_600, 6, bridges=1, seed=6)
    west, south, east, north = scene.outline.bounds
    around = shapely.box(west - 0.01, south - 0.01, east + 0.01, north + 0.01).difference(scene.outline)
    today = Coverage.of([*scene.grids, "999"], [*scene.grids.values(), around], ["c"] * len(scene.grids) + ["d"])
    for candidate in propose(scene):
        shapes = {grid.code or f"n{i}": grid.polygon for i, grid in enumerate(candidate.grids)}
        edit = redraw(today, shapes, list(scene.grids), dict.fromkeys(shapes, "c"))
        after = today.apply(edit)
        assert find_problems(after.polygons) == []
        assert "999" not in {*edit.gained_m2, *edit.lost_m2}


def test_a_tower_with_too_many_is_not_divided() -> None:
    scene = Scene(metres(shapely.box(0, 0, 300, 300)), at((100, 100), (250, 250)), np.array([700, 400]))
    found = propose(scene)
    assert all("one_place" in {note.key for note in candidate.notes} for candidate in found)


def test_a_community_in_two_places_and_with_a_hole_is_tiled() -> None:
    parts = [shapely.box(0, 0, 900, 600).difference(shapely.box(300, 200, 400, 300)), shapely.box(1200, 0, 1500, 300)]
    outline = metres(shapely.MultiPolygon(parts))
    homes = [(x, y) for x in range(45, 900, 90) for y in range(50, 600, 100)] + [(1300, 100), (1400, 200)]
    scene = Scene(outline, at(*homes), np.full(len(homes), 15))
    inside = shapely.intersects(outline, shapely.points(scene.homes))
    scene = replace(scene, households=np.where(inside, 15, 0))
    for candidate in propose(scene):
        holds(scene, candidate)


def test_progress_rises_to_the_end_and_may_cancel() -> None:
    scene, told = neighbourhood(900, 5, seed=1), list[tuple[float, str]]()
    propose(scene, progress=lambda share, step: told.append((share, step)))
    assert [share for share, _ in told] == sorted(share for share, _ in told)
    assert (told[0][0], told[-1][0]) == (0.0, 1.0)
    assert {step for _, step in told} == {"blocks", "graph", "partition", "scores"}

    class Enough(Exception):
        pass

    def stop(share: float, _: str) -> None:
        if share > 0.4:
            raise Enough

    with pytest.raises(Enough):
        propose(scene, progress=stop)


@pytest.mark.parametrize(("low", "high"), [(0, 500), (500, 300)])
def test_a_range_that_nothing_lies_in_is_refused(low: int, high: int) -> None:
    with pytest.raises(ImpossibleRange):
        propose(neighbourhood(100, 2), low, high)


def test_a_real_city_is_divided_along_its_streets() -> None:
    """Cambridge: its centre lines and water, and households in the middle of each census block."""
    blocks = real(BLOCKS)
    roads, rivers = (
        real("cambridge/cambridge_TRANS_Centerlines.geojson.gz"),
        real("cambridge/cambridge_HYDRO_WaterBodies.geojson.gz"),
    )
    outline = shapely.coverage_union_all(blocks)
    homes = shapely.get_coordinates(shapely.point_on_surface(blocks))
    scene = Scene(outline, homes, np.full(len(homes), 10), roads=roads, streams=rivers)
    found = propose(scene)
    for candidate in found:
        assert find_problems(shapes(candidate), parent=outline) == []
        assert sum(grid.households for grid in candidate.grids) == 10 * len(homes)
    assert found[0].scores.in_range >= 0.95

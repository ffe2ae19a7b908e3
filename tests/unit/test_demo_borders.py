"""Borders of the demo county: exact coverages of the real outline, and every real name in its place."""

import numpy as np
import shapely

from pingji.data.demo import extracts
from pingji.geo.arrays import points
from tests.demo import county, shapes


def test_all_157_communities_are_there_with_the_18_of_the_other_code_series() -> None:
    codes = county().rows["communities"]["code"]
    assert len(set(codes)) == 157
    assert sum(code.startswith("220273100") for code in codes) == 18
    assert {v.code for v in extracts.places()[1]} == set(codes)
    assert all(county().rows["communities"]["name"])


def test_communities_are_an_exact_coverage_of_the_outline() -> None:
    outline, communities = extracts.outline(), shapes("communities")
    assert shapely.coverage_is_valid(communities)
    assert shapely.is_valid(communities).all()
    whole = shapely.coverage_union_all(communities)
    assert whole.symmetric_difference(outline).area < 1e-9 * outline.area
    assert abs(shapely.area(communities).sum() - outline.area) < 1e-9 * outline.area


def test_grids_are_an_exact_coverage_of_their_communities() -> None:
    grids, home = shapes("grids"), np.array(county().rows["grids"]["community"])
    assert shapely.coverage_is_valid(grids)
    for code, community in zip(county().rows["communities"]["code"], shapes("communities"), strict=True):
        mine = grids[home == code]
        assert len(mine)
        assert shapely.coverage_union_all(mine).symmetric_difference(community).area < 1e-9 * community.area


def test_each_community_and_town_is_in_one_piece() -> None:
    assert (shapely.get_num_geometries(shapes("communities")) == 1).all()
    assert (shapely.get_num_geometries(shapes("grids")) == 1).all()
    assert (shapely.get_num_geometries(shapes("area")) == 1).all()
    assert county().rows["area"]["level"].count("township") == 10


def test_grids_are_numbered_from_west_to_east() -> None:
    rows = county().rows["grids"]
    middle = shapely.get_x(shapely.centroid(shapes("grids")))
    for a, b in zip(np.argsort(rows["code"])[:-1], np.argsort(rows["code"])[1:], strict=True):
        if rows["community"][a] == rows["community"][b]:
            assert rows["code"][a][:12] == rows["community"][a]
            assert middle[a] <= middle[b]


def test_rivers_and_roads_bound_the_grids_of_divided_villages() -> None:
    grids, rows = shapes("grids"), county().rows["grids"]
    lines = shapely.STRtree(np.concatenate([shapes("roads"), shapes("rivers")]))
    places = county().rows["communities"]
    villages = {c for c, kind in zip(places["code"], places["kind"], strict=True) if kind == "village"}
    divided = [c for c in sorted(villages) if rows["community"].count(c) == 2]
    assert len(divided) > 20
    for code in divided:
        a, b = (grids[k] for k, c in enumerate(rows["community"]) if c == code)
        border = shapely.segmentize(a.intersection(b), 0.001)
        spots = points(shapely.get_coordinates(border))
        near = lines.query_nearest(spots, max_distance=2e-5, all_matches=False)[0]
        assert len(near) > 0.9 * len(spots), code


def test_the_road_network_hangs_together() -> None:
    rows = county().rows["roads"]
    root: dict[str, str] = {}

    def find(node: str) -> str:
        while root.setdefault(node, node) != node:
            node = root[node]
        return node

    for a, b in zip(rows["from_node"], rows["to_node"], strict=True):
        root[find(a)] = find(b)
    assert len({find(n) for n in list(root)}) == 1

"""Coverages: every kind of problem is found, real ones are clean."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import shapely
import shapely.affinity
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from pingji.geo.coverage import find_problems
from tests import shapes

DATA = Path(__file__).parents[4] / "shared" / "data"
LEFT, RIGHT = shapely.box(126.0, 43.0, 126.1, 43.1), shapely.box(126.1, 43.0, 126.2, 43.1)
PARENT = shapely.box(126.0, 43.0, 126.2, 43.1)


def kinds(polygons: list[BaseGeometry | None], parent: BaseGeometry | None = None) -> list[str]:
    return [problem.kind for problem in find_problems(polygons, parent)]


def test_a_partition_has_no_problem() -> None:
    assert kinds([LEFT, RIGHT], PARENT) == []
    assert find_problems([]) == []


def test_each_kind() -> None:
    assert kinds([LEFT, None, shapes.EMPTY, RIGHT], PARENT) == ["missing", "missing"]
    assert kinds([LEFT, shapes.BOW_TIE])[0] == "invalid"
    assert kinds([LEFT, RIGHT, RIGHT], PARENT) == ["duplicate"]
    assert kinds([LEFT], PARENT) == ["gap"]
    assert kinds([LEFT, RIGHT], LEFT) == ["outside_parent"]
    assert kinds([LEFT, shapely.box(126.05, 43.0, 126.2, 43.1)], PARENT) == ["overlap"]


def test_a_hole_between_is_a_gap_without_a_parent_too() -> None:
    ring = shapely.difference(PARENT, shapely.box(126.04, 43.04, 126.06, 43.06))
    (gap,) = find_problems([ring])
    assert gap.kind == "gap"
    assert gap.members == (0,)
    assert gap.area_m2 == pytest.approx(1630 * 2222, rel=0.02)


def test_rounding_slivers_are_not_problems() -> None:
    nudged = shapely.box(126.1 + 1e-8, 43.0, 126.2, 43.1)
    assert kinds([LEFT, nudged], PARENT) == []


def test_an_island_in_a_lake_is_clean() -> None:
    hole = shapely.Polygon(shapes.HOLE.interiors[0])
    assert kinds([shapes.HOLE, hole], shapes.SQUARE) == []


@pytest.mark.skipif(not DATA.is_dir(), reason="the real coverages are not here")
def test_real_coverages() -> None:
    with gzip.open(DATA / "cambridge" / "cambridge_blocks2010.geojson.gz") as file:
        blocks = [shape(feature["geometry"]) for feature in json.load(file)["features"]]
    assert find_problems(np.array(blocks, dtype=object)) == []
    moved = [shapely.affinity.scale(blocks[0], 1.5, 1.5), *blocks[1:]]
    assert {problem.kind for problem in find_problems(moved)} >= {"overlap"}

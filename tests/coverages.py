"""Coverages for tests and benchmarks: made ones of any size, and the real ones where they are."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray
from shapely.geometry import shape

from pingji.geo.coverage import Coverage, Edit, find_problems
from pingji.geo.crs import metric_crs, to_lonlat
from pingji.geo.noise import displacement

DATA = Path(__file__).parents[2] / "shared" / "data"
CRS = metric_crs(126.4, 43.6)


def tiling(side: int, per_edge: int = 3, seed: int = 1, step_m: float = 300.0) -> NDArray[np.object_]:
    """`side` × `side` wavy cells that tile a wavy square near the demo county, EPSG:4490 lon/lat degrees."""
    t = np.arange(per_edge) / per_edge
    one, none = np.ones(per_edge), np.zeros(per_edge)
    ring = np.column_stack([np.concatenate([t, one, 1 - t, none]), np.concatenate([none, t, one, 1 - t])])
    corner = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij"), axis=-1).reshape(-1, 1, 2)
    xy = np.rint((corner + ring) * per_edge).reshape(-1, 2) * (step_m / per_edge)
    xy += displacement(xy, seed, 4 * step_m, step_m / 8)
    xy += [540_000.0 - side * step_m / 2, 4_830_000.0]
    lonlat = shapely.get_coordinates(to_lonlat(shapely.MultiPoint(xy), CRS))
    return np.asarray(shapely.polygons(lonlat.reshape(side * side, 4 * per_edge, 2)), dtype=object)


def county(polygons: "NDArray[np.object_] | list[shapely.Polygon]", communities: list[str] | None = None) -> Coverage:
    """A coverage whose codes are the positions."""
    return Coverage.of([str(i) for i in range(len(polygons))], polygons, communities)


def dissolved(cells: NDArray[np.object_], label: NDArray[np.int64]) -> NDArray[np.object_]:
    """Cells of one label as one polygon: T-junctions, holes, parts that touch at a corner or not at all."""
    found = [shapely.coverage_union_all(cells[label == one]) for one in np.unique(label)]
    out = np.empty(len(found), dtype=object)
    out[:] = found
    return out


def real(name: str) -> NDArray[np.object_]:
    """A real coverage; skips the test where the files are not."""
    file = DATA / name
    if not file.exists():
        pytest.skip(f"{name} is not here")
    text = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_text(encoding="utf-8")
    found = [shape(feature["geometry"]) for feature in json.loads(text)["features"]]
    out = np.empty(len(found), dtype=object)
    out[:] = found
    return out


BLOCKS = "cambridge/cambridge_blocks2010.geojson.gz"
OLD_BLOCKS = "cambridge/cambridge_blocks2000.geojson.gz"
VILLAGES = "coverage/kaohsiung_mountain_villages.geojson"
PRECINCTS = ("coverage/mapshaper_ex5_three_precincts.json", "coverage/mapshaper_ex23_three_ca_precincts.json")


def check(before: Coverage, edit: Edit) -> Coverage:
    """Apply an edit and hold it to everything that an edit promises."""
    after = before.apply(edit)
    old, new = before.polygons, after.polygons
    assert shapely.is_valid(new).all()
    assert shapely.coverage_is_valid(new)
    outline = shapely.coverage_union_all(old)
    assert find_problems(new, outline) == []
    assert shapely.area(new).sum() == pytest.approx(shapely.area(old).sum(), rel=1e-12)
    assert sum(edit.gained_m2.values()) == pytest.approx(sum(edit.lost_m2.values()), rel=1e-6, abs=0.05)
    back = after.undo(edit)
    assert set(back.codes) == set(before.codes)
    for code in before.codes:
        assert back[code].wkb == before[code].wkb
    again = back.apply(edit)
    assert all(again[code].wkb == after[code].wkb for code in after.codes)
    return after

"""Coverages for tests and benchmarks: made ones of any size, and the real ones where they are."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import strategies as st
from numpy.typing import NDArray
from shapely.geometry import shape

from pingji.geo.coverage import (
    Coverage,
    Edit,
    find_problems,
    give,
    insert_vertex,
    merge,
    move_vertex,
    redraw,
    remove_vertex,
    repair,
    reshape,
    simplify,
    split,
)
from pingji.geo.coverage.planar import faces_of
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


def odd() -> dict[str, Coverage]:
    """Small coverages, each with one thing that breaks simple editors."""
    cells = tiling(5, 3)
    many = np.arange(25) + 100

    def labelled(**groups: list[int]) -> Coverage:
        label = many.copy()
        for number, members in enumerate(groups.values()):
            label[members] = number
        return county(dissolved(cells, label))

    ring = [i for i in range(25) if i != 12]
    return {
        "hole": labelled(around=ring),
        "parts": labelled(apart=[0, 2, 24]),
        "corner": labelled(touching=[0, 6, 12]),
        "pinched": labelled(ring=[0, 1, 2, 5, 7, 10, 11]),
        "t-junctions": labelled(row=[0, 1, 2, 3, 4], other=[10, 11, 12, 13, 14]),
        "triple point": labelled(west=list(range(10)), south=[10, 11, 15, 16, 20, 21], north=[12, 13, 14, 17, 18, 19]),
        "one": county(dissolved(cells, np.zeros(25, dtype=np.int64))),
    }


@st.composite
def tilings(draw: st.DrawFn) -> Coverage:
    """Wavy cells, some of them joined at random, of one community or two."""
    side = draw(st.integers(3, 5))
    cells = tiling(side, draw(st.integers(1, 4)), draw(st.integers(0, 50)))
    labels = draw(st.lists(st.integers(0, side * side - 1), min_size=side * side, max_size=side * side))
    label = np.where(np.array(labels) < side * side // 2, np.array(labels), np.arange(side * side) + 100)
    polygons = dissolved(cells, label)
    split_at = draw(st.integers(0, len(polygons)))
    return county(polygons, ["A" if i < split_at else "B" for i in range(len(polygons))])


def attempt(draw: Callable[..., Any], now: Coverage) -> Edit:
    """An edit as a hand would try it, sensible or not; raises what the edit raises."""
    code = draw(st.sampled_from(now.codes))
    kind = draw(st.sampled_from(sorted(_ATTEMPTS)))
    return _ATTEMPTS[kind](draw, now, code)


def _node(draw: Callable[..., Any], now: Coverage, code: str) -> tuple[float, float]:
    nodes = shapely.get_coordinates(now[code])
    x, y = nodes[draw(st.integers(0, len(nodes) - 1))].tolist()
    return x, y


def _line(draw: Callable[..., Any], now: Coverage, code: str) -> shapely.LineString:
    """Some strokes over a grid and its neighbours, from a vertex or from anywhere."""
    west, south, east, north = now[code].bounds
    dx, dy = (east - west) / 2, (north - south) / 2
    xs, ys = st.floats(west - dx, east + dx), st.floats(south - dy, north + dy)
    places = [(draw(xs), draw(ys)) for _ in range(draw(st.integers(2, 4)))]
    if draw(st.booleans()):
        places[0] = _node(draw, now, code)
    if draw(st.booleans()):
        places[-1] = _node(draw, now, code)
    return shapely.LineString(places)


def _beside(draw: Callable[..., Any], at: tuple[float, float]) -> tuple[float, float]:
    step = st.floats(-8e-4, 8e-4)
    return at[0] + draw(step), at[1] + draw(step)


def _insert(draw: Callable[..., Any], now: Coverage, code: str) -> Edit:
    foot = now[code].boundary.interpolate(draw(st.floats(0, 1)), normalized=True)
    at = (foot.x, foot.y)
    return insert_vertex(now, at, _beside(draw, at) if draw(st.booleans()) else None)


def _merge(draw: Callable[..., Any], now: Coverage, code: str) -> Edit:
    return merge(now, [code, *now.near(shapely.Point(_node(draw, now, code)))])


def _move(draw: Callable[..., Any], now: Coverage, code: str) -> Edit:
    at = _node(draw, now, code)
    return move_vertex(now, at, _node(draw, now, code) if draw(st.booleans()) else _beside(draw, at))


def _give(draw: Callable[..., Any], now: Coverage, code: str) -> Edit:
    x, y = _node(draw, now, draw(st.sampled_from(now.codes)))
    dx, dy = draw(st.floats(-4e-4, 4e-4)), draw(st.floats(-4e-4, 4e-4))
    size = draw(st.floats(5e-5, 6e-4))
    house = shapely.box(x + dx, y + dy, x + dx + size, y + dy + size * 0.7)
    others = [shapely.box(x - size, y - size, x - size / 2, y + dy)] if draw(st.booleans()) else []
    return give(now, house, code, obstacles=others)


def _redraw(draw: Callable[..., Any], now: Coverage, code: str) -> Edit:
    """Some neighbours of one community drawn anew: cut by a line, joined at random, written with few decimals."""
    home = now.community(code)
    near = [other for other in now.near(now[code]) if now.community(other) == home]
    pieces = faces_of(np.array([*(now[c].boundary for c in near), _line(draw, now, code)], dtype=object))
    ground = shapely.union_all(now.shapes(near))
    pieces = pieces[shapely.within(shapely.point_on_surface(pieces), ground)]
    label = np.array([draw(st.integers(0, 3)) for _ in pieces], dtype=np.int64)
    decimals = draw(st.sampled_from([7, 15]))
    drawn = [shapely.transform(shape, lambda xy: np.round(xy, decimals)) for shape in dissolved(pieces, label)]
    codes = draw(st.permutations([*near, *(c for c in (f"r{i}" for i in range(40)) if c not in now)]))
    return redraw(now, dict(zip(codes, drawn, strict=False)), near)


def _simplify(draw: Callable[..., Any], now: Coverage, code: str) -> Edit:
    home = now.community(code)
    codes = [other for other in now.codes if now.community(other) == home]
    return simplify(now, codes, draw(st.floats(1.0, 60.0)))


_ATTEMPTS: dict[str, Callable[[Callable[..., Any], Coverage, str], Edit]] = {
    "split": lambda draw, now, code: split(
        now, code, _line(draw, now, code), [f"n{len(now)}.{code}.{i}" for i in range(40)]
    ),
    "merge": _merge,
    "reshape": lambda draw, now, code: reshape(now, _line(draw, now, code)),
    "move": _move,
    "insert": _insert,
    "remove": lambda draw, now, code: remove_vertex(now, _node(draw, now, code)),
    "give": _give,
    "simplify": _simplify,
    "repair": lambda draw, now, code: repair(now).edit,
    "redraw": _redraw,
}


def check(before: Coverage, edit: Edit) -> Coverage:
    """Apply an edit and hold it to everything that an edit promises."""
    after = before.apply(edit)
    old, new = before.polygons, after.polygons
    assert shapely.is_valid(new).all()
    assert shapely.coverage_is_valid(new)
    assert shapely.area(new).sum() == pytest.approx(shapely.area(old).sum(), rel=1e-12)
    for home in {before.community(code) for code in before.codes}:
        mine, its = ([c for c in state.codes if state.community(c) == home] for state in (before, after))
        outline = shapely.coverage_union_all(before.shapes(mine))
        gaps = {p.geometry.normalize().wkb for p in find_problems(before.shapes(mine), outline)}
        assert [p for p in find_problems(after.shapes(its), outline) if p.geometry.normalize().wkb not in gaps] == []
    assert sum(edit.gained_m2.values()) == pytest.approx(sum(edit.lost_m2.values()), rel=1e-6, abs=0.05)
    assert all(after[code] is before[code] for code in before.codes if code not in edit.before)
    back = after.undo(edit)
    assert set(back.codes) == set(before.codes)
    for code in before.codes:
        assert back[code].wkb == before[code].wkb
    again = back.apply(edit)
    assert all(again[code].wkb == after[code].wkb for code in after.codes)
    return after

"""The demo county's rivers: five with real names along their rough real courses, and synthetic streams into them."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from pingji.data.demo.extracts import Frame
from pingji.geo.arrays import distances, points

Floats = NDArray[np.float64]

# Source to mouth, lon/lat degrees, and the width in metres. A course that ends on another river names it.
MAINS: list[tuple[str, str, float, list[tuple[float, float]]]] = [
    (
        "饮马河",
        "",
        60.0,
        [
            (125.955, 43.415),
            (125.895, 43.470),
            (125.872, 43.510),
            (125.893, 43.575),
            (125.902, 43.640),
            (125.868, 43.700),
            (125.846, 43.760),
            (125.848, 43.815),
            (125.840, 43.865),
        ],
    ),
    (
        "岔路河",
        "饮马河",
        40.0,
        [
            (126.215, 43.412),
            (126.165, 43.440),
            (126.160, 43.480),
            (126.105, 43.530),
            (126.040, 43.565),
            (126.030, 43.630),
            (126.020, 43.690),
            (125.975, 43.740),
            (125.915, 43.785),
            (125.848, 43.815),
        ],
    ),
    (
        "鳌龙河",
        "",
        36.0,
        [
            (126.215, 43.560),
            (126.190, 43.620),
            (126.175, 43.680),
            (126.140, 43.730),
            (126.105, 43.780),
            (126.095, 43.830),
            (126.075, 43.885),
        ],
    ),
    (
        "温德河",
        "",
        60.0,
        [
            (126.205, 43.470),
            (126.245, 43.520),
            (126.312, 43.562),
            (126.346, 43.596),
            (126.385, 43.632),
            (126.440, 43.643),
            (126.4775, 43.65614),
            (126.4870, 43.6590),
            (126.5275, 43.6712),
            (126.5370, 43.67406),
            (126.553, 43.690),
            (126.562, 43.722),
        ],
    ),
    (
        "五里河",
        "温德河",
        30.0,
        [
            (126.600, 43.395),
            (126.560, 43.430),
            (126.515, 43.462),
            (126.485, 43.500),
            (126.470, 43.560),
            (126.478, 43.610),
            (126.440, 43.643),
        ],
    ),
]
_COUNT = 39


@dataclass(frozen=True)
class River:
    """A river of the plan, drawn from source to mouth in plan metres."""

    name: str
    main: bool
    width_m: float
    line: Floats


def _smooth(control: Floats, step_m: float = 75.0) -> Floats:
    """A Catmull–Rom curve through the control points."""
    padded = np.vstack([2 * control[0] - control[1], control, 2 * control[-1] - control[-2]])
    parts = []
    for p0, p1, p2, p3 in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        t = np.arange(0, 1, step_m / max(float(np.hypot(*(p2 - p1))), step_m))[:, None]
        parts.append(
            0.5 * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3)
        )
    return np.vstack([*parts, control[-1:]])


def _meander(rng: np.random.Generator, line: Floats, size_m: float, calm: list[tuple[Floats, float]]) -> Floats:
    """Side-to-side bends that die out at both ends and where the course is calm (embanked in town)."""
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    ahead = np.gradient(line, axis=0)
    side = np.column_stack([-ahead[:, 1], ahead[:, 0]]) / np.maximum(np.hypot(*ahead.T), 1e-9)[:, None]
    wave = np.zeros(len(line))
    for length in (900.0, 1400.0, 2300.0):
        phase = rng.uniform(0, 2 * np.pi) + 0.8 * np.sin(along / (length * 1.7))
        wave += np.sin(along / length * 2 * np.pi + phase) * length / 1400.0
    fade = np.clip(np.minimum(along, along[-1] - along) / 900.0, 0, 1)
    for centre, radius in calm:
        fade = fade * np.clip((np.hypot(*(line - centre).T) - radius) / 1500.0, 0, 1)
    return np.asarray(line + side * (wave * fade * size_m)[:, None])


def _reach(rng: np.random.Generator, mouth: Floats, heading: float, length_m: float) -> Floats:
    """Control points of a stream, from its mouth upwards, in easy turns."""
    bends = [mouth]
    for _ in range(max(int(length_m / 1600.0), 2)):
        heading += rng.normal(0, 0.28)
        bends.append(bends[-1] + 1600.0 * np.array([np.cos(heading), np.sin(heading)]))
    return np.array(bends)


def draw(rng: np.random.Generator, area: shapely.Polygon, calm: list[tuple[Floats, float]]) -> list[River]:
    """All rivers of the plan.

    Streams leave their river on alternating sides, are kept clear of all others and of the towns, and end on a vertex
    of the river that they flow into.
    """
    rivers: list[River] = []
    for name, into, width, course in MAINS:
        control = Frame.metres(np.array(course))
        line = _meander(rng, _smooth(control), 110.0, calm)
        if into:
            course_into = next(r for r in rivers if r.name == into).line
            line[-1] = course_into[np.argmin(np.hypot(*(course_into - line[-1]).T))]
        rivers.append(River(name, True, width, line))
    inner = area.buffer(-500.0)
    for _ in range(4000):
        if len(rivers) == _COUNT:
            break
        host = rivers[int(rng.integers(0, len(rivers)))]
        if not host.main and (len(host.line) < 120 or rng.random() < 0.6):
            continue
        at = int(rng.integers(12, len(host.line) - 12))
        flow = host.line[at + 1] - host.line[at - 1]
        side = rng.choice([-1, 1]) * rng.uniform(0.75, 1.25)
        heading = float(np.arctan2(-flow[1], -flow[0]) + side)
        length = rng.uniform(11000.0, 25000.0) * (1.0 if host.main else 0.6)
        stream = _meander(rng, _smooth(_reach(rng, host.line[at], heading, length)), 75.0, [])
        inside = shapely.contains_xy(inner, stream[:, 0], stream[:, 1])
        far = np.array([np.hypot(*(stream - c).T) > r + 500.0 for c, r in calm]).all(axis=0)
        others = shapely.union_all([shapely.LineString(r.line) for r in rivers])
        apart = distances(points(stream), others)
        away = np.hypot(*(stream - stream[0]).T)
        fine = inside & far & (apart > np.minimum(1700.0, away * 0.45 - 40.0))
        stop = len(stream) if fine.all() else int(np.argmin(fine))
        if stop * 75.0 < 5500.0:
            continue
        rivers.append(River("", False, float(rng.integers(5, 16)), stream[:stop][::-1]))
    return rivers

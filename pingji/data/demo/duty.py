"""Institutions, gauges and posts of the demo county."""

import numpy as np
import shapely
from numpy.typing import NDArray

from pingji.data.demo.columns import LABEL, THRESHOLDS, Writer
from pingji.data.demo.extracts import COUNTY, Frame
from pingji.data.demo.hazard import Zone
from pingji.data.demo.homes import Homes
from pingji.data.demo.refuges import Meeting
from pingji.data.demo.sites import SEATS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_INSTITUTIONS = {
    "school": (22, "学校"),
    "care_home": (12, "养老院"),
    "site": (10, "工地"),
    "hotel": (10, "旅店"),
    "hospital": (6, "卫生院"),
}
_HEADS = {"school": (60, 900), "care_home": (18, 90), "site": (12, 80), "hotel": (10, 70), "hospital": (15, 120)}
_IN_ZONES = (("care_home", 0), ("site", 1), ("hotel", 2), ("school", 3))


def write(
    w: Writer,
    squares: Floats,
    free: Ints,
    in_town: NDArray[np.bool_],
    zones: list[Zone],
    living: Homes,
    zone_of: Ints,
    meeting: Meeting,
) -> None:
    """All three layers."""
    _institutions(w, squares, free, in_town, zones, living, zone_of, meeting)
    _gauges(w, squares, free)
    _posts(w, squares, free)


def _institutions(
    w: Writer,
    squares: Floats,
    free: Ints,
    in_town: NDArray[np.bool_],
    zones: list[Zone],
    living: Homes,
    zone_of: Ints,
    meeting: Meeting,
) -> None:
    """Four lie in a danger zone; the care home among them has no plan, as nobody in it is on a household list."""
    rng = w.rng
    kinds = [kind for kind, (count, _) in _INSTITUTIONS.items() for _ in range(count)]
    share = np.where(in_town[free], 4.0, 1.0)
    xy = squares[rng.choice(free, len(kinds), replace=False, p=share / share.sum())] + np.array([22.0, 9.0])
    zone = np.full(len(kinds), -1)
    for kind, nth in _IN_ZONES:
        k, z = kinds.index(kind), (nth * 11 + 9) % len(zones)
        near = living.xy[zone_of == z]
        xy[k], zone[k] = near[len(near) // 2] + 5.0, z
    place = [w.places[c] for c in w.communities_at(xy)]
    heads = [int(rng.integers(*_HEADS[k])) for k in kinds]
    immobile = [round(h * {"care_home": 0.4, "hospital": 0.3}.get(k, 0.005)) for h, k in zip(heads, kinds, strict=True)]
    contact, phone = w.people(len(kinds))
    planned = [z >= 0 and k != "care_home" for z, k in zip(zone.tolist(), kinds, strict=True)]
    w.add(
        "institutions",
        code=[f"{COUNTY}I{k + 1:03d}" for k in range(len(kinds))],
        name=[
            f"{p.name}示范{_INSTITUTIONS[k][1]}{n + 1}{LABEL}"
            for n, (p, k) in enumerate(zip(place, kinds, strict=True))
        ],
        kind=kinds,
        community=[p.code for p in place],
        township=[p.township for p in place],
        grid=w.grids_at(xy),
        zone=[w.zone_code[z] if z >= 0 else "" for z in zone.tolist()],
        head_count=heads,
        immobile_count=immobile,
        contact=contact,
        phone=phone,
        transfer_point=[
            w.meeting_code[meeting.primary[z]] if plan else "" for z, plan in zip(zone.tolist(), planned, strict=True)
        ],
        geom=shapely.points(Frame.lonlat(xy)),
    )


def _gauges(w: Writer, squares: Floats, free: Ints) -> None:
    rng = w.rng
    seats = np.array([Frame.metres(np.array([s]))[0] for s in SEATS.values()])
    rain = np.vstack([seats, squares[rng.choice(free, 6, replace=False)]])
    mains = [k for k, r in enumerate(w.land.rivers) if r.main]
    stage = [
        (k, shapely.line_interpolate_point(w.land.courses[k], t, normalized=True)) for k in mains for t in (0.45, 0.8)
    ]
    xy = np.vstack([rain, [shapely.get_coordinates(p)[0] for _, p in stage]])
    place = [w.places[c] for c in w.communities_at(xy)]
    river = [""] * len(rain) + [w.land.rivers[k].name for k, _ in stage]
    w.add(
        "gauges",
        code=[f"{COUNTY}G{k + 1:03d}" for k in range(len(xy))],
        name=[f"{r}{p.name}{'水位站' if r else '雨量站'}{LABEL}" for p, r in zip(place, river, strict=True)],
        kind=["rain"] * len(rain) + ["stage"] * len(stage),
        river=river,
        zone=[""] * len(xy),
        thresholds=[dict(THRESHOLDS) if not r else {} for r in river],
        geom=shapely.points(Frame.lonlat(xy)),
    )


def _posts(w: Writer, squares: Floats, free: Ints) -> None:
    kinds = ["checkpoint"] * 24 + ["vanguard"] * 22 + ["station"] * 14
    title = {"checkpoint": "卡口", "vanguard": "先锋岗", "station": "驿站"}
    xy = squares[w.rng.choice(free, len(kinds), replace=False)] + np.array([-14.0, 6.0])
    place = [w.places[c] for c in w.communities_at(xy)]
    holder, holder_phone = w.people(len(kinds))
    deputy, deputy_phone = w.people(len(kinds))
    w.add(
        "posts",
        code=[f"{COUNTY}K{k + 1:03d}" for k in range(len(kinds))],
        name=[f"{p.name}{title[k]}{LABEL}" for p, k in zip(place, kinds, strict=True)],
        kind=kinds,
        community=[p.code for p in place],
        holder=holder,
        holder_phone=holder_phone,
        deputy=deputy,
        deputy_phone=deputy_phone,
        shift=["08:00-20:00" if k % 2 else "20:00-08:00" for k in range(len(kinds))],
        geom=shapely.points(Frame.lonlat(xy)),
    )

"""The real part of the demo county: its outline, and the names and codes of its towns and villages."""

import csv
import json
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
import shapely
from numpy.typing import NDArray

COUNTY = "220221"
COUNTY_NAME = "永吉县"


@dataclass(frozen=True)
class Place:
    """A town-level unit (9-digit code) or a village or community (12 digits) with its town's code."""

    code: str
    name: str
    township: str

    @property
    def urban(self) -> bool:
        """Whether it is a residents' community (社区), which is a dense small one."""
        return self.name.endswith("社区")


def outline() -> shapely.Polygon:
    """The county's outline, EPSG:4490 lon/lat degrees."""
    text = (files(__package__) / "extracts" / "outline_220221.geojson").read_text(encoding="utf-8")
    shape = shapely.from_geojson(json.dumps(json.loads(text)["features"][0]["geometry"]))
    largest: shapely.Polygon = max(shapely.get_parts(shape), key=lambda part: part.area)
    return largest


def places() -> tuple[list[Place], list[Place]]:
    """Town-level units and communities.

    Notes
    -----
    岔路河镇 is coded 220273100: everything in the file belongs to the county, whatever its code starts with.
    """
    text = (files(__package__) / "extracts" / "villages_220221.csv").read_text(encoding="utf-8")
    towns: list[Place] = []
    villages: list[Place] = []
    for row in csv.DictReader(text.splitlines()):
        if row["level"] == "town":
            towns.append(Place(row["code12"][:9], row["name"], row["code12"][:9]))
        else:
            villages.append(Place(row["code12"], row["name"], row["parent"][:9]))
    return towns, villages


class Frame:
    """Metres east and north of the county's middle: an affine map, so that straight lines stay straight.

    That keeps borders exactly on the outline's edges, which a map projection would bend by centimetres. Scale is true
    to half a per cent, enough for a synthetic county.
    """

    LON, LAT = 126.22, 43.6
    KX, KY = 111_320.0 * np.cos(np.radians(43.6)), 111_132.0

    @classmethod
    def metres(cls, lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        """Lon/lat degrees, shape (n, 2), to metres."""
        return np.asarray((lonlat - np.array([cls.LON, cls.LAT])) * np.array([cls.KX, cls.KY]))

    @classmethod
    def lonlat(cls, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Metres, shape (n, 2), to lon/lat degrees."""
        return np.asarray(xy / np.array([cls.KX, cls.KY]) + np.array([cls.LON, cls.LAT]))

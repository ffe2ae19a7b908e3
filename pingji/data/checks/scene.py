"""What the rules look at: findings, limits, and a county's layers read once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, select

from pingji.data import features
from pingji.data.features import Feature
from pingji.data.tables import LAYER_TABLES, area
from pingji.geo.crs import STORAGE_CRS, metric_crs

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach of a rule: where it is and what its text (`check.<rule>`) needs."""

    severity: Severity
    rule: str
    layer: str
    code: str
    params: Mapping[str, object] = field(default_factory=dict)
    lonlat: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """Thresholds of the rules; defaults from DOMAIN.md and practice."""

    households_low: int = 300
    households_high: int = 500
    max_roles: int = 5
    coverage_tolerance_m: float = 0.05
    outside_m: float = 50.0
    beyond_m: float = 2_000.0
    stale_days: int = 1


@dataclass(frozen=True, slots=True)
class Households:
    """All households of a county as columns: 100,000 of them are too many for objects."""

    code: NDArray[np.object_]
    grid: NDArray[np.object_]
    residents: NDArray[np.int64]
    transfer_point: NDArray[np.object_]
    shelter: NDArray[np.object_]
    lonlat: NDArray[np.float64]


class Scene:
    """A county's layers as one transaction sees them, each read at most once."""

    def __init__(self, conn: Connection, county: str, limits: Limits, today: date) -> None:
        self.conn, self.county, self.limits, self.today = conn, county, limits, today
        self._layers: dict[str, list[Feature]] = {}

    def features(self, layer: str) -> list[Feature]:
        """Features of a layer, by code."""
        if layer not in self._layers:
            self._layers[layer] = features.load_features(self.conn, self.county, layer)
        return self._layers[layer]

    def by_code(self, layer: str) -> dict[str, Feature]:
        """Features of a layer under their codes."""
        return {feature.code: feature for feature in self.features(layer)}

    @cached_property
    def outline(self) -> BaseGeometry | None:
        """The county's outline, where there is one."""
        found = features.load_features(self.conn, self.county, "area", columns=(), where=area.c.level == "county")
        return shapely.union_all([f.geometry for f in found]) if found else None

    @cached_property
    def crs(self) -> CRS:
        """The metric system of the county."""
        if self.outline is None:
            return STORAGE_CRS
        return metric_crs(self.outline.centroid.x, self.outline.centroid.y)

    @cached_property
    def households(self) -> Households:
        """All households."""
        table = LAYER_TABLES["households"]
        names = ("code", "grid", "residents", "transfer_point", "shelter")
        query = select(*(table.c[name] for name in names), features.wkb(self.conn, table))
        rows = self.conn.execute(query.where(table.c.county == self.county)).all()
        columns = list(zip(*rows, strict=True)) if rows else [()] * 6
        return Households(
            np.array(columns[0], dtype=object),
            np.array(columns[1], dtype=object),
            np.array(columns[2], dtype=np.int64),
            np.array(columns[3], dtype=object),
            np.array(columns[4], dtype=object),
            shapely.get_coordinates(shapely.from_wkb(np.array(columns[5], dtype=object))),
        )


def place(geometry: BaseGeometry) -> tuple[float, float] | None:
    """Where to fly to for a geometry, lon/lat degrees."""
    if geometry.is_empty:
        return None
    point = shapely.point_on_surface(geometry)
    return round(point.x, 7), round(point.y, 7)

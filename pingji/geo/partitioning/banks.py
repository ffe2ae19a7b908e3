"""Rivers as obstacles: their lines, the bridges over them, and grids that lie over a river without one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from pingji.geo.arrays import points
from pingji.geo.coverage.planar import Area
from pingji.geo.crs import to_lonlat, to_metric
from pingji.geo.partitioning.model import Scene, as_array
from pingji.geo.partitioning.pixels import faces_on_pixels
from pingji.geo.partitioning.unions import Unions

DECK_M = 4.0  # to each side of a bridge's road
TOUCH_DEG = 1e-8  # 1 mm: a computed crossing lies on both lines but for rounding


@dataclass(frozen=True, slots=True, eq=False)
class Water:
    """The rivers of a scene: their middle lines or banks, those that are areas, and where roads cross them.

    Each bridge is a point on a river's line, or a line over a river's area.
    """

    lines: NDArray[np.object_]
    areas: NDArray[np.object_]
    bridges: NDArray[np.object_]

    def decks(self, crs: CRS) -> NDArray[np.object_]:
        """The ground of each bridge over an area, EPSG:4490 lon/lat degrees; empty for the others."""
        decks = as_array([shapely.Polygon() for _ in self.bridges])
        over = shapely.get_type_id(self.bridges) == shapely.GeometryType.LINESTRING
        if over.any():
            wide = shapely.buffer(to_metric(self.bridges[over], crs), DECK_M, cap_style="square")
            decks[over] = to_lonlat(wide, crs)
        return decks

    @classmethod
    def of(cls, scene: Scene) -> "Water":
        """The rivers of a scene with their bridges.

        Examples
        --------
        >>> river, road = shapely.LineString([(0, 0), (4, 0)]), shapely.LineString([(1, -1), (1, 1)])
        >>> dead_end = shapely.LineString([(2, 1), (2, 0)])
        >>> given = np.array([road, dead_end], dtype=object), np.array([river], dtype=object)
        >>> scene = Scene(shapely.box(0, -1, 4, 1), np.empty((0, 2)), np.empty(0, dtype=np.int64), *given)
        >>> [bridge.wkt for bridge in Water.of(scene).bridges]
        ['POINT (1 0)']
        """
        rivers = [part for part in shapely.get_parts(scene.rivers).tolist() if part.intersects(scene.outline)]
        areas = as_array([part for part in rivers if isinstance(part, shapely.Polygon)])
        middles = [part for part in rivers if isinstance(part, shapely.LineString)]
        lines = as_array([*middles, *(area.boundary for area in areas)])
        roads = as_array([road for road in scene.roads.tolist() if road.intersects(scene.outline)])
        return cls(lines, areas, _bridges(roads, as_array(list(middles)), areas))


def _bridges(
    roads: NDArray[np.object_], middles: NDArray[np.object_], areas: NDArray[np.object_]
) -> NDArray[np.object_]:
    if not len(roads):
        return as_array([])
    network = shapely.union_all(roads)
    found: list[shapely.Geometry] = []
    if len(middles):
        met = shapely.get_parts(network.intersection(shapely.union_all(middles)))
        places = [place for place in met.tolist() if isinstance(place, shapely.Point)]
        ends = _dead_ends(network)
        found += [place for place in places if ends.is_empty or place.distance(ends) > TOUCH_DEG]
    if len(areas):
        water = shapely.union_all(areas)
        inside = network.intersection(water)
        over = inside if isinstance(inside, shapely.LineString) else shapely.line_merge(inside)
        for part in shapely.get_parts(over).tolist():
            if isinstance(part, shapely.LineString) and not part.is_closed:
                ends = shapely.MultiPoint([part.coords[0], part.coords[-1]])
                if shapely.dwithin(shapely.get_parts(ends), water.boundary, TOUCH_DEG).all():
                    found.append(part)
    return as_array(found)


def _dead_ends(network: shapely.Geometry) -> shapely.MultiPoint:
    """Where a road ends and no other goes on."""
    parts = shapely.get_parts(network)
    ends = np.concatenate([shapely.get_coordinates(shapely.get_point(parts, at)) for at in (0, -1)])
    nodes, times = np.unique(ends, axis=0, return_counts=True)
    return shapely.MultiPoint(nodes[times == 1])


def crossings(scene: Scene, grids: Sequence[Area]) -> int:
    """How many grids have people on two banks of a river that no bridge inside the grid joins.

    Parameters
    ----------
    scene : Scene
    grids : sequence of Polygon or MultiPolygon, EPSG:4490 lon/lat degrees

    Notes
    -----
    Asked of the finished polygons, whichever way they were made: each is cut along the rivers, and the pieces where
    people live must hang together by bridges that lie within it. A bridge on a grid's border is not within.

    Examples
    --------
    >>> river, road = shapely.LineString([(-1, 0), (5, 0)]), shapely.LineString([(1, -1), (1, 1)])
    >>> outline, homes = shapely.box(0, -1, 4, 1), np.array([[0.5, 0.5], [0.5, -0.5], [3, 0.5], [3, -0.5]])
    >>> given = np.array([road], dtype=object), np.array([river], dtype=object)
    >>> scene = Scene(outline, homes, np.ones(4, dtype=np.int64), *given)
    >>> crossings(scene, [shapely.box(0, -1, 2, 1), shapely.box(2, -1, 4, 1)])
    1
    """
    water = Water.of(scene)
    if not len(water.lines):
        return 0
    homes = points(scene.homes[scene.households > 0])
    houses = _over(scene.buildings, water.lines)
    return sum(_is_over(grid, water, homes, houses) for grid in grids)


def _over(buildings: NDArray[np.object_], lines: NDArray[np.object_]) -> NDArray[np.object_]:
    """Buildings that stand over a river: they join its banks for whoever has them whole."""
    areas = buildings[shapely.get_dimensions(buildings) == 2] if len(buildings) else buildings
    if not len(areas):
        return areas
    return np.asarray(areas[np.unique(shapely.STRtree(areas).query(lines, predicate="intersects")[1])], dtype=object)


def _is_over(grid: Area, water: Water, homes: NDArray[np.object_], houses: NDArray[np.object_]) -> bool:
    faces = faces_on_pixels([grid.boundary, *_reaching(grid, water.lines, houses)])
    inner = shapely.point_on_surface(faces)
    shapely.prepare(grid)
    pieces = faces[shapely.contains(grid, inner)]
    if len(water.areas) and len(pieces):
        wet = shapely.STRtree(water.areas).query(shapely.point_on_surface(pieces), predicate="within")[0]
        pieces = np.delete(pieces, np.unique(wet))
    if len(pieces) < 2:
        return False
    joined = Unions(len(pieces))
    tree = shapely.STRtree(pieces)
    inside = [bridge for bridge in water.bridges.tolist() if shapely.contains_properly(grid, bridge)]
    for bridge in inside:
        near = tree.query(bridge, predicate="dwithin", distance=TOUCH_DEG)
        joined.join_all(near.tolist())
    lived_in = np.unique(tree.query(homes, predicate="within")[1])
    return len({joined.find(int(piece)) for piece in lived_in}) > 1


def _reaching(grid: Area, lines: NDArray[np.object_], houses: NDArray[np.object_]) -> list[shapely.Geometry]:
    """River lines near a grid, not clipped to it: clipped ends could miss its border by a rounding."""
    near = lines[shapely.intersects(lines, grid)]
    if len(houses):
        near = shapely.difference(near, shapely.union_all(houses))
    return [line for line in near.tolist() if not line.is_empty]


def wet(faces: NDArray[np.object_], water: Water) -> NDArray[np.bool_]:
    """Whether each face lies in a river that is an area."""
    found = np.zeros(len(faces), dtype=bool)
    if len(water.areas):
        inner = shapely.point_on_surface(faces)
        found[shapely.STRtree(water.areas).query(inner, predicate="within")[0]] = True
    return found

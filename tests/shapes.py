"""The one gallery of geometries, EPSG:4490 lon/lat degrees near the demo county."""

from shapely import MultiLineString, MultiPoint, MultiPolygon, Point, Polygon, box
from shapely.geometry import GeometryCollection, LineString
from shapely.geometry.base import BaseGeometry

SQUARE = box(126.0, 43.0, 126.1, 43.1)
HOLE = Polygon(SQUARE.exterior, [box(126.04, 43.04, 126.06, 43.06).exterior])
MULTIPART = MultiPolygon([SQUARE, box(126.3, 43.0, 126.4, 43.1)])
SLIVER = box(126.0, 43.0, 126.1, 43.0 + 1e-9)
BOW_TIE = Polygon([(126.0, 43.0), (126.1, 43.1), (126.1, 43.0), (126.0, 43.1)])  # invalid: crosses itself
PINCHED = Polygon([(126.0, 43.0), (126.1, 43.0), (126.05, 43.05), (126.1, 43.1), (126.0, 43.1), (126.05, 43.05)])
EMPTY = Polygon()
EMPTY_MULTI = MultiPolygon()
POINT = Point(126.123456789012, 43.987654321098)
LINE = LineString([(126.0, 43.0), (126.1, 43.1)])

GALLERY: dict[str, BaseGeometry] = {
    "square": SQUARE,
    "hole": HOLE,
    "multipart": MULTIPART,
    "sliver": SLIVER,
    "bow-tie": BOW_TIE,
    "pinched": PINCHED,
    "empty": EMPTY,
    "empty multipart": EMPTY_MULTI,
    "point": POINT,
    "points": MultiPoint([POINT, Point(126, 43)]),
    "line": LINE,
    "lines": MultiLineString([LINE]),
    "collection": GeometryCollection([POINT, LINE]),
}

"""Why an edit of a coverage is refused. `params` name the grids (`codes`), the place (`lonlat`) and the size."""

from pingji.geo.errors import GeoError


class CoverageError(GeoError):
    """Base of every refusal."""


class UnknownCode(CoverageError):
    """No polygon has this code. `codes`."""


class CodeTaken(CoverageError):
    """The code of a new polygon is in use, or there are fewer codes than new polygons. `codes`."""


class NotAdjacent(CoverageError):
    """These polygons have no border in common with the others. `codes`, `lonlat`, `distance_m`."""


class LineDoesNotCross(CoverageError):
    """The line does not cut the polygon, or the border, from side to side. `codes`, `lonlat`: a loose end of it."""


class WouldSelfIntersect(CoverageError):
    """A line, or a border after the edit, would cross itself. `codes`, `lonlat`."""


class WouldEmpty(CoverageError):
    """Nothing of a polygon would be left. `codes`, `lonlat`, `area_m2`."""


class WouldFallApart(CoverageError):
    """A polygon would be left in more parts than it has now. `codes`, `lonlat`, `parts`."""


class OutsideCommunity(CoverageError):
    """The edit would change the border of a community, or concerns several. `codes`, `lonlat`, `area_m2`."""


class NoVertexThere(CoverageError):
    """There is no vertex, or no border, at this place. `lonlat`, `distance_m` to the nearest one or None."""


class StillInvalid(CoverageError):
    """After the edit there would be a gap or an overlap. `codes`, `lonlat`, `area_m2`."""


class Stale(CoverageError):
    """The polygons are not those any more that the edit was made for. `codes`."""

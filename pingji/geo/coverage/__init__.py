"""Coverages: polygons that tile their parent without a gap or an overlap; what is wrong with one, and edits of one."""

from pingji.geo.coverage.cutting import CutBuilding, cut_buildings
from pingji.geo.coverage.give import give
from pingji.geo.coverage.match import Match, ended, match
from pingji.geo.coverage.merge import merge
from pingji.geo.coverage.model import Coverage, Edit
from pingji.geo.coverage.problems import CoverageProblem, Kind, find_problems
from pingji.geo.coverage.redraw import redraw
from pingji.geo.coverage.repair import Repair, repair
from pingji.geo.coverage.reshape import reshape
from pingji.geo.coverage.simplify import simplify
from pingji.geo.coverage.split import split
from pingji.geo.coverage.vertices import insert_vertex, move_vertex, remove_vertex

__all__ = [
    "Coverage",
    "CoverageProblem",
    "CutBuilding",
    "Edit",
    "Kind",
    "Match",
    "Repair",
    "cut_buildings",
    "ended",
    "find_problems",
    "give",
    "insert_vertex",
    "match",
    "merge",
    "move_vertex",
    "redraw",
    "remove_vertex",
    "repair",
    "reshape",
    "simplify",
    "split",
]

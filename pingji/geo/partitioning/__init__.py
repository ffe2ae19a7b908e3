"""Proposals of grids: compact, of a given size, along roads and water, never across a building."""

from pingji.geo.partitioning.banks import crossings
from pingji.geo.partitioning.model import Candidate, Grid, ImpossibleRange, Note, Progress, Scene, Scores
from pingji.geo.partitioning.propose import propose

__all__ = [
    "Candidate",
    "Grid",
    "ImpossibleRange",
    "Note",
    "Progress",
    "Scene",
    "Scores",
    "crossings",
    "propose",
]

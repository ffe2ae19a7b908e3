"""Pingji (平急一张图): one map of grids and people for routine and emergency."""

__version__ = "0.1.0"

"""Geometry, graphs and coordinate systems: pure functions over shapely and numpy."""

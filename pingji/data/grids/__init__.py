"""Grids as they are worked on: the ground of a community, change sets, publishing, past states, files."""

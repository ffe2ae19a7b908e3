"""Screens and doors: pages, API, live stream, commands and queries."""

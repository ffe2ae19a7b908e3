"""The rules of routine and emergency: frozen dataclasses and pure functions."""

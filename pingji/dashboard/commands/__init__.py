"""The one write door: load → pure rule → save → commit, then every screen hears of it."""

from pingji.dashboard.commands.mode import (
    PLACE_STATUS,
    NothingOpen,
    StatusNotAllowed,
    UnknownPlace,
    recall,
    set_place_status,
    switch_mode,
)

__all__ = [
    "PLACE_STATUS",
    "NothingOpen",
    "StatusNotAllowed",
    "UnknownPlace",
    "recall",
    "set_place_status",
    "switch_mode",
]

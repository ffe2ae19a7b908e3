"""The colours of the map, each with the one meaning that it has on every screen."""

# Danger grades are fixed by the field; nothing else on the map is yellow, orange or red.
GRADES = {"danger": "#FFFF00", "high": "#FF7F00", "extreme": "#FF0000"}

ACCOUNTED = "#1FA89A"
IN_TRANSIT = "#4C8DFF"
GUARDING = "#8E6CEF"
UNLOCATED = "#FF2E88"

PAPER = "#F6F3EB"  # ground of the routine map
INK = "#2B3440"
INK_SOFT = "#5B6470"
RULE = "#A9A596"  # borders on paper
WATER = "#7FA6BD"
ORGANISATION = "#2F4B7C"  # committees, Party households, posts

NIGHT = "#0D131A"  # ground of the emergency map
HAIRLINE = "#33404D"
CHALK = "#EEF2F5"  # strokes and hollow shapes at night
CHALK_SOFT = "#8494A3"
WATER_NIGHT = "#2F5672"

"""The organisation: units and posts bound to the map, who commands, who is missing, who acts when nobody answers."""

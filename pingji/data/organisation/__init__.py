"""The organisation as stored: the tree over the map's places, posts, calls, committees, sponsors, and the workbook."""

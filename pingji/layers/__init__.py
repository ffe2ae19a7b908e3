"""What the map shows: one module a layer, listed by `catalog`."""

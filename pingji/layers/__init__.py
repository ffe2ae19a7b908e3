"""What the map shows: one module a layer, and the catalog that lists them."""

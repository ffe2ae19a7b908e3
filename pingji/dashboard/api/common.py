"""What several routes share."""

NO_NUL = r"^[^\x00]*$"  # PostgreSQL has no text with a NUL in it
NO_CONTROLS = r"^[^\x00-\x1f\x7f]*$"

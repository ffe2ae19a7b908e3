"""The organisation as a workbook: read as counties keep it, planned, carried out, and written again."""

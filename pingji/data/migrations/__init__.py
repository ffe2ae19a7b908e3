"""The history of the tables (Alembic), one for both engines; run by `pingji.data.schema`."""

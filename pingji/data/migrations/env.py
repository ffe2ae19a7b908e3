"""Alembic's entry: runs revisions on the connection that `pingji.data.schema` hands over."""

from alembic import context
from geoalchemy2 import alembic_helpers

from pingji.data.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_object=alembic_helpers.include_object,
    render_item=alembic_helpers.render_item,
    # SQLite can roll DDL back as well: half an upgrade never stays.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()

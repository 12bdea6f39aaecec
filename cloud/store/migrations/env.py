"""Alembic runs this for each migration; the connection is handed in by :mod:`cloud.store.migrate`."""

from alembic import context

from cloud.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()

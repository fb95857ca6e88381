"""Runs migrations on the connection that `billing.migrate` hands over."""

from alembic import context

from billing.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()

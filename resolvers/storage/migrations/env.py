"""Runs around the steps: they get the connection, and the transaction, of `migrate`."""

from alembic import context

from resolvers.storage.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()

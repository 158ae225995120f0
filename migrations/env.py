"""Alembic's entry: runs the numbered migrations over the connection that gateway.store.migrate opened."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()

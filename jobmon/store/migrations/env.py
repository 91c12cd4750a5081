"""How Alembic reaches the database: over the connection that jobmon.store.database hands it."""

from alembic import context

from jobmon.store.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()

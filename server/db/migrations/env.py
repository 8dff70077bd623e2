"""How Alembic reaches the database: one connection, one transaction, the models' metadata."""

from alembic import context

from server.db.engine import make_engine
from server.db.tables import metadata

engine = make_engine(context.config.attributes["url"])
with engine.connect() as connection:
    sqlite = engine.dialect.name == "sqlite"
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=sqlite)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()

"""How Alembic reaches the database: one connection, one transaction, the models' metadata."""

from alembic import context
from sqlalchemy import event

from server.db.engine import make_engine
from server.db.tables import metadata

engine = make_engine(context.config.attributes["url"])
sqlite = engine.dialect.name == "sqlite"
if sqlite:
    # SQLite changes a table by making it anew, and may not drop one that others refer to. What they refer to
    # is checked at the end instead.
    event.listen(engine, "connect", lambda found, _record: found.execute("PRAGMA foreign_keys=OFF"))
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=sqlite)
    with context.begin_transaction():
        context.run_migrations()
        if sqlite and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all()):
            raise RuntimeError(f"the migration left rows that refer to nothing: {broken[:5]}")
engine.dispose()

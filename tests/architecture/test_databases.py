"""The test databases themselves: each test its own rows, the newest schema, on the database it asked for."""

from __future__ import annotations

import databases
import pytest
import sqlalchemy as sa


@pytest.fixture
def connection(database_url: str):
    engine = sa.create_engine(database_url)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


class TestATestDatabase:
    def test_is_of_the_kind_its_name_says(self, database_engine: databases.Engine, connection: sa.Connection):
        assert connection.dialect.name == database_engine

    def test_has_been_migrated(self, connection: sa.Connection):
        assert connection.scalar(sa.text("SELECT count(*) FROM alembic_version")) == 1

    @pytest.mark.parametrize("turn", ["first", "second"])
    def test_shows_nothing_of_another_test(self, connection: sa.Connection, turn: str):
        assert "mark" not in sa.inspect(connection).get_table_names()
        connection.execute(sa.text("CREATE TABLE mark (id integer)"))

    def test_may_be_one_without_tables(self, empty_database_url: str):
        engine = sa.create_engine(empty_database_url)
        assert sa.inspect(engine).get_table_names() == []
        engine.dispose()

    def test_is_gone_afterwards(self, tmp_path):
        with databases.migrated_database("postgresql", tmp_path) as url:
            sa.create_engine(url, poolclass=sa.NullPool).connect().close()
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        with pytest.raises(sa.exc.OperationalError, match="does not exist"):
            engine.connect()

"""Tests get their PostgreSQL database from the test before: nothing of that may be left in it."""

from __future__ import annotations

import psycopg
import pytest
from as_made import remember, restore
from sqlalchemy.engine import make_url


@pytest.fixture
def connection(postgresql_url: str):
    address = make_url(postgresql_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        yield connection


def contents(connection: psycopg.Connection) -> object:
    made = remember(connection)
    return made.rows, made.sequences


class TestADatabaseThatWasWrittenTo:
    def test_is_as_it_was_made(self, connection):
        made = remember(connection)
        before = contents(connection)
        connection.execute("INSERT INTO vendor VALUES (gen_random_uuid(), 'Fibre Ltd', 'a@example.com')")
        connection.execute("INSERT INTO plan_drives VALUES ('abc', '')")
        connection.execute("DELETE FROM history")
        connection.execute("SELECT nextval('feed_seq_seq')")
        assert contents(connection) != before

        assert restore(connection, made)

        assert contents(connection) == before

    def test_whose_schema_was_changed_is_not_used_again(self, connection):
        made = remember(connection)
        connection.execute("ALTER TABLE history ADD COLUMN more text")

        assert not restore(connection, made)

    def test_that_somebody_holds_is_let_go(self, connection, postgresql_url):
        made = remember(connection)
        with psycopg.connect(connection.info.dsn) as other:
            other.execute("LOCK TABLE history IN ACCESS EXCLUSIVE MODE")

            assert restore(connection, made)

            with pytest.raises(psycopg.OperationalError):
                other.execute("SELECT 1")
            other.close()

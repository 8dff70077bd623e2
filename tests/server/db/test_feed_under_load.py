"""One transaction stays open while 10,000 others commit: the feed on PostgreSQL skips and repeats nothing.

SQLite has one writer, so there nobody can commit meanwhile; tests/server/db/test_feed.py covers it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from world import settle

from server import metrics
from server.db import feed
from server.db.engine import Database
from server.db.feed import Position

STARTED = datetime(2026, 11, 16, 10, 0, tzinfo=UTC)
OTHERS, WRITERS, BY_THE_PRODUCT = 10_000, 4, 100
"""`BY_THE_PRODUCT` of each writer's come through feed.append, the rest as the same row by plain SQL."""
READERS = 3


@pytest.fixture
def database(postgresql_url: str) -> Iterator[Database]:
    made = Database(postgresql_url)
    yield made
    made.close()


def tell(session: object, key: object, at: datetime = STARTED) -> None:
    feed.append(session, ["a"], "thing", key, "Changed", at=at, actor="x")  # type: ignore[arg-type]


class Reader(threading.Thread):
    """Pulls by cursor until told that there is no more to come."""

    def __init__(self, database: Database, start: Position, over: threading.Event) -> None:
        super().__init__()
        self._database, self._over = database, over
        self.position = start
        self.seen: list[str] = []
        self.pages = 0
        self.went_back = False
        self.start()

    def run(self) -> None:
        while True:
            last = self._over.is_set()
            while self._pull():
                pass
            if last:
                return
            time.sleep(0.01)

    def _pull(self) -> int:
        with self._database.read() as session:
            page = feed.read(session, ["a"], self.position, limit=173)
        for change in page:
            self.went_back |= change.position <= self.position
            self.position = change.position
            self.seen.append(change.key)
        self.pages += 1
        return len(page)


def commit_many(database: Database, writer: int, count: int) -> None:
    """`count` transactions of one row each, one after another on one connection."""
    for number in range(BY_THE_PRODUCT):
        with database.write() as session:
            tell(session, f"{writer}-{number}")
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(
            text(f"""DO $$ BEGIN FOR number IN {BY_THE_PRODUCT}..{count - 1} LOOP
                INSERT INTO feed (xid, scope, kind, key, topic, at, actor, facts)
                VALUES (pg_current_xact_id()::text::bigint, 'a', 'thing', '{writer}-' || number, 'Changed',
                        '{STARTED.isoformat()}', 'x', '{{}}');
                COMMIT;
            END LOOP; END $$""")
        )


@contextmanager
def readers(database: Database, count: int, start: Position) -> Iterator[list[Reader]]:
    over = threading.Event()
    made = [Reader(database, start, over) for _ in range(count)]
    try:
        yield made
    finally:
        settle(database)
        over.set()
        for reader in made:
            reader.join()


class TestATransactionThatStaysOpenWhileTenThousandCommit:
    def test_is_read_after_its_commit_and_nothing_is_skipped_or_repeated(self, database: Database):
        with database.write() as session:
            tell(session, "before")
        settle(database)
        with database.writing() as held, readers(database, READERS, Position()) as following:
            tell(held, "held")
            held.flush()
            writers = [
                threading.Thread(target=commit_many, args=(database, number, OTHERS // WRITERS))
                for number in range(WRITERS)
            ]
            for thread in writers:
                thread.start()
            for thread in writers:
                thread.join()
            with database.read() as session:
                committed = session.scalar(text("SELECT count(DISTINCT xid) FROM feed WHERE key LIKE '%-%'"))
                snapshot = feed.head(session)
                waits = feed.held_back(session, Position())
                gauge = metrics.lag(session, STARTED + timedelta(seconds=42))
            read_while_open = [list(reader.seen) for reader in following]
            held.commit()
        with readers(database, 1, snapshot) as late:
            pass

        assert committed == OTHERS, "each in a transaction of its own"
        assert waits
        assert gauge == 42.0, "the gauge tells the age of the oldest change that nobody may read yet"
        assert read_while_open == [["before"]] * READERS, "all others began after the one that is open"
        everything = {"before", "held"} | {
            f"{writer}-{number}" for writer in range(WRITERS) for number in range(OTHERS // WRITERS)
        }
        for reader in following:
            assert len(reader.seen) == OTHERS + 2, "nothing twice"
            assert set(reader.seen) == everything, "nothing skipped"
            assert reader.seen[:2] == ["before", "held"], "in order of the transactions"
            assert not reader.went_back
        assert set(late[0].seen) == everything - {"before"}, "who began in the middle is told of the open one"
        assert len(late[0].seen) == OTHERS + 1
        with database.read() as session:
            assert not feed.held_back(session, Position())
            assert metrics.lag(session, STARTED + timedelta(seconds=60)) == 0.0


class TestATransactionThatIsForgotten:
    def test_is_ended_by_the_database_and_the_feed_goes_on(self, database: Database):
        with database.writing() as forgotten:
            tell(forgotten, "forgotten")
            forgotten.flush()
            with database.write() as session:
                tell(session, "behind it")
            with database.read() as session:
                assert feed.read(session, ["a"], Position()) == [], "it holds the feed back"
            forgotten.execute(text("SET LOCAL idle_in_transaction_session_timeout = '300ms'"))
            settle(database)
            with database.read() as session:
                [change] = feed.read(session, ["a"], Position())
            assert change.key == "behind it"
            with pytest.raises(DBAPIError):
                forgotten.commit()
            forgotten.invalidate()
        with database.read() as session:
            assert [found.key for found in feed.read(session, ["a"], Position())] == ["behind it"]

    def test_is_waited_for_a_minute_at_most(self, database: Database):
        with database.write() as session:
            assert session.scalar(text("SHOW idle_in_transaction_session_timeout")) == "1min"

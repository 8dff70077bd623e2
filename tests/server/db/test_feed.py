"""The change feed: nothing skipped, nothing repeated, whoever commits late."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random

import pytest
from world import settle

from server.db import feed
from server.db.engine import Database
from server.db.feed import Position

NOW = datetime(2026, 11, 16, 10, 0, tzinfo=UTC)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    made = Database(database_url)
    yield made
    made.close()


@pytest.fixture
def postgresql(postgresql_url: str) -> Iterator[Database]:
    made = Database(postgresql_url)
    yield made
    made.close()


def tell(session: object, key: object, *scopes: str) -> None:
    feed.append(session, scopes or ("a",), "thing", key, "Changed", at=NOW, actor="x")  # type: ignore[arg-type]


def write(database: Database, *keys: object) -> None:
    with database.write() as session:
        for key in keys:
            tell(session, key)


def read(database: Database, after: Position = Position(), limit: int = 500) -> list[feed.Change]:  # noqa: B008 - frozen
    """What a reader sees once nobody else on the server holds it back."""
    settle(database)
    return look(database, after, limit)


def look(database: Database, after: Position = Position(), limit: int = 500) -> list[feed.Change]:  # noqa: B008 - frozen
    """What a reader sees now."""
    with database.read() as session:
        return feed.read(session, ["a"], after, limit)


def keys(changes: list[feed.Change]) -> list[str]:
    return [change.key for change in changes]


class TestReading:
    def test_gives_changes_in_the_order_they_were_committed(self, database: Database):
        write(database, 1, 2)
        write(database, 3)
        found = read(database)
        assert keys(found) == ["1", "2", "3"]
        assert [change.position for change in found] == sorted(change.position for change in found)

    def test_goes_on_after_a_position_and_repeats_nothing(self, database: Database):
        write(database, *range(5))
        first = read(database, limit=2)
        rest = read(database, first[-1].position)
        assert keys(first) + keys(rest) == ["0", "1", "2", "3", "4"]
        assert read(database, rest[-1].position) == []

    def test_shows_each_scope_its_own(self, database: Database):
        with database.write() as session:
            tell(session, "both", "a", "b", "a")
            tell(session, "other", "b")
        assert keys(read(database)) == ["both"], "a scope named twice is told once"
        settle(database)
        with database.read() as session:
            assert keys(feed.read(session, ["b"], Position())) == ["both", "other"]

    def test_keeps_what_was_said(self, database: Database):
        with database.write() as session:
            feed.append(session, ["a"], "order", 7, "Closed", at=NOW, actor="Ana", facts={"minutes": 5})
        [change] = read(database)
        assert (change.kind, change.key, change.topic, change.at, change.actor, change.facts) == (
            "order",
            "7",
            "Closed",
            NOW,
            "Ana",
            {"minutes": 5},
        )

    def test_shows_nothing_of_a_transaction_that_was_rolled_back(self, database: Database):
        with pytest.raises(RuntimeError), database.write() as session:
            tell(session, "never")
            raise RuntimeError
        write(database, "after")
        assert keys(read(database)) == ["after"]

    def test_from_the_head_gives_only_what_comes_later(self, database: Database):
        write(database, "before")
        settle(database)
        with database.read() as session:
            head = feed.head(session)
        assert read(database, head) == []
        write(database, "after")
        assert keys(read(database, head)) == ["after"]

    def test_from_the_head_of_an_empty_feed_gives_everything(self, database: Database):
        with database.read() as session:
            head = feed.head(session)
        write(database, "first")
        assert keys(read(database, head)) == ["first"]


class TestATransactionThatCommitsLate:
    """PostgreSQL draws numbers before the commit: "greater than my last" would skip this one for ever."""

    def test_is_waited_for_and_never_skipped(self, postgresql: Database):
        with postgresql.writing() as late:
            tell(late, "late")
            late.flush()
            write(postgresql, "early")
            assert keys(look(postgresql)) == [], "the early one waits below the horizon"
            late.commit()
        assert keys(read(postgresql)) == ["late", "early"]

    def test_holds_back_only_what_began_after_it(self, postgresql: Database):
        write(postgresql, "long ago")
        settle(postgresql)
        with postgresql.writing() as late:
            tell(late, "late")
            late.flush()
            write(postgresql, "early")
            first = look(postgresql)
            assert keys(first) == ["long ago"]
            late.commit()
        assert keys(read(postgresql, first[-1].position)) == ["late", "early"]

    def test_is_given_to_who_took_a_snapshot_meanwhile(self, postgresql: Database):
        with postgresql.writing() as late:
            tell(late, "late")
            late.flush()
            write(postgresql, "early")
            with postgresql.read() as session:
                head = feed.head(session)
            late.commit()
        assert keys(read(postgresql, head)) == ["late", "early"], "early again is harmless, late is needed"

    def test_and_rolls_back_lets_the_others_through(self, postgresql: Database):
        with postgresql.writing() as late:
            tell(late, "never")
            late.flush()
            write(postgresql, "early")
            late.rollback()
        assert keys(read(postgresql)) == ["early"]


class TestManyWritersAndOneReader:
    def test_every_change_is_read_exactly_once(self, database: Database):
        writers, each = 8, 25
        done = threading.Event()

        def work(number: int) -> None:
            random = Random(number)
            for step in range(each):
                with database.writing() as session:
                    tell(session, f"{number}-{step}")
                    session.flush()
                    if random.random() < 0.3:
                        threading.Event().wait(random.random() / 100)  # hold the number, commit later
                    session.rollback() if random.random() < 0.1 else session.commit()

        threads = [threading.Thread(target=work, args=(number,)) for number in range(writers)]
        for thread in threads:
            thread.start()

        def wait_for_all() -> None:
            for thread in threads:
                thread.join()
            done.set()

        threading.Thread(target=wait_for_all).start()
        seen: list[str] = []
        position = Position()
        while True:
            if finished := done.is_set():
                settle(database)
            found = look(database, position, limit=7)
            seen += keys(found)
            position = found[-1].position if found else position
            if finished and not found:
                break
        assert len(seen) == len(set(seen)), "a change was repeated"
        assert sorted(seen) == sorted(keys(read(database))), "a change was skipped"
        assert len(seen) > writers * each * 0.7


class TestAPosition:
    def test_is_written_and_read_back(self):
        assert Position.parse(str(Position(12, 345))) == Position(12, 345)

    @pytest.mark.parametrize("text", ["", "1", ".", "a.b", "1.b", "-1.0", "0.-1", f"{2**63}.0", f"0.{2**63}"])
    def test_that_no_feed_has_is_refused(self, text: str):
        with pytest.raises(ValueError):
            Position.parse(text)

    def test_sorts_by_transaction_first(self):
        assert sorted([Position(2, 1), Position(1, 9), Position(1, 2)]) == [
            Position(1, 2),
            Position(1, 9),
            Position(2, 1),
        ]

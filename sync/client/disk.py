"""The phone's SQLite file: transactions that are durable or did not happen, and settings by name."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from sync.client.records import NotSaved


class Disk:
    """One connection, owned by this object. `flush` is called after each commit."""

    def __init__(self, connection: sqlite3.Connection, flush: Callable[[], None]) -> None:
        self._db = connection
        self._flush = flush
        connection.isolation_level = None  # transactions begin where we say so
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA secure_delete=ON")  # what is deleted is overwritten

    def execute(self, statement: str, values: tuple[Any, ...] | Mapping[str, Any] = ()) -> sqlite3.Cursor:
        return self._db.execute(statement, values)

    def execute_many(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        self._db.executemany(statement, rows)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and durable on a clean exit. Raises NotSaved."""
        with self.saving() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("COMMIT")

    @contextlib.contextmanager
    def saving(self) -> Iterator[sqlite3.Connection]:
        """For what opens its own transactions. Raises NotSaved, with nothing left open."""
        try:
            if self._db.in_transaction:  # an earlier rollback failed too
                self._db.execute("ROLLBACK")
            yield self._db
        except sqlite3.Error as error:
            raise NotSaved(
                f"This device could not save it ({error}). Free some space, then try again"
            ) from error
        finally:
            if self._db.in_transaction:
                with contextlib.suppress(sqlite3.Error):  # the first error is the one to tell
                    self._db.execute("ROLLBACK")
        self._flush()

    def reusable(self) -> int:
        """Bytes that hold nothing: the file never gets smaller, but what comes next goes there first."""
        (pages,), (size,) = (
            self.execute(f"PRAGMA {of}").fetchone() for of in ("freelist_count", "page_size")
        )
        return int(pages) * int(size)

    def setting(self, name: str) -> str | None:
        row = self.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def set(self, name: str, value: str | None) -> None:
        """Within a transaction. None forgets it."""
        if value is None:
            self.execute("DELETE FROM setting WHERE name = ?", (name,))
        else:
            self.execute("INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)", (name, value))

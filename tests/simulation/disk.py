"""The phone's disk: SQLite that fails at the n-th write when told so, once or for good."""

from __future__ import annotations

import sqlite3
from typing import Any

WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE", "CREATE", "ALTER", "COMMIT", "PRAGMA USER_VERSION")


class PhoneDied(BaseException):
    """The process is gone, between two writes or while it waited. Nothing of it runs any further."""


class PhoneDisk(sqlite3.Connection):
    """In memory, but it survives the process: `power_on` is what a fresh process finds.

    What was committed is there, what was not is rolled back, as SQLite does from its journal. In a browser
    only what was flushed after the commit is there (`flushes` is set).
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._dies_in: int | None = None
        self._full_in: int | None = None
        self._dead = False
        self._safe = b""
        self.flushes = False
        self.writes = 0
        self.full = False

    def die_at_write(self, number: int | None) -> None:
        """The `number`-th write from now on, or the commit, is the last thing this process tries."""
        self._dies_in = number

    def fill_up_at_write(self, number: int | None) -> None:
        """From the `number`-th write on there is no space, until `make_room`."""
        self._full_in = number

    def make_room(self) -> None:
        self._full_in, self.full = None, False

    def power_off(self) -> None:
        self._dead = True

    def power_on(self) -> PhoneDisk:
        """The disk as the next process finds it."""
        if self.flushes and self._safe:
            return self._as_flushed()
        self._dead, self._dies_in = False, None
        if self.in_transaction:
            super().execute("ROLLBACK")
        return self

    def _as_flushed(self) -> PhoneDisk:
        fresh = new_disk()
        loader = sqlite3.connect(":memory:")
        loader.deserialize(self._safe)
        loader.backup(fresh)
        loader.close()
        fresh.flushes, fresh._safe = True, self._safe
        fresh.full, fresh._full_in = self.full, self._full_in
        self.close()
        return fresh

    def flush(self) -> None:
        """What the product calls when a commit has to be durable."""
        if self._dead:
            raise PhoneDied
        if self.flushes:
            self._safe = self.serialize()

    def image(self) -> bytes:
        """All that somebody who takes the phone apart could read."""
        return self.serialize() + self._safe

    def _meet_fate(self, statement: str) -> None:
        if self._dead:
            raise PhoneDied
        if not statement.lstrip().upper().startswith(WRITES):
            return
        self.writes += 1
        if self._dies_in is not None:
            self._dies_in -= 1
            if self._dies_in <= 0:
                self._dead = True
                raise PhoneDied
        if self._full_in is not None:
            self._full_in -= 1
            self.full = self.full or self._full_in <= 0
        if self.full:
            raise sqlite3.OperationalError("database or disk is full")

    def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:  # type: ignore[override]
        self._meet_fate(sql)
        return super().execute(sql, *arguments)

    def executemany(self, sql: str, *arguments: Any) -> sqlite3.Cursor:  # type: ignore[override]
        self._meet_fate(sql)
        return super().executemany(sql, *arguments)

    def executescript(self, sql: str) -> sqlite3.Cursor:  # type: ignore[override]
        self._meet_fate(sql)
        return super().executescript(sql)

    def commit(self) -> None:
        self._meet_fate("COMMIT")
        super().commit()


def new_disk() -> PhoneDisk:
    return sqlite3.connect(":memory:", factory=PhoneDisk)

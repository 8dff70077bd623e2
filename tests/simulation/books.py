"""The server's rows read without the server's code, for those who choose and for those who check."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any
from uuid import UUID


class Books:
    """A reader of its own on the server's file. Ids are 32 hex digits, as SQLite keeps them."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._connection: sqlite3.Connection | None = None

    def rows(self, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
        if self._connection is None:
            self._connection = sqlite3.connect(self._file, isolation_level=None)
        return self._connection.execute(query, arguments).fetchall()

    def value(self, query: str, *arguments: Any) -> Any:
        return self.rows(query, *arguments)[0][0]

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def order_ids(self) -> list[str]:
        return [row[0] for row in self.rows("SELECT id FROM work_order ORDER BY number")]

    def services(self) -> list[tuple[str, str]]:
        return [(row[0], row[1]) for row in self.rows("SELECT id, customer_id FROM service ORDER BY id")]

    def held_and_open(self) -> list[str]:
        query = "SELECT id FROM command WHERE outcome = 'held' AND resolved_at IS NULL ORDER BY id"
        return [row[0] for row in self.rows(query)]

    def json(self, text: str | None) -> Any:
        return json.loads(text) if text else None


def key(id: UUID | str) -> str:
    """A UUID as it lies in the file."""
    return UUID(str(id)).hex

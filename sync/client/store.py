"""The phone's database."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable


class ClientStore:
    """Images, outbox, receipts, evidence and settings in one SQLite file.

    `flush` is called after each commit that something is told about (the browser needs it).
    """

    def __init__(self, connection: sqlite3.Connection, flush: Callable[[], None] = lambda: None) -> None:
        raise NotImplementedError

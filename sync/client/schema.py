"""The tables of the phone's database, and how an older one becomes today's."""

from __future__ import annotations

import sqlite3

from sync.client.records import NewerStore

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
        # A row as the server last sent it. departed: out of our scope, kept for the unsent work on it.
        """CREATE TABLE image (
            kind TEXT NOT NULL, key TEXT NOT NULL, departed INTEGER NOT NULL DEFAULT 0, body BLOB NOT NULL,
            PRIMARY KEY (kind, key)) WITHOUT ROWID""",
        # outcome NULL: unsent. echo_due: decided, but the server's rows that show it have not all come.
        # AUTOINCREMENT: a number that was ever used is never given out again.
        """CREATE TABLE command (
            seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, type TEXT NOT NULL,
            schema INTEGER NOT NULL, made_at TEXT NOT NULL, base_version INTEGER NOT NULL,
            work_order_id TEXT NOT NULL, order_number TEXT NOT NULL, body BLOB NOT NULL,
            outcome TEXT, decided_at TEXT, slug TEXT, detail TEXT, remarks BLOB,
            echo_due INTEGER NOT NULL DEFAULT 0)""",
        "CREATE INDEX command_unsent ON command (seq) WHERE outcome IS NULL",
        # What a command speaks of: rows and files that must outlive its wait.
        """CREATE TABLE reference (
            kind TEXT NOT NULL, key TEXT NOT NULL,
            seq INTEGER NOT NULL REFERENCES command (seq) ON DELETE CASCADE,
            PRIMARY KEY (kind, key, seq)) WITHOUT ROWID""",
        # unsent → offered (the server took the bytes) → sent (a later answer no longer asks for them).
        """CREATE TABLE evidence (
            digest TEXT PRIMARY KEY, media_type TEXT NOT NULL, state TEXT NOT NULL, kept_at TEXT NOT NULL,
            refusals INTEGER NOT NULL DEFAULT 0, detail TEXT, body BLOB NOT NULL)""",
    ),
)
"""One entry a version; each runs in one transaction, with `user_version` as its last statement."""


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the database to today's tables. Raises NewerStore."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(MIGRATIONS):
        raise NewerStore("The data on this device is from a newer app. Update the app.")
    for number, statements in enumerate(MIGRATIONS[version:], start=version + 1):
        connection.execute("BEGIN IMMEDIATE")
        for statement in statements:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")

"""The tables of the phone's database, and how an older one becomes today's."""

from __future__ import annotations

import sqlite3

from sync.client.records import NewerStore

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
        # A row as the server last sent it. departed 1: out of our scope, kept for the unsent work on it.
        # departed 2: a whole snapshot is on its way and has not brought it yet.
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
    (
        # Columns are only added, so what waits in an older app's outbox stays where it is.
        "ALTER TABLE command ADD COLUMN made_mono_ms INTEGER",
        "ALTER TABLE command ADD COLUMN boot TEXT",
        "ALTER TABLE command ADD COLUMN hlc TEXT",
        "ALTER TABLE command ADD COLUMN technician_id TEXT",
        "UPDATE command SET technician_id = (SELECT value FROM setting WHERE name = 'technician_id')",
        # confirm: it has its receipt, and a server that was restored from a backup is asked once more.
        "ALTER TABLE command ADD COLUMN confirm INTEGER NOT NULL DEFAULT 0",
        "DROP INDEX command_unsent",
        "CREATE INDEX command_due ON command (seq) WHERE outcome IS NULL OR confirm",
        "CREATE INDEX command_echo ON command (work_order_id) WHERE echo_due",
        "DELETE FROM setting WHERE name = 'clock_offset_seconds'",  # measured anew at the next contact
        # How far a file has come, so that an app that is started again goes on from there. State recheck:
        # it was sent, and the server was restored from a backup that may be older.
        "ALTER TABLE evidence ADD COLUMN upload_path TEXT",
        "ALTER TABLE evidence ADD COLUMN upload_offset INTEGER NOT NULL DEFAULT 0",
        # Who had this device before, with the token that their unsent work goes with.
        """CREATE TABLE aside (
            technician_id TEXT PRIMARY KEY, technician_name TEXT NOT NULL, device_id TEXT NOT NULL,
            token TEXT NOT NULL) WITHOUT ROWID""",
    ),
    (
        # What was begun on the screen and is no command yet: a count, what is offered to a colleague. From
        # this version on, command.work_order_id is empty for what is about the van and no job.
        "CREATE TABLE draft (name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID",
    ),
)
"""One entry a version. What is missing runs in one transaction, with `user_version` as its last statement."""


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the database to today's tables. Raises NewerStore."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(MIGRATIONS):
        raise NewerStore("The data on this device is from a newer app. Update the app.")
    if version == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    for statements in MIGRATIONS[version:]:
        for statement in statements:
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    connection.execute("COMMIT")

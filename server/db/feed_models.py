"""The change feed, receipts of commands, and the identity of this database's history."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from server.db.base import Base, Serial


class HistoryRow(Base):
    """One row: which history this is. A restore draws a new epoch, so that no old cursor is honoured."""

    __tablename__ = "history"
    id: Mapped[int] = mapped_column(primary_key=True)
    epoch: Mapped[str]
    identity: Mapped[str | None]  # PostgreSQL's system identifier and timeline, to notice a restore
    cursor_key: Mapped[str]  # what cursors are sealed with: in every backup, and the same in every epoch
    compacted_xid: Mapped[int] = mapped_column(BigInteger, default=0)
    compacted_seq: Mapped[int] = mapped_column(BigInteger, default=0)


class FeedRow(Base):
    """Something changed that `scope` may see. Written in the transaction that changed it.

    `xid` is PostgreSQL's transaction number (0 on SQLite): the cursor is (xid, seq), see server/db/feed.py.
    """

    __tablename__ = "feed"
    seq: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    xid: Mapped[int] = mapped_column(BigInteger)
    scope: Mapped[str]
    kind: Mapped[str]
    key: Mapped[str]
    topic: Mapped[str]
    at: Mapped[datetime]
    actor: Mapped[str]
    facts: Mapped[dict[str, Any]]
    __table_args__ = (
        Index("ix_feed_scope_xid_seq", "scope", "xid", "seq"),
        Index("ix_feed_xid_seq", "xid", "seq"),
        {"sqlite_autoincrement": True},
    )


class EntryRow(Base):
    """Rows that came in from outside the rules, in one transaction. See server/db/entries.py.

    `number` is one of the command log's. `body`: a JSON list of (insert, update or delete, table, values).
    """

    __tablename__ = "entry"
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    opening: Mapped[bool]
    body: Mapped[str] = mapped_column(Text)


class CommandRow(Base):
    """A command as it came, and its one receipt. Kept for ever; a held one waits here for a dispatcher.

    `number` is the order in which the log can be replayed: it is drawn as the last act of a transaction, with
    every lock still held, so of two commands that touch one thing the later has the higher number.
    `origin`: "field" (a phone), "office" (a person or the plan; with a device: held work that was booked for
    its technician), "report" (the same, decided as a report), "agreed" (the same, about a van's stock, and
    however far off), "entry" (rows brought in from outside).
    """

    __tablename__ = "command"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, unique=True)
    origin: Mapped[str]
    device_id: Mapped[UUID | None] = mapped_column(ForeignKey("device.id"))
    actor: Mapped[str]
    seq: Mapped[int]
    type: Mapped[str]
    schema_version: Mapped[int]
    work_order_id: Mapped[UUID | None] = mapped_column(index=True)
    body: Mapped[str] = mapped_column(Text)
    digest: Mapped[str]
    base_version: Mapped[int]
    made_at: Mapped[datetime]
    made_mono_ms: Mapped[int | None] = mapped_column(BigInteger)  # by the device's clock that nobody can set
    boot: Mapped[str | None]  # the run of that clock
    hlc: Mapped[str | None]  # hybrid logical time, see shared/clocks.py
    happened_at: Mapped[datetime]  # made_at, corrected for the device's clock
    decided_at: Mapped[datetime]
    outcome: Mapped[str]
    slug: Mapped[str | None]
    detail: Mapped[str | None] = mapped_column(Text)
    remarks: Mapped[list[Any]]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[str | None]
    resolution: Mapped[str | None]  # accepted, corrected or dismissed
    resolution_detail: Mapped[str | None] = mapped_column(Text)
    resolved_as: Mapped[UUID | None]  # the command that was booked in its place
    __table_args__ = (
        Index("ix_command_device_id_seq", "device_id", "seq"),
        Index("ix_command_outcome_resolved_at", "outcome", "resolved_at"),
        Index("ix_command_happened_at", "happened_at"),
    )

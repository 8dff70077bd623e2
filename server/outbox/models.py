"""What waits to leave the database, and who asked for webhooks."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from server.db.base import Base, Serial


class MessageState(StrEnum):
    """Where a message is on its way out."""

    QUEUED = "queued"
    SENT = "sent"
    DEAD = "dead"  # given up; waits for a person
    DROPPED = "dropped"  # a person decided that it is not sent


WEBHOOK = "webhook"
"""The channel of messages to somebody's address; the others ("sms", "email") are those of notices."""


class WebhookRow(Base):
    """Somebody's address that is told of events. `topics`: CloudEvents types; empty means all.

    `failures` counts those since the last success; until `paused_until` nothing is sent there, so that an
    address that is down holds up nobody else.
    """

    __tablename__ = "webhook"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    url: Mapped[str]
    secret: Mapped[str]  # of Standard Webhooks: "whsec_…"; needed in clear to sign
    topics: Mapped[list[Any]]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    disabled_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)
    paused_until: Mapped[datetime | None]


class OutboxRow(Base):
    """One message on its way out, written in the transaction that caused it. Its id is the idempotency key.

    Messages of one `key` leave in order of `seq`, which is drawn while what they are about is locked.
    `payload` is a webhook's CloudEvent; what a notice says stays in the notice. `tries` counts claims, so
    that a message that kills its sender is given up too. `decided_by`: who sent it again or dropped it.
    """

    __tablename__ = "outbox"
    seq: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    id: Mapped[UUID] = mapped_column(unique=True)
    channel: Mapped[str]
    key: Mapped[str]
    topic: Mapped[str]
    webhook_id: Mapped[UUID | None] = mapped_column(ForeignKey("webhook.id"))
    notice_id: Mapped[UUID | None] = mapped_column(ForeignKey("notice.id"))
    payload: Mapped[dict[str, Any]]
    queued_at: Mapped[datetime]
    not_before: Mapped[datetime]
    tries: Mapped[int]
    leased_until: Mapped[datetime | None]
    leased_by: Mapped[str | None]
    state: Mapped[str]
    last_error: Mapped[str | None] = mapped_column(Text)
    done_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    __table_args__ = (
        Index("ix_outbox_state_not_before", "state", "not_before"),
        Index("ix_outbox_key_state_seq", "key", "state", "seq"),
        {"sqlite_autoincrement": True},
    )

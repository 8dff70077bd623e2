"""What waits to leave the database, and who asked for webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from server.db.base import Base


class WebhookRow(Base):
    """Somebody's address that is told of events. `topics`: CloudEvents types; empty means all."""

    __tablename__ = "webhook"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    url: Mapped[str]
    secret: Mapped[str]  # of Standard Webhooks: "whsec_…"; needed in clear to sign
    topics: Mapped[list[Any]]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    disabled_at: Mapped[datetime | None]


class OutboxRow(Base):
    """One message on its way out, written in the transaction that caused it. Its id is the idempotency key.

    `channel`: "notice" (Apprise: SMS, mail or chat to a customer) or "webhook". Messages of one `key` leave
    in order of `id`. `state`: queued, sent or dead; a dead one waits for a person.
    """

    __tablename__ = "outbox"
    id: Mapped[UUID] = mapped_column(primary_key=True)
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
    __table_args__ = (Index("ix_outbox_state_not_before", "state", "not_before"),)

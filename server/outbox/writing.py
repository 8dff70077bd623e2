"""Rows of the outbox, made of what happened and put into the transaction that caused it.

The builders are pure and take their ids from outside: who books a command derives them from its id, so that a
replay of the log makes the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from server.db.base import columns_of, table_of
from server.outbox.happenings import Happening, envelope
from server.outbox.models import WEBHOOK, MessageState, OutboxRow, WebhookRow

Mint = Callable[[], UUID]


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who wants to hear of what. `topics`: CloudEvents types, empty for all."""

    webhook_id: UUID
    topics: frozenset[str] = frozenset()

    def wants(self, happening: Happening) -> bool:
        return not self.topics or happening.type in self.topics


def outbox_row_for_notice(notice: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """The way out of one notice, given as its columns. Its id is the notice's own: a notice leaves once."""
    return _row(
        notice["id"],
        channel=notice["channel"],
        key=f"customer {notice['customer_id']}",
        topic=notice["template"],
        at=at,
        notice_id=notice["id"],
    )


def webhook_rows(
    subscriptions: Sequence[Subscription],
    happenings: Sequence[Happening],
    at: datetime,
    mint: Mint,
    source: str,
) -> list[dict[str, Any]]:
    """A row for each who wants to hear of it, in order. `source`: our address, as CloudEvents name us."""
    return [
        webhook_row(subscription.webhook_id, happening, mint(), at, source)
        for happening in happenings
        for subscription in subscriptions
        if subscription.wants(happening)
    ]


def webhook_row(
    webhook_id: UUID, happening: Happening, message_id: UUID, at: datetime, source: str
) -> dict[str, Any]:
    return _row(
        message_id,
        channel=WEBHOOK,
        key=f"{webhook_id} {happening.subject}",  # one thing's events in order, to each who hears of it
        topic=happening.type,
        at=at,
        webhook_id=webhook_id,
        payload=envelope(happening, message_id, source),
    )


def _row(
    message_id: UUID,
    *,
    channel: str,
    key: str,
    topic: str,
    at: datetime,
    webhook_id: UUID | None = None,
    notice_id: UUID | None = None,
    payload: dict[str, Any] | None = None,
) -> dict[str, Any]:
    return {
        "id": message_id,
        "channel": channel,
        "key": key,
        "topic": topic,
        "webhook_id": webhook_id,
        "notice_id": notice_id,
        "payload": payload or {},
        "queued_at": at,
        "not_before": at,
        "tries": 0,
        "state": MessageState.QUEUED.value,
    }


_webhook = columns_of(WebhookRow)
_SUBSCRIPTIONS = (
    select(_webhook.id, _webhook.topics).where(_webhook.disabled_at.is_(None)).order_by(_webhook.id)
)


def subscriptions(session: Session) -> list[Subscription]:
    """Every webhook that is not switched off, oldest first."""
    return [
        Subscription(webhook_id, frozenset(topics)) for webhook_id, topics in session.execute(_SUBSCRIPTIONS)
    ]


def put(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Write `rows` in one statement. What they point to must have been flushed."""
    if rows:
        session.execute(insert(table_of(OutboxRow)), list(rows))

"""What the page "Outbox" shows, and a person's two decisions about a message: send it again, or drop it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from server.customers.models import NoticeRow
from server.outbox.models import MessageState, OutboxRow, WebhookRow
from server.work_orders.models import WorkOrderRow
from shared.problems import AlreadyClosed, NotFound

SHOWN_MAX = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One message. `to`: a webhook's host and which work order, or whose visit; no number, no address."""

    id: UUID
    channel: str
    topic: str
    to: str
    state: MessageState
    queued_at: datetime
    not_before: datetime
    done_at: datetime | None
    tries: int
    error: str | None
    decided_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookLine:
    """One webhook, without its secret. `waiting` and `dead`: messages for it."""

    id: UUID
    url: str
    topics: list[str]
    created_at: datetime
    created_by: str
    disabled_at: datetime | None
    paused_until: datetime | None
    failures: int
    waiting: int
    dead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    channel: str
    state: MessageState
    count: int


def counts(session: Session) -> list[Count]:
    """How many messages wait, or wait for a person, by channel."""
    open_ones = OutboxRow.state.in_([MessageState.QUEUED, MessageState.DEAD])
    query = select(OutboxRow.channel, OutboxRow.state, func.count()).where(open_ones)
    grouped = query.group_by(OutboxRow.channel, OutboxRow.state).order_by(OutboxRow.channel, OutboxRow.state)
    return [
        Count(channel=channel, state=MessageState(state), count=count)
        for channel, state, count in session.execute(grouped)
    ]


def lines(session: Session, state: MessageState, limit: int = SHOWN_MAX) -> list[Line]:
    """Waiting ones in the order they are due, others newest first."""
    order = OutboxRow.not_before if state is MessageState.QUEUED else OutboxRow.done_at.desc()
    query = (
        select(OutboxRow, WebhookRow.url, WorkOrderRow.number)
        .outerjoin(WebhookRow, WebhookRow.id == OutboxRow.webhook_id)
        .outerjoin(NoticeRow, NoticeRow.id == OutboxRow.notice_id)
        .outerjoin(WorkOrderRow, WorkOrderRow.id == NoticeRow.work_order_id)
        .where(OutboxRow.state == state)
        .order_by(order, OutboxRow.seq)
        .limit(limit)
    )
    return [
        Line(
            id=row.id,
            channel=row.channel,
            topic=row.topic,
            to=_at(url, row.payload) if url else f"customer of {number}",
            state=MessageState(row.state),
            queued_at=row.queued_at,
            not_before=row.not_before,
            done_at=row.done_at,
            tries=row.tries,
            error=row.last_error,
            decided_by=row.decided_by,
        )
        for row, url, number in session.execute(query)
    ]


def _at(url: str, event: dict[str, Any]) -> str:
    number = event.get("data", {}).get("number")
    return f"{number} at {urlsplit(url).netloc}" if number else urlsplit(url).netloc


def webhook_lines(session: Session) -> list[WebhookLine]:
    """Those in use first, then oldest first."""
    query = select(OutboxRow.webhook_id, OutboxRow.state, func.count()).where(
        OutboxRow.webhook_id.is_not(None), OutboxRow.state.in_([MessageState.QUEUED, MessageState.DEAD])
    )
    found = session.execute(query.group_by(OutboxRow.webhook_id, OutboxRow.state))
    open_ones = {(webhook_id, state): count for webhook_id, state, count in found}
    rows = session.scalars(select(WebhookRow).order_by(WebhookRow.disabled_at.is_not(None), WebhookRow.id))
    return [
        WebhookLine(
            id=row.id,
            url=row.url,
            topics=row.topics,
            created_at=row.created_at,
            created_by=row.created_by,
            disabled_at=row.disabled_at,
            paused_until=row.paused_until,
            failures=row.failures,
            waiting=open_ones.get((row.id, MessageState.QUEUED), 0),
            dead=open_ones.get((row.id, MessageState.DEAD), 0),
        )
        for row in rows
    ]


def retry(session: Session, message_id: UUID, *, by: str, at: datetime) -> None:
    """Send a dead letter again, with all its tries before it. Raises NotFound or AlreadyClosed."""
    values = {"state": MessageState.QUEUED, "tries": 0, "not_before": at, "done_at": None, "decided_by": by}
    _decide(session, message_id, [MessageState.DEAD], values)


def drop(session: Session, message_id: UUID, *, by: str, at: datetime) -> None:
    """Decide that a message is not sent; what waits behind it goes on. Raises NotFound or AlreadyClosed."""
    values = {"state": MessageState.DROPPED, "done_at": at, "decided_by": by}
    _decide(session, message_id, [MessageState.DEAD, MessageState.QUEUED], values)


def _decide(
    session: Session, message_id: UUID, states: Sequence[MessageState], values: dict[str, object]
) -> None:
    decided = (
        update(OutboxRow)
        .where(OutboxRow.id == message_id, OutboxRow.state.in_(states))
        .values(leased_until=None, leased_by=None, **values)
        .returning(OutboxRow.seq)
    )
    if session.scalar(decided) is None:
        state = session.scalar(select(OutboxRow.state).where(OutboxRow.id == message_id))
        if state is None:
            raise NotFound("There is no such message", subject=str(message_id))
        raise AlreadyClosed(f"This message is {state} already", subject=str(message_id))

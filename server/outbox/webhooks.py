"""Who is told of events: adding an address, trying it, switching it off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.clock import entropy, mint
from server.outbox.addresses import Boundary
from server.outbox.happenings import HELD, PING, PLACED, Happening, type_of
from server.outbox.models import WebhookRow
from server.outbox.signing import new_secret
from server.outbox.writing import put, webhook_row
from shared.events import Event
from shared.problems import AlreadyClosed, BadValue, NotFound

TOPICS: tuple[str, ...] = (PLACED, *(type_of(event) for event in Event.__args__), HELD)
"""Every type that one can ask for."""
WEBHOOKS_MAX = 50


def add(
    session: Session, url: str, topics: Sequence[str], *, by: str, at: datetime, boundary: Boundary
) -> WebhookRow:
    """A new webhook with a secret of its own, which is told once. Raises BadValue."""
    boundary.check_url(url)
    if unknown := sorted(set(topics) - set(TOPICS)):
        raise BadValue(f"There is no event {unknown[0]}", field="topics")
    in_use = select(func.count()).select_from(WebhookRow).where(WebhookRow.disabled_at.is_(None))
    if (session.scalar(in_use) or 0) >= WEBHOOKS_MAX:
        raise BadValue(f"There are {WEBHOOKS_MAX} webhooks. Switch one off first", field="url")
    row = WebhookRow(
        id=mint(),
        url=url,
        secret=new_secret(entropy),
        topics=sorted(set(topics)),
        created_at=at,
        created_by=by,
        disabled_at=None,
        failures=0,
        paused_until=None,
    )
    session.add(row)
    session.flush()
    return row


def ping(session: Session, webhook_id: UUID, *, by: str, at: datetime, source: str) -> UUID:
    """Queue a message that only says that the way is open; its id. Raises NotFound or AlreadyClosed."""
    row = _open(session, webhook_id)
    happening = Happening(type=PING, subject=str(row.id), at=at, data={"asked_by": by})
    message_id = mint()
    put(session, [webhook_row(row.id, happening, message_id, at, source)])
    row.paused_until = None  # somebody waits for the answer
    return message_id


def disable(session: Session, webhook_id: UUID, *, at: datetime) -> None:
    """Nothing more is sent there; what waits becomes dead letters. Raises NotFound or AlreadyClosed."""
    row = _open(session, webhook_id)
    row.disabled_at, row.paused_until = at, None


def enable(session: Session, webhook_id: UUID) -> None:
    """Send there again from now on. Raises NotFound."""
    row = _known(session, webhook_id)
    row.disabled_at, row.paused_until, row.failures = None, None, 0


def _open(session: Session, webhook_id: UUID) -> WebhookRow:
    row = _known(session, webhook_id)
    if row.disabled_at is not None:
        raise AlreadyClosed("This webhook is switched off", subject=str(webhook_id))
    return row


def _known(session: Session, webhook_id: UUID) -> WebhookRow:
    row = session.get(WebhookRow, webhook_id, with_for_update=True)
    if row is None:
        raise NotFound("There is no such webhook", subject=str(webhook_id))
    return row

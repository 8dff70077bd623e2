"""The outbox for programs. Every refusal is problem+json; every route needs the back office's permission."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from server.access.guard import database_of, require, settings_of
from server.access.people import Person
from server.access.roles import Permission
from server.clock import utc_now
from server.outbox import listing, webhooks
from server.outbox.addresses import Boundary
from server.outbox.listing import Count, Line, WebhookLine
from server.outbox.models import MessageState

router = APIRouter(prefix="/api", tags=["outbox"])

Keeper = Annotated[Person, Depends(require(Permission.MANAGE_OUTBOX), scope="function")]
Limit = Annotated[int, Query(ge=1, le=500)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbox:
    """`counts` is about all that waits; `messages` are those asked for."""

    counts: Sequence[Count]
    messages: Sequence[Line]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWebhook:
    """`topics`: event types as in docs/webhooks.md; none means all."""

    url: str
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedWebhook:
    """`secret` is told once."""

    id: UUID
    url: str
    topics: Sequence[str]
    secret: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinged:
    message_id: UUID


@router.get("/outbox")
def get_outbox(
    request: Request, person: Keeper, state: MessageState = MessageState.DEAD, limit: Limit = 100
) -> Outbox:
    """Messages on their way out; without `state` those that were given up."""
    with database_of(request).read() as session:
        return Outbox(counts=listing.counts(session), messages=listing.lines(session, state, limit))


@router.post("/outbox/{message_id}/retry", status_code=204)
def retry(request: Request, person: Keeper, message_id: UUID) -> Response:
    """Send a dead letter again. 409 when it is none."""
    with database_of(request).write() as session:
        listing.retry(session, message_id, by=person.name, at=utc_now())
    return Response(status_code=204)


@router.post("/outbox/{message_id}/drop", status_code=204)
def drop(request: Request, person: Keeper, message_id: UUID) -> Response:
    """Decide that a message is never sent. 409 when it was sent or dropped."""
    with database_of(request).write() as session:
        listing.drop(session, message_id, by=person.name, at=utc_now())
    return Response(status_code=204)


@router.get("/webhooks")
def get_webhooks(request: Request, person: Keeper) -> list[WebhookLine]:
    """Every webhook, those in use first. Secrets are not told again."""
    with database_of(request).read() as session:
        return listing.webhook_lines(session)


@router.post("/webhooks", status_code=201)
def add_webhook(request: Request, person: Keeper, body: NewWebhook) -> AddedWebhook:
    """Tell an address of events. Its secret is told only now."""
    boundary = Boundary(settings_of(request).webhook_networks)
    with database_of(request).write() as session:
        row = webhooks.add(session, body.url, body.topics, by=person.name, at=utc_now(), boundary=boundary)
    return AddedWebhook(
        id=row.id, url=row.url, topics=row.topics, secret=row.secret, created_at=row.created_at
    )


@router.post("/webhooks/{webhook_id}/ping", status_code=202)
def ping_webhook(request: Request, person: Keeper, webhook_id: UUID) -> Pinged:
    """Send a test message there, soon. 409 when the webhook is switched off."""
    with database_of(request).write() as session:
        source = settings_of(request).base_url
        made = webhooks.ping(session, webhook_id, by=person.name, at=utc_now(), source=source)
    return Pinged(message_id=made)


@router.post("/webhooks/{webhook_id}/disable", status_code=204)
def disable_webhook(request: Request, person: Keeper, webhook_id: UUID) -> Response:
    """Send nothing more there; what waits becomes dead letters. 409 when it is off already."""
    with database_of(request).write() as session:
        webhooks.disable(session, webhook_id, at=utc_now())
    return Response(status_code=204)


@router.post("/webhooks/{webhook_id}/enable", status_code=204)
def enable_webhook(request: Request, person: Keeper, webhook_id: UUID) -> Response:
    """Send there again from now on; dead letters wait for a click each."""
    with database_of(request).write() as session:
        webhooks.enable(session, webhook_id)
    return Response(status_code=204)

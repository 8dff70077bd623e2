"""The page "Outbox": what waits, what was given up and why, what was sent lately, and the webhooks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from sqlalchemy.orm import Session
from starlette.responses import HTMLResponse, RedirectResponse

from server.access.guard import database_of, require_page, settings_of
from server.access.people import Person
from server.access.roles import Permission
from server.clock import utc_now
from server.outbox import listing, webhooks
from server.outbox.addresses import Boundary
from server.outbox.models import MessageState, WebhookRow
from server.outbox.senders import notice_templates
from server.outbox.webhooks import TOPICS
from server.web.pages import page
from shared.problems import AlreadyClosed, BadValue

router = APIRouter(prefix="/outbox", include_in_schema=False)

Keeper = Annotated[Person, Depends(require_page(Permission.MANAGE_OUTBOX), scope="function")]
CHANNELS = {"sms": "text message", "email": "mail"}


@router.get("")
def outbox_page(request: Request, person: Keeper) -> HTMLResponse:
    return _page(request, person)


@router.post("/messages/{message_id}/retry")
def retry(request: Request, person: Keeper, message_id: UUID) -> Response:
    return _do(request, lambda session, at: listing.retry(session, message_id, by=person.name, at=at))


@router.post("/messages/{message_id}/drop")
def drop(request: Request, person: Keeper, message_id: UUID) -> Response:
    return _do(request, lambda session, at: listing.drop(session, message_id, by=person.name, at=at))


@router.post("/webhooks")
def add(
    request: Request,
    person: Keeper,
    url: Annotated[str, Form()],
    topics: Annotated[list[str] | None, Form()] = None,
) -> HTMLResponse:
    boundary = Boundary(settings_of(request).webhook_networks)
    try:
        with database_of(request).write() as session:
            row = webhooks.add(
                session, url.strip(), topics or (), by=person.name, at=utc_now(), boundary=boundary
            )
    except BadValue as problem:
        return _page(request, person, status=problem.status, said=problem.detail, typed=url)
    return _page(request, person, added=row)


@router.post("/webhooks/{webhook_id}/ping")
def ping(request: Request, person: Keeper, webhook_id: UUID) -> Response:
    source = settings_of(request).base_url
    return _do(
        request,
        lambda session, at: webhooks.ping(session, webhook_id, by=person.name, at=at, source=source),
    )


@router.post("/webhooks/{webhook_id}/disable")
def disable(request: Request, person: Keeper, webhook_id: UUID) -> Response:
    return _do(request, lambda session, at: webhooks.disable(session, webhook_id, at=at))


@router.post("/webhooks/{webhook_id}/enable")
def enable(request: Request, person: Keeper, webhook_id: UUID) -> Response:
    return _do(request, lambda session, _at: webhooks.enable(session, webhook_id))


def _do(request: Request, act: Callable[[Session, datetime], object]) -> Response:
    """Act and show the page anew. What somebody else has just done is no news: the page shows it."""
    try:
        with database_of(request).write() as session:
            act(session, utc_now())
    except AlreadyClosed:
        pass
    return RedirectResponse("/outbox", status_code=303)


def _page(
    request: Request,
    person: Person,
    *,
    status: int = 200,
    said: str = "",
    typed: str = "",
    added: WebhookRow | None = None,
) -> HTMLResponse:
    settings = settings_of(request)
    with database_of(request).read() as session:
        found = {(count.channel, count.state): count.count for count in listing.counts(session)}
        shown = {
            "waiting": listing.lines(session, MessageState.QUEUED),
            "dead": listing.lines(session, MessageState.DEAD),
            "sent": listing.lines(session, MessageState.SENT, 20),
            "webhooks": listing.webhook_lines(session),
        }
    without_sender = [
        (
            CHANNELS[channel],
            f"TRUCKROLL_NOTIFY_{channel.upper()}",
            found.get((channel, MessageState.QUEUED), 0),
        )
        for channel, template in notice_templates(settings).items()
        if not template
    ]
    return page(
        request,
        "outbox.html",
        status=status,
        person=person,
        here="outbox",
        **shown,
        waiting_count=sum(count for (_, state), count in found.items() if state is MessageState.QUEUED),
        dead_count=sum(count for (_, state), count in found.items() if state is MessageState.DEAD),
        without_sender=without_sender,
        sends_here=bool(settings.send_seconds),
        topics=TOPICS,
        said=said,
        typed=typed,
        added=added,
        zone=settings.zone,
        now=utc_now(),
    )

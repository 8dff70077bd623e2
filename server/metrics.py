"""What to watch, as Prometheus reads it. Alerts worth having are in docs/settings.md."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from datetime import datetime
from ipaddress import ip_address

from fastapi import Request
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response

from server.access.guard import database_of, settings_of
from server.access.models import DeviceRow
from server.clock import utc_now
from server.db.feed_models import CommandRow
from server.inbox.waiting import held_counts
from server.outbox.models import MessageState, OutboxRow
from shared.problems import NotAllowed

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FORWARDED = ("forwarded", "x-forwarded-for", "via")
LOOKED_AT = 20_000
"""Newest feed rows that are searched for the oldest that is held back; more of them means a lag anyway."""


async def metrics(request: Request) -> Response:
    """Plain text for Prometheus. Raises NotAllowed unless asked from this machine or with the token."""
    if not (_brings_token(request) or _is_local(request)):
        raise NotAllowed("Ask from this machine, or bring the token of TRUCKROLL_METRICS_TOKEN")

    def read() -> str:
        with database_of(request).read() as session:
            return render(session, utc_now())

    return PlainTextResponse(await run_in_threadpool(read), media_type=CONTENT_TYPE)


def _brings_token(request: Request) -> bool:
    token = settings_of(request).metrics_token
    brought = request.headers.get("authorization", "").removeprefix("Bearer ")
    return bool(token) and hmac.compare_digest(brought.encode(), token.encode())


def _is_local(request: Request) -> bool:
    """From loopback, and not passed on by a proxy that runs here."""
    if request.client is None or any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def render(session: Session, now: datetime) -> str:
    return "\n".join(_lines(session, now)) + "\n"


def _lines(session: Session, now: datetime) -> Iterator[str]:
    yield from _gauge("feed_lag_seconds", "Age of the oldest change no reader may see yet", lag(session, now))
    waiting = _by_channel(session, MessageState.QUEUED)
    yield from _labelled("outbox_waiting", "gauge", "Messages to be sent", "channel", waiting)
    dead = _by_channel(session, MessageState.DEAD)
    yield from _labelled("outbox_dead", "gauge", "Messages given up, for a person", "channel", dead)
    oldest = session.scalar(
        select(func.min(OutboxRow.queued_at)).where(OutboxRow.state == MessageState.QUEUED)
    )
    yield from _gauge("outbox_oldest_seconds", "Age of the oldest message to be sent", _age(oldest, now))
    held = held_counts(session, now)
    yield from _gauge("held_open", "Commands that wait for a decision", held.open)
    yield from _gauge("held_overdue", "Those that wait too long", held.overdue)
    unsent = session.scalar(select(func.sum(DeviceRow.queue_length)).where(DeviceRow.revoked_at.is_(None)))
    yield from _gauge("devices_unsent_commands", "Unsent at the devices' last contact", unsent or 0)
    decided = select(CommandRow.outcome, func.count()).group_by(CommandRow.outcome)
    outcomes = {"accepted": 0, "held": 0} | {outcome: count for outcome, count in session.execute(decided)}
    yield from _labelled("commands_total", "counter", "Commands decided", "outcome", outcomes)


def lag(session: Session, now: datetime) -> float:
    """Seconds; 0 on SQLite, where what is committed can be read at once."""
    if session.get_bind().dialect.name != "postgresql":
        return 0.0
    oldest = session.scalar(
        text(
            """SELECT min(at) FROM (SELECT xid, at FROM feed ORDER BY seq DESC LIMIT :looked_at) AS newest
               WHERE xid >= pg_snapshot_xmin(pg_current_snapshot())::text::bigint"""
        ),
        {"looked_at": LOOKED_AT},
    )
    return _age(oldest, now)


def _by_channel(session: Session, state: MessageState) -> dict[str, int]:
    query = select(OutboxRow.channel, func.count()).where(OutboxRow.state == state)
    found = session.execute(query.group_by(OutboxRow.channel).order_by(OutboxRow.channel))
    return dict.fromkeys(("email", "sms", "webhook"), 0) | {channel: count for channel, count in found}


def _age(oldest: datetime | None, now: datetime) -> float:
    return max(0.0, (now - oldest).total_seconds()) if oldest else 0.0


def _gauge(name: str, meaning: str, value: float) -> Iterator[str]:
    yield from _head(name, "gauge", meaning)
    yield f"truckroll_{name} {value:g}"


def _labelled(name: str, kind: str, meaning: str, label: str, values: Mapping[str, int]) -> Iterator[str]:
    yield from _head(name, kind, meaning)
    for key, value in values.items():
        yield f'truckroll_{name}{{{label}="{key}"}} {value}'


def _head(name: str, kind: str, meaning: str) -> Iterator[str]:
    yield f"# HELP truckroll_{name} {meaning}."
    yield f"# TYPE truckroll_{name} {kind}"

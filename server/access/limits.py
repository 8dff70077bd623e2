"""How often one device may ask, and how many may ask at once."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Request

from server.access.guard import network_of, settings_of
from server.access.throttle import Buckets, Turnstile
from server.access.tokens import digest
from server.clock import utc_now

BURST_SECONDS = 6
"""So many seconds' worth of requests may come at once."""
UPLOADS_PER_SYNC = 2
PUSHES_WAITING_MAX = 256
"""Two hundred vans that come back at once fit; a request of five commands takes about 10 ms."""


class Limits:
    """One application's; in memory, so each process has its own."""

    def __init__(self, per_second: int, pushes_waiting_max: int = PUSHES_WAITING_MAX) -> None:
        """`per_second`: of one device; 0 for no limit."""
        uploads = per_second * UPLOADS_PER_SYNC
        self.syncs = Buckets(per_second, per_second * BURST_SECONDS) if per_second else None
        self.uploads = Buckets(uploads, uploads * BURST_SECONDS) if per_second else None
        self.pushes = Turnstile(pushes_waiting_max)


def limits_of(request: Request) -> Limits:
    """Made on first use; a test may put another one into the application's state."""
    if not hasattr(request.app.state, "limits"):
        request.app.state.limits = Limits(settings_of(request).device_requests_per_second)
    limits: Limits = request.app.state.limits
    return limits


def limit_syncs(request: Request, authorization: str | None) -> None:
    """Before the body is read, and without the database. Raises TooMany."""
    if buckets := limits_of(request).syncs:
        buckets.take(_who(request, authorization), utc_now())


async def upload_limited(request: Request, authorization: Annotated[str | None, Header()] = None) -> None:
    """A dependency. Raises TooMany."""
    if buckets := limits_of(request).uploads:
        buckets.take(_who(request, authorization), utc_now())


def _who(request: Request, authorization: str | None) -> str:
    return digest(authorization) if authorization else network_of(request)

"""One structured line a request; no query string and no body, for they may hold personal data."""

from __future__ import annotations

import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger("truckroll.http")


class RequestLog:
    """Middleware. `ms` is the time until the last byte was handed over."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        status = 500  # unless somebody answers

        async def send_noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_noting_status)
        finally:
            path = scope["path"]
            log.info(
                "request",
                method=scope["method"],
                path="/visit/…" if path.startswith("/visit/") else path,
                status=status,
                ms=round((time.perf_counter() - start) * 1000, 1),
            )

"""Headers that every answer carries, unless its route says something else of the same name.

Pages and the technician app bring their own content security policy; what is left are answers to programs,
which have no business in a frame or as a document, and static files, which pages load into their own policy.
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NO_DOCUMENT = "default-src 'none'; frame-ancestors 'none'"
STATIC = "frame-ancestors 'none'"  # a worker is bound by the policy of its own file
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HTTPS_ONLY = "max-age=31536000"
PHONES_DOOR = "/sync"
FOR_PHONES = {"X-Content-Type-Options": "nosniff"}
"""Only POST with a token opens that door, so no page can frame or show its answers; and over a thin line
every byte counts: an empty round trip stays below 400."""


class SafeHeaders:
    """Middleware. `https`: browsers reach us that way, and shall go on doing so."""

    def __init__(self, app: ASGIApp, https: bool) -> None:
        self._app = app
        self._always = ALWAYS | ({"Strict-Transport-Security": HTTPS_ONLY} if https else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        usual = self._usual(scope["path"])

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in usual.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _usual(self, path: str) -> dict[str, str]:
        if path == PHONES_DOOR:
            return FOR_PHONES
        static = path.startswith("/static/")
        return self._always | {"Content-Security-Policy": STATIC if static else NO_DOCUMENT}
